/* SPDX-License-Identifier: Apache-2.0 */
/* Replies to clients: an outcome carries the path that proves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/merkle.h"
#include "node/reply.h"
#include "proto/codec_limits.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "tests/support/cast.h"

#define REQUESTS 5

struct fixture {
    struct cast cast;
    struct wire_arena arena;
    struct wire_buffer buffer;
    struct results_transaction transactions[2];
    struct results_request requests[REQUESTS];
    struct results_block block;
    struct pbft_digest *leaves;
    struct pbft_digest root;
    struct pbft_message *proof;
};

static int setup(void **state)
{
    const pbft_replica_id signers[2] = {0, 1};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    cast_init(&fixture->cast, 4);
    wire_arena_init(&fixture->arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&fixture->buffer, WIRE_FRAME_BYTES_MAX);
    memset(fixture->transactions, 7, sizeof fixture->transactions);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        memset(&fixture->requests[i].digest, (int)i + 1, PBFT_DIGEST_SIZE);
        fixture->requests[i].transaction_count = 2;
        fixture->requests[i].transactions = fixture->transactions;
    }
    fixture->block = (struct results_block){
        .seq = 9, .request_count = REQUESTS, .requests = fixture->requests};
    assert_int_equal(results_request_leaves(&fixture->leaves, &fixture->block),
                     PBFT_OK);
    merkle_root(&fixture->root, fixture->leaves, REQUESTS);
    fixture->proof = cast_stable(&fixture->cast, 9, signers, 2);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    pbft_message_unref(fixture->proof);
    free(fixture->leaves);
    wire_arena_deinit(&fixture->arena);
    wire_buffer_deinit(&fixture->buffer);
    free(fixture);
    return 0;
}

static const Salus__V1__ClientReply *decode(struct fixture *fixture)
{
    ProtobufCMessage *decoded = NULL;
    assert_int_equal(wire_unpack_strict(&salus__v1__client_reply__descriptor,
                                        wire_buffer_bytes(&fixture->buffer),
                                        &fixture->arena, &decoded),
                     PBFT_OK);
    return (const Salus__V1__ClientReply *)decoded;
}

static const Salus__V1__Outcome *outcome_of(struct fixture *fixture,
                                            uint32_t index,
                                            const struct pbft_request *request)
{
    const struct reply_block block = {.results = &fixture->block,
                                      .leaves = fixture->leaves,
                                      .proof = fixture->proof};
    wire_buffer_reset(&fixture->buffer);
    assert_int_equal(reply_outcome(&fixture->buffer, &fixture->arena, &block,
                                   index, request),
                     PBFT_OK);
    const Salus__V1__ClientReply *reply = decode(fixture);
    assert_int_equal(reply->version, 1);
    assert_int_equal(reply->kind_case, SALUS__V1__CLIENT_REPLY__KIND_OUTCOME);
    return reply->outcome;
}

static void test_each_path_leads_to_the_root(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t index = 0; index < REQUESTS; index++) {
        struct pbft_digest path[MERKLE_PATH_MAX];
        const Salus__V1__Outcome *outcome = outcome_of(fixture, index, NULL);
        assert_int_equal(outcome->request_index, index);
        assert_int_equal(outcome->request_count, REQUESTS);
        assert_int_equal(outcome->n_transactions, 2);
        for (size_t i = 0; i < outcome->n_path; i++) {
            memcpy(path[i].bytes, outcome->path[i].data, PBFT_DIGEST_SIZE);
        }
        assert_int_equal(merkle_verify(&fixture->root, &fixture->leaves[index],
                                       index, REQUESTS, path, outcome->n_path),
                         PBFT_OK);
    }
}

static void test_outcome_carries_the_proof_of_the_block(void **state)
{
    struct fixture *fixture = *state;
    const Salus__V1__Outcome *outcome = outcome_of(fixture, 0, NULL);
    assert_int_equal(outcome->block->attestation->seq, 9);
    assert_int_equal(outcome->block->n_votes, 2);
    assert_int_equal(outcome->block->votes[1]->replica, 1);
    assert_null(outcome->request);
}

static void test_lookup_gets_the_request_as_signed(void **state)
{
    struct fixture *fixture = *state;
    struct pbft_message *request = cast_request(&fixture->cast, 3, "payload");
    const Salus__V1__Outcome *outcome =
        outcome_of(fixture, 1, &request->request);
    assert_non_null(outcome->request);
    assert_int_equal(outcome->request->sequence, 3);
    assert_memory_equal(outcome->request->signature.data,
                        request->request.signature.bytes, PBFT_SIGNATURE_SIZE);
    pbft_message_unref(request);
}

static void test_refusals_say_whether_to_try_again(void **state)
{
    struct fixture *fixture = *state;
    for (int code = REPLY_MALFORMED; code <= REPLY_SYNCING; code++) {
        wire_buffer_reset(&fixture->buffer);
        assert_int_equal(
            reply_refusal(&fixture->buffer, (enum reply_code)code, 0), PBFT_OK);
        const Salus__V1__Refusal *refusal = decode(fixture)->refusal;
        bool again = code == REPLY_BUSY || code == REPLY_SYNCING ||
                     code == REPLY_STOPPING;
        assert_int_equal(refusal->code, code);
        assert_int_equal(refusal->retry_after_ms > 0, again);
        assert_true(strlen(refusal->text) > 0);
    }
}

static void test_inadmissible_names_the_ledger_code(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(reply_refusal(&fixture->buffer, REPLY_INADMISSIBLE, 104),
                     PBFT_OK);
    assert_int_equal(decode(fixture)->refusal->ledger_code, 104);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_path_leads_to_the_root),
        TEST(test_outcome_carries_the_proof_of_the_block),
        TEST(test_lookup_gets_the_request_as_signed),
        TEST(test_refusals_say_whether_to_try_again),
        TEST(test_inadmissible_names_the_ledger_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
