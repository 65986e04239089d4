/* SPDX-License-Identifier: Apache-2.0 */
/* Why was this decided? From what was written down when it was. */
#include <string.h>

#include "ledger/access.h"
#include "ledger/query.h"
#include "proto/scan.h"

/* Selectors that an answer shows in full: more might not fit into it. */
#define MATCHED_MAX 4u

/* The selector as the consent has it, copied behind the answer. */
static void show_selector(struct query *query, Salus__V1__Voice *out)
{
    struct pbft_bytes bytes;
    struct ProtobufCMessage *message = NULL;
    if (!state_get_payload(&query->overlay, 'c', out->consent.data, &bytes) ||
        wire_unpack_strict(&salus__v1__consent_grant__descriptor, bytes,
                           &query->overlay.arena, &message) != PBFT_OK) {
        return;
    }
    const Salus__V1__ConsentGrant *grant =
        (const Salus__V1__ConsentGrant *)(void *)message;
    if (out->selector == DECIDE_ROOT) {
        out->matched = grant->root;
        out->decision = grant->base_decision;
    } else if (out->selector <= grant->n_exceptions) {
        out->matched = grant->exceptions[out->selector - 1]->selector;
        out->decision = grant->exceptions[out->selector - 1]->type;
    }
}

Salus__V1__Voice **query_voices(struct query *query,
                                const struct decide_answer *answer,
                                size_t *count)
{
    size_t shown = 0;
    Salus__V1__Voice **voices =
        query_room(query, answer->voice_count + 1, sizeof *voices);
    for (size_t i = 0; i < answer->voice_count; i++) {
        const struct decide_voice *from = &answer->voices[i];
        Salus__V1__Voice *to = query_room(query, 1, sizeof *to);
        salus__v1__voice__init(to);
        to->consent = query_bytes(query, from->consent, sizeof from->consent);
        to->denied = from->denied;
        to->permitted = from->permitted;
        to->narrowed = from->narrowed;
        to->selector = from->selector;
        if (from->selector != DECIDE_SILENT && shown < MATCHED_MAX) {
            show_selector(query, to);
            shown++;
        }
        voices[i] = to;
    }
    *count = answer->voice_count;
    return voices;
}

static void add_records(struct query *query, Salus__V1__DecisionState *out,
                        const uint8_t *request)
{
    const Salus__V1__AccessRequest *asked =
        execution_stored(&query->overlay, &query->stored, 'w', request,
                         &salus__v1__access_request__descriptor);
    if (asked == NULL) {
        return;
    }
    out->records =
        query_room(query, asked->n_records + 1, sizeof *out->records);
    for (size_t i = 0; i < asked->n_records; i++) {
        out->records[out->n_records++] =
            query_bytes(query, asked->records[i].data, asked->records[i].len);
    }
}

/* What the custodian left of a scope by that decision; NULL: nothing kept. */
static Salus__V1__Selector *residual_of(struct query *query,
                                        const uint8_t *request, uint32_t number)
{
    struct pbft_bytes bytes;
    struct ProtobufCMessage *message = NULL;
    if (!state_get_decision(&query->overlay, request, number, &bytes) ||
        wire_unpack_strict(&salus__v1__access_decision__descriptor, bytes,
                           &query->overlay.arena, &message) != PBFT_OK) {
        return NULL;
    }
    return ((Salus__V1__AccessDecision *)(void *)message)->residual;
}

/* What held since when, as far as it is kept: what a disclosure that is told
 * late is judged by. */
static void add_held(struct query *query, Salus__V1__DecisionState *out,
                     const struct schema_access *access)
{
    const uint32_t count = access_held_count(access);
    out->decisions = access->decisions;
    out->held = query_room(query, count, sizeof *out->held);
    for (uint32_t i = 0; i < count; i++) {
        const struct schema_held *from = &access->held[i];
        Salus__V1__DecisionState__Held *to = query_room(query, 1, sizeof *to);
        salus__v1__decision_state__held__init(to);
        to->since_ms = from->since_ms;
        to->number = access->decisions - i;
        to->granted = from->granted;
        to->basis = from->basis != 0 ? from->basis : access->basis;
        if (from->has_residual) {
            to->residual = residual_of(query, out->request.data, to->number);
        }
        out->held[out->n_held++] = to;
    }
}

static void fill(struct query *query, Salus__V1__DecisionState *out,
                 const struct schema_access *access)
{
    out->requester = query_bytes(query, access->requester.bytes,
                                 sizeof access->requester.bytes);
    out->participant = query_id(query, access->participant);
    out->subject = query_bytes(query, access->subject, sizeof access->subject);
    out->custodian = query_bytes(query, access->custodian.bytes,
                                 sizeof access->custodian.bytes);
    out->purpose = access->purpose;
    out->action = access->action;
    out->basis = access->basis;
    out->computed = access->computed;
    out->granted = access->held[0].granted;
    out->rule = (Salus__V1__DecisionRule)access->rule;
    out->implicit = access->implicit;
    out->narrowed = access->is_narrowed;
    out->decided = access->decisions > 0;
    out->decided_basis = access->held[0].basis;
    out->decided_seq = access->decided_seq;
    out->asked_seq = access->seq;
    out->asked_us = access->asked.time;
    out->expires_ms = access->expires_ms;
    out->expired = access->is_expired || access->expires_ms <= query->now_ms;
    out->disclosed = access->disclosed;
}

enum ledger_code query_explain(struct query *query,
                               const Salus__V1__ExplainQuery *in)
{
    struct schema_access access;
    struct decide_answer *answer = query_room(query, 1, sizeof *answer);
    if (in->break_glass.len != 0) {
        return in->request.len == 0 ? query_emergency(query, &in->break_glass)
                                    : LEDGER_QUERY_FORM;
    }
    if (in->request.len != LEDGER_ID_SIZE) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_access(&query->overlay, in->request.data, &access)) {
        return query_emergency(query, &in->request);
    }
    if (!access_read_explanation(&query->overlay, in->request.data, answer)) {
        return LEDGER_NOT_FOUND;
    }
    Salus__V1__DecisionState *out = query_room(query, 1, sizeof *out);
    salus__v1__decision_state__init(out);
    out->request = in->request;
    fill(query, out, &access);
    add_records(query, out, in->request.data);
    add_held(query, out, &access);
    out->voices = query_voices(query, answer, &out->n_voices);
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_DECISION;
    query->answer.decision = out;
    return LEDGER_OK;
}
