/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing; kind 0 marks an empty entry. */
#include "sim/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define TABLE_CAPACITY_FIRST 1024
/* An entry fills one, so that a look costs one miss. */
#define CACHE_LINE 64
static_assert(sizeof(struct table_entry) == CACHE_LINE, "one line each");

void table_init(struct table *table)
{
    *table = (struct table){.entries = NULL};
}

void table_deinit(struct table *table)
{
    free(table->entries);
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

static size_t place_of(const struct table *table, const struct table_key *key)
{
    uint64_t hash = mix(mix((uint64_t)key->kind << 32 | key->who) + key->a);
    size_t at = (size_t)(mix(hash + key->b) & (table->capacity - 1));
    while (table->entries[at].key.kind != 0 &&
           !is_equal(&table->entries[at].key, key)) {
        at = (at + 1) & (table->capacity - 1);
    }
    return at;
}

struct table_entry *table_find(const struct table *table,
                               const struct table_key *key)
{
    if (table->capacity == 0) {
        return NULL;
    }
    size_t at = place_of(table, key);
    return table->entries[at].key.kind == 0 ? NULL : &table->entries[at];
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity =
        old.capacity == 0 ? TABLE_CAPACITY_FIRST : 2 * old.capacity;
    size_t size = table->capacity * sizeof table->entries[0];
    table->entries = aligned_alloc(CACHE_LINE, size);
    PBFT_ASSERT(table->entries != NULL);
    memset(table->entries, 0, size);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].key.kind != 0) {
            size_t at = place_of(table, &old.entries[i].key);
            table->entries[at] = old.entries[i];
        }
    }
    free(old.entries);
}

struct table_entry *table_at(struct table *table, const struct table_key *key,
                             bool *is_new)
{
    PBFT_ASSERT(key->kind != 0);
    if (2 * (table->count + 1) > table->capacity) {
        grow(table);
    }
    size_t at = place_of(table, key);
    bool is_empty = table->entries[at].key.kind == 0;
    if (is_empty) {
        table->entries[at].key = *key;
        table->count++;
    }
    if (is_new != NULL) {
        *is_new = is_empty;
    }
    return &table->entries[at];
}
