/* SPDX-License-Identifier: Apache-2.0 */
/* Armored files, line by line. */
#include "proto/armor.h"

#include <stdio.h>
#include <string.h>

#include "proto/base64.h"
#include "proto/codec_limits.h"

#define LINE_BYTES (ARMOR_COLUMNS / 4 * 3)
#define MARK_SIZE 64 /* "-----BEGIN SALUS PRIVATE KEY-----" is 33. */

const char *armor_kind_name(enum armor_kind kind)
{
    switch (kind) {
    case ARMOR_GENESIS:
        return "GENESIS";
    case ARMOR_MEMBER:
        return "MEMBER";
    case ARMOR_PRIVATE_KEY:
        return "PRIVATE KEY";
    case ARMOR_RECEIPT:
        return "RECEIPT";
    case ARMOR_EVIDENCE:
        return "EVIDENCE";
    case ARMOR_ENVELOPE:
        return "ENVELOPE";
    case ARMOR_QUERY_PROOF:
        return "QUERY PROOF";
    }
    return "UNKNOWN";
}

static void put_mark(struct wire_buffer *text, const char *word,
                     enum armor_kind kind)
{
    char mark[MARK_SIZE];
    int size = snprintf(mark, sizeof mark, "-----%s SALUS %s-----\n", word,
                        armor_kind_name(kind));
    wire_buffer_put(text, mark, (size_t)size);
}

enum armor_kind armor_kind_of(struct pbft_bytes text)
{
    for (int kind = ARMOR_GENESIS; kind <= ARMOR_QUERY_PROOF; kind++) {
        char mark[MARK_SIZE];
        int size = snprintf(mark, sizeof mark, "-----BEGIN SALUS %s-----",
                            armor_kind_name((enum armor_kind)kind));
        if (text.size >= (size_t)size &&
            memcmp(text.data, mark, (size_t)size) == 0) {
            return (enum armor_kind)kind;
        }
    }
    return (enum armor_kind)0;
}

