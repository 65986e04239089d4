/* SPDX-License-Identifier: Apache-2.0 */
/* Key envelopes reach their recipients through cuts, losses and restarts, and
 * are erased when they have, or when their grant ends. */
#include "tests/support/delivery_world.h"

static void test_envelope_goes_to_its_recipient(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_item item;
    const struct envelope_secret secret = secret_of(1);
    (void)grant(fixture, 1, CLINIC);
    assert_int_equal(submit(fixture, 1).head.state, ENVELOPE_WAITING);
    pass(fixture, 0);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_HELD);
    assert_false(holds(fixture, HOSPITAL, 1));
    assert_int_equal(inbox(fixture, CLINIC, OTHER, NULL), 0);
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, &item), 1);
    assert_memory_equal(&item.secret, &secret, sizeof secret);
    assert_int_equal(taken(fixture, OTHER, 1).code, DELIVERY_FOREIGN);
    assert_true(holds(fixture, CLINIC, 1));
    assert_int_equal(taken(fixture, CLINIC, 1).head.state, ENVELOPE_TAKEN);
    assert_int_equal(taken(fixture, CLINIC, 1).code, DELIVERY_OK);
    assert_int_equal(taken(fixture, CLINIC, 2).code, DELIVERY_UNKNOWN);
    assert_false(holds(fixture, CLINIC, 1));
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, NULL), 0);
    /* Once more from the custodian: nothing starts again. */
    assert_int_equal(submit(fixture, 1).head.state, ENVELOPE_DELIVERED);
}

static void test_receipt_is_proof_of_delivery(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_state list[4];
    uint8_t preimage[DELIVERY_PREIMAGE_SIZE];
    uint32_t next = 0;
    const struct pbft_domain *domain = &fixture->cast.replicas[OTHER].domain;
    struct grant *granted = grant(fixture, 1, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    assert_int_equal(delivery_sent(fixture->places[HOSPITAL].delivery, list, 4,
                                   &next, &fixture->institutions[HOSPITAL], 0),
                     1);
    assert_int_equal(next, 0);
    assert_int_equal(list[0].head.receiver, CLINIC);
    delivery_receipt_preimage(preimage, &domain->cluster, &granted->name,
                              &granted->is.wrap_commit, CLINIC);
    assert_true(domain->crypto->verify(
        domain->crypto->context, &fixture->cast.keyring.keys[CLINIC],
        (struct pbft_bytes){preimage, sizeof preimage}, &list[0].head.receipt));
    assert_int_equal(delivery_sent(fixture->places[HOSPITAL].delivery, list, 4,
                                   &next, &fixture->institutions[CLINIC], 0),
                     0);
}

static void test_it_is_tried_until_the_peer_is_back(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    stop(fixture, CLINIC);
    (void)submit(fixture, 1);
    for (int i = 0; i < 600; i++) {
        pass(fixture, SECOND);
    }
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_WAITING);
    start(fixture, CLINIC);
    for (int i = 0; i < 61; i++) { /* The longest pause is a minute. */
        pass(fixture, SECOND);
    }
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
    assert_int_equal(fixture->envelopes_sent, 1);
}

static void test_pauses_double_up_to_a_minute(void **state)
{
    struct fixture *fixture = *state;
    const pbft_time_ms expected[] = {1, 2, 4, 8, 16, 32, 60, 60};
    (void)grant(fixture, 1, CLINIC);
    stop(fixture, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct delivery_row *row = &fixture->places[HOSPITAL].delivery->rows[0];
        assert_int_equal(row->attempts, i + 1);
        pass(fixture, expected[i] * SECOND - 1);
        assert_int_equal(row->attempts, i + 1);
        pass(fixture, 1);
        assert_int_equal(row->attempts, i + 2);
    }
}

static void test_a_connection_ends_the_pause(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    stop(fixture, CLINIC);
    (void)submit(fixture, 1);
    for (int i = 0; i < 40; i++) {
        pass(fixture, SECOND);
    }
    start(fixture, CLINIC);
    delivery_peer_up(fixture->places[HOSPITAL].delivery, CLINIC, fixture->now);
    pass(fixture, 0);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
}

static void test_both_sides_may_be_restarted(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    fixture->is_cut = true;
    (void)submit(fixture, 1);
    pass(fixture, 0);
    stop(fixture, HOSPITAL);
    start(fixture, HOSPITAL);
    fixture->is_cut = false;
    fixture->receipts_lost = 1;
    pass(fixture, SECOND);
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_HELD);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_WAITING);
    stop(fixture, CLINIC);
    start(fixture, CLINIC);
    pass(fixture, 10 * SECOND);
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_HELD);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, NULL), 1);
}

/* The receipt was lost, and the recipient has been quicker than the next try.
 */
static void test_what_was_fetched_is_not_kept_again(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    fixture->receipts_lost = 1;
    (void)submit(fixture, 1);
    pass(fixture, 0);
    assert_int_equal(taken(fixture, CLINIC, 1).code, DELIVERY_OK);
    pass(fixture, 10 * SECOND);
    assert_int_equal(fixture->envelopes_sent, 2);
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_TAKEN);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
    assert_false(holds(fixture, CLINIC, 1));
}

