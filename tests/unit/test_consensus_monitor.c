/* SPDX-License-Identifier: Apache-2.0 */
/* Slow, silent and partial primaries are replaced; honest ones are not (design:
 * P8, P18). A slow primary is one to which requests come late: from outside
 * there is no difference. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define TREQ 400
#define PERIOD 400
#define SLOW (TREQ * 9 / 10)
#define WALL_START_US UINT64_C(1700000000000000)
#define HELD_MAX 4096

static struct cluster cluster;

/* Requests on their way to R0. */
static struct held {
    pbft_time_ms due;
    pbft_replica_id from;
    const struct pbft_message *message;
} held[HELD_MAX];
static size_t held_count;
static pbft_time_ms delay;   /* 0: R0 is as quick as any. */
static int slow_institution; /* -1: all are served badly. */
static bool is_mute;         /* R0 says nothing. */
static pbft_replica_id withheld_from = UINT32_MAX; /* R3 tells it nothing. */

static bool is_slow_for(const struct pbft_message *message)
{
    return slow_institution < 0 ||
           message->request.institution.bytes[0] == slow_institution;
}

static bool filter(void *context, const struct cluster_packet *packet)
{
    (void)context;
    if (is_mute && packet->from == 0) {
        return true;
    }
    if (packet->message->type != PBFT_MESSAGE_REQUEST) {
        return false;
    }
    if (packet->from == 3 && packet->to == withheld_from) {
        return true;
    }
    if (packet->to != 0 || delay == 0 || !is_slow_for(packet->message)) {
        return false;
    }
    assert_true(held_count < HELD_MAX);
    held[held_count++] = (struct held){cluster.now + delay, packet->from,
                                       pbft_message_ref(packet->message)};
    return true;
}

static void deliver_held(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < held_count; i++) {
        if (held[i].due > cluster.now) {
            held[kept++] = held[i];
            continue;
        }
        (void)cluster_receive(&cluster, 0, held[i].message);
        pbft_message_unref(held[i].message);
    }
    held_count = kept;
}

static void run(pbft_time_ms duration)
{
    for (pbft_time_ms i = 0; i < duration; i++) {
        cluster_run(&cluster, 1);
        deliver_held();
    }
}

static int start_with(uint32_t n)
{
    delay = 0;
    slow_institution = -1;
    is_mute = false;
    withheld_from = UINT32_MAX;
    held_count = 0;
    cluster_init(&cluster, n);
    cluster.config.request_timeout_ms = TREQ;
    cluster.config.view_change_timeout_ms = TREQ;
    cluster.config.monitor_interval_ms = PERIOD;
    cluster.config.heartbeat_interval_ms = 100;
    cluster.filter = filter;
    return 0;
}

static int start(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster_start(&cluster);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < held_count; i++) {
        pbft_message_unref(held[i].message);
    }
    cluster_deinit(&cluster);
    return 0;
}

/* A request of an institution, handed to `to`. */
static void submit(pbft_replica_id to, uint64_t sequence, uint8_t institution)
{
    struct pbft_message *like = cast_request(&cluster.cast, sequence, "p");
    struct pbft_request fields = like->request;
    fields.institution.bytes[0] = institution;
    struct pbft_message *request = pbft_request_create(
        &cluster.cast.client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    pbft_message_sign(&cluster.cast.client.domain, request);
    (void)cluster_submit_request(&cluster, to, request);
    pbft_message_unref(request);
    pbft_message_unref(like);
}

/* One request every `gap`, to R1, R2, R3 in turn, for `duration`. */
static void load(uint64_t first, pbft_time_ms duration, pbft_time_ms gap)
{
    for (pbft_time_ms at = 0; at < duration; at += gap) {
        submit(1 + (pbft_replica_id)(first % 3), first, (uint8_t)(first % 3));
        first++;
        run(gap);
    }
}

static pbft_view view_of(pbft_replica_id id)
{
    return cluster_report(&cluster, id).view;
}

static void test_an_honest_primary_stays_at_any_load(void **state)
{
    static const pbft_time_ms gaps[] = {1, 3, 40, 397, 1500};
    uint64_t first = 1;
    (void)state;
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        load(first, 1200 + 4 * gaps[i], gaps[i]);
        first += 10000;
        run(3 * PERIOD); /* And after it was idle. */
        assert_int_equal(view_of(1), 0);
    }
}

