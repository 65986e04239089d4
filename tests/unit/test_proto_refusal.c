/* SPDX-License-Identifier: Apache-2.0 */
/* What a decoder of messages refuses: each rule of the wire is broken once, by
 * changing a valid message through the generated types or as raw bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "salus/v1/consensus.pb-c.h"
#include "tests/support/cast.h"
#include "tests/support/random_message.h"

static struct cast cast;
static struct wire_buffer buffer;

static const struct pbft_domain *domain(void)
{
    return &cast.replicas[0].domain;
}

static enum pbft_status decode(struct pbft_bytes bytes)
{
    const struct pbft_message *decoded;
    enum pbft_status status =
        wire_message_decode(domain(), bytes, NULL, &decoded);
    assert_true((status == PBFT_OK) == (decoded != NULL));
    pbft_message_unref(decoded);
    return status;
}

static struct pbft_bytes encode(struct pbft_message *message)
{
    wire_buffer_reset(&buffer);
    assert_int_equal(wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer),
                     PBFT_OK);
    pbft_message_unref(message);
    return wire_buffer_bytes(&buffer);
}

/* The generated form of a message, to be spoiled. */
static Salus__V1__Message *unpack(struct pbft_message *message)
{
    struct pbft_bytes bytes = encode(message);
    Salus__V1__Message *unpacked =
        salus__v1__message__unpack(NULL, bytes.size, bytes.data);
    assert_non_null(unpacked);
    return unpacked;
}

static void expect(Salus__V1__Message *message, enum pbft_status expected)
{
    size_t size = salus__v1__message__get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    salus__v1__message__pack(message, bytes);
    assert_int_equal(decode((struct pbft_bytes){bytes, size}), expected);
    free(bytes);
    salus__v1__message__free_unpacked(message, NULL);
}

static Salus__V1__Message *vote(void)
{
    const struct pbft_digest digest = {{1}};
    return unpack(cast_vote(&cast, PBFT_MESSAGE_PREPARE, 1, 3, 4, &digest));
}

static Salus__V1__Message *pre_prepare(void)
{
    struct pbft_message *batch = cast_batch(&cast, 5, 1, 2);
    struct pbft_message *message = cast_pre_prepare(&cast, 0, 1, batch);
    pbft_message_unref(batch);
    return unpack(message);
}

static Salus__V1__Message *committed(void)
{
    static const pbft_replica_id signers[] = {0, 1, 2};
    struct pbft_message *batch = cast_batch(&cast, 5, 1, 1);
    struct pbft_message *header = cast_pre_prepare(&cast, 0, 1, batch);
    struct pbft_message *message =
        cast_certificate(&cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    pbft_message_unref(header);
    pbft_message_unref(batch);
    return unpack(message);
}

static Salus__V1__Message *random_of(enum pbft_message_type type)
{
    struct support_random random = {.state = 99};
    const struct random_shape shape = {.requests_max = 2,
                                       .payload_max = 10,
                                       .votes_max = 3,
                                       .certificates_max = 4};
    for (;;) {
        struct pbft_message *message =
            random_message(&random, domain(), type, &shape);
        if ((type == PBFT_MESSAGE_VIEW_CHANGE &&
             message->view_change.prepared_count < 2) ||
            (type == PBFT_MESSAGE_NEW_VIEW &&
             message->new_view.pre_prepare_count < 2)) {
            pbft_message_unref(message);
            continue;
        }
        return unpack(message);
    }
}

static Salus__V1__Message *fetch(enum pbft_fetch_kind kind)
{
    const struct pbft_origin origin = {.sender = 1};
    struct pbft_fetch fields = {.kind = kind, .seq = 2, .last = 3};
    return unpack(pbft_fetch_create(&origin, &fields));
}

static void test_refuses_wrong_signatures(void **state)
{
    (void)state;
    Salus__V1__Message *message = vote();
    message->signature.len = 63;
    expect(message, PBFT_MALFORMED);
    message = vote();
    message->signature.len = 0;
    expect(message, PBFT_MALFORMED);
    /* A signature where the kind has none. */
    message = committed();
    message->signature.data = calloc(1, PBFT_SIGNATURE_SIZE);
    message->signature.len = PBFT_SIGNATURE_SIZE;
    expect(message, PBFT_MALFORMED);
    message = committed();
    message->incarnation = 1;
    expect(message, PBFT_MALFORMED);
}

static void test_refuses_wrong_lengths_of_fields(void **state)
{
    (void)state;
    Salus__V1__Message *message = vote();
    message->prepare->digest.len = 31;
    expect(message, PBFT_MALFORMED);
    message = vote();
    message->prepare->digest.len = 0;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_REQUEST);
    message->request->client.len = 31;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_REQUEST);
    message->request->institution.len = 15;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_REQUEST);
    message->request->signature.len = 0;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_ATTESTATION);
    message->attestation->ledger_root.len = 16;
    expect(message, PBFT_MALFORMED);
}

