/* SPDX-License-Identifier: Apache-2.0 */
/* Where a message lives: the count and what it keeps alive. Private to
 * message.c and message_create.c. */
#ifndef CONSENSUS_MESSAGE_BOX_H
#define CONSENSUS_MESSAGE_BOX_H

#include <stdatomic.h>

#include "consensus/message.h"

struct message_box {
    atomic_uint references;
    uint32_t child_count;
    const struct pbft_message *const *children; /* Into the tail. */
    const struct pbft_message *child;           /* One more; may be NULL. */
    struct pbft_buffer *backing;                /* May be NULL. */
    size_t memory;                              /* Nested messages included. */
    struct pbft_message message;
    /* Then the tail: payload, votes or pointers. */
};

static_assert(sizeof(struct message_box) % sizeof(uint64_t) == 0,
              "the tail must be aligned for votes and pointers");

/* Zeroed, one reference, `tail` bytes behind it. NULL if memory is short. */
struct message_box *message_box_create(size_t tail);

static inline void *message_box_tail(struct message_box *box)
{
    return box + 1;
}

#endif /* CONSENSUS_MESSAGE_BOX_H */
