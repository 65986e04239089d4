/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts cost on this machine by themselves, and the throughput that
 * would be left if there were nothing else: the bound of a configuration.
 */
#ifndef CLIENT_BENCH_LIMITS_H
#define CLIENT_BENCH_LIMITS_H

#include "client/bench.h"

#define BENCH_PARTS_MAX 12

/* One row: so many for each transaction, all processes together. */
struct bench_part {
    const char *name;
    const char *unit;
    double count;   /* For one transaction. */
    double cost_us; /* CPU time of one. */
};

struct bench_bound {
    struct bench_part parts[BENCH_PARTS_MAX];
    uint32_t part_count;
    double sync_wall_ms; /* Until a synced write returns. */
    double us_per_transaction;
    double transactions_per_second; /* With all cores at that alone. */
    double share;                   /* Of it that was measured. */
    /* The same if all blocks and requests had been full: small ones raise what
     * a transaction costs, and with it the share above. */
    double full_block; /* Transactions in it. */
    double full_transactions_per_second;
    double full_share;
};

/* Measures the parts with salusd, a few seconds, and applies them to the counts
 * of `result`. Says what failed on standard error. */
bool bench_bound_measure(const struct bench_result *result,
                         struct bench_bound *out);
void bench_bound_print(const struct bench_result *result,
                       const struct bench_bound *bound);

#endif /* CLIENT_BENCH_LIMITS_H */
