/* SPDX-License-Identifier: Apache-2.0 */
/* How fast would it be? The production core and driver in virtual time, with
 * what CPU, disks and networks cost (cost.h). Nothing fails here.
 *
 * Each replica is a pipeline of threads as in salusd; a thread is busy for what
 * its task costs, on one of the cores of its machine.
 */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include "consensus/pbft.h"
#include "sim/cost.h"
#include "sim/random.h"

#define BENCH_REPLICAS_MAX PBFT_REPLICAS_MAX
/* Requests outstanding in a closed loop. */
#define BENCH_CLIENTS_DEFAULT 128

/* One-way delays between the sites of the replicas. */
struct bench_latency {
    uint32_t sites; /* Replica i stands at site i mod sites. */
    double one_way_ms[BENCH_REPLICAS_MAX][BENCH_REPLICAS_MAX];
    double same_site_ms; /* One way, if two share a site. */
};

struct bench_settings {
    uint32_t replicas;
    struct bench_latency latency;
    double nic_bits_per_second;  /* Each direction of each replica. */
    double link_bits_per_second; /* From one replica to one other. */
    double rate;                 /* Transactions/s offered; 0: closed loop. */
    uint32_t clients;            /* Closed loop: requests outstanding. */
    uint32_t payload;
    uint32_t per_request; /* Transactions. */
    double duration_s;
    double warm_up_s;
    uint64_t events_max; /* Less is measured if it takes more events. */
    uint32_t cores;      /* Of a machine. */
    bool is_shared;      /* One machine for all replicas and the load. */
    uint64_t seed;
    struct pbft_config replica;
    struct cost_model costs;
};

enum bench_stage_kind {
    STAGE_RECEIVE,
    STAGE_VERIFY,
    STAGE_PROTOCOL,
    STAGE_LOG,
    STAGE_EXECUTE,
    STAGE_SEND,
    STAGE_LOAD, /* The clients of the replica's institution. */
    STAGE_COUNT
};

enum bench_resource {
    /* The stages up to STAGE_SEND are resources too: threads. */
    RESOURCE_DISK = STAGE_LOAD,
    RESOURCE_CORES,
    RESOURCE_NIC_OUT,
    RESOURCE_NIC_IN,
    RESOURCE_COUNT
};

struct bench_result {
    double seconds; /* Measured. */
    bool is_cut;    /* The budget of events was used up. */
    uint64_t events;
    double transactions_per_second;
    double requests_per_second;
    double latency_ms[4];          /* p50, p95, p99, p99.9 */
    double syncs_per_second;       /* Of a replica, on average. */
    double cpu_us_per_transaction; /* All replicas together. */
    double client_cpu_us_per_transaction;
    double sent_bytes_per_transaction; /* All replicas together. */
    double transactions_per_block;
    uint64_t refused;
    pbft_view view; /* The highest at the end. */
    /* Share of the time that it was busy: primary; the busiest backup. */
    double primary[RESOURCE_COUNT];
    double backup[RESOURCE_COUNT];
};

void bench_defaults(struct bench_settings *settings, uint32_t replicas);
void bench_run(const struct bench_settings *settings, struct bench_result *out);

const char *bench_resource_name(enum bench_resource resource);
/* The busiest of all; its share in *share. */
const char *bench_bottleneck(const struct bench_result *result, double *share,
                             bool *is_primary);

/* bench_latency.c */
extern const char *const bench_presets[]; /* NULL at the end. */
/* False: there is none of that name. */
bool bench_latency_preset(struct bench_latency *out, const char *name);
/* A matrix of one-way milliseconds, a row a line, commas between. `*reason`
 * says what is wrong with it. */
bool bench_latency_read(struct bench_latency *out, FILE *file,
                        const char **reason);
const char *bench_latency_site(const char *preset, uint32_t site);
double bench_one_way_ms(const struct bench_latency *latency, uint32_t from,
                        uint32_t to);

/* bench_svg.c */
struct bench_point {
    uint32_t replicas;
    struct bench_result result;
};
void bench_svg(FILE *out, const char *title, const struct bench_point *points,
               size_t count);

#endif /* SIM_BENCH_H */