/* More than its batches hold: the rest waits, and for a reason. */
static void test_an_overloaded_primary_stays(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster.config.batch_requests_max = 1;
    cluster_start(&cluster);
    uint64_t sequence = 1;
    for (int burst = 0; burst < 40; burst++) {
        for (int i = 0; i < 60; i++) {
            submit(1 + (pbft_replica_id)(i % 3), sequence++, (uint8_t)(i % 5));
        }
        run(50);
    }
    run(2 * PERIOD);
    assert_int_equal(view_of(1), 0);
}

/* Rounds of 100 ms. Nothing leaves for `stall` of them, at any replica, just
 * when requests come; every tenth is a good one. */
static void stall_together(uint32_t rounds, pbft_time_ms stall)
{
    static uint64_t sequence;
    assert_true(stall < 100);
    for (uint32_t round = 0; round < rounds; round++) {
        for (pbft_replica_id id = 0; id < 4; id++) {
            cluster.nodes[id].is_disk_stuck = round % 10 != 0;
        }
        for (int i = 0; i < 9; i++) {
            sequence++;
            submit(1 + (pbft_replica_id)(i % 3), sequence, (uint8_t)(i % 3));
        }
        run(stall);
        for (pbft_replica_id id = 0; id < 4; id++) {
            cluster.nodes[id].is_disk_stuck = false;
            (void)cluster_timeout(&cluster, id, PBFT_TIMER_STATUS);
        }
        run(100 - stall);
    }
}

/* Almost a resend interval, again and again: not the primary's fault. */
static void test_slow_disks_depose_nobody(void **state)
{
    (void)state;
    stall_together(80, 45);
    assert_true(cluster_report(&cluster, 1).executed > 20);
    assert_int_equal(view_of(1), 0);
    assert_int_equal(view_of(3), 0);
}

/* More than that cannot be told from a primary that lets requests lie:
 * agreement itself takes no time in such a world. So an honest one is deposed,
 * but then patience suffices for longer and longer: 5 views in 100 periods,
 * not 10. */
static void test_slower_disks_depose_more_and_more_rarely(void **state)
{
    (void)state;
    const struct pbft_config *config = &cluster.config;
    stall_together(400,
                   config->resend_interval_ms + config->batch_delay_ms + 5);
    assert_true(cluster_report(&cluster, 1).executed > 20);
    assert_in_range(view_of(1), 1, 6);
}

static void test_a_lossy_network_deposes_nobody_for_long(void **state)
{
    (void)state;
    cluster.random = 7;
    cluster.loss_percent = 2;
    load(1, 20000, 20);
    assert_true(view_of(1) <= 1);
}

static void test_a_slow_primary_is_replaced(void **state)
{
    (void)state;
    delay = SLOW;
    load(1, 3 * PERIOD, 20);
    assert_true(view_of(1) >= 1);
    assert_true(view_of(2) >= 1);
    delay = 0;
    run(TREQ);
    assert_true(cluster_report(&cluster, 1).view_active);
}

/* Few requests, one after the other. */
static void test_a_slow_primary_is_replaced_at_low_load(void **state)
{
    (void)state;
    delay = SLOW;
    load(1, 3 * PERIOD, 370);
    assert_true(view_of(1) >= 1);
}

/* Fast for a while, then slow: two slow periods are enough. */
static void test_a_pulsing_primary_is_replaced(void **state)
{
    uint64_t first = 1;
    pbft_time_ms slow = 0;
    (void)state;
    while (view_of(1) == 0 && slow < 3 * PERIOD) {
        delay = 0;
        load(first, PERIOD / 2, 20);
        delay = SLOW;
        load(first + 500, PERIOD, 20);
        slow += PERIOD;
        first += 1000;
    }
    assert_true(view_of(1) >= 1);
}

