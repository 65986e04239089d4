/* SPDX-License-Identifier: Apache-2.0 */
/* Where we depart from the papers, one test a decision (docs/protocol.md gives
 * the reasons). The design's numbers are in the names. */
#include "tests/paper/paper.h"

/* P1: quorums that meet in an honest replica and can be had without the faulty
 * ones, for every n; 2f + 1 would not do for n = 6. */
static void test_design_p1_quorums_of_every_size(void **state)
{
    (void)state;
    for (uint32_t n = 4; n <= PBFT_REPLICAS_MAX; n++) {
        const uint32_t f = pbft_faults_max(n);
        const uint32_t q = pbft_quorum(n);
        assert_true(3 * f + 1 <= n && 3 * f + 4 > n);
        assert_true(2 * q - n >= f + 1);
        assert_true(q <= n - f);
        assert_int_equal(pbft_weak_quorum(n), f + 1);
    }
    assert_true(2 * (2 * pbft_faults_max(6) + 1) <= 6);
}

/* P2: the primary's pre-prepare is its vote; a prepare of it counts for
 * nothing. */
static void test_design_p2_a_prepare_of_the_primary_is_void(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    (void)paper_hear_proposal(1, 0, 1, batch);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 0, 0, 1, batch),
                     PBFT_REJECTED);
    assert_false(paper_slot(1, 1).prepared);
    pbft_message_unref(batch);
}

/* P2: a certificate convinces who saw none of the votes. */
static void test_design_p2_certificates_are_transferable(void **state)
{
    struct pbft_report report;
    (void)state;
    cluster_isolate(&cluster, 3);
    paper_order(1, 1);
    cluster_heal(&cluster);
    paper_drop(PBFT_MESSAGE_PREPARE); /* Only whole blocks get through. */
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    cluster_run(&cluster, 3 * PAPER_TREQ);
    report = paper_report(3);
    assert_int_equal(report.executed, 1);
    assert_int_equal(report.view, 0);
}

/* P4: at once while the pipeline has room; then requests gather into one batch.
 */
static void test_design_p4_batches_grow_with_the_load(void **state)
{
    const uint64_t depth = cluster.config.pipeline_depth;
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, depth);
    for (pbft_seq seq = 1; seq <= depth; seq++) {
        assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, seq), 3);
    }
    paper_order(depth + 1, 2); /* They find no room, */
    assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, depth + 1), 0);
    paper_dropped = 0;
    cluster_run(&cluster, PAPER_TREQ);
    assert_int_equal(paper_executed(0), depth + 1); /* and share a batch. */
    assert_int_equal(cluster_count_executed(&cluster, 0, depth + 2), 1);
    assert_int_equal(paper_report(0).view, 0);
}

/* P5: all numbers of the window are agreed on at once, whatever order they come
 * in: no batch waits for the one before it, but for being executed. */
static void test_design_p5_a_whole_window_is_agreed_on_at_once(void **state)
{
    const pbft_seq window = cluster.config.window;
    struct pbft_message *batches[32];
    (void)state;
    for (pbft_seq seq = window; seq > 0; seq--) {
        batches[seq] = paper_batch(seq);
        assert_int_equal(paper_hear_proposal(1, 0, seq, batches[seq]),
                         PBFT_ACCEPTED);
        assert_int_equal(paper_sent(1, PBFT_MESSAGE_PREPARE, 0, seq), 3);
    }
    for (pbft_seq seq = window; seq > 0; seq--) {
        (void)paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 0, seq, batches[seq]);
        assert_int_equal(paper_sent(1, PBFT_MESSAGE_COMMIT, 0, seq), 3);
    }
    for (pbft_seq seq = window; seq > 0; seq--) {
        assert_int_equal(paper_report(1).committed, 0);
        (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, seq, batches[seq]);
        (void)paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 3, 0, seq, batches[seq]);
        assert_true(paper_slot(1, seq).committed);
        pbft_message_unref(batches[seq]);
    }
    assert_int_equal(paper_report(1).committed, window);
}

