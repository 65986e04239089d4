/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the request queue: all of it but the messages is made here. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/request_chain.h"

static uint32_t bucket_count_for(uint32_t capacity)
{
    uint32_t count = 1;
    while (count < capacity) {
        count *= 2;
    }
    return count;
}

/* Chains whatever is free, which is all. */
static void free_all(struct pbft_requests *requests)
{
    const uint32_t capacity = requests->capacity;
    for (uint32_t i = 0; i < capacity; i++) {
        const uint32_t next = i + 1 < capacity ? i + 1 : PBFT_INDEX_NONE;
        requests->items[i].hash_next = next;
    }
    for (uint32_t i = 0; i < capacity * PBFT_PLACES_MAX; i++) {
        requests->queues[i].next =
            i + 1 < capacity * PBFT_PLACES_MAX ? i + 1 : PBFT_INDEX_NONE;
    }
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        requests->institution_buckets[i] = PBFT_INDEX_NONE;
        requests->institutions[i].hash_next =
            i + 1 < PBFT_INSTITUTIONS_MAX ? i + 1 : PBFT_INDEX_NONE;
    }
    for (uint32_t i = 0; i <= PBFT_SHARE_OWN; i++) {
        for (uint32_t lane = 0; lane < PBFT_LANE_COUNT; lane++) {
            requests->bringers[i].queues[lane] = pbft_empty_chain;
        }
    }
}

bool pbft_requests_init(struct pbft_requests *requests, uint32_t capacity,
                        uint32_t institution_max, uint32_t bytes_max,
                        pbft_time_ms timeout_ms)
{
    PBFT_ASSERT(capacity > 0);
    PBFT_ASSERT(institution_max > 0 && institution_max <= capacity);
    *requests = (struct pbft_requests){
        .capacity = capacity,
        .institution_max = institution_max,
        .bytes_max = bytes_max,
        .timeout_ms = timeout_ms,
        .bucket_mask = bucket_count_for(capacity) - 1,
        .rounds = {pbft_empty_chain, pbft_empty_chain},
        .earliest = PBFT_TIME_NEVER,
    };
    pbft_requests_reserve(requests, 0);
    requests->items = calloc(capacity, sizeof *requests->items);
    requests->buckets =
        malloc((requests->bucket_mask + 1) * sizeof *requests->buckets);
    requests->institution_shares =
        malloc(PBFT_INSTITUTIONS_MAX * sizeof *requests->institution_shares);
    requests->queues =
        malloc((size_t)capacity * PBFT_PLACES_MAX * sizeof *requests->queues);
    if (requests->items == NULL || requests->buckets == NULL ||
        requests->institution_shares == NULL || requests->queues == NULL) {
        free(requests->items);
        free(requests->buckets);
        free(requests->institution_shares);
        free(requests->queues);
        *requests = (struct pbft_requests){0};
        return false;
    }
    for (uint32_t i = 0; i <= requests->bucket_mask; i++) {
        requests->buckets[i] = PBFT_INDEX_NONE;
    }
    free_all(requests);
    return true;
}

void pbft_requests_reserve(struct pbft_requests *requests, uint32_t parts)
{
    PBFT_ASSERT(requests->count == 0);
    requests->all_limits = pbft_share_limits_of(requests->capacity, parts);
    requests->byte_limits = pbft_share_limits_of(requests->bytes_max, parts);
    requests->institution_limits =
        pbft_share_limits_of(requests->institution_max, parts);
    requests->name_limits = pbft_share_limits_of(PBFT_INSTITUTIONS_MAX, parts);
}

void pbft_requests_deinit(struct pbft_requests *requests)
{
    for (uint32_t i = 0; i < requests->capacity; i++) {
        pbft_message_unref(requests->items[i].message);
    }
    free(requests->items);
    free(requests->buckets);
    free(requests->institution_shares);
    free(requests->queues);
    *requests = (struct pbft_requests){0};
}