/* D-25: slow for one hospital alone; the others are served at once. */
static void test_a_primary_slow_for_one_institution_is_replaced(void **state)
{
    (void)state;
    delay = SLOW;
    slow_institution = 2;
    load(1, 3 * PERIOD, 10);
    assert_true(view_of(1) >= 1);
}

/* Only R3 is served badly, and only R3 says so: nobody follows. */
static void test_one_complaint_moves_nobody(void **state)
{
    (void)state;
    submit(3, 1, 1);
    run(10);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_MONITOR);
    struct pbft_replica *replica =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, 3);
    replica->monitor.suspicion = PBFT_SUSPICION_MAX;
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_MONITOR);
    assert_int_equal(view_of(3), 1);
    load(10, 10 * PERIOD, 20);
    assert_int_equal(view_of(0), 0);
    assert_int_equal(view_of(1), 0);
    assert_int_equal(view_of(2), 0);
    assert_int_equal(view_of(3), 1); /* And it does not climb. */
}

/* Who complained alone votes no more in the view that it has left. If somebody
 * else fails, so that it is missed, the request timers of the others bring all
 * of them together again. */
static void test_who_complained_alone_is_back_when_needed(void **state)
{
    (void)state;
    struct pbft_replica *replica =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, 3);
    replica->monitor.suspicion = PBFT_SUSPICION_MAX;
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_MONITOR);
    assert_int_equal(view_of(3), 1);
    load(1, PERIOD, 20);
    const pbft_seq before = cluster_report(&cluster, 0).executed;
    assert_true(before > 0);
    cluster_crash(&cluster, 2);
    submit(1, 1000, 1);
    run(TREQ + 100);
    for (pbft_replica_id id = 0; id < 4; id++) {
        if (id != 2) {
            assert_true(cluster_report(&cluster, id).view_active);
            assert_int_equal(view_of(id), 1);
            assert_int_equal(cluster_count_executed(&cluster, id, 1000), 1);
        }
    }
}

/* R3 gives requests to all but the primary: whoever judges tells it first. */
static void test_withholding_requests_deposes_nobody(void **state)
{
    (void)state;
    withheld_from = 0;
    for (uint64_t i = 1; i <= 60; i++) {
        struct pbft_message *request = cast_request(&cluster.cast, i, "p");
        struct pbft_message *relayed = pbft_message_handed_over(request, 3);
        (void)cluster_receive(&cluster, 1, relayed);
        (void)cluster_receive(&cluster, 2, relayed);
        pbft_message_unref(relayed);
        pbft_message_unref(request);
        run(50);
    }
    assert_int_equal(view_of(1), 0);
    assert_int_equal(cluster_count_executed(&cluster, 1, 60), 1);
}

/* Nobody asks for anything, and it is gone. */
static void test_a_silent_primary_is_replaced_when_idle(void **state)
{
    (void)state;
    run(2 * PERIOD);
    assert_int_equal(view_of(1), 0);
    is_mute = true;
    run(3 * PERIOD + 50);
    assert_int_equal(view_of(1), 1);
    assert_true(cluster_report(&cluster, 1).view_active);
}

/* Who hears nobody is to blame itself. */
static void test_an_isolated_backup_blames_nobody(void **state)
{
    (void)state;
    cluster_isolate(&cluster, 2);
    run(10 * PERIOD);
    assert_int_equal(view_of(2), 0);
}

/* Complaints that bring nothing make patient; good service makes trustful. */
static void test_patience_grows_with_complaints(void **state)
{
    (void)state;
    delay = SLOW;
    load(1, 3 * PERIOD, 20);
    assert_true(view_of(2) >= 1);
    assert_int_equal(cluster_replica(&cluster, 2)->monitor.doublings, 1);
    delay = 0;
    load(5000, 2 * PBFT_MONITOR_FORGIVE_AFTER * PERIOD, 20);
    assert_int_equal(cluster_replica(&cluster, 2)->monitor.doublings, 0);
}

/* With the monitor off a slow primary stays. */
static void test_off_is_off(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster.config.monitor_interval_ms = 0;
    cluster_start(&cluster);
    delay = SLOW;
    load(1, 6 * PERIOD, 370);
    assert_int_equal(view_of(1), 0);
}