/* P5: the primary too has many under way, and each K of them a checkpoint. */
static void test_design_p5_the_primary_does_not_wait_for_commits(void **state)
{
    const uint64_t depth = cluster.config.pipeline_depth;
    (void)state;
    assert_true(depth > 1);
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, depth);
    for (pbft_seq seq = 1; seq <= depth; seq++) {
        assert_int_equal(paper_sent(0, PBFT_MESSAGE_PRE_PREPARE, 0, seq), 3);
        assert_true(paper_slot(2, seq).prepared);
    }
    assert_int_equal(paper_executed(2), 0);
    paper_dropped = 0;
    paper_submit_all(depth + 1);
    assert_true(cluster_run_until(&cluster, depth + 1, PAPER_TREQ));
    const pbft_seq k = cluster.config.checkpoint_interval;
    assert_int_equal(paper_report(2).stable, paper_executed(2) / k * k);
    assert_true(paper_report(2).stable > 0);
    assert_int_equal(paper_report(2).view, 0);
}

/* VIEW-CHANGEs of others reach R3 only when it has asked for them. */
static bool lose_unasked_view_changes(void *context,
                                      const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    uint32_t *asked = context;
    if (packet->from == 3 && message->type == PBFT_MESSAGE_FETCH) {
        *asked += message->fetch.kind == PBFT_FETCH_VIEW_CHANGE;
    }
    return paper_filter(NULL, packet) ||
           (packet->to == 3 && message->type == PBFT_MESSAGE_VIEW_CHANGE &&
            *asked == 0);
}

/* P6: a NEW-VIEW names view-changes by their digests alone. Who lacks one asks
 * for it by that digest, at once, and can then enter like all others. */
static void test_design_p6_a_named_view_change_is_fetched(void **state)
{
    uint32_t asked = 0;
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    paper_submit_all(1);
    cluster.filter = lose_unasked_view_changes;
    cluster.filter_context = &asked;
    for (pbft_replica_id id = 3; id > 0; id--) {
        paper_expire(id);
    }
    cluster_settle(&cluster);
    const struct pbft_message *opened = paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(opened);
    assert_int_equal(opened->new_view.view_change_count, 3);
    uint32_t others = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const struct pbft_new_view_source *named =
            &opened->new_view.view_changes[i];
        uint32_t fetches = 0;
        for (size_t at = 0; at < paper_count; at++) {
            const struct pbft_message *message = paper_records[at].message;
            fetches += paper_records[at].from == 3 &&
                       message->type == PBFT_MESSAGE_FETCH &&
                       message->fetch.kind == PBFT_FETCH_VIEW_CHANGE &&
                       memcmp(&message->fetch.digest, &named->digest,
                              sizeof named->digest) == 0;
        }
        assert_true((fetches > 0) == (named->replica != 3));
        others += named->replica != 3;
    }
    assert_true(others >= 2);
    assert_true(paper_report(3).view_active);
    assert_int_equal(paper_report(3).view, 1);
}

/* P6: one worthless certificate discards no valid one, nor the view-change
 * that brought it. */
static void test_design_p6_certificates_stand_alone(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, 1);
    paper_drop(PBFT_MESSAGE_VIEW_CHANGE);
    cluster_crash(&cluster, 0);
    paper_submit_all(2);
    cluster_run(&cluster, PAPER_TREQ + 1);
    const struct pbft_message *good =
        paper_find(2, PBFT_MESSAGE_VIEW_CHANGE, 1);
    assert_non_null(good);
    /* R3's claims a request of its own making, prepared in view 0. */
    const struct pbft_origin origin = {.sender = 3, .epoch = good->epoch};
    static const pbft_replica_id signers[] = {1, 2};
    struct pbft_message *other = paper_batch(77);
    struct pbft_message *forged = cast_pre_prepare(&cluster.cast, 0, 1, other);
    forged->signature.bytes[0] ^= 1;
    struct pbft_message *certificate = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_PREPARED, forged, signers, 2);
    const struct pbft_message *list[] = {certificate};
    struct pbft_message *bad =
        pbft_view_change_create(&cluster.cast.replicas[3].domain, &origin, 1,
                                good->view_change.stable, list, 1);
    pbft_message_sign(&cluster.cast.replicas[3].domain, bad);
    (void)cluster_receive(&cluster, 1, good);
    assert_int_equal(paper_hear(1, bad), PBFT_ACCEPTED);
    const struct pbft_message *opened = paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(opened);
    assert_int_equal(opened->new_view.pre_prepare_count, 1);
    assert_memory_equal(&opened->new_view.pre_prepares[0]->pre_prepare.digest,
                        &good->view_change.prepared[0]
                             ->prepared.pre_prepare->pre_prepare.digest,
                        sizeof(struct pbft_digest));
    pbft_message_unref(certificate);
    pbft_message_unref(forged);
    pbft_message_unref(other);
}

