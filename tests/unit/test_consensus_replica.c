/* SPDX-License-Identifier: Apache-2.0 */
/* One replica against what others send: equivocation, watermarks, clocks,
 * missing bodies, restarts. R1 is under test, a backup of view 0; the other
 * replicas are the test's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/quorum.h"
#include "tests/support/cluster.h"

#define SELF 1
#define WALL_START_US UINT64_C(1700000000000000)

static struct cluster cluster;

static bool drop_all(void *context, const struct cluster_packet *packet)
{
    (void)context;
    (void)packet;
    return true;
}

/* All have started; from now on nobody hears anybody. */
static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = drop_all;
    return 0;
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static pbft_wall_us wall_now(void)
{
    return WALL_START_US + cluster.now * 1000;
}

/* Owned by the caller: release(). */
static struct pbft_message *proposal(pbft_seq seq, uint64_t sequence)
{
    struct pbft_message *batch =
        cast_batch(&cluster.cast, wall_now(), sequence, 1);
    struct pbft_message *message =
        cast_pre_prepare(&cluster.cast, 0, seq, batch);
    pbft_message_unref(batch);
    return message;
}

static enum pbft_verdict receive(const struct pbft_message *message)
{
    return cluster_receive(&cluster, SELF, message);
}

static enum pbft_verdict vote(enum pbft_message_type type,
                              pbft_replica_id signer, pbft_seq seq,
                              const struct pbft_digest *digest)
{
    struct pbft_message *message =
        cast_vote(&cluster.cast, type, signer, 0, seq, digest);
    enum pbft_verdict verdict = receive(message);
    pbft_message_unref(message);
    return verdict;
}

static size_t count_records(enum pbft_record_kind kind)
{
    const struct cluster_node *node = &cluster.nodes[SELF];
    size_t count = 0;
    for (size_t i = 0; i < node->record_count; i++) {
        count += node->records[i].kind == kind;
    }
    return count;
}

static void test_the_first_pre_prepare_stands(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    struct pbft_message *second = proposal(1, 2);
    (void)state;
    assert_int_equal(receive(first), PBFT_ACCEPTED);
    assert_int_equal(receive(first), PBFT_DUPLICATE);
    assert_int_equal(receive(second), PBFT_CONFLICTING);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 1);

    /* Also after a restart: the record binds. */
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    assert_int_equal(receive(second), PBFT_CONFLICTING);
    assert_int_equal(receive(first), PBFT_DUPLICATE);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 1);
    const struct pbft_slot_report slot = cluster_slot(&cluster, SELF, 1);
    assert_memory_equal(&slot.digest, &first->pre_prepare.digest,
                        PBFT_DIGEST_SIZE);
    pbft_message_unref(first);
    pbft_message_unref(second);
}

static void test_watermarks_bound_what_is_accepted(void **state)
{
    static const pbft_seq outside[] = {17, 18, UINT64_MAX, UINT64_MAX - 16};
    (void)state;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        struct pbft_message *message = proposal(outside[i], 1);
        assert_int_equal(receive(message), PBFT_OUTSIDE_WATERMARKS);
        assert_int_equal(vote(PBFT_MESSAGE_COMMIT, 2, outside[i],
                              &message->pre_prepare.digest),
                         PBFT_OUTSIDE_WATERMARKS);
        pbft_message_unref(message);
    }
    struct pbft_message *last = proposal(16, 1);
    assert_int_equal(receive(last), PBFT_ACCEPTED);
    pbft_message_unref(last);
}

