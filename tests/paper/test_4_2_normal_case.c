/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.2, sentence by sentence, in our own words. n = 4, f = 1, Q = 3. */
#include "tests/paper/paper.h"

/* A request that reaches the primary starts three phases. */
static void test_4_2_the_primary_starts_three_phases(void **state)
{
    (void)state;
    paper_order(1, 1);
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, 1), 3);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_PREPARE, 0, 1), 3);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, 1), 3);
    assert_int_equal(paper_executed(3), 1);
}

/* It starts at once, unless too many are in progress: then it buffers, and
 * sends them later as one group. */
static void test_4_2_requests_are_buffered_and_sent_as_a_group(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    for (uint64_t i = 1; i <= 8; i++) {
        (void)cluster_submit(&cluster, 0, i);
    }
    const pbft_seq depth = cluster.config.pipeline_depth;
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, depth), 3);
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, depth + 1), 0);
    cluster_run(&cluster, cluster.config.batch_delay_ms + 1);
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, depth + 1), 3);
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, depth + 2), 0);
}

/* The primary assigns the sequence numbers: one after the other. */
static void test_4_2_the_primary_assigns_consecutive_numbers(void **state)
{
    (void)state;
    paper_order(1, 3);
    for (pbft_seq seq = 1; seq <= 3; seq++) {
        assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, seq), 3);
    }
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, 4), 0);
}

/* It carries the batch along, and stands in the primary's own log. */
static void test_4_2_a_pre_prepare_is_in_the_primarys_log(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    paper_order(1, 1);
    const struct pbft_message *sent =
        paper_find(0, PBFT_MESSAGE_PRE_PREPARE, 0);
    assert_non_null(sent);
    assert_non_null(sent->pre_prepare.body);
    assert_true(paper_slot(0, 1).has_pre_prepare);
    assert_true(paper_slot(0, 1).has_body);
}

/* A backup refuses a pre-prepare with a bad signature, of it or of a request,
 * or whose digest is not the batch's. */
static void test_4_2_signatures_and_digest_must_be_right(void **state)
{
    const struct pbft_verifier *verifier = &cluster.cast.verifier;
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *other = paper_batch(2);
    struct pbft_message *good = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    (void)state;
    assert_int_equal(pbft_verify(verifier, 0, good), PBFT_OK);
    good->signature.bytes[0] ^= 1;
    assert_int_equal(pbft_verify(verifier, 0, good), PBFT_BAD_SIGNATURE);
    struct pbft_message *mixed = pbft_pre_prepare_with_body(good, other);
    assert_int_equal(pbft_verify(verifier, 0, mixed), PBFT_BAD_DIGEST);
    struct pbft_message *request =
        (struct pbft_message *)(uintptr_t)batch->batch.requests[0];
    request->request.signature.bytes[0] ^= 1;
    good->signature.bytes[0] ^= 1;
    assert_int_equal(pbft_verify(verifier, 0, good), PBFT_BAD_SIGNATURE);
    pbft_message_unref(mixed);
    pbft_message_unref(good);
    pbft_message_unref(other);
    pbft_message_unref(batch);
}

/* The backup must be in view v. */
static void test_4_2_the_view_must_be_the_backups(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    assert_int_equal(paper_hear_proposal(2, 1, 1, batch), PBFT_FUTURE_VIEW);
    assert_int_equal(paper_hear_proposal(2, 4, 1, batch), PBFT_FUTURE_VIEW);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, PAPER_ANY, PAPER_ANY),
                     0);
    assert_int_equal(paper_hear_proposal(2, 0, 1, batch), PBFT_ACCEPTED);
    pbft_message_unref(batch);
}

