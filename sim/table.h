/* SPDX-License-Identifier: Apache-2.0 */
/* A map from five numbers to a digest, for what the auditor must remember.
 * Never iterated, so that no result depends on its order. */
#ifndef SIM_TABLE_H
#define SIM_TABLE_H

#include "consensus/types.h"

struct table_key {
    uint32_t kind; /* The user's name space; not 0. */
    uint32_t who;
    uint64_t a;
    uint64_t b;
};

struct table_entry {
    struct table_key key;
    struct pbft_digest digest;
    uint64_t bits; /* For the user, 0 at first. */
};

/* Where an entry is, and enough of its hash to tell it from most others. */
struct table_place {
    uint32_t hash;
    uint32_t number; /* Of the entry, from 1; 0: free. */
};

struct table {
    struct table_entry *entries; /* As they came: what is new lies together. */
    size_t count;
    struct table_place *places;
    size_t capacity; /* Of places: a power of two, or 0. */
};

void table_init(struct table *table);
void table_deinit(struct table *table);
/* NULL: not there. Valid until the next insertion. */
struct table_entry *table_find(const struct table *table,
                               const struct table_key *key);
/* Finds or inserts; `*is_new` (may be NULL) says which. */
struct table_entry *table_at(struct table *table, const struct table_key *key,
                             bool *is_new);

#endif /* SIM_TABLE_H */
