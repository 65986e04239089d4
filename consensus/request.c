/* SPDX-License-Identifier: Apache-2.0 */
/* The request queue: chains of indexes over two fixed arrays. */
#include "consensus/request.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "consensus/timer.h"

/* Which link of an item or institution a chain runs through. */
typedef struct pbft_link *link_of(struct pbft_requests *requests,
                                  uint32_t index, int lane);

static struct pbft_link *age_link(struct pbft_requests *requests,
                                  uint32_t index, int lane)
{
    (void)lane;
    return &requests->items[index].age;
}

static struct pbft_link *queue_link(struct pbft_requests *requests,
                                    uint32_t index, int lane)
{
    (void)lane;
    return &requests->items[index].queue;
}

static struct pbft_link *turn_link(struct pbft_requests *requests,
                                   uint32_t index, int lane)
{
    return &requests->institutions[index].turns[lane];
}

static const struct pbft_chain empty_chain = {PBFT_INDEX_NONE, PBFT_INDEX_NONE};

static bool is_empty(const struct pbft_chain *chain)
{
    return chain->first == PBFT_INDEX_NONE;
}

static void append(struct pbft_requests *requests, struct pbft_chain *chain,
                   link_of *link, uint32_t index, int lane)
{
    struct pbft_link *own = link(requests, index, lane);
    own->previous = chain->last;
    own->next = PBFT_INDEX_NONE;
    if (is_empty(chain)) {
        chain->first = index;
    } else {
        link(requests, chain->last, lane)->next = index;
    }
    chain->last = index;
}

static void detach(struct pbft_requests *requests, struct pbft_chain *chain,
                   link_of *link, uint32_t index, int lane)
{
    const struct pbft_link own = *link(requests, index, lane);
    PBFT_ASSERT(!is_empty(chain));
    if (own.previous == PBFT_INDEX_NONE) {
        PBFT_ASSERT(chain->first == index);
        chain->first = own.next;
    } else {
        link(requests, own.previous, lane)->next = own.next;
    }
    if (own.next == PBFT_INDEX_NONE) {
        PBFT_ASSERT(chain->last == index);
        chain->last = own.previous;
    } else {
        link(requests, own.next, lane)->previous = own.previous;
    }
}

static uint32_t bucket_count_for(uint32_t capacity)
{
    uint32_t count = 1;
    while (count < capacity) {
        count *= 2;
    }
    return count;
}

bool pbft_requests_init(struct pbft_requests *requests, uint32_t capacity,
                        uint32_t institution_max, pbft_time_ms timeout_ms)
{
    PBFT_ASSERT(capacity > 0);
    PBFT_ASSERT(institution_max > 0 && institution_max <= capacity);
    *requests = (struct pbft_requests){
        .capacity = capacity,
        .institution_max = institution_max,
        .timeout_ms = timeout_ms,
        .bucket_mask = bucket_count_for(capacity) - 1,
        .rounds = {empty_chain, empty_chain},
        .earliest = PBFT_TIME_NEVER,
    };
    requests->items = calloc(capacity, sizeof *requests->items);
    requests->buckets =
        malloc((requests->bucket_mask + 1) * sizeof *requests->buckets);
    if (requests->items == NULL || requests->buckets == NULL) {
        free(requests->items);
        free(requests->buckets);
        *requests = (struct pbft_requests){0};
        return false;
    }
    for (uint32_t i = 0; i <= requests->bucket_mask; i++) {
        requests->buckets[i] = PBFT_INDEX_NONE;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        requests->items[i].hash_next =
            i + 1 < capacity ? i + 1 : PBFT_INDEX_NONE;
    }
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        requests->institution_buckets[i] = PBFT_INDEX_NONE;
        requests->institutions[i].hash_next =
            i + 1 < PBFT_INSTITUTIONS_MAX ? i + 1 : PBFT_INDEX_NONE;
    }
    return true;
}

void pbft_requests_deinit(struct pbft_requests *requests)
{
    for (uint32_t i = 0; i < requests->capacity; i++) {
        pbft_message_unref(requests->items[i].message);
    }
    free(requests->items);
    free(requests->buckets);
    *requests = (struct pbft_requests){0};
}

/* Digests are uniform already: some of their bits are a hash. */
static uint32_t *bucket_of(const struct pbft_requests *requests,
                           const struct pbft_digest *digest)
{
    return &requests
                ->buckets[pbft_get_u32(digest->bytes) & requests->bucket_mask];
}

