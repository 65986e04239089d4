/* SPDX-License-Identifier: Apache-2.0 */
/* When a clock is said to be wrong, and when not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/clock_check.h"

#define S UINT64_C(1000000)
#define NOON (UINT64_C(1790000000) * S)

static struct clock_check check;

static int setup(void **state)
{
    (void)state;
    check = (struct clock_check){.slack_us = 10 * S};
    return 0;
}

static void test_a_right_clock(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        pbft_wall_us wall = NOON + i * S;
        assert_int_equal(
            clock_check_note(&check, wall - i % 10 * S, wall, i * 1000), 0);
    }
}

static void test_a_clock_that_is_ahead(void **state)
{
    int64_t found = 0;
    (void)state;
    for (uint64_t i = 0; i <= 10; i++) {
        assert_int_equal(found, 0); /* Not before ten seconds of it. */
        pbft_wall_us block_time = NOON + i * S;
        found =
            clock_check_note(&check, block_time, block_time + 60 * S, i * 1000);
    }
    assert_int_equal(found, 60 * S);
    assert_int_equal(clock_check_note(&check, NOON, NOON + S, 12000), 0);
}

static void test_a_clock_that_is_behind(void **state)
{
    (void)state;
    assert_int_equal(clock_check_note(&check, NOON + 3600 * S, NOON, 0), 0);
    assert_int_equal(clock_check_note(&check, NOON + 3600 * S, NOON, 20000), 0);
    assert_int_equal(clock_check_note(&check, NOON + 3600 * S, NOON, 30000),
                     -(int64_t)(3600 * S));
}

/* What a new view proposes again, or what comes in a burst after a pause. */
static void test_old_blocks_at_once(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(clock_check_note(&check, NOON, NOON + 30 * S, i), 0);
    }
    assert_int_equal(clock_check_note(&check, NOON + 30 * S, NOON + 30 * S, 9),
                     0);
    assert_int_equal(clock_check_note(&check, NOON, NOON + 30 * S, 20000), 0);
}

static void test_now_here_now_there(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        pbft_wall_us wall = i % 2 == 0 ? NOON : NOON + 60 * S;
        assert_int_equal(
            clock_check_note(&check, NOON + 30 * S, wall, i * 20000), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_right_clock, setup),
        cmocka_unit_test_setup(test_a_clock_that_is_ahead, setup),
        cmocka_unit_test_setup(test_a_clock_that_is_behind, setup),
        cmocka_unit_test_setup(test_old_blocks_at_once, setup),
        cmocka_unit_test_setup(test_now_here_now_there, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
