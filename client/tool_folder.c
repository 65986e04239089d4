/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, folders and armored files of the tool. */
#include "client/tool_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/file.h"
#include "proto/codec_limits.h"

enum pbft_status tool_path(char out[CONSORTIUM_PATH_MAX], const char *folder,
                           const char *name, struct salus_reason *reason)
{
    int size = snprintf(out, CONSORTIUM_PATH_MAX, "%s/%s", folder, name);
    if (size < 0 || size >= CONSORTIUM_PATH_MAX) {
        salus_reason_set(reason, "%.128s...: path is too long", folder);
        return PBFT_TOO_LARGE;
    }
    return PBFT_OK;
}

static enum pbft_status check_empty(const char *folder,
                                    struct salus_reason *reason)
{
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        salus_reason_set(reason, "%s: %s", folder, strerror(errno));
        return errno == ENOTDIR ? PBFT_EXISTS : PBFT_IO;
    }
    enum pbft_status status = PBFT_OK;
    const struct dirent *entry = readdir(stream);
    for (; entry != NULL && status == PBFT_OK; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            salus_reason_set(reason, "%s: is not empty; nothing was changed",
                             folder);
            status = PBFT_EXISTS;
        }
    }
    (void)closedir(stream); /* Only read from. */
    return status;
}

enum pbft_status tool_folder_claim(const char *folder, unsigned mode,
                                   struct salus_reason *reason)
{
    if (mkdir(folder, (mode_t)mode) == 0) {
        return PBFT_OK;
    }
    if (errno == EEXIST) {
        return check_empty(folder, reason);
    }
    salus_reason_set(reason, "%s: %s", folder, strerror(errno));
    return errno == ENOENT ? PBFT_NOT_FOUND : PBFT_IO;
}

enum pbft_status tool_armor_create(const char *path, enum armor_kind kind,
                                   struct pbft_bytes bytes,
                                   struct salus_reason *reason)
{
    struct wire_buffer text;
    wire_buffer_init(&text, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = armor_encode(kind, bytes, &text);
    if (status == PBFT_OK) {
        status =
            file_create(path, FILE_PUBLIC, wire_buffer_bytes(&text), reason);
    } else {
        salus_reason_set(reason, "%s: %s", path, pbft_status_text(status));
    }
    wire_buffer_deinit(&text);
    return status;
}

static enum pbft_status read_stream(struct wire_buffer *text, int fd,
                                    const char *path,
                                    struct salus_reason *reason)
{
    uint8_t block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            salus_reason_set(reason, "%s: %s", path, strerror(errno));
            return PBFT_IO;
        }
        if (got == 0) {
            return PBFT_OK;
        }
        wire_buffer_put(text, block, (size_t)got);
        if (text->status != PBFT_OK) {
            salus_reason_set(reason, "%s: larger than %zu bytes", path,
                             text->bytes_max);
            return text->status;
        }
    }
}

enum pbft_status tool_text_load(struct wire_buffer *text, const char *path,
                                size_t bytes_max, struct salus_reason *reason)
{
    wire_buffer_init(text, bytes_max);
    if (strcmp(path, "-") == 0) {
        return read_stream(text, STDIN_FILENO, "standard input", reason);
    }
    uint8_t *bytes = malloc(bytes_max);
    size_t size = 0;
    if (bytes == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        file_read(bytes, bytes_max, &size, path, FILE_PUBLIC, reason);
    if (status == PBFT_OK) {
        wire_buffer_put(text, bytes, size);
        status = text->status;
    }
    free(bytes);
    return status;
}

enum pbft_status tool_armor_load(struct wire_buffer *bytes, const char *path,
                                 enum armor_kind kind, size_t bytes_max,
                                 struct salus_reason *reason)
{
    struct wire_buffer text;
    struct salus_reason why = {""};

    wire_buffer_init(bytes, bytes_max);
    /* Base64 takes a third more, lines and frame a little. */
    enum pbft_status status =
        tool_text_load(&text, path, bytes_max + bytes_max / 2 + 256, reason);
    if (status == PBFT_OK) {
        status = armor_decode(kind, wire_buffer_bytes(&text), bytes, &why);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s: %s", path, why.text);
        }
    }
    wire_buffer_deinit(&text);
    return status;
}
