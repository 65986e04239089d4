/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, sizes, members and incarnations that pbft_verify() refuses before it
 * looks at what they count: each row changes one field of a good message. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "tests/support/cast.h"

static struct cast cast;
static const pbft_replica_id signers[] = {1, 2, 3, 0, 1};

static int prepare_cast(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    return 0;
}

static struct pbft_message *signed_by(pbft_replica_id signer,
                                      struct pbft_message *message)
{
    pbft_message_sign(&cast.replicas[signer].domain, message);
    return message;
}

static struct pbft_message *proposal(pbft_view view, pbft_seq seq)
{
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 2);
    struct pbft_message *message = cast_pre_prepare(&cast, view, seq, batch);
    pbft_message_unref(batch);
    return message;
}

static struct pbft_message *certificate(enum pbft_message_type type,
                                        uint32_t votes)
{
    struct pbft_message *header = proposal(0, 3);
    struct pbft_message *message =
        cast_certificate(&cast, type, header, signers, votes);
    pbft_message_unref(header);
    return message;
}

/* A test may change what it made itself. */
static struct pbft_message *own(const struct pbft_message *message)
{
    return (struct pbft_message *)message;
}

/* ---- certificates ---------------------------------------------------------
 */

static enum pbft_status judge_certificate(const struct pbft_message *message)
{
    enum pbft_status status = pbft_verify_certificate(&cast.verifier, message);
    pbft_message_unref(message);
    return status;
}

static void test_no_more_votes_than_replicas(void **state)
{
    (void)state;
    assert_int_equal(judge_certificate(certificate(PBFT_MESSAGE_COMMITTED, 5)),
                     PBFT_BAD_CERTIFICATE);
}

static void test_a_stranger_signs_no_header(void **state)
{
    (void)state;
    struct pbft_message *message = certificate(PBFT_MESSAGE_PREPARED, 2);
    own(message->prepared.pre_prepare)->sender = 4;
    assert_int_equal(judge_certificate(message), PBFT_NOT_MEMBER);
}

static void test_a_body_beyond_the_limit(void **state)
{
    (void)state;
    struct pbft_message *message = certificate(PBFT_MESSAGE_COMMITTED, 3);
    const struct pbft_message *header = message->committed.pre_prepare;
    own(header->pre_prepare.body)->batch.bytes = PBFT_BATCH_BYTES_MAX + 1;
    assert_int_equal(judge_certificate(message), PBFT_TOO_LARGE);
}

static void test_a_batch_with_too_many_requests(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 2);
    batch->batch.request_count = PBFT_BATCH_REQUESTS_MAX + 1;
    assert_int_equal(pbft_verify(&cast.verifier, 0, batch), PBFT_TOO_LARGE);
    batch->batch.request_count = 2;
    pbft_message_unref(batch);
}

/* ---- view-change ----------------------------------------------------------
 */

static struct pbft_message *view_change(const struct pbft_message *stable,
                                        const struct pbft_message *prepared)
{
    const struct pbft_origin from = {.sender = 3, .epoch = 1};
    struct pbft_message *message =
        signed_by(3, pbft_view_change_create(&cast.replicas[3].domain, &from, 1,
                                             stable, &prepared, 1));
    pbft_message_unref(stable);
    pbft_message_unref(prepared);
    return message;
}

static enum pbft_status judge(const struct pbft_message *message,
                              uint32_t window)
{
    struct pbft_verifier verifier = cast.verifier;
    verifier.window = window;
    enum pbft_status status = pbft_verify(&verifier, message->sender, message);
    pbft_message_unref(message);
    return status;
}

static void test_a_view_change_lists_a_window_at_most(void **state)
{
    (void)state;
    const uint32_t window = cast.verifier.window;
    assert_int_equal(judge(view_change(cast_stable(&cast, 0, NULL, 0),
                                       certificate(PBFT_MESSAGE_PREPARED, 2)),
                           window),
                     PBFT_OK);
    assert_int_equal(judge(view_change(cast_stable(&cast, 0, NULL, 0),
                                       certificate(PBFT_MESSAGE_PREPARED, 2)),
                           0),
                     PBFT_TOO_LARGE);
}

