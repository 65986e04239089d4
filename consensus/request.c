/* SPDX-License-Identifier: Apache-2.0 */
/* The request queue: chains of indexes over two fixed arrays. */
#include "consensus/request.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "consensus/request_chain.h"
#include "consensus/timer.h"

static struct pbft_link *age_link(struct pbft_requests *requests,
                                  uint32_t index, uint32_t lane)
{
    (void)lane;
    return &requests->items[index].age;
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
                               const struct pbft_institution *id,
                               uint32_t bringer, pbft_time_ms now)
{
    uint32_t *bucket = &requests->institution_buckets[institution_hash(id)];
    for (uint32_t i = *bucket; i != PBFT_INDEX_NONE;
         i = requests->institutions[i].hash_next) {
        if (memcmp(&requests->institutions[i].id, id, sizeof *id) == 0) {
            return i;
        }
    }
    if (!pbft_shares_have_room(&requests->name_shares, &requests->name_limits,
                               bringer, 1)) {
        return PBFT_INDEX_NONE;
    }
    uint32_t index = requests->free_institution;
    if (index != PBFT_INDEX_NONE) {
        pbft_shares_take(&requests->name_shares, &requests->name_limits,
                         bringer, 1);
        struct pbft_pending_institution *entry = &requests->institutions[index];
        requests->free_institution = entry->hash_next;
        if (index >= requests->institutions_used) {
            requests->institutions_used = index + 1;
            requests->institution_shares[index] = (struct pbft_shares){0};
        }
        *entry = (struct pbft_pending_institution){
            .id = *id,
            .bringer = bringer,
            .hash_next = *bucket,
            .age = pbft_empty_chain,
            .queues = PBFT_INDEX_NONE,
            .oldest_at = now,
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
    PBFT_ASSERT(entry->queues == PBFT_INDEX_NONE);
    uint32_t *at = &requests->institution_buckets[institution_hash(&entry->id)];
    while (*at != index) {
        PBFT_ASSERT(*at != PBFT_INDEX_NONE);
        at = &requests->institutions[*at].hash_next;
    }
    *at = entry->hash_next;
    pbft_shares_give_back(&requests->name_shares, &requests->name_limits,
                          entry->bringer, 1);
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

/* Whose part it takes a place of. */
static uint32_t bringer_of(const struct pbft_message *message)
{
    return message->sender < PBFT_REPLICAS_MAX ? message->sender
                                               : PBFT_SHARE_OWN;
}

static uint32_t bytes_of(const struct pbft_message *message)
{
    PBFT_ASSERT(message->request.payload.size <= PBFT_REQUEST_BYTES_MAX);
    return (uint32_t)message->request.payload.size;
}

/* There is room for it. */
static void insert(struct pbft_requests *requests,
                   const struct pbft_message *message, uint32_t institution,
                   pbft_time_ms now, bool is_own)
{
    uint32_t index = requests->free_item;
    PBFT_ASSERT(index != PBFT_INDEX_NONE);
    struct pbft_pending *item = &requests->items[index];
    uint32_t *bucket = bucket_of(requests, &message->request.digest);
    struct pbft_pending_institution *entry =
        &requests->institutions[institution];
    requests->free_item = item->hash_next;
    *item = (struct pbft_pending){.message = pbft_message_ref(message),
                                  .institution = institution,
                                  .bringer = bringer_of(message),
                                  .hash_next = *bucket,
                                  .since = now,
                                  .is_own = is_own};
    *bucket = index;
    pbft_chain_append(requests, &entry->age, age_link, index, 0);
    requests->count++;
    entry->count++;
    if (entry->count == 1) {
        set_deadline(requests, entry, now);
    }
    pbft_requests_put_back(requests, index);
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
        pbft_requests_bring_again(requests, known, bringer_of(message));
        return PBFT_DUPLICATE;
    }
    const uint32_t bringer = bringer_of(message);
    const uint32_t bytes = bytes_of(message);
    if (!pbft_shares_have_room(&requests->all_shares, &requests->all_limits,
                               bringer, 1) ||
        !pbft_shares_have_room(&requests->byte_shares, &requests->byte_limits,
                               bringer, bytes)) {
        return PBFT_QUEUE_FULL;
    }
    uint32_t institution =
        institution_of(requests, &message->request.institution, bringer, now);
    if (institution == PBFT_INDEX_NONE ||
        !pbft_shares_have_room(&requests->institution_shares[institution],
                               &requests->institution_limits, bringer, 1)) {
        return PBFT_QUEUE_FULL;
    }
    pbft_shares_take(&requests->all_shares, &requests->all_limits, bringer, 1);
    pbft_shares_take(&requests->byte_shares, &requests->byte_limits, bringer,
                     bytes);
    pbft_shares_take(&requests->institution_shares[institution],
                     &requests->institution_limits, bringer, 1);
    insert(requests, message, institution, now, is_own);
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
        pbft_requests_end_waiting(requests, index);
    }
}

/* An honest primary takes what one bringer tells it in the order in which it
 * comes there, and knows our oldest request a timeout after it became that,
 * also if it was lost on the way: we tell it again. So what came here later
 * still is not before it, however long the queues are; if it was, the oldest is
 * passed over, and other progress is no excuse (design: P7). */
static bool may_precede_oldest(const struct pbft_requests *requests,
                               const struct pbft_pending_institution *entry,
                               pbft_time_ms since)
{
    return since <= pbft_time_after(entry->oldest_at, requests->timeout_ms);
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
    const bool was_oldest = entry->age.first == index;
    pbft_requests_end_waiting(requests, index);
    pbft_chain_detach(requests, &entry->age, age_link, index, 0);
    uint32_t *at = bucket_of(requests, digest);
    while (*at != index) {
        at = &requests->items[*at].hash_next;
    }
    *at = item->hash_next;
    pbft_shares_give_back(&requests->all_shares, &requests->all_limits,
                          item->bringer, 1);
    pbft_shares_give_back(&requests->byte_shares, &requests->byte_limits,
                          item->bringer, bytes_of(item->message));
    pbft_shares_give_back(&requests->institution_shares[item->institution],
                          &requests->institution_limits, item->bringer, 1);
    requests->count--;
    entry->count--;
    if (was_oldest) {
        entry->oldest_at = now;
    }
    if (was_oldest || may_precede_oldest(requests, entry, item->since)) {
        set_deadline(requests, entry, now);
    }
    if (entry->count == 0) {
        release_institution(requests, item->institution);
    }
    pbft_message_unref(item->message);
    item->message = NULL;
    item->hash_next = requests->free_item;
    requests->free_item = index;
}

void pbft_requests_remove_all(struct pbft_requests *requests,
                              const struct pbft_batch *batch, pbft_time_ms now)
{
    for (uint32_t i = 0; i < batch->request_count; i++) {
        pbft_requests_remove(requests, &batch->requests[i]->request.digest,
                             now);
    }
}