static void test_only_the_primary_proposes(void **state)
{
    struct pbft_message *batch = cast_batch(&cluster.cast, wall_now(), 1, 1);
    const struct pbft_message *impostor = NULL;
    (void)state;
    for (pbft_view view = 2; view <= 4; view++) {
        impostor = cast_pre_prepare(&cluster.cast, view, 1, batch);
        assert_int_equal(receive(impostor), PBFT_FUTURE_VIEW);
        pbft_message_unref(impostor);
    }
    struct pbft_message *honest = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    honest->sender = 2; /* As if R2 had signed it. */
    assert_int_equal(receive(honest), PBFT_NOT_PRIMARY);
    assert_int_equal(count_records(PBFT_RECORD_PRE_PREPARE), 0);
    pbft_message_unref(honest);
    pbft_message_unref(batch);
}

static void test_a_prepare_of_the_primary_counts_for_nothing(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    (void)state;
    (void)receive(first);
    assert_int_equal(
        vote(PBFT_MESSAGE_PREPARE, 0, 1, &first->pre_prepare.digest),
        PBFT_REJECTED);
    assert_false(cluster_slot(&cluster, SELF, 1).prepared);

    assert_int_equal(
        vote(PBFT_MESSAGE_PREPARE, 2, 1, &first->pre_prepare.digest),
        PBFT_ACCEPTED);
    assert_true(cluster_slot(&cluster, SELF, 1).prepared);
    pbft_message_unref(first);
}

static void test_the_first_vote_of_a_signer_stands(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    const struct pbft_digest other = {{9}};
    (void)state;
    /* Votes may come before the pre-prepare. */
    assert_int_equal(vote(PBFT_MESSAGE_PREPARE, 2, 1, &other), PBFT_ACCEPTED);
    assert_int_equal(vote(PBFT_MESSAGE_PREPARE, 2, 1, &other), PBFT_DUPLICATE);
    assert_int_equal(
        vote(PBFT_MESSAGE_PREPARE, 2, 1, &first->pre_prepare.digest),
        PBFT_CONFLICTING);
    (void)receive(first);
    assert_false(cluster_slot(&cluster, SELF, 1).prepared);
    assert_int_equal(
        vote(PBFT_MESSAGE_PREPARE, 3, 1, &first->pre_prepare.digest),
        PBFT_ACCEPTED);
    assert_true(cluster_slot(&cluster, SELF, 1).prepared);
    pbft_message_unref(first);
}

static void test_commits_alone_execute_nothing(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    const struct pbft_digest *digest = &first->pre_prepare.digest;
    (void)state;
    (void)receive(first);
    (void)vote(PBFT_MESSAGE_COMMIT, 0, 1, digest);
    (void)vote(PBFT_MESSAGE_COMMIT, 2, 1, digest);
    (void)vote(PBFT_MESSAGE_COMMIT, 3, 1, digest);
    assert_int_equal(cluster_report(&cluster, SELF).committed, 0);

    /* Prepared, its own commit, and it is done. */
    (void)vote(PBFT_MESSAGE_PREPARE, 3, 1, digest);
    assert_int_equal(cluster_report(&cluster, SELF).committed, 1);
    pbft_message_unref(first);
}

static void test_commits_go_out_in_order(void **state)
{
    struct pbft_message *messages[3];
    (void)state;
    for (pbft_seq seq = 3; seq >= 1; seq--) {
        messages[seq - 1] = proposal(seq, seq);
        (void)receive(messages[seq - 1]);
        const struct pbft_digest *digest =
            &messages[seq - 1]->pre_prepare.digest;
        (void)vote(PBFT_MESSAGE_PREPARE, 2, seq, digest);
        (void)vote(PBFT_MESSAGE_COMMIT, 2, seq, digest);
        (void)vote(PBFT_MESSAGE_COMMIT, 3, seq, digest);
        assert_true(cluster_slot(&cluster, SELF, seq).committed);
        assert_int_equal(cluster_report(&cluster, SELF).committed,
                         seq == 1 ? 3 : 0);
    }
    for (int i = 0; i < 3; i++) {
        pbft_message_unref(messages[i]);
    }
}

