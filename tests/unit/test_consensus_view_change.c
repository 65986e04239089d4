/* SPDX-License-Identifier: Apache-2.0 */
/* Changing views across replicas (OSDI'99 4.4, 4.5.2): clusters in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

static struct cluster cluster;

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static void start(uint32_t n)
{
    cluster_init(&cluster, n);
    cluster.config.request_timeout_ms = 200;
    cluster.config.view_change_timeout_ms = 200;
    cluster.config.view_change_timeout_max_ms = 3200;
    cluster_start(&cluster);
}

static void submit_to_all(uint64_t sequence)
{
    for (pbft_replica_id id = 0; id < cluster.cast.n; id++) {
        if (cluster.nodes[id].driver != NULL) {
            (void)cluster_submit(&cluster, id, sequence);
        }
    }
}

static void assert_executed(pbft_replica_id id, uint64_t sequence)
{
    assert_true(cluster_count_executed(&cluster, id, sequence) >= 1);
}

static bool drop_commits(void *context, const struct cluster_packet *packet)
{
    (void)context;
    return packet->message->type == PBFT_MESSAGE_COMMIT;
}

static bool drop_commits_and_new_views(void *context,
                                       const struct cluster_packet *packet)
{
    (void)context;
    return packet->message->type == PBFT_MESSAGE_COMMIT ||
           packet->message->type == PBFT_MESSAGE_NEW_VIEW;
}

static bool drop_type(void *context, const struct cluster_packet *packet)
{
    return packet->message->type == *(const enum pbft_message_type *)context;
}

static void test_a_dead_primary_is_replaced(void **state)
{
    static const uint32_t sizes[] = {4, 5, 6, 7};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        start(sizes[i]);
        submit_to_all(1);
        cluster_settle(&cluster);
        cluster_crash(&cluster, 0);

        submit_to_all(2);
        cluster_run(&cluster, 600);

        for (pbft_replica_id id = 1; id < sizes[i]; id++) {
            assert_int_equal(cluster_report(&cluster, id).view, 1);
            assert_true(cluster_report(&cluster, id).view_active);
            assert_executed(id, 2);
        }
        /* The old primary comes back into the new view. */
        cluster_restart(&cluster, 0);
        cluster_run(&cluster, 500);
        assert_int_equal(cluster_report(&cluster, 0).view, 1);
        assert_executed(0, 2);
        submit_to_all(3);
        cluster_run(&cluster, 200);
        assert_executed(0, 3);
        if (i + 1 < sizeof sizes / sizeof sizes[0]) {
            cluster_deinit(&cluster);
        }
    }
}

static void test_two_dead_primaries_in_a_row(void **state)
{
    (void)state;
    start(7);
    cluster_crash(&cluster, 0);
    cluster_crash(&cluster, 1);

    submit_to_all(1);
    cluster_run(&cluster, 1500);

    for (pbft_replica_id id = 2; id < 7; id++) {
        assert_int_equal(cluster_report(&cluster, id).view, 2);
        assert_executed(id, 1);
    }
}

static void test_what_was_prepared_survives(void **state)
{
    (void)state;
    start(4);
    cluster.filter = drop_commits;
    submit_to_all(1);
    submit_to_all(2);
    cluster_settle(&cluster);
    assert_true(cluster_slot(&cluster, 2, 2).prepared);
    const struct pbft_digest first = cluster_slot(&cluster, 1, 1).digest;
    cluster_crash(&cluster, 0);
    cluster.filter = NULL;

    cluster_run(&cluster, 1000);

    for (pbft_replica_id id = 1; id < 4; id++) {
        assert_int_equal(cluster_count_executed(&cluster, id, 1), 1);
        assert_int_equal(cluster_count_executed(&cluster, id, 2), 1);
        assert_memory_equal(&cluster.agreed[1], &first, sizeof first);
    }
}

/* D-04 of the scenario list: view after view fails, the P set is kept. */
static void test_prepared_certificates_outlive_views(void **state)
{
    (void)state;
    start(4);
    cluster.filter = drop_commits;
    submit_to_all(1);
    cluster_settle(&cluster);
    const struct pbft_digest digest = cluster_slot(&cluster, 1, 1).digest;
    cluster.filter = drop_commits_and_new_views;
    /* New-views get lost: replicas climb, each time after Q view-changes. */
    cluster_crash(&cluster, 0);
    cluster_run(&cluster, 3000);
    assert_true(cluster_report(&cluster, 1).view >= 3);
    cluster.filter = NULL;

    assert_true(cluster_run_until(&cluster, 1, 8000));

    assert_memory_equal(&cluster.agreed[1], &digest, sizeof digest);
}

