/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: keyed lookup, one key per row, and forgetting. */
#include "vault/row.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/vault_private.h"

#define LOOKUP_SIZE KDF_HASH_SIZE
#define WRAPPED_SIZE (AEAD_KEY_SIZE + AEAD_OVERHEAD)
static_assert(WRAPPED_SIZE == VAULT_WRAPPED_SIZE, "a row key and its overhead");
#define ROW_AAD_SIZE 13

void vault_blob_free(struct vault_blob *blob)
{
    if (blob->data != NULL) {
        secret_wipe(blob->data, blob->size);
        free(blob->data);
    }
    *blob = (struct vault_blob){NULL, 0};
}

/* What binds a wrapped key or value to its place: role, kind, id. */
static struct pbft_bytes row_aad(uint8_t out[ROW_AAD_SIZE], char role,
                                 enum vault_kind kind, int64_t id)
{
    uint64_t number = (uint64_t)id;
    uint32_t kind_number = (uint32_t)kind;

    out[0] = (uint8_t)role;
    for (size_t i = 0; i < 4; i++) {
        out[1 + i] = (uint8_t)(kind_number >> (8 * (3 - i)));
    }
    for (size_t i = 0; i < 8; i++) {
        out[5 + i] = (uint8_t)(number >> (8 * (7 - i)));
    }
    return (struct pbft_bytes){out, ROW_AAD_SIZE};
}

enum pbft_status vault_rewrap(uint8_t out[VAULT_WRAPPED_SIZE],
                              const uint8_t old_key[32],
                              const uint8_t new_key[32], enum vault_kind kind,
                              int64_t id, struct pbft_bytes wrapped)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t aad_bytes[ROW_AAD_SIZE];
    struct pbft_bytes aad = row_aad(aad_bytes, 'k', kind, id);

    if (wrapped.size != WRAPPED_SIZE ||
        aead_open(key, old_key, aad, wrapped) != PBFT_OK) {
        return PBFT_CORRUPT;
    }
    aead_seal(out, new_key, aad, (struct pbft_bytes){key, sizeof key});
    secret_wipe(key, sizeof key);
    return PBFT_OK;
}

/* HMAC(lookup key, kind | name). */
static enum pbft_status hash_name(const struct vault *vault,
                                  uint8_t out[LOOKUP_SIZE],
                                  enum vault_kind kind, struct pbft_bytes name)
{
    uint8_t message[1 + VAULT_NAME_MAX];

    if (name.size == 0) {
        return PBFT_INVALID_ARGUMENT;
    }
    if (name.size > VAULT_NAME_MAX) {
        return PBFT_TOO_LARGE;
    }
    message[0] = (uint8_t)kind;
    memcpy(message + 1, name.data, name.size);
    kdf_hmac_sha256(
        out, (struct pbft_bytes){vault->lookup_key, sizeof vault->lookup_key},
        (struct pbft_bytes){message, 1 + name.size});
    secret_wipe(message, sizeof message);
    return PBFT_OK;
}

