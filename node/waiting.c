/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of entries, each on one chain: of its request or of its block. */
#include "node/waiting.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define REQUEST_CHAINS 16384u /* A power of two. */
#define BLOCK_CHAINS 1024u    /* A power of two. */
#define NOBODY UINT32_MAX

struct entry {
    struct waiting_call call;
    struct pbft_digest request; /* While on a chain of requests. */
    uint32_t next;              /* On its chain, or in the free list. */
    bool in_use;
};

struct waiting {
    pthread_mutex_t lock; /* Guards everything below. */
    struct entry *entries;
    uint32_t entries_max;
    uint32_t free_first;
    size_t count;
    pbft_time_ms earliest_ms; /* No deadline is before this. */
    uint32_t by_request[REQUEST_CHAINS];
    uint32_t by_block[BLOCK_CHAINS];
};

struct waiting *waiting_create(size_t calls_max)
{
    PBFT_ASSERT(calls_max > 0);
    PBFT_ASSERT(calls_max < NOBODY);
    struct waiting *waiting = calloc(1, sizeof *waiting);
    PBFT_ASSERT(waiting != NULL);
    waiting->entries = calloc(calls_max, sizeof *waiting->entries);
    PBFT_ASSERT(waiting->entries != NULL);
    waiting->entries_max = (uint32_t)calls_max;
    waiting->earliest_ms = PBFT_TIME_NEVER;
    for (uint32_t i = 0; i < waiting->entries_max; i++) {
        waiting->entries[i].next =
            i + 1 < waiting->entries_max ? i + 1 : NOBODY;
    }
    memset(waiting->by_request, 0xff, sizeof waiting->by_request);
    memset(waiting->by_block, 0xff, sizeof waiting->by_block);
    (void)pthread_mutex_init(&waiting->lock, NULL);
    return waiting;
}

void waiting_destroy(struct waiting *waiting)
{
    if (waiting == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&waiting->lock);
    free(waiting->entries);
    free(waiting);
}

static uint32_t *request_chain(struct waiting *waiting,
                               const struct pbft_digest *request)
{
    uint32_t word;
    memcpy(&word, request->bytes, sizeof word);
    return &waiting->by_request[word & (REQUEST_CHAINS - 1)];
}

static uint32_t *block_chain(struct waiting *waiting, pbft_seq seq)
{
    return &waiting->by_block[seq & (BLOCK_CHAINS - 1)];
}

static bool is_of_request(const struct entry *entry,
                          const struct pbft_digest *request)
{
    return memcmp(&entry->request, request, sizeof *request) == 0;
}

/* Puts a new entry on `chain`; NULL if the pool is used up. */
static struct entry *insert(struct waiting *waiting, uint32_t *chain,
                            const struct waiting_call *call)
{
    uint32_t index = waiting->free_first;
    if (index == NOBODY) {
        return NULL;
    }
    struct entry *entry = &waiting->entries[index];
    waiting->free_first = entry->next;
    entry->call = *call;
    entry->in_use = true;
    entry->next = *chain;
    *chain = index;
    waiting->count++;
    if (call->deadline_ms < waiting->earliest_ms) {
        waiting->earliest_ms = call->deadline_ms;
    }
    return entry;
}

/* Takes the entry that `link` leads to off its chain, into the free list. */
static struct waiting_call release(struct waiting *waiting, uint32_t *link)
{
    uint32_t index = *link;
    struct entry *entry = &waiting->entries[index];
    *link = entry->next;
    entry->in_use = false;
    entry->next = waiting->free_first;
    waiting->free_first = index;
    waiting->count--;
    return entry->call;
}

enum pbft_status waiting_add_request(struct waiting *waiting,
                                     const struct pbft_digest *request,
                                     const struct waiting_call *call)
{
    PBFT_ASSERT(call->at.seq == 0);
    (void)pthread_mutex_lock(&waiting->lock);
    struct entry *entry =
        insert(waiting, request_chain(waiting, request), call);
    if (entry != NULL) {
        entry->request = *request;
    }
    (void)pthread_mutex_unlock(&waiting->lock);
    return entry != NULL ? PBFT_OK : PBFT_LIMIT;
}

