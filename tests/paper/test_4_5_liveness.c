/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.5.2, sentence by sentence, in our own words. */
#include "tests/paper/paper.h"

static pbft_time_ms view_deadline(pbft_replica_id id)
{
    return pbft_timer_deadline(cluster_replica(&cluster, id), PBFT_TIMER_VIEW);
}

static struct pbft_message *view_change(pbft_replica_id signer, pbft_view view)
{
    return paper_view_change(signer, view, NULL, 0);
}

/* Who asked for v + 1 waits for 2f + 1 view-changes before its timer starts. */
static void test_4_5_the_timer_starts_at_2f_1_view_changes(void **state)
{
    (void)state;
    paper_mute = 1;
    (void)cluster_submit(&cluster, 3, 1);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_REQUEST);
    assert_true(view_deadline(3) == PBFT_TIME_NEVER);
    (void)paper_hear(3, view_change(0, 1));
    assert_true(view_deadline(3) == PBFT_TIME_NEVER);
    (void)paper_hear(3, view_change(2, 1));
    assert_int_equal(view_deadline(3), cluster.now + PAPER_TREQ);
}

/* It expires without a new-view: on to v + 2, and twice as long. Ours has a
 * bound (design: P7). */
static void test_4_5_each_failed_view_doubles_the_wait(void **state)
{
    pbft_time_ms wait = 0;
    (void)state;
    cluster_crash(&cluster, 0); /* The others hear R3 and its test alone. */
    cluster_crash(&cluster, 1);
    (void)cluster_submit(&cluster, 3, 1);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_REQUEST);
    for (pbft_view view = 1; view < 8; view++) {
        if (pbft_primary_of(view, 4) == 3) {
            break;
        }
        (void)paper_hear(3, view_change(0, view));
        (void)paper_hear(3, view_change(1, view));
        const pbft_time_ms now = view_deadline(3) - cluster.now;
        assert_true(wait == 0 || now == 2 * wait);
        wait = now;
        (void)cluster_timeout(&cluster, 3, PBFT_TIMER_VIEW);
        assert_int_equal(paper_report(3).view, view + 1);
    }
}

/* The wait is bounded: however many views fail. */
static void test_4_5_the_wait_is_bounded(void **state)
{
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    paper_drop(PBFT_MESSAGE_NEW_VIEW);
    paper_submit_all(1);
    cluster_run(&cluster, 60 * PAPER_TREQ);
    const pbft_time_ms deadline = view_deadline(2);
    assert_true(deadline == PBFT_TIME_NEVER ||
                deadline <=
                    cluster.now + cluster.config.view_change_timeout_max_ms);
    assert_true(paper_report(2).view >= 5);
    paper_dropped = 0;
    (void)cluster_run_until(&cluster, 1,
                            4 * cluster.config.view_change_timeout_max_ms);
    assert_int_equal(cluster_count_executed(&cluster, 2, 1), 1);
}

/* f + 1 view-changes of others for higher views: join, before the own timer. */
static void test_4_5_f_1_view_changes_are_joined(void **state)
{
    (void)state;
    (void)paper_hear(1, view_change(2, 1));
    assert_int_equal(paper_report(1).view, 0);
    (void)paper_hear(1, view_change(3, 1));
    assert_int_equal(paper_report(1).view, 1);
}

/* Ours goes to the highest view that f + 1 have reached; a smaller one that
 * only one of them asks for would not form. One replica draws nobody higher. */
static void test_4_5_one_replica_draws_nobody_to_a_higher_view(void **state)
{
    (void)state;
    (void)paper_hear(1, view_change(2, 3));
    (void)paper_hear(1, view_change(3, 900));
    assert_int_equal(paper_report(1).view, 3);
}

/* A faulty replica cannot cause a view change by asking for it. */
static void test_4_5_one_faulty_replica_causes_no_view_change(void **state)
{
    (void)state;
    for (pbft_view view = 1; view < 40; view++) {
        for (pbft_replica_id to = 0; to < 3; to++) {
            (void)paper_hear(to, view_change(3, view));
        }
        paper_order(view, 1);
    }
    assert_int_equal(paper_report(0).view, 0);
    assert_int_equal(paper_executed(2), 39);
}

/* It can as the primary; but after f views at most an honest one is primary,
 * and requests execute. */
static void
test_4_5_f_faulty_primaries_are_followed_by_an_honest_one(void **state)
{
    (void)state;
    paper_teardown(NULL);
    paper_start(7);
    cluster_crash(&cluster, 0);
    cluster_crash(&cluster, 1);
    paper_submit_all(1);
    (void)cluster_run_until(&cluster, 1, 10 * PAPER_TREQ);
    assert_int_equal(paper_report(3).view, 2);
    assert_int_equal(cluster_count_executed(&cluster, 3, 1), 1);
}

