/* SPDX-License-Identifier: Apache-2.0 */
/* What one STATUS makes a replica send again (TOCS'02 5.2; design: P9): in
 * order, and no more than there is room for on the way; the rest comes when
 * that was heard. R3 has missed everything, and asks R0, the primary. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/output.h"
#include "consensus/preimage.h"
#include "tests/support/cluster.h"

#define LATE 3
#define LARGE_BLOCKS 12
#define LARGE_BYTES (1000u * 1000u)
#define SMALL_BLOCKS 120
/* As retransmit.c has it. */
#define BYTES_MAX (8u * 1024u * 1024u)

static struct cluster cluster;
static char payload[LARGE_BYTES + 1];

static struct {
    size_t messages;
    size_t bytes;
    pbft_seq blocks;       /* The highest of them. */
    pbft_seq attestations; /* The same. */
    bool is_in_order;
} got;

static bool listen(void *context, const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    (void)context;
    if (packet->from == 0 && packet->to == LATE) {
        got.messages++;
        got.bytes += pbft_message_memory(message);
        if (message->type == PBFT_MESSAGE_COMMITTED) {
            got.is_in_order &= pbft_message_seq(message) == got.blocks + 1;
            got.blocks = pbft_message_seq(message);
        }
        if (message->type == PBFT_MESSAGE_ATTESTATION) {
            got.is_in_order &= pbft_message_seq(message) > got.attestations;
            got.attestations = pbft_message_seq(message);
        }
    }
    return packet->to == LATE || packet->from == LATE;
}

static void start(uint32_t blocks, size_t size)
{
    memset(payload, 'p', sizeof payload);
    payload[size] = 0;
    cluster_init(&cluster, 4);
    cluster.config.checkpoint_interval = blocks + 1;
    cluster.config.window = 2 * (blocks + 1);
    cluster.filter = listen;
    cluster_start(&cluster);
    for (uint64_t i = 1; i <= blocks; i++) {
        struct pbft_message *request = cast_request(&cluster.cast, i, payload);
        (void)cluster_submit_request(&cluster, 0, request);
        pbft_message_unref(request);
        cluster_settle(&cluster);
    }
    assert_int_equal(cluster_report(&cluster, 0).executed, blocks);
    cluster_run(&cluster, 2 * cluster.config.resend_interval_ms);
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

/* LATE has all up to `seq`. */
static void ask(pbft_seq seq)
{
    const struct pbft_origin origin = {.sender = LATE, .epoch = 1};
    const struct pbft_status_report fields = {.view_active = true,
                                              .executed = seq,
                                              .committed_above = seq,
                                              .attested = seq};
    memset(&got, 0, sizeof got);
    got.blocks = seq;
    got.is_in_order = true;
    struct pbft_message *message = pbft_status_create(&origin, &fields);
    pbft_message_sign(&cluster.cast.replicas[LATE].domain, message);
    assert_int_equal(cluster_receive(&cluster, 0, message), PBFT_ACCEPTED);
    pbft_message_unref(message);
}

static void test_large_blocks_come_by_and_by(void **state)
{
    pbft_seq seq = 0;
    uint32_t rounds = 0;
    (void)state;
    start(LARGE_BLOCKS, LARGE_BYTES);
    while (seq < LARGE_BLOCKS) {
        ask(seq);
        assert_true(got.blocks > seq); /* Or it would never end. */
        assert_true(got.bytes <= BYTES_MAX);
        assert_true(got.is_in_order);
        seq = got.blocks;
        /* Attestations follow when the blocks before them are through. */
        assert_true(got.attestations == 0 || seq == LARGE_BLOCKS);
        rounds++;
        cluster_run(&cluster, cluster.config.resend_interval_ms);
    }
    assert_true(rounds >= 2 && rounds <= LARGE_BLOCKS);
}

static void test_small_messages_are_counted(void **state)
{
    pbft_seq seq = 0;
    (void)state;
    start(SMALL_BLOCKS, 1);
    for (uint32_t rounds = 0; seq < SMALL_BLOCKS; rounds++) {
        assert_true(rounds < SMALL_BLOCKS);
        ask(seq);
        assert_true(got.blocks > seq);
        assert_true(got.messages <= PBFT_RESEND_MESSAGES_MAX);
        assert_true(got.is_in_order);
        if (rounds == 0) {
            assert_int_equal(got.messages, PBFT_RESEND_MESSAGES_MAX);
            assert_true(got.blocks < SMALL_BLOCKS);
        }
        seq = got.blocks;
        cluster_run(&cluster, cluster.config.resend_interval_ms);
    }
}

/* It has them all, and lacks the attestations alone. */
static void test_attestations_are_counted_as_well(void **state)
{
    const struct pbft_origin origin = {.sender = LATE, .epoch = 1};
    const uint32_t blocks = PBFT_RESEND_MESSAGES_MAX + 10;
    (void)state;
    start(blocks, 1);
    const struct pbft_status_report fields = {
        .view_active = true, .executed = blocks, .committed_above = blocks};
    memset(&got, 0, sizeof got);
    got.is_in_order = true;
    struct pbft_message *message = pbft_status_create(&origin, &fields);
    pbft_message_sign(&cluster.cast.replicas[LATE].domain, message);
    assert_int_equal(cluster_receive(&cluster, 0, message), PBFT_ACCEPTED);
    pbft_message_unref(message);
    assert_int_equal(got.messages, PBFT_RESEND_MESSAGES_MAX);
    assert_int_equal(got.attestations, PBFT_RESEND_MESSAGES_MAX);
    assert_true(got.is_in_order);
}

/* What was just answered is on its way. */
static void test_a_second_question_at_once_brings_nothing(void **state)
{
    (void)state;
    start(SMALL_BLOCKS, 1);
    ask(0);
    assert_true(got.messages > 0);
    ask(0);
    assert_int_equal(got.messages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_large_blocks_come_by_and_by, clear),
        cmocka_unit_test_teardown(test_small_messages_are_counted, clear),
        cmocka_unit_test_teardown(test_attestations_are_counted_as_well, clear),
        cmocka_unit_test_teardown(test_a_second_question_at_once_brings_nothing,
                                  clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
