/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a vault: its folder, key and database, and transactions. */
#include "vault/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto/aead.h"
#include "crypto/file.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/vault_private.h"

#define VAULT_KEY_SIZE 32
#define VAULT_KEY_TEXT_MAX 128
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
    "PRAGMA user_version = 1;"
    "COMMIT;";

static_assert(VAULT_APPLICATION_ID == 1396788310, "as in the schema");
static_assert(VAULT_SCHEMA_VERSION == 1, "as in the schema");

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

const char *vault_problem(const struct vault *vault)
{
    return vault->problem.text;
}

/* ---- transactions -------------------------------------------------------- */

/* The log may still hold the wrapped keys of forgotten rows. */
static enum pbft_status drop_old_pages(struct vault *vault)
{
    if (!vault->forgot) {
        return PBFT_OK;
    }
    enum pbft_status status = vault_run(vault, VAULT_SQL_CHECKPOINT);
    if (status == PBFT_OK) {
        vault->forgot = false;
    }
    return status;
}

enum pbft_status vault_begin(struct vault *vault)
{
    if (vault->begun) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status = vault_run(vault, VAULT_SQL_BEGIN);
    vault->begun = status == PBFT_OK;
    return status;
}

enum pbft_status vault_commit(struct vault *vault)
{
    if (!vault->begun) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status = vault_run(vault, VAULT_SQL_COMMIT);
    if (status != PBFT_OK) {
        vault_rollback(vault);
        return status;
    }
    vault->begun = false;
    return drop_old_pages(vault);
}

void vault_rollback(struct vault *vault)
{
    if (vault->begun) {
        /* Fails only if SQLite has rolled back by itself. */
        (void)vault_run(vault, VAULT_SQL_ROLLBACK);
        vault->begun = false;
    }
}

enum pbft_status vault_part_begin(struct vault *vault)
{
    return vault->begun ? vault_run(vault, VAULT_SQL_SAVE)
                        : PBFT_INVALID_ARGUMENT;
}

enum pbft_status vault_part_keep(struct vault *vault)
{
    return vault_run(vault, VAULT_SQL_RELEASE);
}

enum pbft_status vault_part_undo(struct vault *vault)
{
    enum pbft_status status = vault_run(vault, VAULT_SQL_RESTORE);

    return status == PBFT_OK ? vault_run(vault, VAULT_SQL_RELEASE) : status;
}

/* ---- keys ---------------------------------------------------------------- */

static bool join_path(char out[VAULT_PATH_MAX], const char *folder,
                      const char *name)
{
    int size = snprintf(out, VAULT_PATH_MAX, "%s/%s", folder, name);

    return size > 0 && size < VAULT_PATH_MAX;
}