/* P7: who hears nobody does not climb from view to view. */
static void test_design_p7_nobody_escalates_alone(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 3);
    (void)cluster_submit(&cluster, 3, 1);
    cluster_run(&cluster, 40 * PAPER_TREQ);
    assert_int_equal(paper_report(3).view, 1);
}

/* P7: progress of others does not hide that one institution is not served. */
static void test_design_p7_censorship_of_one_is_noticed(void **state)
{
    (void)state;
    struct pbft_message *like = cast_request(&cluster.cast, 500, "p");
    struct pbft_request fields = like->request;
    fields.institution.bytes[0] ^= 0x5a;
    struct pbft_message *request = pbft_request_create(
        &cluster.cast.client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    pbft_message_sign(&cluster.cast.client.domain, request);
    paper_drop(PBFT_MESSAGE_REQUEST); /* It never gets to the primary. */
    for (pbft_replica_id id = 1; id < 4; id++) {
        (void)cluster_submit_request(&cluster, id, request);
    }
    for (uint64_t i = 1; paper_report(1).view == 0 && i < 40; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_run(&cluster, 10);
    }
    assert_int_equal(paper_report(1).view, 1);
    assert_true(cluster.now <= 1000 + 2 * PAPER_TREQ);
    pbft_message_unref(request);
    pbft_message_unref(like);
}

/* P9: a replica in the dark catches up; no view change is forced for it. */
static void test_design_p9_catching_up_changes_no_view(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 2);
    paper_order(1, 40);
    cluster_heal(&cluster);
    cluster_run(&cluster, 5 * PAPER_TREQ);
    assert_int_equal(paper_executed(2), 40);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(paper_report(id).view, 0);
    }
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_COMMIT, PAPER_ANY, 20), 0);
}

/* P10: every block is attested by who executed it; f + 1 prove it. */
static void test_design_p10_every_block_is_attested(void **state)
{
    (void)state;
    paper_order(1, 3);
    for (pbft_seq seq = 1; seq <= 3; seq++) {
        assert_int_equal(
            paper_sent(2, PBFT_MESSAGE_ATTESTATION, PAPER_ANY, seq), 3);
        assert_non_null(cluster.nodes[2].proofs[seq]);
        assert_true(cluster.nodes[2].proofs[seq]->stable.vote_count >= 2);
    }
}

/* P10: who computed something else than Q others passes no checkpoint. */
static void test_design_p10_a_diverged_replica_passes_nothing(void **state)
{
    (void)state;
    cluster.nodes[3].is_wrong = true;
    paper_order(1, 8);
    cluster_run(&cluster, PAPER_TREQ);
    assert_int_equal(paper_report(0).stable, 8);
    assert_int_equal(paper_report(3).stable, 0);
    assert_true(paper_report(3).diverged > 0);
}

/* The transfer breaks off at block 30. */
static bool lose_later_blocks(void *context,
                              const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    return paper_filter(context, packet) ||
           (message->type == PBFT_MESSAGE_COMMITTED &&
            pbft_message_seq(message) > 30);
}

/* P11: state is transferred as blocks that prove themselves; what came before a
 * crash is not asked for again. */
static void test_design_p11_a_transfer_goes_on_where_it_was(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 2);
    paper_order(1, 100);
    cluster_heal(&cluster);
    cluster.filter = lose_later_blocks;
    cluster_run(&cluster, PAPER_TREQ);
    assert_int_equal(paper_executed(2), 30);
    cluster_crash(&cluster, 2);
    cluster.filter = paper_filter;
    paper_forget();
    cluster_restart(&cluster, 2);
    cluster_run(&cluster, 10 * PAPER_TREQ);
    assert_int_equal(paper_executed(2), 100);
    for (size_t i = 0; i < paper_count; i++) {
        const struct pbft_message *message = paper_records[i].message;
        assert_false(paper_records[i].from == 2 &&
                     message->type == PBFT_MESSAGE_FETCH &&
                     message->fetch.kind == PBFT_FETCH_BLOCKS &&
                     message->fetch.seq <= 30);
    }
}

/* P12: a fresh proposal is compared with the own clock; what a new-view
 * proposes again is not. */
