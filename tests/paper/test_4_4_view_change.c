/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.4, sentence by sentence, in our own words. */
#include "tests/paper/paper.h"

static pbft_time_ms request_deadline(pbft_replica_id id)
{
    return pbft_timer_deadline(cluster_replica(&cluster, id),
                               PBFT_TIMER_REQUEST);
}

/* A backup that received a request and has not executed it waits: its timer
 * runs from then on. */
static void test_4_4_a_waiting_backup_runs_a_timer(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    assert_true(request_deadline(1) == PBFT_TIME_NEVER);
    (void)cluster_submit(&cluster, 1, 1);
    assert_int_equal(request_deadline(1), cluster.now + PAPER_TREQ);
    cluster_run(&cluster, 10);
    (void)cluster_submit(&cluster, 1, 2); /* It runs already. */
    assert_int_equal(request_deadline(1), cluster.now - 10 + PAPER_TREQ);
}

/* It stops when nothing waits any more, and nothing comes of it. */
static void test_4_4_the_timer_stops_when_nothing_waits(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 1);
    cluster_settle(&cluster);
    (void)cluster_submit(&cluster, 1, 2);
    cluster_run(&cluster, 20);
    cluster_drop_packets(&cluster);
    paper_dropped = 0;
    (void)cluster_run_until(&cluster, 2, PAPER_TREQ);
    assert_int_equal(paper_executed(1), 2);
    assert_true(request_deadline(1) == PBFT_TIME_NEVER);
    assert_int_equal(paper_report(1).view, 0);
    cluster_run(&cluster, 3 * PAPER_TREQ);
    assert_int_equal(paper_report(1).view, 0);
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 3); /* And it can start again. */
    cluster_run(&cluster, PAPER_TREQ - 1);
    assert_int_equal(paper_report(1).view, 0);
    cluster_run(&cluster, 1);
    assert_int_equal(paper_report(1).view, 1);
}

/* If another request waits at that moment, it starts anew instead: neither does
 * the old time expire, nor does the replica wait for ever. */
static void test_4_4_the_timer_restarts_for_what_still_waits(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_REQUEST); /* The primary hears from us alone. */
    (void)cluster_submit(&cluster, 1, 1);
    (void)cluster_submit(&cluster, 1, 2);
    cluster_run(&cluster, PAPER_TREQ / 2);
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    assert_int_equal(cluster_count_executed(&cluster, 1, 1), 1);
    cluster_run(&cluster, PAPER_TREQ - 1);
    assert_int_equal(paper_report(1).view, 0);
    cluster_run(&cluster, 1);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_VIEW_CHANGE, 1, PAPER_ANY), 3);
}

/* Expired in view v: a VIEW-CHANGE for v + 1 goes to all. */
static void test_4_4_an_expired_timer_asks_for_the_next_view(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 1);
    paper_expire(1);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_VIEW_CHANGE, 1, PAPER_ANY), 3);
    assert_int_equal(paper_report(1).view, 1);
    assert_false(paper_report(1).view_active);
}

/* From then on it accepts checkpoints, view-changes and new-views alone. */
static void test_4_4_nothing_is_accepted_between_views(void **state)
{
    struct pbft_message *batch = paper_batch(9);
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 1);
    paper_expire(1);
    const uint64_t sent = cluster.nodes[1].sent;
    assert_int_equal(paper_hear_proposal(1, 0, 1, batch), PBFT_OLD_VIEW);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_COMMIT, 2, 0, 1, batch),
                     PBFT_OLD_VIEW);
    assert_int_equal(cluster.nodes[1].sent, sent);
    assert_int_equal(paper_hear(1, cast_attestation(&cluster.cast, 2, 1)),
                     PBFT_ACCEPTED);
    pbft_message_unref(batch);
}

/* It names the last stable checkpoint, with its proof, and holds one
 * certificate for each request prepared above it, without request bodies. */
