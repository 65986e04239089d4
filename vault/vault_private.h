/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a vault; for vault/ only. */
#ifndef VAULT_VAULT_PRIVATE_H
#define VAULT_VAULT_PRIVATE_H

#include "vault/row.h"

struct sqlite3;
struct sqlite3_stmt;

enum vault_statement {
    VAULT_SQL_BEGIN,
    VAULT_SQL_COMMIT,
    VAULT_SQL_ROLLBACK,
    VAULT_SQL_SAVE,
    VAULT_SQL_RESTORE,
    VAULT_SQL_RELEASE,
    VAULT_SQL_FIND,
    VAULT_SQL_INSERT,
    VAULT_SQL_FILL,
    VAULT_SQL_NAME,
    VAULT_SQL_MOVE,
    VAULT_SQL_READ,
    VAULT_SQL_DELETE,
    VAULT_SQL_COUNT,
    VAULT_SQL_LIST,
    VAULT_SQL_LIST_AFTER,
    VAULT_SQL_NEXT,
    VAULT_SQL_REWRAP,
    VAULT_SQL_CHECKPOINT,
    VAULT_SQL_COUNT_OF
};

struct vault {
    struct sqlite3 *database;
    struct sqlite3_stmt *statements[VAULT_SQL_COUNT_OF];
    char folder[VAULT_PATH_MAX];
    uint8_t wrap_key[32];   /* Wraps row keys. */
    uint8_t lookup_key[32]; /* Hashes names. */
    bool begun;             /* Between begin and commit. */
    bool forgot;            /* Row keys were destroyed since the last sync. */
    struct salus_reason problem;
};

/* Notes and translates a result of SQLite. */
enum pbft_status vault_sqlite_status(struct vault *vault, int result);

/* The prepared statement, reset and without bindings; NULL and a problem if it
 * cannot be prepared. */
struct sqlite3_stmt *vault_statement(struct vault *vault,
                                     enum vault_statement which);

/* Runs a statement without result rows. */
enum pbft_status vault_run(struct vault *vault, enum vault_statement which);

/* "folder/name"; false if it is too long. */
bool vault_join_path(char out[VAULT_PATH_MAX], const char *folder,
                     const char *name);

/* The database file: made with its schema, or opened and checked. Whatever was
 * opened is closed by the last call. */
enum pbft_status vault_database_create(struct vault *vault);
enum pbft_status vault_database_open(struct vault *vault);
void vault_database_close(struct vault *vault);
/* Of which schema it is; the second lets it be of this program's. */
enum pbft_status vault_database_version(struct vault *vault, int64_t *out);
enum pbft_status vault_database_renew(struct vault *vault);
/* Brings an older vault to this schema, as a whole or not at all (migrate.c).
 */
enum pbft_status vault_migrate(struct vault *vault);
/* One more name for a row, as vault_alias(). */
enum pbft_status vault_name_row(struct vault *vault, int64_t id,
                                enum vault_kind kind, struct pbft_bytes name);

/* The row that a name means. NOT_FOUND. */
enum pbft_status vault_find_row(struct vault *vault, int64_t *id,
                                enum vault_kind kind, struct pbft_bytes name);

/* From now on the vault opens with the new wrap key; the hash key of names
 * stays, sealed under it. Within a transaction. */
enum pbft_status vault_database_set_key(struct vault *vault,
                                        const uint8_t new_key[32]);

#define VAULT_KEY_NAME "vault.key"
enum pbft_status vault_key_create(const char *folder,
                                  struct salus_reason *reason);
/* From the file of that name in the folder. */
enum pbft_status vault_key_read(struct vault *vault, const char *name,
                                struct salus_reason *reason);
/* Opens the database, and takes the lock that is then kept. */
enum pbft_status vault_open_locked(struct vault *vault);
/* After opening with the old key: finishes a change that was interrupted. */
enum pbft_status vault_new_key_recover(struct vault *vault,
                                       enum pbft_status opened,
                                       struct salus_reason *reason);

#define VAULT_WRAPPED_SIZE (32 + 40)
/* A row key out of one wrap into another. CORRUPT. */
enum pbft_status vault_rewrap(uint8_t out[VAULT_WRAPPED_SIZE],
                              const uint8_t old_key[32],
                              const uint8_t new_key[32], enum vault_kind kind,
                              int64_t id, struct pbft_bytes wrapped);

/* A new vault key in a file beside the old one, synced; `out` wraps row keys.
 */
enum pbft_status vault_new_key_create(struct vault *vault, uint8_t out[32],
                                      struct salus_reason *reason);
/* It takes the place of the old one. */
enum pbft_status vault_new_key_settle(struct vault *vault,
                                      struct salus_reason *reason);

/* Ids of the kind above `after`, whatever their mark. */
enum pbft_status vault_list_after(struct vault *vault, int64_t *ids,
                                  size_t capacity, size_t *count,
                                  enum vault_kind kind, int64_t after);
/* Calls for each row of the kind; a status other than OK ends the walk. */
typedef enum pbft_status vault_on_row(void *context, int64_t id);
enum pbft_status vault_walk(struct vault *vault, enum vault_kind kind,
                            vault_on_row *handle, void *context);
/* As vault_forget(). */
enum pbft_status vault_forget_id(struct vault *vault, int64_t id);
bool vault_sealed_exists(const struct vault *vault, const uint8_t id[16]);

/* Several statements are one change, whether or not the caller has begun. */
enum pbft_status vault_begin_own(struct vault *vault, bool *own);
enum pbft_status vault_end_own(struct vault *vault, bool own,
                               enum pbft_status status);

#endif /* VAULT_VAULT_PRIVATE_H */
