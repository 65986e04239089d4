/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder as the file system sees it: made, closed to others, filled.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "storage/storage_private.h"

#define FOLDER_MODE 0700
#define OTHERS 0077
#define KIB 1024u

enum pbft_status storage_status_of_errno(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return PBFT_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return PBFT_NO_SPACE;
    default:
        return PBFT_IO;
    }
}

static enum pbft_status refuse_folder(const char *dir, const char *what,
                                      struct salus_reason *reason)
{
    int error = errno;
    salus_reason_set(reason, "cannot %s %s: %s", what, dir, strerror(error));
    return error == ENOENT || error == ENOTDIR ? PBFT_INVALID_ARGUMENT
                                               : storage_status_of_errno(error);
}

static bool is_empty(const char *dir)
{
    DIR *folder = opendir(dir);
    bool found = false;
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL;
         entry != NULL && !found; entry = readdir(folder)) {
        found =
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return folder != NULL && !found;
}

/* RocksDB makes files that all may read, in a folder that nobody else may
 * enter. An empty one is closed; of another one nobody knows whose it is. */
static enum pbft_status close_to_others(const char *dir, mode_t mode,
                                        struct salus_reason *reason)
{
    if ((mode & OTHERS) == 0) {
        return PBFT_OK;
    }
    if (!is_empty(dir)) {
        salus_reason_set(reason,
                         "%s: mode %04o lets others enter: chmod 700 %s", dir,
                         (unsigned)mode & 07777, dir);
        return PBFT_PERMISSION;
    }
    return chmod(dir, FOLDER_MODE) == 0 ? PBFT_OK
                                        : refuse_folder(dir, "close", reason);
}

enum pbft_status storage_folder_prepare(const char *dir,
                                        struct salus_reason *reason)
{
    struct stat found;
    if (stat(dir, &found) == 0) {
        if (!S_ISDIR(found.st_mode)) {
            salus_reason_set(reason, "%s is not a folder", dir);
            return PBFT_INVALID_ARGUMENT;
        }
        return close_to_others(dir, found.st_mode, reason);
    }
    if (errno == ENOENT && mkdir(dir, FOLDER_MODE) == 0) {
        return PBFT_OK;
    }
    return refuse_folder(dir, "create", reason);
}

uint64_t storage_folder_free_bytes(const char *dir)
{
    struct statvfs space;
    return statvfs(dir, &space) == 0 ? (uint64_t)space.f_bavail * space.f_frsize
                                     : 0;
}

enum pbft_status
storage_folder_check_space(const char *dir,
                           const struct storage_options *options,
                           struct salus_reason *reason)
{
    uint64_t wanted = options->open_free_bytes_min != 0
                          ? options->open_free_bytes_min
                          : STORAGE_OPEN_FREE_BYTES_MIN;
    uint64_t left = storage_folder_free_bytes(dir);
    if (left < wanted) {
        salus_reason_set(reason,
                         "%s: no space left: %" PRIu64 " KiB are free, %" PRIu64
                         " KiB are needed",
                         dir, left / KIB, wanted / KIB);
        return PBFT_NO_SPACE;
    }
    return PBFT_OK;
}

/* The folder is flat. */
uint64_t storage_folder_bytes(const char *dir)
{
    DIR *folder = opendir(dir);
    if (folder == NULL) {
        return 0;
    }
    uint64_t bytes = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        struct stat found;
        if (fstatat(dirfd(folder), entry->d_name, &found,
                    AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(found.st_mode)) {
            bytes += (uint64_t)found.st_size;
        }
    }
    (void)closedir(folder);
    return bytes;
}
