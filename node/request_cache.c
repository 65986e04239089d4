/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table: a digest has REQUEST_CACHE_WAYS places, of which the
 * oldest is overwritten. Locks are striped over the sets. */
#include "node/request_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define STRIPES 64

struct cache_set {
    struct pbft_digest digests[REQUEST_CACHE_WAYS];
    uint32_t next; /* Way to be overwritten. */
};

/* What changes behind the const pointer of the verifier. */
struct cache_table {
    size_t set_count;
    pthread_mutex_t locks[STRIPES]; /* Set i is guarded by lock i % STRIPES. */
    struct cache_set *sets;
};

struct request_cache {
    struct cache_table *table;
};

struct request_cache *request_cache_create(size_t capacity)
{
    PBFT_ASSERT(capacity >= REQUEST_CACHE_WAYS);
    PBFT_ASSERT((capacity & (capacity - 1)) == 0);
    struct request_cache *cache = calloc(1, sizeof *cache);
    PBFT_ASSERT(cache != NULL);
    cache->table = calloc(1, sizeof *cache->table);
    PBFT_ASSERT(cache->table != NULL);
    cache->table->set_count = capacity / REQUEST_CACHE_WAYS;
    cache->table->sets =
        calloc(cache->table->set_count, sizeof *cache->table->sets);
    PBFT_ASSERT(cache->table->sets != NULL);
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_init(&cache->table->locks[i], NULL);
    }
    return cache;
}

void request_cache_destroy(struct request_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_destroy(&cache->table->locks[i]);
    }
    free(cache->table->sets);
    free(cache->table);
    free(cache);
}

static size_t set_of(const struct cache_table *table,
                     const struct pbft_digest *digest)
{
    uint64_t word;
    memcpy(&word, digest->bytes, sizeof word);
    return (size_t)(word & (table->set_count - 1));
}

/* An empty way is all zeros, which is no digest that anybody can find. */
static bool set_has(const struct cache_set *set,
                    const struct pbft_digest *digest)
{
    for (size_t i = 0; i < REQUEST_CACHE_WAYS; i++) {
        if (memcmp(&set->digests[i], digest, sizeof *digest) == 0) {
            return true;
        }
    }
    return false;
}

bool request_cache_has(const void *context, const struct pbft_digest *digest)
{
    struct cache_table *table = ((const struct request_cache *)context)->table;
    size_t index = set_of(table, digest);
    (void)pthread_mutex_lock(&table->locks[index % STRIPES]);
    bool found = set_has(&table->sets[index], digest);
    (void)pthread_mutex_unlock(&table->locks[index % STRIPES]);
    return found;
}

void request_cache_add(const void *context, const struct pbft_digest *digest)
{
    struct cache_table *table = ((const struct request_cache *)context)->table;
    size_t index = set_of(table, digest);
    struct cache_set *set = &table->sets[index];
    (void)pthread_mutex_lock(&table->locks[index % STRIPES]);
    if (!set_has(set, digest)) {
        set->digests[set->next] = *digest;
        set->next = (set->next + 1) % REQUEST_CACHE_WAYS;
    }
    (void)pthread_mutex_unlock(&table->locks[index % STRIPES]);
}
