/* SPDX-License-Identifier: Apache-2.0 */
/* Frames tell every flipped byte; the judge tells a torn log from a damaged
 * one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/bytes.h"
#include "consensus/record.h"
#include "tests/support/cast.h"

#define PAYLOAD "an encoded vote"
#define FRAME_SIZE (PBFT_FRAME_HEADER_SIZE + sizeof PAYLOAD)

static struct cast cast;

static void write_frame(uint8_t out[FRAME_SIZE], pbft_replica_id self,
                        uint64_t number)
{
    const struct pbft_frame frame = {
        .number = number,
        .kind = PBFT_RECORD_COMMIT,
        .view = 3,
        .seq = 77,
        .payload = {(const uint8_t *)PAYLOAD, sizeof PAYLOAD}};
    pbft_frame_write(&cast.replicas[0].domain, self, &frame, out);
    memcpy(out + PBFT_FRAME_HEADER_SIZE, PAYLOAD, sizeof PAYLOAD);
}

static enum pbft_status read_frame(const uint8_t *bytes, size_t size,
                                   pbft_replica_id self, struct pbft_frame *out)
{
    return pbft_frame_read(&cast.replicas[0].domain, self,
                           (struct pbft_bytes){bytes, size}, out);
}

static void test_frame_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);

    assert_int_equal(read_frame(bytes, FRAME_SIZE, 2, &frame), PBFT_OK);

    assert_int_equal(frame.number, 9);
    assert_int_equal(frame.kind, PBFT_RECORD_COMMIT);
    assert_int_equal(frame.view, 3);
    assert_int_equal(frame.seq, 77);
    assert_int_equal(frame.payload.size, sizeof PAYLOAD);
    assert_memory_equal(frame.payload.data, PAYLOAD, sizeof PAYLOAD);
}

static void test_frame_golden_header(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        'S', 'A', 'L', '1', 0, 0, 0, 5, 0, 0, 0, 0, 0, 0,  0, 9, 0, 0,
        0,   0,   0,   0,   0, 3, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0, 16};
    uint8_t bytes[FRAME_SIZE];

    write_frame(bytes, 2, 9);

    assert_memory_equal(bytes, expected, sizeof expected);
}

static void test_frame_every_flipped_bit_is_seen(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);
    for (size_t bit = 0; bit < FRAME_SIZE * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(read_frame(bytes, FRAME_SIZE, 2, &frame), PBFT_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(read_frame(bytes, FRAME_SIZE, 2, &frame), PBFT_OK);
}

static void test_frame_flipped_payload_is_corrupt(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);
    bytes[PBFT_FRAME_HEADER_SIZE] ^= 1;

    assert_int_equal(read_frame(bytes, FRAME_SIZE, 2, &frame), PBFT_CORRUPT);
}

static void test_frame_every_cut_is_incomplete(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);
    for (size_t size = 0; size < FRAME_SIZE; size++) {
        assert_int_equal(read_frame(bytes, size, 2, &frame), PBFT_MALFORMED);
    }
}

static void test_frame_trailing_byte_is_corrupt(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE + 1] = {0};
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);

    assert_int_equal(read_frame(bytes, sizeof bytes, 2, &frame), PBFT_CORRUPT);
}

static void test_frame_size_above_limit_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);
    bytes[32] = 0x7f; /* The highest byte of the size. */

    assert_int_equal(read_frame(bytes, FRAME_SIZE, 2, &frame), PBFT_TOO_LARGE);
}

static void test_frame_of_another_replica_is_corrupt(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    write_frame(bytes, 2, 9);

    assert_int_equal(read_frame(bytes, FRAME_SIZE, 3, &frame), PBFT_CORRUPT);
}

static void test_frame_of_another_cluster_is_corrupt(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct pbft_frame frame;
    struct pbft_domain other = cast.replicas[0].domain;
    other.cluster.bytes[0] ^= 1;
    write_frame(bytes, 2, 9);

    assert_int_equal(pbft_frame_read(&other, 2,
                                     (struct pbft_bytes){bytes, FRAME_SIZE},
                                     &frame),
                     PBFT_CORRUPT);
}

struct fed {
    enum pbft_status status;
    uint64_t number;
};

static enum pbft_log_verdict judge_log(uint64_t first, const struct fed *fed,
                                       size_t count)
{
    struct pbft_log_judge judge;
    pbft_log_judge_init(&judge, first);
    for (size_t i = 0; i < count; i++) {
        const struct pbft_frame frame = {.number = fed[i].number};
        pbft_log_judge_feed(&judge, fed[i].status,
                            fed[i].status == PBFT_OK ? &frame : NULL);
    }
    return pbft_log_judge_verdict(&judge);
}

static void test_judge_accepts_consecutive_frames(void **state)
{
    (void)state;
    const struct fed log[] = {{PBFT_OK, 5}, {PBFT_OK, 6}, {PBFT_OK, 7}};
    assert_int_equal(judge_log(5, log, 3), PBFT_LOG_INTACT);
    assert_int_equal(judge_log(0, log, 3), PBFT_LOG_INTACT);
    assert_int_equal(judge_log(5, log, 0), PBFT_LOG_INTACT);
}

static void test_judge_torn_tail(void **state)
{
    (void)state;
    const struct fed log[] = {{PBFT_OK, 1}, {PBFT_MALFORMED, 0}};
    assert_int_equal(judge_log(1, log, 2), PBFT_LOG_TORN);
}

