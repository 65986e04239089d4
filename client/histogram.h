/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies, counted in buckets whose width grows with the value: percentiles
 * are right to 1/64 of their value, from 1 microsecond to 4 hours, in constant
 * memory.
 */
#ifndef CLIENT_HISTOGRAM_H
#define CLIENT_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6 /* 64 buckets for each power of two. */
#define HISTOGRAM_BUCKETS                                                      \
    ((34u - HISTOGRAM_SUB_BITS + 1u) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
};

void histogram_add(struct histogram *histogram, uint64_t value_us);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that `permille` of the values do not exceed, in microseconds: 500
 * is the median, 999 the 99.9th percentile. 0 if there are none. */
uint64_t histogram_permille(const struct histogram *histogram,
                            uint32_t permille);

#endif /* CLIENT_HISTOGRAM_H */
