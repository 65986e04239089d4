/* SPDX-License-Identifier: Apache-2.0 */
/* Session numbers: each time a client key is opened it takes the next one, so
 * that no two processes ever share a session. The number is durable before it
 * is used. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client/client.h"

#define SESSION_TEXT_MAX 32

/* An empty file counts as 0: it was created and never written. */
static enum pbft_status read_number(int fd, uint64_t *out)
{
    char text[SESSION_TEXT_MAX] = {0};
    char *end = NULL;
    ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

    if (size < 0) {
        return PBFT_IO;
    }
    if (size == 0) {
        *out = 0;
        return PBFT_OK;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\n' && end + 1 == text + size
               ? PBFT_OK
               : PBFT_CORRUPT;
}

static enum pbft_status write_number(int fd, uint64_t number)
{
    char text[SESSION_TEXT_MAX];
    int size = snprintf(text, sizeof(text), "%020" PRIu64 "\n", number);

    return pwrite(fd, text, (size_t)size, 0) == size && fdatasync(fd) == 0
               ? PBFT_OK
               : PBFT_IO;
}

enum pbft_status client_session_begin(const char *path, uint64_t *session,
                                      struct salus_reason *reason)
{
    uint64_t last = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        salus_reason_set(reason, "session file %s: %s", path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return PBFT_IO;
    }
    enum pbft_status status = read_number(fd, &last);
    if (status == PBFT_CORRUPT) {
        salus_reason_set(reason,
                         "session file %s does not hold one number; restore "
                         "it, or put a number into it that is larger than any "
                         "used before",
                         path);
    } else if (status == PBFT_OK) {
        status = write_number(fd, last + 1);
    }
    if (status == PBFT_IO) {
        salus_reason_set(reason, "session file %s: %s", path, strerror(errno));
    }
    (void)close(fd); /* Gives up the lock too. */
    *session = last + 1;
    return status;
}
