/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of trust for n = 1..31 and the largest cluster (design: P1).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/quorum.h"

#define N_TABLE 31

static void check(uint32_t n)
{
    const uint32_t f = pbft_faults_max(n);
    const uint32_t quorum = pbft_quorum(n);
    assert_true(3 * f + 1 <= n);
    assert_true(3 * (f + 1) + 1 > n);
    /* Two quorums share f + 1: at least one honest replica. */
    assert_true(2 * quorum >= n + f + 1);
    /* The honest ones form a quorum: the faulty cannot block. */
    assert_true(quorum <= n - f);
    /* And it is the smallest such number. */
    assert_true(2 * (quorum - 1) < n + f + 1);
    assert_int_equal(pbft_weak_quorum(n), f + 1);
    assert_true(pbft_weak_quorum(n) <= quorum);
}

static void test_quorums_intersect_and_are_reachable(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= N_TABLE; n++) {
        check(n);
    }
    check(PBFT_REPLICAS_MAX);
}

static void test_known_values(void **state)
{
    static const uint32_t table[][3] = {
        {1, 0, 1}, {4, 1, 3}, {5, 1, 4},  {6, 1, 4},  {7, 2, 5},
        {8, 2, 6}, {9, 2, 6}, {10, 3, 7}, {13, 4, 9}, {100, 33, 67}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(pbft_faults_max(table[i][0]), table[i][1]);
        assert_int_equal(pbft_quorum(table[i][0]), table[i][2]);
    }
}

static void test_primaries_take_turns_without_overflow(void **state)
{
    (void)state;
    assert_int_equal(pbft_primary_of(0, 4), 0);
    assert_int_equal(pbft_primary_of(7, 4), 3);
    assert_int_equal(pbft_primary_of(UINT64_MAX, 4), 3);
    assert_int_equal(pbft_primary_of(UINT64_C(1) << 63, 7),
                     (UINT64_C(1) << 63) % 7);
}

static void test_sets(void **state)
{
    (void)state;
    struct pbft_replica_set set = pbft_set_others(128, 64);
    assert_int_equal(pbft_set_count(&set), 127);
    assert_false(pbft_set_has(&set, 64));
    assert_true(pbft_set_has(&set, 127));

    pbft_set_add(&set, 64);
    pbft_set_add(&set, 64);
    assert_int_equal(pbft_set_count(&set), 128);
    pbft_set_remove(&set, 0);
    assert_int_equal(pbft_set_count(&set), 127);
    set = pbft_set_one(100);
    assert_int_equal(pbft_set_count(&set), 1);
    assert_true(pbft_set_has(&set, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quorums_intersect_and_are_reachable),
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_primaries_take_turns_without_overflow),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