/* P18: an idle ledger, an obligation: one empty block when it is due. */
static void test_an_obligation_gets_an_empty_block(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster.due = WALL_START_US + (cluster.now + 700) * 1000;
    cluster_start(&cluster);
    run(690);
    assert_int_equal(cluster.nodes[1].executed.seq, 0);
    run(50);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster.nodes[id].executed.seq, 1);
        assert_true(cluster.nodes[id].executed.block_time >= cluster.due);
    }
    run(5 * PERIOD);
    assert_int_equal(cluster.nodes[1].executed.seq, 1);
    assert_int_equal(view_of(1), 0);
}

/* The primary does not see to it: the others do, once. */
static void test_a_primary_that_forgets_obligations_is_replaced(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster.config.time_bound_us = 100000;
    cluster.due = WALL_START_US + (cluster.now + 100) * 1000;
    cluster_start(&cluster);
    struct pbft_replica *primary =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, 0);
    primary->proposed_due = cluster.due;
    run(10 * PERIOD);
    assert_int_equal(view_of(1), 1);
    assert_true(cluster.nodes[1].executed.seq >= 1);
}

/* A request comes first: its block is not the one that is owed. */
static void test_a_block_before_it_is_due_pays_no_obligation(void **state)
{
    (void)state;
    (void)start_with(4);
    cluster.due = WALL_START_US + (cluster.now + 700) * 1000;
    cluster_start(&cluster);
    run(100);
    (void)cluster_submit(&cluster, 0, 1);
    run(200);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster.nodes[id].executed.seq, 1);
        assert_true(cluster.nodes[id].executed.block_time < cluster.due);
    }
    run(500);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster.nodes[id].executed.seq, 2);
        assert_true(cluster.nodes[id].executed.block_time >= cluster.due);
    }
}

/* The wall clock may be set meanwhile: the primary looks again each minute. */
static void test_a_far_obligation_is_looked_at_again(void **state)
{
    const pbft_time_ms minute = 60000;
    (void)state;
    (void)start_with(4);
    cluster.due = WALL_START_US + (cluster.now + 60 * minute) * 1000;
    cluster_start(&cluster);
    assert_int_equal(
        pbft_timer_deadline(cluster_replica(&cluster, 0), PBFT_TIMER_BATCH),
        cluster.now + minute);
    (void)cluster_timeout(&cluster, 0, PBFT_TIMER_BATCH);
    assert_int_equal(cluster.nodes[0].executed.seq, 0);
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].wall_offset_us = 3600 * UINT64_C(1000000);
    }
    (void)cluster_timeout(&cluster, 0, PBFT_TIMER_BATCH);
    cluster_settle(&cluster);
    assert_int_equal(cluster.nodes[0].executed.seq, 1);
    assert_true(cluster.nodes[0].executed.block_time >= cluster.due);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
#define TEST_BARE(name) cmocka_unit_test_setup_teardown(name, NULL, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_an_honest_primary_stays_at_any_load),
        TEST_BARE(test_an_overloaded_primary_stays),
        TEST(test_slow_disks_depose_nobody),
        TEST(test_slower_disks_depose_more_and_more_rarely),
        TEST(test_a_lossy_network_deposes_nobody_for_long),
        TEST(test_a_slow_primary_is_replaced),
        TEST(test_a_slow_primary_is_replaced_at_low_load),
        TEST(test_a_pulsing_primary_is_replaced),
        TEST(test_a_primary_slow_for_one_institution_is_replaced),
        TEST(test_one_complaint_moves_nobody),
        TEST(test_who_complained_alone_is_back_when_needed),
        TEST(test_withholding_requests_deposes_nobody),
        TEST(test_a_silent_primary_is_replaced_when_idle),
        TEST(test_an_isolated_backup_blames_nobody),
        TEST(test_patience_grows_with_complaints),
        TEST_BARE(test_off_is_off),
        TEST_BARE(test_an_obligation_gets_an_empty_block),
        TEST_BARE(test_a_primary_that_forgets_obligations_is_replaced),
        TEST_BARE(test_a_block_before_it_is_due_pays_no_obligation),
        TEST_BARE(test_a_far_obligation_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
