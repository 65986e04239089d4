/* SPDX-License-Identifier: Apache-2.0 */
/* Session numbers: each time a client key is opened it takes a new one, so that
 * no two processes share a session. It is the clock's, or the next after the
 * last if the clock is not ahead of that: a file that was lost, or came back
 * from a backup, begins above all sessions there were, whose floor the ledger
 * keeps. The number is durable before it is used. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"

#define SESSION_TEXT_MAX 32
#define US_PER_S UINT64_C(1000000)
#define NS_PER_US 1000
/* In the year 2255: a clock beyond it is wrong. */
#define CLOCK_S_MAX INT64_C(9000000000)

/* Microseconds since 1970, so that two files of one key, on two machines,
 * hardly give the same, and below 2^53, so that every reader of JSON can tell
 * them; 0 if the clock says nonsense. */
static uint64_t clock_us(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0 ||
        now.tv_sec > CLOCK_S_MAX) {
        return 0;
    }
    return (uint64_t)now.tv_sec * US_PER_S +
           (uint64_t)(now.tv_nsec / NS_PER_US);
}

/* An empty file counts as 0: it was created and never written. After the last
 * number of all there is none. */
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
    return errno == 0 && end != text && *end == '\n' &&
                   end + 1 == text + size && *out < UINT64_MAX
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
                         "session file %s does not hold one number; remove it "
                         "if the clock of this machine is right",
                         path);
    } else if (status == PBFT_OK) {
        uint64_t now = clock_us();
        last = now > last ? now - 1 : last;
        status = write_number(fd, last + 1);
    }
    if (status == PBFT_IO) {
        salus_reason_set(reason, "session file %s: %s", path, strerror(errno));
    }
    (void)close(fd); /* Gives up the lock too. */
    *session = last + 1;
    return status;
}