/* Correct replicas come to be in one view for long enough, whatever was lost
 * before. */
static void test_4_5_replicas_meet_in_one_view_again(void **state)
{
    (void)state;
    cluster.random = 5;
    cluster.loss_percent = 60;
    for (uint64_t i = 1; i <= 5; i++) {
        paper_submit_all(i);
        cluster_run(&cluster, 3 * PAPER_TREQ);
    }
    cluster.loss_percent = 0;
    paper_submit_all(6);
    cluster_run(&cluster, 4 * cluster.config.view_change_timeout_max_ms);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_true(paper_report(id).view_active);
        assert_int_equal(paper_report(id).view, paper_report(0).view);
        assert_true(cluster_count_executed(&cluster, id, 6) >= 1);
    }
}

static bool lose_commits_of_one(void *context,
                                const struct cluster_packet *packet)
{
    const pbft_seq *gap = context;
    return packet->message->type == PBFT_MESSAGE_COMMIT &&
           pbft_message_seq(packet->message) == *gap;
}

static pbft_time_ms request_wait(pbft_replica_id id)
{
    return pbft_timer_deadline(cluster_replica(&cluster, id),
                               PBFT_TIMER_REQUEST) -
           cluster.now;
}

static void leave_view(pbft_view view)
{
    for (pbft_replica_id id = 0; id < 4; id++) {
        if (id != pbft_primary_of(view, 4)) {
            (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
        }
    }
    cluster_settle(&cluster);
    assert_int_equal(paper_report(3).view, view + 1);
    assert_true(paper_report(3).view_active);
}

/* Orders one request in the same view when that is a stable one: the waits go
 * back. The request after it is the next gap. */
static void let_view_last(pbft_seq seq, pbft_seq *gap)
{
    *gap = seq + 1;
    cluster_run(&cluster, 3 * cluster.config.resend_interval_ms);
    assert_int_equal(paper_executed(3), seq - 1);
    cluster_run(&cluster, 4 * PAPER_TREQ);
    paper_submit_all(seq);
    paper_submit_all(seq + 1);
    cluster_settle(&cluster);
    assert_int_equal(paper_executed(3), seq);
}

/* The wait goes back only when a request is executed that was not before. One
 * that commits behind a gap is not executed. */
static void test_4_5_what_commits_behind_a_gap_ends_no_back_off(void **state)
{
    pbft_seq gap = 1;
    (void)state;
    cluster.filter = lose_commits_of_one;
    cluster.filter_context = &gap;
    paper_submit_all(1);
    cluster_settle(&cluster);
    for (pbft_view view = 0; view < 2; view++) {
        paper_submit_all(view + 2);
        cluster_settle(&cluster);
        assert_true(paper_slot(3, view + 2).committed);
        assert_int_equal(paper_report(3).committed, 0);
        leave_view(view);
        /* The first view had its chance like any other. */
        assert_int_equal(request_wait(3), (view + 1) * PAPER_TREQ);
    }

    let_view_last(4, &gap);
    leave_view(2);
    assert_int_equal(request_wait(1), PAPER_TREQ);
}

/* Nor does what is executed at once in a view that does not last (ours; design:
 * P7): where every vote is needed and some are lost, none may last. */
static void test_4_5_what_is_executed_once_ends_no_back_off(void **state)
{
    pbft_seq gap = 1;
    (void)state;
    cluster.filter = lose_commits_of_one;
    cluster.filter_context = &gap;
    paper_submit_all(1);
    for (pbft_view view = 0; view < 2; view++) {
        cluster_settle(&cluster);
        assert_int_equal(paper_executed(3), view);
        gap = view + 2; /* What the next view begins with is executed. */
        leave_view(view);
        assert_int_equal(paper_executed(3), view + 1);
        paper_submit_all(view + 2);
        cluster_settle(&cluster);
        assert_int_equal(request_wait(3), (view + 1) * PAPER_TREQ);
    }

    let_view_last(4, &gap);
    leave_view(2);
    assert_int_equal(request_wait(1), PAPER_TREQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_5_the_timer_starts_at_2f_1_view_changes),
        PAPER_TEST(test_4_5_each_failed_view_doubles_the_wait),
        PAPER_TEST(test_4_5_the_wait_is_bounded),
        PAPER_TEST(test_4_5_f_1_view_changes_are_joined),
        PAPER_TEST(test_4_5_one_replica_draws_nobody_to_a_higher_view),
        PAPER_TEST(test_4_5_one_faulty_replica_causes_no_view_change),
        PAPER_TEST(test_4_5_f_faulty_primaries_are_followed_by_an_honest_one),
        PAPER_TEST(test_4_5_replicas_meet_in_one_view_again),
        PAPER_TEST(test_4_5_what_commits_behind_a_gap_ends_no_back_off),
        PAPER_TEST(test_4_5_what_is_executed_once_ends_no_back_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
