/* SPDX-License-Identifier: Apache-2.0 */
/* A bump allocator over a list of blocks, with a hard cap. */
#include "proto/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proto/codec_limits.h"

struct wire_arena_block {
    struct wire_arena_block *next;
    size_t capacity; /* Of `bytes`. */
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
};

void wire_arena_init(struct wire_arena *arena, size_t bytes_max)
{
    wire_arena_init_large(arena, bytes_max, WIRE_ARENA_BLOCK_BYTES);
}

void wire_arena_init_large(struct wire_arena *arena, size_t bytes_max,
                           size_t block_bytes)
{
    *arena =
        (struct wire_arena){.bytes_max = bytes_max, .block_bytes = block_bytes};
}

static void free_blocks(struct wire_arena_block *block)
{
    while (block != NULL) {
        struct wire_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void wire_arena_deinit(struct wire_arena *arena)
{
    free_blocks(arena->blocks);
    wire_arena_init_large(arena, arena->bytes_max, arena->block_bytes);
}

void wire_arena_reset(struct wire_arena *arena)
{
    struct wire_arena_block *kept = arena->blocks;
    arena->used = 0;
    if (kept == NULL) {
        return;
    }
    free_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
    /* One huge input must not pin its memory for ever. */
    if (kept->capacity > arena->block_bytes) {
        free(kept);
        arena->blocks = NULL;
    }
}

static bool add_block(struct wire_arena *arena, size_t size)
{
    size_t capacity = size < arena->block_bytes ? arena->block_bytes : size;
    struct wire_arena_block *block = malloc(sizeof *block + capacity);
    if (block == NULL) {
        return false;
    }
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    arena->blocks = block;
    return true;
}

void *wire_arena_alloc(struct wire_arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > wire_arena_left(arena)) {
        return NULL;
    }
    size_t rounded = (size + unit - 1) / unit * unit;
    if (rounded > wire_arena_left(arena)) {
        return NULL;
    }
    struct wire_arena_block *block = arena->blocks;
    if (block == NULL || rounded > block->capacity - block->used) {
        if (!add_block(arena, rounded)) {
            return NULL;
        }
        block = arena->blocks;
    }
    void *result = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return result;
}

size_t wire_arena_left(const struct wire_arena *arena)
{
    return arena->bytes_max - arena->used;
}
