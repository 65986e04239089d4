/* SPDX-License-Identifier: Apache-2.0 */
/* A replica that was away comes back while the others go on at full load: it
 * must reach them, and not only once the load ends, and hold the same ledger.
 * Meanwhile its status says how far it is. Says how fast it goes.
 *
 *   catch_up [--absent MS] [--victim ID] [--replicas N]
 *
 * Replica 0 is the first primary.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "tests/integration/background.h"

#define START_TIMEOUT_MS 60000
#define AGREE_TIMEOUT_MS 60000
#define STOP_PATIENCE_MS 20000
#define CALM_MS 1500
#define ABSENT_MS 6000
#define STUCK_MS 30000      /* Without a new block. */
#define REACH_MAX_MS 120000 /* Under load. */
#define TELL_MS 1000
#define SHOWN_MIN 2 /* One figure is no progress. */
#define SUBMITTERS 32
#define PER_SUBMISSION 8
/* Who lags by no more takes part again: a quarter of a checkpoint interval. */
#define LAG_MAX 16

struct scene {
    struct trial trial;
    uint32_t victim;
    struct background load;
    uint64_t shown;        /* The last block that its status said it had, ... */
    uint32_t shown_blocks; /* ... and how many different ones. */
};

/* The progress figure of the status. */
static void read_progress(void *context)
{
    struct scene *scene = context;
    struct trial_status status;
    uint64_t has = 0;
    uint64_t of = 0;

    if (trial_ask(&scene->trial, scene->victim, &status) &&
        sscanf(status.problem, "catching up: has block %" SCNu64 " of %" SCNu64,
               &has, &of) == 2 &&
        has <= of && (scene->shown_blocks == 0 || has > scene->shown)) {
        scene->shown = has;
        scene->shown_blocks++;
    }
}

static void tell(void *context, const struct trial_gap *gap, bool has_reached)
{
    (void)context;
    (void)has_reached;
    (void)printf("at %" PRIu64 " of %" PRIu64 ": %.0f blocks/s, the others "
                 "%.0f\n",
                 gap->executed, gap->highest, gap->rate, gap->others_rate);
    (void)fflush(stdout);
}

/* While the others go on: `lag_max` is not 0. */
static bool follow(struct scene *scene, uint64_t lag_max)
{
    const struct trial_follow options = {.replica = scene->victim,
                                         .lag_max = lag_max,
                                         .patience_ms = STUCK_MS,
                                         .limit_ms = REACH_MAX_MS,
                                         .interval_ms = TELL_MS,
                                         .tell = tell,
                                         .look = read_progress,
                                         .context = scene};
    enum trial_end end = trial_follow(&scene->trial, &options);

    if (end != TRIAL_REACHED) {
        (void)printf("%s\n", end == TRIAL_STUCK
                                 ? "it is stuck"
                                 : "it does not reach the others");
    }
    return end == TRIAL_REACHED;
}

static uint64_t executed_by_another(struct scene *scene)
{
    struct trial_status status;
    uint32_t other = (scene->victim + 1) % scene->trial.count;

    return trial_ask(&scene->trial, other, &status) ? status.executed : 0;
}

/* Away long enough that the others drop their logs below the window. */
static bool stay_away(struct scene *scene, uint32_t absent_ms)
{
    const uint32_t window = scene->trial.clients[0]->genesis->parameters.window;
    uint64_t before = executed_by_another(scene);

    replicas_kill(&scene->trial.replicas, scene->victim);
    pass_ms(absent_ms);
    for (uint32_t more_ms = 0; more_ms < REACH_MAX_MS; more_ms += TELL_MS) {
        if (executed_by_another(scene) > before + window) {
            return true;
        }
        pass_ms(TELL_MS);
    }
    (void)printf("the others order nothing\n");
    return false;
}

static bool go_and_return(struct scene *scene, uint32_t absent_ms)
{
    pass_ms(CALM_MS);
    if (!stay_away(scene, absent_ms)) {
        return false;
    }
    if (replicas_start(&scene->trial.replicas, scene->victim) != PBFT_OK) {
        return false;
    }
    bool good = follow(scene, LAG_MAX);
    (void)printf("its status told %u times how far it was\n",
                 scene->shown_blocks);
    good = good && scene->shown_blocks >= SHOWN_MIN;
    pass_ms(CALM_MS); /* And then it keeps up. */
    return good && follow(scene, LAG_MAX);
}

static bool run(struct scene *scene, uint32_t absent_ms)
{
    if (!background_start(&scene->load, &scene->trial, SUBMITTERS,
                          PER_SUBMISSION)) {
        return false;
    }
    bool good = go_and_return(scene, absent_ms);
    bool all_proved = background_stop(&scene->load);
    const struct load_report *report = &scene->load.report;
    (void)printf("%" PRIu64 " transactions proved, %" PRIu64 " failed, %" PRIu64
                 " refused\n",
                 report->transactions, report->failed, report->refused);
    return good && all_proved && report->transactions > 0 &&
           trial_agree(&scene->trial, AGREE_TIMEOUT_MS);
}

static uint32_t option(int argc, char **argv, const char *name, uint32_t value)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return (uint32_t)strtoul(argv[i + 1], NULL, 10);
        }
    }
    return value;
}

int main(int argc, char **argv)
{
    static struct scene scene;
    char folder[] = "/tmp/salus-catch-up-XXXXXX";

    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 1;
    }
    scene.victim = option(argc, argv, "--victim", 3);
    bool good = trial_create(&scene.trial, folder,
                             option(argc, argv, "--replicas", 4)) == PBFT_OK &&
                trial_start(&scene.trial, START_TIMEOUT_MS) == PBFT_OK &&
                run(&scene, option(argc, argv, "--absent", ABSENT_MS));
    trial_close_clients(&scene.trial);
    good =
        replicas_stop_all(&scene.trial.replicas, STOP_PATIENCE_MS) == 0 && good;
    if (good) {
        replicas_remove_folder(folder);
    } else {
        (void)printf("kept: %s\n", folder);
    }
    (void)puts(good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
