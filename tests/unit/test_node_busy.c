/* SPDX-License-Identifier: Apache-2.0 */
/* When a replica takes itself for what keeps the machine busy. */
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
    cpu_us = 700000;
    assert_false(busy_look(&busy, now_ms, cpu_us, PROCESSORS));
    assert_false(busy.is_busy);
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
    assert_false(busy.is_busy);
    assert_true(pass(125));
    assert_true(busy.is_busy);
    assert_false(pass(900));
    assert_true(busy.is_busy);
}

static void test_less_than_a_sixteenth_is_idle(void **state)
{
    (void)state;
    assert_true(pass(500));
    assert_false(pass(100)); /* Between them: as before. */
    assert_false(pass(63));
    assert_true(busy.is_busy);
    assert_true(pass(62));
    assert_false(busy.is_busy);
    assert_false(pass(100));
    assert_false(busy.is_busy);
}

static void test_no_time_says_nothing(void **state)
{
    (void)state;
    assert_false(busy_look(&busy, now_ms, cpu_us + 5000, PROCESSORS));
    assert_false(busy.is_busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_eighth_is_busy, setup),
        cmocka_unit_test_setup(test_less_than_a_sixteenth_is_idle, setup),
        cmocka_unit_test_setup(test_no_time_says_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
