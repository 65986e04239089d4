/* SPDX-License-Identifier: Apache-2.0 */
/* The signed bytes: golden layouts, and no byte string valid for two kinds,
 * epochs, clusters, signers or incarnations (domain separation, S23). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "tests/support/cast.h"

#define HEAD_SIZE 72 /* Tag to incarnation. */

static struct cast cast;

static bool equal(const struct pbft_preimage *a, const struct pbft_preimage *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void test_commit_golden_bytes(void **state)
{
    (void)state;
    const struct pbft_prepare fields = {
        .view = 0x0102, .seq = 0x0304, .digest = {{0xdd}}};
    struct pbft_preimage out;
    uint8_t expected[HEAD_SIZE + 48] = {0};
    memcpy(expected, "salus/commit/1", 14);
    memset(expected + 16, 0xc1, 32);
    expected[51] = PBFT_PROTOCOL_VERSION;
    expected[59] = 7; /* epoch */
    expected[63] = 3; /* signer */
    expected[71] = 9; /* incarnation */
    expected[78] = 1;
    expected[79] = 2;
    expected[86] = 3;
    expected[87] = 4;
    expected[88] = 0xdd;

    pbft_commit_preimage(&cast.client.domain, 7, 3, 9, &fields, &out);

    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.bytes, expected, sizeof expected);
}

static void test_request_golden_bytes(void **state)
{
    (void)state;
    struct pbft_request request = {.client = {{0xaa}},
                                   .institution = {{0xbb}},
                                   .session = 5,
                                   .sequence = 6,
                                   .lane = PBFT_LANE_URGENT,
                                   .payload = {(const uint8_t *)"xyz", 3}};
    struct pbft_digest payload;
    struct pbft_preimage out;
    uint8_t expected[157] = {0};
    fake_digest(&payload, &request.payload, 1);
    memcpy(expected, "salus/request/1", 15);
    memset(expected + 16, 0xc1, 32);
    expected[51] = PBFT_PROTOCOL_VERSION;
    expected[52] = 0xaa;
    expected[84] = 0xbb;
    expected[107] = 5;
    expected[115] = 6;
    expected[116] = 1;
    expected[124] = 3;
    memcpy(expected + 125, payload.bytes, 32);

    pbft_request_hash_payload(&cast.client.domain, &request);
    pbft_request_preimage(&cast.client.domain, &request, &out);

    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.bytes, expected, sizeof expected);
}

static void test_attestation_golden_size_and_order(void **state)
{
    (void)state;
    const struct pbft_attestation fields = {.seq = 1,
                                            .block_time = 2,
                                            .block_digest = {{3}},
                                            .results_root = {{4}},
                                            .ledger_root = {{5}}};
    struct pbft_preimage out;

    pbft_attestation_preimage(&cast.client.domain, 1, 0, 0, &fields, &out);

    assert_int_equal(out.size, HEAD_SIZE + 16 + 96);
    assert_memory_equal(out.bytes, "salus/attest/1\0\0", 16);
    assert_int_equal(out.bytes[79], 1);
    assert_int_equal(out.bytes[87], 2);
    assert_int_equal(out.bytes[88], 3);
    assert_int_equal(out.bytes[120], 4);
    assert_int_equal(out.bytes[152], 5);
}

static void test_answer_golden_bytes(void **state)
{
    (void)state;
    const struct pbft_answered fields = {.seq = 1,
                                         .block_time = 2,
                                         .ledger_root = {{3}},
                                         .caller = {{4}},
                                         .query = {{5}},
                                         .answer = {{6}}};
    struct pbft_preimage out;

    pbft_answered_preimage(&cast.client.domain, 1, 2, 3, &fields, &out);

    assert_int_equal(out.size, 200);
    assert_memory_equal(out.bytes, "salus/answer/1\0\0", 16);
    assert_int_equal(out.bytes[59], 1); /* epoch */
    assert_int_equal(out.bytes[63], 2); /* signer */
    assert_int_equal(out.bytes[71], 3); /* incarnation */
    assert_int_equal(out.bytes[79], 1);
    assert_int_equal(out.bytes[87], 2);
    assert_int_equal(out.bytes[88], 3);
    assert_int_equal(out.bytes[120], 4);
    assert_int_equal(out.bytes[136], 5);
    assert_int_equal(out.bytes[168], 6);
}

