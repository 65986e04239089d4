/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_REVOKE: a consent is withdrawn, by the institution that filed it, or
 * through any other one with the patient's own key. What was disclosed before
 * stays disclosed.
 */
#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/families.h"
#include "ledger/state.h"

/* It says why. */
static enum ledger_code reason_is_known(const struct execution *x,
                                        const Salus__V1__ConsentRevoke *in)
{
    return checks_flagged(x, CODES_REASON, in->reason, CODES_FOR_REVOKE);
}

/* The patient's own key has signed the withdrawal. */
static bool patient_has_signed(struct execution *x,
                               const struct schema_consent *consent)
{
    struct schema_subject subject;
    return state_get_subject(x->overlay, consent->subject, &subject) &&
           subject.has_agent &&
           execution_has_cosigner(x, TRANSACTION_SUBJECT_AGENT,
                                  subject.agent_key_id);
}

/* Policy may allow any provider to take a withdrawal, on paper. */
static bool is_provider(const struct execution *x)
{
    return (x->institution.roles >> CODES_INSTITUTION_PROVIDER & 1) != 0;
}

/* The consent stands, and the submitter may withdraw it. One code for all that
 * is not so: an answer does not tell strangers what exists. */
static enum ledger_code may_be_withdrawn(struct execution *x,
                                         const Salus__V1__ConsentRevoke *in,
                                         struct schema_consent *consent)
{
    if (in->consent.len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    if (!state_get_consent(x->overlay, in->consent.data, consent)) {
        return LEDGER_CONSENT_STATE;
    }
    bool allowed = execution_speaks_for(x, &consent->institution) ||
                   patient_has_signed(x, consent) ||
                   (x->policy->open_withdrawal && is_provider(x) &&
                    in->evidence_commit.len > 0);
    return allowed && consent_stands(consent, x->now_ms) ? LEDGER_OK
                                                         : LEDGER_CONSENT_STATE;
}

/* It was withdrawn after it was given, and not in the future. */
static enum ledger_code time_is_sane(struct execution *x,
                                     const Salus__V1__ConsentRevoke *in,
                                     const struct schema_consent *consent)
{
    if (in->revoked_at_ms == 0) {
        return LEDGER_FIELD_FORM;
    }
    if (in->revoked_at_ms < consent->given_at_ms) {
        return LEDGER_PERIOD;
    }
    return checks_not_future(x, in->revoked_at_ms);
}

enum ledger_code consent_revoke(struct execution *x)
{
    const Salus__V1__ConsentRevoke *in = x->body->consent_revoke;
    struct schema_consent consent;
    enum ledger_code code = reason_is_known(x, in);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->evidence_commit);
    }
    if (code == LEDGER_OK) {
        code = may_be_withdrawn(x, in, &consent);
    }
    if (code == LEDGER_OK) {
        code = time_is_sane(x, in, &consent);
    }
    if (code == LEDGER_OK) {
        consent_end(x, in->consent.data, SCHEMA_CONSENT_REVOKED, NULL);
    }
    return code;
}
