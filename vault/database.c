/* SPDX-License-Identifier: Apache-2.0 */
/* The database of a vault: statements, schema, and the proof that key and
 * database belong together. */
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "crypto/aead.h"
#include "vault/vault_private.h"

#define VAULT_APPLICATION_ID 0x53414c56 /* "SALV" */
/* Sealed under the vault key when the vault is made: tells a wrong key from a
 * damaged row. */
#define VAULT_CHECK_TEXT "this vault"

static const char *const statement_texts[VAULT_SQL_COUNT_OF] = {
    [VAULT_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [VAULT_SQL_COMMIT] = "COMMIT",
    [VAULT_SQL_ROLLBACK] = "ROLLBACK",
    [VAULT_SQL_SAVE] = "SAVEPOINT part",
    [VAULT_SQL_RESTORE] = "ROLLBACK TO part",
    [VAULT_SQL_RELEASE] = "RELEASE part",
    [VAULT_SQL_FIND] = "SELECT row FROM name WHERE lookup = ?1",
    [VAULT_SQL_INSERT] = "INSERT INTO row (kind, mark, wrapped_key, value)"
                         " VALUES (?1, ?2, zeroblob(0), zeroblob(0))",
    [VAULT_SQL_FILL] = "UPDATE row SET mark = ?2, wrapped_key = ?3, value = ?4"
                       " WHERE id = ?1",
    [VAULT_SQL_NAME] = "INSERT INTO name (lookup, row) VALUES (?1, ?2)",
    [VAULT_SQL_MOVE] = "INSERT INTO name (lookup, row) VALUES (?1, ?2)"
                       " ON CONFLICT (lookup) DO UPDATE SET row = ?2",
    [VAULT_SQL_READ] =
        "SELECT wrapped_key, value FROM row WHERE id = ?1 AND kind = ?2",
    [VAULT_SQL_DELETE] = "DELETE FROM row WHERE id = ?1",
    [VAULT_SQL_COUNT] =
        "SELECT count(*) FROM row WHERE kind = ?1 AND mark = ?2",
    [VAULT_SQL_LIST] = "SELECT id FROM row WHERE kind = ?1 AND mark = ?2"
                       " ORDER BY id LIMIT ?3",
    [VAULT_SQL_LIST_AFTER] = "SELECT id FROM row WHERE kind = ?1 AND id > ?2"
                             " ORDER BY id LIMIT ?3",
    [VAULT_SQL_NEXT] = "SELECT id, kind, wrapped_key FROM row WHERE id > ?1"
                       " ORDER BY id LIMIT 1",
    [VAULT_SQL_REWRAP] = "UPDATE row SET wrapped_key = ?2 WHERE id = ?1",
    [VAULT_SQL_CHECKPOINT] = "PRAGMA wal_checkpoint(TRUNCATE)",
};

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE row (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " wrapped_key BLOB NOT NULL, value BLOB NOT NULL);"
    "CREATE INDEX row_of_kind ON row (kind, mark, id);"
    "CREATE TABLE name (lookup BLOB PRIMARY KEY,"
    " row INTEGER NOT NULL REFERENCES row (id) ON DELETE CASCADE)"
    " WITHOUT ROWID;"
    "CREATE INDEX name_of_row ON name (row);"
    "CREATE TABLE vault (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " check_value BLOB NOT NULL);"
    "PRAGMA application_id = 1396788310;"
    "PRAGMA user_version = 7;"
    "COMMIT;";

static_assert(VAULT_APPLICATION_ID == 1396788310, "as in the schema");
/* Also where no column changes: version 5 is 3 with longer records, which a
 * program of before would take for damaged ones, and version 7 has participants
 * by their ids, which it would not add.
 * A vault whose key was changed keeps the hash key of names in the database;
 * programs that do not know of it must not open it. So each version is two. */
#define VAULT_SCHEMA_REKEYED (VAULT_SCHEMA_VERSION + 1)

static_assert(VAULT_SCHEMA_VERSION == 7, "as in the schema");
static_assert(VAULT_SCHEMA_REKEYED == 8, "as below");

/* ---- statements ---------------------------------------------------------- */

enum pbft_status vault_sqlite_status(struct vault *vault, int result)
{
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW) {
        return PBFT_OK;
    }
    salus_reason_set(&vault->problem, "vault %s: %s", vault->folder,
                     sqlite3_errstr(result));
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        salus_reason_set(&vault->problem, "vault %s: used by another process",
                         vault->folder);
        return PBFT_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return PBFT_CORRUPT;
    case SQLITE_FULL:
        return PBFT_NO_SPACE;
    case SQLITE_NOMEM:
        return PBFT_NO_MEMORY;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return PBFT_PERMISSION;
    case SQLITE_CONSTRAINT:
        return PBFT_EXISTS;
    default:
        return PBFT_IO;
    }
}

