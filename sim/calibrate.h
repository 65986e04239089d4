/* SPDX-License-Identifier: Apache-2.0 */
/* Fits the costs of the benchmark to what `salus bench --json` measured, with
 * all replicas and the load on one machine. */
#ifndef SIM_CALIBRATE_H
#define SIM_CALIBRATE_H

#include "sim/bench.h"

#define CALIBRATE_RUNS_MAX 16

enum figure {
    FIGURE_RATE,
    FIGURE_P50,
    FIGURE_P99,
    FIGURE_SYNCS,
    FIGURE_CPU,
    FIGURE_CLIENT_CPU,
    FIGURE_BYTES,
    FIGURE_BLOCK,
    FIGURE_COUNT
};

struct figure_row {
    const char *name;
    double weight; /* In the fit; 0: only shown. */
};

extern const struct figure_row figure_rows[FIGURE_COUNT];

/* One measured line, and what the model says to it. */
struct calibrate_run {
    uint32_t replicas;
    uint32_t payload;
    uint32_t per_request;
    uint32_t clients;
    double measured[FIGURE_COUNT];
    double predicted[FIGURE_COUNT];
};

/* A line of JSON; `*reason` says what it lacks. */
bool calibrate_parse(struct calibrate_run *out, const char *json,
                     const char **reason);
/* Fills in `predicted`. */
void calibrate_predict(struct calibrate_run *run,
                       const struct cost_model *costs, uint32_t cores);
/* Changes the costs that are fitted; the mean error that is left: 0.1 = 10 %.
 */
double calibrate_fit(struct cost_model *costs, struct calibrate_run *runs,
                     size_t count, uint32_t cores);
/* Of predicted to measured, of one figure; 0: equal. */
double calibrate_error(const struct calibrate_run *run, enum figure figure);

#endif /* SIM_CALIBRATE_H */
