/* SPDX-License-Identifier: Apache-2.0 */
/* The table of profiles. All choices of a run come from its seed. */
#include "sim/profile.h"

#include <string.h>

#include "consensus/quorum.h"

#define STREAM_PROFILE 4
/* Apart, so that a draw more here leaves all others as they were. */
#define STREAM_ATTACKS 6
#define STREAM_HOSTILE 10
#define STREAM_BUFFERS 12
#define STREAM_STEADY 14
#define STREAM_ROWS UINT64_C(0x600000000)
#define HOSTILE_MAX 2
#define BATCH_BYTES (64 * 1024)
#define BATCH_BYTES_BITS_MIN 9
#define BATCH_BYTES_BITS_MAX 16
#define PENDING_INSTITUTION_MIN 2
#define PENDING_INSTITUTION_MAX 64
#define LEDGER_INTERVAL 4u
#define LEDGER_PAYLOAD_MAX 1024u
/* One seed in so many. */
#define REAL_SIGNATURES_INTERVAL 100
#define SECOND_US (1000 * SIM_MS_US)
#define STANDARD_LOAD_US (170 * SECOND_US)
#define STANDARD_REQUESTS_MIN 100
#define STANDARD_INTERVAL_MAX 8
/* Of each client, four in the time of a request timer. */
#define STEADY_REQUESTS 60
#define STEADY_PERMILLE 200
#define DENSE_INTERVAL_MAX 16

void profile_defaults(struct sim_settings *settings)
{
    *settings = (struct sim_settings){
        .n = 4,
        .network = {.latency_us = 500, .jitter_us = 500},
        .service = &service_simple,
        .sync_us = 300,
        .sync_jitter_us = 300,
        .execute_us = 100,
        .client_count = 2,
        .requests = 60,
        .requests_after = 10,
        .outstanding_max = 2,
        .payload_max = 64,
        .client_timeout_us = 200 * SIM_MS_US,
        .fault_interval_us = 20 * SIM_MS_US,
        .fault_duration_us = 50 * SIM_MS_US,
        .faults_us_max = 10 * SECOND_US,
        .faults_events_max = 300000,
        .liveness_us = 60 * SECOND_US,
        .events_max = 3000000,
    };
    pbft_config_defaults(&settings->replica);
    struct pbft_config *replica = &settings->replica;
    replica->window = 16;
    replica->checkpoint_interval = 4;
    replica->batch_requests_max = 8;
    replica->batch_bytes_max = BATCH_BYTES;
    replica->pipeline_depth = 4;
    replica->null_depth = 4;
    replica->pending_requests_max = 256;
    replica->pending_institution_max = 256;
    replica->batch_delay_ms = 2;
    replica->request_timeout_ms = 400;
    replica->view_change_timeout_ms = 400;
    replica->view_change_timeout_max_ms = 6400;
    replica->status_interval_ms = 200;
    replica->resend_interval_ms = 100;
    replica->heartbeat_interval_ms = 0;
    replica->monitor_interval_ms = 0;
}

/* Of each row by its name: a new one changes no run without it. */
static uint64_t stream_of_row(const struct fault_kind *kind)
{
    uint32_t hash = 2166136261u;
    for (const char *at = kind->name; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    }
    return STREAM_ROWS + hash;
}

/* One fault class in two is off: combinations differ from seed to seed. */
static uint64_t draw_faults(uint64_t seed)
{
    uint64_t mask = 0;
    enum fault_class class = FAULT_NETWORK;
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        struct random random;
        random_init(&random, seed, stream_of_row(fault_kind_at(i, &class)));
        if (random_chance(&random, 500)) {
            mask |= UINT64_C(1) << i;
        }
    }
    return mask;
}

/* What is fake elsewhere must not hide what is real: now and then the two
 * change places. */
