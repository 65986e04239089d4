/* SPDX-License-Identifier: Apache-2.0 */
/* Audit events that are on the ledger: a disclosure or an emergency each. The
 * row holds the event as received, so that to forget the row is to erase it. */
#ifndef VAULT_EVENTS_H
#define VAULT_EVENTS_H

#include "vault/entries.h"

struct vault_event {
    uint8_t id[VAULT_ID_SIZE]; /* Of the disclosure or emergency. */
    uint8_t subject[VAULT_HANDLE_SIZE];
    uint8_t salt[VAULT_SECRET_SIZE]; /* Of its commitments. */
    /* Of an emergency: when it lasts. 0: a disclosure. */
    uint64_t from_ms;
    uint64_t to_ms;
};

/* A fresh id and salt. */
void vault_draw_event(struct vault_event *out);
/* NOT_FOUND. `content` (or NULL) gets what was received; the caller frees it.
 */
PBFT_MUST_USE enum pbft_status vault_find_event(struct vault *vault,
                                                struct vault_event *out,
                                                struct vault_blob *content,
                                                const char *name);
/* Adds a row under its own name (vault_own_name()) and lets `name` mean it. */
PBFT_MUST_USE enum pbft_status vault_set_event(struct vault *vault,
                                               const char *name,
                                               const struct vault_event *event,
                                               struct pbft_bytes content);
/* One more name; it may have meant another event before. */
PBFT_MUST_USE enum pbft_status
vault_name_event(struct vault *vault, const char *name,
                 const struct vault_event *event);

#endif /* VAULT_EVENTS_H */