static void test_judge_bad_frame_inside_is_damage(void **state)
{
    (void)state;
    const struct fed log[] = {{PBFT_OK, 1}, {PBFT_MALFORMED, 0}, {PBFT_OK, 3}};
    assert_int_equal(judge_log(1, log, 3), PBFT_LOG_DAMAGED);
}

static void test_judge_complete_bad_tail_is_damage(void **state)
{
    (void)state;
    const struct fed log[] = {{PBFT_OK, 1}, {PBFT_CORRUPT, 0}};
    assert_int_equal(judge_log(1, log, 2), PBFT_LOG_DAMAGED);
}

static void test_judge_gap_repetition_and_wrong_start_are_damage(void **state)
{
    (void)state;
    const struct fed gap[] = {{PBFT_OK, 1}, {PBFT_OK, 3}};
    const struct fed repeated[] = {{PBFT_OK, 1}, {PBFT_OK, 1}};
    const struct fed late[] = {{PBFT_OK, 2}, {PBFT_OK, 3}};
    assert_int_equal(judge_log(1, gap, 2), PBFT_LOG_DAMAGED);
    assert_int_equal(judge_log(1, repeated, 2), PBFT_LOG_DAMAGED);
    assert_int_equal(judge_log(1, late, 2), PBFT_LOG_DAMAGED);
}

/* A record is missing, and the write after it was cut off by a power loss. */
static void test_judge_gap_before_a_torn_tail_is_damage(void **state)
{
    (void)state;
    const struct fed log[] = {{PBFT_OK, 1}, {PBFT_OK, 3}, {PBFT_MALFORMED, 0}};
    assert_int_equal(judge_log(1, log, 3), PBFT_LOG_DAMAGED);
}

static void test_droppable_up_to_the_proof(void **state)
{
    (void)state;
    assert_true(pbft_record_is_droppable(PBFT_RECORD_COMMIT, 8, 8));
    assert_true(pbft_record_is_droppable(PBFT_RECORD_VIEW_CHANGE, 0, 8));
    assert_true(pbft_record_is_droppable(PBFT_RECORD_NEW_VIEW, 16, 8));
    assert_true(pbft_record_is_droppable(PBFT_RECORD_STABLE, 4, 8));
    assert_false(pbft_record_is_droppable(PBFT_RECORD_STABLE, 8, 8));
    assert_false(pbft_record_is_droppable(PBFT_RECORD_COMMIT, 9, 8));
}

/* Its checksum is right, but nothing of ours has this kind: neither a later
 * version's nor a made-up one is obeyed. */
static void test_a_frame_of_no_kind_is_corrupt(void **state)
{
    static const uint32_t kinds[] = {0, PBFT_RECORD_RECOVERING + 1, UINT32_MAX};
    static const uint8_t tag[] = "salus/record/1";
    static const uint8_t owner[] = {0, 0, 0, 2};
    static const size_t checksum = PBFT_FRAME_HEADER_SIZE - 16;
    const struct pbft_domain *domain = &cast.replicas[0].domain;
    struct pbft_frame frame;
    uint8_t bytes[FRAME_SIZE];
    (void)state;
    write_frame(bytes, 2, 9);
    for (int i = -1; i < 3; i++) {
        if (i >= 0) {
            pbft_put_u32(bytes + 4, kinds[i]);
        }
        const struct pbft_bytes parts[] = {
            {tag, sizeof tag},
            {domain->cluster.bytes, PBFT_DIGEST_SIZE},
            {owner, sizeof owner},
            {bytes, checksum},
            {(const uint8_t *)PAYLOAD, sizeof PAYLOAD}};
        struct pbft_digest digest;
        domain->crypto->digest(domain->crypto->context, &digest, parts, 5);
        memcpy(bytes + checksum, digest.bytes, 16);
        assert_int_equal(read_frame(bytes, FRAME_SIZE, 2, &frame),
                         i < 0 ? PBFT_OK : PBFT_CORRUPT);
    }
}

int main(void)
{
    cast_init(&cast, 4);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_round_trip),
        cmocka_unit_test(test_frame_golden_header),
        cmocka_unit_test(test_frame_every_flipped_bit_is_seen),
        cmocka_unit_test(test_frame_flipped_payload_is_corrupt),
        cmocka_unit_test(test_frame_every_cut_is_incomplete),
        cmocka_unit_test(test_frame_trailing_byte_is_corrupt),
        cmocka_unit_test(test_frame_size_above_limit_is_refused),
        cmocka_unit_test(test_frame_of_another_replica_is_corrupt),
        cmocka_unit_test(test_frame_of_another_cluster_is_corrupt),
        cmocka_unit_test(test_judge_accepts_consecutive_frames),
        cmocka_unit_test(test_judge_torn_tail),
        cmocka_unit_test(test_judge_bad_frame_inside_is_damage),
        cmocka_unit_test(test_judge_complete_bad_tail_is_damage),
        cmocka_unit_test(test_judge_gap_repetition_and_wrong_start_are_damage),
        cmocka_unit_test(test_judge_gap_before_a_torn_tail_is_damage),
        cmocka_unit_test(test_droppable_up_to_the_proof),
        cmocka_unit_test(test_a_frame_of_no_kind_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
