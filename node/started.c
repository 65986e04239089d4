/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of a replica that has had a data folder. */
#include "node/started.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/limits.h"

#define SUFFIX ".started"
#define FILE_MODE 0600

static const char text[] =
    "This replica has had a data folder. An empty one is taken for a loss: "
    "the\n"
    "replica recovers from the others. docs/operations.md, \"Recovery\".\n";

bool started_path(const char *key, char *out, size_t capacity)
{
    int size = snprintf(out, capacity, "%s" SUFFIX, key);
    return size > 0 && (size_t)size < capacity;
}

bool started_is_marked(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0;
}

/* The entry of the folder must survive a power cut too. */
static bool sync_folder_of(const char *path)
{
    char folder[NODE_PATH_MAX];
    int size = snprintf(folder, sizeof folder, "%s", path);
    if (size < 0 || (size_t)size >= sizeof folder) {
        return false;
    }
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int file = open(slash != NULL ? folder : ".", O_RDONLY | O_CLOEXEC);
    bool is_synced = file >= 0 && fsync(file) == 0;
    if (file >= 0) {
        (void)close(file);
    }
    return is_synced;
}

bool started_mark(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        return false;
    }
    bool is_written =
        write(file, text, sizeof text - 1) == (ssize_t)(sizeof text - 1) &&
        fsync(file) == 0;
    return close(file) == 0 && is_written && sync_folder_of(path);
}
