/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking and packing of generated types, between scan and arena. */
#include <protobuf-c/protobuf-c.h>
#include <stdalign.h>
#include <string.h>

#include "proto/scan.h"

/* The slice of the arena that the scan asked for. */
struct slice {
    uint8_t *data;
    size_t size;
    size_t used;
};

static void *slice_alloc(void *data, size_t size)
{
    const size_t unit = alignof(max_align_t);
    struct slice *slice = data;
    if (size > slice->size - slice->used) {
        return NULL;
    }
    void *result = slice->data + slice->used;
    size_t rounded = (size + unit - 1) / unit * unit;
    size_t left = slice->size - slice->used;
    slice->used += rounded < left ? rounded : left;
    return result;
}

static void slice_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

enum pbft_status
wire_unpack_strict(const struct ProtobufCMessageDescriptor *type,
                   struct pbft_bytes bytes, struct wire_arena *arena,
                   struct ProtobufCMessage **out)
{
    struct wire_scan_result scan;
    *out = NULL;
    enum pbft_status status = wire_scan(type, bytes, &scan);
    if (status != PBFT_OK) {
        return status;
    }
    if (scan.memory > wire_arena_left(arena)) {
        return PBFT_TOO_LARGE;
    }
    struct slice slice = {
        .data = wire_arena_alloc(arena, scan.memory),
        .size = scan.memory,
    };
    if (slice.data == NULL) {
        return PBFT_NO_MEMORY;
    }
    ProtobufCAllocator allocator = {
        .alloc = slice_alloc,
        .free = slice_free,
        .allocator_data = &slice,
    };
    /* protobuf-c takes no NULL, not even for an empty message. */
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.size > 0 ? bytes.data : nothing;
    *out = protobuf_c_message_unpack(type, &allocator, bytes.size, data);
    return *out != NULL ? PBFT_OK : PBFT_MALFORMED;
}

enum pbft_status wire_pack(const struct ProtobufCMessage *message,
                           struct wire_buffer *buffer)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size == 0 || buffer->status != PBFT_OK) {
        return buffer->status;
    }
    uint8_t *at = wire_buffer_grow(buffer, size);
    if (at == NULL) {
        enum pbft_status status = buffer->status;
        buffer->status = PBFT_OK;
        return status;
    }
    (void)protobuf_c_message_pack(message, at);
    return PBFT_OK;
}