static uint32_t find(const struct pbft_requests *requests,
                     const struct pbft_digest *digest)
{
    uint32_t index = *bucket_of(requests, digest);
    while (index != PBFT_INDEX_NONE) {
        const struct pbft_pending *item = &requests->items[index];
        PBFT_ASSERT(item->message != NULL);
        if (memcmp(&item->message->request.digest, digest, sizeof *digest) ==
            0) {
            return index;
        }
        index = item->hash_next;
    }
    return PBFT_INDEX_NONE;
}

bool pbft_requests_has(const struct pbft_requests *requests,
                       const struct pbft_digest *digest)
{
    return find(requests, digest) != PBFT_INDEX_NONE;
}

/* Institution numbers are handed out by people and need mixing: FNV-1a. */
static uint32_t institution_hash(const struct pbft_institution *id)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < PBFT_INSTITUTION_SIZE; i++) {
        hash = (hash ^ id->bytes[i]) * UINT32_C(16777619);
    }
    return hash % PBFT_INSTITUTIONS_MAX;
}

/* PBFT_INDEX_NONE if there are too many. */
static uint32_t institution_of(struct pbft_requests *requests,
                               const struct pbft_institution *id)
{
    uint32_t *bucket = &requests->institution_buckets[institution_hash(id)];
    for (uint32_t i = *bucket; i != PBFT_INDEX_NONE;
         i = requests->institutions[i].hash_next) {
        if (memcmp(&requests->institutions[i].id, id, sizeof *id) == 0) {
            return i;
        }
    }
    uint32_t index = requests->free_institution;
    if (index != PBFT_INDEX_NONE) {
        struct pbft_pending_institution *entry = &requests->institutions[index];
        requests->free_institution = entry->hash_next;
        if (index >= requests->institutions_used) {
            requests->institutions_used = index + 1;
        }
        *entry = (struct pbft_pending_institution){
            .id = *id,
            .hash_next = *bucket,
            .age = empty_chain,
            .lanes = {empty_chain, empty_chain},
            .deadline = PBFT_TIME_NEVER,
        };
        *bucket = index;
    }
    return index;
}

static void release_institution(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending_institution *entry = &requests->institutions[index];
    PBFT_ASSERT(entry->count == 0);
    PBFT_ASSERT(is_empty(&entry->lanes[0]) && is_empty(&entry->lanes[1]));
    uint32_t *at = &requests->institution_buckets[institution_hash(&entry->id)];
    while (*at != index) {
        PBFT_ASSERT(*at != PBFT_INDEX_NONE);
        at = &requests->institutions[*at].hash_next;
    }
    *at = entry->hash_next;
    entry->hash_next = requests->free_institution;
    requests->free_institution = index;
}

static void set_deadline(struct pbft_requests *requests,
                         struct pbft_pending_institution *entry,
                         pbft_time_ms now)
{
    entry->deadline = entry->count == 0
                          ? PBFT_TIME_NEVER
                          : pbft_time_after(now, requests->timeout_ms);
    if (entry->deadline < requests->earliest) {
        requests->earliest = entry->deadline;
    }
}

void pbft_requests_put_back(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    const int lane = (int)item->message->request.lane;
    struct pbft_pending_institution *entry =
        &requests->institutions[item->institution];
    PBFT_ASSERT(!item->is_waiting);
    PBFT_ASSERT(lane < PBFT_LANE_COUNT);
    if (is_empty(&entry->lanes[lane])) {
        append(requests, &requests->rounds[lane], turn_link, item->institution,
               lane);
    }
    append(requests, &entry->lanes[lane], queue_link, index, lane);
    item->is_waiting = true;
    requests->waiting++;
    requests->waiting_bytes += item->message->request.payload.size;
}

static void end_waiting(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    const int lane = (int)item->message->request.lane;
    struct pbft_pending_institution *entry =
        &requests->institutions[item->institution];
    if (!item->is_waiting) {
        return;
    }
    detach(requests, &entry->lanes[lane], queue_link, index, lane);
    if (is_empty(&entry->lanes[lane])) {
        detach(requests, &requests->rounds[lane], turn_link, item->institution,
               lane);
    }
    PBFT_ASSERT(requests->waiting > 0);
    item->is_waiting = false;
    requests->waiting--;
    requests->waiting_bytes -= item->message->request.payload.size;
}

