/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes carry many messages to one peer, and refuse everything else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/consensus.pb-c.h"

static const struct pbft_digest cluster = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};
static struct wire_buffer buffer;

static struct pbft_bytes bytes_of(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static void fill(pbft_replica_id sender, uint32_t count)
{
    uint32_t held = 0;
    wire_buffer_reset(&buffer);
    wire_envelope_begin(&buffer, &cluster, sender);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(wire_envelope_add(&buffer, bytes_of("message"), &held),
                         PBFT_OK);
    }
    assert_int_equal(held, count);
}

static void test_envelope_round_trip(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    struct pbft_bytes message;
    uint32_t held = 0;
    wire_buffer_reset(&buffer);
    wire_envelope_begin(&buffer, &cluster, 3);
    assert_int_equal(wire_envelope_add(&buffer, bytes_of("one"), &held),
                     PBFT_OK);
    assert_int_equal(wire_envelope_add(&buffer, bytes_of("two!"), &held),
                     PBFT_OK);

    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);

    assert_int_equal(envelope.sender, 3);
    assert_int_equal(envelope.message_count, 2);
    assert_true(wire_envelope_next(&envelope, &message));
    assert_int_equal(message.size, 3);
    assert_memory_equal(message.data, "one", 3);
    assert_true(wire_envelope_next(&envelope, &message));
    assert_memory_equal(message.data, "two!", 4);
    assert_false(wire_envelope_next(&envelope, &message));
    assert_false(wire_envelope_next(&envelope, &message));
}

static void test_envelope_carries_deliveries_behind_messages(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    struct pbft_bytes bytes;
    uint32_t held = 0;
    fill(2, 1);
    assert_int_equal(
        wire_envelope_add_delivery(&buffer, bytes_of("parcel"), &held),
        PBFT_OK);
    assert_int_equal(held, 1);

    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);

    assert_int_equal(envelope.message_count, 1);
    assert_true(wire_envelope_next_delivery(&envelope, &bytes));
    assert_int_equal(bytes.size, 6);
    assert_memory_equal(bytes.data, "parcel", 6);
    assert_false(wire_envelope_next_delivery(&envelope, &bytes));
    assert_true(wire_envelope_next(&envelope, &bytes));
    assert_int_equal(bytes.size, 7);
    assert_false(wire_envelope_next(&envelope, &bytes));
}

static void test_envelope_bounds_deliveries(void **state)
{
    (void)state;
    static const uint8_t zeros[WIRE_DELIVERY_BYTES_MAX + 1];
    struct wire_envelope envelope;
    uint32_t held = 0;
    fill(2, 0);
    for (uint32_t i = 0; i < WIRE_ENVELOPE_DELIVERIES_MAX; i++) {
        assert_int_equal(
            wire_envelope_add_delivery(
                &buffer, (struct pbft_bytes){zeros, WIRE_DELIVERY_BYTES_MAX},
                &held),
            PBFT_OK);
    }
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);
    assert_int_equal(
        wire_envelope_add_delivery(&buffer, bytes_of("more"), &held),
        PBFT_LIMIT);
    held = 0; /* A sender that does not count. */
    assert_int_equal(
        wire_envelope_add_delivery(&buffer, bytes_of("more"), &held), PBFT_OK);
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_TOO_LARGE);
    held = 0;
    fill(2, 0);
    assert_int_equal(
        wire_envelope_add_delivery(
            &buffer, (struct pbft_bytes){zeros, sizeof zeros}, &held),
        PBFT_OK);
    assert_int_not_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);
}

static void test_envelope_is_the_schema(void **state)
{
    (void)state;
    fill(0, 3); /* Sender 0 is left out. */
    struct pbft_bytes bytes = wire_buffer_bytes(&buffer);
    struct wire_scan_result scan;

    assert_int_equal(wire_scan(&salus__v1__envelope__descriptor, bytes, &scan),
                     PBFT_OK);

    Salus__V1__Envelope *unpacked =
        salus__v1__envelope__unpack(NULL, bytes.size, bytes.data);
    assert_int_equal(unpacked->version, 1);
    assert_int_equal(unpacked->cluster.len, WIRE_CLUSTER_PREFIX_SIZE);
    assert_int_equal(unpacked->sender, 0);
    assert_int_equal(unpacked->n_messages, 3);
    salus__v1__envelope__free_unpacked(unpacked, NULL);
}

