/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the request queue: all of it but the messages is made here. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/request.h"

static const struct pbft_chain empty_chain = {PBFT_INDEX_NONE, PBFT_INDEX_NONE};

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
    pbft_requests_reserve(requests, 0);
    requests->items = calloc(capacity, sizeof *requests->items);
    requests->buckets =
        malloc((requests->bucket_mask + 1) * sizeof *requests->buckets);
    requests->institution_shares =
        malloc(PBFT_INSTITUTIONS_MAX * sizeof *requests->institution_shares);
    if (requests->items == NULL || requests->buckets == NULL ||
        requests->institution_shares == NULL) {
        free(requests->items);
        free(requests->buckets);
        free(requests->institution_shares);
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

void pbft_requests_reserve(struct pbft_requests *requests, uint32_t parts)
{
    PBFT_ASSERT(requests->count == 0);
    requests->all_limits = pbft_share_limits_of(requests->capacity, parts);
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
    requests->items = NULL;
    requests->buckets = NULL;
    requests->institution_shares = NULL;
    requests->capacity = 0;
}
