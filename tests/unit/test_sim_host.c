/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/profile.h"

static struct sim *make_sim(void)
{
    struct sim_settings settings;
    profile_defaults(&settings);
    return sim_create(&settings, 1, NULL);
}

static void test_ticks_drift_and_never_go_back(void **state)
{
    (void)state;
    struct sim *sim = make_sim();
    struct host *host = sim->hosts[0];
    sim->now_us = 10 * SIM_MS_US;
    assert_int_equal(host_now_ms(host), 10);
    host_bend_ticks(host, 100);
    assert_int_equal(host_now_ms(host), 10);
    sim->now_us = 20 * SIM_MS_US;
    assert_int_equal(host_now_ms(host), 21);
    host_bend_ticks(host, -1000);
    sim->now_us = 100 * SIM_MS_US;
    assert_int_equal(host_now_ms(host), 21);
    host_bend_ticks(host, -100);
    sim->now_us = 110 * SIM_MS_US;
    assert_int_equal(host_now_ms(host), 30);
    host_bend_ticks(host, 0);
    sim->now_us = 120 * SIM_MS_US;
    assert_int_equal(host_now_ms(host), 40);
    assert_int_equal(host_now_ms(sim->hosts[1]), 120);
    sim_destroy(sim);
}

/* A deadline is reached when the host's clock shows it, not before. */
static void test_timers_follow_the_clock_of_their_host(void **state)
{
    (void)state;
    static const int32_t drifts[] = {0, 1, 7, 100, -1, -100};
    for (size_t i = 0; i < sizeof drifts / sizeof drifts[0]; i++) {
        struct sim *sim = make_sim();
        struct host *host = sim->hosts[0];
        host_bend_ticks(host, drifts[i]);
        host_schedule_timer(host, 50);
        uint64_t at_us = host->timer_at_us;
        sim->now_us = at_us;
        assert_int_equal(host_now_ms(host), 50);
        sim->now_us = at_us - 1;
        assert_int_equal(host_now_ms(host), 49);
        sim_destroy(sim);
    }
}

static void test_a_standing_clock_fires_no_timer(void **state)
{
    (void)state;
    struct sim *sim = make_sim();
    struct host *host = sim->hosts[0];
    host_bend_ticks(host, -1000);
    host_schedule_timer(host, 50);
    assert_true(host->timer_at_us == UINT64_MAX);
    host_schedule_timer(host, 0); /* It is due already. */
    assert_int_equal(host->timer_at_us, 0);
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks_drift_and_never_go_back),
        cmocka_unit_test(test_timers_follow_the_clock_of_their_host),
        cmocka_unit_test(test_a_standing_clock_fires_no_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