static void test_gaps_become_null_batches(void **state)
{
    enum pbft_message_type lost = PBFT_MESSAGE_PRE_PREPARE;
    (void)state;
    start(4);
    cluster.filter = drop_type;
    cluster.filter_context = &lost;
    (void)cluster_submit(&cluster, 0, 1); /* Seq 1 reaches nobody. */
    cluster.filter = drop_commits;
    (void)cluster_submit(&cluster, 0, 2); /* Seq 2 is prepared. */
    cluster_settle(&cluster);
    assert_true(cluster_slot(&cluster, 1, 2).prepared);
    cluster.filter = NULL;
    cluster_crash(&cluster, 0);
    submit_to_all(3);

    cluster_run(&cluster, 1000);

    for (pbft_replica_id id = 1; id < 4; id++) {
        const struct pbft_message *block = cluster.nodes[id].blocks[1];
        assert_non_null(block);
        assert_int_equal(
            block->committed.pre_prepare->pre_prepare.body->batch.request_count,
            0);
        assert_int_equal(cluster_count_executed(&cluster, id, 2), 1);
        assert_int_equal(cluster_count_executed(&cluster, id, 3), 1);
    }
}

/* Too late for the commit and too early for the service to know it: nobody will
 * order it again, and nobody waits for that. */
static void test_a_relay_before_the_execution_deposes_nobody(void **state)
{
    (void)state;
    start(4);
    struct pbft_message *request = cast_request(&cluster.cast, 1, "p");
    struct pbft_message *relayed = pbft_message_handed_over(request, 1);
    cluster.nodes[2].is_executor_stuck = true;
    (void)cluster_submit_request(&cluster, 1, request);
    cluster_settle(&cluster);
    assert_int_equal(cluster_report(&cluster, 2).committed, 1);
    assert_int_equal(cluster_report(&cluster, 2).executed, 0);

    assert_int_equal(cluster_receive(&cluster, 2, relayed), PBFT_ACCEPTED);
    cluster.nodes[2].is_executor_stuck = false;
    cluster_settle(&cluster);
    assert_int_equal(cluster_report(&cluster, 2).pending_requests, 0);
    cluster_run(&cluster, 3 * cluster.config.request_timeout_ms);
    assert_int_equal(cluster_report(&cluster, 2).view, 0);
    pbft_message_unref(relayed);
    pbft_message_unref(request);
}

/* The same for a block that was fetched, far beyond the window: it has no slot.
 */
static void test_a_relay_beyond_the_window_deposes_nobody(void **state)
{
    (void)state;
    start(4);
    struct pbft_message *request = cast_request(&cluster.cast, 100, "p");
    struct pbft_message *relayed = pbft_message_handed_over(request, 1);
    cluster_isolate(&cluster, 3);
    for (uint64_t i = 1; i <= 40; i++) {
        (void)cluster_submit(&cluster, 1, i);
        cluster_settle(&cluster);
    }
    (void)cluster_submit_request(&cluster, 1, request); /* Block 41. */
    cluster_settle(&cluster);
    cluster_heal(&cluster);
    cluster.nodes[3].is_executor_stuck = true;
    cluster_run(&cluster, 500);
    assert_int_equal(cluster_report(&cluster, 3).committed, 41);
    assert_int_equal(cluster_report(&cluster, 3).executed, 0);

    assert_int_equal(cluster_receive(&cluster, 3, relayed), PBFT_ACCEPTED);
    cluster.nodes[3].is_executor_stuck = false;
    cluster_settle(&cluster);
    assert_int_equal(cluster_report(&cluster, 3).executed, 41);
    assert_int_equal(cluster_report(&cluster, 3).pending_requests, 0);
    pbft_message_unref(relayed);
    pbft_message_unref(request);
}

