/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are forgotten, counted and listed. */
#include <sqlite3.h>

#include "vault/vault_private.h"

/* Overwrites key and value before the row goes, besides secure_delete. */
static enum pbft_status destroy_row(struct vault *vault, int64_t id)
{
    static const uint8_t nothing[1] = {0};
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_FILL);

    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, VAULT_PLAIN);
    (void)sqlite3_bind_blob(statement, 3, nothing, 1, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 4, nothing, 1, SQLITE_STATIC);
    enum pbft_status status =
        vault_sqlite_status(vault, sqlite3_step(statement));
    (void)sqlite3_reset(statement);
    statement = vault_statement(vault, VAULT_SQL_DELETE);
    if (status != PBFT_OK || statement == NULL) {
        return status != PBFT_OK ? status : PBFT_IO;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    status = vault_sqlite_status(vault, sqlite3_step(statement));
    (void)sqlite3_reset(statement);
    return status;
}

enum pbft_status vault_forget(struct vault *vault, enum vault_kind kind,
                              struct pbft_bytes name)
{
    int64_t id = 0;
    bool own;
    enum pbft_status status = vault_begin_own(vault, &own);

    if (status != PBFT_OK) {
        return status;
    }
    status = vault_find_row(vault, &id, kind, name);
    if (status == PBFT_OK) {
        status = destroy_row(vault, id);
    }
    vault->forgot = vault->forgot || status == PBFT_OK;
    return vault_end_own(vault, own, status);
}

enum pbft_status vault_count(struct vault *vault, uint64_t *count,
                             enum vault_kind kind, enum vault_mark mark)
{
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_COUNT);

    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int(statement, 1, (int)kind);
    (void)sqlite3_bind_int(statement, 2, (int)mark);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *count = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    enum pbft_status status = vault_sqlite_status(vault, result);
    (void)sqlite3_reset(statement);
    return status;
}

enum pbft_status vault_list(struct vault *vault, int64_t *ids, size_t capacity,
                            size_t *count, enum vault_kind kind,
                            enum vault_mark mark)
{
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_LIST);
    int result = SQLITE_ROW;

    *count = 0;
    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int(statement, 1, (int)kind);
    (void)sqlite3_bind_int(statement, 2, (int)mark);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)capacity);
    while (*count < capacity &&
           (result = sqlite3_step(statement)) == SQLITE_ROW) {
        ids[(*count)++] = sqlite3_column_int64(statement, 0);
    }
    enum pbft_status status = vault_sqlite_status(vault, result);
    (void)sqlite3_reset(statement);
    return status;
}

enum pbft_status vault_forget_id(struct vault *vault, int64_t id)
{
    enum pbft_status status = destroy_row(vault, id);

    vault->forgot = vault->forgot || status == PBFT_OK;
    return status;
}

enum pbft_status vault_list_after(struct vault *vault, int64_t *ids,
                                  size_t capacity, size_t *count,
                                  enum vault_kind kind, int64_t after)
{
    struct sqlite3_stmt *statement =
        vault_statement(vault, VAULT_SQL_LIST_AFTER);
    int result = SQLITE_ROW;

    *count = 0;
    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int(statement, 1, (int)kind);
    (void)sqlite3_bind_int64(statement, 2, after);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)capacity);
    while (*count < capacity &&
           (result = sqlite3_step(statement)) == SQLITE_ROW) {
        ids[(*count)++] = sqlite3_column_int64(statement, 0);
    }
    enum pbft_status status = vault_sqlite_status(vault, result);
    (void)sqlite3_reset(statement);
    return status;
}
