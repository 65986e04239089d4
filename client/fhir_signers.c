/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files of signers. */
#include "client/fhir_signers.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/file.h"

#define PEM_BYTES_MAX ((size_t)16 * 1024)

static enum pbft_status load_key(struct signer_key **out, const char *path,
                                 struct salus_reason *reason)
{
    char *pem = malloc(PEM_BYTES_MAX + 1);
    size_t size = 0;

    if (pem == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = file_read((uint8_t *)pem, PEM_BYTES_MAX, &size,
                                        path, FILE_PUBLIC, reason);
    if (status == PBFT_OK) {
        pem[size] = 0;
        status = signer_key_parse(out, pem, reason);
    }
    free(pem);
    return status;
}

static enum pbft_status add(struct fhir_signers *out, const char *text,
                            struct salus_reason *reason)
{
    const char *equals = strrchr(text, '=');

    if (equals == NULL || equals == text || out->count == FHIR_SIGNERS_MAX) {
        salus_reason_set(reason,
                         "--signer %s: it is REFERENCE=FILE, at most "
                         "%d of them",
                         text, FHIR_SIGNERS_MAX);
        return PBFT_INVALID_ARGUMENT;
    }
    size_t size = (size_t)(equals - text);
    char *reference = calloc(1, size + 1);
    if (reference == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(reference, text, size);
    size_t at = out->count++;
    out->references[at] = reference;
    enum pbft_status status = load_key(&out->keys[at], equals + 1, reason);
    out->rows[at] =
        (struct fhir_signer){.reference = reference, .key = out->keys[at]};
    return status;
}

enum pbft_status fhir_signers_load(struct fhir_signers *out,
                                   const struct tool_list *list,
                                   struct salus_reason *reason)
{
    enum pbft_status status = PBFT_OK;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < list->count && status == PBFT_OK; i++) {
        status = add(out, list->items[i], reason);
    }
    return status;
}

void fhir_signers_free(struct fhir_signers *signers)
{
    for (size_t i = 0; i < signers->count; i++) {
        signer_key_free(signers->keys[i]);
        free(signers->references[i]);
    }
    signers->count = 0;
}
