/* SPDX-License-Identifier: Apache-2.0 */
/* Certified reads of one institution: a burst, then so many a second, and
 * nobody pays for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/call_rate.h"
#include "node/limits.h"

static uint32_t take_all(struct call_rate *rate, uint32_t member,
                         pbft_time_ms now_ms)
{
    uint32_t count = 0;
    while (call_rate_take(rate, member, now_ms)) {
        count++;
    }
    return count;
}

static void test_burst_then_rate(void **state)
{
    struct call_rate *rate = call_rate_create(2);
    (void)state;
    assert_int_equal(take_all(rate, 0, 5000), NODE_CERTIFY_BURST_MAX);
    assert_int_equal(take_all(rate, 0, 5000), 0);
    assert_int_equal(take_all(rate, 0, 6000), NODE_CERTIFY_PER_SECOND_MAX);
    assert_int_equal(take_all(rate, 0, 6009), 0);
    assert_int_equal(take_all(rate, 0, 6010),
                     NODE_CERTIFY_PER_SECOND_MAX / 100);
    call_rate_destroy(rate);
}

static void test_others_do_not_pay(void **state)
{
    struct call_rate *rate = call_rate_create(2);
    (void)state;
    (void)take_all(rate, 0, 1);
    assert_int_equal(take_all(rate, 1, 1), NODE_CERTIFY_BURST_MAX);
    call_rate_destroy(rate);
}

static void test_it_never_holds_more_than_the_burst(void **state)
{
    struct call_rate *rate = call_rate_create(1);
    (void)state;
    (void)take_all(rate, 0, 1);
    assert_int_equal(take_all(rate, 0, UINT64_MAX - 1), NODE_CERTIFY_BURST_MAX);
    /* A clock that stands still or goes back fills nothing. */
    assert_int_equal(take_all(rate, 0, 7), 0);
    call_rate_destroy(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_others_do_not_pay),
        cmocka_unit_test(test_it_never_holds_more_than_the_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
