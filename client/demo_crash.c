/* SPDX-License-Identifier: Apache-2.0 */
/* A backup dies under load, and comes back. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/demo.h"

#define SUBMITTERS 32
#define PER_SUBMISSION 8
#define PAYLOAD 256
#define CALM_MS 800 /* Before, during and after the absence. */
#define ABSENCE_MS 2000
#define LOAD_MAX_MS 60000
#define CATCH_UP_TIMEOUT_MS 30000
#define HOUR_MS 3600000u

struct background {
    struct demo *demo;
    volatile int stop;
    enum salus_status status;
};

static void *submit_all_the_time(void *context)
{
    struct background *background = context;
    struct demo *demo = background->demo;
    struct load_options options = {.client_count = demo->trial.count,
                                   .submitters = SUBMITTERS,
                                   .transactions_per_submission =
                                       PER_SUBMISSION,
                                   .payload = PAYLOAD,
                                   .duration_ms = LOAD_MAX_MS,
                                   .not_after_ms = demo_wall_ms() + HOUR_MS,
                                   .stop = &background->stop};

    for (uint32_t i = 0; i < demo->trial.count; i++) {
        options.clients[i] = demo->trial.clients[i];
        memcpy(options.encryption_keys[i], demo->trial.encryption_keys[i],
               SALUS_ID_SIZE);
    }
    background->status = load_run(&options, &demo->load);
    return NULL;
}

static void pass(uint32_t ms)
{
    const struct timespec slice = {0, 20000000};
    uint64_t until = demo_now_ms() + ms;

    while (demo_now_ms() < until && demo_stop == 0) {
        (void)nanosleep(&slice, NULL);
    }
}

/* Some replica that is alive says where the ledger stands. */
static uint64_t height(struct demo *demo)
{
    struct trial_status status;
    uint64_t highest = 0;

    for (uint32_t i = 0; i < demo->trial.count; i++) {
        if (demo->trial.replicas.pids[i] != 0 &&
            trial_ask(&demo->trial, i, &status) && status.executed > highest) {
            highest = status.executed;
        }
    }
    return highest;
}

static bool choose_victim(struct demo *demo)
{
    struct trial_status status;

    if (!trial_ask(&demo->trial, 0, &status)) {
        (void)fprintf(stderr, "salus demo: replica 0 does not answer\n");
        return false;
    }
    demo->victim = (status.primary + 2) % demo->trial.count;
    return true;
}

/* Kills, waits, starts again, watches it catch up. */
static bool kill_and_restart(struct demo *demo)
{
    const char *name = salus_replica_name(demo->trial.clients[0], demo->victim);

    pass(CALM_MS);
    uint64_t before = height(demo);
    replicas_kill(&demo->trial.replicas, demo->victim);
    (void)printf("   killed replica %u (%s) with SIGKILL at block %" PRIu64
                 "\n",
                 demo->victim, name, before);
    pass(ABSENCE_MS);
    uint64_t missed = height(demo);
    (void)printf("   without it the others went on to block %" PRIu64 "\n",
                 missed);
    if (missed <= before && demo_stop == 0) {
        (void)fprintf(stderr, "salus demo: the others stood still\n");
        return false;
    }
    uint64_t started = demo_now_ms();
    if (replicas_start(&demo->trial.replicas, demo->victim) != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: it cannot be started again\n");
        return false;
    }
    if (!trial_wait_executed(&demo->trial, demo->victim, missed,
                             CATCH_UP_TIMEOUT_MS)) {
        (void)fprintf(stderr, "salus demo: it does not catch up\n");
        return false;
    }
    (void)printf("   started it again: back at block %" PRIu64
                 " after %.1f s, its data intact\n",
                 missed, (double)(demo_now_ms() - started) / 1000);
    pass(CALM_MS);
    return true;
}

bool demo_crash(struct demo *demo)
{
    struct background background = {.demo = demo};
    pthread_t thread;

    demo_title("A replica dies while everybody submits");
    if (!choose_victim(demo) ||
        pthread_create(&thread, NULL, submit_all_the_time, &background) != 0) {
        return false;
    }
    bool good = kill_and_restart(demo);
    background.stop = 1;
    (void)pthread_join(thread, NULL);
    const struct load_report *load = &demo->load;
    (void)printf("   meanwhile %" PRIu64
                 " transactions were submitted and proved, %" PRIu64
                 " failed, %" PRIu64 " refused\n",
                 load->transactions, load->failed, load->refused);
    if (load->failed + load->refused > 0 || background.status != SALUS_OK) {
        (void)fprintf(stderr, "salus demo: %s\n",
                      salus_status_text(load->first_failure));
        return false;
    }
    return good && trial_converge(&demo->trial, CATCH_UP_TIMEOUT_MS);
}
