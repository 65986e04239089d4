/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read whole under a limit, then cut into resources. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fhir/item.h"
#include "fhir/json.h"

#define READ_STEP ((size_t)256 * 1024)

char *fhir_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* ---- entries ------------------------------------------------------------- */

struct fhir_entry *fhir_add_entry(struct fhir_file *file)
{
    if (file->count == file->capacity) {
        size_t capacity = file->capacity == 0 ? 16 : 2 * file->capacity;
        struct fhir_entry *entries =
            realloc(file->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return NULL;
        }
        file->entries = entries;
        file->capacity = capacity;
    }
    struct fhir_entry *entry = &file->entries[file->count++];
    memset(entry, 0, sizeof *entry);
    entry->rank = FHIR_RANK_OTHER;
    entry->path = "$";
    return entry;
}

enum pbft_status fhir_add_broken(struct fhir_file *file,
                                 enum fhir_finding_kind wrong, const char *path,
                                 const char *code)
{
    struct fhir_entry *entry = fhir_add_entry(file);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    entry->is_broken = true;
    entry->wrong = wrong;
    entry->path = path;
    if (code != NULL && fhir_is_code(code)) {
        (void)snprintf(entry->code, sizeof entry->code, "%s", code);
    }
    return PBFT_OK;
}

enum fhir_rank fhir_rank_of_json(const struct json_t *json)
{
    struct fhir_node root = fhir_root(json);
    struct fhir_node type = fhir_field(&root, "resourceType");
    const char *name = fhir_string(&type);

    return name != NULL ? fhir_rank_of(name) : FHIR_RANK_OTHER;
}

/* ---- NDJSON -------------------------------------------------------------- */

static enum pbft_status add_line(struct fhir_file *file, size_t offset,
                                 size_t size, size_t line)
{
    struct fhir_json_error wrong;
    struct fhir_entry *entry = fhir_add_entry(file);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    entry->offset = offset;
    entry->size = size;
    entry->line = line;
    /* Judged when it is loaded; here only the order matters. */
    struct json_t *json =
        fhir_json_parse((struct pbft_bytes){file->bytes + offset, size},
                        FHIR_DEPTH_MAX, FHIR_RESOURCE_BYTES_MAX, &wrong);
    if (json != NULL) {
        entry->rank = fhir_rank_of_json(json);
        fhir_json_free(json);
    }
    return PBFT_OK;
}

static bool is_blank(const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (at[i] != ' ' && at[i] != '\t' && at[i] != '\r') {
            return false;
        }
    }
    return true;
}

static enum pbft_status index_lines(struct fhir_file *file)
{
    enum pbft_status status = PBFT_OK;
    size_t begin = 0;

    for (size_t line = 1; begin < file->size && status == PBFT_OK; line++) {
        const uint8_t *at = file->bytes + begin;
        const uint8_t *newline = memchr(at, '\n', file->size - begin);
        size_t size =
            newline != NULL ? (size_t)(newline - at) : file->size - begin;
        if (file->count == FHIR_ITEMS_MAX) {
            return fhir_add_broken(file, FHIR_TOO_LARGE, "$", NULL);
        }
        begin += size + 1;
        /* Lines may end as they do in files of Windows. */
        size -= size > 0 && at[size - 1] == '\r' ? 1 : 0;
        if (!is_blank(at, size)) {
            status = add_line(file, (size_t)(at - file->bytes), size, line);
        }
    }
    return status;
}

/* Is the first line a value of its own? Else it is one value that was printed
 * over several lines, with something after it. */
static bool begins_with_line(const struct fhir_file *file)
{
    const uint8_t *newline = memchr(file->bytes, '\n', file->size);
    size_t size =
        newline != NULL ? (size_t)(newline - file->bytes) : file->size;
    struct fhir_json_error wrong;
    struct json_t *json =
        fhir_json_parse((struct pbft_bytes){file->bytes, size}, FHIR_DEPTH_MAX,
                        FHIR_FILE_BYTES_MAX, &wrong);

    if (json != NULL) {
        fhir_json_free(json);
    }
    return json != NULL || is_blank(file->bytes, size);
}

