/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals, timers and questions that are well signed and out of place. R0,
 * the primary of view 0, is a puppet; R2 is under test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define SELF 2
#define WALL_START_US UINT64_C(1700000000000000)

static struct cluster cluster;

static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.batch_bytes_max = 10;
    cluster_start(&cluster);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static enum pbft_verdict hear(struct pbft_message *message)
{
    assert_int_equal(
        pbft_verify(&cluster.cast.verifier, message->sender, message), PBFT_OK);
    enum pbft_verdict verdict = cluster_receive(&cluster, SELF, message);
    pbft_message_unref(message);
    return verdict;
}

static pbft_wall_us clock_now(void)
{
    return WALL_START_US + cluster.now * 1000;
}

static uint32_t prepares(pbft_seq seq)
{
    return cluster_slot(&cluster, SELF, seq).prepare_count;
}

/* ---- proposals ------------------------------------------------------------
 */

/* "payload" is seven bytes: two are more than ten. One request may be as large
 * as it likes. */
static void test_a_batch_beyond_our_limit_is_refused(void **state)
{
    (void)state;
    cluster_isolate(&cluster, SELF);
    for (uint32_t count = 2; count >= 1; count--) {
        struct pbft_message *batch =
            cast_batch(&cluster.cast, clock_now(), 1, count);
        batch->batch.bytes = 14; /* Two, or a large one. */
        assert_int_equal(hear(cast_pre_prepare(&cluster.cast, 0, 1, batch)),
                         count == 2 ? PBFT_REJECTED : PBFT_ACCEPTED);
        pbft_message_unref(batch);
    }
    assert_int_equal(prepares(1), 1);
}

/* The header comes first, so nothing but its digest is known; the body is
 * judged when it comes. */
static void test_a_late_body_is_judged_as_well(void **state)
{
    (void)state;
    cluster_isolate(&cluster, SELF);
    struct pbft_message *batch = cast_batch(
        &cluster.cast, clock_now() + 2 * cluster.config.time_bound_us, 1, 1);
    struct pbft_message *full = cast_pre_prepare(&cluster.cast, 0, 1, batch);

    assert_int_equal(hear(pbft_pre_prepare_with_body(full, NULL)),
                     PBFT_ACCEPTED);
    assert_int_equal(cluster_receive(&cluster, SELF, batch), PBFT_REJECTED);
    assert_int_equal(cluster_receive(&cluster, SELF, full), PBFT_REJECTED);

    assert_int_equal(prepares(1), 0);
    pbft_message_unref(full);
    pbft_message_unref(batch);
}

/* R2 got block 1 with its certificate, and no header of this view. */
static void test_a_committed_place_is_taken(void **state)
{
    (void)state;
    cluster_isolate(&cluster, SELF);
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    const struct pbft_message *block = cluster.nodes[1].blocks[1];
    assert_non_null(block);
    assert_int_equal(cluster_receive(&cluster, SELF, block), PBFT_ACCEPTED);

    struct pbft_message *other = cast_batch(&cluster.cast, clock_now(), 7, 1);
    assert_int_equal(hear(cast_pre_prepare(&cluster.cast, 0, 1, other)),
                     PBFT_REJECTED);
    assert_int_equal(prepares(1), 0);
    pbft_message_unref(other);
}

/* ---- views ----------------------------------------------------------------
 */

/* Every block is attested, so there are proofs of blocks that are no
 * checkpoints; a view cannot begin there. */
static void test_a_view_change_from_no_checkpoint_is_refused(void **state)
{
    const pbft_replica_id signers[] = {0, 1, 3};
    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    (void)state;
    for (pbft_seq seq = 3; seq <= 4; seq++) {
        struct pbft_message *stable =
            cast_stable(&cluster.cast, seq, signers, 3);
        struct pbft_message *change = pbft_view_change_create(
            &cluster.cast.replicas[3].domain, &origin, 1, stable, NULL, 0);
        pbft_message_sign(&cluster.cast.replicas[3].domain, change);
        assert_int_equal(hear(change),
                         seq == 3 ? PBFT_REJECTED : PBFT_ACCEPTED);
        pbft_message_unref(stable);
    }
}

