/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.3, sentence by sentence, in our own words. K = 4, window 16. Our
 * checkpoint message is the attestation of a multiple of K (design: P10). */
#include "tests/paper/paper.h"

/* Messages are kept until their execution is proved: a replica whose
 * checkpoint is not stable can still send every one of them again. */
static void test_4_3_messages_are_kept_until_execution_is_proved(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_ATTESTATION);
    paper_order(1, 8);
    assert_int_equal(paper_report(0).stable, 0);
    for (pbft_seq seq = 1; seq <= 8; seq++) {
        assert_true(paper_slot(0, seq).committed);
    }
}

/* A proof is made for numbers that K divides, and for no other. */
static void test_4_3_checkpoints_are_the_multiples_of_k(void **state)
{
    (void)state;
    paper_order(1, 3);
    assert_int_equal(paper_report(1).stable, 0);
    paper_order(4, 1);
    assert_int_equal(paper_report(1).stable, 4);
    paper_order(5, 3);
    assert_int_equal(paper_report(1).stable, 4);
}

/* Even Q proofs of another number make no checkpoint. */
static void test_4_3_a_proof_of_another_number_moves_nothing(void **state)
{
    static const pbft_replica_id signers[] = {0, 2, 3};
    (void)state;
    assert_int_equal(paper_hear(1, cast_stable(&cluster.cast, 5, signers, 3)),
                     PBFT_REJECTED);
    assert_int_equal(paper_report(1).stable, 0);
}

/* Who makes a checkpoint tells all others: number and digest of the state. */
static void test_4_3_a_checkpoint_is_sent_to_all(void **state)
{
    (void)state;
    paper_order(1, 4);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(paper_sent(id, PBFT_MESSAGE_ATTESTATION, PAPER_ANY, 4),
                         3);
    }
}

/* 2f + 1 of different replicas with one digest, the own among them: with 2f it
 * is not stable. */
static void test_4_3_a_proof_needs_2f_1_checkpoint_messages(void **state)
{
    (void)state;
    paper_mute = 3;
    cluster.nodes[2].is_wrong = true;
    paper_order(1, 4);
    assert_int_equal(paper_executed(1), 4);
    assert_int_equal(paper_report(1).stable, 0); /* Equal: R0's and R1's. */
    paper_mute = UINT32_MAX;
    cluster_run(&cluster, PAPER_TREQ);
    assert_int_equal(paper_report(1).stable, 4); /* And R3's. */
    assert_int_equal(paper_report(2).stable, 0); /* Its own differs. */
}

/* One replica's message counts once. */
static void test_4_3_each_replica_counts_once(void **state)
{
    (void)state;
    paper_mute = 3;
    cluster.nodes[2].is_wrong = true;
    paper_order(1, 4);
    for (int i = 0; i < 5; i++) {
        const struct pbft_message *sent = NULL;
        for (size_t at = 0; at < paper_count; at++) {
            if (paper_records[at].from == 0 &&
                paper_records[at].message->type == PBFT_MESSAGE_ATTESTATION &&
                pbft_message_seq(paper_records[at].message) == 4) {
                sent = paper_records[at].message;
            }
        }
        assert_non_null(sent);
        assert_int_equal(cluster_receive(&cluster, 1, sent), PBFT_DUPLICATE);
    }
    assert_int_equal(paper_report(1).stable, 0);
}

/* Stable: messages with numbers up to it are discarded, and both water marks
 * move up with it. */
static void test_4_3_a_stable_checkpoint_empties_the_log(void **state)
{
    struct pbft_slot_report gone;
    (void)state;
    paper_order(1, 6);
    const struct pbft_report report = paper_report(1);
    assert_int_equal(report.stable, 4);
    assert_int_equal(report.high, 4 + 16);
    assert_false(pbft_replica_slot(cluster_replica(&cluster, 1), 4, &gone));
    assert_true(paper_slot(1, 5).committed);
    for (size_t i = 0; i < cluster.nodes[1].record_count; i++) {
        const struct pbft_record *record = &cluster.nodes[1].records[i];
        assert_true(record->seq == 0 || record->seq > 4 ||
                    record->kind == PBFT_RECORD_STABLE);
    }
}

/* Earlier checkpoints go too: one proof is kept. */
static void test_4_3_earlier_checkpoints_are_discarded(void **state)
{
    uint32_t proofs = 0;
    (void)state;
    paper_order(1, 12);
    for (size_t i = 0; i < cluster.nodes[1].record_count; i++) {
        proofs += cluster.nodes[1].records[i].kind == PBFT_RECORD_STABLE;
    }
    assert_int_equal(proofs, 1);
    assert_int_equal(paper_report(1).stable, 12);
}