/* ---- whole files --------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
    size_t size = strlen(name);
    size_t tail = strlen(suffix);

    return size >= tail && strcmp(name + size - tail, suffix) == 0;
}

static enum pbft_status index_json(struct fhir_file *file,
                                   const struct json_t *json)
{
    struct fhir_node root = fhir_root(json);
    struct fhir_node type = fhir_field(&root, "resourceType");
    const char *name = fhir_string(&type);

    if (name != NULL && strcmp(name, "Bundle") == 0) {
        return fhir_index_bundle(file, &root);
    }
    struct fhir_entry *entry = fhir_add_entry(file);
    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    entry->size = file->size;
    entry->rank = fhir_rank_of_json(json);
    return PBFT_OK;
}

static enum pbft_status index_file(struct fhir_file *file)
{
    struct pbft_bytes text = {file->bytes, file->size};
    struct fhir_json_error wrong;

    if (has_suffix(file->name, ".ndjson") || has_suffix(file->name, ".jsonl")) {
        return index_lines(file);
    }
    struct json_t *json = fhir_json_parse(
        text, FHIR_DEPTH_MAX + FHIR_BUNDLE_DEPTH, FHIR_FILE_BYTES_MAX, &wrong);
    if (json == NULL) {
        return wrong.trailing && begins_with_line(file)
                   ? index_lines(file)
                   : fhir_add_broken(file, wrong.kind, "$", wrong.place);
    }
    enum pbft_status status = index_json(file, json);
    fhir_json_free(json);
    return status;
}

static enum pbft_status create_file(struct fhir_file **out, const char *name)
{
    struct fhir_file *file = calloc(1, sizeof *file);

    *out = file;
    if (file == NULL) {
        return PBFT_NO_MEMORY;
    }
    file->name = fhir_copy_text(name);
    return file->name == NULL ? PBFT_NO_MEMORY : PBFT_OK;
}

static enum pbft_status finish(struct fhir_file **out, enum pbft_status status)
{
    struct fhir_file *file = *out;

    if (status == PBFT_OK && file->count == 0) {
        status = fhir_add_broken(file, FHIR_EMPTY, "$", NULL);
    }
    if (status != PBFT_OK) {
        fhir_file_close(file);
        *out = NULL;
    }
    return status;
}

enum pbft_status fhir_file_open_bytes(struct fhir_file **out, const char *name,
                                      struct pbft_bytes bytes)
{
    enum pbft_status status = create_file(out, name);

    if (status == PBFT_OK && bytes.size > FHIR_FILE_BYTES_MAX) {
        return finish(out, fhir_add_broken(*out, FHIR_TOO_LARGE, "$", NULL));
    }
    if (status == PBFT_OK) {
        (*out)->bytes = malloc(bytes.size + 1);
        status = (*out)->bytes == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    if (status == PBFT_OK) {
        memcpy((*out)->bytes, bytes.data, bytes.size);
        (*out)->size = bytes.size;
        status = bytes.size == 0 ? PBFT_OK : index_file(*out);
    }
    return finish(out, status);
}

/* Grows the buffer and reads until the end. TOO_LARGE, IO, NO_MEMORY. */
static enum pbft_status read_all(struct fhir_file *file, int handle)
{
    size_t capacity = 0;

    for (;;) {
        if (file->size == capacity) {
            capacity += capacity < READ_STEP ? READ_STEP : capacity;
            uint8_t *bytes = realloc(file->bytes, capacity);
            if (bytes == NULL) {
                return PBFT_NO_MEMORY;
            }
            file->bytes = bytes;
        }
        ssize_t got =
            read(handle, file->bytes + file->size, capacity - file->size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? PBFT_OK : PBFT_IO;
        }
        file->size += (size_t)got;
        if (file->size > FHIR_FILE_BYTES_MAX) {
            return PBFT_TOO_LARGE;
        }
    }
}

enum pbft_status fhir_file_open(struct fhir_file **out, const char *path)
{
    enum pbft_status status = create_file(out, path);
    bool is_stdin = strcmp(path, "-") == 0;

    if (status != PBFT_OK) {
        return finish(out, status);
    }
    int handle = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (handle < 0) {
        return finish(out, fhir_add_broken(*out, FHIR_UNREADABLE, "$", NULL));
    }
    status = read_all(*out, handle);
    if (!is_stdin) {
        (void)close(handle);
    }
    if (status == PBFT_OK && (*out)->size > 0) {
        status = index_file(*out);
    } else if (status == PBFT_TOO_LARGE || status == PBFT_IO) {
        status = fhir_add_broken(
            *out, status == PBFT_IO ? FHIR_UNREADABLE : FHIR_TOO_LARGE, "$",
            NULL);
    }
    return finish(out, status);
}

void fhir_file_close(struct fhir_file *file)
{
    if (file == NULL) {
        return;
    }
    for (size_t i = 0; i < file->count; i++) {
        free(file->entries[i].full_url);
        free(file->entries[i].target);
    }
    free(file->urls);
    free(file->entries);
    free(file->bytes);
    free(file->name);
    free(file);
}

const char *fhir_file_name(const struct fhir_file *file)
{
    return file->name;
}

size_t fhir_file_count(const struct fhir_file *file)
{
    return file->count;
}

enum fhir_rank fhir_file_rank(const struct fhir_file *file, size_t index)
{
    return file->entries[index].rank;
}
