/* SPDX-License-Identifier: Apache-2.0 */
/* What consents of older programs do not say: that a deny of an author means
 * him also where he is one of several. */
#ifndef VAULT_OLDER_H
#define VAULT_OLDER_H

#include "vault/entries.h"

/* Has the patient a grant of an older program that may stand, and that nothing
 * has replaced since? */
PBFT_MUST_USE enum pbft_status
vault_has_older_rules(struct vault *vault, bool *out,
                      const uint8_t handle[VAULT_HANDLE_SIZE], uint64_t now_ms);
/* The stored consent takes the place of that one; if it is forgotten, not. */
PBFT_MUST_USE enum pbft_status
vault_note_replaced(struct vault *vault, const struct vault_consent *by,
                    const uint8_t replaced[VAULT_ID_SIZE]);
/* For the migration of a vault: the patient of the consent in that row, and
 * what the grants of that entry of the journal have replaced. */
PBFT_MUST_USE enum pbft_status vault_mark_older_rules(struct vault *vault,
                                                      int64_t consent);
PBFT_MUST_USE enum pbft_status vault_note_older_replaced(struct vault *vault,
                                                         int64_t entry);

#endif /* VAULT_OLDER_H */