static void test_a_lone_replica_does_not_climb(void **state)
{
    (void)state;
    start(4);
    /* R3 hears nobody, but is heard. */
    for (pbft_replica_id id = 0; id < 3; id++) {
        pbft_set_add(&cluster.cut[id], 3);
    }
    (void)cluster_submit(&cluster, 3, 1);
    cluster_run(&cluster, 5000);

    assert_int_equal(cluster_report(&cluster, 3).view, 1);
    assert_false(cluster_report(&cluster, 3).view_active);
    for (pbft_replica_id id = 0; id < 3; id++) {
        assert_int_equal(cluster_report(&cluster, id).view, 0);
        assert_executed(id, 1);
    }

    /* Healed, it executes at the tip though it is between views. */
    cluster_heal(&cluster);
    submit_to_all(2);
    cluster_run(&cluster, 1000);
    assert_executed(3, 2);
    assert_int_equal(cluster_report(&cluster, 0).view, 0);

    /* And the next view forms at once when it is needed. */
    cluster_crash(&cluster, 0);
    submit_to_all(3);
    cluster_run(&cluster, 600);
    for (pbft_replica_id id = 1; id < 4; id++) {
        assert_executed(id, 3);
        assert_int_equal(cluster_report(&cluster, id).view, 1);
    }
}

/* D-16: only R0 reaches the others; no view-change quorum but at R0. */
static void test_view_changes_are_sent_again(void **state)
{
    (void)state;
    start(4);
    for (pbft_replica_id id = 1; id < 4; id++) {
        for (pbft_replica_id other = 1; other < 4; other++) {
            if (id != other) {
                pbft_set_add(&cluster.cut[id], other);
            }
        }
    }
    submit_to_all(1);
    cluster_run(&cluster, 3000);
    cluster_heal(&cluster);

    cluster_run(&cluster, 4000);

    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_executed(id, 1);
    }
}

static void test_a_far_view_moves_nobody(void **state)
{
    (void)state;
    start(4);
    static const uint64_t views[] = {7, UINT64_C(1) << 31, UINT64_C(1) << 63,
                                     UINT64_MAX};
    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    const pbft_replica_id nobody[] = {0};
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, nobody, 0);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        struct pbft_message *message =
            pbft_view_change_create(&cluster.cast.replicas[3].domain, &origin,
                                    views[i], stable, NULL, 0);
        pbft_message_sign(&cluster.cast.replicas[3].domain, message);
        assert_int_equal(cluster_receive(&cluster, 1, message), PBFT_ACCEPTED);
        assert_int_equal(cluster_receive(&cluster, 1, message), PBFT_DUPLICATE);
        pbft_message_unref(message);
    }
    pbft_message_unref(stable);

    submit_to_all(1);
    cluster_settle(&cluster);
    assert_int_equal(cluster_report(&cluster, 1).view, 0);
    assert_executed(1, 1);
}

static void test_the_view_survives_a_power_loss(void **state)
{
    (void)state;
    start(4);
    cluster_crash(&cluster, 0);
    submit_to_all(1);
    cluster_run(&cluster, 600);
    for (pbft_replica_id id = 1; id < 4; id++) {
        cluster_crash(&cluster, id);
    }

    for (pbft_replica_id id = 1; id < 4; id++) {
        cluster_restart(&cluster, id);
        assert_int_equal(cluster_report(&cluster, id).view, 1);
    }
    cluster_run(&cluster, 500);
    submit_to_all(2);
    cluster_run(&cluster, 500);

    for (pbft_replica_id id = 1; id < 4; id++) {
        assert_int_equal(cluster_report(&cluster, id).view, 1);
        assert_executed(id, 2);
    }
}

static void
test_a_replica_between_views_stays_there_after_a_restart(void **state)
{
    (void)state;
    start(4);
    cluster_isolate(&cluster, 3);
    (void)cluster_submit(&cluster, 3, 1);
    cluster_run(&cluster, 500);
    assert_int_equal(cluster_report(&cluster, 3).view, 1);

    cluster_crash(&cluster, 3);
    cluster_restart(&cluster, 3);

    /* It promised not to vote in view 0 any more. */
    assert_int_equal(cluster_report(&cluster, 3).view, 1);
    assert_false(cluster_report(&cluster, 3).view_active);
}

