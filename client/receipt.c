/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts, one check after the other; no network, no clock. */
#include "client/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "client/outcome.h"
#include "crypto/provider.h"
#include "ledger/errors.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#define FORMAT_VERSION 1

const char *receipt_check_name(enum receipt_check check)
{
    switch (check) {
    case RECEIPT_FORMAT:
        return "format of the receipt";
    case RECEIPT_CLUSTER:
        return "consortium";
    case RECEIPT_REQUEST:
        return "signature of the request";
    case RECEIPT_TRANSACTION:
        return "transaction in the request";
    case RECEIPT_PATH:
        return "path from the result to the block";
    case RECEIPT_ATTESTATIONS:
        return "attestations of the members";
    }
    return "unknown check";
}

/* One verification: inputs, what was found so far, what to give back. */
struct work {
    struct receipt_facts *facts;
    enum receipt_check *failed;
    struct salus_reason *reason;
    const struct salus_genesis *genesis;
    struct pbft_domain domain;
    struct pbft_keyring keyring;
    struct pbft_verifier verifier;
    const Salus__V1__Receipt *receipt;
    const struct pbft_message *request;
    struct outcome outcome;
};

static enum pbft_status fail(struct work *work, enum receipt_check check,
                             enum pbft_status status, const char *text)
{
    *work->failed = check;
    salus_reason_set(work->reason, "%s", text);
    return status;
}

static enum pbft_status check_format(struct work *work,
                                     struct pbft_bytes encoded,
                                     struct wire_arena *arena)
{
    struct ProtobufCMessage *message = NULL;
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__receipt__descriptor, encoded, arena, &message);
    if (status != PBFT_OK) {
        return fail(work, RECEIPT_FORMAT, status,
                    "the bytes are not those of a whole receipt");
    }
    work->receipt = (const Salus__V1__Receipt *)message;
    if (work->receipt->version != FORMAT_VERSION) {
        return fail(work, RECEIPT_FORMAT, PBFT_VERSION,
                    "this version of receipts is not supported");
    }
    if (work->receipt->request == NULL || work->receipt->outcome == NULL ||
        work->receipt->outcome->request != NULL) {
        return fail(work, RECEIPT_FORMAT, PBFT_MALFORMED,
                    "a part of the receipt is missing or there twice");
    }
    return PBFT_OK;
}

static enum pbft_status check_cluster(struct work *work)
{
    const ProtobufCBinaryData *cluster = &work->receipt->cluster;
    if (cluster->len != PBFT_DIGEST_SIZE ||
        memcmp(cluster->data, work->domain.cluster.bytes, PBFT_DIGEST_SIZE) !=
            0) {
        return fail(work, RECEIPT_CLUSTER, PBFT_WRONG_IDENTITY,
                    "the receipt is of another consortium than this genesis "
                    "file");
    }
    return PBFT_OK;
}

static enum pbft_status check_request(struct work *work)
{
    struct wire_buffer buffer;

    wire_buffer_init(&buffer, RECEIPT_BYTES_MAX);
    enum pbft_status status = wire_pack(&work->receipt->request->base, &buffer);
    if (status == PBFT_OK) {
        status = wire_request_decode(&work->domain, wire_buffer_bytes(&buffer),
                                     PBFT_SENDER_CLIENT, &work->request);
    }
    wire_buffer_deinit(&buffer);
    if (status != PBFT_OK) {
        return fail(work, RECEIPT_FORMAT, status, "the request is malformed");
    }
    status = pbft_verify(&work->verifier, PBFT_SENDER_CLIENT, work->request);
    if (status != PBFT_OK) {
        return fail(work, RECEIPT_REQUEST, status,
                    "the request was not signed by the key that it names");
    }
    work->facts->client = work->request->request.client;
    work->facts->institution = work->request->request.institution;
    return PBFT_OK;
}

/* The id of the transaction comes from the signed bytes, not from the result
 * that the receipt states. */
