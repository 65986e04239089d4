/* SPDX-License-Identifier: Apache-2.0 */
/* What pbft_verify() lets through, and each reason to refuse. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "tests/support/cast.h"

static struct cast cast;

static int prepare_cast(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    return 0;
}

/* Verifies and gives the message back. It comes from its sender. */
static enum pbft_status judge(struct pbft_message *message)
{
    enum pbft_status status =
        pbft_verify(&cast.verifier, message->sender, message);
    pbft_message_unref(message);
    return status;
}

static struct pbft_origin origin(pbft_replica_id sender)
{
    return (struct pbft_origin){.sender = sender, .epoch = 1};
}

static struct pbft_message *signed_by(pbft_replica_id signer,
                                      struct pbft_message *message)
{
    pbft_message_sign(&cast.replicas[signer].domain, message);
    return message;
}

static struct pbft_message *pre_prepare(pbft_view view, pbft_seq seq)
{
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 2);
    struct pbft_message *message = cast_pre_prepare(&cast, view, seq, batch);
    pbft_message_unref(batch);
    return message;
}

static void test_request(void **state)
{
    (void)state;
    assert_int_equal(judge(cast_request(&cast, 1, "p")), PBFT_OK);

    struct pbft_message *forged = cast_request(&cast, 1, "p");
    forged->request.signature.bytes[5] ^= 1;
    assert_int_equal(judge(forged), PBFT_BAD_SIGNATURE);

    assert_int_equal(judge(cast_request(&cast, 0, "p")), PBFT_MALFORMED);

    struct pbft_message *lane = cast_request(&cast, 1, "p");
    lane->request.lane = (enum pbft_lane)2;
    assert_int_equal(judge(lane), PBFT_MALFORMED);

    struct pbft_message *large = cast_request(&cast, 1, "p");
    large->request.payload.size = PBFT_REQUEST_BYTES_MAX + 1;
    assert_int_equal(judge(large), PBFT_TOO_LARGE);
}

static void test_request_names_its_channel(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    struct pbft_message *relayed = pbft_message_handed_over(request, 2);

    assert_int_equal(pbft_verify(&cast.verifier, 2, relayed), PBFT_OK);
    assert_int_equal(pbft_verify(&cast.verifier, 1, relayed), PBFT_NOT_MEMBER);
    assert_int_equal(pbft_verify(&cast.verifier, 1, request), PBFT_NOT_MEMBER);
    pbft_message_unref(request);
    pbft_message_unref(relayed);
}

struct cache {
    struct pbft_digest known;
    int remembered;
};

static bool is_known(const void *context, const struct pbft_digest *digest)
{
    const struct cache *cache = context;
    return memcmp(&cache->known, digest, sizeof *digest) == 0;
}

static struct cache cache;

static void remember(const void *context, const struct pbft_digest *digest)
{
    (void)context;
    cache.known = *digest;
    cache.remembered++;
}

static void test_request_is_verified_once(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    cache = (struct cache){.remembered = 0};
    cast.verifier.cache_context = &cache;
    cast.verifier.is_request_known = is_known;
    cast.verifier.remember_request = remember;

    assert_int_equal(pbft_verify(&cast.verifier, PBFT_SENDER_CLIENT, request),
                     PBFT_OK);
    assert_int_equal(pbft_verify(&cast.verifier, PBFT_SENDER_CLIENT, request),
                     PBFT_OK);

    assert_int_equal(cache.remembered, 1);
    pbft_message_unref(request);
}

static void test_pre_prepare(void **state)
{
    (void)state;
    assert_int_equal(judge(pre_prepare(0, 1)), PBFT_OK);
    assert_int_equal(judge(pre_prepare(0, 0)), PBFT_MALFORMED);

    struct pbft_message *forged = pre_prepare(0, 1);
    forged->pre_prepare.view = 4;
    assert_int_equal(judge(forged), PBFT_BAD_SIGNATURE);

    struct pbft_message *swapped = pre_prepare(0, 1);
    swapped->pre_prepare.digest.bytes[0] ^= 1;
    assert_int_equal(judge(swapped), PBFT_BAD_DIGEST);
}