static void test_a_replica_behind_a_checkpoint_enters_the_view(void **state)
{
    (void)state;
    start(4);
    cluster_isolate(&cluster, 3);
    for (uint64_t i = 1; i <= 60; i++) {
        (void)cluster_submit(&cluster, 1, i);
        cluster_settle(&cluster);
    }
    cluster_heal(&cluster);
    cluster_drop_packets(&cluster);
    cluster_crash(&cluster, 0); /* R3 is needed now, and 60 blocks behind. */
    submit_to_all(61);

    cluster_run(&cluster, 3000);

    for (pbft_replica_id id = 1; id < 4; id++) {
        assert_executed(id, 61);
        assert_int_equal(cluster_report(&cluster, id).stable,
                         cluster_report(&cluster, 1).stable);
    }
}

static void test_views_change_under_random_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        start(seed % 3 == 0 ? 7 : 4);
        cluster.random = seed;
        cluster.loss_percent = 15;
        for (uint64_t i = 1; i <= 40; i++) {
            (void)cluster_submit(
                &cluster, (pbft_replica_id)(1 + i % (cluster.cast.n - 1)), i);
            if (i == 10) {
                cluster_crash(&cluster, 0);
            }
            cluster_run(&cluster, 5);
        }
        cluster.loss_percent = 0;
        cluster_run(&cluster, 8000);

        for (pbft_replica_id id = 1; id < cluster.cast.n; id++) {
            for (uint64_t i = 1; i <= 40; i++) {
                assert_executed(id, i);
            }
            assert_int_equal(cluster.nodes[id].executed.seq,
                             cluster.nodes[1].executed.seq);
        }
        if (seed < 30) {
            cluster_deinit(&cluster);
        }
    }
}

static void test_crashes_and_restarts_at_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        start(4);
        cluster.random = seed * 77;
        cluster.loss_percent = 5;
        for (uint64_t i = 1; i <= 120; i++) {
            const pbft_replica_id id = (pbft_replica_id)((i * seed / 8) % 4);
            for (pbft_replica_id to = 0; to < 4; to++) {
                if (cluster.nodes[to].driver != NULL) {
                    (void)cluster_submit(&cluster, to, i);
                    break;
                }
            }
            cluster_run(&cluster, 4);
            if (i % 8 == 0) {
                cluster.nodes[id].is_disk_stuck = true;
                cluster_run(&cluster, 2);
                cluster_crash(&cluster, id);
                cluster_run(&cluster, 20);
                cluster_restart(&cluster, id);
            }
        }
        cluster.loss_percent = 0;
        cluster_run(&cluster, 8000);

        const pbft_seq tip = cluster.nodes[0].executed.seq;
        for (pbft_replica_id id = 0; id < 4; id++) {
            assert_int_equal(cluster.nodes[id].executed.seq, tip);
            assert_int_not_equal(cluster_report(&cluster, id).condition,
                                 PBFT_CONDITION_RECOVERING);
            assert_true(cluster_report(&cluster, id).may_vote);
        }
        submit_to_all(1000);
        cluster_run(&cluster, 1000);
        assert_executed(3, 1000);
        if (seed < 30) {
            cluster_deinit(&cluster);
        }
    }
}

static struct pbft_message *
plain_view_change(pbft_replica_id signer, pbft_view view, uint64_t incarnation)
{
    const struct pbft_origin origin = {
        .sender = signer, .epoch = 1, .incarnation = incarnation};
    const struct pbft_domain *domain = &cluster.cast.replicas[signer].domain;
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    struct pbft_message *made =
        pbft_view_change_create(domain, &origin, view, stable, NULL, 0);
    pbft_message_sign(domain, made);
    pbft_message_unref(stable);
    return made;
}

static enum pbft_verdict hear_view_change(pbft_replica_id to,
                                          struct pbft_message *message)
{
    assert_int_equal(
        pbft_verify(&cluster.cast.verifier, message->sender, message), PBFT_OK);
    enum pbft_verdict verdict = cluster_receive(&cluster, to, message);
    pbft_message_unref(message);
    return verdict;
}

/* More than f liars can bring all to the last view that there is. It does not
 * begin again at 0, where other things were promised. */
