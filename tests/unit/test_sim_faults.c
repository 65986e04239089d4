/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that need a closer look than that nothing broke. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/quorum.h"
#include "sim/profile.h"

#define SEEDS_MAX 60

struct seen {
    struct sim *sim;
    uint32_t unbound; /* Replicas that once lost promises unknowingly; */
    uint32_t reborn;  /* of them, those that are bound again. */
    uint64_t first_clog_us;
    bool has_later_clog;
    uint32_t halts;
};

static void on_begin(void *context, struct sim *sim)
{
    struct seen *seen = context;
    seen->sim = sim;
}

static void on_line(void *context, const struct trace_line *line)
{
    struct seen *seen = context;
    seen->halts += strcmp(line->what, "halt") == 0;
    if (strcmp(line->what, "fault") != 0 || strcmp(line->note, "clog") != 0) {
        return;
    }
    if (seen->first_clog_us == 0) {
        seen->first_clog_us = line->time_us;
    }
    seen->has_later_clog =
        seen->has_later_clog || line->time_us > seen->first_clog_us;
}

static void on_end(void *context)
{
    struct seen *seen = context;
    seen->unbound += pbft_set_count(&seen->sim->byzantine);
    seen->reborn += pbft_set_count(&seen->sim->reborn);
}

/* One kind of fault alone. */
static void run_with(const char *name, uint64_t seed, struct seen *seen)
{
    struct sim_settings settings;
    struct sim_result result;
    const struct sim_watch watch = {.context = seen,
                                    .on_begin = on_begin,
                                    .on_line = on_line,
                                    .on_end = on_end};
    enum fault_class class = FAULT_NETWORK;
    profile_find("lite")->draw(&settings, seed);
    settings.byzantine_count = 0;
    settings.scheduler = 0;
    settings.hostile_count = 0;
    settings.think_us = 20 * SIM_MS_US; /* Time to lose, and to recover. */
    settings.fault_mask = 0;
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        if (strcmp(fault_kind_at(i, &class)->name, name) == 0) {
            settings.fault_mask = UINT64_C(1) << i;
        }
    }
    assert_true(settings.fault_mask != 0);
    sim_run_watched(&settings, seed, &watch, &result);
    if (result.violation.found) {
        fail_msg("%s, seed %u: %s %s", name, (unsigned)seed,
                 result.violation.rule, result.violation.text);
    }
}

/* Its log says nothing of what it forgot. No rule binds it until it has found
 * out, and is in another incarnation: from then on it is judged again. */
static void test_a_rolled_back_replica_is_bound_again(void **state)
{
    (void)state;
    struct seen seen = {.sim = NULL};
    for (uint64_t seed = 1; seed <= SEEDS_MAX && seen.reborn == 0; seed++) {
        run_with("rollback", seed, &seen);
    }
    assert_true(seen.unbound > 0);
    assert_true(seen.reborn > 0);
}

/* Blocks rot too: a replica that cannot read one ends, gets an empty disk, and
 * catches up with the others. */
static void test_rotten_blocks_are_survived(void **state)
{
    (void)state;
    struct seen seen = {.sim = NULL};
    for (uint64_t seed = 1; seed <= SEEDS_MAX && seen.halts < 4; seed++) {
        run_with("bit-rot", seed, &seen);
    }
    assert_true(seen.halts >= 4);
    for (uint64_t seed = 1; seed <= SEEDS_MAX / 4; seed++) {
        run_with("lost-write", seed, &seen);
    }
}

static void test_clogs_of_a_swizzle_begin_one_by_one(void **state)
{
    (void)state;
    struct seen seen = {.sim = NULL};
    for (uint64_t seed = 1; seed <= SEEDS_MAX && !seen.has_later_clog; seed++) {
        seen.first_clog_us = 0;
        run_with("swizzle", seed, &seen);
    }
    assert_true(seen.has_later_clog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rolled_back_replica_is_bound_again),
        cmocka_unit_test(test_rotten_blocks_are_survived),
        cmocka_unit_test(test_clogs_of_a_swizzle_begin_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
