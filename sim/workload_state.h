/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the workload itself. Private to workload.c and
 * workload_world.c. */
#ifndef SIM_WORKLOAD_STATE_H
#define SIM_WORKLOAD_STATE_H

#include "sim/random.h"
#include "sim/workload_world.h"

/* The submissions of one request lie one behind the other. */
struct submitted_request {
    size_t first;
    size_t count;
};

struct submitter {
    struct submitted_request *requests; /* Sequence s is at s - 1. */
    size_t request_count;
    struct transaction_bytes last; /* Transaction. */
    enum transaction_type last_type;
};

struct workload {
    struct random random;
    struct thing **things; /* The first ones are the members. */
    uint32_t thing_count;
    struct submission *submissions;
    size_t submission_count;
    struct pbft_institution members[PBFT_INSTITUTIONS_MAX];
    size_t member_count;
    struct submitter submitters[SIM_CLIENTS_MAX];
    uint64_t key_count;
    uint64_t noise_count;
    pbft_seq seq; /* Of the last block that it heard of. */
    uint64_t now_ms;
    struct tally tally;
};

struct thing *workload_add(struct workload *workload, enum thing_kind kind,
                           const struct thing *party);

#endif /* SIM_WORKLOAD_STATE_H */
