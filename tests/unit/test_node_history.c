/* SPDX-License-Identifier: Apache-2.0 */
/* States after the last blocks: each shows its own block and no later one,
 * their number is bounded, and what was asked lately stays a little longer. */
#include "node/history.h"
#include "node/limits.h"
#include "storage/state.h"
#include "tests/support/storage.h"

struct world {
    struct storage_fixture *fixture;
    struct storage_state *state;
    struct history *history;
    pbft_seq seq;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *fixture = NULL;
    assert_non_null(world);
    assert_int_equal(fixture_setup(&fixture), 0);
    world->fixture = fixture;
    fixture_open(world->fixture);
    world->state = storage_state_create(world->fixture->storage);
    world->history = history_create(world->fixture->storage);
    history_add(world->history, 0, 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    void *fixture = world->fixture;
    history_destroy(world->history);
    storage_state_destroy(world->state);
    (void)fixture_teardown(&fixture);
    free(world);
    return 0;
}

#define CALLER 3u

static const struct pbft_bytes key = {(const uint8_t *)"key", 3};

/* One block that writes its number under the key. */
static void add_block(struct world *world, pbft_time_ms now_ms)
{
    const uint8_t value = (uint8_t)++world->seq;
    const struct ledger_kv *kv = storage_state_kv(world->state);
    const struct ledger_kv_write write = {.operation = LEDGER_KV_PUT,
                                          .space = LEDGER_SPACE_STATE,
                                          .key = key,
                                          .value = {&value, 1}};
    assert_int_equal(kv->apply(kv->context, &write, 1), PBFT_OK);
    history_add(world->history, world->seq, now_ms);
}

/* The number that the state shows. */
static uint8_t shown(const struct history_state *state)
{
    const struct ledger_kv *kv = history_kv(state);
    uint8_t value = 0;
    size_t size = 0;
    assert_int_equal(
        kv->get(kv->context, LEDGER_SPACE_STATE, key, &value, 1, &size),
        PBFT_OK);
    return value;
}

static struct history_state *borrow(struct world *world, pbft_seq seq,
                                    pbft_time_ms now_ms)
{
    struct history_state *state = NULL;
    pbft_seq newest = 0;
    assert_int_equal(
        history_borrow(world->history, seq, CALLER, now_ms, &state, &newest),
        PBFT_OK);
    assert_int_equal(newest, world->seq);
    return state;
}

static enum pbft_status try_borrow(struct world *world, pbft_seq seq)
{
    struct history_state *state = NULL;
    pbft_seq newest = 0;
    return history_borrow(world->history, seq, CALLER, 0, &state, &newest);
}

static void test_each_state_shows_its_block(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 5; i++) {
        add_block(world, 1);
    }
    for (pbft_seq seq = 1; seq <= 5; seq++) {
        struct history_state *borrowed = borrow(world, seq, 1);
        assert_int_equal(shown(borrowed), seq);
        history_give_back(world->history, borrowed);
    }
    struct history_state *newest = borrow(world, 0, 1);
    assert_int_equal(shown(newest), 5);
    history_give_back(world->history, newest);
    assert_int_equal(try_borrow(world, 6), PBFT_LIMIT);
}

static void test_only_the_last_are_kept(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < NODE_HISTORY_BLOCKS + 20; i++) {
        add_block(world, 1);
    }
    assert_int_equal(history_count(world->history), NODE_HISTORY_BLOCKS);
    assert_int_equal(try_borrow(world, 20), PBFT_NOT_FOUND);
    struct history_state *oldest = borrow(world, 21, 1);
    assert_int_equal(shown(oldest), 21);
    history_give_back(world->history, oldest);
}

static void test_what_was_asked_stays(void **state)
{
    struct world *world = *state;
    add_block(world, 0);
    history_give_back(world->history, borrow(world, 1, 1000));
    for (unsigned i = 0; i < 2 * NODE_HISTORY_BLOCKS; i++) {
        add_block(world, 1000 + NODE_HISTORY_LEASE_MS - 1);
    }
    struct history_state *kept =
        borrow(world, 1, 1000 + NODE_HISTORY_LEASE_MS - 1);
    assert_int_equal(shown(kept), 1);
    history_give_back(world->history, kept);
    add_block(world, 1000 + 2 * NODE_HISTORY_LEASE_MS);
    assert_int_equal(try_borrow(world, 1), PBFT_NOT_FOUND);
}

static void ask_newest(struct world *world, uint32_t caller)
{
    struct history_state *borrowed = NULL;
    pbft_seq newest = 0;
    assert_int_equal(
        history_borrow(world->history, 0, caller, 0, &borrowed, &newest),
        PBFT_OK);
    history_give_back(world->history, borrowed);
}

/* However much one asks, he keeps so many; his newest ones. */
static void test_leases_are_bounded(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 3 * NODE_HISTORY_BLOCKS; i++) {
        add_block(world, 0);
        ask_newest(world, CALLER);
    }
    for (unsigned i = 0; i < NODE_HISTORY_BLOCKS; i++) {
        add_block(world, 0);
    }
    assert_int_equal(history_count(world->history),
                     NODE_HISTORY_BLOCKS + NODE_HISTORY_LEASES_EACH);
    pbft_seq first =
        world->seq - NODE_HISTORY_BLOCKS - NODE_HISTORY_LEASES_EACH + 1;
    assert_int_equal(try_borrow(world, first - 1), PBFT_NOT_FOUND);
    history_give_back(world->history, borrow(world, first, 0));
}

/* One who asks for everything takes nothing away from who asks for little. */
static void test_one_caller_takes_nobody_elses(void **state)
{
    struct world *world = *state;
    add_block(world, 0);
    ask_newest(world, 9);
    for (unsigned i = 0; i < 4 * NODE_HISTORY_BLOCKS; i++) {
        add_block(world, 0);
        ask_newest(world, CALLER);
    }
    struct history_state *kept = borrow(world, 1, 0);
    assert_int_equal(shown(kept), 1);
    history_give_back(world->history, kept);
}

/* Also when many together take all places there are. */
static void test_many_callers_leave_the_last_one(void **state)
{
    struct world *world = *state;
    add_block(world, 0);
    ask_newest(world, 9);
    for (unsigned i = 0; i < 2 * NODE_HISTORY_LEASES; i++) {
        add_block(world, 0);
        ask_newest(world, 100 + i % 40);
    }
    assert_true(history_count(world->history) <=
                NODE_HISTORY_BLOCKS + NODE_HISTORY_LEASES);
    struct history_state *kept = borrow(world, 1, 0);
    assert_int_equal(shown(kept), 1);
    history_give_back(world->history, kept);
}

/* A query that runs keeps its state, also when its place is gone. */
static void test_borrowed_state_outlives_its_place(void **state)
{
    struct world *world = *state;
    add_block(world, 0);
    struct history_state *borrowed = borrow(world, 1, 0);
    for (unsigned i = 0; i < 2 * NODE_HISTORY_BLOCKS; i++) {
        add_block(world, 2 * NODE_HISTORY_LEASE_MS);
    }
    assert_int_equal(try_borrow(world, 1), PBFT_NOT_FOUND);
    assert_int_equal(shown(borrowed), 1);
    history_give_back(world->history, borrowed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_state_shows_its_block),
        TEST(test_only_the_last_are_kept),
        TEST(test_what_was_asked_stays),
        TEST(test_leases_are_bounded),
        TEST(test_one_caller_takes_nobody_elses),
        TEST(test_many_callers_leave_the_last_one),
        TEST(test_borrowed_state_outlives_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