static void test_envelope_of_another_cluster(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    struct pbft_digest other = cluster;
    other.bytes[7] ^= 1;
    fill(1, 1);
    assert_int_equal(
        wire_envelope_decode(&other, wire_buffer_bytes(&buffer), &envelope),
        PBFT_WRONG_IDENTITY);
}

static void test_envelope_of_another_version(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    fill(1, 1);
    buffer.data[1] = 2;
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_VERSION);
    /* None at all. */
    assert_int_equal(wire_envelope_decode(
                         &cluster,
                         (struct pbft_bytes){buffer.data + 2, buffer.size - 2},
                         &envelope),
                     PBFT_VERSION);
}

static void test_envelope_full_by_count(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    uint32_t held = WIRE_ENVELOPE_MESSAGES_MAX;
    fill(1, WIRE_ENVELOPE_MESSAGES_MAX);
    size_t before = buffer.size;

    assert_int_equal(wire_envelope_add(&buffer, bytes_of("more"), &held),
                     PBFT_LIMIT);

    assert_int_equal(buffer.size, before);
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);
    /* One more by hand. */
    wire_buffer_put(&buffer, "\x22\x01x", 3);
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_TOO_LARGE);
}

static void test_envelope_full_by_size(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    uint32_t held = 0;
    uint8_t *largest = calloc(1, WIRE_MESSAGE_BYTES_MAX);
    wire_buffer_reset(&buffer);
    wire_envelope_begin(&buffer, &cluster, UINT32_MAX);
    assert_int_equal(
        wire_envelope_add(&buffer,
                          (struct pbft_bytes){largest, WIRE_MESSAGE_BYTES_MAX},
                          &held),
        PBFT_OK);
    assert_int_equal(
        wire_envelope_add(&buffer, (struct pbft_bytes){largest, 64}, &held),
        PBFT_LIMIT);
    assert_int_equal(held, 1);
    assert_int_equal(
        wire_envelope_decode(&cluster, wire_buffer_bytes(&buffer), &envelope),
        PBFT_OK);
    free(largest);
}

static void test_envelope_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *tail;
        size_t size;
    } tails[] = {
        {"\x22\x00", 2},                 /* An empty message. */
        {"\x22\x05xx", 4},               /* Longer than what is left. */
        {"\x22", 1},                     /* No length. */
        {"\x28\x01", 2},                 /* An unknown field. */
        {"\x18\x01", 2},                 /* The sender again. */
        {"\x22\xff\xff\xff\xff\x07", 6}, /* 2^31 - 1 bytes. */
        {"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* 2^64 - 1. */
        {"\x00", 1},
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct wire_envelope envelope;
        fill(1, 1);
        wire_buffer_put(&buffer, tails[i].tail, tails[i].size);
        assert_int_equal(wire_envelope_decode(
                             &cluster, wire_buffer_bytes(&buffer), &envelope),
                         PBFT_MALFORMED);
        assert_int_equal(envelope.message_count, 0);
    }
}

static void test_envelope_cut_off(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    fill(9, 1);
    for (size_t size = 0; size < buffer.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, buffer.data, size);
        enum pbft_status status = wire_envelope_decode(
            &cluster, (struct pbft_bytes){copy, size}, &envelope);
        /* Behind the sender it is a valid one without messages. */
        assert_true(status != PBFT_OK || envelope.message_count == 0);
        free(copy);
    }
}

static void test_envelope_larger_than_a_frame(void **state)
{
    (void)state;
    struct wire_envelope envelope;
    const uint8_t byte = 0;
    /* Not one byte is read. */
    assert_int_equal(wire_envelope_decode(
                         &cluster,
                         (struct pbft_bytes){&byte, WIRE_FRAME_BYTES_MAX + 1},
                         &envelope),
                     PBFT_TOO_LARGE);
}

static int set_up(void **state)
{
    (void)state;
    wire_buffer_init(&buffer, 2 * WIRE_FRAME_BYTES_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_buffer_deinit(&buffer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope_round_trip),
        cmocka_unit_test(test_envelope_carries_deliveries_behind_messages),
        cmocka_unit_test(test_envelope_bounds_deliveries),
        cmocka_unit_test(test_envelope_is_the_schema),
        cmocka_unit_test(test_envelope_of_another_cluster),
        cmocka_unit_test(test_envelope_of_another_version),
        cmocka_unit_test(test_envelope_full_by_count),
        cmocka_unit_test(test_envelope_full_by_size),
        cmocka_unit_test(test_envelope_malformed),
        cmocka_unit_test(test_envelope_cut_off),
        cmocka_unit_test(test_envelope_larger_than_a_frame),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
