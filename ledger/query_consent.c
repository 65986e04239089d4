/* SPDX-License-Identifier: Apache-2.0 */
/* Is a consent in force: now, at a time, or after a block? */
#include <string.h>

#include "ledger/consent.h"
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
static enum ledger_code moment_of(struct query *query,
                                  const Salus__V1__ConsentStatusQuery *in,
                                  struct moment *out)
{
    *out = (struct moment){query->position.time, query->now_ms, true};
    if (in->at_ms != 0 && in->at_seq != 0) {
        return LEDGER_QUERY_FORM;
    }
    if (in->at_ms != 0 && in->at_ms <= query->now_ms) {
        *out = (struct moment){in->at_ms * US_PER_MS, in->at_ms, false};
        return LEDGER_OK;
    }
    if (in->at_seq == 0) {
        return in->at_ms == 0 ? LEDGER_OK : LEDGER_NOT_FOUND;
    }
    if (!query_time_of(query, in->at_seq, &out->now_us)) {
        return LEDGER_NOT_FOUND;
    }
    out->now_ms = out->now_us / US_PER_MS;
    out->is_now = false;
    return LEDGER_OK;
}

enum ledger_code query_consent_status(struct query *query,
                                      const Salus__V1__ConsentStatusQuery *in)
{
    struct schema_consent consent;
    struct schema_subject subject;
    struct moment moment;
    enum ledger_code code = moment_of(query, in, &moment);
    if (code != LEDGER_OK) {
        return code;
    }
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
    out->status = status_of(&consent, &moment);
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