/* It has accepted no pre-prepare for v and n with another digest. */
static void test_4_2_one_digest_for_a_view_and_number(void **state)
{
    struct pbft_message *first = paper_batch(1);
    struct pbft_message *second = paper_batch(2);
    (void)state;
    assert_int_equal(paper_hear_proposal(2, 0, 1, first), PBFT_ACCEPTED);
    assert_int_equal(paper_hear_proposal(2, 0, 1, second), PBFT_CONFLICTING);
    const struct pbft_slot_report slot = paper_slot(2, 1);
    assert_memory_equal(&slot.digest, &first->batch.digest, sizeof slot.digest);
    pbft_message_unref(first);
    pbft_message_unref(second);
}

/* n lies between the water marks: so a faulty primary cannot exhaust the
 * numbers by choosing a very large one. */
static void test_4_2_numbers_outside_the_water_marks_are_refused(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    const pbft_seq high = paper_report(2).high;
    (void)state;
    assert_int_equal(paper_hear_proposal(2, 0, high + 1, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    assert_int_equal(paper_hear_proposal(2, 0, UINT64_MAX, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    assert_int_equal(paper_hear_proposal(2, 0, high, batch), PBFT_ACCEPTED);
    pbft_message_unref(batch);
}

/* Accepted: PREPARE to all other replicas, both in the log. Else nothing. */
static void test_4_2_an_accepted_pre_prepare_is_prepared(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *other = paper_batch(2);
    (void)state;
    (void)paper_hear_proposal(2, 0, 1, batch);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 0, 1), 3);
    assert_int_equal(paper_slot(2, 1).prepare_count, 1);
    const uint64_t sent = cluster.nodes[2].sent;
    (void)paper_hear_proposal(2, 0, 1, other);
    assert_int_equal(cluster.nodes[2].sent, sent);
    pbft_message_unref(batch);
    pbft_message_unref(other);
}

/* Prepares are accepted, by the primary too, if view and number are right. */
static void test_4_2_prepares_of_the_view_and_window_are_accepted(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    for (pbft_replica_id to = 0; to < 2; to++) {
        assert_int_equal(
            paper_hear_vote(to, PBFT_MESSAGE_PREPARE, 2, 0, 1, batch),
            PBFT_ACCEPTED);
        assert_int_equal(
            paper_hear_vote(to, PBFT_MESSAGE_PREPARE, 2, 1, 1, batch),
            PBFT_FUTURE_VIEW);
        assert_int_equal(
            paper_hear_vote(to, PBFT_MESSAGE_PREPARE, 2, 0, 17, batch),
            PBFT_OUTSIDE_WATERMARKS);
    }
    struct pbft_message *forged = cast_vote(&cluster.cast, PBFT_MESSAGE_PREPARE,
                                            2, 0, 1, &batch->batch.digest);
    forged->signature.bytes[5] ^= 1;
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 2, forged),
                     PBFT_BAD_SIGNATURE);
    pbft_message_unref(forged);
    pbft_message_unref(batch);
}

/* prepared: the request, its pre-prepare, and 2f matching prepares of
 * different backups: neither fewer, nor of one twice, nor of another digest. */
static void test_4_2_prepared_needs_matching_votes_of_2f_backups(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *other = paper_batch(2);
    (void)state;
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 3, 0, 1, other);
    assert_false(paper_slot(1, 1).prepared); /* No pre-prepare. */
    (void)paper_hear_proposal(1, 0, 2, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 3, 0, 2, other);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 3, 0, 2, other),
                     PBFT_DUPLICATE);
    assert_false(paper_slot(1, 2).prepared); /* Its own alone matches. */
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 2, batch);
    assert_true(paper_slot(1, 2).prepared); /* 2f: its own and R2's. */
    pbft_message_unref(batch);
    pbft_message_unref(other);
}

/* The request itself is needed too: with the signed header and all prepares,
 * but without the body (ours comes apart; design: P16), nothing is prepared,
 * and nobody's commits change that. */
