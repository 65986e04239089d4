/* SPDX-License-Identifier: Apache-2.0 */
/* What many runs came to, and how it is told. */
#ifndef SIM_TOTALS_H
#define SIM_TOTALS_H

#include <stdio.h>

#include "sim/sim.h"

struct sim_totals {
    uint64_t seeds;
    uint64_t failed;
    uint64_t events;
    uint64_t time_us; /* Simulated. */
    uint64_t requests;
    uint64_t blocks;
    uint64_t excused;   /* Runs at whose end nothing could be demanded. */
    uint64_t byzantine; /* Runs with adversaries; */
    uint64_t hostile;   /* and with hostile clients. */
    uint64_t faults[FAULT_KINDS_MAX];
    uint64_t attacks[ADVERSARY_KINDS_MAX];
    uint64_t hostile_acts[HOSTILE_KINDS_MAX];
    uint64_t marks[PBFT_MARK_COUNT];
    struct network_counts network;
    struct tally_sums tally;
    uint64_t hash; /* Of all trace hashes, in any order. */
    double seconds;
    double cpu_seconds;
};

void sim_totals_add(struct sim_totals *totals, const struct sim_result *result);

/* A few lines for people. */
void sim_totals_print(const struct sim_totals *totals, const char *profile,
                      FILE *out);
/* One line, an object. `failure`: the command that reproduces it, or NULL. */
void sim_totals_print_json(const struct sim_totals *totals, const char *profile,
                           const char *rule, const char *failure, FILE *out);

#endif /* SIM_TOTALS_H */
