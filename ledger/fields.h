/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed layouts: big-endian integers and plain bytes, written to and read from
 * a bounded region. Private to ledger/.
 *
 * A writer or reader that would leave its region stops there and remembers it:
 * check once, at the end.
 */
#ifndef LEDGER_FIELDS_H
#define LEDGER_FIELDS_H

#include <string.h>

#include "consensus/types.h"

#define FIELD_U32_SIZE 4
#define FIELD_U64_SIZE 8

static inline void field_put_u32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < FIELD_U32_SIZE; i++) {
        out[i] = (uint8_t)(value >> (8 * (FIELD_U32_SIZE - 1 - i)));
    }
}

static inline void field_put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < FIELD_U64_SIZE; i++) {
        out[i] = (uint8_t)(value >> (8 * (FIELD_U64_SIZE - 1 - i)));
    }
}

struct field_writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool overflow;
};

static inline uint8_t *field_grow(struct field_writer *writer, size_t size)
{
    if (writer->overflow || size > writer->capacity - writer->size) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->data + writer->size;
    writer->size += size;
    return at;
}

static inline void field_write(struct field_writer *writer, const void *data,
                               size_t size)
{
    uint8_t *at = field_grow(writer, size);
    if (at != NULL && size > 0) {
        memcpy(at, data, size);
    }
}

static inline void field_write_u8(struct field_writer *writer, uint8_t value)
{
    field_write(writer, &value, 1);
}

static inline void field_write_u32(struct field_writer *writer, uint32_t value)
{
    uint8_t *at = field_grow(writer, FIELD_U32_SIZE);
    if (at != NULL) {
        field_put_u32(at, value);
    }
}

static inline void field_write_u64(struct field_writer *writer, uint64_t value)
{
    uint8_t *at = field_grow(writer, FIELD_U64_SIZE);
    if (at != NULL) {
        field_put_u64(at, value);
    }
}

/* A domain tag: its text, zero-padded to 16 bytes. */
#define FIELD_TAG_SIZE 16
static inline void field_write_tag(struct field_writer *writer, const char *tag)
{
    uint8_t *at = field_grow(writer, FIELD_TAG_SIZE);
    if (at != NULL) {
        size_t length = strlen(tag);
        memset(at, 0, FIELD_TAG_SIZE);
        memcpy(at, tag, length < FIELD_TAG_SIZE ? length : FIELD_TAG_SIZE);
    }
}

struct field_reader {
    const uint8_t *data;
    size_t left;
    bool overflow;
};

/* NULL beyond the end. */
static inline const uint8_t *field_take(struct field_reader *reader,
                                        size_t size)
{
    if (reader->overflow || size > reader->left) {
        reader->overflow = true;
        return NULL;
    }
    const uint8_t *at = reader->data;
    reader->data += size;
    reader->left -= size;
    return at;
}

/* Zeros beyond the end. */
static inline void field_read(struct field_reader *reader, void *out,
                              size_t size)
{
    const uint8_t *at = field_take(reader, size);
    if (at != NULL) {
        memcpy(out, at, size);
    } else {
        memset(out, 0, size);
    }
}

static inline uint8_t field_read_u8(struct field_reader *reader)
{
    uint8_t value;
    field_read(reader, &value, 1);
    return value;
}

static inline uint32_t field_read_u32(struct field_reader *reader)
{
    uint8_t bytes[FIELD_U32_SIZE];
    field_read(reader, bytes, sizeof bytes);
    uint32_t value = 0;
    for (unsigned i = 0; i < FIELD_U32_SIZE; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static inline uint64_t field_read_u64(struct field_reader *reader)
{
    uint64_t high = field_read_u32(reader);
    return high << 32 | field_read_u32(reader);
}

/* Everything was read, and nothing missing. */
static inline bool field_read_all(const struct field_reader *reader)
{
    return !reader->overflow && reader->left == 0;
}

#endif /* LEDGER_FIELDS_H */