static void test_timers_that_are_not_its_own_move_nobody(void **state)
{
    (void)state;
    /* A primary does not complain of itself. */
    cluster_isolate(&cluster, 0);
    (void)cluster_submit(&cluster, 0, 1);
    (void)cluster_timeout(&cluster, 0, PBFT_TIMER_REQUEST);
    assert_int_equal(cluster_report(&cluster, 0).view, 0);
    /* In a view nobody waits for one; */
    (void)cluster_timeout(&cluster, SELF, PBFT_TIMER_VIEW);
    assert_int_equal(cluster_report(&cluster, SELF).view, 0);
    /* and who left alone goes no further. */
    cluster_isolate(&cluster, SELF);
    (void)cluster_submit(&cluster, SELF, 2);
    (void)cluster_timeout(&cluster, SELF, PBFT_TIMER_REQUEST);
    assert_int_equal(cluster_report(&cluster, SELF).view, 1);
    (void)cluster_timeout(&cluster, SELF, PBFT_TIMER_VIEW);
    assert_int_equal(cluster_report(&cluster, SELF).view, 1);
}

/* ---- questions, and what is no message ------------------------------------
 */

static enum pbft_verdict ask_for_blocks(pbft_seq first, pbft_seq last)
{
    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    const struct pbft_fetch fetch = {
        .kind = PBFT_FETCH_BLOCKS, .seq = first, .last = last};
    struct pbft_message *message = pbft_fetch_create(&origin, &fetch);
    enum pbft_verdict verdict = cluster_receive(&cluster, SELF, message);
    pbft_message_unref(message);
    return verdict;
}

/* pbft_verify() stops them before; the core does not rest on that. */
static void test_questions_for_no_blocks(void **state)
{
    (void)state;
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    assert_int_equal(ask_for_blocks(0, 1), PBFT_REJECTED);
    assert_int_equal(ask_for_blocks(2, 1), PBFT_REJECTED);
    assert_int_equal(ask_for_blocks(1, 1 + PBFT_FETCH_BLOCKS_MAX),
                     PBFT_REJECTED);
    assert_int_equal(ask_for_blocks(1, UINT64_MAX), PBFT_REJECTED);
    assert_int_equal(ask_for_blocks(1, 1), PBFT_ACCEPTED);
}

static void test_a_record_is_no_message(void **state)
{
    const pbft_replica_id signers[] = {1, 3};
    struct pbft_message *batch = cast_batch(&cluster.cast, clock_now(), 1, 1);
    struct pbft_message *header = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    struct pbft_message *prepared = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    (void)state;
    assert_int_equal(cluster_receive(&cluster, SELF, prepared),
                     PBFT_UNEXPECTED);
    assert_false(cluster_slot(&cluster, SELF, 1).prepared);
    pbft_message_unref(prepared);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

static enum pbft_verdict ask(const struct pbft_fetch *fetch)
{
    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    struct pbft_message *message = pbft_fetch_create(&origin, fetch);
    enum pbft_verdict verdict = cluster_receive(&cluster, SELF, message);
    pbft_message_unref(message);
    return verdict;
}

static void test_questions_of_no_kind(void **state)
{
    const struct pbft_fetch fetch = {
        .kind = (enum pbft_fetch_kind)99, .seq = 1, .last = 1};
    (void)state;
    const uint64_t before = cluster.nodes[SELF].sent;
    assert_int_equal(ask(&fetch), PBFT_REJECTED);
    assert_int_equal(cluster.nodes[SELF].sent, before);
}

/* Nobody has granted it: what it proposes is nobody's proposal. */
static void test_a_proposal_of_a_made_up_incarnation_is_refused(void **state)
{
    const struct pbft_origin origin = {
        .sender = 0, .epoch = 1, .incarnation = 1};
    (void)state;
    cluster_isolate(&cluster, SELF);
    struct pbft_message *batch = cast_batch(&cluster.cast, clock_now(), 1, 1);
    struct pbft_message *message =
        pbft_pre_prepare_create(&origin, 0, 1, &batch->batch.digest, batch);
    pbft_message_sign(&cluster.cast.replicas[0].domain, message);
    assert_int_equal(hear(message), PBFT_REJECTED);
    assert_int_equal(prepares(1), 0);

    /* Its present one is heard. */
    assert_int_equal(hear(cast_pre_prepare(&cluster.cast, 0, 1, batch)),
                     PBFT_ACCEPTED);
    assert_int_equal(prepares(1), 1);
    pbft_message_unref(batch);
}

/* pbft_verify() stops these before; the core does not rest on that. */
static void test_a_block_that_proves_nothing_is_refused(void **state)
{
    const pbft_replica_id signers[] = {0, 1, 3};
    (void)state;
    cluster_isolate(&cluster, SELF);
    struct pbft_message *batch = cast_batch(&cluster.cast, clock_now(), 1, 1);
    struct pbft_message *full = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    struct pbft_message *header = pbft_pre_prepare_with_body(full, NULL);
    struct pbft_message *blocks[] = {
        cast_certificate(&cluster.cast, PBFT_MESSAGE_COMMITTED, header, signers,
                         3),
        cast_certificate(&cluster.cast, PBFT_MESSAGE_COMMITTED, full, signers,
                         2),
        cast_certificate(&cluster.cast, PBFT_MESSAGE_COMMITTED, full, signers,
                         3),
        cast_certificate(&cluster.cast, PBFT_MESSAGE_COMMITTED, full, signers,
                         3)};
    blocks[2]->epoch++;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(cluster_receive(&cluster, SELF, blocks[i]),
                         i < 3 ? PBFT_REJECTED : PBFT_ACCEPTED);
        assert_int_equal(cluster_report(&cluster, SELF).committed,
                         i < 3 ? 0 : 1);
        pbft_message_unref(blocks[i]);
    }
    pbft_message_unref(header);
    pbft_message_unref(full);
    pbft_message_unref(batch);
}

