/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files, without libFuzzer: any compiler, every build.
 * For each file also all its beginnings and, for each byte, one flipped bit.
 *
 *   fuzz_x FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define FILE_MAX (1u << 20)

/* In memory of exact size: the sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
    run(data, size);
    size_t stride = 1 + size / 256;
    for (size_t at = 0; at < size; at += stride) {
        run(data, at);
        data[at] ^= (uint8_t)(1u << (at % 8));
        run(data, size);
        data[at] ^= (uint8_t)(1u << (at % 8));
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[FILE_MAX];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return 1;
        }
        size_t size = fread(data, 1, sizeof data, file);
        (void)fclose(file);
        run_variants(data, size);
    }
    printf("%d files\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
