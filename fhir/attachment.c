/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an attachment: inline, or a file below a folder that was named.
 * Nothing is ever fetched over a network. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fhir/document.h"
#include "fhir/encoding.h"

#define ATTACHMENT_PATH_MAX 4096

/* Inside of the folder, whatever it says: no absolute path, no "..", no scheme.
 */
static bool is_relative(const char *url)
{
    if (url[0] == 0 || url[0] == '/') {
        return false;
    }
    for (const char *at = url; *at != 0; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("-_./", *at) != NULL;
        bool segment = at == url || at[-1] == '/';
        if (!plain || (segment && *at == '.') || (segment && *at == '/')) {
            return false;
        }
    }
    return true;
}

static bool read_all(int file, uint8_t *out, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = read(file, out + used, size - used);
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
    }
    return true;
}

static bool fail(const struct fhir_reader *reader, enum fhir_finding_kind kind,
                 const struct fhir_node *node)
{
    fhir_find(reader->report, kind, node, NULL);
    return false;
}

/* The whole of an open file. */
static bool read_open(const struct fhir_reader *reader,
                      struct fhir_document *out, const struct fhir_node *node,
                      int file)
{
    struct stat info;

    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        return fail(reader, FHIR_NO_CONTENT, node);
    }
    if ((uint64_t)info.st_size > FHIR_ATTACHMENT_BYTES_MAX) {
        return fail(reader, FHIR_TOO_LARGE, node);
    }
    out->content_size = (size_t)info.st_size;
    out->content = malloc(out->content_size + 1);
    if (out->content == NULL) {
        return fail(reader, FHIR_NO_MEMORY, node);
    }
    return read_all(file, out->content, out->content_size) ||
           fail(reader, FHIR_UNREADABLE, node);
}

static bool load_file(const struct fhir_reader *reader,
                      struct fhir_document *out,
                      const struct fhir_node *attachment, const char *folder)
{
    char path[ATTACHMENT_PATH_MAX];
    const char *url = fhir_take_string(reader, attachment, "url");
    struct fhir_node node = fhir_field(attachment, "url");
    int size = -1;

    if (url != NULL && folder != NULL && is_relative(url)) {
        size = snprintf(path, sizeof path, "%s/%s", folder, url);
    }
    if (size < 0 || (size_t)size >= sizeof path) {
        return fail(reader, FHIR_NO_CONTENT, url != NULL ? &node : attachment);
    }
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return fail(reader, FHIR_NO_CONTENT, &node);
    }
    bool is_read = read_open(reader, out, &node, file);
    (void)close(file);
    return is_read;
}

static bool load_inline(const struct fhir_reader *reader,
                        struct fhir_document *out,
                        const struct fhir_node *attachment, const char *data)
{
    struct fhir_node node = fhir_field(attachment, "data");

    out->content = malloc(strlen(data) / 4 * 3 + 3);
    if (out->content == NULL) {
        return fail(reader, FHIR_NO_MEMORY, &node);
    }
    if (fhir_base64_decode(out->content, &out->content_size, data) != PBFT_OK) {
        return fail(reader, FHIR_BAD_BASE64, &node);
    }
    return true;
}

static void check_size(const struct fhir_reader *reader,
                       const struct fhir_document *document,
                       const struct fhir_node *attachment)
{
    struct fhir_node size = fhir_field(attachment, "size");
    uint64_t said = 0;

    if (size.json == NULL) {
        return;
    }
    if (!fhir_unsigned(&size, &said)) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &size, NULL);
    } else if (said != document->content_size) {
        fhir_find(reader->report, FHIR_CONTENT_SIZE, &size, NULL);
    }
}

static void check_hash(const struct fhir_reader *reader,
                       const struct fhir_document *document,
                       const struct fhir_node *attachment)
{
    uint8_t said[64];
    uint8_t hash[FHIR_SHA1_SIZE];
    size_t size = 0;
    const char *text = fhir_take_string(reader, attachment, "hash");
    struct fhir_node node = fhir_field(attachment, "hash");

    if (text == NULL) {
        return;
    }
    fhir_sha1(hash,
              (struct pbft_bytes){document->content, document->content_size});
    if (strlen(text) > 64 || fhir_base64_decode(said, &size, text) != PBFT_OK ||
        size != sizeof hash || memcmp(said, hash, sizeof hash) != 0) {
        fhir_find(reader->report, FHIR_CONTENT_HASH, &node, NULL);
    }
}

void fhir_attachment_read(const struct fhir_reader *reader,
                          struct fhir_document *out,
                          const struct fhir_node *attachment,
                          const char *folder)
{
    static const char *const known[] = {
        "id",   "extension", "contentType", "language", "data", "url",
        "size", "hash",      "title",       "creation", NULL};
    const char *data = fhir_take_string(reader, attachment, "data");

    fhir_only(reader->report, attachment, known);
    bool is_loaded = data != NULL ? load_inline(reader, out, attachment, data)
                                  : load_file(reader, out, attachment, folder);
    if (is_loaded) {
        check_size(reader, out, attachment);
        check_hash(reader, out, attachment);
    }
}
