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
/* Records with one commitment that an answer lists: the first, and these. */
#define SAME_COMMIT_MAX 16

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

/* ---- consent status ------------------------------------------------------ */

/* What a consent is worth at the time of the block. */
static Salus__V1__ConsentStatus status_of(const struct schema_consent *consent,
                                          uint64_t now_ms)
{
    switch (consent->state) {
    case SCHEMA_CONSENT_SUPERSEDED:
        return SALUS__V1__CONSENT_STATUS__CONSENT_SUPERSEDED;
    case SCHEMA_CONSENT_REVOKED:
        return SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED;
    case SCHEMA_CONSENT_ON_FILE:
        return SALUS__V1__CONSENT_STATUS__CONSENT_ON_FILE;
    case SCHEMA_CONSENT_GRANTED:
        break;
    }
    if (consent_is_over(consent, now_ms)) {
        return SALUS__V1__CONSENT_STATUS__CONSENT_EXPIRED;
    }
    return now_ms < consent->from_ms
               ? SALUS__V1__CONSENT_STATUS__CONSENT_NOT_YET
               : SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE;
}

static enum ledger_code consent_status(struct query *query,
                                       const Salus__V1__ConsentStatusQuery *in)
{
    struct schema_consent consent;
    struct schema_subject subject;
    if (in->consent.len != LEDGER_ID_SIZE) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_consent(&query->overlay, in->consent.data, &consent) ||
        !state_get_subject(&query->overlay, consent.subject, &subject)) {
        return LEDGER_NOT_FOUND;
    }
    Salus__V1__ConsentState *out = overlay_room(&query->overlay, sizeof *out);
    salus__v1__consent_state__init(out);
    out->consent = in->consent;
    out->subject = query_bytes(query, consent.subject, sizeof consent.subject);
    out->status = status_of(&consent, query->now_ms);
    out->institution = query_bytes(query, consent.institution.bytes,
                                   sizeof consent.institution.bytes);
    out->granted_seq = consent.granted_seq;
    out->ended_seq = consent.ended_seq;
    out->period_from_ms = consent.from_ms;
    out->period_to_ms = consent.to_ms;
    out->base_decision = (Salus__V1__Decision)consent.base_decision;
    out->subject_indeterminate = subject.indeterminate;
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_CONSENT_STATUS;
    query->answer.consent_status = out;
    return LEDGER_OK;
}

/* ---- verify record ------------------------------------------------------- */

static Salus__V1__RecordState *record_state(struct query *query,
                                            const uint8_t *id)
{
    struct schema_record record;
    if (!state_get_record(&query->overlay, id, &record)) {
        return NULL;
    }
    Salus__V1__RecordState *out = overlay_room(&query->overlay, sizeof *out);
    salus__v1__record_state__init(out);
    out->record = query_bytes(query, id, LEDGER_ID_SIZE);
    out->custodian = query_bytes(query, record.custodian.bytes,
                                 sizeof record.custodian.bytes);
    if (record.has_subject) {
        out->subject =
            query_bytes(query, record.subject, sizeof record.subject);
    }
    out->commit = query_bytes(query, record.commit, sizeof record.commit);
    out->version = record.version;
    out->anchored_seq = record.anchored_seq;
    out->anchored_us = record.anchored.time;
    out->class_code = record.class_code;
    out->confidentiality = record.confidentiality;
    return out;
}

/* Ids of records with one commitment, in the order of anchoring. */
struct found_records {
    uint8_t ids[1 + SAME_COMMIT_MAX][LEDGER_ID_SIZE];
    size_t count;
};

static bool note_record(void *visitor, struct pbft_bytes key,
                        struct pbft_bytes value)
{
    struct found_records *found = visitor;
    (void)key;
    if (value.size != LEDGER_ID_SIZE) {
        return false;
    }
    memcpy(found->ids[found->count++], value.data, LEDGER_ID_SIZE);
    return found->count < 1 + SAME_COMMIT_MAX;
}

static void find_by_commit(struct query *query, const uint8_t *commit,
                           struct found_records *found)
{
    struct schema_key prefix;
    schema_key_commit(&prefix, commit);
    const struct ledger_kv_range range = {
        .prefix = {prefix.bytes, prefix.size},
        .limit = 1 + SAME_COMMIT_MAX,
        .direction = LEDGER_KV_FORWARD,
    };
    query_range(query, prefix.space, &range, note_record, found);
}

static void answer_same_commit(struct query *query,
                               const struct found_records *found)
{
    Salus__V1__Answer *answer = &query->answer;
    answer->same_commit = overlay_room(
        &query->overlay, (found->count + 1) * sizeof *answer->same_commit);
    for (size_t i = 1; i < found->count; i++) {
        Salus__V1__RecordState *one = record_state(query, found->ids[i]);
        if (one != NULL) {
            answer->same_commit[answer->n_same_commit++] = one;
        }
    }
}

static enum ledger_code verify_record(struct query *query,
                                      const Salus__V1__VerifyRecordQuery *in)
{
    struct found_records found = {.count = 0};
    if (in->commit.len == LEDGER_COMMIT_SIZE && in->record.len == 0) {
        find_by_commit(query, in->commit.data, &found);
    } else if (in->record.len == LEDGER_ID_SIZE && in->commit.len == 0) {
        memcpy(found.ids[found.count++], in->record.data, LEDGER_ID_SIZE);
    } else {
        return LEDGER_QUERY_FORM;
    }
    if (found.count == 0) {
        return LEDGER_NOT_FOUND;
    }
    Salus__V1__RecordState *first = record_state(query, found.ids[0]);
    if (first == NULL) {
        return LEDGER_NOT_FOUND;
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_VERIFY_RECORD;
    query->answer.verify_record = first;
    answer_same_commit(query, &found);
    return LEDGER_OK;
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
        return consent_status(query, in->consent_status);
    case SALUS__V1__QUERY__KIND_CONSENT_HISTORY:
        return query_consent_history(query, in->consent_history);
    case SALUS__V1__QUERY__KIND_VERIFY_RECORD:
        return verify_record(query, in->verify_record);
    case SALUS__V1__QUERY__KIND_TRANSACTION:
        return transaction_state(query, in->transaction);
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
    query->now_ms = query->position.time / US_PER_MS;
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
    struct query work = {.view = view};
    (void)ledger; /* Families to come read its constants. */
    if (capacity < LEDGER_ANSWER_MAX) {
        return PBFT_TOO_LARGE;
    }
    overlay_init(&work.overlay, view);
    enum pbft_status status = run(&work, caller, query);
    if (status == PBFT_OK) {
        status = pack_answer(&work.answer, answer, capacity, answer_size);
    }
    overlay_deinit(&work.overlay);
    return status;
}
