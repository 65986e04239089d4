/* SPDX-License-Identifier: Apache-2.0 */
/* Something goes wrong in the middle of a measurement; the two halves of the
 * same run are compared, so that other work on the machine counts little.
 */
#ifndef CLIENT_BENCH_FAULT_H
#define CLIENT_BENCH_FAULT_H

#include "client/bench.h"
#include "client/load.h"

/* A fault under way. */
struct bench_fault_run {
    enum bench_fault fault;
    struct trial *trial;
    uint64_t at_ms;       /* Of the measurement: when it begins. */
    uint64_t duration_ms; /* Of the measurement. */
    bool has_begun;
    uint32_t replica;    /* That it concerns. */
    bool is_stopped;     /* The slow backup, just now. */
    uint64_t changed_ms; /* When it last was stopped or went on. */
    pid_t flood;         /* The process of the flooding client; 0: none. */
};

/* By its name; false: there is none of this name. */
bool bench_fault_parse(enum bench_fault *out, const char *name);
const char *bench_fault_name(enum bench_fault fault);
/* What is done, for people. */
const char *bench_fault_text(enum bench_fault fault);

/* Called all the time while the load runs, with the time since the measurement
 * began. */
void bench_fault_tick(struct bench_fault_run *run, uint64_t elapsed_ms);
/* Everything goes on as before, but for the dead. */
void bench_fault_end(struct bench_fault_run *run);

void bench_fault_figures(const struct bench_fault_run *run,
                         const struct load_report *load,
                         struct bench_fault_result *out);

#endif /* CLIENT_BENCH_FAULT_H */
