/* SPDX-License-Identifier: Apache-2.0 */
/* Figures out of counters; what bench_run.c and bench_figures.c share. */
#ifndef CLIENT_BENCH_FIGURES_H
#define CLIENT_BENCH_FIGURES_H

#include "client/bench.h"
#include "client/bench_fault.h"
#include "client/load.h"

/* At one moment. */
struct bench_counters {
    struct trial_status replicas[TRIAL_REPLICAS_MAX];
    bool has_answered[TRIAL_REPLICAS_MAX];
    uint64_t client_cpu_us;
    uint64_t requests;
};

/* A run under way. */
struct bench {
    struct trial trial;
    struct load_report load;
    struct bench_counters before;
    struct bench_counters after;
    struct bench_fault_run fault;
};

void bench_figures_compute(const struct bench *bench,
                           struct bench_figures *out);

#endif /* CLIENT_BENCH_FIGURES_H */
