/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: each runs, and does what it says until the faults are over. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "sim/profile.h"

#define DELAY_US 1000
#define FORK_SEEDS_MAX 10000

static struct sim *make_sim(uint32_t row)
{
    struct sim_settings settings;
    profile_defaults(&settings);
    settings.n = 7;
    settings.byzantine_count = 2;
    struct sim *sim = sim_create(&settings, 1, NULL);
    adversaries_begin(sim);
    sim_start_hosts(sim);
    scheduler_begin(sim, row);
    return sim;
}

static uint32_t row_of(const char *name)
{
    for (uint32_t i = 0; i < scheduler_kind_count; i++) {
        if (strcmp(scheduler_kinds[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("there is no %s", name);
    return 0;
}

static void test_weights_are_all(void **state)
{
    (void)state;
    struct random random;
    uint32_t sum = 0;
    uint32_t drawn[16] = {0};
    random_init(&random, 1, 1);
    for (uint32_t i = 0; i < scheduler_kind_count; i++) {
        sum += scheduler_kinds[i].weight;
    }
    assert_int_equal(sum, 100);
    for (int i = 0; i < 1000; i++) {
        drawn[scheduler_draw(&random)]++;
    }
    for (uint32_t i = 0; i < scheduler_kind_count; i++) {
        assert_in_range(drawn[i], 5 * scheduler_kinds[i].weight,
                        15 * scheduler_kinds[i].weight);
    }
}

static void test_each_schedule_alone(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < scheduler_kind_count; row++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct sim_settings settings;
            struct sim_result result;
            profile_find("lite")->draw(&settings, seed);
            settings.byzantine_count = 1;
            settings.scheduler = row;
            sim_run(&settings, seed, NULL, &result);
            if (result.violation.found) {
                fail_msg("%s, seed %u: %s %s", scheduler_kinds[row].name,
                         (unsigned)seed, result.violation.rule,
                         result.violation.text);
            }
        }
    }
}

/* The ranks are an order: as many different delays as replicas. */
static void test_pct_ranks_replicas(void **state)
{
    (void)state;
    struct sim *sim = make_sim(row_of("pct"));
    for (int round = 0; round < 2000; round++) {
        uint64_t sum = 0;
        for (uint32_t to = 0; to < 7; to++) {
            (void)scheduler_delay(sim, to, DELAY_US);
        }
        for (uint32_t to = 0; to < 7; to++) {
            sum += sim->scheduler.ranks[to];
        }
        assert_int_equal(sum, 0 + 1 + 2 + 3 + 4 + 5 + 6);
    }
    sim->scheduler.is_over = true;
    assert_int_equal(scheduler_delay(sim, 3, DELAY_US), DELAY_US);
    sim_destroy(sim);
}

static void test_a_twin_stands_apart(void **state)
{
    (void)state;
    struct sim *sim = make_sim(row_of("twins"));
    assert_int_equal(sim->host_count, 9);
    const struct host *twin = sim->hosts[7];
    assert_false(scheduler_is_cut(sim, twin->id, twin->index));
    sim->now_us = sim->scheduler.round_us; /* The second round. */
    assert_true(scheduler_is_cut(sim, twin->id, twin->index));
    sim->scheduler.is_over = true;
    assert_false(scheduler_is_cut(sim, twin->id, twin->index));
    sim_destroy(sim);
}

static bool is_fork(const struct sim_result *result)
{
    return result->violation.found &&
           (strcmp(result->violation.rule, "S1") == 0 ||
            strcmp(result->violation.rule, "S5") == 0);
}

/* Two of four that live twice are more than the protocol bears: the grid must
 * come upon a fork that nothing can prevent, or it has no teeth. */
static void test_twins_of_too_many_fork(void **state)
{
    (void)state;
    struct sim_result result = {0};
    for (uint64_t seed = 1; !is_fork(&result); seed++) {
        struct sim_settings settings;
        assert_in_range(seed, 1, FORK_SEEDS_MAX);
        profile_find("lite")->draw(&settings, seed);
        settings.byzantine_count = 2;
        settings.adversary_mask = 0;
        settings.hostile_count = 0;
        settings.scheduler = row_of("twins");
        sim_run(&settings, seed, NULL, &result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_are_all),
        cmocka_unit_test(test_each_schedule_alone),
        cmocka_unit_test(test_pct_ranks_replicas),
        cmocka_unit_test(test_a_twin_stands_apart),
        cmocka_unit_test(test_twins_of_too_many_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
