/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map over an arena, with a list of changes to take back. */
#include "ledger/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/digest.h"
#include "ledger/fields.h"

#define SLOTS_MIN 1024u
#define ENTRIES_MIN 512u
/* What rules read: position and fixed values, never payloads. */
#define READ_MAX 4096u

static_assert(READ_MAX >= SCHEMA_POSITION_MAX, "the longest value read fits");
static_assert(READ_MAX >= SCHEMA_FIXED_MAX, "a fixed value fits");

static void *must_have(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    return memory;
}

void overlay_init(struct overlay *overlay, const struct ledger_kv *kv)
{
    *overlay = (struct overlay){.kv = kv};
    wire_arena_init(&overlay->arena, OVERLAY_ARENA_MAX);
    overlay->slot_count = SLOTS_MIN;
    overlay->slots =
        must_have(calloc(overlay->slot_count, sizeof *overlay->slots));
    overlay->entry_capacity = ENTRIES_MIN;
    overlay->entries =
        must_have(malloc(ENTRIES_MIN * sizeof(struct overlay_entry *)));
    overlay->large = must_have(malloc(LEDGER_VALUE_MAX));
    overlay->change_capacity = ENTRIES_MIN;
    overlay->changes =
        must_have(malloc(ENTRIES_MIN * sizeof *overlay->changes));
}

void overlay_deinit(struct overlay *overlay)
{
    wire_arena_deinit(&overlay->arena);
    free(overlay->slots);
    free(overlay->entries);
    free(overlay->changes);
    free(overlay->large);
}

void overlay_begin(struct overlay *overlay, const struct pbft_digest *seed)
{
    wire_arena_reset(&overlay->arena);
    memset(overlay->slots, 0, overlay->slot_count * sizeof *overlay->slots);
    memcpy(&overlay->seed, seed->bytes, sizeof overlay->seed);
    overlay->entry_count = 0;
    overlay->change_count = 0;
    overlay->status = PBFT_OK;
}

void *overlay_room(struct overlay *overlay, size_t size)
{
    return must_have(wire_arena_alloc(&overlay->arena, size));
}

static struct pbft_bytes keep(struct overlay *overlay, const uint8_t *data,
                              size_t size)
{
    uint8_t *copy = overlay_room(overlay, size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return (struct pbft_bytes){copy, size};
}

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15u;
    value ^= value >> 29;
    return value;
}

/* Seeded by the block, so that nobody can choose ids that collide. The order of
 * results and writes never depends on it. */
static uint64_t hash_of(const struct overlay *overlay,
                        const struct schema_key *key)
{
    uint64_t hash = overlay->seed ^ (uint64_t)key->space;
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= key->size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, key->bytes + at, sizeof word);
        hash = mix(hash ^ word) + overlay->seed;
    }
    uint64_t tail = key->size;
    for (; at < key->size; at++) {
        tail = tail << 8 | key->bytes[at];
    }
    return mix(mix(hash ^ tail));
}

static size_t slot_of(const struct overlay *overlay, uint64_t hash)
{
    return (size_t)hash & (overlay->slot_count - 1);
}