static void draw_signatures(struct sim_settings *settings, uint64_t seed)
{
    settings->signatures = seed % REAL_SIGNATURES_INTERVAL == 0
                               ? SIM_SIGNATURES_REAL
                               : SIM_SIGNATURES_FAKE;
}

/* In a quarter of the seeds replicas keep the ledger, not a toy. */
static void draw_service(struct sim_settings *settings, uint64_t seed)
{
    if (seed % LEDGER_INTERVAL == LEDGER_INTERVAL - 1) {
        settings->service = &service_ledger;
        settings->payload_max = LEDGER_PAYLOAD_MAX;
    }
}

/* Byzantine replicas, in half of the seeds, and half of the strategies. */
static void draw_adversaries(struct sim_settings *settings, uint64_t seed)
{
    struct random random;
    random_init(&random, seed, STREAM_ATTACKS);
    if (random_chance(&random, 500)) {
        settings->byzantine_count =
            (uint32_t)random_between(&random, 1, pbft_faults_max(settings->n));
    }
    settings->scheduler = scheduler_draw(&random);
    if (scheduler_kinds[settings->scheduler].needs_byzantine &&
        settings->byzantine_count == 0) {
        settings->byzantine_count = 1;
    }
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        if (random_chance(&random, 500)) {
            settings->adversary_mask |= UINT32_C(1) << i;
        }
    }
}

/* Hostile clients, in half of the seeds, and half of what they can do. */
static void draw_hostile(struct sim_settings *settings, uint64_t seed)
{
    struct random random;
    random_init(&random, seed, STREAM_HOSTILE);
    if (random_chance(&random, 500)) {
        settings->hostile_count =
            (uint32_t)random_between(&random, 1, HOSTILE_MAX);
    }
    for (uint32_t i = 0; i < hostile_kind_count; i++) {
        if (random_chance(&random, 500)) {
            settings->hostile_mask |= UINT32_C(1) << i;
        }
    }
}

/* How much fits in, each in half of the seeds: batches that hold a few requests
 * or one (which may be larger), and queues that one institution fills, but
 * never for all others. What is refused is sent again. */
static void draw_buffers(struct sim_settings *settings, uint64_t seed)
{
    struct pbft_config *replica = &settings->replica;
    struct random random;
    random_init(&random, seed, STREAM_BUFFERS);
    if (random_chance(&random, 500)) {
        uint64_t bits = random_between(&random, BATCH_BYTES_BITS_MIN,
                                       BATCH_BYTES_BITS_MAX - 1);
        replica->batch_bytes_max = (uint32_t)random_between(
            &random, UINT64_C(1) << bits, UINT64_C(2) << bits);
    }
    if (random_chance(&random, 500)) {
        uint32_t institution = (uint32_t)random_between(
            &random, PENDING_INSTITUTION_MIN, PENDING_INSTITUTION_MAX);
        replica->pending_institution_max = institution;
        replica->pending_requests_max =
            institution * (uint32_t)random_between(&random, 2, settings->n);
    }
}

/* In some seeds clients go on at a steady pace when the faults are over: what
 * one of them is denied must not hide behind the progress of the others. Only
 * where it is far less than what can be carried: else timers end views. */
static void draw_steady(struct sim_settings *settings, uint64_t seed)
{
    const uint64_t timeout_us =
        settings->replica.request_timeout_ms * SIM_MS_US;
    struct random random;
    random_init(&random, seed, STREAM_STEADY);
    if (random_chance(&random, STEADY_PERMILLE)) {
        settings->requests_after = STEADY_REQUESTS;
        settings->steady_us = STEADY_REQUESTS * timeout_us / 4;
    }
}

