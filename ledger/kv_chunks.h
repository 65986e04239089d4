/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered map of byte strings: a sorted list of sorted chunks. Private to
 * kv_memory.c.
 *
 * Two binary searches find an entry; each compares the first eight bytes of the
 * keys as one number, so that a search touches few cache lines. Out of memory
 * aborts.
 */
#ifndef LEDGER_KV_CHUNKS_H
#define LEDGER_KV_CHUNKS_H

#include "consensus/types.h"

#define KV_CHUNK_SLOTS 256

struct kv_item {
    size_t key_size;
    size_t value_size;
    uint8_t bytes[]; /* Key, then value. */
};

struct kv_slot {
    uint64_t head; /* First eight bytes of the key, zero-padded. */
    struct kv_item *item;
};

struct kv_chunk {
    size_t count; /* Never 0 but while the map is empty. */
    struct kv_slot slots[KV_CHUNK_SLOTS];
};

struct kv_chunks {
    struct kv_chunk **chunks; /* Ascending. */
    size_t chunk_count;
    size_t chunk_capacity;
    size_t item_count;
};

/* A place between entries: the first one not below some key. */
struct kv_cursor {
    size_t chunk;
    size_t slot;
};

void kv_chunks_init(struct kv_chunks *map);
void kv_chunks_deinit(struct kv_chunks *map);
void kv_chunks_copy(struct kv_chunks *to, const struct kv_chunks *from);

/* NULL if there is none. */
const struct kv_item *kv_chunks_get(const struct kv_chunks *map,
                                    struct pbft_bytes key);
void kv_chunks_put(struct kv_chunks *map, struct pbft_bytes key,
                   struct pbft_bytes value);
void kv_chunks_delete(struct kv_chunks *map, struct pbft_bytes key);

/* The first entry that is not below `key`. */
struct kv_cursor kv_chunks_seek(const struct kv_chunks *map,
                                struct pbft_bytes key);
/* The entry at the cursor; NULL behind the last one. */
const struct kv_item *kv_chunks_at(const struct kv_chunks *map,
                                   struct kv_cursor cursor);
void kv_chunks_next(const struct kv_chunks *map, struct kv_cursor *cursor);
/* False at the first entry; the cursor then stays. */
bool kv_chunks_previous(const struct kv_chunks *map, struct kv_cursor *cursor);

#endif /* LEDGER_KV_CHUNKS_H */
