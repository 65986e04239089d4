/* SPDX-License-Identifier: Apache-2.0 */
/* What was imported before, or exported out of the same vault. */
#include <stdlib.h>
#include <string.h>

#include "client/import_batch.h"
#include "fhir/handed.h"

enum pbft_status import_find_known(const struct import_session *session,
                                   struct vault_journal *out,
                                   const struct fhir_item *item)
{
    const struct pbft_digest *chain = &session->plan.envelope.chain;
    struct vault *vault = session->plan.vault;
    uint8_t key[32];

    fhir_plan_key(key, item, chain);
    enum pbft_status status = vault_journal_find(vault, out, key);
    if (status != PBFT_NOT_FOUND) {
        return status;
    }
    status = fhir_handed_key(key, item, chain);
    return status == PBFT_OK ? vault_journal_find(vault, out, key) : status;
}

enum pbft_status import_find_newest(const struct import_session *session,
                                    uint8_t out[32], const uint8_t newest[32],
                                    const uint8_t before[32])
{
    struct vault_journal *entry = calloc(1, sizeof *entry);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        vault_journal_find(session->plan.vault, entry, newest);
    if (status == PBFT_NOT_FOUND) {
        status = vault_journal_find(session->plan.vault, entry, before);
    }
    memcpy(out, entry->key, sizeof entry->key);
    vault_journal_free(entry);
    free(entry);
    return status;
}

/* ---- fullUrls ------------------------------------------------------------ */

static enum pbft_status find_url(const struct import_session *session,
                                 struct fhir_file *file, size_t index,
                                 const struct fhir_options *options)
{
    struct vault_journal *entry = calloc(1, sizeof *entry);
    struct fhir_item *item = NULL;
    bool owns = false;

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = fhir_item_load(&item, file, index, options);
    if (status == PBFT_OK && fhir_item_class(item) != FHIR_REJECT) {
        status = import_find_known(session, entry, item);
        if (status == PBFT_OK) {
            status =
                fhir_plan_owns_url(&owns, item, entry, session->plan.vault);
        }
    }
    fhir_file_set_url(file, index, owns ? FHIR_URL_OWN : FHIR_URL_LOST);
    fhir_item_free(item);
    vault_journal_free(entry);
    free(entry);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

enum pbft_status import_find_urls(const struct import_session *session,
                                  struct fhir_file *file,
                                  const struct fhir_options *options)
{
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; i < fhir_file_count(file) && status == PBFT_OK; i++) {
        if (fhir_file_is_nameless(file, i)) {
            status = find_url(session, file, i, options);
        }
    }
    return status;
}