static void test_design_p12_only_fresh_times_are_judged(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, 1);
    cluster.nodes[2].wall_offset_us = 3600 * UINT64_C(1000000);
    cluster_crash(&cluster, 0);
    paper_submit_all(2);
    cluster_run(&cluster, PAPER_TREQ + 1);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 1, 1), 3);
    struct pbft_message *late = paper_batch(9);
    assert_int_equal(paper_hear_proposal(2, 1, 9, late), PBFT_REJECTED);
    pbft_message_unref(late);
}

/* P13: epochs never mix: a vote of another one is of no member, and so is a
 * certificate, though the keys are the same. */
static void test_design_p13_another_epoch_is_no_member(void **state)
{
    static const pbft_replica_id signers[] = {1, 2, 3};
    const struct pbft_verifier *verifier = &cluster.cast.verifier;
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *proposal =
        cast_pre_prepare(&cluster.cast, 0, 1, batch);
    (void)state;
    assert_int_equal(pbft_verify(verifier, 0, proposal), PBFT_OK);
    cluster.cast.keyring.epoch++; /* Whoever signs now is ahead of us. */
    struct pbft_message *vote = cast_vote(&cluster.cast, PBFT_MESSAGE_COMMIT, 2,
                                          0, 1, &batch->batch.digest);
    struct pbft_message *later = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    struct pbft_message *block = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_COMMITTED, later, signers, 3);
    assert_int_equal(pbft_verify(verifier, 0, block), PBFT_OK);
    cluster.cast.keyring.epoch--;
    assert_int_equal(pbft_verify(verifier, 2, vote), PBFT_NOT_MEMBER);
    assert_int_equal(pbft_verify(verifier, 0, later), PBFT_NOT_MEMBER);
    assert_int_not_equal(pbft_verify(verifier, 0, block), PBFT_OK);
    vote->epoch--; /* Nor can it be passed off as one of ours. */
    assert_int_equal(pbft_verify(verifier, 2, vote), PBFT_BAD_SIGNATURE);
    pbft_message_unref(block);
    pbft_message_unref(later);
    pbft_message_unref(vote);
    pbft_message_unref(proposal);
    pbft_message_unref(batch);
}

/* P14: a replica that starts votes after Q - 1 have told what they hold of it,
 * and not before. */
static void test_design_p14_a_start_asks_before_it_votes(void **state)
{
    struct pbft_message *batch = paper_batch(2);
    (void)state;
    paper_order(1, 1);
    cluster_crash(&cluster, 1);
    cluster_isolate(&cluster, 1);
    cluster_restart(&cluster, 1);
    assert_false(paper_report(1).may_vote);
    assert_int_equal(paper_hear_proposal(1, 0, 2, batch), PBFT_ACCEPTED);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_PREPARE, 0, 2), 0);
    cluster_heal(&cluster);
    cluster_run(&cluster, PAPER_TREQ);
    assert_true(paper_report(1).may_vote);
    pbft_message_unref(batch);
}

/* P14: whose log is gone says nothing until its next incarnation is ordered,
 * and then votes above the bound of that alone. */
static void test_design_p14_lost_promises_need_an_incarnation(void **state)
{
    (void)state;
    paper_order(1, 5);
    cluster_crash(&cluster, 3);
    cluster_lose_log(&cluster, 3, false);
    paper_forget();
    cluster_restart(&cluster, 3);
    cluster_run(&cluster, 25 * PAPER_TREQ);
    assert_int_equal(paper_report(3).incarnation, 1);
    assert_true(paper_report(3).may_vote);
    const pbft_seq bound = paper_report(3).stable;
    assert_true(bound >= cluster.config.window);
    for (pbft_seq seq = 1; seq <= bound; seq++) {
        assert_int_equal(paper_sent(3, PBFT_MESSAGE_PREPARE, PAPER_ANY, seq),
                         0);
        assert_int_equal(paper_sent(3, PBFT_MESSAGE_COMMIT, PAPER_ANY, seq), 0);
    }
    paper_order(6, 1);
    assert_int_equal(paper_sent(3, PBFT_MESSAGE_COMMIT, PAPER_ANY, bound + 1),
                     3);
}

/* P15: whoever contradicts itself is named, with its own signatures. */
static void test_design_p15_contradictions_are_kept(void **state)
{
    struct pbft_message *first = paper_batch(1);
    struct pbft_message *second = paper_batch(2);
    (void)state;
    (void)paper_hear_proposal(2, 0, 1, first);
    (void)paper_hear_proposal(2, 0, 1, second);
    const struct pbft_report report = paper_report(2);
    assert_true(pbft_set_has(&report.accused, 0));
    assert_int_equal(pbft_set_count(&report.accused), 1);
    pbft_message_unref(first);
    pbft_message_unref(second);
}

