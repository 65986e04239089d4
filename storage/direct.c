/* SPDX-License-Identifier: Apache-2.0 */
/* Does a file system take writes past its cache? O_DIRECT and O_TMPFILE are
 * Linux's: CMakeLists.txt asks for them in this file alone. */
#include <fcntl.h>
#include <unistd.h>

#include "storage/direct.h"

bool direct_is_possible(const char *dir)
{
    const int fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    (void)close(fd);
    return true;
}
