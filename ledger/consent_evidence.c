/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_EVIDENCE: a consent that nobody can compute is on file. It might be a
 * refusal, so it never widens access: its subject becomes indeterminate.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/families.h"
#include "ledger/state.h"

/* The document appears as a salted commitment. */
static enum ledger_code
document_is_committed(const Salus__V1__ConsentEvidence *in)
{
    return checks_commit(&in->evidence_commit);
}

/* It says why the consent cannot be computed. */
static enum ledger_code reason_is_known(const struct execution *x,
                                        const Salus__V1__ConsentEvidence *in)
{
    return checks_flagged(x, CODES_REASON, in->reason, CODES_FOR_EVIDENCE);
}

static void write_evidence(struct execution *x,
                           const Salus__V1__ConsentEvidence *in,
                           struct schema_subject *subject)
{
    struct schema_consent consent = {
        .state = SCHEMA_CONSENT_ON_FILE,
        .institution = x->request->institution,
        .granted_seq = x->seq,
        .granted = x->place,
    };
    memcpy(consent.subject, in->subject.data, sizeof consent.subject);
    if (!subject->indeterminate) {
        state_note_change(x->overlay, in->subject.data, STATE_UNCLEAR, NULL,
                          x->now_ms);
    }
    subject->indeterminate = true;
    state_put_subject(x->overlay, in->subject.data, subject);
    unsettled_add(x, subject, in);
    consent_write(x, in->consent.data, &consent);
}

enum ledger_code consent_evidence(struct execution *x)
{
    const Salus__V1__ConsentEvidence *in = x->body->consent_evidence;
    struct schema_subject subject;
    enum ledger_code code = document_is_committed(in);
    if (code == LEDGER_OK) {
        code = reason_is_known(x, in);
    }
    if (code == LEDGER_OK) {
        code = consent_id_is_new(x, &in->consent);
    }
    if (code == LEDGER_OK) {
        code = consent_subject_is_ours(x, &in->subject, &subject);
    }
    if (code == LEDGER_OK) {
        write_evidence(x, in, &subject);
    }
    return code;
}
