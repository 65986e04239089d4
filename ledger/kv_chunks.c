/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted list of sorted chunks. */
#include "ledger/kv_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

static void *must_have(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    return memory;
}

static uint64_t head_of(const uint8_t *key, size_t size)
{
    uint64_t head = 0;
    for (size_t i = 0; i < sizeof head; i++) {
        head = head << 8 | (i < size ? key[i] : 0);
    }
    return head;
}

static int compare(const struct kv_slot *slot, uint64_t head,
                   struct pbft_bytes key)
{
    if (slot->head != head) {
        return slot->head < head ? -1 : 1;
    }
    size_t left = slot->item->key_size;
    size_t common = left < key.size ? left : key.size;
    int order = common > 0 ? memcmp(slot->item->bytes, key.data, common) : 0;
    if (order != 0) {
        return order;
    }
    return (left > key.size) - (left < key.size);
}

void kv_chunks_init(struct kv_chunks *map)
{
    *map = (struct kv_chunks){0};
}

void kv_chunks_deinit(struct kv_chunks *map)
{
    for (size_t i = 0; i < map->chunk_count; i++) {
        for (size_t j = 0; j < map->chunks[i]->count; j++) {
            free(map->chunks[i]->slots[j].item);
        }
        free(map->chunks[i]);
    }
    free(map->chunks);
    kv_chunks_init(map);
}

static struct kv_item *make_item(struct pbft_bytes key, struct pbft_bytes value)
{
    struct kv_item *item =
        must_have(malloc(sizeof *item + key.size + value.size));
    item->key_size = key.size;
    item->value_size = value.size;
    if (key.size > 0) {
        memcpy(item->bytes, key.data, key.size);
    }
    if (value.size > 0) {
        memcpy(item->bytes + key.size, value.data, value.size);
    }
    return item;
}

void kv_chunks_copy(struct kv_chunks *to, const struct kv_chunks *from)
{
    *to = *from;
    to->chunk_capacity = from->chunk_count;
    to->chunks =
        from->chunk_count == 0
            ? NULL
            : must_have(malloc(from->chunk_count * sizeof(struct kv_chunk *)));
    for (size_t i = 0; i < from->chunk_count; i++) {
        struct kv_chunk *chunk = must_have(malloc(sizeof *chunk));
        *chunk = *from->chunks[i];
        for (size_t j = 0; j < chunk->count; j++) {
            const struct kv_item *item = chunk->slots[j].item;
            chunk->slots[j].item =
                make_item((struct pbft_bytes){item->bytes, item->key_size},
                          (struct pbft_bytes){item->bytes + item->key_size,
                                              item->value_size});
        }
        to->chunks[i] = chunk;
    }
}

/* The last chunk whose first key is not above `key`; 0 if there is none. */
static size_t chunk_for(const struct kv_chunks *map, uint64_t head,
                        struct pbft_bytes key)
{
    size_t low = 0;
    size_t high = map->chunk_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&map->chunks[middle]->slots[0], head, key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? low - 1 : 0;
}

