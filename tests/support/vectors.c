/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and reads vector files. */
#include "tests/support/vectors.h"

#include "tests/support/support.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *support_shared_file(const char *name)
{
    static char path[PATH_MAX];

    support_shared_path(path, sizeof path, name);
    if (access(path, R_OK) != 0) {
        printf("SKIPPED: %s is not in the shared test data\n", name);
        return NULL;
    }
    return path;
}

static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "vectors: %s: %s\n", name, what);
    abort();
}

json_t *support_vectors(const char *name)
{
    json_error_t error;
    const char *path = support_shared_file(name);
    if (path == NULL) {
        return NULL;
    }
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        give_up(error.text, path);
    }
    return root;
}

const char *support_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL) {
        give_up("no such text", name);
    }
    return text;
}

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    if (at == NULL) {
        give_up("no hexadecimal digit", "text");
        return 0;
    }
    return (unsigned)(at - digits);
}

struct pbft_bytes support_hex(const json_t *object, const char *name)
{
    const char *text = support_text(object, name);
    size_t length = strlen(text);
    if (length % 2 != 0 || length / 2 > VECTOR_BYTES_MAX) {
        give_up("odd or too long", name);
    }
    uint8_t *data = malloc(length / 2 + 1);
    if (data == NULL) {
        give_up("out of memory", name);
    }
    for (size_t i = 0; i < length / 2; i++) {
        data[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return (struct pbft_bytes){data, length / 2};
}

void support_hex_free(struct pbft_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}