static void test_pre_prepare_with_a_forged_request(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    request->request.signature.bytes[0] ^= 1;
    const struct pbft_message *list[] = {request};
    struct pbft_message *batch =
        pbft_batch_create(&cast.client.domain, 9, list, 1);
    struct pbft_message *message = cast_pre_prepare(&cast, 0, 1, batch);
    pbft_message_unref(request);
    pbft_message_unref(batch);

    assert_int_equal(judge(message), PBFT_BAD_SIGNATURE);
}

static void test_batch(void **state)
{
    (void)state;
    assert_int_equal(judge(cast_batch(&cast, 9, 1, 2)), PBFT_OK);
    assert_int_equal(judge(cast_batch(&cast, 0, 1, 0)), PBFT_OK);
    assert_int_equal(judge(cast_batch(&cast, 0, 1, 1)), PBFT_MALFORMED);

    struct pbft_message *large = cast_batch(&cast, 9, 1, 1);
    large->batch.bytes = PBFT_BATCH_BYTES_MAX + 1;
    assert_int_equal(judge(large), PBFT_TOO_LARGE);
}

static void test_vote_and_signer(void **state)
{
    (void)state;
    const struct pbft_digest digest = {{1}};
    assert_int_equal(
        judge(cast_vote(&cast, PBFT_MESSAGE_PREPARE, 1, 0, 1, &digest)),
        PBFT_OK);
    assert_int_equal(
        judge(cast_vote(&cast, PBFT_MESSAGE_COMMIT, 3, 0, 1, &digest)),
        PBFT_OK);
    assert_int_equal(
        judge(cast_vote(&cast, PBFT_MESSAGE_COMMIT, 3, 0, 0, &digest)),
        PBFT_MALFORMED);

    struct pbft_message *stolen =
        cast_vote(&cast, PBFT_MESSAGE_COMMIT, 3, 0, 1, &digest);
    stolen->sender = 2;
    assert_int_equal(judge(stolen), PBFT_BAD_SIGNATURE);

    struct pbft_message *stranger =
        cast_vote(&cast, PBFT_MESSAGE_COMMIT, 3, 0, 1, &digest);
    stranger->sender = 4;
    assert_int_equal(judge(stranger), PBFT_NOT_MEMBER);
}

static void test_another_epoch(void **state)
{
    (void)state;
    const struct pbft_digest digest = {{1}};
    struct pbft_message *vote =
        cast_vote(&cast, PBFT_MESSAGE_COMMIT, 3, 0, 1, &digest);
    cast.keyring.epoch = 2;
    assert_int_equal(pbft_verify(&cast.verifier, 3, vote), PBFT_NOT_MEMBER);
    pbft_message_unref(vote);
}

static void test_attestation(void **state)
{
    (void)state;
    assert_int_equal(judge(cast_attestation(&cast, 2, 8)), PBFT_OK);
    assert_int_equal(judge(cast_attestation(&cast, 2, 0)), PBFT_MALFORMED);
    struct pbft_message *changed = cast_attestation(&cast, 2, 8);
    changed->attestation.results_root.bytes[9] ^= 1;
    assert_int_equal(judge(changed), PBFT_BAD_SIGNATURE);
}

