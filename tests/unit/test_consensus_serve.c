/* SPDX-License-Identifier: Apache-2.0 */
/* What one peer may fetch is bounded, in messages and in bytes: it starves
 * nobody, and it may go on later. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define GREEDY 3
#define BLOCKS 15 /* All of them above the watermark: in memory. */
/* As serve.c has them. */
#define MESSAGES_MAX 1024u
#define BYTES_MAX (32u * 1024u * 1024u)

static struct cluster cluster;
static char payload[1024 * 1024];

static struct {
    size_t messages;
    size_t bytes;
} got;

static bool count_blocks(void *context, const struct cluster_packet *packet)
{
    (void)context;
    if (packet->from == 0 && packet->to == GREEDY &&
        packet->message->type == PBFT_MESSAGE_COMMITTED) {
        got.messages++;
        got.bytes += pbft_message_memory(packet->message);
        return true;
    }
    return packet->to == GREEDY || packet->from == GREEDY;
}

static int setup(void **state)
{
    (void)state;
    memset(&got, 0, sizeof got);
    cluster_init(&cluster, 4);
    cluster.config.checkpoint_interval = BLOCKS + 1;
    cluster.config.window = 2 * (BLOCKS + 1);
    cluster.filter = count_blocks;
    cluster_start(&cluster);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static void make_blocks(size_t size)
{
    memset(payload, 'p', sizeof payload);
    payload[size] = 0;
    for (uint64_t i = 1; i <= BLOCKS; i++) {
        struct pbft_message *request = cast_request(&cluster.cast, i, payload);
        (void)cluster_submit_request(&cluster, 0, request);
        pbft_message_unref(request);
        cluster_run(&cluster, 5);
    }
    assert_int_equal(cluster_report(&cluster, 0).executed, BLOCKS);
}

/* The verdict on the last of `times` questions for all blocks. */
static enum pbft_verdict fetch(uint64_t times)
{
    const struct pbft_origin by = {.sender = GREEDY, .epoch = 1};
    const struct pbft_fetch fields = {
        .kind = PBFT_FETCH_BLOCKS, .seq = 1, .last = BLOCKS};
    enum pbft_verdict verdict = PBFT_ACCEPTED;
    for (uint64_t i = 0; i < times; i++) {
        struct pbft_message *message = pbft_fetch_create(&by, &fields);
        pbft_message_sign(&cluster.cast.replicas[GREEDY].domain, message);
        verdict = cluster_receive(&cluster, 0, message);
        pbft_message_unref(message);
    }
    cluster_run(&cluster, 5);
    return verdict;
}

static void pass_an_interval(void)
{
    cluster_run(&cluster, cluster.config.resend_interval_ms);
    memset(&got, 0, sizeof got);
}

static void test_small_blocks_are_counted(void **state)
{
    (void)state;
    make_blocks(10);
    pass_an_interval();
    assert_int_equal(fetch(1), PBFT_ACCEPTED);
    assert_int_equal(got.messages, BLOCKS);
    assert_int_equal(fetch(MESSAGES_MAX / BLOCKS + 1), PBFT_UNEXPECTED);
    assert_int_equal(got.messages, MESSAGES_MAX);
    pass_an_interval();
    assert_int_equal(fetch(1), PBFT_ACCEPTED);
    assert_int_equal(got.messages, BLOCKS);
}

static void test_large_blocks_are_weighed(void **state)
{
    const size_t size = sizeof payload - 1;
    (void)state;
    make_blocks(size);
    pass_an_interval();
    assert_int_equal(fetch(MESSAGES_MAX / BLOCKS), PBFT_UNEXPECTED);
    assert_true(got.bytes >= BYTES_MAX);
    assert_true(got.bytes < BYTES_MAX + 2 * size); /* The last one is whole. */
    pass_an_interval();
    assert_int_equal(fetch(1), PBFT_ACCEPTED);
    assert_int_equal(got.messages, BLOCKS);
}

static enum pbft_verdict fetch_body(pbft_seq seq)
{
    const struct pbft_origin by = {.sender = GREEDY, .epoch = 1};
    const struct pbft_fetch fields = {
        .kind = PBFT_FETCH_BODY, .seq = seq, .digest = cluster.agreed[seq]};
    struct pbft_message *message = pbft_fetch_create(&by, &fields);
    pbft_message_sign(&cluster.cast.replicas[GREEDY].domain, message);
    enum pbft_verdict verdict = cluster_receive(&cluster, 0, message);
    pbft_message_unref(message);
    return verdict;
}

/* All that is fetched is of one budget, whatever it is called. */
static void test_bodies_are_weighed_as_well(void **state)
{
    size_t count = 0;
    (void)state;
    make_blocks(sizeof payload - 1);
    pass_an_interval();
    while (fetch_body(1 + count % BLOCKS) == PBFT_ACCEPTED) {
        assert_true(++count < MESSAGES_MAX);
    }
    assert_true(count >= BYTES_MAX / sizeof payload);
    assert_true(count <= BYTES_MAX / sizeof payload + 1);
    assert_int_equal(fetch(1), PBFT_UNEXPECTED);
    pass_an_interval();
    assert_int_equal(fetch_body(1), PBFT_ACCEPTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_small_blocks_are_counted),
        TEST(test_large_blocks_are_weighed),
        TEST(test_bodies_are_weighed_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
