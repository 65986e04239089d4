/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.2, sentence by sentence, in our own words: what comes of what is
 * committed. n = 4, f = 1, Q = 3. */
#include "tests/paper/paper.h"

/* All that are up have executed the same batches at the same places, up to the
 * one of them that has executed least, and came to the same state. */
static void assert_same_history(pbft_seq at_least)
{
    pbft_seq common = UINT64_MAX;
    for (pbft_replica_id id = 0; id < cluster.cast.n; id++) {
        if (cluster.nodes[id].driver != NULL && paper_executed(id) < common) {
            common = paper_executed(id);
        }
    }
    assert_in_range(common, at_least, CLUSTER_BLOCKS_MAX - 1);
    for (pbft_replica_id id = 0; id < cluster.cast.n; id++) {
        if (cluster.nodes[id].driver == NULL) {
            continue;
        }
        for (pbft_seq seq = 1; seq <= common; seq++) {
            assert_memory_equal(paper_block_digest(id, seq),
                                paper_block_digest(3, seq),
                                sizeof(struct pbft_digest));
        }
        if (paper_executed(id) == paper_executed(3)) {
            assert_memory_equal(&cluster.nodes[id].executed,
                                &cluster.nodes[3].executed,
                                sizeof cluster.nodes[3].executed);
        }
    }
}

/* Commits of view 0 reach R3 alone. */
static bool commits_reach_r3_alone(void *context,
                                   const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    return paper_filter(context, packet) ||
           (message->type == PBFT_MESSAGE_COMMIT &&
            pbft_message_view(message) == 0 && packet->to != 3);
}

/* What commits at one correct replica commits at f + 1 of them in the end, even
 * if that takes another view: the same request at the same place. Here R3 has
 * executed it and is never heard of again. */
static void test_4_2_what_commits_at_one_commits_in_later_views(void **state)
{
    (void)state;
    cluster.filter = commits_reach_r3_alone;
    paper_order(1, 2);
    assert_int_equal(paper_executed(3), 2);
    for (pbft_replica_id id = 0; id < 3; id++) {
        assert_true(paper_slot(id, 2).prepared);
        assert_int_equal(paper_executed(id), 0);
    }
    cluster_isolate(&cluster, 3);
    for (pbft_replica_id id = 0; id < 3; id++) {
        (void)cluster_submit(&cluster, id, 3);
    }
    cluster_run(&cluster, 4 * PAPER_TREQ);
    for (pbft_replica_id id = 0; id < 3; id++) {
        assert_true(paper_report(id).view >= 1);
        for (pbft_seq seq = 1; seq <= 2; seq++) {
            assert_memory_equal(paper_block_digest(id, seq),
                                paper_block_digest(3, seq),
                                sizeof(struct pbft_digest));
            assert_true(pbft_message_view(paper_block(id, seq)) >= 1);
            assert_int_equal(pbft_message_view(paper_block(3, seq)), 0);
        }
        assert_int_equal(cluster_count_executed(&cluster, id, 3), 1);
    }
}

/* All correct replicas execute the same requests in the same order, whatever
 * order messages come in, and however often. */
static void test_4_2_all_execute_the_same_in_the_same_order(void **state)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        paper_teardown(state);
        paper_start(4);
        cluster.random = seed;
        cluster.duplicate_percent = 30;
        for (uint64_t i = 1; i <= 12; i++) {
            (void)cluster_submit(&cluster, (pbft_replica_id)(i % 4), i);
        }
        cluster_run(&cluster, 3 * PAPER_TREQ);
        assert_same_history(3); /* At least so many batches. */
        for (pbft_replica_id id = 0; id < 4; id++) {
            assert_int_equal(paper_executed(id), paper_executed(3));
            for (uint64_t i = 1; i <= 12; i++) {
                assert_true(cluster_count_executed(&cluster, id, i) >= 1);
            }
        }
    }
}

/* Nor does it matter whether the primary is honest: this one tells R1 and the
 * two others of different batches, at two places, and is gone. */
static void test_4_2_a_lying_primary_makes_no_second_order(void **state)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        paper_teardown(state);
        paper_start(4);
        cluster.random = seed;
        struct pbft_message *first = paper_batch(1);
        struct pbft_message *second = paper_batch(2);
        cluster_crash(&cluster, 0);
        for (pbft_replica_id id = 1; id < 4; id++) {
            (void)paper_hear_proposal(id, 0, 1, id == 1 ? first : second);
            (void)paper_hear_proposal(id, 0, 2, id == 1 ? second : first);
        }
        for (pbft_seq seq = 1; seq <= 2; seq++) {
            for (pbft_replica_id id = 1; id < 4; id++) {
                (void)paper_hear_vote(id, PBFT_MESSAGE_COMMIT, 0, 0, seq,
                                      id == 1 ? first : second);
            }
        }
        paper_submit_all(3);
        cluster_run(&cluster, 6 * PAPER_TREQ);
        assert_same_history(1);
        assert_true(cluster_count_executed(&cluster, 1, 3) >= 1);
        pbft_message_unref(first);
        pbft_message_unref(second);
    }
}

/* The reply (ours: the attestation, with the roots of results and state) comes
 * after the execution, not when the request commits; and nobody else's is taken
 * for the own one. */
static void test_4_2_the_reply_comes_after_the_execution(void **state)
{
    (void)state;
    cluster.nodes[1].is_executor_stuck = true;
    paper_order(1, 1);
    assert_int_equal(paper_executed(2), 1);
    assert_true(paper_slot(1, 1).committed);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_ATTESTATION, PAPER_ANY, 1), 3);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_ATTESTATION, PAPER_ANY, 1), 0);
    assert_null(cluster.nodes[1].proofs[1]);
    cluster.nodes[1].is_executor_stuck = false;
    cluster_settle(&cluster);
    assert_int_equal(paper_executed(1), 1);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_ATTESTATION, PAPER_ANY, 1), 3);
    const struct pbft_message *reply = cluster.nodes[1].proofs[1];
    assert_non_null(reply);
    assert_true(reply->stable.vote_count >= 2); /* f + 1 say the same. */
    assert_memory_equal(&reply->stable.attestation, &cluster.nodes[1].executed,
                        sizeof reply->stable.attestation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_2_what_commits_at_one_commits_in_later_views),
        PAPER_TEST(test_4_2_all_execute_the_same_in_the_same_order),
        PAPER_TEST(test_4_2_a_lying_primary_makes_no_second_order),
        PAPER_TEST(test_4_2_the_reply_comes_after_the_execution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