static void test_fetch(void **state)
{
    (void)state;
    const struct {
        struct pbft_fetch fields;
        enum pbft_status expected;
    } rows[] = {
        {{.kind = PBFT_FETCH_BODY, .seq = 1}, PBFT_OK},
        {{.kind = PBFT_FETCH_BLOCKS, .seq = 1, .last = 64}, PBFT_OK},
        {{.kind = PBFT_FETCH_BLOCKS, .seq = 1, .last = 65}, PBFT_TOO_LARGE},
        {{.kind = PBFT_FETCH_BLOCKS, .seq = 2, .last = UINT64_MAX},
         PBFT_TOO_LARGE},
        {{.kind = PBFT_FETCH_BLOCKS, .seq = 2, .last = 1}, PBFT_MALFORMED},
        {{.kind = PBFT_FETCH_BLOCKS, .seq = 0, .last = 1}, PBFT_MALFORMED},
        {{.kind = (enum pbft_fetch_kind)0}, PBFT_MALFORMED},
        {{.kind = (enum pbft_fetch_kind)6}, PBFT_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pbft_origin from = origin(1);
        struct pbft_message *message =
            signed_by(1, pbft_fetch_create(&from, &rows[i].fields));
        assert_int_equal(judge(message), rows[i].expected);
    }
}

static void test_status(void **state)
{
    (void)state;
    struct pbft_origin from = origin(2);
    struct pbft_status_report fields = {.version_min = 1, .version_max = 1};
    assert_int_equal(judge(signed_by(2, pbft_status_create(&from, &fields))),
                     PBFT_OK);
    fields.version_min = 2;
    assert_int_equal(judge(signed_by(2, pbft_status_create(&from, &fields))),
                     PBFT_MALFORMED);
    fields.version_min = 1;
    struct pbft_message *large =
        signed_by(2, pbft_status_create(&from, &fields));
    large->status.prepared_words = PBFT_STATUS_WORDS_MAX + 1;
    assert_int_equal(judge(large), PBFT_TOO_LARGE);
}

/* Old ones of somebody else, sent again: they would use up his budget, or count
 * as his answer to a question that he never saw. */
static void test_status_and_fetch_come_from_their_signer(void **state)
{
    (void)state;
    const struct pbft_origin from = origin(2);
    const struct pbft_status_report report = {.version_min = 1,
                                              .version_max = 1};
    const struct pbft_fetch wanted = {.kind = PBFT_FETCH_BODY, .seq = 1};
    struct pbft_message *status =
        signed_by(2, pbft_status_create(&from, &report));
    struct pbft_message *fetch =
        signed_by(2, pbft_fetch_create(&from, &wanted));

    assert_int_equal(pbft_verify(&cast.verifier, 2, status), PBFT_OK);
    assert_int_equal(pbft_verify(&cast.verifier, 3, status), PBFT_NOT_MEMBER);
    assert_int_equal(pbft_verify(&cast.verifier, 2, fetch), PBFT_OK);
    assert_int_equal(pbft_verify(&cast.verifier, 3, fetch), PBFT_NOT_MEMBER);
    pbft_message_unref(status);
    pbft_message_unref(fetch);
}

/* Who is not the primary cannot make us verify a batch of requests. */
static void test_only_a_primary_signs_pre_prepares(void **state)
{
    (void)state;
    struct pbft_message *right = pre_prepare(1, 1);
    struct pbft_origin from = origin(2);
    assert_int_equal(right->sender, 1);
    assert_int_equal(
        judge(signed_by(2, pbft_pre_prepare_create(&from, 1, 1,
                                                   &right->pre_prepare.digest,
                                                   right->pre_prepare.body))),
        PBFT_MALFORMED);
    assert_int_equal(judge(right), PBFT_OK);
}

static enum pbft_status judge_certificate(enum pbft_message_type type,
                                          pbft_view view,
                                          const pbft_replica_id *signers,
                                          uint32_t count)
{
    struct pbft_message *header = pre_prepare(view, 3);
    struct pbft_message *message =
        cast_certificate(&cast, type, header, signers, count);
    pbft_message_unref(header);
    return judge(message);
}

static void test_prepared_certificate(void **state)
{
    (void)state;
    const enum pbft_message_type type = PBFT_MESSAGE_PREPARED;
    const pbft_replica_id good[] = {1, 2, 3};
    const pbft_replica_id twice[] = {1, 1};
    const pbft_replica_id primary[] = {0, 1};
    assert_int_equal(judge_certificate(type, 0, good, 2), PBFT_OK);
    assert_int_equal(judge_certificate(type, 0, good, 3), PBFT_OK);
    assert_int_equal(judge_certificate(type, 0, good, 1), PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge_certificate(type, 0, twice, 2),
                     PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge_certificate(type, 0, primary, 2),
                     PBFT_BAD_CERTIFICATE);
}

static void test_committed_certificate(void **state)
{
    (void)state;
    const enum pbft_message_type type = PBFT_MESSAGE_COMMITTED;
    const pbft_replica_id good[] = {0, 1, 3};
    const pbft_replica_id twice[] = {0, 1, 1};
    assert_int_equal(judge_certificate(type, 0, good, 3), PBFT_OK);
    assert_int_equal(judge_certificate(type, 0, good, 2), PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge_certificate(type, 0, twice, 3),
                     PBFT_BAD_CERTIFICATE);
}

static void test_certificate_with_a_forged_part(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {0, 1, 3};
    struct pbft_message *header = pre_prepare(0, 3);
    struct pbft_message *good =
        cast_certificate(&cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    struct pbft_vote votes[3];
    memcpy(votes, good->committed.votes, sizeof votes);
    pbft_message_unref(good);

    votes[2].signature.bytes[0] ^= 1;
    assert_int_equal(judge(pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1,
                                                   header, votes, 3)),
                     PBFT_BAD_SIGNATURE);
    votes[2].signature.bytes[0] ^= 1;
    votes[2].replica = 4;
    assert_int_equal(judge(pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1,
                                                   header, votes, 3)),
                     PBFT_NOT_MEMBER);
    votes[2].replica = 3;
    assert_int_equal(judge(pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 2,
                                                   header, votes, 3)),
                     PBFT_NOT_MEMBER);
    /* Commits do not pass for prepares. */
    assert_int_equal(judge(pbft_certificate_create(PBFT_MESSAGE_PREPARED, 0, 1,
                                                   header, votes + 1, 2)),
                     PBFT_BAD_SIGNATURE);
    header->signature.bytes[0] ^= 1;
    assert_int_equal(judge(pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1,
                                                   header, votes, 3)),
                     PBFT_BAD_SIGNATURE);
    pbft_message_unref(header);
}