#define KINDS 8
/* One message of each signed type, all with the numbers of `fields`. */
static void build_all(const struct pbft_origin *origin,
                      struct pbft_message *out[KINDS])
{
    const struct pbft_domain *domain = &cast.client.domain;
    const struct pbft_prepare slot = {.view = 1, .seq = 1};
    const struct pbft_attestation attestation = {.seq = 1};
    const struct pbft_status_report status = {.view = 1};
    const struct pbft_fetch fetch = {.kind = PBFT_FETCH_BODY, .seq = 1};
    const struct pbft_attestation genesis = {.seq = 0};
    struct pbft_message *stable = pbft_stable_create(0, 1, &genesis, NULL, 0);
    out[0] = pbft_pre_prepare_create(origin, 1, 1, &slot.digest, NULL);
    out[1] = pbft_vote_create(PBFT_MESSAGE_PREPARE, origin, &slot);
    out[2] = pbft_vote_create(PBFT_MESSAGE_COMMIT, origin, &slot);
    out[3] = pbft_attestation_create(origin, &attestation);
    out[4] = pbft_view_change_create(domain, origin, 1, stable, NULL, 0);
    out[5] = pbft_new_view_create(origin, 1, NULL, 0, NULL, 0);
    out[6] = pbft_status_create(origin, &status);
    out[7] = pbft_fetch_create(origin, &fetch);
    pbft_message_unref(stable);
}

static void free_all(struct pbft_message *messages[KINDS])
{
    for (size_t i = 0; i < KINDS; i++) {
        pbft_message_unref(messages[i]);
    }
}

static void test_no_two_kinds_share_a_tag(void **state)
{
    (void)state;
    const struct pbft_origin origin = {.epoch = 1};
    struct pbft_message *messages[KINDS];
    struct pbft_preimage preimages[KINDS];
    build_all(&origin, messages);
    for (size_t i = 0; i < KINDS; i++) {
        pbft_message_preimage(&cast.client.domain, messages[i], &preimages[i]);
        for (size_t j = 0; j < i; j++) {
            /* The tags differ, so the strings differ whatever the fields. */
            assert_memory_not_equal(preimages[i].bytes, preimages[j].bytes, 16);
        }
        assert_memory_not_equal(preimages[i].bytes, "salus/answer/1\0\0", 16);
    }
    free_all(messages);
}

static void test_every_kind_binds_origin_and_cluster(void **state)
{
    (void)state;
    const struct pbft_origin base = {.epoch = 1};
    const struct pbft_origin others[] = {{.epoch = 2},
                                         {.epoch = 1, .sender = 1},
                                         {.epoch = 1, .incarnation = 1}};
    struct pbft_message *messages[KINDS];
    struct pbft_domain cluster = cast.client.domain;
    cluster.cluster.bytes[31] ^= 1;
    build_all(&base, messages);
    for (size_t i = 0; i < KINDS; i++) {
        struct pbft_preimage first;
        struct pbft_preimage second;
        pbft_message_preimage(&cast.client.domain, messages[i], &first);
        pbft_message_preimage(&cluster, messages[i], &second);
        assert_false(equal(&first, &second));
    }
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        struct pbft_message *changed[KINDS];
        build_all(&others[k], changed);
        for (size_t i = 0; i < KINDS; i++) {
            struct pbft_preimage first;
            struct pbft_preimage second;
            pbft_message_preimage(&cast.client.domain, messages[i], &first);
            pbft_message_preimage(&cast.client.domain, changed[i], &second);
            assert_false(equal(&first, &second));
        }
        free_all(changed);
    }
    free_all(messages);
}

static void test_certificate_votes_sign_what_messages_sign(void **state)
{
    (void)state;
    const struct pbft_digest digest = {{4}};
    struct pbft_message *vote =
        cast_vote(&cast, PBFT_MESSAGE_PREPARE, 2, 5, 6, &digest);
    struct pbft_preimage from_message;
    struct pbft_preimage from_vote;

    pbft_message_preimage(&cast.client.domain, vote, &from_message);
    pbft_prepare_preimage(&cast.client.domain, vote->epoch, vote->sender,
                          vote->incarnation, &vote->prepare, &from_vote);

    assert_true(equal(&from_message, &from_vote));
    pbft_message_unref(vote);
}

