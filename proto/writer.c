/* SPDX-License-Identifier: Apache-2.0 */
/* Appends protobuf fields in canonical form. */
#include "proto/writer.h"

#include <string.h>

#include "proto/varint.h"

static void put_varint(struct wire_buffer *buffer, uint64_t value)
{
    uint8_t bytes[WIRE_VARINT_SIZE_MAX];
    wire_buffer_put(buffer, bytes, wire_varint_write(bytes, value));
}

static void put_tag(struct wire_buffer *buffer, uint32_t field,
                    enum wire_type type)
{
    put_varint(buffer, (uint64_t)field << 3 | type);
}

void wire_write_u64(struct wire_buffer *buffer, uint32_t field, uint64_t value)
{
    if (value != 0) {
        put_tag(buffer, field, WIRE_VARINT);
        put_varint(buffer, value);
    }
}

void wire_write_element(struct wire_buffer *buffer, uint32_t field,
                        const void *data, size_t size)
{
    put_tag(buffer, field, WIRE_LENGTH);
    put_varint(buffer, size);
    wire_buffer_put(buffer, data, size);
}

void wire_write_bytes(struct wire_buffer *buffer, uint32_t field,
                      const void *data, size_t size)
{
    if (size != 0) {
        wire_write_element(buffer, field, data, size);
    }
}

void wire_write_words(struct wire_buffer *buffer, uint32_t field,
                      const uint64_t *words, size_t count)
{
    if (count == 0) {
        return;
    }
    put_tag(buffer, field, WIRE_LENGTH);
    put_varint(buffer, count * sizeof words[0]);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[sizeof words[0]];
        for (unsigned j = 0; j < sizeof bytes; j++) {
            bytes[j] = (uint8_t)(words[i] >> (8 * j));
        }
        wire_buffer_put(buffer, bytes, sizeof bytes);
    }
}

struct wire_nested wire_nested_begin(struct wire_buffer *buffer, uint32_t field,
                                     size_t size_hint)
{
    put_tag(buffer, field, WIRE_LENGTH);
    struct wire_nested nested = {.length_size = wire_varint_size(size_hint)};
    (void)wire_buffer_grow(buffer, nested.length_size);
    nested.begin = buffer->size;
    return nested;
}

void wire_nested_end(struct wire_buffer *buffer, struct wire_nested nested)
{
    if (buffer->status != PBFT_OK) {
        return;
    }
    size_t size = buffer->size - nested.begin;
    unsigned needed = wire_varint_size(size);
    if (needed > nested.length_size &&
        wire_buffer_grow(buffer, needed - nested.length_size) == NULL) {
        return;
    }
    uint8_t *length = buffer->data + nested.begin - nested.length_size;
    if (needed != nested.length_size) {
        memmove(length + needed, length + nested.length_size, size);
        buffer->size = nested.begin - nested.length_size + needed + size;
    }
    (void)wire_varint_write(length, size);
}