/* The first slot that is not below `key`. */
static size_t slot_for(const struct kv_chunk *chunk, uint64_t head,
                       struct pbft_bytes key)
{
    size_t low = 0;
    size_t high = chunk->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&chunk->slots[middle], head, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct kv_cursor locate(const struct kv_chunks *map, uint64_t head,
                               struct pbft_bytes key)
{
    struct kv_cursor cursor = {0, 0};
    if (map->chunk_count > 0) {
        cursor.chunk = chunk_for(map, head, key);
        cursor.slot = slot_for(map->chunks[cursor.chunk], head, key);
    }
    return cursor;
}

/* The slot of exactly this key; NULL if there is none. */
static struct kv_slot *exact(const struct kv_chunks *map,
                             struct kv_cursor cursor, uint64_t head,
                             struct pbft_bytes key)
{
    if (map->chunk_count == 0 ||
        cursor.slot == map->chunks[cursor.chunk]->count) {
        return NULL;
    }
    struct kv_slot *slot = &map->chunks[cursor.chunk]->slots[cursor.slot];
    return compare(slot, head, key) == 0 ? slot : NULL;
}

const struct kv_item *kv_chunks_get(const struct kv_chunks *map,
                                    struct pbft_bytes key)
{
    uint64_t head = head_of(key.data, key.size);
    const struct kv_slot *slot = exact(map, locate(map, head, key), head, key);
    return slot != NULL ? slot->item : NULL;
}

static void insert_chunk(struct kv_chunks *map, size_t at,
                         struct kv_chunk *chunk)
{
    if (map->chunk_count == map->chunk_capacity) {
        map->chunk_capacity = 2 * map->chunk_capacity + 16;
        map->chunks = must_have(realloc(
            map->chunks, map->chunk_capacity * sizeof(struct kv_chunk *)));
    }
    memmove(map->chunks + at + 1, map->chunks + at,
            (map->chunk_count - at) * sizeof(struct kv_chunk *));
    map->chunks[at] = chunk;
    map->chunk_count++;
}

/* Room for one more at the cursor: a full chunk is split into halves. */
static void make_room(struct kv_chunks *map, struct kv_cursor *cursor)
{
    if (map->chunk_count == 0) {
        struct kv_chunk *first = must_have(malloc(sizeof *first));
        first->count = 0;
        insert_chunk(map, 0, first);
    }
    struct kv_chunk *chunk = map->chunks[cursor->chunk];
    if (chunk->count < KV_CHUNK_SLOTS) {
        return;
    }
    const size_t half = KV_CHUNK_SLOTS / 2;
    struct kv_chunk *upper = must_have(malloc(sizeof *upper));
    upper->count = KV_CHUNK_SLOTS - half;
    memcpy(upper->slots, chunk->slots + half,
           upper->count * sizeof upper->slots[0]);
    chunk->count = half;
    insert_chunk(map, cursor->chunk + 1, upper);
    if (cursor->slot > half) {
        cursor->chunk++;
        cursor->slot -= half;
    }
}

void kv_chunks_put(struct kv_chunks *map, struct pbft_bytes key,
                   struct pbft_bytes value)
{
    uint64_t head = head_of(key.data, key.size);
    struct kv_cursor cursor = locate(map, head, key);
    struct kv_slot *slot = exact(map, cursor, head, key);
    struct kv_item *item = make_item(key, value);
    if (slot != NULL) {
        free(slot->item);
        slot->item = item;
        return;
    }
    make_room(map, &cursor);
    struct kv_chunk *chunk = map->chunks[cursor.chunk];
    slot = &chunk->slots[cursor.slot];
    memmove(slot + 1, slot, (chunk->count - cursor.slot) * sizeof *slot);
    *slot = (struct kv_slot){head, item};
    chunk->count++;
    map->item_count++;
}

void kv_chunks_delete(struct kv_chunks *map, struct pbft_bytes key)
{
    uint64_t head = head_of(key.data, key.size);
    struct kv_cursor cursor = locate(map, head, key);
    struct kv_slot *slot = exact(map, cursor, head, key);
    if (slot == NULL) {
        return;
    }
    struct kv_chunk *chunk = map->chunks[cursor.chunk];
    free(slot->item);
    chunk->count--;
    map->item_count--;
    memmove(slot, slot + 1, (chunk->count - cursor.slot) * sizeof *slot);
    if (chunk->count == 0) {
        free(chunk);
        map->chunk_count--;
        memmove(map->chunks + cursor.chunk, map->chunks + cursor.chunk + 1,
                (map->chunk_count - cursor.chunk) * sizeof(struct kv_chunk *));
    }
}

/* From behind the last slot of a chunk to the first one of the next. */
static void settle(const struct kv_chunks *map, struct kv_cursor *cursor)
{
    if (cursor->chunk < map->chunk_count &&
        cursor->slot == map->chunks[cursor->chunk]->count) {
        cursor->chunk++;
        cursor->slot = 0;
    }
}

struct kv_cursor kv_chunks_seek(const struct kv_chunks *map,
                                struct pbft_bytes key)
{
    struct kv_cursor cursor = locate(map, head_of(key.data, key.size), key);
    settle(map, &cursor);
    return cursor;
}

const struct kv_item *kv_chunks_at(const struct kv_chunks *map,
                                   struct kv_cursor cursor)
{
    return cursor.chunk < map->chunk_count
               ? map->chunks[cursor.chunk]->slots[cursor.slot].item
               : NULL;
}

void kv_chunks_next(const struct kv_chunks *map, struct kv_cursor *cursor)
{
    cursor->slot++;
    settle(map, cursor);
}

bool kv_chunks_previous(const struct kv_chunks *map, struct kv_cursor *cursor)
{
    if (cursor->slot > 0) {
        cursor->slot--;
        return true;
    }
    if (cursor->chunk == 0) {
        return false;
    }
    cursor->chunk--;
    cursor->slot = map->chunks[cursor->chunk]->count - 1;
    return true;
}
