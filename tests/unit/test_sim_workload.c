/* SPDX-License-Identifier: Apache-2.0 */
/* What clients submit to the ledger: every type, mostly with success, in equal
 * runs the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "sim/profile.h"
#include "sim/tally.h"
#include "sim/workload.h"

#define SEEDS 12
/* Of all that is refused on purpose or in a race. */
#define CODES_MIN 30

static void run(uint64_t seed, struct sim_result *out)
{
    struct sim_settings settings;
    profile_find("ledger")->draw(&settings, seed);
    sim_run(&settings, seed, NULL, out);
    assert_false(out->violation.found);
}

static struct tally_sums sums;

static int run_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_result result;
        run(seed, &result);
        tally_add(&sums, &result.tally);
    }
    return 0;
}

/* A type that is always refused tests its first rule and no other. */
static void test_every_type_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < TALLY_TYPES; i++) {
        if (sums.done[i] == 0) {
            fail_msg("%s never succeeds",
                     transaction_type_name(
                         (enum transaction_type)(TALLY_TYPE_FIRST + i)));
        }
    }
}

static void test_most_succeed(void **state)
{
    (void)state;
    uint64_t done = 0;
    uint64_t refused = 0;
    for (size_t i = 0; i < TALLY_TYPES; i++) {
        done += sums.done[i];
        refused += sums.refused[i];
    }
    assert_true(refused > 0);
    assert_true(done > 4 * refused);
}

static void test_many_codes_are_met(void **state)
{
    (void)state;
    size_t met = 0;
    for (size_t i = 1; i < TALLY_CODES_MAX; i++) { /* 0: LEDGER_OK. */
        met += sums.codes[i] > 0;
    }
    assert_in_range(met, CODES_MIN, TALLY_CODES_MAX);
}

static void test_time_does_its_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < TALLY_DUE_COUNT; i++) {
        assert_true(sums.due[i] > 0);
    }
}

static void test_equal_seeds_submit_the_same(void **state)
{
    (void)state;
    struct sim_result first;
    struct sim_result second;
    run(3, &first);
    run(3, &second);
    assert_true(first.trace_hash == second.trace_hash);
    assert_memory_equal(&first.tally, &second.tally, sizeof first.tally);
}

/* Each institution of the clients once, and enough others to decide. */
static void test_members(void **state)
{
    (void)state;
    const struct pbft_institution clients[] = {{{0}}, {{1}}, {{0}}};
    struct pbft_institution members[PBFT_INSTITUTIONS_MAX];
    const size_t count = workload_members(members, 3, clients);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(&members[i], &members[j],
                                    sizeof members[i]);
        }
    }
    assert_memory_equal(&members[0], &clients[0], sizeof members[0]);
    assert_memory_equal(&members[1], &clients[1], sizeof members[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_succeeds),
        cmocka_unit_test(test_most_succeed),
        cmocka_unit_test(test_many_codes_are_met),
        cmocka_unit_test(test_time_does_its_part),
        cmocka_unit_test(test_equal_seeds_submit_the_same),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, run_all, NULL);
}
