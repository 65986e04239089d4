/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer with a cap and a sticky failure. */
#include "proto/buffer.h"

#include <stdlib.h>
#include <string.h>

/* The first allocation: an envelope of votes fits. */
#define CAPACITY_MIN 1024u

void wire_buffer_init(struct wire_buffer *buffer, size_t bytes_max)
{
    *buffer = (struct wire_buffer){.bytes_max = bytes_max};
}

void wire_buffer_deinit(struct wire_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct wire_buffer){.bytes_max = buffer->bytes_max};
}

void wire_buffer_reset(struct wire_buffer *buffer)
{
    buffer->size = 0;
    buffer->status = PBFT_OK;
}

struct pbft_bytes wire_buffer_bytes(const struct wire_buffer *buffer)
{
    return (struct pbft_bytes){.data = buffer->data, .size = buffer->size};
}

uint8_t *wire_buffer_take(struct wire_buffer *buffer, size_t *size)
{
    uint8_t *data = buffer->data;
    *size = buffer->size;
    *buffer = (struct wire_buffer){.bytes_max = buffer->bytes_max};
    return data;
}

/* Doubles, so that appending costs the same per byte however long it gets. */
static size_t next_capacity(const struct wire_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity;
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    }
    return capacity < buffer->bytes_max ? capacity : buffer->bytes_max;
}

static bool make_room(struct wire_buffer *buffer, size_t size)
{
    if (buffer->status != PBFT_OK) {
        return false;
    }
    if (size > buffer->bytes_max - buffer->size) {
        buffer->status = PBFT_TOO_LARGE;
        return false;
    }
    size_t needed = buffer->size + size;
    if (needed <= buffer->capacity) {
        return true;
    }
    size_t capacity = next_capacity(buffer, needed);
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->status = PBFT_NO_MEMORY;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *wire_buffer_grow(struct wire_buffer *buffer, size_t size)
{
    if (size == 0 || !make_room(buffer, size)) {
        return NULL;
    }
    uint8_t *at = buffer->data + buffer->size;
    buffer->size += size;
    return at;
}

void wire_buffer_put(struct wire_buffer *buffer, const void *data, size_t size)
{
    uint8_t *at = wire_buffer_grow(buffer, size);
    if (at != NULL) {
        memcpy(at, data, size);
    }
}
