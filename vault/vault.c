/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a vault: its folder, key and database, and transactions. */
#include "vault/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "vault/vault_private.h"

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

/* ---- life ---------------------------------------------------------------- */

bool vault_join_path(char out[VAULT_PATH_MAX], const char *folder,
                     const char *name)
{
    int size = snprintf(out, VAULT_PATH_MAX, "%s/%s", folder, name);

    return size > 0 && size < VAULT_PATH_MAX;
}

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

    if (!vault_join_path(path, folder, "sealed")) {
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
    enum pbft_status status = vault_database_create(vault);

    (void)umask(mask);
    return status;
}

enum pbft_status vault_create(const char *folder, struct salus_reason *reason)
{
    struct vault *vault = NULL;
    enum pbft_status status = allocate(&vault, folder);

    if (status == PBFT_OK) {
        status = make_folders(folder, reason);
    }
    if (status == PBFT_OK) {
        status = vault_key_create(folder, reason);
    }
    if (status == PBFT_OK) {
        status = vault_key_read(vault, VAULT_KEY_NAME, reason);
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

    (void)vault_join_path(path, vault->folder, "vault.db");
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

/* Takes the lock that is then kept. */
enum pbft_status vault_open_locked(struct vault *vault)
{
    enum pbft_status status = vault_database_open(vault);

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
        status = vault_key_read(vault, VAULT_KEY_NAME, reason);
    }
    if (status == PBFT_OK) {
        status = vault_open_locked(vault);
        status = vault_new_key_recover(vault, status, reason);
        status = status == PBFT_OK ? vault_migrate(vault) : status;
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
    vault_database_close(vault);
    secret_wipe(vault, sizeof *vault);
    free(vault);
}
