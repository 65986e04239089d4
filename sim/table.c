/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing, over small places: most looks find
 * nothing, and what is found is mostly new. */
#include "sim/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define TABLE_CAPACITY_FIRST 1024
/* An entry fills one, so that a look at it costs one miss. */
#define CACHE_LINE 64
static_assert(sizeof(struct table_entry) == CACHE_LINE, "one line each");

void table_init(struct table *table)
{
    *table = (struct table){.entries = NULL};
}

void table_deinit(struct table *table)
{
    free(table->entries);
    free(table->places);
    table_init(table);
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static bool is_equal(const struct table_key *a, const struct table_key *b)
{
    return a->kind == b->kind && a->who == b->who && a->a == b->a &&
           a->b == b->b;
}

static uint64_t hash_of(const struct table_key *key)
{
    uint64_t hash = mix(mix((uint64_t)key->kind << 32 | key->who) + key->a);
    return mix(hash + key->b);
}

/* The place of the key, or the free one where it belongs. */
static struct table_place *place_of(const struct table *table,
                                    const struct table_key *key, uint64_t hash)
{
    size_t at = (size_t)(hash & (table->capacity - 1));
    struct table_place *place = &table->places[at];
    while (place->number != 0 &&
           (place->hash != (uint32_t)(hash >> 32) ||
            !is_equal(&table->entries[place->number - 1].key, key))) {
        at = (at + 1) & (table->capacity - 1);
        place = &table->places[at];
    }
    return place;
}

struct table_entry *table_find(const struct table *table,
                               const struct table_key *key)
{
    if (table->capacity == 0) {
        return NULL;
    }
    const struct table_place *place = place_of(table, key, hash_of(key));
    return place->number == 0 ? NULL : &table->entries[place->number - 1];
}

/* Half of the places stay free. */
static void grow(struct table *table)
{
    const size_t capacity =
        table->capacity == 0 ? TABLE_CAPACITY_FIRST : 2 * table->capacity;
    const size_t entries_size = capacity / 2 * sizeof table->entries[0];
    struct table_entry *entries = aligned_alloc(CACHE_LINE, entries_size);
    free(table->places);
    table->places = calloc(capacity, sizeof table->places[0]);
    PBFT_ASSERT(entries != NULL && table->places != NULL);
    PBFT_ASSERT(capacity <= UINT32_MAX);
    if (table->count > 0) {
        memcpy(entries, table->entries, table->count * sizeof entries[0]);
    }
    free(table->entries);
    table->entries = entries;
    table->capacity = capacity;
    for (uint32_t i = 0; i < table->count; i++) {
        const uint64_t hash = hash_of(&entries[i].key);
        *place_of(table, &entries[i].key, hash) =
            (struct table_place){(uint32_t)(hash >> 32), i + 1};
    }
}

struct table_entry *table_at(struct table *table, const struct table_key *key,
                             bool *is_new)
{
    PBFT_ASSERT(key->kind != 0);
    if (2 * (table->count + 1) > table->capacity) {
        grow(table);
    }
    const uint64_t hash = hash_of(key);
    struct table_place *place = place_of(table, key, hash);
    const bool is_free = place->number == 0;
    if (is_free) {
        table->entries[table->count++] = (struct table_entry){.key = *key};
        *place = (struct table_place){(uint32_t)(hash >> 32),
                                      (uint32_t)table->count};
    }
    if (is_new != NULL) {
        *is_new = is_free;
    }
    return &table->entries[place->number - 1];
}
