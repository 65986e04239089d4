/* SPDX-License-Identifier: Apache-2.0 */
/* The nemesis: one fault after the other, each of them healed before the next.
 * Never more than f replicas lose what they promised, so nothing may get lost;
 * and when all is healed transactions must be ordered again.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/torture.h"

#define PROGRESS_OPERATIONS 4
#define CALM_MS 400

static uint64_t below(struct torture *torture, uint64_t bound)
{
    uint64_t z = (torture->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static bool all_alive(struct torture *torture)
{
    int status = 0;
    int dead = replicas_find_dead(&torture->trial.replicas, &status);

    if (dead >= 0) {
        (void)fprintf(stderr, "replica %d ended by itself, status %d\n", dead,
                      status);
    }
    return dead < 0;
}

/* After all is healed: what was submitted is ordered again. */
bool torture_makes_progress(struct torture *torture, const char *after)
{
    uint64_t deadline = torture_now_us() + TORTURE_PROGRESS_MS * UINT64_C(1000);
    size_t wanted = torture_operations_ended(torture) + PROGRESS_OPERATIONS;

    while (torture_operations_ended(torture) < wanted) {
        if (!all_alive(torture)) {
            return false;
        }
        if (torture_now_us() > deadline) {
            (void)fprintf(stderr, "nothing is ordered any more after: %s\n",
                          after);
            return false;
        }
        torture_pass_ms(20);
    }
    return true;
}

/* ---- processes ----------------------------------------------------------- */

bool torture_start_again(struct torture *torture, uint32_t id)
{
    if (replicas_start(&torture->trial.replicas, id) == PBFT_OK) {
        return true;
    }
    (void)fprintf(stderr, "replica %u could not be started again\n", id);
    return false;
}

void torture_kill_one(struct torture *torture, uint32_t id)
{
    replicas_kill(&torture->trial.replicas, id);
    torture->kills++;
}

/* As the replica says that has come furthest. */
static uint32_t primary_of(struct torture *torture)
{
    struct trial_status status;
    struct trial_status best = {.view = 0};

    for (uint32_t i = 0; i < torture->trial.count; i++) {
        if (trial_ask(&torture->trial, i, &status) &&
            status.view >= best.view) {
            best = status;
        }
    }
    return best.primary;
}

/* `count` replicas from `first` on, killed at the same time. */
static bool kill_and_restart(struct torture *torture, uint32_t first,
                             uint32_t count, uint64_t pause_ms)
{
    uint32_t n = torture->trial.count;
    bool good = true;

    for (uint32_t i = 0; i < count; i++) {
        torture_kill_one(torture, (first + i) % n);
    }
    torture_pass_ms(pause_ms);
    for (uint32_t i = 0; i < count; i++) {
        good = torture_start_again(torture, (first + i) % n) && good;
    }
    return good;
}

static bool do_kill(struct torture *torture)
{
    uint32_t n = torture->trial.count;
    uint32_t count = below(torture, 2) == 0 ? 1 : (n - 1) / 3 + 1;

    return kill_and_restart(torture, (uint32_t)below(torture, n), count,
                            below(torture, 600));
}

static bool do_kill_all(struct torture *torture)
{
    return kill_and_restart(torture, 0, torture->trial.count,
                            below(torture, 200));
}

/* Dead for long enough that the others choose another one. */
static bool do_kill_primary(struct torture *torture)
{
    return kill_and_restart(torture, primary_of(torture), 1,
                            torture->request_timeout_ms * 2);
}

/* Stops for longer than the others wait, and believes then that it is still
 * the primary of a view that the others have left. */
static bool do_stop_primary(struct torture *torture)
{
    pid_t pid = torture->trial.replicas.pids[primary_of(torture)];

    (void)kill(pid, SIGSTOP);
    torture_pass_ms(torture->request_timeout_ms * 2 + below(torture, 1000));
    (void)kill(pid, SIGCONT);
    return true;
}

/* ---- the network --------------------------------------------------------- */

/* Between the members of `side` and the others, both ways. */
static void separate(struct torture *torture, uint64_t side,
                     enum proxy_mode mode)
{
    uint32_t n = torture->trial.count;

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            if ((side >> i & 1) != (side >> j & 1)) {
                proxy_set(torture->proxy, i, j, mode, 0);
            }
        }
    }
}

static void hold(struct torture *torture)
{
    torture_pass_ms(torture->request_timeout_ms + below(torture, 3000));
    proxy_heal(torture->proxy);
}

static bool do_partition(struct torture *torture)
{
    separate(torture, 1 + below(torture, (1u << torture->trial.count) - 2),
             PROXY_CUT);
    hold(torture);
    return true;
}

static bool do_isolate_primary(struct torture *torture)
{
    separate(torture, UINT64_C(1) << primary_of(torture), PROXY_CUT);
    hold(torture);
    return true;
}

/* It hears nobody, or nobody hears it. */
static bool do_one_way(struct torture *torture)
{
    uint32_t n = torture->trial.count;
    uint32_t victim = (uint32_t)below(torture, n);
    bool is_deaf = below(torture, 2) == 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i != victim) {
            proxy_set(torture->proxy, is_deaf ? i : victim,
                      is_deaf ? victim : i, PROXY_CUT, 0);
        }
    }
    hold(torture);
    return true;
}

/* As when a firewall forgets its connections: no reset, no answer; what was
 * under way arrives at last. */