static enum pbft_status find_hash(struct vault *vault, int64_t *id,
                                  const uint8_t hash[LOOKUP_SIZE])
{
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_FIND);

    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_blob(statement, 1, hash, LOOKUP_SIZE, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    enum pbft_status status = vault_sqlite_status(vault, result);
    if (result == SQLITE_ROW) {
        *id = sqlite3_column_int64(statement, 0);
    } else if (result == SQLITE_DONE) {
        status = PBFT_NOT_FOUND;
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum pbft_status vault_find_row(struct vault *vault, int64_t *id,
                                enum vault_kind kind, struct pbft_bytes name)
{
    uint8_t hash[LOOKUP_SIZE];
    enum pbft_status status = hash_name(vault, hash, kind, name);

    return status == PBFT_OK ? find_hash(vault, id, hash) : status;
}

static enum pbft_status add_name(struct vault *vault, int64_t id,
                                 enum vault_statement how, enum vault_kind kind,
                                 struct pbft_bytes name)
{
    uint8_t hash[LOOKUP_SIZE];
    enum pbft_status status = hash_name(vault, hash, kind, name);
    struct sqlite3_stmt *statement = vault_statement(vault, how);

    if (status != PBFT_OK || statement == NULL) {
        return status != PBFT_OK ? status : PBFT_IO;
    }
    (void)sqlite3_bind_blob(statement, 1, hash, LOOKUP_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, id);
    status = vault_sqlite_status(vault, sqlite3_step(statement));
    (void)sqlite3_reset(statement);
    return status;
}

/* Puts `value` into row `id` under a fresh key. */
static enum pbft_status fill_row(struct vault *vault, enum vault_kind kind,
                                 enum vault_mark mark, int64_t id,
                                 struct pbft_bytes value)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t wrapped[WRAPPED_SIZE];
    uint8_t aad[ROW_AAD_SIZE];
    size_t sealed_size = value.size + AEAD_OVERHEAD;
    uint8_t *sealed = malloc(sealed_size);
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_FILL);

    if (sealed == NULL || statement == NULL) {
        free(sealed);
        return sealed == NULL ? PBFT_NO_MEMORY : PBFT_IO;
    }
    random_fill(key, sizeof key);
    aead_seal(wrapped, vault->wrap_key, row_aad(aad, 'k', kind, id),
              (struct pbft_bytes){key, sizeof key});
    aead_seal(sealed, key, row_aad(aad, 'v', kind, id), value);
    secret_wipe(key, sizeof key);
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)mark);
    (void)sqlite3_bind_blob(statement, 3, wrapped, WRAPPED_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(statement, 4, sealed, sealed_size, SQLITE_STATIC);
    enum pbft_status status =
        vault_sqlite_status(vault, sqlite3_step(statement));
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    if (status == PBFT_OK && sqlite3_changes(vault->database) != 1) {
        status = PBFT_NOT_FOUND;
    }
    free(sealed);
    return status;
}

enum pbft_status vault_begin_own(struct vault *vault, bool *own)
{
    *own = !vault->begun;
    return *own ? vault_begin(vault) : PBFT_OK;
}

enum pbft_status vault_end_own(struct vault *vault, bool own,
                               enum pbft_status status)
{
    if (!own) {
        return status;
    }
    if (status == PBFT_OK) {
        return vault_commit(vault);
    }
    vault_rollback(vault);
    return status;
}

static enum pbft_status insert_row(struct vault *vault, enum vault_kind kind,
                                   enum vault_mark mark, struct pbft_bytes name,
                                   struct pbft_bytes value)
{
    int64_t id;
    enum pbft_status status = vault_find_row(vault, &id, kind, name);
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_INSERT);

    if (status != PBFT_NOT_FOUND) {
        return status == PBFT_OK ? PBFT_EXISTS : status;
    }
    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int(statement, 1, (int)kind);
    (void)sqlite3_bind_int(statement, 2, (int)mark);
    status = vault_sqlite_status(vault, sqlite3_step(statement));
    (void)sqlite3_reset(statement);
    if (status != PBFT_OK) {
        return status;
    }
    id = sqlite3_last_insert_rowid(vault->database);
    status = fill_row(vault, kind, mark, id, value);
    return status == PBFT_OK ? add_name(vault, id, VAULT_SQL_NAME, kind, name)
                             : status;
}

enum pbft_status vault_put(struct vault *vault, enum vault_kind kind,
                           enum vault_mark mark, struct pbft_bytes name,
                           struct pbft_bytes value)
{
    bool own;

    if (value.size > VAULT_VALUE_MAX) {
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status = vault_begin_own(vault, &own);
    if (status != PBFT_OK) {
        return status;
    }
    return vault_end_own(vault, own,
                         insert_row(vault, kind, mark, name, value));
}

/* Opens the value that the statement stands on. */
static enum pbft_status open_row(struct vault *vault, struct vault_blob *out,
                                 struct sqlite3_stmt *statement,
                                 enum vault_kind kind, int64_t id)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t aad[ROW_AAD_SIZE];
    struct pbft_bytes wrapped = {sqlite3_column_blob(statement, 0),
                                 (size_t)sqlite3_column_bytes(statement, 0)};
    struct pbft_bytes sealed = {sqlite3_column_blob(statement, 1),
                                (size_t)sqlite3_column_bytes(statement, 1)};

