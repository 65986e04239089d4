/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of database and sealed contents. Rows and contents are encrypted as
 * they are; the key is not copied. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "vault/care.h"
#include "vault/vault_private.h"

#define BUFFER_SIZE 65536

struct backup {
    struct vault *vault;
    char part[VAULT_PATH_MAX]; /* Where it grows. */
    struct salus_reason *reason;
};

static enum pbft_status failed(const struct backup *backup, const char *path)
{
    int error = errno;

    salus_reason_set(backup->reason, "%s: %s", path, strerror(error));
    return error == ENOSPC   ? PBFT_NO_SPACE
           : error == EEXIST ? PBFT_EXISTS
           : error == ENOENT ? PBFT_NOT_FOUND
                             : PBFT_IO;
}

static enum pbft_status sync_path(const struct backup *backup, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return failed(backup, path);
    }
    enum pbft_status status = fsync(fd) == 0 ? PBFT_OK : failed(backup, path);
    (void)close(fd);
    return status;
}

/* ---- sealed contents ----------------------------------------------------- */

static enum pbft_status pump(const struct backup *backup, int from, int to,
                             const char *path)
{
    uint8_t buffer[BUFFER_SIZE];
    ssize_t got;

    while ((got = read(from, buffer, sizeof buffer)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed(backup, path);
        }
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, buffer + done, (size_t)(got - done));
            if (put < 0 && errno == EINTR) {
                continue;
            }
            if (put < 0) {
                return failed(backup, path);
            }
            done += put;
        }
    }
    return fsync(to) == 0 ? PBFT_OK : failed(backup, path);
}

static enum pbft_status copy_file(const struct backup *backup,
                                  const char *source, const char *target)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum pbft_status status = PBFT_OK;

    if (from < 0 || to < 0) {
        status = failed(backup, from < 0 ? source : target);
    } else {
        status = pump(backup, from, to, target);
    }
    if (from >= 0) {
        (void)close(from);
    }
    if (to >= 0) {
        (void)close(to);
    }
    return status;
}

static enum pbft_status copy_sealed(const struct backup *backup)
{
    char source[VAULT_PATH_MAX];
    char target[VAULT_PATH_MAX];
    char folder[VAULT_PATH_MAX];
    enum pbft_status status = PBFT_OK;

    if (!vault_join_path(source, backup->vault->folder, "sealed") ||
        !vault_join_path(folder, backup->part, "sealed")) {
        return PBFT_TOO_LARGE;
    }
    DIR *list = opendir(source);
    if (list == NULL || mkdir(folder, 0700) != 0) {
        status = failed(backup, list == NULL ? source : folder);
    }
    for (struct dirent *entry = list == NULL ? NULL : readdir(list);
         entry != NULL && status == PBFT_OK; entry = readdir(list)) {
        char name[VAULT_PATH_MAX];
        if (strlen(entry->d_name) != 2 * (size_t)VAULT_ID_SIZE) {
            continue; /* Not whole, or not ours. */
        }
        (void)snprintf(name, sizeof name, "sealed/%s", entry->d_name);
        if (!vault_join_path(source, backup->vault->folder, name) ||
            !vault_join_path(target, backup->part, name)) {
            status = PBFT_TOO_LARGE;
        } else {
            status = copy_file(backup, source, target);
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    return status == PBFT_OK ? sync_path(backup, folder) : status;
}

/* ---- the copy ------------------------------------------------------------ */

static enum pbft_status vacuum_into(struct vault *vault, const char *path)
{
    struct sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(vault->database, "VACUUM INTO ?1", -1,
                                    &statement, NULL);

    if (result == SQLITE_OK) {
        (void)sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return vault_sqlite_status(vault, result);
}

static enum pbft_status copy_database(const struct backup *backup)
{
    char target[VAULT_PATH_MAX];

    if (!vault_join_path(target, backup->part, "vault.db")) {
        return PBFT_TOO_LARGE;
    }
    mode_t mask = umask(077);
    enum pbft_status status = vacuum_into(backup->vault, target);
    (void)umask(mask);
    if (status != PBFT_OK) {
        salus_reason_set(backup->reason, "%s", backup->vault->problem.text);
        return status;
    }
    return sync_path(backup, target);
}

/* Whole and synced, it gets its name. */
static enum pbft_status publish(const struct backup *backup, const char *folder)
{
    char parent[VAULT_PATH_MAX];
    const char *slash = strrchr(folder, '/');
    enum pbft_status status = sync_path(backup, backup->part);

    if (status == PBFT_OK && rename(backup->part, folder) != 0) {
        return failed(backup, folder);
    }
    if (status != PBFT_OK) {
        return status;
    }
    (void)snprintf(parent, sizeof parent, "%.*s",
                   slash == NULL ? 1 : (int)(slash - folder) + 1,
                   slash == NULL ? "." : folder);
    return sync_path(backup, parent);
}

enum pbft_status vault_backup(struct vault *vault, const char *folder,
                              struct salus_reason *reason)
{
    struct backup backup = {.vault = vault, .reason = reason};
    struct stat info;
    int size = snprintf(backup.part, sizeof backup.part, "%s.part", folder);

    if (vault->begun || size < 0 || (size_t)size >= sizeof backup.part) {
        return PBFT_INVALID_ARGUMENT;
    }
    if (lstat(folder, &info) == 0) {
        errno = EEXIST;
        return failed(&backup, folder);
    }
    if (mkdir(backup.part, 0700) != 0) {
        if (errno == EEXIST) {
            salus_reason_set(reason,
                             "%s: left by a backup that was interrupted: "
                             "remove it",
                             backup.part);
            return PBFT_EXISTS;
        }
        return failed(&backup, backup.part);
    }
    /* Nothing changes on the way: the vault is ours alone. */
    enum pbft_status status = copy_database(&backup);
    if (status == PBFT_OK) {
        status = copy_sealed(&backup);
    }
    return status == PBFT_OK ? publish(&backup, folder) : status;
}