struct sqlite3_stmt *vault_statement(struct vault *vault,
                                     enum vault_statement which)
{
    struct sqlite3_stmt **statement = &vault->statements[which];

    if (*statement == NULL) {
        int result =
            sqlite3_prepare_v3(vault->database, statement_texts[which], -1,
                               SQLITE_PREPARE_PERSISTENT, statement, NULL);
        if (result != SQLITE_OK) {
            (void)vault_sqlite_status(vault, result);
            return NULL;
        }
    }
    /* The result of a reset repeats the failure of the run before. */
    (void)sqlite3_reset(*statement);
    (void)sqlite3_clear_bindings(*statement);
    return *statement;
}

enum pbft_status vault_run(struct vault *vault, enum vault_statement which)
{
    struct sqlite3_stmt *statement = vault_statement(vault, which);

    if (statement == NULL) {
        return PBFT_IO;
    }
    int result = sqlite3_step(statement);
    /* A checkpoint answers with a row. */
    enum pbft_status status = vault_sqlite_status(vault, result);
    (void)sqlite3_reset(statement);
    return status;
}

/* ---- opening ------------------------------------------------------------- */

static enum pbft_status execute(struct vault *vault, const char *sql)
{
    return vault_sqlite_status(
        vault, sqlite3_exec(vault->database, sql, NULL, NULL, NULL));
}

static enum pbft_status open_file(struct vault *vault, int flags)
{
    char path[VAULT_PATH_MAX];

    if (!vault_join_path(path, vault->folder, "vault.db")) {
        return PBFT_INVALID_ARGUMENT;
    }
    int result = sqlite3_open_v2(
        path, &vault->database,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (result != SQLITE_OK) {
        return vault_sqlite_status(vault, result);
    }
    /* Exclusive: one process, and no shared memory file beside the database.
     * secure_delete: what was deleted is overwritten with zeros. */
    return execute(vault, "PRAGMA locking_mode = EXCLUSIVE;"
                          "PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = FULL;"
                          "PRAGMA secure_delete = ON;"
                          "PRAGMA temp_store = MEMORY;"
                          "PRAGMA trusted_schema = OFF;"
                          "PRAGMA foreign_keys = ON;");
}

static enum pbft_status read_number(struct vault *vault, const char *pragma,
                                    int64_t *out)
{
    struct sqlite3_stmt *statement = NULL;
    int result =
        sqlite3_prepare_v2(vault->database, pragma, -1, &statement, NULL);

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return vault_sqlite_status(vault, result);
}

static enum pbft_status check_schema(struct vault *vault, bool *rekeyed)
{
    int64_t application = 0;
    int64_t version = 0;
    enum pbft_status status =
        read_number(vault, "PRAGMA application_id", &application);

    if (status == PBFT_OK) {
        status = read_number(vault, "PRAGMA user_version", &version);
    }
    if (status != PBFT_OK) {
        return status;
    }
    if (application != VAULT_APPLICATION_ID) {
        salus_reason_set(&vault->problem, "%s/vault.db: not a vault",
                         vault->folder);
        return PBFT_CORRUPT;
    }
    *rekeyed = version % 2 == 0;
    if (version < 1 || version > VAULT_SCHEMA_REKEYED) {
        salus_reason_set(&vault->problem,
                         "%s/vault.db: made by a newer program: schema "
                         "version %lld, this one knows %d",
                         vault->folder, (long long)version,
                         VAULT_SCHEMA_REKEYED);
        return PBFT_VERSION;
    }
    return PBFT_OK;
}

static enum pbft_status store_check(struct vault *vault)
{
    uint8_t sealed[sizeof VAULT_CHECK_TEXT + AEAD_OVERHEAD];
    struct sqlite3_stmt *statement = NULL;