/* P16: a header is enough to be accepted; the vote waits for the body, which
 * anybody may bring. */
static void test_design_p16_a_body_may_come_later(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *whole = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    (void)state;
    assert_int_equal(paper_hear(2, pbft_pre_prepare_with_body(whole, NULL)),
                     PBFT_ACCEPTED);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 0, 1), 0);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_FETCH, PAPER_ANY, 1), 1);
    struct pbft_message *body = pbft_message_handed_over(batch, 3);
    assert_int_equal(cluster_receive(&cluster, 2, body), PBFT_ACCEPTED);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 0, 1), 3);
    pbft_message_unref(body);
    pbft_message_unref(whole);
    pbft_message_unref(batch);
}

/* P16: the batch digest covers no view, so a batch keeps it over views. */
static void test_design_p16_a_batch_keeps_its_digest_over_views(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    struct pbft_message *early = cast_pre_prepare(&cluster.cast, 0, 1, batch);
    struct pbft_message *late = cast_pre_prepare(&cluster.cast, 6, 1, batch);
    (void)state;
    assert_memory_equal(&early->pre_prepare.digest, &late->pre_prepare.digest,
                        sizeof early->pre_prepare.digest);
    pbft_message_unref(early);
    pbft_message_unref(late);
    pbft_message_unref(batch);
}

/* P17: what execution will refuse is ordered like everything else: here a
 * request that was executed before. */
static void test_design_p17_order_does_not_judge_requests(void **state)
{
    struct pbft_message *batch = paper_batch(1);
    (void)state;
    paper_order(1, 1);
    assert_int_equal(paper_hear_proposal(2, 0, 2, batch), PBFT_ACCEPTED);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 0, 2), 3);
    pbft_message_unref(batch);
}

/* P18: the ledger wants a block, and nobody asks for anything: the primary
 * proposes an empty one, whose time is late enough. Once. */
static void test_design_p18_a_due_obligation_moves_time(void **state)
{
    (void)state;
    paper_order(1, 1);
    cluster.due = UINT64_C(1700000000000000) + (cluster.now + 50) * 1000;
    paper_order(2, 1); /* Which says when. */
    assert_int_equal(paper_executed(1), 2);
    cluster_run(&cluster, 2 * PAPER_TREQ);
    assert_int_equal(paper_executed(1), 3);
    assert_true(cluster.nodes[1].executed.block_time >= cluster.due);
    const struct pbft_message *block = cluster.nodes[1].blocks[3];
    assert_int_equal(
        block->committed.pre_prepare->pre_prepare.body->batch.request_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_design_p1_quorums_of_every_size),
        PAPER_TEST(test_design_p2_a_prepare_of_the_primary_is_void),
        PAPER_TEST(test_design_p2_certificates_are_transferable),
        PAPER_TEST(test_design_p4_batches_grow_with_the_load),
        PAPER_TEST(test_design_p5_a_whole_window_is_agreed_on_at_once),
        PAPER_TEST(test_design_p5_the_primary_does_not_wait_for_commits),
        PAPER_TEST(test_design_p6_a_named_view_change_is_fetched),
        PAPER_TEST(test_design_p6_certificates_stand_alone),
        PAPER_TEST(test_design_p7_nobody_escalates_alone),
        PAPER_TEST(test_design_p7_censorship_of_one_is_noticed),
        PAPER_TEST(test_design_p9_catching_up_changes_no_view),
        PAPER_TEST(test_design_p10_every_block_is_attested),
        PAPER_TEST(test_design_p10_a_diverged_replica_passes_nothing),
        PAPER_TEST(test_design_p11_a_transfer_goes_on_where_it_was),
        PAPER_TEST(test_design_p12_only_fresh_times_are_judged),
        PAPER_TEST(test_design_p13_another_epoch_is_no_member),
        PAPER_TEST(test_design_p14_a_start_asks_before_it_votes),
        PAPER_TEST(test_design_p14_lost_promises_need_an_incarnation),
        PAPER_TEST(test_design_p15_contradictions_are_kept),
        PAPER_TEST(test_design_p16_a_body_may_come_later),
        PAPER_TEST(test_design_p16_a_batch_keeps_its_digest_over_views),
        PAPER_TEST(test_design_p17_order_does_not_judge_requests),
        PAPER_TEST(test_design_p18_a_due_obligation_moves_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