static enum pbft_status check_transaction(struct work *work)
{
    struct receipt_facts *facts = work->facts;
    struct pbft_bytes body = {NULL, 0};
    size_t count = 0;
    struct pbft_bytes *list =
        calloc(LEDGER_REQUEST_TRANSACTIONS_MAX, sizeof *list);
    if (list == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        transaction_list_split(list, LEDGER_REQUEST_TRANSACTIONS_MAX, &count,
                               work->request->request.payload);
    facts->index = work->receipt->index;
    facts->transaction_count = (uint32_t)count;
    if (status == PBFT_OK && facts->index >= count) {
        status = PBFT_NOT_FOUND;
    }
    if (status == PBFT_OK) {
        status = transaction_body(&body, list[facts->index]);
    }
    if (status == PBFT_OK) {
        status = transaction_summarize(&facts->summary, body);
    }
    free(list);
    if (status != PBFT_OK) {
        return fail(work, RECEIPT_TRANSACTION, status,
                    "the request does not hold the transaction that the "
                    "receipt names");
    }
    transaction_id(&facts->tx_id, &work->domain.cluster, body);
    return PBFT_OK;
}

static enum pbft_status check_outcome(struct work *work)
{
    enum pbft_status status =
        outcome_verify(&work->verifier, &work->request->request.digest,
                       work->receipt->outcome, &work->outcome, work->reason);
    if (status == PBFT_OK) {
        return PBFT_OK;
    }
    switch (work->outcome.reached) {
    case OUTCOME_SHAPE:
        *work->failed = RECEIPT_FORMAT;
        break;
    case OUTCOME_REQUEST: /* The results are those of another request. */
    case OUTCOME_PATH:
        *work->failed = RECEIPT_PATH;
        break;
    case OUTCOME_ATTESTATIONS:
        *work->failed = RECEIPT_ATTESTATIONS;
        break;
    }
    return status;
}

static enum pbft_status take_result(struct work *work)
{
    struct receipt_facts *facts = work->facts;
    const struct outcome *outcome = &work->outcome;
    const Salus__V1__Stable *block = work->receipt->outcome->block;

    facts->block = outcome->block;
    facts->epoch = work->keyring.epoch;
    facts->request_code = outcome->request_code;
    facts->signer_count = (uint32_t)block->n_votes;
    for (size_t i = 0; i < block->n_votes; i++) {
        facts->signers[i] = block->votes[i]->replica;
    }
    facts->institution_is_proved =
        outcome->request_code != LEDGER_KEY_STATE &&
        outcome->request_code != LEDGER_FOREIGN_INSTITUTION;
    if (outcome->request_code != 0 && outcome->transaction_count == 0) {
        facts->code = outcome->request_code;
        return PBFT_OK; /* Refused as a whole: nothing was looked at. */
    }
    if (facts->index >= outcome->transaction_count) {
        return fail(work, RECEIPT_TRANSACTION, PBFT_NOT_FOUND,
                    "the results do not reach to the transaction");
    }
    const struct results_transaction *result =
        &outcome->transactions[facts->index];
    if (memcmp(result->tx_id.bytes, facts->tx_id.bytes, PBFT_DIGEST_SIZE) !=
        0) {
        return fail(work, RECEIPT_TRANSACTION, PBFT_BAD_DIGEST,
                    "the result is that of another transaction");
    }
    facts->code = result->code;
    facts->write_digest = result->write_digest;
    return PBFT_OK;
}

static enum pbft_status run(struct work *work, struct pbft_bytes encoded,
                            struct wire_arena *arena)
{
    enum pbft_status status = check_format(work, encoded, arena);
    if (status == PBFT_OK) {
        status = check_cluster(work);
    }
    if (status == PBFT_OK) {
        status = check_request(work);
    }
    if (status == PBFT_OK) {
        status = check_transaction(work);
    }
    if (status == PBFT_OK) {
        status = check_outcome(work);
    }
    if (status == PBFT_OK) {
        status = take_result(work);
    }
    return status;
}

enum pbft_status receipt_verify(struct receipt_facts *facts,
                                enum receipt_check *failed,
                                struct salus_reason *reason,
                                struct pbft_bytes encoded,
                                const struct salus_genesis *genesis,
                                const struct pbft_digest *cluster)
{
    struct wire_arena arena;
    struct work *work = calloc(1, sizeof *work);

    memset(facts, 0, sizeof *facts);
    *failed = RECEIPT_FORMAT;
    if (work == NULL) {
        return PBFT_NO_MEMORY;
    }
    work->facts = facts;
    work->failed = failed;
    work->reason = reason;
    work->genesis = genesis;
    work->domain.crypto = crypto_provider_verify_only();
    work->domain.cluster = *cluster;
    genesis_keyring(genesis, &work->keyring);
    work->verifier.domain = &work->domain;
    work->verifier.keyring = &work->keyring;
    work->verifier.window = genesis->parameters.window;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = PBFT_TOO_LARGE;
    if (encoded.size > RECEIPT_BYTES_MAX) {
        status = fail(work, RECEIPT_FORMAT, status, "larger than any receipt");
    } else {
        status = run(work, encoded, &arena);
    }
    free(work->outcome.transactions);
    pbft_message_unref(work->request);
    wire_arena_deinit(&arena);
    free(work);
    return status;
}