static void test_refuses_unknown_values(void **state)
{
    (void)state;
    Salus__V1__Message *message = random_of(PBFT_MESSAGE_REQUEST);
    message->request->lane = 2;
    expect(message, PBFT_MALFORMED);
    message = fetch(PBFT_FETCH_BLOCKS);
    message->fetch->kind = 0;
    expect(message, PBFT_MALFORMED);
    message = fetch(PBFT_FETCH_BLOCKS);
    message->fetch->kind = 6;
    expect(message, PBFT_MALFORMED);
    /* A digest where the kind has none, and none where it needs one. */
    message = fetch(PBFT_FETCH_BLOCKS);
    message->fetch->digest.data = calloc(1, PBFT_DIGEST_SIZE);
    message->fetch->digest.len = PBFT_DIGEST_SIZE;
    expect(message, PBFT_MALFORMED);
    message = fetch(PBFT_FETCH_BODY);
    message->fetch->digest.len = 0;
    expect(message, PBFT_MALFORMED);
}

static void test_refuses_missing_parts(void **state)
{
    (void)state;
    Salus__V1__Message *message = committed();
    salus__v1__pre_prepare__free_unpacked(message->committed->pre_prepare,
                                          NULL);
    message->committed->pre_prepare = NULL;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_STABLE);
    salus__v1__attestation__free_unpacked(message->stable->attestation, NULL);
    message->stable->attestation = NULL;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_VIEW_CHANGE);
    salus__v1__stable__free_unpacked(message->view_change->stable, NULL);
    message->view_change->stable = NULL;
    expect(message, PBFT_MALFORMED);
    /* No kind at all. */
    message = vote();
    salus__v1__vote__free_unpacked(message->prepare, NULL);
    message->kind_case = SALUS__V1__MESSAGE__KIND__NOT_SET;
    expect(message, PBFT_MALFORMED);
}

static void test_refuses_unordered_votes(void **state)
{
    (void)state;
    Salus__V1__Message *message = committed();
    message->committed->votes[1]->replica = 2;
    message->committed->votes[2]->replica = 1;
    expect(message, PBFT_NOT_CANONICAL);
    message = committed();
    message->committed->votes[1]->replica = 0;
    expect(message, PBFT_NOT_CANONICAL);
}

static void test_refuses_too_many_votes(void **state)
{
    (void)state;
    Salus__V1__Message *message = committed();
    Salus__V1__Certificate *certificate = message->committed;
    size_t count = WIRE_CERTIFICATE_VOTES_MAX + 1;
    certificate->votes =
        realloc(certificate->votes, count * sizeof *certificate->votes);
    while (certificate->n_votes < count) {
        Salus__V1__CertificateVote *more = malloc(sizeof *more);
        salus__v1__certificate_vote__init(more);
        more->replica = (uint32_t)certificate->n_votes;
        more->signature.data = calloc(1, PBFT_SIGNATURE_SIZE);
        more->signature.len = PBFT_SIGNATURE_SIZE;
        certificate->votes[certificate->n_votes++] = more;
    }
    expect(message, PBFT_TOO_LARGE);
}

static void test_refuses_bodies_where_none_belong(void **state)
{
    (void)state;
    Salus__V1__Message *message = random_of(PBFT_MESSAGE_VIEW_CHANGE);
    Salus__V1__Batch *body = malloc(sizeof *body);
    salus__v1__batch__init(body);
    message->view_change->prepared[0]->pre_prepare->body = body;
    expect(message, PBFT_MALFORMED);
    message = random_of(PBFT_MESSAGE_NEW_VIEW);
    body = malloc(sizeof *body);
    salus__v1__batch__init(body);
    message->new_view->pre_prepares[0]->pre_prepare->body = body;
    expect(message, PBFT_MALFORMED);
}

static void test_refuses_unordered_certificates(void **state)
{
    (void)state;
    Salus__V1__Message *message = random_of(PBFT_MESSAGE_VIEW_CHANGE);
    message->view_change->prepared[1]->pre_prepare->seq =
        message->view_change->prepared[0]->pre_prepare->seq;
    expect(message, PBFT_NOT_CANONICAL);
}