static void test_4_2_prepared_needs_the_request(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *whole = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    (void)state;
    (void)paper_hear(1, pbft_pre_prepare_with_body(whole, NULL));
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 3, 0, 1, batch);
    for (pbft_replica_id id = 0; id < 4; id += id == 0 ? 2 : 1) {
        (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, id, 0, 1, batch);
    }
    assert_true(paper_slot(1, 1).has_pre_prepare);
    assert_int_equal(paper_slot(1, 1).prepare_count, 2);
    assert_false(paper_slot(1, 1).prepared);
    assert_false(paper_slot(1, 1).committed);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_PREPARE, 0, 1), 0);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, 1), 0);
    struct pbft_message *body = pbft_message_handed_over(batch, 3);
    assert_int_equal(paper_hear(1, body), PBFT_ACCEPTED);
    assert_true(paper_slot(1, 1).prepared);
    assert_true(paper_slot(1, 1).committed);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, 1), 3);
    pbft_message_unref(whole);
    pbft_message_unref(batch);
}

/* If prepared(m, v, n, i), then no other m' is prepared at (v, n) anywhere. */
static void test_4_2_two_requests_are_not_prepared_for_one_number(void **state)
{
    struct pbft_message *first = paper_batch(1);
    struct pbft_message *second = paper_batch(2);
    (void)state;
    (void)paper_hear_proposal(1, 0, 1, first); /* The primary lies to R1. */
    (void)paper_hear_proposal(2, 0, 1, second);
    (void)paper_hear_proposal(3, 0, 1, second);
    cluster_settle(&cluster);
    assert_true(paper_slot(2, 1).prepared);
    assert_true(paper_slot(3, 1).prepared);
    assert_false(paper_slot(1, 1).prepared);
    pbft_message_unref(first);
    pbft_message_unref(second);
}

/* COMMIT goes to the others when prepared becomes true; not before. */
static void test_4_2_a_commit_follows_prepared(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    (void)paper_hear_proposal(1, 0, 1, batch);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, 1), 0);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 3, 0, 1, batch);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, 1), 3);
    pbft_message_unref(batch);
}

/* Commits are accepted if view and number are right. */
static void test_4_2_commits_of_the_view_and_window_are_accepted(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 1, batch),
                     PBFT_ACCEPTED);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 3, 1, batch),
                     PBFT_FUTURE_VIEW);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 17, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    pbft_message_unref(batch);
}

/* committed-local: prepared, and 2f + 1 matching commits, its own possibly
 * among them. Commits alone are not enough. */
static void test_4_2_committed_needs_prepared_and_2f_1_commits(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    (void)paper_hear_proposal(1, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 3, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 0, 0, 1, batch);
    assert_false(paper_slot(1, 1).committed);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 1, batch);
    assert_true(paper_slot(1, 1).committed);

    (void)paper_hear_proposal(1, 0, 2, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 2, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 2, batch);
    assert_false(paper_slot(1, 2).committed); /* Two, its own included. */
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 3, 0, 2, batch);
    assert_true(paper_slot(1, 2).committed);
    pbft_message_unref(batch);
}

/* They match the pre-prepare, and are of different replicas: one for another
 * digest does not count, before the pre-prepare or after it, nor one that comes
 * twice, nor a second thought, nor one with a bad signature. */
static void test_4_2_committed_needs_commits_that_match(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *other = paper_batch(2);
    (void)state;
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 1, other);
    (void)paper_hear_proposal(1, 0, 1, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 1, batch);
    assert_true(paper_slot(1, 1).prepared);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 3, 0, 1, batch);
    assert_false(paper_slot(1, 1).committed); /* Two that match. */
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 3, 0, 1, batch),
                     PBFT_DUPLICATE);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 1, batch),
                     PBFT_CONFLICTING);
    assert_false(paper_slot(1, 1).committed);
    struct pbft_message *forged = cast_vote(&cluster.cast, PBFT_MESSAGE_COMMIT,
                                            0, 0, 1, &batch->batch.digest);
    forged->signature.bytes[5] ^= 1;
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 0, forged),
                     PBFT_BAD_SIGNATURE);
    assert_false(paper_slot(1, 1).committed);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 0, 0, 1, batch);
    assert_true(paper_slot(1, 1).committed);

    (void)paper_hear_proposal(1, 0, 2, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 2, batch);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 0, 0, 2, other);
    (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 2, batch);
    assert_false(paper_slot(1, 2).committed);
    pbft_message_unref(forged);
    pbft_message_unref(other);
    pbft_message_unref(batch);
}

