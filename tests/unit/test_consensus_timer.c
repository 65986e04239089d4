/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/timer.h"

static void test_the_earliest_deadline_counts(void **state)
{
    struct pbft_timers timers;
    (void)state;
    pbft_timers_init(&timers);
    assert_true(pbft_timers_earliest(&timers) == PBFT_TIME_NEVER);

    pbft_timers_arm(&timers, PBFT_TIMER_STATUS, 100, 50);
    pbft_timers_arm(&timers, PBFT_TIMER_BATCH, 100, 5);
    assert_int_equal(pbft_timers_earliest(&timers), 105);

    pbft_timers_disarm(&timers, PBFT_TIMER_BATCH);
    assert_int_equal(pbft_timers_earliest(&timers), 150);
    assert_false(pbft_timers_is_armed(&timers, PBFT_TIMER_BATCH));
    assert_true(pbft_timers_is_armed(&timers, PBFT_TIMER_STATUS));
}

static void test_a_timer_is_due_at_its_deadline(void **state)
{
    struct pbft_timers timers;
    (void)state;
    pbft_timers_init(&timers);
    pbft_timers_arm(&timers, PBFT_TIMER_VIEW, 10, 10);

    assert_false(pbft_timers_is_due(&timers, PBFT_TIMER_VIEW, 19));
    assert_true(pbft_timers_is_due(&timers, PBFT_TIMER_VIEW, 20));
    assert_false(
        pbft_timers_is_due(&timers, PBFT_TIMER_REQUEST, PBFT_TIME_NEVER));
}

static void test_time_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(pbft_time_after(1, 2), 3);
    assert_true(pbft_time_after(PBFT_TIME_NEVER - 1, 5) == PBFT_TIME_NEVER);
    assert_true(pbft_time_after(5, PBFT_TIME_NEVER) == PBFT_TIME_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_earliest_deadline_counts),
        cmocka_unit_test(test_a_timer_is_due_at_its_deadline),
        cmocka_unit_test(test_time_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