static void test_a_wrong_clock_is_not_followed(void **state)
{
    const pbft_wall_us bound = cluster.config.time_bound_us;
    const pbft_wall_us times[] = {wall_now() + bound + 1,
                                  wall_now() - bound - 1, 1, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct pbft_message *batch = cast_batch(&cluster.cast, times[i], 1, 1);
        struct pbft_message *message =
            cast_pre_prepare(&cluster.cast, 0, 1, batch);
        assert_int_equal(receive(message), PBFT_REJECTED);
        pbft_message_unref(message);
        pbft_message_unref(batch);
    }
    /* It did not take the place. */
    struct pbft_message *batch =
        cast_batch(&cluster.cast, wall_now() + bound, 1, 1);
    struct pbft_message *message = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    assert_int_equal(receive(message), PBFT_ACCEPTED);
    pbft_message_unref(message);
    pbft_message_unref(batch);
}

static void test_a_missing_body_is_fetched_before_the_vote(void **state)
{
    struct pbft_message *full = proposal(1, 1);
    struct pbft_message *other = proposal(1, 2);
    struct pbft_message *header = pbft_pre_prepare_with_body(full, NULL);
    (void)state;
    const uint64_t sent = cluster.nodes[SELF].sent;
    assert_int_equal(receive(header), PBFT_ACCEPTED);
    assert_int_equal(cluster.nodes[SELF].sent, sent + 1); /* The fetch. */
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 0);
    assert_int_equal(receive(other->pre_prepare.body), PBFT_UNEXPECTED);

    assert_int_equal(receive(full->pre_prepare.body), PBFT_ACCEPTED);
    assert_int_equal(count_records(PBFT_RECORD_BODY), 1);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 1);
    assert_int_equal(receive(full->pre_prepare.body), PBFT_UNEXPECTED);
    pbft_message_unref(header);
    pbft_message_unref(other);
    pbft_message_unref(full);
}

static void test_too_large_a_batch_is_refused(void **state)
{
    struct pbft_message *batch = cast_batch(&cluster.cast, wall_now(), 1, 5);
    struct pbft_message *message = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    (void)state;
    cluster_crash(&cluster, SELF);
    cluster.config.batch_requests_max = 4;
    cluster_restart(&cluster, SELF);

    assert_int_equal(receive(message), PBFT_REJECTED);
    pbft_message_unref(message);
    pbft_message_unref(batch);
}

static void test_nothing_is_voted_before_the_answers(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    (void)state;
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    assert_false(cluster_report(&cluster, SELF).may_vote);
    assert_int_equal(receive(first), PBFT_ACCEPTED);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 0);

    cluster.filter = NULL;
    cluster_run(&cluster, 200); /* It asks again, and they answer. */

    assert_true(cluster_report(&cluster, SELF).may_vote);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 1);
    pbft_message_unref(first);
}

static bool lose_requests(void *context, const struct cluster_packet *packet)
{
    (void)context;
    return packet->message->type == PBFT_MESSAGE_REQUEST;
}

static void test_a_rolled_back_log_is_noticed(void **state)
{
    (void)state;
    cluster.filter = NULL;
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    struct cluster_node *node = &cluster.nodes[SELF];
    assert_int_equal(node->executed.seq, 1);

    /* Yesterday's disk: neither the votes nor the block. */
    cluster_crash(&cluster, SELF);
    for (size_t i = 0; i < node->record_count; i++) {
        pbft_message_unref(node->records[i].message);
    }
    node->record_count = 0;
    node->durable_count = 0;
    memset(&node->executed, 0, sizeof node->executed);
    cluster_restart(&cluster, SELF);
    cluster.filter = lose_requests; /* No RECOVER is ordered. */
    cluster_run(&cluster, 300);

    assert_int_equal(cluster_report(&cluster, SELF).condition,
                     PBFT_CONDITION_RECOVERING);
    assert_false(cluster_report(&cluster, SELF).may_vote);
    /* It follows without a voice. */
    assert_int_equal(node->executed.seq, 1);
    assert_int_equal(count_records(PBFT_RECORD_PREPARE), 0);
}