/* committed-local at one replica: f + 1 honest ones are prepared. */
static void test_4_2_committed_at_one_means_prepared_at_f_1(void **state)
{
    (void)state;
    paper_mute = 3;
    paper_order(1, 1);
    uint32_t prepared = 0;
    assert_true(paper_slot(1, 1).committed);
    for (pbft_replica_id id = 0; id < 3; id++) {
        prepared += paper_slot(id, 1).prepared;
    }
    assert_true(prepared >= 2);
}

/* Execution is in the order of numbers, whatever commits first: messages need
 * not arrive in order. */
static void test_4_2_execution_waits_for_lower_numbers(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 0, 1);
    paper_dropped = 0;
    (void)cluster_submit(&cluster, 0, 2);
    cluster_settle(&cluster);
    assert_true(paper_slot(1, 2).committed);
    assert_int_equal(paper_executed(1), 0);
    (void)cluster_run_until(&cluster, 2, PAPER_TREQ); /* Sent again. */
    assert_int_equal(paper_executed(1), 2);
    assert_int_equal(cluster_count_executed(&cluster, 1, 1), 1);
    assert_int_equal(cluster_count_executed(&cluster, 1, 2), 1);
}

/* Lost, doubled and reordered messages do not matter. */
static void test_4_2_the_order_of_messages_does_not_matter(void **state)
{
    (void)state;
    cluster.random = 99;
    cluster.duplicate_percent = 30;
    for (uint64_t i = 1; i <= 12; i++) {
        (void)cluster_submit(&cluster, (pbft_replica_id)(i % 4), i);
    }
    cluster_run(&cluster, 100);
    for (uint64_t i = 1; i <= 12; i++) {
        assert_true(cluster_count_executed(&cluster, 2, i) >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_2_the_primary_starts_three_phases),
        PAPER_TEST(test_4_2_requests_are_buffered_and_sent_as_a_group),
        PAPER_TEST(test_4_2_the_primary_assigns_consecutive_numbers),
        PAPER_TEST(test_4_2_a_pre_prepare_is_in_the_primarys_log),
        PAPER_TEST(test_4_2_signatures_and_digest_must_be_right),
        PAPER_TEST(test_4_2_the_view_must_be_the_backups),
        PAPER_TEST(test_4_2_one_digest_for_a_view_and_number),
        PAPER_TEST(test_4_2_numbers_outside_the_water_marks_are_refused),
        PAPER_TEST(test_4_2_an_accepted_pre_prepare_is_prepared),
        PAPER_TEST(test_4_2_prepares_of_the_view_and_window_are_accepted),
        PAPER_TEST(test_4_2_prepared_needs_matching_votes_of_2f_backups),
        PAPER_TEST(test_4_2_prepared_needs_the_request),
        PAPER_TEST(test_4_2_two_requests_are_not_prepared_for_one_number),
        PAPER_TEST(test_4_2_a_commit_follows_prepared),
        PAPER_TEST(test_4_2_commits_of_the_view_and_window_are_accepted),
        PAPER_TEST(test_4_2_committed_needs_prepared_and_2f_1_commits),
        PAPER_TEST(test_4_2_committed_needs_commits_that_match),
        PAPER_TEST(test_4_2_committed_at_one_means_prepared_at_f_1),
        PAPER_TEST(test_4_2_execution_waits_for_lower_numbers),
        PAPER_TEST(test_4_2_the_order_of_messages_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