/* Nothing was to happen: a timer that fires anyway changes nothing. */
static void test_the_monitor_that_is_off_judges_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)cluster_timeout(&cluster, SELF, PBFT_TIMER_MONITOR);
    }
    assert_int_equal(cluster_report(&cluster, SELF).view, 0);
    assert_true(pbft_timer_deadline(cluster_replica(&cluster, SELF),
                                    PBFT_TIMER_MONITOR) == PBFT_TIME_NEVER);
}

/* A flood without a pause for its effects is put off, not lost, and not half
 * done. */
static void test_a_full_output_puts_events_off(void **state)
{
    struct pbft_replica *replica =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, SELF);
    const pbft_time_ms now = cluster.now;
    enum pbft_verdict verdict = PBFT_ACCEPTED;
    uint64_t sequence = 0;
    (void)state;
    while (verdict != PBFT_BUSY) {
        assert_true(++sequence < 100000);
        struct pbft_message *request =
            cast_request(&cluster.cast, sequence, "p");
        struct pbft_event event = {.type = PBFT_EVENT_RECEIVE,
                                   .now = now,
                                   .wall = clock_now(),
                                   .message = request};
        const uint32_t before = replica->requests.count;
        verdict = pbft_step(replica, &event);
        if (verdict == PBFT_BUSY) {
            assert_int_equal(replica->requests.count, before);
            assert_true(pbft_output(replica)->send_count > 0);
            pbft_output_clear(replica);
            assert_int_not_equal(pbft_step(replica, &event), PBFT_BUSY);
        } else if (verdict == PBFT_ACCEPTED) {
            pbft_requests_remove(&replica->requests, &request->request.digest,
                                 now);
        }
        pbft_message_unref(request);
    }
    assert_true(sequence > 100);
}

static void test_an_event_of_no_kind_is_refused(void **state)
{
    const struct pbft_event event = {.type = (enum pbft_event_type)99,
                                     .now = cluster.now,
                                     .wall = clock_now()};
    struct pbft_replica *replica =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, SELF);
    (void)state;
    assert_int_equal(pbft_step(replica, &event), PBFT_REJECTED);
    pbft_replica_check_invariants(replica);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_a_batch_beyond_our_limit_is_refused),
        TEST(test_a_late_body_is_judged_as_well),
        TEST(test_a_committed_place_is_taken),
        TEST(test_a_view_change_from_no_checkpoint_is_refused),
        TEST(test_timers_that_are_not_its_own_move_nobody),
        TEST(test_questions_for_no_blocks),
        TEST(test_a_record_is_no_message),
        TEST(test_questions_of_no_kind),
        TEST(test_a_proposal_of_a_made_up_incarnation_is_refused),
        TEST(test_a_block_that_proves_nothing_is_refused),
        TEST(test_the_monitor_that_is_off_judges_nobody),
        TEST(test_a_full_output_puts_events_off),
        TEST(test_an_event_of_no_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