static struct pbft_bytes text_bytes(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static enum pbft_status derive_keys(struct vault *vault,
                                    const uint8_t key[VAULT_KEY_SIZE])
{
    enum pbft_status status =
        kdf_expand(vault->wrap_key, sizeof vault->wrap_key, key,
                   text_bytes("salus/vault/wrap/1"));

    if (status == PBFT_OK) {
        status = kdf_expand(vault->lookup_key, sizeof vault->lookup_key, key,
                            text_bytes("salus/vault/lookup/1"));
    }
    return status;
}

static enum pbft_status create_key(const char *path,
                                   struct salus_reason *reason)
{
    uint8_t key[VAULT_KEY_SIZE];
    char text[2 * VAULT_KEY_SIZE + 2];

    random_fill(key, sizeof key);
    hex_encode(text, (struct pbft_bytes){key, sizeof key});
    text[2 * VAULT_KEY_SIZE] = '\n';
    enum pbft_status status = file_create(
        path, FILE_SECRET,
        (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1}, reason);
    secret_wipe(key, sizeof key);
    secret_wipe(text, sizeof text);
    return status;
}

static enum pbft_status read_key(struct vault *vault,
                                 struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];
    uint8_t text[VAULT_KEY_TEXT_MAX + 1];
    uint8_t key[VAULT_KEY_SIZE];
    size_t size = 0;

    if (!join_path(path, vault->folder, "vault.key")) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status =
        file_read(text, VAULT_KEY_TEXT_MAX, &size, path, FILE_SECRET, reason);
    if (status != PBFT_OK) {
        return status;
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    text[size] = 0;
    if (size != sizeof key * 2 ||
        hex_decode(key, sizeof key, (const char *)text) != PBFT_OK) {
        salus_reason_set(reason, "%s: not a vault key", path);
        status = PBFT_CORRUPT;
    } else {
        status = derive_keys(vault, key);
    }
    secret_wipe(key, sizeof key);
    secret_wipe(text, sizeof text);
    return status;
}

/* ---- database ------------------------------------------------------------ */

static enum pbft_status execute(struct vault *vault, const char *sql)
{
    return vault_sqlite_status(
        vault, sqlite3_exec(vault->database, sql, NULL, NULL, NULL));
}

static enum pbft_status open_database(struct vault *vault, int flags)
{
    char path[VAULT_PATH_MAX];

    if (!join_path(path, vault->folder, "vault.db")) {
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

static enum pbft_status check_schema(struct vault *vault)
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
    if (version != VAULT_SCHEMA_VERSION) {
        salus_reason_set(&vault->problem,
                         "%s/vault.db: schema version %lld, this program "
                         "knows %d",
                         vault->folder, (long long)version,
                         VAULT_SCHEMA_VERSION);
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

/* ---- life ---------------------------------------------------------------- */

static enum pbft_status allocate(struct vault **out, const char *folder)
{
    size_t size = strlen(folder);

    if (size == 0 || size >= VAULT_PATH_MAX - 64 || crypto_init() != PBFT_OK) {
        return PBFT_INVALID_ARGUMENT;
    }
    struct vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(vault->folder, folder, size + 1);
    *out = vault;
    return PBFT_OK;
}

static enum pbft_status make_folders(const char *folder,
                                     struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];

    if (!join_path(path, folder, "sealed")) {
        return PBFT_INVALID_ARGUMENT;
    }
    if ((mkdir(folder, 0700) != 0 && errno != EEXIST) ||
        (mkdir(path, 0700) != 0 && errno != EEXIST)) {
        salus_reason_set(reason, "%s: %s", folder, strerror(errno));
        return errno == ENOENT ? PBFT_NOT_FOUND : PBFT_PERMISSION;
    }
    return PBFT_OK;
}

static enum pbft_status create_database(struct vault *vault)
{
    mode_t mask = umask(077);
    enum pbft_status status =
        open_database(vault, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    (void)umask(mask);
    if (status == PBFT_OK) {
        status = execute(vault, schema);
    }
    return status == PBFT_OK ? store_check(vault) : status;
}

enum pbft_status vault_create(const char *folder, struct salus_reason *reason)
{
    struct vault *vault = NULL;
    char path[VAULT_PATH_MAX];
    enum pbft_status status = allocate(&vault, folder);

    if (status == PBFT_OK) {
        status = make_folders(folder, reason);
    }
    if (status == PBFT_OK) {
        (void)join_path(path, folder, "vault.key");
        /* Refuses to overwrite: a lost key is a lost vault. */
        status = create_key(path, reason);
    }
    if (status == PBFT_OK) {
        status = read_key(vault, reason);
    }
    if (status == PBFT_OK) {
        status = create_database(vault);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s", vault->problem.text);
        }
    }
    vault_close(vault);
    return status;
}

static enum pbft_status check_file(const struct vault *vault,
                                   struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];
    struct stat info;

    (void)join_path(path, vault->folder, "vault.db");
    if (stat(path, &info) != 0) {
        salus_reason_set(reason, "%s: there is no vault", vault->folder);
        return PBFT_NOT_FOUND;
    }
    if ((info.st_mode & 077) != 0) {
        salus_reason_set(reason, "%s: mode %04o is open to others: chmod 600",
                         path, (unsigned)(info.st_mode & 07777));
        return PBFT_PERMISSION;
    }
    return PBFT_OK;
}

static enum pbft_status open_checked(struct vault *vault)
{
    enum pbft_status status = open_database(vault, SQLITE_OPEN_READWRITE);

    if (status == PBFT_OK) {
        status = check_schema(vault);
    }
    if (status == PBFT_OK) {
        status = verify_check(vault);
    }
    /* Takes the lock that is then kept. */
    if (status == PBFT_OK) {
        status = vault_begin(vault);
    }
    return status == PBFT_OK ? vault_commit(vault) : status;
}

enum pbft_status vault_open(struct vault **out, const char *folder,
                            struct salus_reason *reason)
{
    struct vault *vault = NULL;
    enum pbft_status status = allocate(&vault, folder);

    *out = NULL;
    if (status == PBFT_OK) {
        status = check_file(vault, reason);
    }
    if (status == PBFT_OK) {
        status = read_key(vault, reason);
    }
    if (status == PBFT_OK) {
        status = open_checked(vault);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s", vault->problem.text);
        }
    }
    if (status != PBFT_OK) {
        vault_close(vault);
        return status;
    }
    *out = vault;
    return PBFT_OK;
}

void vault_close(struct vault *vault)
{
    if (vault == NULL) {
        return;
    }
    vault_rollback(vault);
    for (size_t i = 0; i < VAULT_SQL_COUNT_OF; i++) {
        (void)sqlite3_finalize(vault->statements[i]);
    }
    (void)sqlite3_close(vault->database);
    secret_wipe(vault, sizeof *vault);
    free(vault);
}
