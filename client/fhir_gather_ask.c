/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger knows of one patient or consent, page by page. */
#include <string.h>

#include "client/fhir_gather.h"
#include "ledger/limits.h"
#include "proto/certified.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define ANSWER_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define CURSOR_MAX 256

/* The answer, in `arena`; NULL with a reason. */
static const Salus__V1__Answer *ask(struct fhir_gather *gather,
                                    const Salus__V1__Query *query,
                                    struct wire_arena *arena,
                                    struct salus_reason *reason)
{
    struct wire_buffer buffer;
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *message = NULL;

    wire_buffer_init(&buffer, ANSWER_BYTES_MAX);
    enum salus_status status = SALUS_NO_MEMORY;
    if (wire_pack(&query->base, &buffer) == PBFT_OK) {
        status =
            salus_query_local(gather->client, &bytes, buffer.data, buffer.size);
    }
    wire_buffer_deinit(&buffer);
    if (status != SALUS_OK) {
        salus_reason_set(reason, "the replica was asked and did not answer: %s",
                         salus_status_text(status));
        return NULL;
    }
    enum pbft_status unpacked = wire_unpack_strict(
        &salus__v1__answer__descriptor,
        (struct pbft_bytes){bytes.data, bytes.size}, arena, &message);
    salus_free(&bytes);
    if (unpacked != PBFT_OK) {
        salus_reason_set(reason, "the answer of the replica is malformed");
        return NULL;
    }
    return (const Salus__V1__Answer *)(void *)message;
}

static enum pbft_status take_events(struct fhir_gather *gather,
                                    const Salus__V1__Answer *answer,
                                    struct salus_reason *reason)
{
    const Salus__V1__ConsentHistory *history = answer->consent_history;
    enum pbft_status status = PBFT_OK;

    (void)reason;
    for (size_t i = 0; i < history->n_events && status == PBFT_OK; i++) {
        const Salus__V1__ConsentHistory__Event *event = history->events[i];
        struct fhir_wanted wanted = {.type = TRANSACTION_CONSENT_GRANT,
                                     .seq = event->seq};
        bool files =
            event->kind == SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED ||
            event->kind ==
                SALUS__V1__CONSENT_HISTORY__EVENT__KIND__FILED_EVIDENCE;
        if (!files || event->tx_id.len != sizeof wanted.tx_id.bytes ||
            event->consent.len != sizeof wanted.consent) {
            continue;
        }
        if (event->kind != SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED) {
            wanted.type = TRANSACTION_CONSENT_EVIDENCE;
        }
        memcpy(wanted.tx_id.bytes, event->tx_id.data, event->tx_id.len);
        memcpy(wanted.consent, event->consent.data, event->consent.len);
        status = fhir_gather_add(gather, &wanted);
    }
    return status;
}

static enum pbft_status add_decision(struct fhir_gather *gather,
                                     const ProtobufCBinaryData *request)
{
    struct fhir_wanted wanted = {.type = TRANSACTION_ACCESS_REQUEST,
                                 .by_request = true};

    if (request->len != sizeof wanted.consent) {
        return PBFT_OK;
    }
    memcpy(wanted.consent, request->data, sizeof wanted.consent);
    return fhir_gather_add(gather, &wanted);
}

static enum pbft_status take_rows(struct fhir_gather *gather,
                                  const Salus__V1__Answer *answer,
                                  struct salus_reason *reason)
{
    const Salus__V1__Accounting *accounting = answer->accounting;
    enum pbft_status status = PBFT_OK;

    (void)reason;
    for (size_t i = 0; i < accounting->n_rows && status == PBFT_OK; i++) {
        const Salus__V1__Accounting__Row *row = accounting->rows[i];
        struct fhir_wanted wanted = {.type = TRANSACTION_DISCLOSURE,
                                     .seq = row->seq};
        if (row->tx_id.len == sizeof wanted.tx_id.bytes) {
            memcpy(wanted.tx_id.bytes, row->tx_id.data, row->tx_id.len);
            status = fhir_gather_add(gather, &wanted);
        }
        if (status == PBFT_OK) {
            status = add_decision(gather, &row->decision);
        }
    }
    return status;
}

typedef enum pbft_status take_page(struct fhir_gather *gather,
                                   const Salus__V1__Answer *answer,
                                   struct salus_reason *reason);

/* Each page of the answer goes to `take`; one of another kind ends it. */
static enum pbft_status ask_pages(struct fhir_gather *gather,
                                  Salus__V1__Query *query,
                                  Salus__V1__Answer__KindCase kind,
                                  take_page *take, struct salus_reason *reason)
{
    ProtobufCBinaryData *place = certified_query_cursor(query);
    uint8_t cursor[CURSOR_MAX];
    enum pbft_status status = PBFT_OK;
    bool more = true;

    while (more && status == PBFT_OK) {
        struct wire_arena arena;
        wire_arena_init(&arena, ANSWER_BYTES_MAX);
        const Salus__V1__Answer *answer = ask(gather, query, &arena, reason);
        more = false;
        if (answer == NULL) {
            status = PBFT_UNREACHABLE;
        } else if (answer->kind_case == kind) {
            const struct pbft_bytes next = certified_answer_cursor(answer);
            status = take(gather, answer, reason);
            more = next.size > 0 && next.size <= CURSOR_MAX;
            if (more) {
                memcpy(cursor, next.data, next.size);
                *place = (ProtobufCBinaryData){next.size, cursor};
            }
        }
        wire_arena_deinit(&arena);
    }
    return status;
}