enum pbft_verdict pbft_requests_admit(struct pbft_requests *requests,
                                      const struct pbft_message *message,
                                      pbft_time_ms now, bool is_own)
{
    PBFT_ASSERT(message->type == PBFT_MESSAGE_REQUEST);
    uint32_t known = find(requests, &message->request.digest);
    if (known != PBFT_INDEX_NONE) {
        /* Relayed before the client itself came: now it is ours to push. */
        requests->items[known].is_own |= is_own;
        return PBFT_DUPLICATE;
    }
    if (requests->count == requests->capacity) {
        return PBFT_QUEUE_FULL;
    }
    uint32_t institution =
        institution_of(requests, &message->request.institution);
    if (institution == PBFT_INDEX_NONE ||
        requests->institutions[institution].count >=
            requests->institution_max) {
        return PBFT_QUEUE_FULL;
    }
    uint32_t index = requests->free_item;
    PBFT_ASSERT(index != PBFT_INDEX_NONE);
    struct pbft_pending *item = &requests->items[index];
    uint32_t *bucket = bucket_of(requests, &message->request.digest);
    struct pbft_pending_institution *entry =
        &requests->institutions[institution];
    requests->free_item = item->hash_next;
    *item = (struct pbft_pending){.message = pbft_message_ref(message),
                                  .institution = institution,
                                  .hash_next = *bucket,
                                  .since = now,
                                  .is_own = is_own};
    *bucket = index;
    append(requests, &entry->age, age_link, index, 0);
    requests->count++;
    requests->bytes += message->request.payload.size;
    entry->count++;
    if (entry->count == 1) {
        set_deadline(requests, entry, now);
    }
    pbft_requests_put_back(requests, index);
    return PBFT_ACCEPTED;
}

const struct pbft_pending *
pbft_requests_find(const struct pbft_requests *requests,
                   const struct pbft_digest *digest)
{
    const uint32_t index = find(requests, digest);
    return index == PBFT_INDEX_NONE ? NULL : &requests->items[index];
}

void pbft_requests_tell(struct pbft_requests *requests,
                        const struct pbft_digest *digest, pbft_time_ms now)
{
    const uint32_t index = find(requests, digest);
    if (index != PBFT_INDEX_NONE && !requests->items[index].is_told) {
        requests->items[index].is_told = true;
        requests->items[index].told_at = now;
    }
}

void pbft_requests_share(struct pbft_requests *requests,
                         const struct pbft_digest *digest)
{
    const uint32_t index = find(requests, digest);
    if (index != PBFT_INDEX_NONE) {
        requests->items[index].is_shared = true;
    }
}

uint32_t pbft_requests_count_of(const struct pbft_requests *requests,
                                const struct pbft_institution *id)
{
    for (uint32_t i = requests->institution_buckets[institution_hash(id)];
         i != PBFT_INDEX_NONE; i = requests->institutions[i].hash_next) {
        if (memcmp(&requests->institutions[i].id, id, sizeof *id) == 0) {
            return requests->institutions[i].count;
        }
    }
    return 0;
}

void pbft_requests_take(struct pbft_requests *requests,
                        const struct pbft_digest *digest)
{
    uint32_t index = find(requests, digest);
    if (index != PBFT_INDEX_NONE) {
        end_waiting(requests, index);
    }
}

void pbft_requests_remove(struct pbft_requests *requests,
                          const struct pbft_digest *digest, pbft_time_ms now)
{
    uint32_t index = find(requests, digest);
    if (index == PBFT_INDEX_NONE) {
        return;
    }
    struct pbft_pending *item = &requests->items[index];
    struct pbft_pending_institution *entry =
        &requests->institutions[item->institution];
    PBFT_ASSERT(requests->count > 0);
    PBFT_ASSERT(entry->count > 0);
    end_waiting(requests, index);
    detach(requests, &entry->age, age_link, index, 0);
    uint32_t *at = bucket_of(requests, digest);
    while (*at != index) {
        at = &requests->items[*at].hash_next;
    }
    *at = item->hash_next;
    requests->count--;
    requests->bytes -= item->message->request.payload.size;
    entry->count--;
    set_deadline(requests, entry, now);
    if (entry->count == 0) {
        release_institution(requests, item->institution);
    }
    pbft_message_unref(item->message);
    item->message = NULL;
    item->hash_next = requests->free_item;
    requests->free_item = index;
}
