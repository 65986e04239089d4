/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a receipt offline, as an auditor's program would.
 *
 *   cc check_receipt.c $(pkg-config --cflags --libs salus) -o check_receipt
 *   ./check_receipt genesis.txt receipt.txt
 */
#include <salus.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RECEIPT_MAX (1u << 20)

static size_t read_file(const char *path, uint8_t *out, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0;

    if (file != NULL) {
        size = fread(out, 1, capacity, file);
        (void)fclose(file);
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t receipt[RECEIPT_MAX];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_proof proof;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s GENESIS RECEIPT\n", argv[0]);
        return 2;
    }
    size_t size = read_file(argv[2], receipt, sizeof(receipt));
    enum salus_status status =
        salus_verify_receipt(&proof, problem, argv[1], receipt, size);
    if (status != SALUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", salus_status_text(status), problem);
        return 1;
    }
    (void)printf("block %" PRIu64 ", %s, attested by %" PRIu32 " members\n",
                 proof.seq, salus_code_name(proof.code), proof.attestations);
    return 0;
}
