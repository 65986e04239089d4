/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into salusd: as long as the file that FAILING_SYNC names is there,
 * nothing can be made durable. What was written may be on the disk or not, as
 * after a real failure. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fails(void)
{
    const char *path = getenv("FAILING_SYNC");

    if (path == NULL || access(path, F_OK) != 0) {
        return false;
    }
    errno = EIO;
    return true;
}

int fdatasync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}
