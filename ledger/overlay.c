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

static void *must_have(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    return memory;
}

void overlay_init(struct overlay *overlay, const struct ledger_kv *kv)
{
    *overlay = (struct overlay){.kv = kv};
    wire_arena_init_large(&overlay->arena, OVERLAY_ARENA_MAX,
                          OVERLAY_ARENA_BLOCK);
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
    overlay->things = 0;
    overlay->status = PBFT_OK;
}

void *overlay_room(struct overlay *overlay, size_t size)
{
    return must_have(wire_arena_alloc(&overlay->arena, size));
}

struct pbft_bytes overlay_keep(struct overlay *overlay, struct pbft_bytes bytes)
{
    uint8_t *copy = overlay_room(overlay, bytes.size);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return (struct pbft_bytes){copy, bytes.size};
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
    for (size_t at = slot_of(overlay, hash); overlay->slots[at].entry != NULL;
         at = (at + 1) & mask) {
        struct overlay_entry *entry = overlay->slots[at].entry;
        if (overlay->slots[at].hash == hash && entry->space == key->space &&
            entry->key.size == key->size &&
            memcmp(entry->key.data, key->bytes, key->size) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void occupy(struct overlay *overlay, struct overlay_slot slot)
{
    size_t mask = overlay->slot_count - 1;
    size_t at = slot_of(overlay, slot.hash);
    while (overlay->slots[at].entry != NULL) {
        at = (at + 1) & mask;
    }
    overlay->slots[at] = slot;
}

/* Keeps at least half of the slots free. */
static void grow(struct overlay *overlay)
{
    struct overlay_slot *old = overlay->slots;
    size_t old_count = overlay->slot_count;
    overlay->entry_capacity *= 2;
    overlay->entries = must_have(
        realloc(overlay->entries,
                overlay->entry_capacity * sizeof(struct overlay_entry *)));
    overlay->slot_count = 2 * overlay->entry_capacity;
    overlay->slots =
        must_have(calloc(overlay->slot_count, sizeof *overlay->slots));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].entry != NULL) {
            occupy(overlay, old[i]);
        }
    }
    free(old);
}

static struct overlay_entry *insert(struct overlay *overlay,
                                    const struct schema_key *key, uint64_t hash)
{
    if (overlay->entry_count == overlay->entry_capacity) {
        grow(overlay);
    }
    struct overlay_entry *entry = overlay_room(overlay, sizeof *entry);
    *entry = (struct overlay_entry){
        .key =
            overlay_keep(overlay, (struct pbft_bytes){key->bytes, key->size}),
        .space = key->space,
    };
    overlay->entries[overlay->entry_count++] = entry;
    occupy(overlay, (struct overlay_slot){entry, hash});
    return entry;
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
        overlay_load(overlay, entry);
    }
    return entry;
}

void overlay_expect(struct overlay *overlay, const struct schema_key *key)
{
    (void)entry_of(overlay, key);
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

/* `things`: overlay->things as it was before, for a rollback. */
static void change(struct overlay *overlay, const struct schema_key *key,
                   bool present, struct pbft_bytes value, uint32_t things)
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
        .old_things = things,
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
    change(overlay, key, true, overlay_keep(overlay, value), overlay->things);
}

void overlay_append(struct overlay *overlay, struct schema_key *key,
                    struct pbft_bytes value)
{
    const uint32_t number = overlay->things++;
    PBFT_ASSERT(value.size <= LEDGER_VALUE_MAX);
    schema_key_next(key, overlay->seq, number);
    change(overlay, key, true, overlay_keep(overlay, value), number);
}

void overlay_delete(struct overlay *overlay, const struct schema_key *key)
{
    change(overlay, key, false, (struct pbft_bytes){NULL, 0}, overlay->things);
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
        overlay->things = last->old_things;
        last->entry->value = last->old_value;
        last->entry->loaded = last->old_loaded;
        last->entry->present = last->old_present;
        last->entry->dirty = last->old_dirty;
    }
}

#define DIGEST_HEAD (2 + FIELD_U32_SIZE)
#define DIGEST_PARTS 4

/* What the digest covers of one write; `sizes` has room for the parts that are
 * not in memory. */
static void digest_parts(const struct overlay_change *one,
                         uint8_t sizes[DIGEST_HEAD + FIELD_U32_SIZE],
                         struct pbft_bytes parts[DIGEST_PARTS])
{
    uint8_t *value_size = sizes + DIGEST_HEAD;
    sizes[0] = one->present ? LEDGER_KV_PUT : LEDGER_KV_DELETE;
    sizes[1] = (uint8_t)one->entry->space;
    field_put_u32(sizes + 2, (uint32_t)one->entry->key.size);
    field_put_u32(value_size, (uint32_t)one->value.size);
    parts[0] = (struct pbft_bytes){sizes, DIGEST_HEAD};
    parts[1] = one->entry->key;
    parts[2] = (struct pbft_bytes){value_size, FIELD_U32_SIZE};
    parts[3] = one->value;
}

void overlay_digest(struct overlay *overlay, size_t mark,
                    struct pbft_digest *out)
{
    size_t count = overlay->change_count - mark;
    *out = (struct pbft_digest){{0}};
    if (count == 0) {
        return;
    }
    uint8_t(*sizes)[DIGEST_HEAD + FIELD_U32_SIZE] =
        overlay_room(overlay, count * sizeof *sizes);
    struct pbft_bytes(*parts)[DIGEST_PARTS] =
        overlay_room(overlay, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        digest_parts(&overlay->changes[mark + i], sizes[i], parts[i]);
    }
    digest_blake2b_parts(out, parts[0], DIGEST_PARTS * count);
}
