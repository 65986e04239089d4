/* SPDX-License-Identifier: Apache-2.0 */
/* What a lookup is told if the proof of its block comes just then, or never.
 * The gateway is replaced, and so is what the core reports. */
#include "node/node_private.h"
#include "proto/codec_limits.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "tests/support/storage.h"

#define SEQ 1u
#define REQUESTS 2u
#define CALL 77u

void __wrap_node_report(struct node *reporting, struct pbft_report *out);
void __wrap_net_gateway_reply(struct net_gateway *gateway, uint64_t call,
                              struct pbft_bytes bytes);

static struct storage_fixture *fixture;
static struct node node;
static struct node_scratch scratch;
static struct pbft_message *proof;
static struct wire_arena arena;
static const Salus__V1__ClientReply *reply;

/* What the protocol thread does meanwhile. */
static struct {
    bool has_proof;
    pbft_seq stable;
} meanwhile;

/* Somebody asks how far the core is: first the proof was put, then this. */
void __wrap_node_report(struct node *reporting, struct pbft_report *out)
{
    const struct pbft_attested attested = {.seq = SEQ, .proof = proof};
    if (meanwhile.has_proof) {
        log_writer_put_proof(reporting->log_writer, &attested);
    }
    *out = (struct pbft_report){.stable = meanwhile.stable};
}

void __wrap_net_gateway_reply(struct net_gateway *gateway, uint64_t call,
                              struct pbft_bytes bytes)
{
    ProtobufCMessage *decoded = NULL;
    (void)gateway;
    assert_int_equal(call, CALL);
    assert_null(reply);
    assert_int_equal(wire_unpack_strict(&salus__v1__client_reply__descriptor,
                                        bytes, &arena, &decoded),
                     PBFT_OK);
    reply = (const Salus__V1__ClientReply *)decoded;
}

static void on_durable(void *context, pbft_ticket ticket)
{
    (void)context;
    (void)ticket;
}

static void on_failed(void *context, enum pbft_status status)
{
    (void)context;
    fail_msg("the log writer failed: %s", pbft_status_text(status));
}

static void write_block(void)
{
    static const struct results_transaction done = {.code = 0};
    struct results_request requests[REQUESTS];
    struct pbft_message *committed =
        fixture_committed(fixture, SEQ, (uint32_t)REQUESTS);
    const struct pbft_batch *batch =
        &committed->committed.pre_prepare->pre_prepare.body->batch;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        requests[i] = (struct results_request){
            .digest = batch->requests[i]->request.digest,
            .transaction_count = 1,
            .transactions = &done};
    }
    const struct results_block results = {
        .seq = SEQ, .request_count = REQUESTS, .requests = requests};
    uint8_t bytes[1024];
    assert_true(results_encoded_size(&results) <= sizeof bytes);
    results_encode(bytes, &results);
    const struct storage_block block = {
        .committed = committed,
        .executed = {.seq = SEQ, .block_digest = batch->digest},
        .results = {bytes, results_encoded_size(&results)},
    };
    assert_int_equal(storage_block_write(fixture->storage, &block, NULL),
                     PBFT_OK);
    pbft_message_unref(committed);
}

static int setup(void **state)
{
    const pbft_replica_id signers[2] = {0, 1};
    const struct log_writer_sink sink = {.durable = on_durable,
                                         .failed = on_failed};
    assert_int_equal(fixture_setup(state), 0);
    fixture = *state;
    fixture_open(fixture);
    write_block();
    proof = cast_stable(&fixture->cast, SEQ, signers, 2);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    wire_arena_init(&scratch.arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&scratch.reply, WIRE_FRAME_BYTES_MAX);
    node =
        (struct node){.storage = fixture->storage,
                      .waiting = waiting_create(4),
                      .log_writer = log_writer_create(fixture->storage, &sink)};
    reply = NULL;
    return 0;
}

static int teardown(void **state)
{
    log_writer_destroy(node.log_writer);
    waiting_destroy(node.waiting);
    wire_buffer_deinit(&scratch.reply);
    wire_arena_deinit(&scratch.arena);
    wire_arena_deinit(&arena);
    pbft_message_unref(proof);
    return fixture_teardown(state);
}

static void look_up(bool has_proof, pbft_seq stable)
{
    const struct waiting_call call = {.call = CALL,
                                      .deadline_ms = PBFT_TIME_NEVER,
                                      .wants_request = true,
                                      .at = {SEQ, 1}};
    meanwhile.has_proof = has_proof;
    meanwhile.stable = stable;
    assert_int_equal(waiting_add_located(node.waiting, &call), PBFT_OK);
    node_answer_block(&node, &scratch, SEQ);
}

static void test_a_proof_that_comes_just_then(void **state)
{
    (void)state;
    look_up(true, SEQ);
    assert_non_null(reply);
    assert_int_equal(reply->kind_case, SALUS__V1__CLIENT_REPLY__KIND_OUTCOME);
    assert_int_equal(reply->outcome->request_index, 1);
    assert_non_null(reply->outcome->request);
}

/* It has the block from another replica, whole: others have the proof. */
static void test_a_block_that_was_fetched(void **state)
{
    (void)state;
    look_up(false, SEQ);
    assert_non_null(reply);
    assert_int_equal(reply->kind_case, SALUS__V1__CLIENT_REPLY__KIND_REFUSAL);
    assert_int_equal(reply->refusal->code, SALUS__V1__REFUSAL__CODE__SYNCING);
}

static void test_a_block_that_will_be_proved(void **state)
{
    (void)state;
    look_up(false, SEQ - 1);
    assert_null(reply);
    assert_int_equal(waiting_count(node.waiting), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_proof_that_comes_just_then),
        TEST(test_a_block_that_was_fetched),
        TEST(test_a_block_that_will_be_proved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