static struct overlay_entry *find(const struct overlay *overlay,
                                  const struct schema_key *key, uint64_t hash)
{
    size_t mask = overlay->slot_count - 1;
    for (size_t slot = slot_of(overlay, hash); overlay->slots[slot] != 0;
         slot = (slot + 1) & mask) {
        struct overlay_entry *entry =
            overlay->entries[overlay->slots[slot] - 1];
        if (entry->hash == hash && entry->space == key->space &&
            entry->key.size == key->size &&
            memcmp(entry->key.data, key->bytes, key->size) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void occupy(struct overlay *overlay, size_t index)
{
    size_t mask = overlay->slot_count - 1;
    size_t slot = slot_of(overlay, overlay->entries[index]->hash);
    while (overlay->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    overlay->slots[slot] = (uint32_t)(index + 1);
}

/* Keeps at least half of the slots free. */
static void grow(struct overlay *overlay)
{
    overlay->entry_capacity *= 2;
    overlay->entries = must_have(
        realloc(overlay->entries,
                overlay->entry_capacity * sizeof(struct overlay_entry *)));
    overlay->slot_count = 2 * overlay->entry_capacity;
    free(overlay->slots);
    overlay->slots =
        must_have(calloc(overlay->slot_count, sizeof *overlay->slots));
    for (size_t i = 0; i < overlay->entry_count; i++) {
        occupy(overlay, i);
    }
}

static struct overlay_entry *insert(struct overlay *overlay,
                                    const struct schema_key *key, uint64_t hash)
{
    if (overlay->entry_count == overlay->entry_capacity) {
        grow(overlay);
    }
    struct overlay_entry *entry = overlay_room(overlay, sizeof *entry);
    *entry = (struct overlay_entry){
        .hash = hash,
        .key = keep(overlay, key->bytes, key->size),
        .space = key->space,
    };
    overlay->entries[overlay->entry_count] = entry;
    occupy(overlay, overlay->entry_count);
    overlay->entry_count++;
    return entry;
}

static void load(struct overlay *overlay, struct overlay_entry *entry)
{
    uint8_t buffer[READ_MAX];
    size_t size = 0;
    entry->loaded = true;
    enum pbft_status status =
        overlay->kv->get(overlay->kv->context, entry->space, entry->key, buffer,
                         sizeof buffer, &size);
    if (status == PBFT_OK) {
        entry->present = true;
        entry->value = keep(overlay, buffer, size);
        return;
    }
    if (status == PBFT_TOO_LARGE) { /* A payload: only that it is there. */
        entry->present = true;
        return;
    }
    if (status != PBFT_NOT_FOUND && overlay->status == PBFT_OK) {
        overlay->status = status;
    }
}

static struct overlay_entry *entry_of(struct overlay *overlay,
                                      const struct schema_key *key)
{
    uint64_t hash = hash_of(overlay, key);
    struct overlay_entry *entry = find(overlay, key, hash);
    if (entry == NULL) {
        entry = insert(overlay, key, hash);
    }
    return entry;
}

static const struct overlay_entry *loaded_entry(struct overlay *overlay,
                                                const struct schema_key *key)
{
    struct overlay_entry *entry = entry_of(overlay, key);
    if (!entry->loaded) {
        load(overlay, entry);
    }
    return entry;
}

bool overlay_get(struct overlay *overlay, const struct schema_key *key,
                 struct pbft_bytes *value)
{
    const struct overlay_entry *entry = loaded_entry(overlay, key);
    *value = entry->value;
    return entry->present;
}

bool overlay_read(struct overlay *overlay, const struct schema_key *key,
                  struct pbft_bytes *value)
{
    size_t size = 0;
    const struct overlay_entry *entry =
        find(overlay, key, hash_of(overlay, key));
    if (entry != NULL && entry->dirty) {
        *value = entry->value;
        return entry->present;
    }
    enum pbft_status status =
        overlay->kv->get(overlay->kv->context, key->space,
                         (struct pbft_bytes){key->bytes, key->size},
                         overlay->large, LEDGER_VALUE_MAX, &size);
    *value = (struct pbft_bytes){overlay->large, size};
    if (status != PBFT_OK && status != PBFT_NOT_FOUND &&
        overlay->status == PBFT_OK) {
        overlay->status = status;
    }
    return status == PBFT_OK;
}

bool overlay_has(struct overlay *overlay, const struct schema_key *key)
{
    return loaded_entry(overlay, key)->present;
}

static void change(struct overlay *overlay, const struct schema_key *key,
                   bool present, struct pbft_bytes value)
{
    if (overlay->change_count == overlay->change_capacity) {
        overlay->change_capacity *= 2;
        overlay->changes =
            must_have(realloc(overlay->changes, overlay->change_capacity *
                                                    sizeof *overlay->changes));
    }
    struct overlay_entry *entry = entry_of(overlay, key);
    overlay->changes[overlay->change_count++] = (struct overlay_change){
        .entry = entry,
        .value = value,
        .old_value = entry->value,
        .present = present,
        .old_loaded = entry->loaded,
        .old_present = entry->present,
        .old_dirty = entry->dirty,
    };
    entry->value = value;
    entry->loaded = true;
    entry->present = present;
    entry->dirty = true;
}

void overlay_put(struct overlay *overlay, const struct schema_key *key,
                 struct pbft_bytes value)
{
    PBFT_ASSERT(value.size <= LEDGER_VALUE_MAX);
    change(overlay, key, true, keep(overlay, value.data, value.size));
}

void overlay_delete(struct overlay *overlay, const struct schema_key *key)
{
    change(overlay, key, false, (struct pbft_bytes){NULL, 0});
}

size_t overlay_mark(const struct overlay *overlay)
{
    return overlay->change_count;
}

void overlay_rollback(struct overlay *overlay, size_t mark)
{
    PBFT_ASSERT(mark <= overlay->change_count);
    while (overlay->change_count > mark) {
        const struct overlay_change *last =
            &overlay->changes[--overlay->change_count];
        last->entry->value = last->old_value;
        last->entry->loaded = last->old_loaded;
        last->entry->present = last->old_present;
        last->entry->dirty = last->old_dirty;
    }
}

static void digest_change(struct digest_stream *stream,
                          const struct overlay_change *one)
{
    uint8_t head[2 + FIELD_U32_SIZE];
    uint8_t value_size[FIELD_U32_SIZE];
    head[0] = one->present ? LEDGER_KV_PUT : LEDGER_KV_DELETE;
    head[1] = (uint8_t)one->entry->space;
    field_put_u32(head + 2, (uint32_t)one->entry->key.size);
    field_put_u32(value_size, (uint32_t)one->value.size);
    digest_update(stream, (struct pbft_bytes){head, sizeof head});
    digest_update(stream, one->entry->key);
    digest_update(stream, (struct pbft_bytes){value_size, sizeof value_size});
    digest_update(stream, one->value);
}

void overlay_digest(const struct overlay *overlay, size_t mark,
                    struct pbft_digest *out)
{
    struct digest_stream stream;
    *out = (struct pbft_digest){{0}};
    if (mark == overlay->change_count) {
        return;
    }
    digest_init(&stream, DIGEST_BLAKE2B);
    for (size_t i = mark; i < overlay->change_count; i++) {
        digest_change(&stream, &overlay->changes[i]);
    }
    digest_final(&stream, out);
}

/* In the order of keys: the same at every replica, and a store that keeps keys
 * in order finds the place of each beside that of the one before. */
static int compare_writes(const void *left, const void *right)
{
    const struct ledger_kv_write *a = left;
    const struct ledger_kv_write *b = right;
    if (a->space != b->space) {
        return a->space < b->space ? -1 : 1;
    }
    size_t common = a->key.size < b->key.size ? a->key.size : b->key.size;
    int order = memcmp(a->key.data, b->key.data, common);
    if (order != 0) {
        return order;
    }
    return (a->key.size > b->key.size) - (a->key.size < b->key.size);
}

enum pbft_status overlay_apply(struct overlay *overlay)
{
    struct ledger_kv_write *writes =
        overlay_room(overlay, overlay->entry_count * sizeof *writes);
    size_t count = 0;
    for (size_t i = 0; i < overlay->entry_count; i++) {
        const struct overlay_entry *entry = overlay->entries[i];
        if (entry->dirty) {
            writes[count++] = (struct ledger_kv_write){
                .operation = entry->present ? LEDGER_KV_PUT : LEDGER_KV_DELETE,
                .space = entry->space,
                .key = entry->key,
                .value = entry->value,
            };
        }
    }
    qsort(writes, count, sizeof *writes, compare_writes);
    return overlay->kv->apply(overlay->kv->context, writes, count);
}