static void test_a_grant_that_ends_erases_everywhere(void **state)
{
    struct fixture *fixture = *state;
    struct grant *first = grant(fixture, 1, CLINIC);
    struct grant *second = grant(fixture, 2, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    fixture->is_cut = true;
    (void)submit(fixture, 2);
    pass(fixture, 0);
    assert_true(holds(fixture, CLINIC, 1));
    assert_true(holds(fixture, HOSPITAL, 2));
    first->is.code = LEDGER_NO_DECISION;
    second->is.code = LEDGER_DECISION_EXPIRED;
    all_reach(fixture, 2);
    pass(fixture, 0);
    for (uint32_t who = 0; who < REPLICAS; who++) {
        for (uint32_t number = 1; number <= 2; number++) {
            assert_int_equal(state_at(fixture, who, number), ENVELOPE_FREE);
            assert_false(holds(fixture, who, number));
        }
    }
    assert_int_equal(submit(fixture, 2).code, DELIVERY_ENDED);
}

/* A ledger that is executed again passes through states in which the grant has
 * ended, or is of an earlier wrap; the envelope is of a later one. */
static void test_an_older_state_erases_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct grant *only = grant(fixture, 1, CLINIC);
    all_reach(fixture, 5);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    only->is.code = LEDGER_DECISION_EXPIRED;
    stop(fixture, CLINIC);
    start(fixture, CLINIC);
    for (pbft_seq height = 1; height < 5; height++) {
        all_reach(fixture, height);
        pass(fixture, SECOND);
        assert_true(holds(fixture, CLINIC, 1));
    }
    all_reach(fixture, 5);
    pass(fixture, 0);
    assert_false(holds(fixture, CLINIC, 1));
}

/* The recipient's clock was an hour ahead when it came, and was set right. */
static void test_a_clock_that_ran_ahead_keeps_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct grant *first = grant(fixture, 1, CLINIC);
    struct grant *second = grant(fixture, 2, CLINIC);
    fixture->now += 3600 * SECOND;
    (void)submit(fixture, 1);
    pass(fixture, 0);
    fixture->is_cut = true;
    (void)submit(fixture, 2);
    pass(fixture, 0);
    fixture->now -= 3600 * SECOND;
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_HELD);
    first->is.code = LEDGER_DECISION_EXPIRED;
    second->is.code = LEDGER_DECISION_EXPIRED;
    all_reach(fixture, 2);
    pass(fixture, 0);
    assert_false(holds(fixture, CLINIC, 1));
    assert_false(holds(fixture, HOSPITAL, 2));
}

/* Between two blocks nobody has looked yet, but nothing is handed out. */
static void test_ended_ones_are_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    struct grant *granted = grant(fixture, 1, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    granted->is.code = LEDGER_NO_DECISION;
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, NULL), 0);
    assert_false(holds(fixture, CLINIC, 1));
}

static void test_a_new_wrap_takes_the_place_of_the_old(void **state)
{
    struct fixture *fixture = *state;
    const struct envelope_secret again = secret_of(77);
    const struct envelope_name name = name_of(1);
    struct delivery_state out;
    struct grant *granted = grant(fixture, 1, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    wrap_commit(&granted->is.wrap_commit, again.salt, again.wrap);
    assert_int_equal(submit(fixture, 1).code, DELIVERY_WRONG_COMMIT);
    delivery_submit(fixture->places[HOSPITAL].delivery, &out,
                    &fixture->institutions[HOSPITAL], &name, &again,
                    fixture->now);
    assert_int_equal(out.code, DELIVERY_OK);
    pass(fixture, 0);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
    struct delivery_item item;
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, &item), 1);
    assert_memory_equal(&item.secret, &again, sizeof again);
    assert_false(holds(fixture, CLINIC, 1));
}

static void test_a_replica_that_is_behind_gets_it_later(void **state)
{
    struct fixture *fixture = *state;
    fixture->height = 5;
    fixture->places[HOSPITAL].height = 5;
    (void)grant(fixture, 1, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    struct delivery_state out = submit(fixture, 1);
    assert_int_equal(out.head.state, ENVELOPE_WAITING);
    assert_int_equal(out.code, DELIVERY_NO_GRANT);
    struct delivery_counts counts;
    delivery_count(fixture->places[HOSPITAL].delivery, &counts);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(counts.refused, 1);
    fixture->places[CLINIC].height = 5;
    pass(fixture, SECOND);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_DELIVERED);
}

/* A ledger that begins anew knows no grants: that does not end them. */
static void test_an_unknown_grant_is_not_an_ended_one(void **state)
{
    struct fixture *fixture = *state;
    all_reach(fixture, 5);
    (void)grant(fixture, 1, CLINIC);
    (void)submit(fixture, 1);
    pass(fixture, 0);
    fixture->places[CLINIC].height = 3;
    pass(fixture, SECOND);
    assert_int_equal(state_at(fixture, CLINIC, 1), ENVELOPE_HELD);
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, NULL), 0);
    fixture->places[CLINIC].height = 5;
    assert_int_equal(inbox(fixture, CLINIC, CLINIC, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_envelope_goes_to_its_recipient),
        TEST(test_receipt_is_proof_of_delivery),
        TEST(test_it_is_tried_until_the_peer_is_back),
        TEST(test_pauses_double_up_to_a_minute),
        TEST(test_a_connection_ends_the_pause),
        TEST(test_both_sides_may_be_restarted),
        TEST(test_what_was_fetched_is_not_kept_again),
        TEST(test_a_grant_that_ends_erases_everywhere),
        TEST(test_an_older_state_erases_nothing),
        TEST(test_a_clock_that_ran_ahead_keeps_nothing),
        TEST(test_ended_ones_are_not_handed_out),
        TEST(test_a_new_wrap_takes_the_place_of_the_old),
        TEST(test_a_replica_that_is_behind_gets_it_later),
        TEST(test_an_unknown_grant_is_not_an_ended_one),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
