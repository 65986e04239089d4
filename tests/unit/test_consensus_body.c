/* SPDX-License-Identifier: Apache-2.0 */
/* Where the batch of a header comes from that came without: from the log if
 * that may have it, and from a peer. R1 is under test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/replica.h"
#include "tests/support/cast.h"

#define SELF 1

static struct cast cast;
static struct pbft_replica *replica;
static struct pbft_message *first;  /* What view 0 proposed at seq 1. */
static struct pbft_message *second; /* And a later view. */

static enum pbft_verdict step(struct pbft_event event)
{
    event.wall = 9;
    return pbft_step(replica, &event);
}

static int create(void **state)
{
    struct pbft_config config;
    (void)state;
    cast_init(&cast, 4);
    pbft_config_defaults(&config);
    config.self = SELF;
    config.window = 16;
    config.checkpoint_interval = 4;
    replica = pbft_replica_create(&config, &cast.replicas[SELF].domain,
                                  &cast.keyring, NULL);
    assert_non_null(replica);
    assert_int_equal(step((struct pbft_event){.type = PBFT_EVENT_APPLIED}),
                     PBFT_ACCEPTED);
    first = cast_batch(&cast, 9, 1, 1);
    second = cast_batch(&cast, 9, 2, 1);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    pbft_message_unref(first);
    pbft_message_unref(second);
    pbft_replica_destroy(replica);
    return 0;
}

static void restore_body(const struct pbft_message *body)
{
    assert_int_equal(
        step((struct pbft_event){.type = PBFT_EVENT_RESTORE,
                                 .record = {PBFT_RECORD_BODY, 0, 1, body}}),
        PBFT_ACCEPTED);
}

static enum pbft_verdict hear(const struct pbft_message *message)
{
    return step(
        (struct pbft_event){.type = PBFT_EVENT_RECEIVE, .message = message});
}

/* A pre-prepare of `batch`, without it. */
static enum pbft_verdict hear_header(pbft_seq seq,
                                     const struct pbft_message *batch)
{
    struct pbft_message *whole = cast_pre_prepare(&cast, 0, seq, batch);
    struct pbft_message *header = pbft_pre_prepare_with_body(whole, NULL);
    const enum pbft_verdict verdict = hear(header);
    pbft_message_unref(whole);
    pbft_message_unref(header);
    return verdict;
}

static enum pbft_verdict stall(void)
{
    return step((struct pbft_event){.type = PBFT_EVENT_TIMEOUT,
                                    .timer = PBFT_TIMER_RESEND});
}

static uint32_t fetches(void)
{
    const struct pbft_output *output = pbft_output(replica);
    uint32_t count = 0;
    for (size_t i = 0; i < output->send_count; i++) {
        const struct pbft_message *message = output->sends[i].message;
        count += message->type == PBFT_MESSAGE_FETCH &&
                 message->fetch.kind == PBFT_FETCH_BODY;
    }
    return count;
}

static void start(void)
{
    assert_int_equal(step((struct pbft_event){.type = PBFT_EVENT_START}),
                     PBFT_ACCEPTED);
    pbft_output_clear(replica);
}

/* The body that a later view put into its place is not the last one that will
 * ever be asked for. */
static void test_a_body_of_an_earlier_view_is_read_back(void **state)
{
    (void)state;
    restore_body(first);
    restore_body(second);
    start();
    assert_int_equal(hear_header(1, first), PBFT_ACCEPTED);

    const struct pbft_output *output = pbft_output(replica);
    assert_int_equal(output->read_count, 1);
    assert_int_equal(output->reads[0].seq, 1);
    assert_memory_equal(&output->reads[0].digest, &first->batch.digest,
                        sizeof first->batch.digest);
    assert_int_equal(fetches(), 1); /* The log may have others only. */

    struct pbft_message *own = pbft_message_handed_over(first, SELF);
    assert_int_equal(hear(own), PBFT_ACCEPTED);
    assert_true(pbft_slot_has_body(pbft_slot_log_at(&replica->log, 1)));
    assert_int_equal(hear(own), PBFT_UNEXPECTED);
    pbft_message_unref(own);
}

static void test_what_was_not_found_is_read_again(void **state)
{
    (void)state;
    restore_body(first);
    restore_body(second);
    start();
    assert_int_equal(hear_header(1, first), PBFT_ACCEPTED);
    pbft_output_clear(replica);

    assert_int_equal(stall(), PBFT_ACCEPTED);
    assert_int_equal(pbft_output(replica)->read_count, 1);
    assert_int_equal(fetches(), 1);
}

/* One body, however often it was logged, is in memory. */
static void test_nothing_is_read_that_the_log_cannot_have(void **state)
{
    (void)state;
    restore_body(second);
    restore_body(second);
    start();
    assert_int_equal(hear_header(1, first), PBFT_ACCEPTED);
    assert_int_equal(pbft_output(replica)->read_count, 0);
    assert_int_equal(fetches(), 1);
}

/* A primary that withholds them makes nobody sign for each what all cost. */
static void test_a_header_makes_us_ask_for_its_own_body(void **state)
{
    const pbft_seq count = 16;
    (void)state;
    start();
    for (pbft_seq seq = 1; seq <= count; seq++) {
        pbft_output_clear(replica);
        assert_int_equal(hear_header(seq, first), PBFT_ACCEPTED);
        assert_int_equal(fetches(), 1);
    }
    pbft_output_clear(replica);
    assert_int_equal(stall(), PBFT_ACCEPTED);
    assert_int_equal(fetches(), count); /* Lost ones are asked for again. */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)
    const struct CMUnitTest tests[] = {
        TEST(test_a_body_of_an_earlier_view_is_read_back),
        TEST(test_what_was_not_found_is_read_again),
        TEST(test_nothing_is_read_that_the_log_cannot_have),
        TEST(test_a_header_makes_us_ask_for_its_own_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