static void test_a_view_change_holds_nothing_else(void **state)
{
    (void)state;
    const uint32_t window = cast.verifier.window;
    struct pbft_message *message = view_change(
        cast_stable(&cast, 0, NULL, 0), certificate(PBFT_MESSAGE_PREPARED, 2));
    own(message->view_change.stable)->type = PBFT_MESSAGE_ATTESTATION;
    assert_int_equal(pbft_verify(&cast.verifier, 3, message), PBFT_MALFORMED);
    own(message->view_change.stable)->type = PBFT_MESSAGE_STABLE;
    own(message->view_change.prepared[0])->type = PBFT_MESSAGE_COMMITTED;
    assert_int_equal(judge(message, window), PBFT_MALFORMED);
}

/* ---- new-view -------------------------------------------------------------
 */

/* Takes over the reference; it goes in without its body. */
static struct pbft_message *new_view_with(const struct pbft_message *full)
{
    struct pbft_new_view_source sources[3] = {
        {.replica = 0}, {.replica = 1}, {.replica = 2}};
    const struct pbft_message *header = pbft_pre_prepare_with_body(full, NULL);
    const struct pbft_origin from = {.sender = 1, .epoch = 1};
    struct pbft_message *message =
        signed_by(1, pbft_new_view_create(&from, 1, sources, 3, &header, 1));
    pbft_message_unref(full);
    pbft_message_unref(header);
    return message;
}

static struct pbft_message *new_view(void)
{
    return new_view_with(proposal(1, 1));
}

static struct pbft_message *header_of(const struct pbft_message *message)
{
    return own(message->new_view.pre_prepares[0]);
}

static void test_a_new_view_lists_a_window_at_most(void **state)
{
    (void)state;
    assert_int_equal(judge(new_view(), cast.verifier.window), PBFT_OK);
    assert_int_equal(judge(new_view(), 0), PBFT_TOO_LARGE);
}

static void test_a_new_view_names_each_replica_once_at_most(void **state)
{
    (void)state;
    struct pbft_new_view_source sources[5] = {{0}};
    const struct pbft_origin from = {.sender = 1, .epoch = 1};
    struct pbft_message *message =
        signed_by(1, pbft_new_view_create(&from, 1, sources, 5, NULL, 0));
    assert_int_equal(judge(message, cast.verifier.window), PBFT_TOO_LARGE);
}

static void test_a_header_of_a_new_view_is_the_primary_s(void **state)
{
    const uint32_t window = cast.verifier.window;
    (void)state;
    struct pbft_message *message = new_view();
    header_of(message)->type = PBFT_MESSAGE_PREPARE;
    assert_int_equal(pbft_verify(&cast.verifier, 1, message), PBFT_MALFORMED);
    header_of(message)->type = PBFT_MESSAGE_PRE_PREPARE;
    assert_int_equal(judge(message, window), PBFT_OK);
    const struct pbft_digest digest = {{7}};
    const struct pbft_origin from = {.sender = 2, .epoch = 1};
    assert_int_equal(
        judge(new_view_with(signed_by(
                  2, pbft_pre_prepare_create(&from, 1, 1, &digest, NULL))),
              window),
        PBFT_MALFORMED);
    assert_int_equal(judge(new_view_with(proposal(1, 0)), window),
                     PBFT_MALFORMED);
    /* Its own signature does not stand for those of its headers. */
    struct pbft_message *forged = proposal(1, 1);
    forged->signature.bytes[3] ^= 1;
    assert_int_equal(judge(new_view_with(forged), window), PBFT_BAD_SIGNATURE);
}

static void test_a_header_of_a_new_view_has_no_body(void **state)
{
    (void)state;
    struct pbft_new_view_source sources[3] = {
        {.replica = 0}, {.replica = 1}, {.replica = 2}};
    const struct pbft_message *full = proposal(1, 1);
    const struct pbft_origin from = {.sender = 1, .epoch = 1};
    struct pbft_message *message =
        signed_by(1, pbft_new_view_create(&from, 1, sources, 3, &full, 1));
    pbft_message_unref(full);
    assert_int_equal(judge(message, cast.verifier.window), PBFT_MALFORMED);
}

#define ROW(test) cmocka_unit_test_setup(test, prepare_cast)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_no_more_votes_than_replicas),
        ROW(test_a_stranger_signs_no_header),
        ROW(test_a_body_beyond_the_limit),
        ROW(test_a_batch_with_too_many_requests),
        ROW(test_a_view_change_lists_a_window_at_most),
        ROW(test_a_view_change_holds_nothing_else),
        ROW(test_a_new_view_lists_a_window_at_most),
        ROW(test_a_new_view_names_each_replica_once_at_most),
        ROW(test_a_header_of_a_new_view_is_the_primary_s),
        ROW(test_a_header_of_a_new_view_has_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