static void test_after_the_last_view_there_is_none(void **state)
{
    (void)state;
    start(4);
    cluster_crash(&cluster, 0);
    cluster_crash(&cluster, 2);
    for (pbft_replica_id to = 1; to < 4; to += 2) {
        (void)hear_view_change(to, plain_view_change(0, UINT64_MAX, 0));
        (void)hear_view_change(to, plain_view_change(2, UINT64_MAX, 0));
        assert_true(cluster_report(&cluster, to).view == UINT64_MAX);
    }
    (void)cluster_timeout(&cluster, 1, PBFT_TIMER_VIEW);
    assert_true(cluster_report(&cluster, 1).view == UINT64_MAX);
    assert_false(cluster_report(&cluster, 1).view_active);

    cluster_settle(&cluster); /* R3 opens it. */
    assert_true(cluster_report(&cluster, 1).view_active);
    cluster_crash(&cluster, 3);
    (void)cluster_submit(&cluster, 1, 1);
    (void)cluster_timeout(&cluster, 1, PBFT_TIMER_REQUEST);
    assert_true(cluster_report(&cluster, 1).view == UINT64_MAX);
    assert_true(cluster_report(&cluster, 1).view_active);
}

/* Who must not vote asks for no view either; nor does who has asked already. */
static void test_who_does_not_vote_does_not_complain(void **state)
{
    (void)state;
    start(4);
    cluster_isolate(&cluster, 2);
    (void)cluster_submit(&cluster, 2, 1);
    (void)cluster_timeout(&cluster, 2, PBFT_TIMER_REQUEST);
    assert_int_equal(cluster_report(&cluster, 2).view, 1);
    (void)cluster_timeout(&cluster, 2, PBFT_TIMER_REQUEST);
    assert_int_equal(cluster_report(&cluster, 2).view, 1);

    cluster_isolate(&cluster, 3);
    cluster_crash(&cluster, 3);
    cluster_restart(&cluster, 3);
    assert_false(cluster_report(&cluster, 3).may_vote);
    (void)cluster_submit(&cluster, 3, 1);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_REQUEST);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_VIEW);
    assert_int_equal(cluster_report(&cluster, 3).view, 0);
    assert_true(cluster_report(&cluster, 3).view_active);
}

/* Whoever lost its log speaks again, and means it: the word of its earlier life
 * makes place, and does not come back. */
static void test_the_view_change_of_the_later_incarnation_stands(void **state)
{
    (void)state;
    start(4);
    assert_int_equal(hear_view_change(1, plain_view_change(3, 5, 0)),
                     PBFT_ACCEPTED);
    assert_int_equal(hear_view_change(1, plain_view_change(3, 5, 1)),
                     PBFT_ACCEPTED);
    assert_int_equal(hear_view_change(1, plain_view_change(3, 5, 1)),
                     PBFT_DUPLICATE);
    assert_int_equal(hear_view_change(1, plain_view_change(3, 5, 0)),
                     PBFT_CONFLICTING);
    assert_int_equal(
        cluster_replica(&cluster, 1)->changes.ahead[3]->incarnation, 1);
    assert_int_equal(cluster_report(&cluster, 1).view, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_dead_primary_is_replaced, clear),
        cmocka_unit_test_teardown(test_two_dead_primaries_in_a_row, clear),
        cmocka_unit_test_teardown(test_what_was_prepared_survives, clear),
        cmocka_unit_test_teardown(test_prepared_certificates_outlive_views,
                                  clear),
        cmocka_unit_test_teardown(test_gaps_become_null_batches, clear),
        cmocka_unit_test_teardown(
            test_a_relay_before_the_execution_deposes_nobody, clear),
        cmocka_unit_test_teardown(test_a_relay_beyond_the_window_deposes_nobody,
                                  clear),
        cmocka_unit_test_teardown(test_a_lone_replica_does_not_climb, clear),
        cmocka_unit_test_teardown(test_view_changes_are_sent_again, clear),
        cmocka_unit_test_teardown(test_a_far_view_moves_nobody, clear),
        cmocka_unit_test_teardown(test_the_view_survives_a_power_loss, clear),
        cmocka_unit_test_teardown(
            test_a_replica_between_views_stays_there_after_a_restart, clear),
        cmocka_unit_test_teardown(
            test_a_replica_behind_a_checkpoint_enters_the_view, clear),
        cmocka_unit_test_teardown(test_views_change_under_random_loss, clear),
        cmocka_unit_test_teardown(test_crashes_and_restarts_at_random, clear),
        cmocka_unit_test_teardown(test_after_the_last_view_there_is_none,
                                  clear),
        cmocka_unit_test_teardown(test_who_does_not_vote_does_not_complain,
                                  clear),
        cmocka_unit_test_teardown(
            test_the_view_change_of_the_later_incarnation_stands, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
