/* SPDX-License-Identifier: Apache-2.0 */
/* What was submitted for a resource, and what became of it: so that an import
 * that was interrupted goes on where it stopped, and nothing is done twice.
 *
 * The bodies are stored in the same vault transaction as the random ids they
 * contain, before anything is submitted. Submitting a body again is harmless:
 * the ledger executes a transaction once.
 */
#ifndef VAULT_JOURNAL_H
#define VAULT_JOURNAL_H

#include "vault/row.h"

/* Transactions of one resource: its own and registrations before it. */
#define VAULT_JOURNAL_STEPS_MAX 128

struct vault_step {
    struct pbft_digest tx_id;
    uint32_t code; /* Ledger code, once done. */
    uint64_t seq;  /* Block, once done. */
    uint8_t *body; /* Owned by the entry. */
    size_t size;
};

struct vault_journal {
    uint8_t key[32]; /* Digest of what the resource is; chosen by the caller. */
    bool done;       /* All steps have their result. */
    uint32_t item_class; /* Of the importer; kept for reports. */
    uint32_t step_count;
    struct vault_step steps[VAULT_JOURNAL_STEPS_MAX];
};

/* NOT_FOUND. The caller frees what is found. */
PBFT_MUST_USE enum pbft_status vault_journal_find(struct vault *vault,
                                                  struct vault_journal *out,
                                                  const uint8_t key[32]);
/* Stores a new entry, or what became of a known one. */
PBFT_MUST_USE enum pbft_status
vault_journal_store(struct vault *vault, const struct vault_journal *entry);
/* Takes back an entry whose transactions were refused, so that the resource can
 * be imported again. */
PBFT_MUST_USE enum pbft_status vault_journal_drop(struct vault *vault,
                                                  const uint8_t key[32]);
void vault_journal_free(struct vault_journal *entry);

/* The oldest entry that is not done; NOT_FOUND if there is none. */
PBFT_MUST_USE enum pbft_status
vault_journal_oldest_open(struct vault *vault, struct vault_journal *out);
PBFT_MUST_USE enum pbft_status vault_journal_count_open(struct vault *vault,
                                                        uint64_t *count);

#endif /* VAULT_JOURNAL_H */
