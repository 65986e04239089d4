/* SPDX-License-Identifier: Apache-2.0 */
/* Catching up from donors that drag their feet, and after blocks were lost
 * (design: P9, P14). R3 is behind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define LATE 3
#define BLOCKS 60
#define NEAR 8
#define NOBODY UINT32_MAX

static struct cluster cluster;
static uint64_t next_sequence;

/* The first donor is the liar: its blocks wait here. */
static struct {
    pbft_replica_id liar;
    const struct pbft_message *blocks[CLUSTER_BLOCKS_MAX];
    uint32_t count;
    uint32_t delivered;
} drip;

static bool hold_back(void *context, const struct cluster_packet *packet)
{
    (void)context;
    if (packet->to != LATE || packet->message->type != PBFT_MESSAGE_COMMITTED) {
        return false;
    }
    if (drip.liar == NOBODY) {
        drip.liar = packet->from;
    }
    if (packet->from != drip.liar || drip.count == CLUSTER_BLOCKS_MAX) {
        return packet->from == drip.liar;
    }
    drip.blocks[drip.count++] = pbft_message_ref(packet->message);
    return true;
}

static bool lose_blocks(void *context, const struct cluster_packet *packet)
{
    (void)context;
    return packet->to == LATE &&
           packet->message->type == PBFT_MESSAGE_COMMITTED;
}

static void start(pbft_time_ms resend_interval_ms)
{
    next_sequence = 0;
    memset(&drip, 0, sizeof drip);
    drip.liar = NOBODY;
    cluster_init(&cluster, 4);
    cluster.config.request_timeout_ms = 800;
    if (resend_interval_ms != 0) {
        cluster.config.resend_interval_ms = resend_interval_ms;
    }
    cluster_start(&cluster);
}

static int setup(void **state)
{
    (void)state;
    start(0);
    return 0;
}

/* Patient with a donor that is silent. */
static int setup_patient(void **state)
{
    (void)state;
    start(600);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < drip.count; i++) {
        pbft_message_unref(drip.blocks[i]);
    }
    cluster_deinit(&cluster);
    return 0;
}

static void submit(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)cluster_submit(&cluster, 0, ++next_sequence);
        cluster_run(&cluster, 5);
    }
}

static pbft_seq executed_by(pbft_replica_id id)
{
    return cluster_report(&cluster, id).executed;
}

/* One block within each resend interval looks like progress for ever. */
static void test_a_donor_that_drips_is_left(void **state)
{
    const pbft_time_ms timeout = cluster.config.request_timeout_ms;
    const pbft_time_ms pause = cluster.config.resend_interval_ms - 10;
    (void)state;
    cluster_isolate(&cluster, LATE);
    submit(BLOCKS);
    cluster.filter = hold_back;
    cluster_heal(&cluster);
    const pbft_time_ms start = cluster.now;
    while (executed_by(LATE) < BLOCKS && cluster.now - start < 3 * timeout) {
        cluster_run(&cluster, pause);
        if (drip.delivered < drip.count) {
            (void)cluster_receive(&cluster, LATE,
                                  drip.blocks[drip.delivered++]);
        }
    }
    assert_int_not_equal(drip.liar, NOBODY);
    assert_int_equal(executed_by(LATE), BLOCKS);
    /* It needs BLOCKS pauses alone; who is asked next brings the rest. */
    assert_true(cluster.now - start < 2 * timeout);
    assert_true(drip.delivered > 0 && drip.delivered < BLOCKS);
}

/* Each stretch is complete in time, and the others order more meanwhile. */
static void test_a_donor_just_fast_enough_is_left(void **state)
{
    const pbft_time_ms delay = cluster.config.resend_interval_ms - 100;
    pbft_time_ms due[CLUSTER_BLOCKS_MAX];
    (void)state;
    cluster_isolate(&cluster, LATE);
    submit(2 * BLOCKS);
    cluster.filter = hold_back;
    cluster_heal(&cluster);
    const pbft_time_ms start = cluster.now;
    uint32_t seen = 0;
    while (executed_by(LATE) + NEAR < executed_by(0) &&
           cluster.now - start < 5000) {
        submit(1); /* The others go on. */
        for (; seen < drip.count; seen++) {
            due[seen] = cluster.now + delay;
        }
        while (drip.delivered < drip.count &&
               due[drip.delivered] <= cluster.now) {
            (void)cluster_receive(&cluster, LATE,
                                  drip.blocks[drip.delivered++]);
        }
    }
    assert_int_not_equal(drip.liar, NOBODY);
    assert_true(executed_by(LATE) + NEAR >= executed_by(0));
    assert_true(cluster.now - start < 3 * delay);
}

/* A disk that lost blocks below a durable proof, but not the log. Which
 * incarnations are void is not known before they are executed again. */
static void test_who_lost_blocks_votes_when_they_are_back(void **state)
{
    (void)state;
    submit(10);
    cluster_run(&cluster, 300);
    const pbft_seq stable = cluster_report(&cluster, LATE).stable;
    assert_true(stable >= 8);
    cluster_crash(&cluster, LATE);
    struct cluster_node *node = &cluster.nodes[LATE];
    memset(&node->executed, 0, sizeof node->executed);
    cluster.filter = lose_blocks;
    cluster_restart(&cluster, LATE);
    submit(2);
    assert_int_equal(cluster_report(&cluster, LATE).stable, stable);
    assert_int_equal(executed_by(LATE), 0);
    assert_false(cluster_report(&cluster, LATE).may_vote);

    cluster.filter = NULL;
    cluster_run(&cluster, 500);
    assert_true(cluster_report(&cluster, LATE).may_vote);
    assert_int_equal(executed_by(LATE), executed_by(0));
}

