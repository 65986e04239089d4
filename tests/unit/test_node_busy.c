/* SPDX-License-Identifier: Apache-2.0 */
/* When a replica takes itself for what keeps the machine busy, and when it no
 * longer tries to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/busy.h"

#define SECOND_MS 1000u
#define PROCESSORS 2u

static struct busy busy;
static pbft_time_ms now_ms;
static uint64_t cpu_us;

static int setup(void **state)
{
    (void)state;
    busy = (struct busy){0};
    now_ms = 5000;
    cpu_us = 700000; /* What came before the first look says nothing. */
    assert_false(busy_look(&busy, now_ms, cpu_us, PROCESSORS));
    return 0;
}

/* A second in which it used so many thousandths of all processors. */
static bool pass(uint32_t permille)
{
    now_ms += SECOND_MS;
    cpu_us += (uint64_t)permille * SECOND_MS * PROCESSORS;
    return busy_look(&busy, now_ms, cpu_us, PROCESSORS);
}

static void test_an_eighth_is_busy(void **state)
{
    (void)state;
    assert_false(pass(124));
    assert_true(pass(125));
    assert_true(pass(900));
}

static void test_less_than_a_sixteenth_is_idle(void **state)
{
    (void)state;
    assert_true(pass(500));
    assert_true(pass(100)); /* Between them: as before. */
    assert_true(pass(63));
    assert_false(pass(62));
    assert_false(pass(100));
}

static void test_no_time_says_nothing(void **state)
{
    (void)state;
    assert_false(busy_look(&busy, now_ms, cpu_us + 500000, PROCESSORS));
    cpu_us += 500000;
    assert_true(pass(500));
    assert_true(busy_look(&busy, now_ms, cpu_us, PROCESSORS));
}

/* Seconds until it is busy again, if it always has enough to do for that. */
static uint32_t seconds_until_busy(void)
{
    uint32_t seconds = 1;
    while (!pass(200)) {
        seconds++;
        assert_true(seconds <= BUSY_PAUSE_MAX_MS / SECOND_MS + 1);
    }
    return seconds;
}

/* Others keep the processors busy: as soon as it takes turns it gets none. */
static void test_mistakes_are_not_repeated_for_ever(void **state)
{
    static const uint32_t pauses[] = {1, 60, 120, 240, 480, 600, 600};
    (void)state;
    assert_true(pass(200));
    assert_false(pass(20));
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        assert_int_equal(seconds_until_busy(), pauses[i]);
        assert_false(pass(20));
    }
}

static void test_a_real_load_ends_the_pauses(void **state)
{
    (void)state;
    assert_true(pass(200));
    assert_false(pass(20));
    assert_true(pass(200));
    assert_false(pass(20)); /* The second mistake. */
    assert_int_equal(seconds_until_busy(), 60);
    for (int i = 0; i < 3; i++) {
        assert_true(pass(200));
    }
    assert_false(pass(20));
    assert_int_equal(seconds_until_busy(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_eighth_is_busy, setup),
        cmocka_unit_test_setup(test_less_than_a_sixteenth_is_idle, setup),
        cmocka_unit_test_setup(test_no_time_says_nothing, setup),
        cmocka_unit_test_setup(test_mistakes_are_not_repeated_for_ever, setup),
        cmocka_unit_test_setup(test_a_real_load_ends_the_pauses, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
