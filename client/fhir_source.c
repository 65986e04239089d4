/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts, and certified answers about decisions. */
#include "client/fhir_source.h"

#include <string.h>

#include "client/receipt_body.h"
#include "ledger/errors.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define ARENA_BYTES (2 * RECEIPT_BYTES_MAX)
#define QUERY_BYTES_MAX 256

/* A fetch under way. */
struct fetching {
    struct fhir_source *out;
    const struct fhir_ground *ground;
    const char **code;
    struct salus_reason *reason;
};

static enum pbft_status fetch_receipt(const struct fetching *fetching,
                                      struct receipt_facts *facts,
                                      const struct pbft_digest *tx_id)
{
    struct fhir_source *out = fetching->out;
    const struct fhir_ground *ground = fetching->ground;
    enum receipt_check failed = RECEIPT_FORMAT;
    struct salus_reason why = {""};
    enum salus_status status =
        salus_receipt(ground->client, &out->receipt, tx_id->bytes);

    if (status != SALUS_OK) {
        *fetching->code = "transient";
        salus_reason_set(fetching->reason, "a receipt is missing: %s",
                         salus_status_text(status));
        return PBFT_UNREACHABLE;
    }
    out->source.receipt =
        (struct pbft_bytes){out->receipt.data, out->receipt.size};
    if (receipt_verify(facts, &failed, &why, out->source.receipt,
                       ground->genesis, &ground->cluster) != PBFT_OK ||
        receipt_body(&out->source.body, &out->arena, out->source.receipt) !=
            PBFT_OK) {
        *fetching->code = "security";
        salus_reason_set(fetching->reason, "a receipt is not valid: %s",
                         why.text);
        return PBFT_CORRUPT;
    }
    out->source.tx_id = facts->tx_id;
    out->source.seq = facts->block.seq;
    out->source.block_time_us = facts->block.block_time;
    out->at_us = facts->block.block_time;
    out->is_nothing = facts->code != 0;
    return PBFT_OK;
}

/* ---- decisions ----------------------------------------------------------- */

static enum salus_status ask(const struct fetching *fetching,
                             const uint8_t request[VAULT_ID_SIZE])
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery inner = SALUS__V1__EXPLAIN_QUERY__INIT;
    struct wire_buffer buffer;
    enum salus_status status = SALUS_NO_MEMORY;

    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &inner;
    inner.request =
        (ProtobufCBinaryData){VAULT_ID_SIZE, (uint8_t *)(uintptr_t)request};
    wire_buffer_init(&buffer, QUERY_BYTES_MAX);
    if (wire_pack(&query.base, &buffer) == PBFT_OK) {
        status = salus_query_certified(
            fetching->ground->client, &fetching->out->certified,
            SALUS_READ_CERTIFIED, buffer.data, buffer.size);
    }
    wire_buffer_deinit(&buffer);
    return status;
}

/* What the replicas computed is no transaction: their answer proves it. */
static enum pbft_status explain(const struct fetching *fetching,
                                const uint8_t request[VAULT_ID_SIZE])
{
    struct fhir_source *out = fetching->out;
    const struct salus_certified *certified = &out->certified;
    struct ProtobufCMessage *message = NULL;
    enum salus_status status = ask(fetching, request);

    if (status != SALUS_OK) {
        *fetching->code = "transient";
        salus_reason_set(fetching->reason,
                         "a decision is not certified by f + 1 replicas: %s",
                         salus_status_text(status));
        return PBFT_UNREACHABLE;
    }
    if (certified->code != 0) {
        *fetching->code = "not-found";
        salus_reason_set(fetching->reason, "--decision: %s",
                         ledger_code_text(certified->code));
        return PBFT_NOT_FOUND;
    }
    if (certified->answer_count != 1 ||
        wire_unpack_strict(&salus__v1__answer__descriptor,
                           (struct pbft_bytes){certified->answers[0].data,
                                               certified->answers[0].size},
                           &out->arena, &message) != PBFT_OK ||
        ((Salus__V1__Answer *)(void *)message)->kind_case !=
            SALUS__V1__ANSWER__KIND_DECISION) {
        *fetching->code = "exception";
        salus_reason_set(fetching->reason,
                         "the answer about a decision is malformed");
        return PBFT_MALFORMED;
    }
    out->source.decision = ((Salus__V1__Answer *)(void *)message)->decision;
    out->source.proof =
        (struct pbft_bytes){certified->proof.data, certified->proof.size};
    /* A disclosure that is told as a violation may name anybody's request. */
    const ProtobufCBinaryData *subject = &out->source.decision->subject;
    out->is_nothing = fetching->ground->subject != NULL &&
                      (subject->len != VAULT_HANDLE_SIZE ||
                       memcmp(subject->data, fetching->ground->subject,
                              VAULT_HANDLE_SIZE) != 0);
    return PBFT_OK;
}