    aead_seal(sealed, vault->wrap_key, (struct pbft_bytes){NULL, 0},
              (struct pbft_bytes){(const uint8_t *)VAULT_CHECK_TEXT,
                                  sizeof VAULT_CHECK_TEXT});
    int result = sqlite3_prepare_v2(
        vault->database, "INSERT INTO vault (id, check_value) VALUES (1, ?1)",
        -1, &statement, NULL);
    if (result == SQLITE_OK) {
        (void)sqlite3_bind_blob(statement, 1, sealed, (int)sizeof sealed,
                                SQLITE_TRANSIENT);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return vault_sqlite_status(vault, result);
}

static enum pbft_status verify_check(struct vault *vault)
{
    uint8_t text[sizeof VAULT_CHECK_TEXT];
    struct sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(
        vault->database, "SELECT check_value FROM vault WHERE id = 1", -1,
        &statement, NULL);
    enum pbft_status status = PBFT_OK;

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result != SQLITE_ROW) {
        status = result == SQLITE_DONE ? PBFT_CORRUPT
                                       : vault_sqlite_status(vault, result);
    } else {
        struct pbft_bytes sealed = {sqlite3_column_blob(statement, 0),
                                    (size_t)sqlite3_column_bytes(statement, 0)};
        if (sealed.size != sizeof text + AEAD_OVERHEAD ||
            aead_open(text, vault->wrap_key, (struct pbft_bytes){NULL, 0},
                      sealed) != PBFT_OK) {
            salus_reason_set(&vault->problem,
                             "%s/vault.key: not the key of this vault",
                             vault->folder);
            status = PBFT_WRONG_IDENTITY;
        }
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static const struct pbft_bytes hash_key_aad = {(const uint8_t *)"hash key", 8};

static enum pbft_status load_hash_key(struct vault *vault)
{
    struct sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(vault->database,
                                    "SELECT hash_key FROM vault WHERE id = 1",
                                    -1, &statement, NULL);
    enum pbft_status status = PBFT_OK;

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result != SQLITE_ROW) {
        status = result == SQLITE_DONE ? PBFT_CORRUPT
                                       : vault_sqlite_status(vault, result);
    } else {
        struct pbft_bytes sealed = {sqlite3_column_blob(statement, 0),
                                    (size_t)sqlite3_column_bytes(statement, 0)};
        if (sealed.size != sizeof vault->lookup_key + AEAD_OVERHEAD ||
            aead_open(vault->lookup_key, vault->wrap_key, hash_key_aad,
                      sealed) != PBFT_OK) {
            salus_reason_set(&vault->problem,
                             "%s/vault.db: its hash key is damaged",
                             vault->folder);
            status = PBFT_CORRUPT;
        }
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static enum pbft_status add_hash_key_column(struct vault *vault)
{
    int64_t version = 0;
    enum pbft_status status =
        read_number(vault, "PRAGMA user_version", &version);

    if (status != PBFT_OK || version == VAULT_SCHEMA_REKEYED) {
        return status;
    }
    return execute(vault, "ALTER TABLE vault ADD COLUMN hash_key BLOB;"
                          "PRAGMA user_version = 8;");
}

enum pbft_status vault_database_version(struct vault *vault, int64_t *out)
{
    return read_number(vault, "PRAGMA user_version", out);
}

enum pbft_status vault_database_renew(struct vault *vault)
{
    int64_t version = 0;
    enum pbft_status status =
        read_number(vault, "PRAGMA user_version", &version);

    if (status != PBFT_OK) {
        return status;
    }
    return execute(vault, version % 2 == 0 ? "PRAGMA user_version = 8"
                                           : "PRAGMA user_version = 7");
}

enum pbft_status vault_database_set_key(struct vault *vault,
                                        const uint8_t new_key[32])
{
    uint8_t check[sizeof VAULT_CHECK_TEXT + AEAD_OVERHEAD];
    uint8_t hash_key[sizeof vault->lookup_key + AEAD_OVERHEAD];
    struct sqlite3_stmt *statement = NULL;
    enum pbft_status status = add_hash_key_column(vault);

    if (status != PBFT_OK) {
        return status;
    }
    aead_seal(check, new_key, (struct pbft_bytes){NULL, 0},
              (struct pbft_bytes){(const uint8_t *)VAULT_CHECK_TEXT,
                                  sizeof VAULT_CHECK_TEXT});
    aead_seal(hash_key, new_key, hash_key_aad,
              (struct pbft_bytes){vault->lookup_key, sizeof vault->lookup_key});
    int result = sqlite3_prepare_v2(
        vault->database,
        "UPDATE vault SET check_value = ?1, hash_key = ?2 WHERE id = 1", -1,
        &statement, NULL);
    if (result == SQLITE_OK) {
        (void)sqlite3_bind_blob(statement, 1, check, (int)sizeof check,
                                SQLITE_TRANSIENT);
        (void)sqlite3_bind_blob(statement, 2, hash_key, (int)sizeof hash_key,
                                SQLITE_TRANSIENT);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return vault_sqlite_status(vault, result);
}

enum pbft_status vault_database_create(struct vault *vault)
{
    enum pbft_status status =
        open_file(vault, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (status == PBFT_OK) {
        status = execute(vault, schema);
    }
    return status == PBFT_OK ? store_check(vault) : status;
}

enum pbft_status vault_database_open(struct vault *vault)
{
    bool rekeyed = false;
    enum pbft_status status = open_file(vault, SQLITE_OPEN_READWRITE);

    if (status == PBFT_OK) {
        status = check_schema(vault, &rekeyed);
    }
    if (status == PBFT_OK) {
        status = verify_check(vault);
    }
    return status == PBFT_OK && rekeyed ? load_hash_key(vault) : status;
}

void vault_database_close(struct vault *vault)
{
    for (size_t i = 0; i < VAULT_SQL_COUNT_OF; i++) {
        (void)sqlite3_finalize(vault->statements[i]);
        vault->statements[i] = NULL;
    }
    (void)sqlite3_close(vault->database);
    vault->database = NULL;
}