/* Messages at or below the low water mark are not accepted any more. */
static void test_4_3_the_low_water_mark_is_the_stable_checkpoint(void **state)
{
    struct pbft_message *batch = paper_batch(90);
    (void)state;
    paper_order(1, 4);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 4, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 5, batch),
                     PBFT_ACCEPTED);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 20, batch),
                     PBFT_ACCEPTED);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, 21, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    pbft_message_unref(batch);
}

/* The window is large enough that nobody waits for a checkpoint to become
 * stable: work goes on while one is on its way; it stops at the high mark. */
static void test_4_3_work_goes_on_up_to_the_high_water_mark(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_ATTESTATION);
    paper_order(1, 16);
    assert_int_equal(paper_executed(1), 16);
    paper_order(17, 1);
    assert_int_equal(paper_executed(1), 16);
    paper_dropped = 0;
    (void)cluster_run_until(&cluster, 17, 4 * PAPER_TREQ);
    assert_int_equal(paper_executed(1), 17);
}

/* The proof is durable before the log below it is dropped: a replica that
 * starts again is at its checkpoint. */
static void test_4_3_the_checkpoint_outlives_a_restart(void **state)
{
    (void)state;
    paper_order(1, 9);
    cluster_crash(&cluster, 1);
    cluster_restart(&cluster, 1);
    cluster_settle(&cluster);
    assert_int_equal(paper_report(1).stable, 8);
    assert_int_equal(paper_executed(1), 9);
    paper_order(10, 4);
    assert_int_equal(paper_report(1).stable, 12);
}

static uint32_t count_received(pbft_replica_id to, enum pbft_message_type type)
{
    uint32_t count = 0;
    for (size_t i = 0; i < paper_count; i++) {
        count +=
            paper_records[i].to == to && paper_records[i].message->type == type;
    }
    return count;
}

/* The paper keeps copies of the state, one for each checkpoint that may still
 * be asked for. We keep none (design: P11): a checkpoint is digests, with their
 * proof. Who is behind one, however far, gets the blocks with their commit
 * certificates, executes every one of them itself, and comes to that digest. */
static void test_4_3_no_copies_of_the_state_but_blocks_again(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 2);
    paper_order(1, 40); /* Ten checkpoints, and more than two windows. */
    assert_int_equal(paper_report(0).stable, 40);
    cluster_crash(&cluster, 2);
    cluster_lose_log(&cluster, 2, true); /* And its state. */
    cluster_heal(&cluster);
    cluster_restart(&cluster, 2);
    paper_forget();
    cluster_run(&cluster, 5 * PAPER_TREQ);
    assert_true(paper_executed(2) >= 40);
    for (pbft_seq seq = 1; seq <= 40; seq++) {
        const struct pbft_message *block = paper_block(2, seq);
        assert_true(block->committed.vote_count >=
                    3); /* Q: it proves itself. */
        assert_memory_equal(paper_block_digest(2, seq),
                            paper_block_digest(0, seq),
                            sizeof(struct pbft_digest));
    }
    cluster_run(&cluster, 5 * PAPER_TREQ);
    assert_int_equal(paper_executed(2), paper_executed(0));
    assert_memory_equal(&cluster.nodes[2].executed.ledger_root,
                        &cluster.nodes[0].executed.ledger_root,
                        sizeof cluster.nodes[0].executed.ledger_root);
    assert_true(count_received(2, PBFT_MESSAGE_COMMITTED) >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_3_messages_are_kept_until_execution_is_proved),
        PAPER_TEST(test_4_3_checkpoints_are_the_multiples_of_k),
        PAPER_TEST(test_4_3_a_proof_of_another_number_moves_nothing),
        PAPER_TEST(test_4_3_a_checkpoint_is_sent_to_all),
        PAPER_TEST(test_4_3_a_proof_needs_2f_1_checkpoint_messages),
        PAPER_TEST(test_4_3_each_replica_counts_once),
        PAPER_TEST(test_4_3_a_stable_checkpoint_empties_the_log),
        PAPER_TEST(test_4_3_earlier_checkpoints_are_discarded),
        PAPER_TEST(test_4_3_the_low_water_mark_is_the_stable_checkpoint),
        PAPER_TEST(test_4_3_work_goes_on_up_to_the_high_water_mark),
        PAPER_TEST(test_4_3_the_checkpoint_outlives_a_restart),
        PAPER_TEST(test_4_3_no_copies_of_the_state_but_blocks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
