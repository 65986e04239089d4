/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one decoding, given back at once: a bump allocator with a hard
 * cap. What was handed out stays where it is until the reset.
 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct wire_arena_block;

/* In place; not thread-safe: one thread owns an arena. */
struct wire_arena {
    struct wire_arena_block *blocks; /* The newest first; owned. */
    size_t used;                     /* Bytes handed out since the reset. */
    size_t bytes_max;                /* What `used` never passes. */
    size_t block_bytes;              /* Of one block, unless it must be more. */
};

/* Allocates nothing yet. */
void wire_arena_init(struct wire_arena *arena, size_t bytes_max);
/* The same with larger blocks than WIRE_ARENA_BLOCK_BYTES: for rounds that take
 * so much each time. */
void wire_arena_init_large(struct wire_arena *arena, size_t bytes_max,
                           size_t block_bytes);
/* Frees everything that the arena handed out. */
void wire_arena_deinit(struct wire_arena *arena);
/* Forgets everything that the arena handed out, and keeps one block for the
 * next round. */
void wire_arena_reset(struct wire_arena *arena);

/* `size` bytes aligned for any type, not zeroed; NULL beyond the cap or when
 * memory is short. Size 0 gives a valid pointer. */
void *wire_arena_alloc(struct wire_arena *arena, size_t size);

/* How many more bytes the cap allows. */
size_t wire_arena_left(const struct wire_arena *arena);

#endif /* PROTO_ARENA_H */