/* Which request a transaction is about; NULL: it is none on access. */
static const ProtobufCBinaryData *request_of(struct fhir_source *out)
{
    struct ProtobufCMessage *message = NULL;

    if (wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                           out->source.body, &out->arena,
                           &message) != PBFT_OK) {
        return NULL;
    }
    const Salus__V1__TransactionBody *body =
        (const Salus__V1__TransactionBody *)(void *)message;
    out->type = (enum transaction_type)body->payload_case;
    const ProtobufCBinaryData *id = out->type == TRANSACTION_ACCESS_REQUEST
                                        ? &body->access_request->request
                                    : out->type == TRANSACTION_ACCESS_DECISION
                                        ? &body->access_decision->request
                                        : NULL;
    return id != NULL && id->len == VAULT_ID_SIZE ? id : NULL;
}

static enum pbft_status fetch_decision(const struct fetching *fetching,
                                       const struct fhir_wanted *wanted)
{
    struct fhir_source *out = fetching->out;
    const ProtobufCBinaryData *request = NULL;
    struct receipt_facts facts;
    enum pbft_status status = PBFT_OK;

    if (wanted->by_request) {
        status = explain(fetching, wanted->consent);
        if (status == PBFT_OK) {
            out->source.seq = out->source.decision->asked_seq;
            out->at_us = fhir_decision_us(out->source.decision);
        }
        return status;
    }
    status = fetch_receipt(fetching, &facts, &wanted->tx_id);
    if (status != PBFT_OK) {
        return status;
    }
    request = request_of(out);
    if (request == NULL || out->is_nothing) {
        *fetching->code = "not-found";
        salus_reason_set(fetching->reason, "--decision: %s",
                         request == NULL
                             ? "neither ACCESS_REQUEST nor ACCESS_DECISION"
                             : "the ledger has refused it");
        return PBFT_NOT_FOUND;
    }
    status = explain(fetching, request->data);
    if (status == PBFT_OK && out->type == TRANSACTION_ACCESS_REQUEST) {
        out->at_us = fhir_decision_us(out->source.decision);
    }
    return status;
}

/* ---- the whole ----------------------------------------------------------- */

enum pbft_status fhir_source_fetch(struct fhir_source *out,
                                   const struct fhir_ground *ground,
                                   const struct fhir_wanted *wanted,
                                   const char **code,
                                   struct salus_reason *reason)
{
    const struct fetching fetching = {out, ground, code, reason};
    struct receipt_facts facts;

    memset(out, 0, sizeof *out);
    wire_arena_init(&out->arena, ARENA_BYTES);
    out->type = wanted->type;
    out->source.withdrawn = wanted->withdrawn;
    return wanted->type == TRANSACTION_ACCESS_REQUEST
               ? fetch_decision(&fetching, wanted)
               : fetch_receipt(&fetching, &facts, &wanted->tx_id);
}

bool fhir_source_request(const struct fhir_source *source,
                         uint8_t out[VAULT_ID_SIZE])
{
    const Salus__V1__DecisionState *state = source->source.decision;

    if (state == NULL || state->request.len != VAULT_ID_SIZE) {
        return false;
    }
    memcpy(out, state->request.data, VAULT_ID_SIZE);
    return true;
}

void fhir_source_free(struct fhir_source *source)
{
    wire_arena_deinit(&source->arena);
    salus_free(&source->receipt);
    salus_certified_free(&source->certified);
}