static void draw_lite(struct sim_settings *settings, uint64_t seed)
{
    struct random random;
    random_init(&random, seed, STREAM_PROFILE);
    profile_defaults(settings);
    settings->fault_mask = draw_faults(seed);
    settings->fault_interval_us = random_between(&random, 25, 75) * SIM_MS_US;
    settings->network.loss_permille = (uint32_t)random_below(&random, 2) * 20;
    settings->network.duplicate_permille =
        (uint32_t)random_below(&random, 2) * 50;
    settings->network.detour_permille = (uint32_t)random_below(&random, 2) * 50;
    draw_adversaries(settings, seed);
    draw_hostile(settings, seed);
    draw_signatures(settings, seed);
    draw_service(settings, seed);
    draw_buffers(settings, seed);
    draw_steady(settings, seed);
}

static uint32_t draw_sometimes(struct random *random, uint32_t permille_max)
{
    return random_chance(random, 500)
               ? (uint32_t)random_below(random, permille_max)
               : 0;
}

/* A draw is a statement: within an expression their order is the compiler's. */
static void draw_noise(struct network_settings *network, struct random *random)
{
    network->loss_permille = draw_sometimes(random, 100);
    network->duplicate_permille = draw_sometimes(random, 300);
    network->detour_permille = draw_sometimes(random, 100);
}

/* What fills and empties: window, batches, pipeline, buffers. */
static void draw_sizes(struct pbft_config *replica, struct random *random,
                       uint32_t interval_max)
{
    uint32_t interval = 1;
    while (2 * interval <= interval_max && random_chance(random, 700)) {
        interval *= 2;
    }
    replica->checkpoint_interval = interval;
    replica->window = interval * (uint32_t)random_between(random, 2, 8);
    replica->pipeline_depth =
        (uint32_t)random_between(random, 1, replica->window);
    /* Without a draw of its own: seeds that once failed stay what they are. */
    replica->null_depth = replica->window + 1 - replica->pipeline_depth;
    replica->batch_requests_max = (uint32_t)random_between(random, 1, 16);
    replica->batch_delay_ms = random_between(random, 1, 10);
}

static void draw_machines(struct sim_settings *settings, struct random *random)
{
    settings->sync_us = random_between(random, 10, 3000);
    settings->sync_jitter_us = random_between(random, 0, 3000);
    settings->execute_us = random_between(random, 10, 2000);
    settings->flush_us =
        random_chance(random, 500) ? random_between(random, 1, 2000) : 0;
    settings->client_count = (uint32_t)random_between(random, 1, 6);
    settings->outstanding_max = (uint32_t)random_between(random, 1, 8);
    settings->payload_max = (uint32_t)random_between(random, 1, 512);
}

/* The network of a city or a continent, patient timeouts, and faults that last:
 * three minutes in which each replica fills its window several times. */
static void draw_minutes(struct sim_settings *settings, uint64_t seed,
                         uint32_t n_max)
{
    struct random random;
    random_init(&random, seed, STREAM_PROFILE);
    profile_defaults(settings);
    settings->n = (uint32_t)random_between(&random, 4, n_max);
    struct pbft_config *replica = &settings->replica;
    draw_sizes(replica, &random, STANDARD_INTERVAL_MAX);
    replica->request_timeout_ms = random_between(&random, 1000, 3000);
    replica->view_change_timeout_ms = random_between(&random, 1000, 3000);
    replica->view_change_timeout_max_ms = 8 * replica->view_change_timeout_ms;
    replica->status_interval_ms = random_between(&random, 1000, 3000);
    replica->resend_interval_ms = random_between(&random, 200, 1000);
    if (random_chance(&random, 300)) {
        replica->heartbeat_interval_ms = random_between(&random, 2000, 10000);
        replica->monitor_interval_ms = 2 * replica->heartbeat_interval_ms;
    }
    settings->fault_mask = draw_faults(seed);
    settings->fault_interval_us =
        random_between(&random, 500, 2400) * SIM_MS_US;
    settings->fault_duration_us =
        random_between(&random, 100, 8000) * SIM_MS_US;
    settings->network.latency_us = random_between(&random, 200, 30000);
    settings->network.jitter_us = random_between(&random, 0, 30000);
    draw_noise(&settings->network, &random);
    draw_machines(settings, &random);
    settings->client_timeout_us =
        random_between(&random, 1000, 4000) * SIM_MS_US;
    settings->requests = STANDARD_REQUESTS_MIN + 4 * replica->window;
    settings->think_us =
        STANDARD_LOAD_US * settings->client_count / settings->requests;
    settings->faults_us_max = 2 * STANDARD_LOAD_US;
    settings->liveness_us = 5 * STANDARD_LOAD_US;
    settings->has_core_mode = true;
    draw_adversaries(settings, seed);
    draw_hostile(settings, seed);
    draw_signatures(settings, seed);
    draw_service(settings, seed);
    draw_buffers(settings, seed);
}

