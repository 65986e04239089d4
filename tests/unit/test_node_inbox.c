/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox: bounded for messages, never closed to finished work. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/clock.h"
#include "node/inbox.h"
#include "tests/support/cast.h"

#define MESSAGES_MAX 4

struct fixture {
    struct cast cast;
    struct inbox *inbox;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    cast_init(&fixture->cast, 4);
    fixture->inbox = inbox_create(MESSAGES_MAX, 1024 * 1024);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    inbox_destroy(fixture->inbox);
    free(fixture);
    return 0;
}

static void put(struct fixture *fixture, uint64_t sequence)
{
    assert_int_equal(inbox_try_put(fixture->inbox,
                                   cast_request(&fixture->cast, sequence, "x")),
                     PBFT_OK);
}

static void release(struct inbox_turn *turn)
{
    for (size_t i = 0; i < turn->message_count; i++) {
        pbft_message_unref(turn->messages[i]);
    }
}

static void test_messages_come_out_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    put(fixture, 1);
    put(fixture, 2);

    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);

    assert_int_equal(turn.message_count, 2);
    assert_int_equal(turn.messages[0]->request.sequence, 1);
    assert_int_equal(turn.messages[1]->request.sequence, 2);
    assert_false(turn.closed);
    release(&turn);
}

static void test_full_inbox_refuses(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t i = 1; i <= MESSAGES_MAX; i++) {
        put(fixture, i);
    }

    struct pbft_message *more = cast_request(&fixture->cast, 9, "x");
    assert_int_equal(inbox_try_put(fixture->inbox, more), PBFT_LIMIT);
    pbft_message_unref(more);
}

static void test_bytes_are_bounded_but_one_always_fits(void **state)
{
    struct fixture *fixture = *state;
    struct inbox *small = inbox_create(MESSAGES_MAX, 1);
    struct pbft_message *second = cast_request(&fixture->cast, 2, "x");

    assert_int_equal(inbox_try_put(small, cast_request(&fixture->cast, 1, "x")),
                     PBFT_OK);
    assert_int_equal(inbox_try_put(small, second), PBFT_LIMIT);

    pbft_message_unref(second);
    inbox_destroy(small);
}

static void test_log_only_leaves_messages(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    const struct pbft_attestation executed = {.seq = 5};
    put(fixture, 1);
    inbox_put_executed(fixture->inbox, &executed);
    inbox_put_durable(fixture->inbox, 7);

    inbox_take(fixture->inbox, &turn, INBOX_LOG_ONLY, PBFT_TIME_NEVER);
    assert_true(turn.has_durable);
    assert_int_equal(turn.durable, 7);
    assert_false(turn.has_executed);
    assert_int_equal(turn.message_count, 0);

    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
    assert_false(turn.has_durable);
    assert_true(turn.has_executed);
    assert_int_equal(turn.executed.seq, 5);
    assert_int_equal(turn.message_count, 1);
    release(&turn);
}

static void test_executed_reports_come_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    for (pbft_seq seq = 1; seq <= PBFT_WINDOW_MAX; seq++) {
        const struct pbft_attestation executed = {.seq = seq};
        inbox_put_executed(fixture->inbox, &executed);
    }
    for (pbft_seq seq = 1; seq <= PBFT_WINDOW_MAX; seq++) {
        inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
        assert_true(turn.has_executed);
        assert_int_equal(turn.executed.seq, seq);
    }
}

static void test_take_returns_at_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, clock_now_ms() + 5);
    assert_int_equal(turn.message_count, 0);
    assert_false(turn.closed);
}

static void *put_one_more(void *context)
{
    struct fixture *fixture = context;
    enum pbft_status status =
        inbox_put(fixture->inbox, cast_request(&fixture->cast, 99, "x"));
    return (void *)(intptr_t)status;
}

static void test_put_waits_for_room(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    void *status = NULL;
    pthread_t thread;
    for (uint64_t i = 1; i <= MESSAGES_MAX; i++) {
        put(fixture, i);
    }
    assert_int_equal(pthread_create(&thread, NULL, put_one_more, fixture), 0);

    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
    release(&turn);
    assert_int_equal(pthread_join(thread, &status), 0);

    assert_int_equal((intptr_t)status, PBFT_OK);
    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
    release(&turn);
}

#define MANY (3 * MESSAGES_MAX)

static void *put_many(void *context)
{
    struct fixture *fixture = context;
    const struct pbft_message *messages[MANY];
    for (uint64_t i = 0; i < MANY; i++) {
        messages[i] = cast_request(&fixture->cast, i + 1, "x");
    }
    enum pbft_status status = inbox_put_many(fixture->inbox, messages, MANY);
    return (void *)(intptr_t)status;
}

/* More than there is room for: who takes is woken before all are there. */
static void test_many_are_put_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    void *status = NULL;
    pthread_t thread;
    uint64_t taken = 0;
    assert_int_equal(pthread_create(&thread, NULL, put_many, fixture), 0);
    while (taken < MANY) {
        inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
        for (size_t i = 0; i < turn.message_count; i++) {
            assert_int_equal(turn.messages[i]->request.sequence, ++taken);
        }
        release(&turn);
    }
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((intptr_t)status, PBFT_OK);
}

/* Those that found room are taken, the others are released. */
static void test_close_ends_many(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    void *status = NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, put_many, fixture), 0);
    while (inbox_count(fixture->inbox) < MESSAGES_MAX) {
    }
    inbox_close(fixture->inbox);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((intptr_t)status, PBFT_CLOSED);
    inbox_take(fixture->inbox, &turn, INBOX_EVERYTHING, PBFT_TIME_NEVER);
    assert_true(turn.closed);
    assert_int_equal(turn.message_count, MESSAGES_MAX);
    release(&turn);
}

static void test_close_wakes_who_waits_for_room(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    void *status = NULL;
    pthread_t thread;
    for (uint64_t i = 1; i <= MESSAGES_MAX; i++) {
        put(fixture, i);
    }
    assert_int_equal(pthread_create(&thread, NULL, put_one_more, fixture), 0);

    inbox_close(fixture->inbox);
    assert_int_equal(pthread_join(thread, &status), 0);

    assert_int_equal((intptr_t)status, PBFT_CLOSED);
    inbox_take(fixture->inbox, &turn, INBOX_LOG_ONLY, PBFT_TIME_NEVER);
    assert_true(turn.closed);
}

static void test_failure_stays(void **state)
{
    struct fixture *fixture = *state;
    struct inbox_turn turn;
    inbox_put_failed(fixture->inbox);
    for (int i = 0; i < 2; i++) {
        inbox_take(fixture->inbox, &turn, INBOX_LOG_ONLY, PBFT_TIME_NEVER);
        assert_true(turn.failed);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_come_out_in_order),
        TEST(test_full_inbox_refuses),
        TEST(test_bytes_are_bounded_but_one_always_fits),
        TEST(test_log_only_leaves_messages),
        TEST(test_executed_reports_come_one_by_one),
        TEST(test_take_returns_at_the_deadline),
        TEST(test_put_waits_for_room),
        TEST(test_many_are_put_in_order),
        TEST(test_close_ends_many),
        TEST(test_close_wakes_who_waits_for_room),
        TEST(test_failure_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
