/* SPDX-License-Identifier: Apache-2.0 */
/* What was encoded decodes to the same; what decodes is the only encoding of
 * its message; and it is protobuf as consensus.proto says. */
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
#include "tests/support/cast.h"
#include "tests/support/random_message.h"

#define ROUNDS 60

static struct cast cast;
static struct wire_buffer buffer;

static const struct pbft_domain *domain(void)
{
    return &cast.replicas[0].domain;
}

static struct pbft_bytes encode(const struct pbft_message *message)
{
    wire_buffer_reset(&buffer);
    assert_int_equal(wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer),
                     PBFT_OK);
    return wire_buffer_bytes(&buffer);
}

/* For each type and many seeds. */
static void for_all(void (*check)(struct pbft_message *,
                                  struct support_random *))
{
    struct support_random random = {.state = 20240601};
    struct random_shape shape = random_shape_small();
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct pbft_message *message = random_message(
                &random, domain(), (enum pbft_message_type)type, &shape);
            check(message, &random);
            pbft_message_unref(message);
        }
    }
}

static void check_round_trip(struct pbft_message *message,
                             struct support_random *random)
{
    (void)random;
    const struct pbft_message *decoded;
    struct pbft_bytes bytes = encode(message);
    /* A copy of exact size: a read beyond it is seen by the sanitizer. */
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    bytes.data = copy;

    assert_int_equal(wire_message_decode(domain(), bytes, NULL, &decoded),
                     PBFT_OK);
    free(copy); /* The message does not point into the input. */

    assert_true(support_message_equal(message, decoded));
    pbft_message_unref(decoded);
}

static void test_codec_decodes_what_it_encoded(void **state)
{
    (void)state;
    for_all(check_round_trip);
}

static void check_backing(struct pbft_message *message,
                          struct support_random *random)
{
    (void)random;
    const struct pbft_message *decoded;
    struct pbft_bytes bytes = encode(message);
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    struct pbft_buffer *backing = pbft_buffer_create(copy, bytes.size);

    assert_int_equal(wire_message_decode(domain(), pbft_buffer_bytes(backing),
                                         backing, &decoded),
                     PBFT_OK);
    pbft_buffer_unref(backing); /* Messages keep it as long as they need. */

    assert_true(support_message_equal(message, decoded));
    pbft_message_unref(decoded);
}

static void test_codec_decodes_with_a_backing_buffer(void **state)
{
    (void)state;
    for_all(check_backing);
}

/* protobuf-c reads it by the schema and writes the same bytes. */
static void check_is_protobuf(struct pbft_message *message,
                              struct support_random *random)
{
    (void)random;
    struct pbft_bytes bytes = encode(message);
    struct wire_scan_result scan;
    assert_int_equal(wire_scan(&salus__v1__message__descriptor, bytes, &scan),
                     PBFT_OK);
    Salus__V1__Message *unpacked =
        salus__v1__message__unpack(NULL, bytes.size, bytes.data);
    assert_non_null(unpacked);
    assert_int_equal(unpacked->base.n_unknown_fields, 0);
    assert_int_equal(unpacked->kind_case, 9 + message->type);
    assert_int_equal(unpacked->sender, message->sender);
    assert_int_equal(unpacked->incarnation, message->incarnation);
    assert_int_equal(unpacked->epoch, message->epoch);

    assert_int_equal(salus__v1__message__get_packed_size(unpacked), bytes.size);
    uint8_t *packed = malloc(bytes.size);
    salus__v1__message__pack(unpacked, packed);
    assert_memory_equal(packed, bytes.data, bytes.size);
    free(packed);
    salus__v1__message__free_unpacked(unpacked, NULL);
}

static void test_codec_writes_the_schema(void **state)
{
    (void)state;
    for_all(check_is_protobuf);
}

/* Whatever decodes encodes to the same bytes again. */
static void check_canonical(struct pbft_bytes bytes)
{
    const struct pbft_message *decoded;
    if (wire_message_decode(domain(), bytes, NULL, &decoded) != PBFT_OK) {
        assert_null(decoded);
        return;
    }
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    struct pbft_bytes again = encode(decoded);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, copy, bytes.size);
    free(copy);
    pbft_message_unref(decoded);
}