static void draw_standard(struct sim_settings *settings, uint64_t seed)
{
    draw_minutes(settings, seed, 13);
}

static void draw_four(struct sim_settings *settings, uint64_t seed)
{
    draw_minutes(settings, seed, 4);
}

/* As much as possible at once: a fault every few milliseconds. */
static void draw_dense(struct sim_settings *settings, uint64_t seed)
{
    struct random random;
    random_init(&random, seed, STREAM_PROFILE);
    profile_defaults(settings);
    settings->n = (uint32_t)random_between(&random, 4, 13);
    struct pbft_config *replica = &settings->replica;
    draw_sizes(replica, &random, DENSE_INTERVAL_MAX);
    replica->status_interval_ms = random_between(&random, 50, 500);
    replica->resend_interval_ms = random_between(&random, 20, 200);
    if (random_chance(&random, 300)) {
        replica->heartbeat_interval_ms = random_between(&random, 50, 200);
        replica->monitor_interval_ms = 2 * replica->heartbeat_interval_ms;
    }
    settings->fault_mask = draw_faults(seed);
    settings->fault_interval_us = random_between(&random, 5, 60) * SIM_MS_US;
    settings->fault_duration_us = random_between(&random, 5, 200) * SIM_MS_US;
    settings->network.latency_us = random_between(&random, 50, 5000);
    settings->network.jitter_us = random_between(&random, 0, 10000);
    draw_noise(&settings->network, &random);
    draw_machines(settings, &random);
    settings->requests = (uint32_t)random_between(&random, 100, 400);
    settings->has_core_mode = true;
    draw_adversaries(settings, seed);
    draw_hostile(settings, seed);
    draw_signatures(settings, seed);
    draw_service(settings, seed);
    draw_buffers(settings, seed);
}

static void draw_calm(struct sim_settings *settings, uint64_t seed)
{
    draw_standard(settings, seed);
    /* Less than what it can take: what clients ask for fits into a batch. */
    settings->outstanding_max = 1;
    settings->replica.batch_requests_max = 16;
    settings->replica.batch_bytes_max = BATCH_BYTES;
    settings->fault_mask = 0;
    settings->byzantine_count = 0;
    settings->hostile_count = 0;
    settings->scheduler = 0;
    settings->has_core_mode = false;
    settings->network.loss_permille = 0;
    settings->network.detour_permille = 0;
}

/* The ledger in every seed. */
static void draw_ledger(struct sim_settings *settings, uint64_t seed)
{
    draw_lite(settings, seed);
    settings->service = &service_ledger;
    settings->payload_max = LEDGER_PAYLOAD_MAX;
    settings->requests = 400;
}

const struct profile profiles[] = {
    {"lite", "n = 4, 60 requests, about 10,000 events", draw_lite},
    {"ledger", "like lite, 400 requests to the ledger itself", draw_ledger},
    {"standard", "n = 4..13, random limits and timeouts, about 3 minutes",
     draw_standard},
    {"four", "like standard, n = 4", draw_four},
    {"dense", "n = 4..13, random limits, a fault every few milliseconds",
     draw_dense},
    {"calm", "like standard, without faults", draw_calm},
};

const size_t profile_count = sizeof profiles / sizeof profiles[0];

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < profile_count; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}
