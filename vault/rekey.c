/* SPDX-License-Identifier: Apache-2.0 */
/* A new vault key. Names are hashed under the first one for ever, since nobody
 * knows the names any more: that hash key moves into the database, sealed.
 *
 * The new key lies beside the old one, synced, before the database changes; it
 * takes the old one's place afterwards. vault_open() finishes what a crash has
 * left: it knows from the database which of the two is right. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/care.h"
#include "vault/vault_private.h"

/* Every row: its key out of the old wrap, into the new one. */
static enum pbft_status rewrap_rows(struct vault *vault,
                                    const uint8_t new_key[32])
{
    struct sqlite3_stmt *next = vault_statement(vault, VAULT_SQL_NEXT);
    struct sqlite3_stmt *set = vault_statement(vault, VAULT_SQL_REWRAP);
    int64_t after = 0;

    if (next == NULL || set == NULL) {
        return PBFT_IO;
    }
    for (;;) {
        uint8_t wrapped[VAULT_WRAPPED_SIZE];
        (void)sqlite3_bind_int64(next, 1, after);
        int result = sqlite3_step(next);
        if (result != SQLITE_ROW) {
            (void)sqlite3_reset(next);
            return vault_sqlite_status(vault, result);
        }
        after = sqlite3_column_int64(next, 0);
        enum pbft_status status = vault_rewrap(
            wrapped, vault->wrap_key, new_key,
            (enum vault_kind)sqlite3_column_int(next, 1), after,
            (struct pbft_bytes){sqlite3_column_blob(next, 2),
                                (size_t)sqlite3_column_bytes(next, 2)});
        (void)sqlite3_reset(next);
        if (status != PBFT_OK) {
            salus_reason_set(&vault->problem, "vault %s: row %lld is damaged",
                             vault->folder, (long long)after);
            return status;
        }
        (void)sqlite3_bind_int64(set, 1, after);
        (void)sqlite3_bind_blob(set, 2, wrapped, sizeof wrapped, SQLITE_STATIC);
        status = vault_sqlite_status(vault, sqlite3_step(set));
        (void)sqlite3_reset(set);
        if (status != PBFT_OK) {
            return status;
        }
    }
}

static enum pbft_status change_database(struct vault *vault,
                                        const uint8_t new_key[32])
{
    enum pbft_status status = vault_begin(vault);

    if (status != PBFT_OK) {
        return status;
    }
    status = rewrap_rows(vault, new_key);
    if (status == PBFT_OK) {
        status = vault_database_set_key(vault, new_key);
    }
    if (status != PBFT_OK) {
        vault_rollback(vault);
        return status;
    }
    /* No page with an old wrap may stay in the log. */
    vault->forgot = true;
    status = vault_commit(vault);
    if (status == PBFT_OK) {
        memcpy(vault->wrap_key, new_key, sizeof vault->wrap_key);
    }
    return status;
}

enum pbft_status vault_rekey(struct vault *vault, struct salus_reason *reason)
{
    uint8_t new_key[32];
    enum pbft_status status =
        vault->begun ? PBFT_INVALID_ARGUMENT
                     : vault_new_key_create(vault, new_key, reason);

    if (status == PBFT_OK) {
        status = change_database(vault, new_key);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s", vault->problem.text);
        }
    }
    secret_wipe(new_key, sizeof new_key);
    return status == PBFT_OK ? vault_new_key_settle(vault, reason) : status;
}
