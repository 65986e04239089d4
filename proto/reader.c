/* SPDX-License-Identifier: Apache-2.0 */
/* Reads canonical protobuf fields in ascending order. */
#include "proto/reader.h"

#include <string.h>

#include "proto/varint.h"

struct wire_reader wire_reader_of(struct pbft_bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.size > 0 ? bytes.data : nothing;
    return (struct wire_reader){.at = data, .end = data + bytes.size};
}

void wire_reader_fail(struct wire_reader *reader, enum pbft_status status)
{
    if (reader->status == PBFT_OK) {
        reader->status = status;
    }
    reader->at = reader->end;
}

enum pbft_status wire_reader_end(const struct wire_reader *reader)
{
    if (reader->status != PBFT_OK) {
        return reader->status;
    }
    return reader->at == reader->end ? PBFT_OK : PBFT_MALFORMED;
}

uint32_t wire_next_field(const struct wire_reader *reader)
{
    const uint8_t *at = reader->at;
    uint64_t tag;
    if (at == reader->end ||
        wire_varint_read(&at, reader->end, &tag) != PBFT_OK ||
        tag >> 3 > UINT32_MAX) {
        return 0;
    }
    return (uint32_t)(tag >> 3);
}

/* Takes the tag of `field` if it is next. */
static bool take_tag(struct wire_reader *reader, uint32_t field,
                     enum wire_type type)
{
    const uint8_t *at = reader->at;
    uint64_t tag;
    if (at == reader->end) {
        return false;
    }
    enum pbft_status status = wire_varint_read(&at, reader->end, &tag);
    if (status != PBFT_OK) {
        wire_reader_fail(reader, status);
        return false;
    }
    if (tag != ((uint64_t)field << 3 | type)) {
        return false;
    }
    reader->at = at;
    return true;
}

static uint64_t take_varint(struct wire_reader *reader)
{
    uint64_t value;
    enum pbft_status status =
        wire_varint_read(&reader->at, reader->end, &value);
    if (status != PBFT_OK) {
        wire_reader_fail(reader, status);
        return 0;
    }
    return value;
}

static bool take_length(struct wire_reader *reader, size_t size_max,
                        struct pbft_bytes *out)
{
    uint64_t size = take_varint(reader);
    if (reader->status != PBFT_OK) {
        return false;
    }
    if (size > (uint64_t)(reader->end - reader->at)) {
        wire_reader_fail(reader, PBFT_MALFORMED);
        return false;
    }
    if (size > size_max) {
        wire_reader_fail(reader, PBFT_TOO_LARGE);
        return false;
    }
    *out = (struct pbft_bytes){.data = reader->at, .size = (size_t)size};
    reader->at += size;
    return true;
}

uint64_t wire_read_u64(struct wire_reader *reader, uint32_t field)
{
    if (!take_tag(reader, field, WIRE_VARINT)) {
        return 0;
    }
    uint64_t value = take_varint(reader);
    if (value == 0) {
        wire_reader_fail(reader, PBFT_NOT_CANONICAL);
    }
    return value;
}

static uint64_t read_bounded(struct wire_reader *reader, uint32_t field,
                             uint64_t value_max)
{
    uint64_t value = wire_read_u64(reader, field);
    if (value > value_max) {
        wire_reader_fail(reader, PBFT_NOT_CANONICAL);
        return 0;
    }
    return value;
}

uint32_t wire_read_u32(struct wire_reader *reader, uint32_t field)
{
    return (uint32_t)read_bounded(reader, field, UINT32_MAX);
}

bool wire_read_bool(struct wire_reader *reader, uint32_t field)
{
    return read_bounded(reader, field, 1) == 1;
}

bool wire_read_element(struct wire_reader *reader, uint32_t field,
                       size_t size_max, struct pbft_bytes *out)
{
    *out = (struct pbft_bytes){0};
    return take_tag(reader, field, WIRE_LENGTH) &&
           take_length(reader, size_max, out);
}

struct pbft_bytes wire_read_bytes(struct wire_reader *reader, uint32_t field,
                                  size_t size_max)
{
    struct pbft_bytes bytes;
    if (wire_read_element(reader, field, size_max, &bytes) && bytes.size == 0) {
        wire_reader_fail(reader, PBFT_NOT_CANONICAL);
    }
    return bytes;
}

void wire_read_exact(struct wire_reader *reader, uint32_t field, void *out,
                     size_t size)
{
    struct pbft_bytes bytes = wire_read_bytes(reader, field, SIZE_MAX);
    if (bytes.size == size && reader->status == PBFT_OK) {
        memcpy(out, bytes.data, size);
        return;
    }
    memset(out, 0, size);
    wire_reader_fail(reader, PBFT_MALFORMED);
}

uint32_t wire_read_words(struct wire_reader *reader, uint32_t field,
                         uint64_t *words, uint32_t count_max)
{
    const size_t word_size = sizeof words[0];
    struct pbft_bytes bytes =
        wire_read_bytes(reader, field, count_max * word_size);
    if (bytes.size % word_size != 0) {
        wire_reader_fail(reader, PBFT_MALFORMED);
        return 0;
    }
    uint32_t count = (uint32_t)(bytes.size / word_size);
    for (uint32_t i = 0; i < count; i++) {
        words[i] = 0;
        for (unsigned j = 0; j < word_size; j++) {
            words[i] |= (uint64_t)bytes.data[i * word_size + j] << (8 * j);
        }
    }
    return count;
}

bool wire_nested_open(struct wire_reader *reader, uint32_t field,
                      struct wire_reader *nested)
{
    struct pbft_bytes bytes;
    if (!wire_read_element(reader, field, SIZE_MAX, &bytes)) {
        return false;
    }
    *nested = wire_reader_of(bytes);
    return true;
}

void wire_nested_close(struct wire_reader *reader,
                       const struct wire_reader *nested)
{
    enum pbft_status status = wire_reader_end(nested);
    if (status != PBFT_OK) {
        wire_reader_fail(reader, status);
    }
}

uint32_t wire_count(struct wire_reader *reader, uint32_t field,
                    uint32_t count_max)
{
    struct wire_reader ahead = *reader;
    struct pbft_bytes ignored;
    uint32_t count = 0;
    while (wire_read_element(&ahead, field, SIZE_MAX, &ignored)) {
        if (count == count_max) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
            return 0;
        }
        count++;
    }
    if (ahead.status != PBFT_OK) {
        wire_reader_fail(reader, ahead.status);
        return 0;
    }
    return count;
}
