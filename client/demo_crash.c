/* SPDX-License-Identifier: Apache-2.0 */
/* The primary dies under load; the others go on; it comes back. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/demo.h"
#include "client/tool_clock.h"

#define SUBMITTERS 32
#define PER_SUBMISSION 8
#define PAYLOAD 256
#define CALM_MS 800     /* Before and after the absence. */
#define ABSENCE_MS 2000 /* From when the others go on. */
#define VIEW_CHANGE_MAX_MS 30000
#define LOAD_MAX_MS 90000
#define LAG_MAX 16        /* So near the replica takes part again. */
#define STUCK_MS 30000    /* Without a new block. */
#define CATCH_UP_MS 40000 /* Under load; then the load ends. */
#define QUIET_CATCH_UP_MS 300000
#define TELL_MS 2000
#define AGREE_TIMEOUT_MS 60000
#define HOUR_MS 3600000u

struct background {
    struct demo *demo;
    atomic_int stop;
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
                                   .not_after_ms = tool_wall_ms() + HOUR_MS,
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
    uint64_t until = tool_now_ms() + ms;

    while (tool_now_ms() < until && demo_stop == 0) {
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
                         (double)(tool_now_ms() - killed_ms) / 1000, out->view,
                         out->primary, name_of(demo, out->primary));
            (void)fflush(stdout);
            return true;
        }
    } while (demo_stop == 0 && tool_now_ms() < killed_ms + VIEW_CHANGE_MAX_MS);
    if (demo_stop == 0) {
        (void)fprintf(stderr, "salus demo: the others stand still\n");
    }
    return false;
}

static void tell_gap(void *context, const struct trial_gap *gap,
                     bool has_reached)
{
    struct demo *demo = context;

    if (!gap->answers) {
        (void)printf("   replica %u does not answer yet\n", demo->victim);
    } else if (has_reached) {
        (void)printf("   replica %u is at block %" PRIu64
                     " with the others, %.1f s after it was started again; "
                     "its data are intact\n",
                     demo->victim, gap->executed,
                     (double)(gap->at_ms - demo->restarted_ms) / 1000);
    } else {
        (void)printf("   it is at block %" PRIu64 " of %" PRIu64, gap->executed,
                     gap->highest);
        if (gap->others_rate > 0) {
            (void)printf(": %.0f blocks/s, the others %.0f", gap->rate,
                         gap->others_rate);
        }
        (void)printf("\n");
    }
    (void)fflush(stdout);
}

static enum trial_end follow_victim(struct demo *demo, uint64_t lag_max,
                                    uint32_t limit_ms)
{
    const struct trial_follow options = {.replica = demo->victim,
                                         .lag_max = lag_max,
                                         .patience_ms = STUCK_MS,
                                         .limit_ms = limit_ms,
                                         .interval_ms = TELL_MS,
                                         .tell = tell_gap,
                                         .context = demo,
                                         .stop = &demo_stop};
    enum trial_end end = trial_follow(&demo->trial, &options);

    if (end == TRIAL_STUCK) {
        (void)fprintf(stderr,
                      "salus demo: replica %u had no new block for %u s\n",
                      demo->victim, STUCK_MS / 1000);
    }
    return end;
}

/* It should reach the others while they go on at full load. */
static bool restart_victim(struct demo *demo)
{
    demo->restarted_ms = tool_now_ms();
    if (replicas_start(&demo->trial.replicas, demo->victim) != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: it cannot be started again\n");
        return false;
    }
    enum trial_end end = follow_victim(demo, LAG_MAX, CATCH_UP_MS);
    demo->is_back = end == TRIAL_REACHED;
    if (end == TRIAL_LIMIT) {
        (void)printf("   it has not reached them in %u s of full load on this "
                     "machine: the submissions end now\n",
                     CATCH_UP_MS / 1000);
    }
    return end == TRIAL_REACHED || end == TRIAL_LIMIT;
}

/* The submissions have ended: all must be equally far, and hold the same. */
static bool compare_all(struct demo *demo)
{
    struct trial_status status;

    if (!demo->is_back &&
        follow_victim(demo, 0, QUIET_CATCH_UP_MS) != TRIAL_REACHED) {
        return false;
    }
    if (!trial_agree(&demo->trial, AGREE_TIMEOUT_MS) ||
        !trial_ask(&demo->trial, demo->victim, &status)) {
        return false;
    }
    (void)printf("   all %u replicas are at block %" PRIu64
                 " with one ledger root, %02x%02x%02x%02x...\n",
                 demo->trial.count, status.executed, status.ledger_root[0],
                 status.ledger_root[1], status.ledger_root[2],
                 status.ledger_root[3]);
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
    uint64_t killed = tool_now_ms();
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
    return good && compare_all(demo);
}