/* It could not judge which of the view-changes are void. */
static void test_who_lost_blocks_enters_no_view(void **state)
{
    (void)state;
    submit(10);
    cluster_run(&cluster, 300);
    cluster_crash(&cluster, LATE);
    struct cluster_node *node = &cluster.nodes[LATE];
    memset(&node->executed, 0, sizeof node->executed);
    cluster.filter = lose_blocks;
    for (pbft_replica_id id = 1; id < LATE; id++) {
        (void)cluster_submit(&cluster, id, ++next_sequence);
        (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
    }
    (void)cluster_submit(&cluster, 0, ++next_sequence);
    cluster_run(&cluster, 50);
    assert_int_equal(cluster_report(&cluster, 1).view, 1);
    cluster_restart(&cluster, LATE);
    cluster_run(&cluster, 300);
    assert_int_equal(cluster_report(&cluster, LATE).view, 0);

    cluster.filter = NULL;
    cluster_run(&cluster, 1000);
    assert_int_equal(cluster_report(&cluster, LATE).view, 1);
    assert_true(cluster_report(&cluster, LATE).view_active);
}

/* R2 voted far ahead in view 0 and then, lower, in view 1: the vote that may
 * bind it is the one of view 1. */
static void test_the_vote_of_the_highest_view_is_kept(void **state)
{
    (void)state;
    submit(3);
    const struct pbft_origin origin = {.sender = 2,
                                       .epoch = cluster.cast.keyring.epoch};
    const struct pbft_prepare fields = {0, 9, {{7}}};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    assert_non_null(vote);
    pbft_message_sign(&cluster.cast.replicas[2].domain, vote);
    assert_int_equal(cluster_receive(&cluster, 1, vote), PBFT_ACCEPTED);
    pbft_message_unref(vote);
    const struct pbft_replica *replica = cluster_replica(&cluster, 1);
    assert_int_equal(pbft_message_seq(replica->peers[2].last_vote), 9);

    cluster_crash(&cluster, 0);
    (void)cluster_submit(&cluster, 1, ++next_sequence);
    assert_true(cluster_run_until(&cluster, 4, 5000));
    assert_int_equal(cluster_report(&cluster, 1).view, 1);
    assert_int_equal(pbft_message_view(replica->peers[2].last_vote), 1);
}

/* Who went on to a later view drops it; its sender may have forgotten it. */
static void test_the_last_view_change_is_kept(void **state)
{
    const struct pbft_attestation genesis = {0};
    (void)state;
    const pbft_epoch epoch = cluster.cast.keyring.epoch;
    const struct pbft_origin origin = {.sender = 2, .epoch = epoch};
    struct pbft_message *stable =
        pbft_stable_create(2, epoch, &genesis, NULL, 0);
    struct pbft_message *asked = pbft_view_change_create(
        &cluster.cast.replicas[2].domain, &origin, 1, stable, NULL, 0);
    pbft_message_sign(&cluster.cast.replicas[2].domain, asked);
    assert_int_equal(cluster_receive(&cluster, 1, asked), PBFT_ACCEPTED);
    cluster_isolate(&cluster, 1);
    (void)cluster_submit(&cluster, 1, ++next_sequence);
    (void)cluster_timeout(&cluster, 1, PBFT_TIMER_REQUEST);
    for (pbft_replica_id id = 0; id < 4; id += 3) {
        const struct pbft_origin other = {.sender = id, .epoch = epoch};
        struct pbft_message *later = pbft_view_change_create(
            &cluster.cast.replicas[id].domain, &other, 3, stable, NULL, 0);
        pbft_message_sign(&cluster.cast.replicas[id].domain, later);
        (void)cluster_receive(&cluster, 1, later);
        pbft_message_unref(later);
    }
    const struct pbft_replica *replica = cluster_replica(&cluster, 1);
    assert_int_equal(replica->view, 3);
    assert_null(replica->changes.collected[2]);
    assert_ptr_equal(replica->peers[2].last_view_change, asked);
    pbft_message_unref(asked);
    pbft_message_unref(stable);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Whoever executes slowly keeps as many blocks as it has room for: the others
 * are refused and come again. */
static void test_blocks_wait_for_a_slow_executor(void **state)
{
    const pbft_seq room = PBFT_SYNC_BACKLOG_MAX + PBFT_FETCH_BLOCKS_MAX;
    (void)state;
    cluster_isolate(&cluster, LATE);
    submit(room + 2);
    cluster.nodes[LATE].is_executor_stuck = true;
    for (pbft_seq seq = 1; seq <= room; seq++) {
        assert_int_equal(
            cluster_receive(&cluster, LATE, cluster.nodes[0].blocks[seq]),
            PBFT_ACCEPTED);
    }
    assert_int_equal(
        cluster_receive(&cluster, LATE, cluster.nodes[0].blocks[room + 1]),
        PBFT_UNEXPECTED);
    assert_int_equal(cluster_report(&cluster, LATE).committed, room);

    cluster.nodes[LATE].is_executor_stuck = false;
    cluster_settle(&cluster);
    assert_int_equal(executed_by(LATE), room);
    assert_int_equal(
        cluster_receive(&cluster, LATE, cluster.nodes[0].blocks[room + 1]),
        PBFT_ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_a_donor_that_drips_is_left),
        cmocka_unit_test_setup_teardown(test_a_donor_just_fast_enough_is_left,
                                        setup_patient, teardown),
        ROW(test_who_lost_blocks_votes_when_they_are_back),
        ROW(test_who_lost_blocks_enters_no_view),
        ROW(test_the_vote_of_the_highest_view_is_kept),
        ROW(test_the_last_view_change_is_kept),
        ROW(test_blocks_wait_for_a_slow_executor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
