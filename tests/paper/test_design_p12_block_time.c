/* SPDX-License-Identifier: Apache-2.0 */
/* P12, its second half, which the ledger keeps: what the primary proposes is
 * the time of a block only if it is later than that of the block before. */
#include "tests/support/ledger_fixture.h"

static int setup(void **state)
{
    *state = world_create_empty(2);
    return 0;
}

/* The time at which a block is executed that was proposed at that time. */
static pbft_wall_us execute_at(struct world *world, pbft_wall_us proposed,
                               bool is_null)
{
    struct ledger_position before;
    struct ledger_position after;
    ledger_position(world->ledger, &before);
    const struct ledger_block block = {
        .seq = before.seq + 1,
        .proposed_time = proposed,
        .is_null = is_null,
    };
    assert_int_equal(ledger_execute(world->ledger, &block, &world->last),
                     PBFT_OK);
    ledger_position(world->ledger, &after);
    assert_int_equal(after.time, world->last.block.time);
    return after.time;
}

/* Block time is max(proposed, previous + 1): it rises, whatever primaries with
 * wrong clocks propose, and no more than it must. */
static void test_design_p12_block_time_always_rises(void **state)
{
    const pbft_wall_us start = WORLD_NOW_MS * 1000;
    (void)state;
    assert_int_equal(execute_at(*state, start, false), start);
    assert_int_equal(execute_at(*state, start + 500, false), start + 500);
    assert_int_equal(execute_at(*state, start + 500, false), start + 501);
    assert_int_equal(execute_at(*state, start - 7, false), start + 502);
    assert_int_equal(execute_at(*state, 0, true), start + 503); /* Null. */
    assert_int_equal(execute_at(*state, start + 504, false), start + 504);
    assert_int_equal(execute_at(*state, start + 900, false), start + 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_design_p12_block_time_always_rises,
                                        setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
