/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the generated structs of client.proto and packs them. */
#include "node/reply.h"

#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "node/limits.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define REPLY_VERSION 1

static const char *refusal_text(enum reply_code code)
{
    switch (code) {
    case REPLY_MALFORMED:
        return "the call cannot be read";
    case REPLY_WRONG_CLUSTER:
        return "the call is meant for another consortium";
    case REPLY_BAD_SIGNATURE:
        return "the request is not signed by the key it names";
    case REPLY_INADMISSIBLE:
        return "the ledger would refuse the request";
    case REPLY_BUSY:
        return "too much is waiting; try again later";
    case REPLY_TIMED_OUT:
        return "not proved in time; it may still happen";
    case REPLY_NOT_FOUND:
        return "nothing of the kind is known here";
    case REPLY_NOT_AUTHORIZED:
        return "the caller may not ask that";
    case REPLY_STOPPING:
        return "the replica cannot serve this; ask another one";
    case REPLY_SYNCING:
        return "the replica is catching up";
    case REPLY_GONE:
        return "the state after that block is not kept any more";
    }
    return "?";
}

static bool is_worth_retrying(enum reply_code code)
{
    return code == REPLY_BUSY || code == REPLY_SYNCING ||
           code == REPLY_STOPPING;
}

static enum pbft_status refusal(struct wire_buffer *out, enum reply_code code,
                                uint32_t ledger_code, pbft_seq height)
{
    char text[64];
    size_t size = strlen(refusal_text(code));
    PBFT_ASSERT(size < sizeof text);
    memcpy(text, refusal_text(code), size + 1);
    Salus__V1__Refusal it = SALUS__V1__REFUSAL__INIT;
    it.code = (Salus__V1__Refusal__Code)code;
    it.retry_after_ms = is_worth_retrying(code) ? NODE_RETRY_AFTER_MS : 0;
    it.ledger_code = ledger_code;
    it.text = text;
    it.height = height;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_REFUSAL;
    reply.refusal = &it;
    return wire_pack(&reply.base, out);
}

enum pbft_status reply_refusal(struct wire_buffer *out, enum reply_code code,
                               uint32_t ledger_code)
{
    return refusal(out, code, ledger_code, 0);
}

enum pbft_status reply_refusal_at(struct wire_buffer *out, enum reply_code code,
                                  pbft_seq executed)
{
    return refusal(out, code, 0, executed);
}

/* Memory for the parts of one reply; what fits into a reply is small beside
 * the cap of the arena. */
static void *part(struct wire_arena *arena, size_t count, size_t size)
{
    void *memory = wire_arena_alloc(arena, count * size);
    PBFT_ASSERT(memory != NULL);
    return memory;
}