enum pbft_status waiting_add_located(struct waiting *waiting,
                                     const struct waiting_call *call)
{
    PBFT_ASSERT(call->at.seq != 0);
    (void)pthread_mutex_lock(&waiting->lock);
    struct entry *entry =
        insert(waiting, block_chain(waiting, call->at.seq), call);
    (void)pthread_mutex_unlock(&waiting->lock);
    return entry != NULL ? PBFT_OK : PBFT_LIMIT;
}

size_t waiting_locate(struct waiting *waiting,
                      const struct pbft_digest *request,
                      const struct results_location *at)
{
    PBFT_ASSERT(at->seq != 0);
    size_t moved = 0;
    (void)pthread_mutex_lock(&waiting->lock);
    uint32_t *link = request_chain(waiting, request);
    uint32_t *block = block_chain(waiting, at->seq);
    while (*link != NOBODY) {
        uint32_t index = *link;
        struct entry *entry = &waiting->entries[index];
        if (!is_of_request(entry, request)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        entry->call.at = *at;
        entry->next = *block;
        *block = index;
        moved++;
    }
    (void)pthread_mutex_unlock(&waiting->lock);
    return moved;
}

bool waiting_has_block(struct waiting *waiting, pbft_seq seq)
{
    (void)pthread_mutex_lock(&waiting->lock);
    uint32_t index = *block_chain(waiting, seq);
    while (index != NOBODY && waiting->entries[index].call.at.seq != seq) {
        index = waiting->entries[index].next;
    }
    (void)pthread_mutex_unlock(&waiting->lock);
    return index != NOBODY;
}

size_t waiting_take_block(struct waiting *waiting, struct waiting_call *out,
                          size_t capacity, pbft_seq seq)
{
    size_t taken = 0;
    (void)pthread_mutex_lock(&waiting->lock);
    uint32_t *link = block_chain(waiting, seq);
    while (*link != NOBODY && taken < capacity) {
        struct entry *entry = &waiting->entries[*link];
        if (entry->call.at.seq == seq) {
            out[taken++] = release(waiting, link);
        } else {
            link = &entry->next;
        }
    }
    (void)pthread_mutex_unlock(&waiting->lock);
    return taken;
}

size_t waiting_take_request(struct waiting *waiting, struct waiting_call *out,
                            size_t capacity, const struct pbft_digest *request)
{
    size_t taken = 0;
    (void)pthread_mutex_lock(&waiting->lock);
    uint32_t *link = request_chain(waiting, request);
    while (*link != NOBODY && taken < capacity) {
        struct entry *entry = &waiting->entries[*link];
        if (is_of_request(entry, request)) {
            out[taken++] = release(waiting, link);
        } else {
            link = &entry->next;
        }
    }
    (void)pthread_mutex_unlock(&waiting->lock);
    return taken;
}

/* The link on the entry's chain that leads to it. */
static uint32_t *link_to(struct waiting *waiting, uint32_t index)
{
    const struct entry *entry = &waiting->entries[index];
    uint32_t *link = entry->call.at.seq != 0
                         ? block_chain(waiting, entry->call.at.seq)
                         : request_chain(waiting, &entry->request);
    while (*link != index) {
        PBFT_ASSERT(*link != NOBODY);
        link = &waiting->entries[*link].next;
    }
    return link;
}

size_t waiting_take_expired(struct waiting *waiting, struct waiting_call *out,
                            size_t capacity, pbft_time_ms now_ms)
{
    size_t taken = 0;
    (void)pthread_mutex_lock(&waiting->lock);
    if (waiting->count == 0 || now_ms < waiting->earliest_ms) {
        (void)pthread_mutex_unlock(&waiting->lock);
        return 0;
    }
    pbft_time_ms earliest = PBFT_TIME_NEVER;
    for (uint32_t i = 0; i < waiting->entries_max; i++) {
        const struct entry *entry = &waiting->entries[i];
        if (!entry->in_use) {
            continue;
        }
        if (entry->call.deadline_ms <= now_ms && taken < capacity) {
            out[taken++] = release(waiting, link_to(waiting, i));
        } else if (entry->call.deadline_ms < earliest) {
            earliest = entry->call.deadline_ms;
        }
    }
    waiting->earliest_ms = earliest;
    (void)pthread_mutex_unlock(&waiting->lock);
    return taken;
}

size_t waiting_count(struct waiting *waiting)
{
    (void)pthread_mutex_lock(&waiting->lock);
    size_t count = waiting->count;
    (void)pthread_mutex_unlock(&waiting->lock);
    return count;
}
