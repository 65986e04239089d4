/* SPDX-License-Identifier: Apache-2.0 */
/* Is a consent in force: now, at a time, or after a block? And which of a
 * subject are, or were? */
#include <string.h>

#include "ledger/consent.h"
#include "ledger/fields.h"
#include "ledger/query.h"

#define US_PER_MS 1000u

/* A moment: a time, and the last block before it. */
struct moment {
    uint64_t now_us;
    uint64_t now_ms;
    bool is_now;
};

/* What a consent was worth at a moment. */
static Salus__V1__ConsentStatus status_of(const struct schema_consent *consent,
                                          const struct moment *moment)
{
    bool ended = consent->ended_us != 0 && consent->ended_us <= moment->now_us;
    if (consent->granted.time > moment->now_us) {
        return SALUS__V1__CONSENT_STATUS__CONSENT_NOT_FILED;
    }
    if (consent->state == SCHEMA_CONSENT_ON_FILE) {
        return SALUS__V1__CONSENT_STATUS__CONSENT_ON_FILE;
    }
    if (ended) {
        return consent->state == SCHEMA_CONSENT_SUPERSEDED
                   ? SALUS__V1__CONSENT_STATUS__CONSENT_SUPERSEDED
                   : SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED;
    }
    if (consent_is_over(consent, moment->now_ms)) {
        return SALUS__V1__CONSENT_STATUS__CONSENT_EXPIRED;
    }
    return moment->now_ms < consent->from_ms
               ? SALUS__V1__CONSENT_STATUS__CONSENT_NOT_YET
               : SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE;
}

/* The moment that is asked for; not after the height of the answer. */
static enum ledger_code moment_of(struct query *query, uint64_t at_ms,
                                  pbft_seq at_seq, struct moment *out)
{
    *out = (struct moment){query->position.time, query->now_ms, true};
    if (at_ms != 0 && at_seq != 0) {
        return LEDGER_QUERY_FORM;
    }
    if (at_ms != 0 && at_ms <= query->now_ms) {
        *out = (struct moment){at_ms * US_PER_MS, at_ms, false};
        return LEDGER_OK;
    }
    if (at_seq == 0) {
        return at_ms == 0 ? LEDGER_OK : LEDGER_NOT_FOUND;
    }
    if (!query_time_of(query, at_seq, &out->now_us)) {
        return LEDGER_NOT_FOUND;
    }
    out->now_ms = out->now_us / US_PER_MS;
    out->is_now = false;
    return LEDGER_OK;
}

/* False: there is none with that id. */
static Salus__V1__ConsentState *state_of(struct query *query, const uint8_t *id,
                                         const struct moment *moment)
{
    struct schema_consent consent;
    struct schema_subject subject;
    if (!state_get_consent(&query->overlay, id, &consent) ||
        !state_get_subject(&query->overlay, consent.subject, &subject)) {
        return NULL;
    }
    Salus__V1__ConsentState *out = query_room(query, 1, sizeof *out);
    salus__v1__consent_state__init(out);
    out->consent = query_bytes(query, id, LEDGER_ID_SIZE);
    out->subject = query_bytes(query, consent.subject, sizeof consent.subject);
    out->status = status_of(&consent, moment);
    out->institution = query_bytes(query, consent.institution.bytes,
                                   sizeof consent.institution.bytes);
    out->granted_seq = consent.granted_seq;
    out->ended_seq = consent.ended_seq;
    out->period_from_ms = consent.from_ms;
    out->period_to_ms = consent.to_ms;
    out->base_decision = (Salus__V1__Decision)consent.base_decision;
    out->subject_indeterminate = subject.indeterminate;
    return out;
}

enum ledger_code query_consent_status(struct query *query,
                                      const Salus__V1__ConsentStatusQuery *in)
{
    struct moment moment;
    enum ledger_code code = moment_of(query, in->at_ms, in->at_seq, &moment);
    if (code != LEDGER_OK) {
        return code;
    }
    if (in->consent.len != LEDGER_ID_SIZE) {
        return LEDGER_QUERY_FORM;
    }
    query->answer.consent_status = state_of(query, in->consent.data, &moment);
    if (query->answer.consent_status == NULL) {
        return LEDGER_NOT_FOUND;
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_CONSENT_STATUS;
    return LEDGER_OK;
}

/* ---- of a subject -------------------------------------------------------- */

/* One line of the history. False: it lies behind the moment. */
static bool look_at(struct query *query, const struct query_row *line,
                    const struct moment *moment, Salus__V1__ConsentList *out)
{
    struct schema_event event;
    struct field_reader reader = {.data = line->suffix.data,
                                  .left = line->suffix.size};
    if (line->suffix.size != SCHEMA_EVENT_SIZE ||
        !thing_decode(&thing_event, &event, line->value)) {
        query->overlay.status = PBFT_CORRUPT;
        return false;
    }
    if (field_read_u64(&reader) > moment->now_us) {
        return false;
    }
    if (event.kind != SCHEMA_EVENT_GRANTED &&
        event.kind != SCHEMA_EVENT_FILED_EVIDENCE) {
        return true;
    }
    Salus__V1__ConsentState *state = state_of(query, event.consent, moment);
    if (state != NULL &&
        (state->status == SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE ||
         state->status == SALUS__V1__CONSENT_STATUS__CONSENT_ON_FILE)) {
        out->rows[out->n_rows++] = state;
    }
    return true;
}

static void read_page(struct query *query, const Salus__V1__ConsentsQuery *in,
                      const struct moment *moment, size_t limit)
{
    struct schema_key prefix;
    struct query_rows lines;
    Salus__V1__ConsentList *out = query_room(query, 1, sizeof *out);
    schema_key_subject_history(&prefix, in->subject.data);
    const struct query_page page = {
        .space = prefix.space,
        .prefix = {prefix.bytes, prefix.size},
        .after = {in->cursor.data, in->cursor.len},
        .limit = limit,
    };
    query_collect(query, &page, &lines);
    salus__v1__consent_list__init(out);
    out->rows = query_room(query, limit, sizeof *out->rows);
    bool before = true;
    for (size_t i = 0; before && i < lines.count; i++) {
        before = look_at(query, &lines.rows[i], moment, out);
    }
    if (before && lines.more) {
        const struct pbft_bytes last = lines.rows[lines.count - 1].suffix;
        out->cursor = query_bytes(query, last.data, last.size);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_CONSENTS;
    query->answer.consents = out;
}

enum ledger_code query_consents(struct query *query,
                                const Salus__V1__ConsentsQuery *in)
{
    struct schema_subject subject;
    struct moment moment;
    size_t limit = 0;
    enum ledger_code code = moment_of(query, in->at_ms, in->at_seq, &moment);
    if (code != LEDGER_OK) {
        return code;
    }
    if (in->subject.len != LEDGER_HANDLE_SIZE ||
        (in->cursor.len != 0 && in->cursor.len != SCHEMA_EVENT_SIZE) ||
        query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &limit) != LEDGER_OK) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_subject(&query->overlay, in->subject.data, &subject)) {
        return LEDGER_NOT_FOUND;
    }
    read_page(query, in, &moment, limit);
    return LEDGER_OK;
}