static void test_certificate_of_a_wrong_primary(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {0, 1, 3};
    struct pbft_digest digest = {{1}};
    struct pbft_origin from = origin(2); /* View 0 belongs to replica 0. */
    struct pbft_message *header =
        signed_by(2, pbft_pre_prepare_create(&from, 0, 3, &digest, NULL));
    struct pbft_message *message =
        cast_certificate(&cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    pbft_message_unref(header);

    assert_int_equal(judge(message), PBFT_BAD_CERTIFICATE);
}

static void test_stable(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {0, 2, 3};
    const pbft_replica_id twice[] = {0, 2, 2};
    assert_int_equal(judge(cast_stable(&cast, 8, signers, 3)), PBFT_OK);
    assert_int_equal(judge(cast_stable(&cast, 8, signers, 2)),
                     PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge(cast_stable(&cast, 8, twice, 3)),
                     PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge(cast_stable(&cast, 0, signers, 0)), PBFT_OK);
    assert_int_equal(judge(cast_stable(&cast, 0, signers, 3)),
                     PBFT_BAD_CERTIFICATE);
}

static void test_attested_needs_a_weak_quorum(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {0, 2, 3};
    for (uint32_t count = 0; count <= 3; count++) {
        struct pbft_message *proof = cast_stable(&cast, 8, signers, count);
        assert_int_equal(pbft_verify_attested(&cast.verifier, &proof->stable),
                         count >= 2 ? PBFT_OK : PBFT_BAD_CERTIFICATE);
        pbft_message_unref(proof);
    }
    struct pbft_message *genesis = cast_stable(&cast, 0, signers, 0);
    assert_int_equal(pbft_verify_attested(&cast.verifier, &genesis->stable),
                     PBFT_BAD_CERTIFICATE);
    pbft_message_unref(genesis);
}

/* Any n: the certificate needs P1's quorum, not 2f + 1. */
static void test_quorum_of_every_size(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {0, 1, 2, 3,  4,  5, 6,
                                       7, 8, 9, 10, 11, 12};
    for (uint32_t n = 1; n <= 13; n++) {
        cast_init(&cast, n);
        uint32_t quorum = pbft_quorum(n);
        assert_int_equal(judge(cast_stable(&cast, 8, signers, quorum)),
                         PBFT_OK);
        assert_int_equal(judge(cast_stable(&cast, 8, signers, quorum - 1)),
                         PBFT_BAD_CERTIFICATE);
    }
}

static struct pbft_message *view_change(pbft_view view, pbft_view cert_view,
                                        pbft_seq seq, uint32_t votes)
{
    const pbft_replica_id signers[] = {1, 2, 3};
    struct pbft_message *stable = cast_stable(&cast, 0, signers, 0);
    struct pbft_message *header = pre_prepare(cert_view, seq);
    const struct pbft_message *prepared =
        cast_certificate(&cast, PBFT_MESSAGE_PREPARED, header, signers, votes);
    struct pbft_origin from = origin(3);
    struct pbft_message *message =
        signed_by(3, pbft_view_change_create(&cast.replicas[3].domain, &from,
                                             view, stable, &prepared, 1));
    pbft_message_unref(stable);
    pbft_message_unref(header);
    pbft_message_unref(prepared);
    return message;
}

static void test_view_change(void **state)
{
    (void)state;
    assert_int_equal(judge(view_change(1, 0, 3, 2)), PBFT_OK);
    /* An element that proves nothing does not discard the message (P6). */
    assert_int_equal(judge(view_change(1, 0, 3, 1)), PBFT_OK);
    assert_int_equal(judge(view_change(0, 0, 3, 2)), PBFT_MALFORMED);
    assert_int_equal(judge(view_change(1, 1, 3, 2)), PBFT_MALFORMED);
    assert_int_equal(judge(view_change(1, 0, 0, 2)), PBFT_MALFORMED);
    assert_int_equal(judge(view_change(1, 0, cast.verifier.window, 2)),
                     PBFT_OK);
    assert_int_equal(judge(view_change(1, 0, cast.verifier.window + 1, 2)),
                     PBFT_MALFORMED);
    assert_int_equal(judge(view_change(UINT64_MAX, 0, UINT64_MAX, 2)),
                     PBFT_MALFORMED);

    struct pbft_message *forged = view_change(1, 0, 3, 2);
    forged->view_change.view = 2;
    assert_int_equal(judge(forged), PBFT_BAD_SIGNATURE);
}

static void test_view_change_with_unproved_checkpoint(void **state)
{
    (void)state;
    const pbft_replica_id signers[] = {1, 2};
    struct pbft_message *stable = cast_stable(&cast, 8, signers, 2);
    struct pbft_origin from = origin(3);
    struct pbft_message *message =
        signed_by(3, pbft_view_change_create(&cast.replicas[3].domain, &from, 1,
                                             stable, NULL, 0));
    pbft_message_unref(stable);

    assert_int_equal(judge(message), PBFT_BAD_CERTIFICATE);
}

static enum pbft_status judge_new_view(pbft_view view, pbft_replica_id sender,
                                       const pbft_replica_id *named,
                                       uint32_t count, pbft_view header_view,
                                       pbft_seq second)
{
    struct pbft_new_view_source sources[8] = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        sources[i].replica = named[i];
    }
    struct pbft_message *full[] = {pre_prepare(header_view, 1),
                                   pre_prepare(header_view, second)};
    const struct pbft_message *headers[] = {
        pbft_pre_prepare_with_body(full[0], NULL),
        pbft_pre_prepare_with_body(full[1], NULL)};
    struct pbft_origin from = origin(sender);
    struct pbft_message *message = signed_by(
        sender, pbft_new_view_create(&from, view, sources, count, headers, 2));
    for (size_t i = 0; i < 2; i++) {
        pbft_message_unref(full[i]);
        pbft_message_unref(headers[i]);
    }
    return judge(message);
}

