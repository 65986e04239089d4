/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders of a test. */
#include "tests/support/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void support_folder_create(char path[SUPPORT_PATH_MAX])
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(path, SUPPORT_PATH_MAX, "%s/salus-test-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
}

static void remove_entries(const char *path, int levels)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        char inner[2 * SUPPORT_PATH_MAX];
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (unlink(inner) != 0 && levels > 0) {
            remove_entries(inner, levels - 1);
            (void)rmdir(inner);
        }
    }
    (void)closedir(folder);
}

void support_folder_remove(const char *path)
{
    remove_entries(path, 2);
    (void)rmdir(path);
}

static void copy_file(const char *to, const char *from)
{
    char bytes[16384];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    if (in == NULL || out == NULL) {
        perror(from);
        abort();
    }
    size_t size = fread(bytes, 1, sizeof bytes, in);
    while (size > 0) {
        if (fwrite(bytes, 1, size, out) != size) {
            perror(to);
            abort();
        }
        size = fread(bytes, 1, sizeof bytes, in);
    }
    (void)fclose(in);
    (void)fclose(out);
}

void support_folder_copy(const char *to, const char *from)
{
    DIR *folder = opendir(from);
    if (folder == NULL) {
        perror(from);
        abort();
    }
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        char source[2 * SUPPORT_PATH_MAX];
        char target[2 * SUPPORT_PATH_MAX];
        struct stat found;
        (void)snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        (void)snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        if (stat(source, &found) == 0 && S_ISREG(found.st_mode)) {
            copy_file(target, source);
        }
    }
    (void)closedir(folder);
}

int support_folder_newest(char path[SUPPORT_PATH_MAX], const char *folder,
                          const char *suffix)
{
    char newest[256] = "";
    size_t tail = strlen(suffix);
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(open_folder); entry != NULL;
         entry = readdir(open_folder)) {
        size_t size = strlen(entry->d_name);
        if (size >= tail && size < sizeof newest &&
            strcmp(entry->d_name + size - tail, suffix) == 0 &&
            strcmp(entry->d_name, newest) > 0) {
            (void)snprintf(newest, sizeof newest, "%s", entry->d_name);
        }
    }
    (void)closedir(open_folder);
    int written = snprintf(path, SUPPORT_PATH_MAX, "%s/%s", folder, newest);
    return newest[0] != '\0' && written > 0 && written < SUPPORT_PATH_MAX;
}