enum pbft_status armor_encode(enum armor_kind kind, struct pbft_bytes bytes,
                              struct wire_buffer *text)
{
    if (bytes.size > WIRE_FRAME_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    put_mark(text, "BEGIN", kind);
    for (size_t at = 0; at < bytes.size; at += LINE_BYTES) {
        char line[ARMOR_COLUMNS];
        size_t left = bytes.size - at;
        size_t size = left < LINE_BYTES ? left : LINE_BYTES;
        base64_encode((struct pbft_bytes){bytes.data + at, size}, line);
        wire_buffer_put(text, line, BASE64_SIZE(size));
        wire_buffer_put(text, "\n", 1);
    }
    put_mark(text, "END", kind);
    return text->status;
}

/* The text that is being read, line by line. */
struct lines {
    struct pbft_bytes left;
    uint32_t number; /* Of the line that was taken last. */
    bool is_cut;     /* That line had no end. */
};

static bool take_line(struct lines *lines, struct pbft_bytes *line)
{
    if (lines->left.size == 0) {
        return false;
    }
    const uint8_t *begin = lines->left.data;
    const uint8_t *end = memchr(begin, '\n', lines->left.size);
    lines->is_cut = end == NULL;
    size_t size = lines->is_cut ? lines->left.size : (size_t)(end - begin);
    size_t taken = lines->is_cut ? size : size + 1;
    lines->left.data += taken;
    lines->left.size -= taken;
    lines->number++;
    if (size > 0 && begin[size - 1] == '\r') {
        size--;
    }
    *line = (struct pbft_bytes){begin, size};
    return true;
}

static bool is_mark(struct pbft_bytes line, const char *word, const char *name)
{
    char mark[MARK_SIZE];
    int size = snprintf(mark, sizeof mark, "-----%s SALUS %s-----", word, name);
    return line.size == (size_t)size &&
           memcmp(line.data, mark, (size_t)size) == 0;
}

/* Names the kind of a file that is armored, but of another kind. */
static const char *other_kind(struct pbft_bytes line)
{
    for (int kind = ARMOR_GENESIS; kind <= ARMOR_KIND_LAST; kind++) {
        const char *name = armor_kind_name((enum armor_kind)kind);
        if (is_mark(line, "BEGIN", name)) {
            return name;
        }
    }
    return NULL;
}

static enum pbft_status refuse(struct salus_reason *reason, uint32_t line,
                               const char *what)
{
    salus_reason_set(reason, "line %u: %s", (unsigned)line, what);
    return PBFT_MALFORMED;
}

static enum pbft_status read_begin(struct lines *lines, enum armor_kind kind,
                                   struct salus_reason *reason)
{
    const char *name = armor_kind_name(kind);
    struct pbft_bytes line;
    if (!take_line(lines, &line)) {
        salus_reason_set(reason, "the file is empty");
        return PBFT_MALFORMED;
    }
    if (is_mark(line, "BEGIN", name)) {
        return PBFT_OK;
    }
    const char *other = other_kind(line);
    if (other != NULL) {
        salus_reason_set(reason, "line 1: a SALUS %s file, not a SALUS %s one",
                         other, name);
    } else {
        salus_reason_set(reason, "line 1: not -----BEGIN SALUS %s-----", name);
    }
    return PBFT_MALFORMED;
}

static enum pbft_status read_data(struct wire_buffer *bytes,
                                  struct pbft_bytes line, uint32_t number,
                                  struct salus_reason *reason)
{
    uint8_t data[LINE_BYTES];
    if (line.size == 0 || line.size > ARMOR_COLUMNS) {
        return refuse(reason, number, "not a line of 1 to 64 characters");
    }
    ptrdiff_t size = base64_decode(line, data);
    if (size < 0) {
        return refuse(reason, number, "not base64");
    }
    wire_buffer_put(bytes, data, (size_t)size);
    memset(data, 0, sizeof data);
    if (bytes->status != PBFT_OK) {
        salus_reason_set(reason, "line %u: %s", (unsigned)number,
                         pbft_status_text(bytes->status));
    }
    return bytes->status;
}

static enum pbft_status read_body(struct lines *lines, enum armor_kind kind,
                                  struct wire_buffer *bytes,
                                  struct salus_reason *reason)
{
    struct pbft_bytes line;
    bool was_short = false;
    while (take_line(lines, &line)) {
        if (is_mark(line, "END", armor_kind_name(kind))) {
            return lines->left.size == 0 ? PBFT_OK
                                         : refuse(reason, lines->number + 1,
                                                  "text behind the END line");
        }
        if (lines->is_cut) {
            break;
        }
        if (was_short) {
            return refuse(reason, lines->number - 1,
                          "shorter than 64 characters, but not the last");
        }
        was_short =
            line.size < ARMOR_COLUMNS || line.data[line.size - 1] == '=';
        enum pbft_status status = read_data(bytes, line, lines->number, reason);
        if (status != PBFT_OK) {
            return status;
        }
    }
    salus_reason_set(reason, "cut off after line %u: no END line",
                     (unsigned)lines->number);
    return PBFT_MALFORMED;
}

enum pbft_status armor_decode(enum armor_kind kind, struct pbft_bytes text,
                              struct wire_buffer *bytes,
                              struct salus_reason *reason)
{
    struct lines lines = {.left = text};
    size_t before = bytes->size;
    if (text.size > ARMOR_TEXT_BYTES_MAX) {
        salus_reason_set(reason, "larger than %u bytes", ARMOR_TEXT_BYTES_MAX);
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status = read_begin(&lines, kind, reason);
    if (status == PBFT_OK) {
        status = read_body(&lines, kind, bytes, reason);
    }
    if (status != PBFT_OK && bytes->size > before) {
        memset(bytes->data + before, 0, bytes->size - before);
        bytes->size = before;
    }
    return status;
}
