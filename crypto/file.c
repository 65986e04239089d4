/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: O_EXCL, fsync of file and folder, checks on the open file and
 * not on its name, so that nothing changes in between. */
#include "crypto/file.h"

#include "crypto/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pbft_status fail_errno(struct salus_reason *reason,
                                   const char *path, int code)
{
    enum pbft_status status = PBFT_IO;
    if (code == ENOENT || code == ENOTDIR) {
        status = PBFT_NOT_FOUND;
    } else if (code == EACCES || code == EPERM || code == EROFS) {
        status = PBFT_PERMISSION;
    } else if (code == EEXIST) {
        status = PBFT_EXISTS;
    } else if (code == ENOSPC || code == EDQUOT) {
        status = PBFT_NO_SPACE;
    }
    return crypto_fail(reason, status, "%s: %s", path, strerror(code));
}

static int write_all(int fd, struct pbft_bytes content)
{
    size_t done = 0;
    while (done < content.size) {
        ssize_t written = write(fd, content.data + done, content.size - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return errno;
        }
        done += (size_t)written;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        return ENAMETOOLONG;
    }
    memcpy(copy, path, strlen(path) + 1);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int code = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd); /* Nothing was written through it. */
    return code;
}

enum pbft_status file_create(const char *path, enum file_access access,
                             struct pbft_bytes content,
                             struct salus_reason *reason)
{
    mode_t mode = access == FILE_SECRET ? 0600 : 0644;
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return fail_errno(reason, path, errno);
    }
    int code = 0;
    if (access == FILE_SECRET && fchmod(fd, mode) != 0) {
        code = errno;
    }
    if (code == 0) {
        code = write_all(fd, content);
    }
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    if (code == 0) {
        code = sync_folder_of(path);
    }
    if (code != 0) {
        (void)unlink(path); /* Best effort: the first error is reported. */
        return fail_errno(reason, path, code);
    }
    return PBFT_OK;
}

static enum pbft_status check_access(int fd, const char *path,
                                     enum file_access access,
                                     struct salus_reason *reason)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return fail_errno(reason, path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return crypto_fail(reason, PBFT_INVALID_ARGUMENT,
                           "%s: not a regular file", path);
    }
    if (access == FILE_PUBLIC) {
        return PBFT_OK;
    }
    if (info.st_uid != geteuid() && info.st_uid != 0) {
        return crypto_fail(reason, PBFT_PERMISSION,
                           "%s: belongs to user %lu: only its owner or root "
                           "may own a secret",
                           path, (unsigned long)info.st_uid);
    }
    if ((info.st_mode & 077) != 0) {
        return crypto_fail(reason, PBFT_PERMISSION,
                           "%s: mode %04o lets others read the secret: "
                           "chmod 600 %s",
                           path, (unsigned)(info.st_mode & 07777), path);
    }
    return PBFT_OK;
}

static enum pbft_status read_all(int fd, uint8_t *out, size_t capacity,
                                 size_t *size, const char *path,
                                 struct salus_reason *reason)
{
    size_t done = 0;
    for (;;) {
        uint8_t beyond = 0;
        uint8_t *target = done < capacity ? out + done : &beyond;
        size_t room = done < capacity ? capacity - done : 1;
        ssize_t got = read(fd, target, room);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno(reason, path, errno);
        }
        if (got == 0) {
            *size = done;
            return PBFT_OK;
        }
        if (done == capacity) {
            return crypto_fail(reason, PBFT_TOO_LARGE,
                               "%s: larger than %zu bytes", path, capacity);
        }
        done += (size_t)got;
    }
}

enum pbft_status file_read(uint8_t *out, size_t capacity, size_t *size,
                           const char *path, enum file_access access,
                           struct salus_reason *reason)
{
    /* Non-blocking, so that a pipe in place of a file cannot hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return fail_errno(reason, path, errno);
    }
    enum pbft_status status = check_access(fd, path, access, reason);
    if (status == PBFT_OK) {
        status = read_all(fd, out, capacity, size, path, reason);
    }
    (void)close(fd); /* Only read from. */
    return status;
}
