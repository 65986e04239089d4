/* SPDX-License-Identifier: Apache-2.0 */
/* Shared regions: one received frame backs the requests that came in it. */
#include "consensus/assert.h"
#include "consensus/message.h"

#include <stdatomic.h>
#include <stdlib.h>

struct pbft_buffer {
    atomic_uint references;
    uint8_t *data;
    size_t size;
    void *owner;
    void (*release)(void *owner);
};

struct pbft_buffer *pbft_buffer_wrap(uint8_t *data, size_t size, void *owner,
                                     void (*release)(void *owner))
{
    PBFT_ASSERT(data != NULL || size == 0);
    struct pbft_buffer *buffer = malloc(sizeof *buffer);
    if (buffer == NULL) {
        return NULL;
    }
    atomic_init(&buffer->references, 1);
    buffer->data = data;
    buffer->size = size;
    buffer->owner = owner;
    buffer->release = release;
    return buffer;
}

struct pbft_buffer *pbft_buffer_create(uint8_t *data, size_t size)
{
    return pbft_buffer_wrap(data, size, data, free);
}

struct pbft_bytes pbft_buffer_bytes(const struct pbft_buffer *buffer)
{
    return (struct pbft_bytes){buffer->data, buffer->size};
}

struct pbft_buffer *pbft_buffer_ref(struct pbft_buffer *buffer)
{
    unsigned before =
        atomic_fetch_add_explicit(&buffer->references, 1, memory_order_relaxed);
    PBFT_ASSERT(before > 0);
    return buffer;
}

void pbft_buffer_unref(struct pbft_buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    unsigned before =
        atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel);
    PBFT_ASSERT(before > 0);
    if (before == 1) {
        buffer->release(buffer->owner);
        free(buffer);
    }
}
