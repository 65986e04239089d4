/* SPDX-License-Identifier: Apache-2.0 */
/* A log-linear histogram. */
#include "client/histogram.h"

#include <stddef.h>

#define SUB_COUNT (UINT64_C(1) << HISTOGRAM_SUB_BITS)

static size_t bucket_of(uint64_t value)
{
    uint32_t shift = 0;

    while ((value >> shift) >= 2 * SUB_COUNT) {
        shift++;
    }
    size_t bucket = ((size_t)shift << HISTOGRAM_SUB_BITS) + (value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(size_t bucket)
{
    if (bucket < 2 * SUB_COUNT) {
        return bucket;
    }
    uint32_t shift = (uint32_t)(bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t value = bucket - ((size_t)shift << HISTOGRAM_SUB_BITS);
    return ((value + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    histogram->buckets[bucket_of(value_us)]++;
    histogram->count++;
    histogram->sum_us += value_us;
    if (value_us > histogram->max_us) {
        histogram->max_us = value_us;
    }
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        into->buckets[i] += from->buckets[i];
    }
    into->count += from->count;
    into->sum_us += from->sum_us;
    if (from->max_us > into->max_us) {
        into->max_us = from->max_us;
    }
}

uint64_t histogram_permille(const struct histogram *histogram,
                            uint32_t permille)
{
    uint64_t wanted = (histogram->count * permille + 999) / 1000;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t top = bucket_top(i);
            return top < histogram->max_us ? top : histogram->max_us;
        }
    }
    return histogram->max_us;
}
