/* SPDX-License-Identifier: Apache-2.0 */
/* The primary dies under load; the others go on; it comes back. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/demo.h"

#define SUBMITTERS 32
#define PER_SUBMISSION 8
#define PAYLOAD 256
#define CALM_MS 800     /* Before and after the absence. */
#define ABSENCE_MS 2000 /* From when the others go on. */
#define VIEW_CHANGE_MAX_MS 30000
#define LOAD_MAX_MS 90000
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

/* The replica that is alive and furthest says where the ledger stands. */
static bool furthest(struct demo *demo, struct trial_status *out)
{
    struct trial_status status;
    bool answered = false;

    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < demo->trial.count; i++) {
        if (demo->trial.replicas.pids[i] == 0 ||
            !trial_ask(&demo->trial, i, &status)) {
            continue;
        }
        if (!answered || status.executed > out->executed) {
            *out = status;
        }
        answered = true;
    }
    return answered;
}

static const char *name_of(struct demo *demo, uint32_t replica)
{
    return salus_replica_name(demo->trial.clients[0], replica);
}

/* Another primary, and blocks that it ordered. */
static bool wait_for_new_primary(struct demo *demo, uint64_t killed_ms,
                                 struct trial_status *out)
{
    uint64_t before = out->executed;
    uint64_t view = out->view;

    do {
        pass(CALM_MS / 16);
        if (furthest(demo, out) && out->view > view && out->executed > before) {
            (void)printf("   %.1f s later the others go on: view %" PRIu64
                         ", primary %u (%s)\n",
                         (double)(demo_now_ms() - killed_ms) / 1000, out->view,
                         out->primary, name_of(demo, out->primary));
            (void)fflush(stdout);
            return true;
        }
    } while (demo_stop == 0 && demo_now_ms() < killed_ms + VIEW_CHANGE_MAX_MS);
    if (demo_stop == 0) {
        (void)fprintf(stderr, "salus demo: the others stand still\n");
    }
    return false;
}

/* It must reach the block at which the others are now. */
static bool restart_victim(struct demo *demo)
{
    struct trial_status others;
    uint64_t started = demo_now_ms();

    if (!furthest(demo, &others) ||
        replicas_start(&demo->trial.replicas, demo->victim) != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: it cannot be started again\n");
        return false;
    }
    if (!trial_wait_executed(&demo->trial, demo->victim, others.executed,
                             CATCH_UP_TIMEOUT_MS)) {
        (void)fprintf(stderr, "salus demo: it does not catch up\n");
        return false;
    }
    (void)printf("   started replica %u again: at block %" PRIu64
                 " like the others after %.1f s, its data intact\n",
                 demo->victim, others.executed,
                 (double)(demo_now_ms() - started) / 1000);
    (void)fflush(stdout);
    return true;
}

/* Kills the primary, waits, starts it again, watches it catch up. */
static bool kill_and_restart(struct demo *demo)
{
    struct trial_status status;

    pass(CALM_MS);
    if (demo_stop != 0 || !furthest(demo, &status)) {
        return false;
    }
    demo->victim = status.primary;
    uint64_t killed = demo_now_ms();
    replicas_kill(&demo->trial.replicas, demo->victim);
    (void)printf("   killed the primary, replica %u (%s), with SIGKILL at "
                 "block %" PRIu64 "\n",
                 demo->victim, name_of(demo, demo->victim), status.executed);
    (void)fflush(stdout);
    if (!wait_for_new_primary(demo, killed, &status)) {
        return false;
    }
    pass(ABSENCE_MS);
    if (demo_stop != 0 || !restart_victim(demo)) {
        return false;
    }
    pass(CALM_MS);
    return true;
}

static void print_load(const struct load_report *load)
{
    (void)printf("   meanwhile %" PRIu64
                 " transactions were submitted and proved, %" PRIu64
                 " failed, %" PRIu64 " refused\n"
                 "   the pause that the clients saw: %.2f s without a proof\n",
                 load->transactions, load->failed, load->refused,
                 (double)load->longest_pause_us / 1e6);
}

bool demo_crash(struct demo *demo)
{
    struct background background = {.demo = demo};
    pthread_t thread;

    demo_title("The primary dies while everybody submits");
    if (pthread_create(&thread, NULL, submit_all_the_time, &background) != 0) {
        return false;
    }
    bool good = kill_and_restart(demo);
    background.stop = 1;
    (void)pthread_join(thread, NULL);
    const struct load_report *load = &demo->load;
    if (demo_stop != 0) {
        return false;
    }
    print_load(load);
    if (load->failed + load->refused > 0 || background.status != SALUS_OK) {
        (void)fprintf(stderr, "salus demo: %s\n",
                      salus_status_text(load->first_failure));
        return false;
    }
    return good && trial_converge(&demo->trial, CATCH_UP_TIMEOUT_MS);
}