enum pbft_status fhir_gather_consents(struct fhir_gather *gather,
                                      struct salus_reason *reason)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentHistoryQuery inner =
        SALUS__V1__CONSENT_HISTORY_QUERY__INIT;

    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    query.consent_history = &inner;
    inner.limit = LEDGER_PAGE_ROWS_MAX;
    if (gather->has_consent) {
        inner.consent =
            (ProtobufCBinaryData){sizeof gather->consent, gather->consent};
    } else {
        inner.subject =
            (ProtobufCBinaryData){sizeof gather->subject, gather->subject};
    }
    return ask_pages(gather, &query, SALUS__V1__ANSWER__KIND_CONSENT_HISTORY,
                     take_events, reason);
}

enum pbft_status fhir_gather_disclosures(struct fhir_gather *gather,
                                         struct salus_reason *reason)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery inner = SALUS__V1__ACCOUNTING_QUERY__INIT;
    ProtobufCBinaryData subject = {sizeof gather->subject, gather->subject};

    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &inner;
    inner.n_subjects = 1;
    inner.subjects = &subject;
    inner.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL;
    return ask_pages(gather, &query, SALUS__V1__ANSWER__KIND_ACCOUNTING,
                     take_rows, reason);
}

/* One of the patient's is added; this only finds it, and proves nothing. */
static enum pbft_status add_if_his(struct fhir_gather *gather,
                                   const ProtobufCBinaryData *request,
                                   struct salus_reason *reason)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery inner = SALUS__V1__EXPLAIN_QUERY__INIT;
    enum pbft_status status = PBFT_OK;
    struct wire_arena arena;

    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &inner;
    inner.request = *request;
    wire_arena_init(&arena, ANSWER_BYTES_MAX);
    const Salus__V1__Answer *answer = ask(gather, &query, &arena, reason);
    if (answer == NULL) {
        status = PBFT_UNREACHABLE;
    } else if (answer->kind_case == SALUS__V1__ANSWER__KIND_DECISION) {
        const ProtobufCBinaryData *subject = &answer->decision->subject;
        if (subject->len == sizeof gather->subject &&
            memcmp(subject->data, gather->subject, subject->len) == 0) {
            status = add_decision(gather, request);
        }
    }
    wire_arena_deinit(&arena);
    return status;
}

/* Decisions that end some day may be about the patient. */
static enum pbft_status take_ends(struct fhir_gather *gather,
                                  const Salus__V1__Answer *answer,
                                  struct salus_reason *reason)
{
    const Salus__V1__Obligations *list = answer->obligations;
    enum pbft_status status = PBFT_OK;
    for (size_t i = 0; i < list->n_rows && status == PBFT_OK; i++) {
        if (list->rows[i]->kind ==
            SALUS__V1__OBLIGATIONS__KIND__DECISION_ENDS) {
            status = add_if_his(gather, &list->rows[i]->id, reason);
        }
    }
    return status;
}

enum pbft_status fhir_gather_decisions(struct fhir_gather *gather,
                                       struct salus_reason *reason)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ObligationsQuery inner = SALUS__V1__OBLIGATIONS_QUERY__INIT;

    query.kind_case = SALUS__V1__QUERY__KIND_OBLIGATIONS;
    query.obligations = &inner;
    inner.limit = LEDGER_PAGE_ROWS_MAX;
    return ask_pages(gather, &query, SALUS__V1__ANSWER__KIND_OBLIGATIONS,
                     take_ends, reason);
}

enum pbft_status fhir_gather_status(struct fhir_gather *gather,
                                    struct fhir_wanted *wanted,
                                    bool *superseded,
                                    struct salus_reason *reason)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentStatusQuery inner = SALUS__V1__CONSENT_STATUS_QUERY__INIT;
    struct wire_arena arena;

    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
    query.consent_status = &inner;
    inner.consent =
        (ProtobufCBinaryData){sizeof wanted->consent, wanted->consent};
    wire_arena_init(&arena, ANSWER_BYTES_MAX);
    const Salus__V1__Answer *answer = ask(gather, &query, &arena, reason);
    bool is_told = answer != NULL &&
                   answer->kind_case == SALUS__V1__ANSWER__KIND_CONSENT_STATUS;
    if (is_told) {
        Salus__V1__ConsentStatus status = answer->consent_status->status;
        *superseded = status == SALUS__V1__CONSENT_STATUS__CONSENT_SUPERSEDED;
        wanted->withdrawn =
            *superseded || status == SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED;
    }
    wire_arena_deinit(&arena);
    if (answer != NULL && !is_told) {
        salus_reason_set(reason, "the replica does not tell what became of a "
                                 "consent");
    }
    return is_told ? PBFT_OK : PBFT_UNREACHABLE;
}