static void test_4_4_a_view_change_carries_what_was_prepared(void **state)
{
    (void)state;
    paper_order(1, 5);
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(6, 2);
    paper_depose_primary(8);
    const struct pbft_message *message =
        paper_find(1, PBFT_MESSAGE_VIEW_CHANGE, 1);
    assert_non_null(message);
    const struct pbft_view_change *fields = &message->view_change;
    assert_int_equal(pbft_message_seq(fields->stable), 4);
    assert_int_equal(fields->stable->stable.vote_count, 3);
    assert_int_equal(fields->prepared_count, 3); /* 5, 6 and 7. */
    for (uint32_t i = 0; i < 3; i++) {
        const struct pbft_message *certificate = fields->prepared[i];
        assert_int_equal(pbft_message_seq(certificate), 5 + i);
        assert_null(certificate->prepared.pre_prepare->pre_prepare.body);
        assert_int_equal(certificate->prepared.vote_count, 2); /* 2f. */
        assert_int_equal(
            pbft_verify_certificate(&cluster.cast.verifier, certificate),
            PBFT_OK);
    }
}

/* The new primary waits for 2f view-changes of others; then one NEW-VIEW goes
 * to all, which names them. */
static void test_4_4_the_new_primary_needs_2f_view_changes(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    paper_submit_all(1);
    paper_mute = 3;
    paper_expire(1);
    cluster_settle(&cluster);
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_NEW_VIEW, 1, PAPER_ANY), 0);
    paper_expire(2);
    cluster_settle(&cluster); /* R0 follows the two, so there are three. */
    assert_int_equal(paper_sent(1, PBFT_MESSAGE_NEW_VIEW, 1, PAPER_ANY), 3);
    const struct pbft_message *message =
        paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_true(message->new_view.view_change_count >= 3);
}

/* O: what is prepared in one view-change is proposed again, with its digest. */
static void test_4_4_what_was_prepared_is_proposed_again(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, 2);
    const struct pbft_slot_report before = paper_slot(2, 2);
    paper_depose_primary(3);
    const struct pbft_message *message =
        paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(message);
    assert_int_equal(message->new_view.pre_prepare_count, 2);
    const struct pbft_pre_prepare *second =
        &message->new_view.pre_prepares[1]->pre_prepare;
    assert_int_equal(second->view, 1);
    assert_int_equal(second->seq, 2);
    assert_memory_equal(&second->digest, &before.digest, sizeof before.digest);
}

/* O begins above the latest stable checkpoint among the view-changes. */
static void test_4_4_o_begins_above_the_latest_checkpoint(void **state)
{
    (void)state;
    paper_order(1, 6);
    paper_depose_primary(7);
    const struct pbft_message *message =
        paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(message);
    assert_int_equal(message->new_view.pre_prepare_count, 2);
    assert_int_equal(pbft_message_seq(message->new_view.pre_prepares[0]), 5);
}

/* A number that nobody prepared, below one that somebody did: null request,
 * which is ordered like any other and does nothing. */
static void test_4_4_gaps_become_null_requests(void **state)
{
    struct pbft_digest null;
    (void)state;
    pbft_null_digest(&cluster.cast.replicas[1].domain, &null);
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster); /* Its pre-prepare is lost to all. */
    paper_dropped = 0;
    paper_drop(PBFT_MESSAGE_COMMIT);
    (void)cluster_submit(&cluster, 0, 2);
    cluster_settle(&cluster);
    paper_depose_primary(3);
    paper_dropped = 0;
    (void)cluster_run_until(&cluster, 3, 4 * PAPER_TREQ);
    const struct pbft_message *message =
        paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(message);
    assert_memory_equal(&message->new_view.pre_prepares[0]->pre_prepare.digest,
                        &null, sizeof null);
    const struct pbft_message *block = cluster.nodes[2].blocks[1];
    assert_int_equal(
        block->committed.pre_prepare->pre_prepare.body->batch.request_count, 0);
    assert_int_equal(cluster_count_executed(&cluster, 2, 2), 1);
    assert_int_equal(cluster_count_executed(&cluster, 2, 3), 1);
}

/* A backup enters if the message is signed, its view-changes are for the view,
 * and O is what it computes itself: one digest changed, and it does not. */
