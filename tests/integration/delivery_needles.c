/* SPDX-License-Identifier: Apache-2.0 */
/* Looks in all files of folders for what may be there only for a while, or
 * never: the wrap of an envelope, its data key, the salt of the record, texts.
 *
 *   delivery_needles ENVELOPE KEY-FILE TEXT[,TEXT...] FOLDER...
 *
 * Prints a line for each that was found: "wrap", "data-key", "salt", "text".
 * Exit code 0 whatever was found, 2 if it could not look.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/envelope.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "ledger/transaction.h"

#define NEEDLES_MAX 16
#define PART 24 /* Half a torn write would be found too. */

struct needle {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    size_t hits;
};

static struct needle needles[NEEDLES_MAX];
static size_t needle_count;
static size_t files_seen;

static void add(const char *name, const void *bytes, size_t size)
{
    if (needle_count < NEEDLES_MAX) {
        needles[needle_count++] =
            (struct needle){.name = name, .bytes = bytes, .size = size};
    }
}

static void look_in(const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < needle_count; n++) {
        struct needle *needle = &needles[n];
        for (size_t at = 0; at + needle->size <= size; at++) {
            needle->hits +=
                bytes[at] == needle->bytes[0] &&
                memcmp(bytes + at, needle->bytes, needle->size) == 0;
        }
    }
}

static int look_at(const char *path, const struct stat *info, int type,
                   struct FTW *walk)
{
    (void)walk;
    if (type != FTW_F || info->st_size == 0) {
        return 0;
    }
    uint8_t *bytes = malloc((size_t)info->st_size);
    FILE *file = fopen(path, "rb");
    if (bytes != NULL && file != NULL) {
        look_in(bytes, fread(bytes, 1, (size_t)info->st_size, file));
        files_seen++;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(bytes);
    return 0;
}

/* The wrap for this key, and what is in it. */
static int add_secrets(const char *envelope_path, const char *key_path)
{
    static struct envelope envelope;
    static uint8_t data_key[SEAL_KEY_SIZE];
    struct keyfile key;
    struct transaction_key_id id;
    struct salus_reason reason = {.text = ""};

    if (envelope_load(&envelope, envelope_path, &reason) != PBFT_OK ||
        keyfile_read(&key, key_path, KEYFILE_ENCRYPTION, &reason) != PBFT_OK ||
        envelope_unwrap(data_key, &envelope, key.secret,
                        key.public_key.bytes) != PBFT_OK) {
        fprintf(stderr, "delivery_needles: %s %s\n", envelope_path,
                reason.text);
        return 2;
    }
    transaction_key_id(&id, key.public_key.bytes);
    for (size_t i = 0; i < envelope.count; i++) {
        if (memcmp(envelope.wraps[i].key_id, id.bytes, sizeof id.bytes) == 0) {
            add("wrap", envelope.wraps[i].wrap, PART);
        }
    }
    add("data-key", data_key, PART);
    add("salt", envelope.salt, PART);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5 || crypto_init() != PBFT_OK) {
        fprintf(stderr, "usage: delivery_needles ENVELOPE KEY-FILE "
                        "TEXT[,TEXT...] FOLDER...\n");
        return 2;
    }
    int code = add_secrets(argv[1], argv[2]);
    for (char *text = strtok(argv[3], ","); text != NULL;
         text = strtok(NULL, ",")) {
        add("text", text, strlen(text));
    }
    for (int i = 4; i < argc && code == 0; i++) {
        code = nftw(argv[i], look_at, 16, FTW_PHYS) == 0 ? 0 : 2;
    }
    for (size_t i = 0; i < needle_count && code == 0; i++) {
        if (needles[i].hits > 0) {
            printf("%s\n", needles[i].name);
        }
    }
    return files_seen > 0 ? code : 2;
}
