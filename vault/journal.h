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

/* A transaction, and how the vault goes back if the ledger refuses it. */
struct vault_step {
    struct pbft_digest tx_id;
    uint32_t type; /* enum transaction_type; not interpreted here. */
    uint32_t code; /* Ledger code, once done. */
    uint64_t seq;  /* Block, once done. */
    uint8_t *body; /* From malloc; owned by the entry. */
    size_t size;
    /* The row that came with it: forgotten if the transaction is refused. */
    uint32_t kind;  /* enum vault_kind; 0: none. */
    char *row;      /* Its own name. From malloc. */
    char *name;     /* The moving name that means it; or NULL. From malloc. */
    char *previous; /* What `name` meant before; or NULL. From malloc. */
    bool ends;      /* If done, the row of `row` has ended; never forgotten. */
};

struct vault_journal {
    uint8_t key[32];     /* Digest of what the resource is; by the caller. */
    bool done;           /* All steps have their result. */
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
/* `name` means the entry of `key` from now on: vault_journal_find() finds it by
 * either. NOT_FOUND. */
PBFT_MUST_USE enum pbft_status vault_journal_point(struct vault *vault,
                                                   const uint8_t name[32],
                                                   const uint8_t key[32]);
/* All steps have their code: brings the rows to what the ledger says and closes
 * the entry; one with a refused step is dropped, so that the resource can be
 * imported again, unless all but what `ends` something was done. Atomic. */
PBFT_MUST_USE enum pbft_status
vault_journal_settle(struct vault *vault, struct vault_journal *entry);
/* Frees what the entry owns and zeroes its steps. */
void vault_journal_free(struct vault_journal *entry);

/* By the id of its row, as vault_list() gives it. The caller frees it. */
PBFT_MUST_USE enum pbft_status vault_journal_get_id(struct vault *vault,
                                                    struct vault_journal *out,
                                                    int64_t id);

/* The oldest entry that is not done; NOT_FOUND if there is none. */
PBFT_MUST_USE enum pbft_status
vault_journal_oldest_open(struct vault *vault, struct vault_journal *out);
PBFT_MUST_USE enum pbft_status vault_journal_count_open(struct vault *vault,
                                                        uint64_t *count);

#endif /* VAULT_JOURNAL_H */
