/* SPDX-License-Identifier: Apache-2.0 */
/* One benchmark: its conditions, and what was counted. */
#ifndef CLIENT_BENCH_H
#define CLIENT_BENCH_H

#include "client/load.h"
#include "client/trial.h"

struct bench {
    const char *config;  /* Of a running consortium; NULL: none. */
    const char *genesis; /* The same. */
    uint32_t replicas;
    uint32_t payload;
    uint32_t per_request;
    uint32_t submitters; /* 0: by per_request. */
    uint32_t duration_ms;
    uint32_t warm_up_ms;
    uint32_t window; /* Blocks under way at once, by the genesis. */
    bool coalesce;   /* Submissions of one; libsalus puts them together. */
    bool json;
    struct trial trial;
    struct load_report load;
    struct trial_status before[TRIAL_REPLICAS_MAX];
    struct trial_status after[TRIAL_REPLICAS_MAX];
    uint64_t client_cpu_us[2];
    uint64_t requests[2];
};

/* The result with all its conditions, for people or as one line of JSON whose
 * keys are whole words. */
void bench_print_table(const struct bench *bench);
void bench_print_json(const struct bench *bench);

#endif /* CLIENT_BENCH_H */
