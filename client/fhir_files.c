/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as lists of files. */
#include "client/fhir_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define HEAD_SIZE 512

static enum pbft_status push(struct fhir_files *files, const char *path)
{
    if (files->count == FHIR_FILES_MAX) {
        return PBFT_LIMIT;
    }
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 64 : 2 * files->capacity;
        char **paths = realloc(files->paths, capacity * sizeof *paths);
        if (paths == NULL) {
            return PBFT_NO_MEMORY;
        }
        files->paths = paths;
        files->capacity = capacity;
    }
    char *copy = malloc(strlen(path) + 1);
    if (copy == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(copy, path, strlen(path) + 1);
    files->paths[files->count++] = copy;
    return PBFT_OK;
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_named_json(const char *path)
{
    static const char *const ends[] = {".json", ".ndjson", ".jsonl"};
    size_t size = strlen(path);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t tail = strlen(ends[i]);
        if (size > tail && strcasecmp(path + size - tail, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* By its name, or because it begins like a resource. One that cannot be read is
 * not skipped: it is told when it is opened. */
static bool may_be_fhir(const char *path)
{
    static const char mark[] = "\xef\xbb\xbf";
    char head[HEAD_SIZE + 1] = "";
    FILE *file = is_named_json(path) ? NULL : fopen(path, "rb");

    if (file == NULL) {
        return true;
    }
    size_t size = fread(head, 1, HEAD_SIZE, file);
    (void)fclose(file);
    head[size] = 0;
    const char *from = head;
    if (strncmp(from, mark, sizeof mark - 1) == 0) {
        from += sizeof mark - 1;
    }
    return from[strspn(from, " \t\r\n")] == '{';
}

static bool is_regular(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Everything directly in the folder. */
static enum pbft_status list_folder(struct fhir_files *out, const char *folder)
{
    char path[PATH_SIZE];
    DIR *handle = opendir(folder);
    enum pbft_status status = PBFT_OK;

    if (handle == NULL) {
        return PBFT_IO;
    }
    for (struct dirent *entry = readdir(handle);
         entry != NULL && status == PBFT_OK; entry = readdir(handle)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        int size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = size > 0 && (size_t)size < sizeof path ? push(out, path)
                                                        : PBFT_TOO_LARGE;
    }
    (void)closedir(handle);
    return status;
}

/* Replaces folders by what is in them, level by level. */
static enum pbft_status expand(struct fhir_files *files)
{
    struct fhir_files next = {NULL, 0, 0};
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; i < files->count && status == PBFT_OK; i++) {
        status = is_folder(files->paths[i])
                     ? list_folder(&next, files->paths[i])
                     : push(&next, files->paths[i]);
    }
    fhir_files_free(files);
    *files = next;
    return status;
}

static bool has_folder(const struct fhir_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (is_folder(files->paths[i])) {
            return true;
        }
    }
    return false;
}

/* A name that was mistyped must not look like a resource that was refused. */
static bool is_there(const char *path, struct salus_reason *reason)
{
    if (strcmp(path, "-") == 0 || access(path, R_OK) == 0) {
        return true;
    }
    salus_reason_set(reason, "%s: %s", path,
                     errno == ENOENT || errno == ENOTDIR
                         ? "no such file or folder"
                         : "cannot be read");
    return false;
}

enum pbft_status fhir_files_add(struct fhir_files *files, const char *path,
                                fhir_files_skipped *skipped,
                                struct salus_reason *reason)
{
    struct fhir_files found = {NULL, 0, 0};

    if (!is_there(path, reason)) {
        return PBFT_NOT_FOUND;
    }
    bool in_folder = is_folder(path);
    enum pbft_status status = push(&found, path);

    for (size_t depth = 0; status == PBFT_OK && has_folder(&found); depth++) {
        status = depth < FHIR_FOLDER_DEPTH_MAX ? expand(&found) : PBFT_LIMIT;
    }
    if (status == PBFT_OK && found.count > 1) {
        qsort(found.paths, found.count, sizeof *found.paths, compare_paths);
    }
    for (size_t i = 0; i < found.count && status == PBFT_OK; i++) {
        if (!in_folder ||
            (is_regular(found.paths[i]) && may_be_fhir(found.paths[i]))) {
            status = push(files, found.paths[i]);
        } else if (skipped != NULL) {
            skipped(found.paths[i]);
        }
    }
    fhir_files_free(&found);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s: %s", path, pbft_status_text(status));
    }
    return status;
}

void fhir_files_free(struct fhir_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
    *files = (struct fhir_files){NULL, 0, 0};
}