/* protobuf-c has no const; packing does not write. */
static ProtobufCBinaryData bytes_of(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

static ProtobufCBinaryData digest_of(const struct pbft_digest *digest)
{
    return bytes_of(digest->bytes, sizeof digest->bytes);
}

static Salus__V1__TransactionOutcome **
transaction_outcomes(struct wire_arena *arena,
                     const struct results_request *request)
{
    size_t count = request->transaction_count;
    Salus__V1__TransactionOutcome **list =
        part(arena, count, sizeof(Salus__V1__TransactionOutcome *));
    Salus__V1__TransactionOutcome *items =
        part(arena, count, sizeof(Salus__V1__TransactionOutcome));
    for (size_t i = 0; i < count; i++) {
        const struct results_transaction *from = &request->transactions[i];
        salus__v1__transaction_outcome__init(&items[i]);
        items[i].tx_id = digest_of(&from->tx_id);
        items[i].code = from->code;
        items[i].write_digest = digest_of(&from->write_digest);
        list[i] = &items[i];
    }
    return list;
}

static ProtobufCBinaryData *path_of(struct wire_arena *arena,
                                    const struct reply_block *block,
                                    uint32_t index, size_t *count)
{
    struct pbft_digest *path =
        part(arena, MERKLE_PATH_MAX, sizeof(struct pbft_digest));
    merkle_path_of(path, count, block->leaves, index,
                   results_leaf_count(block->results));
    ProtobufCBinaryData *list =
        part(arena, MERKLE_PATH_MAX, sizeof(ProtobufCBinaryData));
    for (size_t i = 0; i < *count; i++) {
        list[i] = digest_of(&path[i]);
    }
    return list;
}

static Salus__V1__Attestation *
attestation_of(struct wire_arena *arena, const struct pbft_attestation *from)
{
    Salus__V1__Attestation *to = part(arena, 1, sizeof *to);
    salus__v1__attestation__init(to);
    to->seq = from->seq;
    to->block_time_us = from->block_time;
    to->block_digest = digest_of(&from->block_digest);
    to->results_root = digest_of(&from->results_root);
    to->ledger_root = digest_of(&from->ledger_root);
    return to;
}

static Salus__V1__Stable *stable_of(struct wire_arena *arena,
                                    const struct pbft_stable *from)
{
    Salus__V1__Stable *to = part(arena, 1, sizeof *to);
    salus__v1__stable__init(to);
    to->attestation = attestation_of(arena, &from->attestation);
    to->n_votes = from->vote_count;
    to->votes =
        part(arena, from->vote_count, sizeof(Salus__V1__CertificateVote *));
    Salus__V1__CertificateVote *votes =
        part(arena, from->vote_count, sizeof(Salus__V1__CertificateVote));
    for (uint32_t i = 0; i < from->vote_count; i++) {
        salus__v1__certificate_vote__init(&votes[i]);
        votes[i].replica = from->votes[i].replica;
        votes[i].incarnation = from->votes[i].incarnation;
        votes[i].signature =
            bytes_of(from->votes[i].signature.bytes, PBFT_SIGNATURE_SIZE);
        to->votes[i] = &votes[i];
    }
    return to;
}

static Salus__V1__Request *request_of(struct wire_arena *arena,
                                      const struct pbft_request *from)
{
    Salus__V1__Request *to = part(arena, 1, sizeof *to);
    salus__v1__request__init(to);
    to->client = bytes_of(from->client.bytes, PBFT_PUBLIC_KEY_SIZE);
    to->institution = bytes_of(from->institution.bytes, PBFT_INSTITUTION_SIZE);
    to->session = from->session;
    to->sequence = from->sequence;
    to->lane = (uint32_t)from->lane;
    to->payload = bytes_of(from->payload.data, from->payload.size);
    to->signature = bytes_of(from->signature.bytes, PBFT_SIGNATURE_SIZE);
    return to;
}

enum pbft_status reply_outcome(struct wire_buffer *out,
                               struct wire_arena *arena,
                               const struct reply_block *block, uint32_t index,
                               const struct pbft_request *request)
{
    PBFT_ASSERT(index < block->results->request_count);
    PBFT_ASSERT(block->proof->type == PBFT_MESSAGE_STABLE);
    const struct results_request *result = &block->results->requests[index];
    Salus__V1__Outcome outcome = SALUS__V1__OUTCOME__INIT;
    outcome.request_digest = digest_of(&result->digest);
    outcome.request_code = result->code;
    outcome.n_transactions = result->transaction_count;
    outcome.transactions = transaction_outcomes(arena, result);
    outcome.request_index = index;
    outcome.request_count = results_leaf_count(block->results);
    outcome.path = path_of(arena, block, index, &outcome.n_path);
    outcome.block = stable_of(arena, &block->proof->stable);
    outcome.epoch = block->proof->epoch;
    outcome.request = request != NULL ? request_of(arena, request) : NULL;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_OUTCOME;
    reply.outcome = &outcome;
    return wire_pack(&reply.base, out);
}

enum pbft_status reply_answer(struct wire_buffer *out, struct wire_arena *arena,
                              struct pbft_bytes answer)
{
    ProtobufCMessage *unpacked = NULL;
    enum pbft_status status = wire_unpack_strict(&salus__v1__answer__descriptor,
                                                 answer, arena, &unpacked);
    if (status != PBFT_OK) {
        return status;
    }
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_ANSWER;
    reply.answer = (Salus__V1__Answer *)unpacked;
    return wire_pack(&reply.base, out);
}
