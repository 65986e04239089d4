/* SPDX-License-Identifier: Apache-2.0 */
/* What was imported before, or exported out of the same vault. */
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
