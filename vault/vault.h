/* SPDX-License-Identifier: Apache-2.0 */
/* One institution's private store: what ties random ids on the ledger to
 * patients, and the salts and keys behind commitments. It never leaves the
 * institution.
 *
 *   FOLDER/            mode 0700
 *     vault.key        32 random bytes, mode 0600; without it nothing opens
 *     vault.db         SQLite; rows encrypted one by one, mode 0600
 *     sealed/          sealed contents, one file each, erasable
 *
 * Every row's value is encrypted under its own random key, which is wrapped
 * under the vault key. Rows are found by a keyed hash of their names: neither
 * a patient number nor a reference stands in the file in clear. To forget a row
 * is to destroy its key: nothing else can open the value, nor copies of it in
 * free pages. Copies of the whole vault (backups) must be destroyed apart.
 *
 * A vault belongs to one thread and one process at a time.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

/* Older vaults become this when they are opened (vault/migrate.c). */
#define VAULT_SCHEMA_VERSION 7
/* A name is a FHIR reference or system|value; no sane one is longer. */
#define VAULT_NAME_MAX 4096
/* The journal keeps the bodies of one resource: 17 of 64 KiB fit. */
#define VAULT_VALUE_MAX ((size_t)2 * 1024 * 1024)
/* A sealed content: a FHIR resource of 1 MiB or an attachment. */
#define VAULT_SEALED_MAX ((size_t)256 * 1024 * 1024)
#define VAULT_PATH_MAX 4096

struct vault;

/* Makes the folder, its key and an empty store. EXISTS if there is a vault
 * already. `reason` may be NULL, here and below. */
PBFT_MUST_USE enum pbft_status vault_create(const char *folder,
                                            struct salus_reason *reason);

/* NOT_FOUND: there is no vault; PERMISSION: a file is open to others; LOCKED:
 * another process has it; WRONG_IDENTITY: vault.key is of another vault;
 * VERSION: made by a newer program; CORRUPT: not a vault, or damaged. */
PBFT_MUST_USE enum pbft_status
vault_open(struct vault **out, const char *folder, struct salus_reason *reason);
/* Rolls back what was begun and not committed. NULL is fine. */
void vault_close(struct vault *vault);

/* Changes between begin and commit happen together or not at all, and commit
 * returns only when they are on the disk. Without begin each call is its own
 * transaction. */
PBFT_MUST_USE enum pbft_status vault_begin(struct vault *vault);
PBFT_MUST_USE enum pbft_status vault_commit(struct vault *vault);
void vault_rollback(struct vault *vault);

/* A part of what was begun, that can be undone alone. Parts do not nest. */
PBFT_MUST_USE enum pbft_status vault_part_begin(struct vault *vault);
PBFT_MUST_USE enum pbft_status vault_part_keep(struct vault *vault);
PBFT_MUST_USE enum pbft_status vault_part_undo(struct vault *vault);

/* What went wrong with the last call that failed: the status and the text of
 * SQLite; never a name or value. */
const char *vault_problem(const struct vault *vault);

#endif /* VAULT_VAULT_H */