static bool do_half_open(struct torture *torture)
{
    separate(torture, UINT64_C(1) << below(torture, torture->trial.count),
             PROXY_HOLE);
    hold(torture);
    return true;
}

static bool do_slow(struct torture *torture)
{
    uint32_t n = torture->trial.count;

    for (uint32_t i = 0; i < n * n; i++) {
        proxy_set(torture->proxy, i / n, i % n, PROXY_SLOW,
                  (uint32_t)below(torture, 150));
    }
    hold(torture);
    return true;
}

/* ---- one after the other ------------------------------------------------- */

struct fault {
    const char *name;
    bool (*strike)(struct torture *torture);
};

static const struct fault faults[] = {
    {"kill", do_kill},           {"kill-primary", do_kill_primary},
    {"kill-all", do_kill_all},   {"stop-primary", do_stop_primary},
    {"partition", do_partition}, {"isolate-primary", do_isolate_primary},
    {"one-way", do_one_way},     {"half-open", do_half_open},
    {"slow", do_slow},           {"fill-disk", torture_fill_disk},
    {"wipe", torture_wipe},
};
#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

struct nemesis {
    size_t order[FAULT_COUNT]; /* The first `left` are still to come. */
    size_t count;
    size_t left;
    uint32_t struck[FAULT_COUNT];
};

/* In a list of names with commas between them. */
static bool is_named(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (list != NULL) {
        if (strncmp(list, name, length) == 0 &&
            (list[length] == ',' || list[length] == '\0')) {
            return true;
        }
        list = strchr(list, ',');
        list = list != NULL ? list + 1 : NULL;
    }
    return false;
}

static bool is_possible(const struct torture *torture, size_t fault)
{
    if (faults[fault].strike == torture_fill_disk) {
        return torture->small_disk[0] != '\0';
    }
    if (faults[fault].strike == torture_wipe) {
        return torture_can_wipe(torture);
    }
    return true;
}

static void choose(const struct torture *torture, struct nemesis *out,
                   const char *names)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (is_possible(torture, i) &&
            (names == NULL || is_named(names, faults[i].name))) {
            out->order[out->count++] = i;
        }
    }
}

static bool strike(struct torture *torture, const struct fault *fault)
{
    uint64_t began = torture_now_us();
    bool good = fault->strike(torture);
    uint64_t healed = torture_now_us();

    good = good && torture_makes_progress(torture, fault->name);
    (void)printf("%-16s %5.1f s, ordered again %4.1f s after it was healed%s\n",
                 fault->name, (double)(healed - began) / 1e6,
                 (double)(torture_now_us() - healed) / 1e6,
                 good ? "" : ": FAILED");
    (void)fflush(stdout);
    return good;
}

/* Each fault once, in a random order, then again. */
static bool strike_next(struct torture *torture, struct nemesis *nemesis)
{
    nemesis->left = nemesis->left == 0 ? nemesis->count : nemesis->left;
    size_t chosen = below(torture, nemesis->left);
    size_t fault = nemesis->order[chosen];
    nemesis->order[chosen] = nemesis->order[--nemesis->left];
    nemesis->order[nemesis->left] = fault;

    if (is_possible(torture, fault)) {
        if (!strike(torture, &faults[fault])) {
            return false;
        }
        nemesis->struck[fault]++;
    }
    torture_pass_ms(below(torture, CALM_MS));
    return true;
}

/* Those that have not struck yet; names them if `out` is not NULL. */
static size_t find_missing(const struct nemesis *nemesis, FILE *out)
{
    size_t missing = 0;

    for (size_t i = 0; i < nemesis->count; i++) {
        size_t fault = nemesis->order[i];
        if (nemesis->struck[fault] == 0) {
            missing++;
            if (out != NULL) {
                (void)fprintf(out, " %s", faults[fault].name);
            }
        }
    }
    return missing;
}

static void tell_struck(const struct nemesis *nemesis)
{
    const char *between = "struck: ";

    for (size_t i = 0; i < FAULT_COUNT; i++) {
        (void)printf("%s%s %u", between, faults[i].name, nemesis->struck[i]);
        between = ", ";
    }
    (void)printf("\n");
}

static bool rage(struct torture *torture, struct nemesis *nemesis,
                 const struct torture_plan *plan)
{
    uint64_t began = torture_now_us();
    uint64_t until = began + plan->seconds * 1000000;
    uint64_t limit = began + plan->each_within_seconds * 1000000;
    bool each = plan->each_within_seconds > 0;

    while (torture_now_us() < until || torture->kills < plan->kills ||
           (each && find_missing(nemesis, NULL) > 0)) {
        if (each && torture_now_us() > limit &&
            find_missing(nemesis, NULL) > 0) {
            (void)fprintf(stderr, "within %" PRIu64 " s these did not strike:",
                          plan->each_within_seconds);
            (void)find_missing(nemesis, stderr);
            (void)fprintf(stderr, "\n");
            return false;
        }
        if (!strike_next(torture, nemesis)) {
            return false;
        }
    }
    return true;
}

bool torture_rage(struct torture *torture, const struct torture_plan *plan)
{
    struct nemesis nemesis = {.count = 0};

    choose(torture, &nemesis, plan->faults);
    if (nemesis.count == 0) {
        (void)fprintf(stderr, "no such fault, or not here: %s\n", plan->faults);
        return false;
    }
    bool survived = torture_makes_progress(torture, "the start") &&
                    rage(torture, &nemesis, plan);
    tell_struck(&nemesis);
    return survived;
}
