/* SPDX-License-Identifier: Apache-2.0 */
/* The fit: each cost is turned up and down in ever smaller steps while the
 * model comes closer to what was measured. */
#include "sim/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP_FIRST 0.6 /* Of the logarithm of a cost. */
#define STEP_LAST 0.02
#define KEY_SIZE 48
#define CLIENTS_MAX 65536
#define COST_LEAST 0.05
#define WINDOW_LEAST_S 0.3
#define RATE_LEAST 1e-6

const struct figure_row figure_rows[FIGURE_COUNT] = {
    [FIGURE_RATE] = {"transactions/s", 2},
    [FIGURE_P50] = {"latency p50, ms", 1},
    [FIGURE_P99] = {"latency p99, ms", 0},
    [FIGURE_SYNCS] = {"synced writes/s", 0.25},
    [FIGURE_CPU] = {"replica CPU us/transaction", 2},
    [FIGURE_CLIENT_CPU] = {"client CPU us/transaction", 1},
    [FIGURE_BYTES] = {"sent bytes/transaction", 0},
    [FIGURE_BLOCK] = {"transactions/block", 0},
};

/* The value of a key at the top level of a flat object; NULL: it is not there.
 */
static const char *find_value(const char *json, const char *key)
{
    char quoted[KEY_SIZE];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(json, quoted);
    return at == NULL ? NULL : at + strlen(quoted);
}

static bool read_number(const char *json, const char *key, double *out,
                        const char **reason)
{
    const char *text = find_value(json, key);
    char *end = NULL;
    *reason = key;
    if (text == NULL) {
        return false;
    }
    *out = strtod(text, &end);
    return end != text && isfinite(*out) && *out >= 0;
}

static bool read_whole(const char *json, const char *key, uint32_t max,
                       uint32_t *out, const char **reason)
{
    double value = 0;
    if (!read_number(json, key, &value, reason) || value < 1 || value > max) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

bool calibrate_parse(struct calibrate_run *out, const char *json,
                     const char **reason)
{
    double client_seconds = 0;
    double transactions = 0;
    double *m = out->measured;
    memset(out, 0, sizeof *out);
    if (!read_whole(json, "replicas", BENCH_REPLICAS_MAX, &out->replicas,
                    reason) ||
        !read_whole(json, "payload_bytes", 65536, &out->payload, reason) ||
        !read_whole(json, "transactions_per_request", 1024, &out->per_request,
                    reason) ||
        !read_whole(json, "clients", CLIENTS_MAX, &out->clients, reason) ||
        !read_number(json, "transactions_per_second", &m[FIGURE_RATE],
                     reason) ||
        !read_number(json, "latency_p50_ms", &m[FIGURE_P50], reason) ||
        !read_number(json, "latency_p99_ms", &m[FIGURE_P99], reason) ||
        !read_number(json, "syncs_per_second", &m[FIGURE_SYNCS], reason) ||
        !read_number(json, "cpu_microseconds_per_transaction", &m[FIGURE_CPU],
                     reason) ||
        !read_number(json, "sent_bytes_per_transaction", &m[FIGURE_BYTES],
                     reason) ||
        !read_number(json, "transactions_per_block", &m[FIGURE_BLOCK],
                     reason) ||
        !read_number(json, "client_cpu_seconds", &client_seconds, reason) ||
        !read_number(json, "transactions", &transactions, reason)) {
        return false;
    }
    const char *coalesced = find_value(json, "coalesced");
    *reason = "coalesced: the model has requests of equal size";
    if (coalesced != NULL && strncmp(coalesced, "true", 4) == 0) {
        return false;
    }
    *reason = "transactions: none were measured";
    if (transactions < 1 || m[FIGURE_RATE] <= 0) {
        return false;
    }
    m[FIGURE_CLIENT_CPU] = client_seconds * 1e6 / transactions;
    return true;
}

void calibrate_predict(struct calibrate_run *run,
                       const struct cost_model *costs, uint32_t cores)
{
    struct bench_settings settings;
    struct bench_result result;
    bench_defaults(&settings, run->replicas);
    settings.costs = *costs;
    settings.is_shared = true;
    settings.cores = cores;
    settings.clients = run->clients;
    settings.payload = run->payload;
    settings.per_request = run->per_request;
    settings.nic_bits_per_second = 0; /* Loopback. */
    settings.link_bits_per_second = 0;
    settings.latency.same_site_ms = 0.01;
    /* Long enough for a few rounds of the closed loop. */
    double round_s = (double)run->clients * run->per_request /
                     fmax(run->measured[FIGURE_RATE], 1);
    settings.warm_up_s = fmin(fmax(2 * round_s, WINDOW_LEAST_S), 3);
    settings.duration_s = settings.warm_up_s;
    settings.events_max = 600000;
    bench_run(&settings, &result);
    run->predicted[FIGURE_RATE] = result.transactions_per_second;
    run->predicted[FIGURE_P50] = result.latency_ms[0];
    run->predicted[FIGURE_P99] = result.latency_ms[2];
    run->predicted[FIGURE_SYNCS] = result.syncs_per_second;
    run->predicted[FIGURE_CPU] = result.cpu_us_per_transaction;
    run->predicted[FIGURE_CLIENT_CPU] = result.client_cpu_us_per_transaction;
    run->predicted[FIGURE_BYTES] = result.sent_bytes_per_transaction;
    run->predicted[FIGURE_BLOCK] = result.transactions_per_block;
}

double calibrate_error(const struct calibrate_run *run, enum figure figure)
{
    double measured = fmax(run->measured[figure], RATE_LEAST);
    return run->predicted[figure] / measured - 1;
}

/* Sum of the squares of logarithms: half and double count alike. */
static double loss(const struct cost_model *costs, struct calibrate_run *runs,
                   size_t count, uint32_t cores)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        calibrate_predict(&runs[i], costs, cores);
        for (unsigned f = 0; f < FIGURE_COUNT; f++) {
            double ratio = fmax(runs[i].predicted[f], RATE_LEAST) /
                           fmax(runs[i].measured[f], RATE_LEAST);
            sum += figure_rows[f].weight * log(ratio) * log(ratio);
        }
    }
    return sum;
}

/* Moves one cost if that helps. */
static bool improve(struct cost_model *costs, unsigned row, double step,
                    struct calibrate_run *runs, size_t count, uint32_t cores,
                    double *best)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        struct cost_model trial = *costs;
        trial.value[row] =
            fmax(trial.value[row] * exp(sign * step), COST_LEAST);
        trial.value[COST_CORE_SHARE] = fmin(trial.value[COST_CORE_SHARE], 1);
        double sum = loss(&trial, runs, count, cores);
        if (sum < *best) {
            *best = sum;
            *costs = trial;
            return true;
        }
    }
    return false;
}

double calibrate_fit(struct cost_model *costs, struct calibrate_run *runs,
                     size_t count, uint32_t cores)
{
    double best = loss(costs, runs, count, cores);
    double weights = 0;
    for (double step = STEP_FIRST; step > STEP_LAST;) {
        bool has_improved = false;
        for (unsigned row = 0; row < COST_COUNT; row++) {
            if (cost_rows[row].source == COST_FITTED &&
                improve(costs, row, step, runs, count, cores, &best)) {
                has_improved = true;
            }
        }
        step = has_improved ? step : step / 2;
    }
    best = loss(costs, runs, count, cores);
    for (unsigned f = 0; f < FIGURE_COUNT; f++) {
        weights += figure_rows[f].weight * (double)count;
    }
    return exp(sqrt(best / weights)) - 1;
}
