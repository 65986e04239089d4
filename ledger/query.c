/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: read-only, on a view of the state at one height. Equal views give
 * equal answers, byte for byte.
 */
#include "ledger/query.h"

#include <string.h>

#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/state.h"
#include "proto/buffer.h"
#include "proto/scan.h"

#define US_PER_MS 1000u

ProtobufCBinaryData query_bytes(struct query *query, const uint8_t *bytes,
                                size_t size)
{
    ProtobufCBinaryData out = {.len = size};
    out.data = overlay_room(&query->overlay, size);
    memcpy(out.data, bytes, size);
    return out;
}

void query_range(struct query *query, enum ledger_space space,
                 const struct ledger_kv_range *range, ledger_kv_visit *visit,
                 void *visitor)
{
    enum pbft_status status =
        query->view->range(query->view->context, space, range, visit, visitor);
    if (status != PBFT_OK && query->overlay.status == PBFT_OK) {
        query->overlay.status = status;
    }
}

/* ---- transaction --------------------------------------------------------- */

static enum ledger_code transaction_state(struct query *query,
                                          const Salus__V1__TransactionQuery *in)
{
    struct schema_transaction found;
    if (in->tx_id.len != PBFT_DIGEST_SIZE) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_transaction(&query->overlay, in->tx_id.data, &found)) {
        return LEDGER_NOT_FOUND;
    }
    Salus__V1__TransactionState *out =
        overlay_room(&query->overlay, sizeof *out);
    salus__v1__transaction_state__init(out);
    out->seq = found.seq;
    out->request_index = found.request_index;
    out->index = found.index;
    out->code = found.code;
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_TRANSACTION;
    query->answer.transaction = out;
    return LEDGER_OK;
}

/* ---- all of them --------------------------------------------------------- */

static enum ledger_code dispatch(struct query *query,
                                 const Salus__V1__Query *in)
{
    switch (in->kind_case) {
    case SALUS__V1__QUERY__KIND_CONSENT_STATUS:
        return query_consent_status(query, in->consent_status);
    case SALUS__V1__QUERY__KIND_CONSENT_HISTORY:
        return query_consent_history(query, in->consent_history);
    case SALUS__V1__QUERY__KIND_VERIFY_RECORD:
        return query_verify_record(query, in->verify_record);
    case SALUS__V1__QUERY__KIND_TRANSACTION:
        return transaction_state(query, in->transaction);
    case SALUS__V1__QUERY__KIND_EXPLAIN:
        return query_explain(query, in->explain);
    case SALUS__V1__QUERY__KIND_ACCOUNTING:
        return query_accounting(query, in->accounting);
    case SALUS__V1__QUERY__KIND_WHO_MAY:
        return query_who_may(query, in->who_may);
    case SALUS__V1__QUERY__KIND_WHAT_MAY:
        return query_what_may(query, in->what_may);
    case SALUS__V1__QUERY__KIND_BREAK_GLASS:
        return query_break_glass(query, in->break_glass);
    case SALUS__V1__QUERY__KIND_OBLIGATIONS:
        return query_obligations(query, in->obligations);
    case SALUS__V1__QUERY__KIND_SUSPECT:
        return query_suspect(query, in->suspect);
    case SALUS__V1__QUERY__KIND_CODES:
        return query_codes(query, in->codes);
    case SALUS__V1__QUERY__KIND_CONSENTS:
        return query_consents(query, in->consents);
    case SALUS__V1__QUERY__KIND_INSTITUTIONS:
        return query_institutions(query, in->institutions);
    case SALUS__V1__QUERY__KIND_INDETERMINATE:
        return query_indeterminate(query, in->indeterminate);
    default:
        return LEDGER_QUERY_FORM;
    }
}

/* Whoever is no institution of the consortium learns nothing at all. */
static enum ledger_code answer_caller(struct query *query,
                                      const struct pbft_institution *caller,
                                      struct pbft_bytes bytes)
{
    struct ProtobufCMessage *message = NULL;
    if (!state_is_active_institution(&query->overlay, caller->bytes)) {
        return LEDGER_NOT_AUTHORIZED;
    }
    if (bytes.size > LEDGER_QUERY_MAX ||
        wire_unpack_strict(&salus__v1__query__descriptor, bytes,
                           &query->overlay.arena, &message) != PBFT_OK) {
        return LEDGER_QUERY_FORM;
    }
    return dispatch(query, (const Salus__V1__Query *)(void *)message);
}

static enum pbft_status pack_answer(const Salus__V1__Answer *answer,
                                    uint8_t *out, size_t capacity, size_t *size)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, capacity);
    enum pbft_status status = wire_pack(&answer->base, &buffer);
    if (status == PBFT_OK) {
        struct pbft_bytes bytes = wire_buffer_bytes(&buffer);
        *size = bytes.size;
        if (bytes.size > 0) {
            memcpy(out, bytes.data, bytes.size);
        }
    }
    wire_buffer_deinit(&buffer);
    return status;
}

static enum pbft_status run(struct query *query,
                            const struct pbft_institution *caller,
                            struct pbft_bytes bytes)
{
    const struct pbft_digest no_seed = {{0}};
    Salus__V1__Answer *answer = &query->answer;
    overlay_begin(&query->overlay, &no_seed);
    if (!state_get_position(&query->overlay, &query->position)) {
        return query->overlay.status != PBFT_OK ? query->overlay.status
                                                : PBFT_CORRUPT;
    }
    query->overlay.seq = query->position.seq;
    query->now_ms = query->position.time / US_PER_MS;
    query->caller = *caller;
    state_governing_policy(&query->overlay, &query->policy);
    salus__v1__answer__init(answer);
    answer->height = query->position.seq;
    answer->block_time_us = query->position.time;
    answer->code = (uint32_t)answer_caller(query, caller, bytes);
    return query->overlay.status;
}

enum pbft_status ledger_query(const struct ledger *ledger,
                              const struct ledger_kv *view,
                              const struct pbft_institution *caller,
                              struct pbft_bytes query, uint8_t *answer,
                              size_t capacity, size_t *answer_size)
{
    struct query work = {.ledger = ledger, .view = view};
    if (capacity < LEDGER_ANSWER_MAX) {
        return PBFT_TOO_LARGE;
    }
    overlay_init(&work.overlay, view);
    wire_arena_init(&work.stored, EXECUTION_ARENA_MAX);
    enum pbft_status status = run(&work, caller, query);
    if (status == PBFT_OK) {
        status = pack_answer(&work.answer, answer, capacity, answer_size);
    }
    overlay_deinit(&work.overlay);
    wire_arena_deinit(&work.stored);
    return status;
}