static void test_4_4_a_wrong_o_is_not_entered(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, 1);
    paper_drop(PBFT_MESSAGE_NEW_VIEW);
    paper_depose_primary(2);
    const struct pbft_message *good = paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    assert_non_null(good);
    assert_false(paper_report(2).view_active);
    const struct pbft_origin origin = {.sender = 1, .epoch = good->epoch};
    const struct pbft_domain *domain = &cluster.cast.replicas[1].domain;
    const struct pbft_digest wrong = {{0xbad & 0xff}};
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, 1, 1, &wrong, NULL);
    pbft_message_sign(domain, header);
    const struct pbft_message *headers[] = {header};
    struct pbft_message *bad =
        pbft_new_view_create(&origin, 1, good->new_view.view_changes,
                             good->new_view.view_change_count, headers, 1);
    pbft_message_sign(domain, bad);
    assert_int_equal(paper_hear(2, bad), PBFT_REJECTED);
    assert_false(paper_report(2).view_active);
    assert_int_equal(cluster_receive(&cluster, 2, good), PBFT_ACCEPTED);
    assert_true(paper_report(2).view_active);
    pbft_message_unref(header);
}

/* It then prepares each proposal of O, to all, and is in the new view. */
static void test_4_4_proposals_of_o_are_prepared_in_the_new_view(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    paper_order(1, 2);
    paper_depose_primary(3);
    for (pbft_seq seq = 1; seq <= 2; seq++) {
        assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 1, seq), 3);
    }
    assert_true(paper_report(2).view_active);
    assert_int_equal(paper_report(2).view, 1);
}

/* The protocol is redone for what was executed already, and nothing executes
 * twice. */
static void test_4_4_nothing_is_executed_again(void **state)
{
    (void)state;
    paper_order(1, 3);
    paper_depose_primary(4);
    (void)cluster_run_until(&cluster, 4, 4 * PAPER_TREQ);
    for (uint64_t i = 1; i <= 4; i++) {
        assert_int_equal(cluster_count_executed(&cluster, 2, i), 1);
    }
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 1, 3), 3);
}

/* A replica may lack a request of O: it gets it from another one. */
static void test_4_4_a_missing_request_is_fetched(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_COMMIT);
    cluster_isolate(&cluster, 3);
    paper_order(1, 1);
    cluster_heal(&cluster);
    paper_depose_primary(2);
    paper_dropped = 0;
    (void)cluster_run_until(&cluster, 2, 4 * PAPER_TREQ);
    assert_int_equal(cluster_count_executed(&cluster, 3, 1), 1);
    assert_true(paper_sent(3, PBFT_MESSAGE_FETCH, PAPER_ANY, 1) > 0);
}

/* Or a stable checkpoint: it moves there, by what others executed. */
static void test_4_4_a_missing_checkpoint_is_fetched(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 3);
    paper_order(1, 9);
    cluster_heal(&cluster);
    paper_depose_primary(10);
    (void)cluster_run_until(&cluster, 10, 8 * PAPER_TREQ);
    assert_int_equal(cluster_count_executed(&cluster, 3, 10), 1);
    cluster_run(&cluster, PAPER_TREQ);
    assert_true(paper_report(3).stable >= 8);
}

/* The promise is durable: who asked for a view is back in no older one. */
static void test_4_4_a_view_change_outlives_a_crash(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 1);
    paper_expire(1);
    cluster_crash(&cluster, 1);
    cluster_restart(&cluster, 1);
    assert_int_equal(paper_report(1).view, 1);
    assert_false(paper_report(1).view_active);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_4_a_waiting_backup_runs_a_timer),
        PAPER_TEST(test_4_4_the_timer_stops_when_nothing_waits),
        PAPER_TEST(test_4_4_the_timer_restarts_for_what_still_waits),
        PAPER_TEST(test_4_4_an_expired_timer_asks_for_the_next_view),
        PAPER_TEST(test_4_4_nothing_is_accepted_between_views),
        PAPER_TEST(test_4_4_a_view_change_carries_what_was_prepared),
        PAPER_TEST(test_4_4_the_new_primary_needs_2f_view_changes),
        PAPER_TEST(test_4_4_what_was_prepared_is_proposed_again),
        PAPER_TEST(test_4_4_o_begins_above_the_latest_checkpoint),
        PAPER_TEST(test_4_4_gaps_become_null_requests),
        PAPER_TEST(test_4_4_a_wrong_o_is_not_entered),
        PAPER_TEST(test_4_4_proposals_of_o_are_prepared_in_the_new_view),
        PAPER_TEST(test_4_4_nothing_is_executed_again),
        PAPER_TEST(test_4_4_a_missing_request_is_fetched),
        PAPER_TEST(test_4_4_a_missing_checkpoint_is_fetched),
        PAPER_TEST(test_4_4_a_view_change_outlives_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