static void check_damage(struct pbft_message *message,
                         struct support_random *random)
{
    struct pbft_bytes bytes = encode(message);
    size_t size = bytes.size;
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes.data, size);
    for (int i = 0; i < 64; i++) {
        size_t at = support_random_below(random, size);
        uint8_t flip = (uint8_t)(1 + support_random_below(random, 255));
        copy[at] ^= flip;
        check_canonical((struct pbft_bytes){copy, size});
        copy[at] ^= flip;
    }
    free(copy);
}

static void test_codec_accepts_one_encoding_only(void **state)
{
    (void)state;
    for_all(check_damage);
}

static void check_truncation(struct pbft_message *message,
                             struct support_random *random)
{
    (void)random;
    const struct pbft_message *decoded;
    struct pbft_bytes bytes = encode(message);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 50) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, bytes.data, size);
        assert_int_not_equal(
            wire_message_decode(domain(), (struct pbft_bytes){copy, size}, NULL,
                                &decoded),
            PBFT_OK);
        assert_null(decoded);
        free(copy);
    }
}

static void test_codec_refuses_what_was_cut_off(void **state)
{
    (void)state;
    for_all(check_truncation);
}

static void check_trailing(struct pbft_message *message,
                           struct support_random *random)
{
    const struct pbft_message *decoded;
    (void)encode(message);
    uint8_t trailing = (uint8_t)support_random_next(random);
    wire_buffer_put(&buffer, &trailing, 1);
    assert_int_not_equal(wire_message_decode(domain(),
                                             wire_buffer_bytes(&buffer), NULL,
                                             &decoded),
                         PBFT_OK);
}

static void test_codec_refuses_trailing_bytes(void **state)
{
    (void)state;
    for_all(check_trailing);
}

static void test_codec_leaves_bodies_out(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 5, 1, 3);
    struct pbft_message *whole = cast_pre_prepare(&cast, 0, 1, batch);
    struct pbft_message *header = pbft_pre_prepare_with_body(whole, NULL);
    const struct pbft_message *decoded;
    wire_buffer_reset(&buffer);

    assert_int_equal(wire_message_encode(whole, WIRE_BODY_OMIT, &buffer),
                     PBFT_OK);

    assert_int_equal(wire_message_decode(domain(), wire_buffer_bytes(&buffer),
                                         NULL, &decoded),
                     PBFT_OK);
    assert_true(support_message_equal(header, decoded));
    pbft_message_unref(decoded);
    pbft_message_unref(header);
    pbft_message_unref(whole);
    pbft_message_unref(batch);
}

/* The codec and the schema mean the same by each field. */
static void test_codec_status_fields(void **state)
{
    (void)state;
    const struct pbft_origin origin = {.sender = 3};
    const uint64_t bits[] = {8, UINT64_C(0x0102030405060708)};
    const struct pbft_status_report fields = {
        .view = 1,
        .view_active = true,
        .stable = 2,
        .executed = 3,
        .committed_above = 4,
        .attested = 5,
        .version_min = 6,
        .version_max = 7,
        .reply_wanted = true,
        .prepared_bits = bits,
        .prepared_words = 2,
    };
    struct pbft_message *message = pbft_status_create(&origin, &fields);
    struct pbft_bytes bytes = encode(message);

    Salus__V1__Message *unpacked =
        salus__v1__message__unpack(NULL, bytes.size, bytes.data);

    assert_non_null(unpacked);
    assert_int_equal(unpacked->status->view, 1);
    assert_true(unpacked->status->view_active);
    assert_int_equal(unpacked->status->stable, 2);
    assert_int_equal(unpacked->status->executed, 3);
    assert_int_equal(unpacked->status->committed_above, 4);
    assert_int_equal(unpacked->status->attested, 5);
    assert_int_equal(unpacked->status->version_min, 6);
    assert_int_equal(unpacked->status->version_max, 7);
    assert_true(unpacked->status->reply_wanted);
    assert_int_equal(unpacked->status->n_prepared_bits, 2);
    assert_int_equal(unpacked->status->prepared_bits[1],
                     UINT64_C(0x0102030405060708));
    salus__v1__message__free_unpacked(unpacked, NULL);
    pbft_message_unref(message);
}