static void test_a_vote_that_is_missing_in_the_log_is_noticed(void **state)
{
    struct cluster_node *node = &cluster.nodes[SELF];
    struct pbft_message *first = proposal(1, 1);
    (void)state;
    (void)receive(first);
    cluster_crash(&cluster, SELF);
    /* Behind its birth and the body, the pre-prepare is cut out. */
    assert_int_equal(node->records[2].kind, PBFT_RECORD_PRE_PREPARE);
    pbft_message_unref(node->records[2].message);
    node->records[2] = node->records[3];
    node->record_count = 3;
    node->durable_count = 3;

    cluster_restart(&cluster, SELF);

    assert_int_equal(cluster_report(&cluster, SELF).condition,
                     PBFT_CONDITION_RECOVERING);
    pbft_message_unref(first);
}

static void test_all_lose_power_after_a_prepare(void **state)
{
    (void)state;
    cluster.filter = NULL;
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].is_executor_stuck = true;
    }
    for (uint64_t i = 1; i <= 6; i++) {
        (void)cluster_submit(&cluster, 0, i);
    }
    cluster_run(&cluster, 2 * cluster.config.batch_delay_ms);
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster_crash(&cluster, id);
        cluster.nodes[id].is_executor_stuck = false;
    }
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster_restart(&cluster, id);
    }

    cluster_run(&cluster, 500);

    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster_report(&cluster, id).view, 0);
        for (uint64_t i = 1; i <= 6; i++) {
            assert_int_equal(cluster_count_executed(&cluster, id, i), 1);
        }
    }
}

static void test_blocks_prove_themselves_asked_for_or_not(void **state)
{
    struct pbft_message *first = proposal(1, 1);
    const pbft_replica_id signers[] = {0, 2, 3};
    struct pbft_message *block = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_COMMITTED, first, signers, 3);
    (void)state;
    assert_int_equal(receive(block), PBFT_ACCEPTED);
    assert_int_equal(cluster_report(&cluster, SELF).committed, 1);
    assert_int_equal(receive(block), PBFT_DUPLICATE);
    pbft_message_unref(block);
    pbft_message_unref(first);
}

static void test_checkpoints_need_a_quorum_and_own_execution(void **state)
{
    const pbft_replica_id signers[] = {0, 2, 3};
    struct pbft_message *odd = cast_stable(&cluster.cast, 5, signers, 3);
    struct pbft_message *stable = cast_stable(&cluster.cast, 8, signers, 3);
    (void)state;
    assert_int_equal(receive(odd), PBFT_REJECTED);
    assert_int_equal(receive(stable), PBFT_ACCEPTED);
    assert_int_equal(receive(stable), PBFT_DUPLICATE);
    assert_int_equal(cluster_report(&cluster, SELF).stable, 0);
    assert_int_equal(cluster_report(&cluster, SELF).behind, 8);
    pbft_message_unref(stable);
    pbft_message_unref(odd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_pre_prepare_stands),
        TEST(test_watermarks_bound_what_is_accepted),
        TEST(test_only_the_primary_proposes),
        TEST(test_a_prepare_of_the_primary_counts_for_nothing),
        TEST(test_the_first_vote_of_a_signer_stands),
        TEST(test_commits_alone_execute_nothing),
        TEST(test_commits_go_out_in_order),
        TEST(test_a_wrong_clock_is_not_followed),
        TEST(test_a_missing_body_is_fetched_before_the_vote),
        TEST(test_too_large_a_batch_is_refused),
        TEST(test_nothing_is_voted_before_the_answers),
        TEST(test_a_rolled_back_log_is_noticed),
        TEST(test_a_vote_that_is_missing_in_the_log_is_noticed),
        TEST(test_all_lose_power_after_a_prepare),
        TEST(test_blocks_prove_themselves_asked_for_or_not),
        TEST(test_checkpoints_need_a_quorum_and_own_execution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
