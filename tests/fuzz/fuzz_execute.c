/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of transactions, executed: the input stands behind a valid envelope,
 * so that every rule of every family is reached. Whatever it is, the block is
 * executed, the code is a known one, and a refusal leaves no state behind. */
#include "consensus/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_world.h"

/* The fields before the payload. */
static size_t make_envelope(struct world *world, uint8_t *out, size_t capacity)
{
    struct world_ids ids;
    struct transaction in = world_subject(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    struct wire_arena arena;
    struct wire_buffer buffer;
    struct ProtobufCMessage *message = NULL;
    wire_arena_init(&arena, LEDGER_BODY_MAX);
    wire_buffer_init(&buffer, capacity);
    PBFT_ASSERT(wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                                   bytes_of(body.data, body.size), &arena,
                                   &message) == PBFT_OK);
    Salus__V1__TransactionBody *fields =
        (Salus__V1__TransactionBody *)(void *)message;
    fields->payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD__NOT_SET;
    /* A clinician and privacy officer acts: the rules that ask are reached. */
    fields->participant = field_of(world->doctor, sizeof world->doctor);
    PBFT_ASSERT(wire_pack(message, &buffer) == PBFT_OK);
    size_t size = buffer.size;
    memcpy(out, buffer.data, size);
    wire_buffer_deinit(&buffer);
    wire_arena_deinit(&arena);
    free(body.data);
    return size;
}

static struct transaction_bytes make_payload(struct pbft_bytes body)
{
    struct transaction_bytes sealed = {NULL, 0};
    struct transaction_bytes payload = {NULL, 0};
    PBFT_ASSERT(transaction_seal(&sealed, body, NULL, 0) == PBFT_OK);
    const struct pbft_bytes one = {sealed.data, sealed.size};
    PBFT_ASSERT(transaction_list_pack(&payload, &one, 1) == PBFT_OK);
    free(sealed.data);
    return payload;
}

/* On a copy of the world, so that one input does not depend on another. */
static void execute(const struct world *world, struct pbft_bytes body)
{
    struct ledger_kv_memory *memory = ledger_kv_memory_clone(world->memory);
    size_t before = world_rows(memory);
    struct ledger *ledger = NULL;
    struct ledger_position position;
    struct ledger_block_result result;
    struct transaction_bytes payload = make_payload(body);
    const struct party *party = &world->parties[HOSPITAL];
    const struct ledger_request request = {
        .client = party->submit_key,
        .institution = party->institution,
        .session = 2,
        .sequence = 1,
        .payload = {payload.data, payload.size},
    };
    PBFT_ASSERT(ledger_create(&ledger, ledger_kv_memory_vtable(memory),
                              &world->genesis) == PBFT_OK);
    ledger_position(ledger, &position);
    const struct ledger_block block = {.seq = position.seq + 1,
                                       .proposed_time = world->now_ms * 1000,
                                       .requests = &request,
                                       .request_count = 1};
    PBFT_ASSERT(ledger_execute(ledger, &block, &result) == PBFT_OK);
    const struct results_request *done = &result.block.requests[0];
    uint32_t code =
        done->transaction_count == 1 ? done->transactions[0].code : done->code;
    PBFT_ASSERT(strcmp(ledger_code_name(code), "?") != 0);
    PBFT_ASSERT(code == LEDGER_OK || world_rows(memory) == before);
    ledger_destroy(ledger);
    ledger_kv_memory_destroy(memory);
    free(payload.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *world;
    static uint8_t body[LEDGER_BODY_MAX];
    static size_t envelope_size;
    if (world == NULL) {
        world = fuzz_world();
        envelope_size = make_envelope(world, body, sizeof body);
    }
    if (size > sizeof body - envelope_size) {
        return 0;
    }
    if (size > 0) {
        memcpy(body + envelope_size, data, size);
    }
    execute(world, (struct pbft_bytes){body, envelope_size + size});
    return 0;
}