static void test_batch_digest_covers_time_order_and_content(void **state)
{
    (void)state;
    struct pbft_message *first = cast_batch(&cast, 5, 1, 2);
    struct pbft_message *later = cast_batch(&cast, 6, 1, 2);
    struct pbft_message *fewer = cast_batch(&cast, 5, 1, 1);
    const struct pbft_message *swapped[] = {first->batch.requests[1],
                                            first->batch.requests[0]};
    struct pbft_message *other =
        pbft_batch_create(&cast.client.domain, 5, swapped, 2);

    assert_memory_not_equal(&first->batch.digest, &later->batch.digest, 32);
    assert_memory_not_equal(&first->batch.digest, &fewer->batch.digest, 32);
    assert_memory_not_equal(&first->batch.digest, &other->batch.digest, 32);

    pbft_message_unref(first);
    pbft_message_unref(later);
    pbft_message_unref(fewer);
    pbft_message_unref(other);
}

static void test_null_digest_is_that_of_the_null_batch(void **state)
{
    (void)state;
    struct pbft_digest digest;
    struct pbft_message *batch = cast_batch(&cast, 0, 1, 0);
    struct pbft_message *empty = cast_batch(&cast, 1, 1, 0);

    pbft_null_digest(&cast.client.domain, &digest);

    assert_memory_equal(&digest, &batch->batch.digest, sizeof digest);
    assert_memory_not_equal(&digest, &empty->batch.digest, sizeof digest);
    pbft_message_unref(batch);
    pbft_message_unref(empty);
}

static void test_request_digest_covers_the_signature(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    struct pbft_request forged = request->request;
    struct pbft_digest digest;
    forged.signature.bytes[0] ^= 1;

    pbft_request_digest(&cast.client.domain, &forged, &digest);

    assert_memory_not_equal(&digest, &request->request.digest, sizeof digest);
    pbft_message_unref(request);
}

/* A view-change over one prepared certificate whose vote is `vote`. */
static struct pbft_digest view_change_digest(struct pbft_vote vote)
{
    const struct pbft_origin origin = {.sender = 1, .epoch = 1};
    const struct pbft_attestation genesis = {.seq = 0};
    struct pbft_message *stable = pbft_stable_create(0, 1, &genesis, NULL, 0);
    struct pbft_message *batch = cast_batch(&cast, 5, 1, 1);
    struct pbft_message *header = cast_pre_prepare(&cast, 0, 1, batch);
    const struct pbft_message *prepared =
        pbft_certificate_create(PBFT_MESSAGE_PREPARED, 1, 1, header, &vote, 1);
    struct pbft_message *message = pbft_view_change_create(
        &cast.client.domain, &origin, 1, stable, &prepared, 1);
    struct pbft_digest digest = message->view_change.digest;
    pbft_message_unref(stable);
    pbft_message_unref(batch);
    pbft_message_unref(header);
    pbft_message_unref(prepared);
    pbft_message_unref(message);
    return digest;
}

static void test_view_change_covers_each_vote(void **state)
{
    (void)state;
    const struct pbft_vote base = {.replica = 1};
    const struct pbft_vote others[] = {{.replica = 2},
                                       {.replica = 1, .incarnation = 1},
                                       {.replica = 1, .signature = {{1}}}};
    struct pbft_digest expected = view_change_digest(base);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct pbft_digest digest = view_change_digest(others[i]);
        assert_memory_not_equal(&digest, &expected, sizeof digest);
    }
}

static void test_status_with_all_bits_fits(void **state)
{
    (void)state;
    const struct pbft_origin origin = {.epoch = 1};
    const uint64_t bits[PBFT_STATUS_WORDS_MAX] = {0};
    const struct pbft_status_report status = {
        .prepared_bits = bits, .prepared_words = PBFT_STATUS_WORDS_MAX};
    struct pbft_preimage out;
    struct pbft_message *message = pbft_status_create(&origin, &status);

    pbft_message_preimage(&cast.client.domain, message, &out);

    assert_true(out.size > PBFT_WINDOW_MAX / 8);
    assert_true(out.size <= PBFT_PREIMAGE_MAX);
    pbft_message_unref(message);
}

int main(void)
{
    cast_init(&cast, 4);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_golden_bytes),
        cmocka_unit_test(test_request_golden_bytes),
        cmocka_unit_test(test_attestation_golden_size_and_order),
        cmocka_unit_test(test_answer_golden_bytes),
        cmocka_unit_test(test_no_two_kinds_share_a_tag),
        cmocka_unit_test(test_every_kind_binds_origin_and_cluster),
        cmocka_unit_test(test_certificate_votes_sign_what_messages_sign),
        cmocka_unit_test(test_batch_digest_covers_time_order_and_content),
        cmocka_unit_test(test_null_digest_is_that_of_the_null_batch),
        cmocka_unit_test(test_request_digest_covers_the_signature),
        cmocka_unit_test(test_view_change_covers_each_vote),
        cmocka_unit_test(test_status_with_all_bits_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