    if (wrapped.size != WRAPPED_SIZE || sealed.size < AEAD_OVERHEAD ||
        sealed.size > VAULT_VALUE_MAX + AEAD_OVERHEAD ||
        aead_open(key, vault->wrap_key, row_aad(aad, 'k', kind, id), wrapped) !=
            PBFT_OK) {
        return PBFT_CORRUPT;
    }
    out->size = sealed.size - AEAD_OVERHEAD;
    out->data = malloc(out->size + 1);
    if (out->data == NULL) {
        secret_wipe(key, sizeof key);
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        aead_open(out->data, key, row_aad(aad, 'v', kind, id), sealed);
    secret_wipe(key, sizeof key);
    if (status != PBFT_OK) {
        vault_blob_free(out);
        return PBFT_CORRUPT;
    }
    return PBFT_OK;
}

enum pbft_status vault_get_id(struct vault *vault, struct vault_blob *out,
                              enum vault_kind kind, int64_t id)
{
    struct sqlite3_stmt *statement = vault_statement(vault, VAULT_SQL_READ);

    *out = (struct vault_blob){NULL, 0};
    if (statement == NULL) {
        return PBFT_IO;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)kind);
    int result = sqlite3_step(statement);
    enum pbft_status status = vault_sqlite_status(vault, result);
    if (result == SQLITE_ROW) {
        status = open_row(vault, out, statement, kind, id);
    } else if (result == SQLITE_DONE) {
        status = PBFT_NOT_FOUND;
    }
    (void)sqlite3_reset(statement);
    if (status == PBFT_CORRUPT) {
        salus_reason_set(&vault->problem, "vault %s: row %lld is damaged",
                         vault->folder, (long long)id);
    }
    return status;
}

enum pbft_status vault_get(struct vault *vault, struct vault_blob *out,
                           enum vault_kind kind, struct pbft_bytes name)
{
    int64_t id = 0;
    enum pbft_status status = vault_find_row(vault, &id, kind, name);

    *out = (struct vault_blob){NULL, 0};
    if (status != PBFT_OK) {
        return status;
    }
    status = vault_get_id(vault, out, kind, id);
    /* A name without its row. */
    return status == PBFT_NOT_FOUND ? PBFT_CORRUPT : status;
}

enum pbft_status vault_replace_id(struct vault *vault, enum vault_kind kind,
                                  enum vault_mark mark, int64_t id,
                                  struct pbft_bytes value)
{
    if (value.size > VAULT_VALUE_MAX) {
        return PBFT_TOO_LARGE;
    }
    return fill_row(vault, kind, mark, id, value);
}

enum pbft_status vault_replace(struct vault *vault, enum vault_kind kind,
                               enum vault_mark mark, struct pbft_bytes name,
                               struct pbft_bytes value)
{
    int64_t id = 0;
    enum pbft_status status = vault_find_row(vault, &id, kind, name);

    if (status != PBFT_OK) {
        return status;
    }
    return vault_replace_id(vault, kind, mark, id, value);
}

enum pbft_status vault_name_row(struct vault *vault, int64_t id,
                                enum vault_kind kind, struct pbft_bytes name)
{
    int64_t other = 0;
    enum pbft_status status = vault_find_row(vault, &other, kind, name);

    if (status == PBFT_OK) {
        return other == id ? PBFT_OK : PBFT_EXISTS;
    }
    return status == PBFT_NOT_FOUND
               ? add_name(vault, id, VAULT_SQL_NAME, kind, name)
               : status;
}

enum pbft_status vault_alias(struct vault *vault, enum vault_kind kind,
                             struct pbft_bytes name, struct pbft_bytes alias)
{
    int64_t id = 0;
    enum pbft_status status = vault_find_row(vault, &id, kind, name);

    return status == PBFT_OK ? vault_name_row(vault, id, kind, alias) : status;
}

enum pbft_status vault_point(struct vault *vault, enum vault_kind kind,
                             struct pbft_bytes name, struct pbft_bytes target)
{
    int64_t id = 0;
    enum pbft_status status = vault_find_row(vault, &id, kind, target);

    if (status != PBFT_OK) {
        return status;
    }
    return add_name(vault, id, VAULT_SQL_MOVE, kind, name);
}