static void test_new_view(void **state)
{
    (void)state;
    const pbft_replica_id good[] = {0, 2, 1, 3};
    const pbft_replica_id twice[] = {0, 2, 2};
    const pbft_replica_id stranger[] = {0, 2, 4};
    assert_int_equal(judge_new_view(1, 1, good, 3, 1, 2), PBFT_OK);
    assert_int_equal(judge_new_view(1, 1, good, 2, 1, 2), PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge_new_view(1, 1, twice, 3, 1, 2),
                     PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge_new_view(1, 1, stranger, 3, 1, 2), PBFT_NOT_MEMBER);
    assert_int_equal(judge_new_view(1, 2, good, 3, 1, 2), PBFT_MALFORMED);
    assert_int_equal(judge_new_view(0, 0, good, 3, 0, 2), PBFT_MALFORMED);
    assert_int_equal(judge_new_view(5, 1, good, 3, 1, 2), PBFT_MALFORMED);
    assert_int_equal(judge_new_view(1, 1, good, 3, 1, 3), PBFT_MALFORMED);
}

static void test_unknown_type(void **state)
{
    (void)state;
    struct pbft_message *message = cast_attestation(&cast, 1, 1);
    message->type = (enum pbft_message_type)77;
    assert_int_equal(pbft_verify(&cast.verifier, 1, message), PBFT_MALFORMED);
    assert_int_equal(pbft_verify_certificate(&cast.verifier, message),
                     PBFT_MALFORMED);
    message->type = PBFT_MESSAGE_ATTESTATION;
    pbft_message_unref(message);
}

