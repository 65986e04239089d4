/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the journal of what was exported. */
#include "client/fhir_handed.h"

#include <stdlib.h>
#include <string.h>

#include "fhir/handed.h"
#include "vault/journal.h"

void fhir_handed_free(struct fhir_handed *handed)
{
    free(handed->pairs);
    handed->pairs = NULL;
    handed->count = 0;
    handed->capacity = 0;
}

static enum pbft_status make_room(struct fhir_handed *handed)
{
    if (handed->count < handed->capacity) {
        return PBFT_OK;
    }
    size_t capacity = handed->capacity == 0 ? 64 : 2 * handed->capacity;
    struct fhir_handed_pair *pairs =
        realloc(handed->pairs, capacity * sizeof *pairs);
    if (pairs == NULL) {
        return PBFT_NO_MEMORY;
    }
    handed->pairs = pairs;
    handed->capacity = capacity;
    return PBFT_OK;
}

static enum pbft_status key_of(uint8_t out[32], const char *resource,
                               const struct pbft_digest *chain)
{
    const struct fhir_options options = {.attachments = NULL};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    enum pbft_status status = fhir_file_open_bytes(
        &file, "export",
        (struct pbft_bytes){(const uint8_t *)resource, strlen(resource)});

    if (status == PBFT_OK) {
        status = fhir_item_load(&item, file, 0, &options);
    }
    if (status == PBFT_OK) {
        status = fhir_handed_key(out, item, chain);
    }
    fhir_item_free(item);
    fhir_file_close(file);
    return status;
}

enum pbft_status fhir_handed_add(struct fhir_handed *handed,
                                 const struct fhir_wanted *wanted,
                                 const char *resource)
{
    if (!wanted->has_entry || wanted->withdrawn) {
        return PBFT_OK;
    }
    enum pbft_status status = make_room(handed);
    if (status != PBFT_OK) {
        return status;
    }
    struct fhir_handed_pair *pair = &handed->pairs[handed->count];
    memcpy(pair->journal, wanted->entry, sizeof pair->journal);
    status = key_of(pair->key, resource, &handed->chain);
    handed->count += status == PBFT_OK;
    return status;
}

enum pbft_status fhir_handed_keep(const struct fhir_handed *handed,
                                  struct vault *vault)
{
    enum pbft_status status = vault_begin(vault);

    if (status != PBFT_OK) {
        return status;
    }
    for (size_t i = 0; i < handed->count && status == PBFT_OK; i++) {
        status = vault_journal_point(vault, handed->pairs[i].key,
                                     handed->pairs[i].journal);
    }
    if (status != PBFT_OK) {
        vault_rollback(vault);
        return status;
    }
    return vault_commit(vault);
}
