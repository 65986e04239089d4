/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow while they are written, and are used again.
 *
 * A failed write leaves the buffer usable but marks it: check once at the end.
 */
#ifndef PROTO_BUFFER_H
#define PROTO_BUFFER_H

#include "consensus/status.h"
#include "consensus/types.h"

/* In place; not thread-safe. */
struct wire_buffer {
    uint8_t *data; /* Owned; NULL while nothing was written. */
    size_t size;
    size_t capacity;
    size_t bytes_max;        /* What `size` never passes. */
    enum pbft_status status; /* The first failure: TOO_LARGE, NO_MEMORY. */
};

/* Allocates nothing yet. */
void wire_buffer_init(struct wire_buffer *buffer, size_t bytes_max);
void wire_buffer_deinit(struct wire_buffer *buffer);
/* Empties the buffer, clears a failure and keeps the memory. */
void wire_buffer_reset(struct wire_buffer *buffer);
/* What was written; valid until the next write. */
struct pbft_bytes wire_buffer_bytes(const struct wire_buffer *buffer);
/* Gives the memory to the caller, who frees it; the buffer is empty after. */
uint8_t *wire_buffer_take(struct wire_buffer *buffer, size_t *size);

/* Appends. */
void wire_buffer_put(struct wire_buffer *buffer, const void *data, size_t size);
/* Makes room for `size` bytes and counts them as written; NULL on failure. */
uint8_t *wire_buffer_grow(struct wire_buffer *buffer, size_t size);

#endif /* PROTO_BUFFER_H */