static void test_refuses_too_many_requests(void **state)
{
    (void)state;
    Salus__V1__Message *message = pre_prepare();
    Salus__V1__Batch *body = message->pre_prepare->body;
    size_t count = PBFT_BATCH_REQUESTS_MAX + 1;
    Salus__V1__Request **own = body->requests;
    body->requests = malloc(count * sizeof *body->requests);
    for (size_t i = 0; i < count; i++) {
        body->requests[i] = own[0]; /* The same one again and again. */
    }
    size_t own_count = body->n_requests;
    body->n_requests = count;
    size_t size = salus__v1__message__get_packed_size(message);
    uint8_t *bytes = malloc(size);
    salus__v1__message__pack(message, bytes);

    assert_int_equal(decode((struct pbft_bytes){bytes, size}), PBFT_TOO_LARGE);

    free(bytes);
    free(body->requests);
    body->requests = own;
    body->n_requests = own_count;
    salus__v1__message__free_unpacked(message, NULL);
}

static void set_payload(Salus__V1__Request *request, size_t size)
{
    free(request->payload.data);
    request->payload.data = calloc(1, size);
    request->payload.len = size;
}

static void test_refuses_large_payloads(void **state)
{
    (void)state;
    Salus__V1__Message *message = random_of(PBFT_MESSAGE_REQUEST);
    set_payload(message->request, PBFT_REQUEST_BYTES_MAX);
    expect(message, PBFT_OK);
    message = random_of(PBFT_MESSAGE_REQUEST);
    set_payload(message->request, PBFT_REQUEST_BYTES_MAX + 1);
    expect(message, PBFT_TOO_LARGE);
}

static void test_refuses_large_batches(void **state)
{
    (void)state;
    const struct pbft_message *requests[5];
    static uint8_t payload[PBFT_REQUEST_BYTES_MAX];
    const struct pbft_request fields = {.sequence = 1,
                                        .payload = {payload, sizeof payload}};
    for (size_t i = 0; i < 5; i++) {
        requests[i] = pbft_request_create(domain(), &fields, 0, NULL);
    }
    /* Four times the payload limit is the batch limit. */
    assert_int_equal(
        decode(encode(pbft_batch_create(domain(), 1, requests, 4))), PBFT_OK);
    assert_int_equal(
        decode(encode(pbft_batch_create(domain(), 1, requests, 5))),
        PBFT_TOO_LARGE);
    for (size_t i = 0; i < 5; i++) {
        pbft_message_unref(requests[i]);
    }
}

/* A vote with `middle` between its signature and its kind. */
static enum pbft_status decode_spliced(const uint8_t *front, size_t front_size,
                                       const uint8_t *back, size_t back_size)
{
    const struct pbft_digest digest = {{1}};
    struct pbft_bytes bytes =
        encode(cast_vote(&cast, PBFT_MESSAGE_PREPARE, 1, 3, 4, &digest));
    uint8_t *spliced = malloc(front_size + bytes.size + back_size + 1);
    memcpy(spliced, front, front_size);
    memcpy(spliced + front_size, bytes.data, bytes.size);
    memcpy(spliced + front_size + bytes.size, back, back_size);
    enum pbft_status status = decode(
        (struct pbft_bytes){spliced, front_size + bytes.size + back_size});
    free(spliced);
    return status;
}

static void test_refuses_raw_bytes_around_a_message(void **state)
{
    (void)state;
    static const uint8_t none[1] = {0};
    static const uint8_t unknown[] = {0xf8, 0x07, 0x01}; /* Field 127. */
    static const uint8_t low[] = {0x18, 0x01};           /* Field 3 again. */
    static const uint8_t empty_kind[] = {0xb2, 0x01, 0}; /* Field 22. */
    static const uint8_t zero[] = {0};                   /* Field 0. */
    static const uint8_t bad_length[] = {
        0xa2, 0x06, 0xff, 0xff, 0xff, 0xff, 0x07}; /* 2^31 - 1 bytes. */
    assert_int_equal(decode_spliced(none, 0, none, 0), PBFT_OK);
    assert_int_not_equal(decode_spliced(none, 0, unknown, sizeof unknown),
                         PBFT_OK);
    assert_int_not_equal(decode_spliced(unknown, sizeof unknown, none, 0),
                         PBFT_OK);
    assert_int_not_equal(decode_spliced(none, 0, low, sizeof low), PBFT_OK);
    assert_int_not_equal(decode_spliced(none, 0, empty_kind, sizeof empty_kind),
                         PBFT_OK);
    assert_int_not_equal(decode_spliced(none, 0, zero, sizeof zero), PBFT_OK);
    assert_int_not_equal(decode_spliced(zero, sizeof zero, none, 0), PBFT_OK);
    assert_int_not_equal(decode_spliced(none, 0, bad_length, sizeof bad_length),
                         PBFT_OK);
}