/* Votes and questions prove nothing by themselves, in whatever frame. */
static void test_only_certificates_are_certificates(void **state)
{
    (void)state;
    struct pbft_message *message = cast_attestation(&cast, 1, 1);
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        if (type < PBFT_MESSAGE_PREPARED || type > PBFT_MESSAGE_STABLE) {
            message->type = (enum pbft_message_type)type;
            assert_int_equal(pbft_verify_certificate(&cast.verifier, message),
                             PBFT_MALFORMED);
        }
    }
    message->type = PBFT_MESSAGE_ATTESTATION;
    assert_int_equal(judge(message), PBFT_OK);
}

#define ROW(test) cmocka_unit_test_setup(test, prepare_cast)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_request),
        ROW(test_request_names_its_channel),
        ROW(test_request_is_verified_once),
        ROW(test_pre_prepare),
        ROW(test_pre_prepare_with_a_forged_request),
        ROW(test_batch),
        ROW(test_vote_and_signer),
        ROW(test_another_epoch),
        ROW(test_attestation),
        ROW(test_fetch),
        ROW(test_status),
        ROW(test_status_and_fetch_come_from_their_signer),
        ROW(test_only_a_primary_signs_pre_prepares),
        ROW(test_prepared_certificate),
        ROW(test_committed_certificate),
        ROW(test_certificate_with_a_forged_part),
        ROW(test_certificate_of_a_wrong_primary),
        ROW(test_stable),
        ROW(test_attested_needs_a_weak_quorum),
        ROW(test_quorum_of_every_size),
        ROW(test_view_change),
        ROW(test_view_change_with_unproved_checkpoint),
        ROW(test_new_view),
        ROW(test_unknown_type),
        ROW(test_only_certificates_are_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
