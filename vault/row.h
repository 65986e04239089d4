/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the vault: encrypted values under names that only their keyed hash
 * stores. vault/entries.h and vault/journal.h say what is in them. */
#ifndef VAULT_ROW_H
#define VAULT_ROW_H

#include "vault/vault.h"

/* Names are apart by kind. Numbers are stored: never use one again. */
enum vault_kind {
    VAULT_SUBJECT = 1,     /* A patient. */
    VAULT_PARTICIPANT = 2, /* A person, unit, group or institution. */
    VAULT_RECORD = 3,      /* A document anchored on the ledger. */
    VAULT_CONSENT = 4,     /* A consent on the ledger. */
    VAULT_CONTEXT = 5,     /* Data that consents point to: an encounter, ... */
    VAULT_JOURNAL = 6,     /* What became of a resource. */
    VAULT_EVENT = 7,       /* An audit event on the ledger. */
    VAULT_ROLE = 8,        /* A role of a person. */
    VAULT_PURPOSE = 9,     /* A code that the consortium has published. */
};

/* A mark stands in clear beside a row, to find rows without opening all. */
enum vault_mark { VAULT_PLAIN = 0, VAULT_OPEN = 1 };

/* A decrypted value; wiped and freed by vault_blob_free(). */
struct vault_blob {
    uint8_t *data;
    size_t size;
};
void vault_blob_free(struct vault_blob *blob);

/* A new row. EXISTS if the name is taken; TOO_LARGE above the limits. */
PBFT_MUST_USE enum pbft_status
vault_put(struct vault *vault, enum vault_kind kind, enum vault_mark mark,
          struct pbft_bytes name, struct pbft_bytes value);
/* NOT_FOUND; CORRUPT if the row was changed by somebody without the key. */
PBFT_MUST_USE enum pbft_status vault_get(struct vault *vault,
                                         struct vault_blob *out,
                                         enum vault_kind kind,
                                         struct pbft_bytes name);
/* Another value, under a new row key; names stay. NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
vault_replace(struct vault *vault, enum vault_kind kind, enum vault_mark mark,
              struct pbft_bytes name, struct pbft_bytes value);
/* One more name for the row. NOT_FOUND; EXISTS if `alias` names another row;
 * OK if it names this one already. */
PBFT_MUST_USE enum pbft_status vault_alias(struct vault *vault,
                                           enum vault_kind kind,
                                           struct pbft_bytes name,
                                           struct pbft_bytes alias);
/* Makes `name` a name of the row that `target` names, whatever it named before.
 * NOT_FOUND: there is no such target. */
PBFT_MUST_USE enum pbft_status vault_point(struct vault *vault,
                                           enum vault_kind kind,
                                           struct pbft_bytes name,
                                           struct pbft_bytes target);
/* Destroys the row's key and value and all its names, also in the log of the
 * database. NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
vault_forget(struct vault *vault, enum vault_kind kind, struct pbft_bytes name);

PBFT_MUST_USE enum pbft_status vault_count(struct vault *vault, uint64_t *count,
                                           enum vault_kind kind,
                                           enum vault_mark mark);
/* The ids of up to `capacity` rows, oldest first. */
PBFT_MUST_USE enum pbft_status vault_list(struct vault *vault, int64_t *ids,
                                          size_t capacity, size_t *count,
                                          enum vault_kind kind,
                                          enum vault_mark mark);
/* By id, as listed. */
PBFT_MUST_USE enum pbft_status vault_get_id(struct vault *vault,
                                            struct vault_blob *out,
                                            enum vault_kind kind, int64_t id);
PBFT_MUST_USE enum pbft_status
vault_replace_id(struct vault *vault, enum vault_kind kind,
                 enum vault_mark mark, int64_t id, struct pbft_bytes value);

#endif /* VAULT_ROW_H */
