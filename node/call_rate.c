/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, in thousandths of a token. */
#include "node/call_rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/limits.h"

#define TOKEN                                                                  \
    1000u /* What a millisecond fills at one token per second is 1.            \
           */
#define FULL ((uint64_t)NODE_CERTIFY_BURST_MAX * TOKEN)

struct bucket {
    uint64_t missing; /* From FULL. */
    pbft_time_ms at;
};

struct call_rate {
    pthread_mutex_t lock;
    uint32_t members;
    struct bucket buckets[];
};

struct call_rate *call_rate_create(uint32_t members)
{
    struct call_rate *rate =
        calloc(1, sizeof *rate + members * sizeof *rate->buckets);
    PBFT_ASSERT(rate != NULL);
    rate->members = members;
    (void)pthread_mutex_init(&rate->lock, NULL);
    return rate;
}

void call_rate_destroy(struct call_rate *rate)
{
    if (rate != NULL) {
        (void)pthread_mutex_destroy(&rate->lock);
        free(rate);
    }
}

static void fill(struct bucket *bucket, pbft_time_ms now_ms)
{
    uint64_t passed = now_ms > bucket->at ? now_ms - bucket->at : 0;
    if (passed > FULL / NODE_CERTIFY_PER_SECOND_MAX ||
        passed * NODE_CERTIFY_PER_SECOND_MAX >= bucket->missing) {
        bucket->missing = 0;
    } else {
        bucket->missing -= passed * NODE_CERTIFY_PER_SECOND_MAX;
    }
    bucket->at = now_ms;
}

bool call_rate_take(struct call_rate *rate, uint32_t member,
                    pbft_time_ms now_ms)
{
    PBFT_ASSERT(member < rate->members);
    struct bucket *bucket = &rate->buckets[member];
    (void)pthread_mutex_lock(&rate->lock);
    fill(bucket, now_ms);
    bool taken = bucket->missing + TOKEN <= FULL;
    if (taken) {
        bucket->missing += TOKEN;
    }
    (void)pthread_mutex_unlock(&rate->lock);
    return taken;
}