static void test_codec_committed_fields(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 99, 7, 1);
    struct pbft_message *header = cast_pre_prepare(&cast, 2, 11, batch);
    const pbft_replica_id signers[] = {0, 1, 3};
    struct pbft_message *message =
        cast_certificate(&cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    struct pbft_bytes bytes = encode(message);

    Salus__V1__Message *unpacked =
        salus__v1__message__unpack(NULL, bytes.size, bytes.data);

    assert_non_null(unpacked);
    const Salus__V1__Certificate *certificate = unpacked->committed;
    assert_int_equal(certificate->primary, 2);
    assert_memory_equal(certificate->primary_signature.data,
                        header->signature.bytes, PBFT_SIGNATURE_SIZE);
    assert_int_equal(certificate->pre_prepare->view, 2);
    assert_int_equal(certificate->pre_prepare->seq, 11);
    assert_memory_equal(certificate->pre_prepare->digest.data,
                        batch->batch.digest.bytes, PBFT_DIGEST_SIZE);
    assert_int_equal(certificate->pre_prepare->body->time_us, 99);
    assert_int_equal(certificate->pre_prepare->body->requests[0]->sequence, 7);
    assert_int_equal(certificate->n_votes, 3);
    assert_int_equal(certificate->votes[2]->replica, 3);
    salus__v1__message__free_unpacked(unpacked, NULL);
    pbft_message_unref(message);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

static void test_codec_request_alone(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 4, "payload");
    const struct pbft_message *decoded;
    wire_buffer_reset(&buffer);

    assert_int_equal(wire_request_encode(&request->request, &buffer), PBFT_OK);

    assert_int_equal(wire_request_decode(domain(), wire_buffer_bytes(&buffer),
                                         request->sender, &decoded),
                     PBFT_OK);
    assert_true(support_message_equal(request, decoded));
    pbft_message_unref(decoded);
    pbft_message_unref(request);
}

/* A batch of full size, and small parts of a large buffer. */
static void test_codec_full_batch(void **state)
{
    (void)state;
    struct support_random random = {.state = 7};
    const struct random_shape shape = {.requests_max = PBFT_BATCH_REQUESTS_MAX,
                                       .payload_max = 900};
    for (int i = 0; i < 3; i++) {
        struct pbft_message *message =
            random_message(&random, domain(), PBFT_MESSAGE_PRE_PREPARE, &shape);
        check_round_trip(message, &random);
        check_backing(message, &random);
        pbft_message_unref(message);
    }
}

static void test_codec_small_message_does_not_pin_its_frame(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 4, "small");
    struct pbft_bytes bytes = encode(request);
    const struct pbft_message *decoded;
    size_t size = 1 << 20;
    uint8_t *frame = calloc(1, size);
    memcpy(frame, bytes.data, bytes.size);
    struct pbft_buffer *backing = pbft_buffer_create(frame, size);

    assert_int_equal(wire_message_decode(domain(),
                                         (struct pbft_bytes){frame, bytes.size},
                                         backing, &decoded),
                     PBFT_OK);

    const uint8_t *payload = decoded->request.payload.data;
    assert_true(payload < frame || payload >= frame + size);
    pbft_buffer_unref(backing);
    pbft_message_unref(decoded);
    pbft_message_unref(request);
}

static int set_up(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
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
        cmocka_unit_test(test_codec_decodes_what_it_encoded),
        cmocka_unit_test(test_codec_decodes_with_a_backing_buffer),
        cmocka_unit_test(test_codec_writes_the_schema),
        cmocka_unit_test(test_codec_accepts_one_encoding_only),
        cmocka_unit_test(test_codec_refuses_what_was_cut_off),
        cmocka_unit_test(test_codec_refuses_trailing_bytes),
        cmocka_unit_test(test_codec_leaves_bodies_out),
        cmocka_unit_test(test_codec_status_fields),
        cmocka_unit_test(test_codec_committed_fields),
        cmocka_unit_test(test_codec_request_alone),
        cmocka_unit_test(test_codec_full_batch),
        cmocka_unit_test(test_codec_small_message_does_not_pin_its_frame),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