static void test_refuses_other_forms_of_numbers(void **state)
{
    (void)state;
    /* sender, then fetch of kind 2 without seq: the shortest message. */
    uint8_t signature[2 + PBFT_SIGNATURE_SIZE] = {0x22, PBFT_SIGNATURE_SIZE};
    static const uint8_t kind[] = {0x92, 0x01, 2, 0x08, 2};
    static const struct {
        uint8_t sender[12];
        size_t size;
        enum pbft_status expected;
    } cases[] = {
        {{0x08, 0x01}, 2, PBFT_OK},
        {{0x08, 0x00}, 2, PBFT_NOT_CANONICAL},       /* The default. */
        {{0x08, 0x81, 0x00}, 3, PBFT_NOT_CANONICAL}, /* Too long. */
        {{0x88, 0x00, 0x01}, 3, PBFT_NOT_CANONICAL}, /* Tag too long. */
        {{0x08, 0x80, 0x80, 0x80, 0x80, 0x10}, 6, PBFT_NOT_CANONICAL}, /* 33 */
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
         11,
         PBFT_MALFORMED},                                    /* 65 bits. */
        {{0x09, 1, 0, 0, 0, 0, 0, 0, 0}, 9, PBFT_MALFORMED}, /* Wire type. */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[sizeof cases[0].sender + sizeof signature + sizeof kind];
        size_t size = cases[i].size;
        memcpy(bytes, cases[i].sender, size);
        memcpy(bytes + size, signature, sizeof signature);
        memcpy(bytes + size + sizeof signature, kind, sizeof kind);
        size += sizeof signature + sizeof kind;
        enum pbft_status status = decode((struct pbft_bytes){bytes, size});
        if (cases[i].expected == PBFT_OK) {
            assert_int_equal(status, PBFT_OK);
        } else {
            assert_int_not_equal(status, PBFT_OK);
        }
    }
}

static void test_refuses_more_than_a_frame(void **state)
{
    (void)state;
    size_t size = WIRE_MESSAGE_BYTES_MAX + 1;
    uint8_t *bytes = calloc(1, size);
    assert_int_equal(decode((struct pbft_bytes){bytes, size}), PBFT_TOO_LARGE);
    free(bytes);
    assert_int_not_equal(decode((struct pbft_bytes){NULL, 0}), PBFT_OK);
}

static void test_encoder_refuses_what_cannot_be_said(void **state)
{
    (void)state;
    const struct pbft_origin origin = {.sender = 1};
    const struct pbft_fetch fields = {.kind = PBFT_FETCH_STABLE,
                                      .digest = {{1}}};
    struct pbft_message *message = pbft_fetch_create(&origin, &fields);
    wire_buffer_reset(&buffer);
    wire_buffer_put(&buffer, "before", 6);

    assert_int_equal(wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer),
                     PBFT_INVALID_ARGUMENT);

    assert_int_equal(buffer.size, 6);
    assert_int_equal(buffer.status, PBFT_OK);
    pbft_message_unref(message);
    const struct pbft_vote votes[] = {{.replica = 2}, {.replica = 1}};
    const struct pbft_attestation attestation = {.seq = 1};
    message = pbft_stable_create(0, 1, &attestation, votes, 2);
    assert_int_equal(wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer),
                     PBFT_INVALID_ARGUMENT);
    pbft_message_unref(message);
}

static void test_encoder_keeps_to_the_limit_of_the_buffer(void **state)
{
    (void)state;
    struct pbft_message *message = cast_batch(&cast, 1, 1, 8);
    struct wire_buffer small;
    wire_buffer_init(&small, 900);

    assert_int_equal(wire_message_encode(message, WIRE_BODY_INCLUDE, &small),
                     PBFT_TOO_LARGE);

    assert_int_equal(small.size, 0);
    assert_int_equal(small.status, PBFT_OK);
    wire_buffer_deinit(&small);
    pbft_message_unref(message);
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
        cmocka_unit_test(test_refuses_wrong_signatures),
        cmocka_unit_test(test_refuses_wrong_lengths_of_fields),
        cmocka_unit_test(test_refuses_unknown_values),
        cmocka_unit_test(test_refuses_missing_parts),
        cmocka_unit_test(test_refuses_unordered_votes),
        cmocka_unit_test(test_refuses_too_many_votes),
        cmocka_unit_test(test_refuses_bodies_where_none_belong),
        cmocka_unit_test(test_refuses_unordered_certificates),
        cmocka_unit_test(test_refuses_too_many_requests),
        cmocka_unit_test(test_refuses_large_payloads),
        cmocka_unit_test(test_refuses_large_batches),
        cmocka_unit_test(test_refuses_raw_bytes_around_a_message),
        cmocka_unit_test(test_refuses_other_forms_of_numbers),
        cmocka_unit_test(test_refuses_more_than_a_frame),
        cmocka_unit_test(test_encoder_refuses_what_cannot_be_said),
        cmocka_unit_test(test_encoder_keeps_to_the_limit_of_the_buffer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
