/* SPDX-License-Identifier: Apache-2.0 */
/* How long is the service away when the primary is killed? Kills it under load,
 * several times, and compares the longest time without a proof with the request
 * timeout.
 *
 *   failover [--request-timeout MS] [--rounds N] [--replicas N]
 *
 * Without --request-timeout the replicas use their default.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/background.h"

#define DEFAULT_TIMEOUT_MS 4000 /* consensus/config.c */
#define TIMEOUTS_MAX 3          /* Then the service must be back. */
#define START_TIMEOUT_MS 60000
#define CONVERGE_TIMEOUT_MS 120000
#define STOP_PATIENCE_MS 20000
#define CALM_MS 1500
#define SUBMITTERS 16
#define TRIES_MAX 5 /* Of a round, until the primary is hit. */

struct scene {
    struct trial trial;
    uint32_t timeout_ms;
    struct background load;
};

struct view {
    uint64_t number;
    uint32_t primary;
};

/* The highest that a replica is in. */
static bool highest_view(struct scene *scene, struct view *out)
{
    struct trial_status status;
    bool answered = false;

    for (uint32_t i = 0; i < scene->trial.count; i++) {
        if (scene->trial.replicas.pids[i] != 0 &&
            trial_ask(&scene->trial, i, &status) &&
            (!answered || status.view > out->number)) {
            *out = (struct view){status.view, status.primary};
            answered = true;
        }
    }
    return answered;
}

/* Kills the primary, and restarts it long after the others must have gone on.
 * `*was_primary`: it still was one, by what the others say, and they have gone
 * on to another view. */
static bool kill_primary(struct scene *scene, bool *was_primary)
{
    struct view before;
    struct view at_kill;
    struct view after;

    pass_ms(CALM_MS);
    if (!highest_view(scene, &before)) {
        return false;
    }
    uint32_t victim = before.primary;
    replicas_kill(&scene->trial.replicas, victim);
    bool good = highest_view(scene, &at_kill);
    pass_ms((uint64_t)scene->timeout_ms * TIMEOUTS_MAX + CALM_MS);
    good = highest_view(scene, &after) && good;
    *was_primary =
        good && at_kill.primary == victim && after.number > at_kill.number;
    return replicas_start(&scene->trial.replicas, victim) == PBFT_OK && good;
}

/* The pause in milliseconds; 0: something else went wrong. */
static uint64_t run_once(struct scene *scene, bool *was_primary)
{
    if (!background_start(&scene->load, &scene->trial, SUBMITTERS, 1)) {
        return 0;
    }
    bool good = kill_primary(scene, was_primary);
    good = background_stop(&scene->load) && good;
    if (!good || !trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS)) {
        return 0;
    }
    return scene->load.report.longest_pause_us / 1000;
}

static uint64_t run_round(struct scene *scene)
{
    for (uint32_t i = 0; i < TRIES_MAX; i++) {
        bool was_primary = false;
        uint64_t pause = run_once(scene, &was_primary);
        if (pause == 0 || was_primary) {
            return pause;
        }
        (void)printf("who was killed was not the primary: again\n");
    }
    (void)printf("the primary was not killed\n");
    return 0;
}

static bool measure(struct scene *scene, uint32_t rounds)
{
    uint64_t longest = 0;

    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t pause = run_round(scene);
        if (pause == 0) {
            return false;
        }
        (void)printf("pause of %" PRIu64 " ms, %.2f request timeouts\n", pause,
                     (double)pause / scene->timeout_ms);
        (void)fflush(stdout);
        longest = pause > longest ? pause : longest;
    }
    (void)printf("request timeout %u ms: longest pause of %u: %" PRIu64
                 " ms, %.2f request timeouts\n",
                 scene->timeout_ms, rounds, longest,
                 (double)longest / scene->timeout_ms);
    return longest <= (uint64_t)scene->timeout_ms * TIMEOUTS_MAX;
}

static bool set_timeouts(const struct scene *scene)
{
    char path[REPLICAS_PATH_MAX];
    bool good = true;

    for (uint32_t i = 0; good && i < scene->trial.count; i++) {
        (void)snprintf(path, sizeof(path), "%.256s/replica-%u.yaml",
                       scene->trial.replicas.folder, i);
        FILE *file = fopen(path, "ae");
        good = file != NULL && fprintf(file, "timeouts:\n  request_ms: %u\n",
                                       scene->timeout_ms) > 0;
        good = file != NULL && fclose(file) == 0 && good;
    }
    return good;
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
    char folder[] = "/tmp/salus-failover-XXXXXX";
    uint32_t wanted_ms = option(argc, argv, "--request-timeout", 0);
    uint32_t replicas = option(argc, argv, "--replicas", 4);

    scene.timeout_ms = wanted_ms != 0 ? wanted_ms : DEFAULT_TIMEOUT_MS;
    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 1;
    }
    bool good = trial_create(&scene.trial, folder, replicas) == PBFT_OK &&
                (wanted_ms == 0 || set_timeouts(&scene)) &&
                trial_start(&scene.trial, START_TIMEOUT_MS) == PBFT_OK &&
                measure(&scene, option(argc, argv, "--rounds", 3));
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
