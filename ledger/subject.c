/* SPDX-License-Identifier: Apache-2.0 */
/* SUBJECT_REGISTER: a provider gives patients random handles. Nothing else
 * about them can be said. SUBJECT_SETTLE: a steward has read the consents that
 * no machine could.
 */
#include <string.h>

#include "crypto/sign.h"
#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/families.h"
#include "ledger/state.h"

typedef Salus__V1__SubjectRegister__Subject subject_row;

/* One transaction registers 1 to 256 patients. */
static enum ledger_code count_is_allowed(const Salus__V1__SubjectRegister *in)
{
    if (in->n_subjects == 0) {
        return LEDGER_FIELD_FORM;
    }
    return in->n_subjects <= LEDGER_SUBJECTS_MAX ? LEDGER_OK : LEDGER_SIZE;
}

/* A handle is 32 random bytes: no function of a patient number. */
static enum ledger_code handle_is_random(const subject_row *row)
{
    return checks_random(&row->handle, LEDGER_HANDLE_SIZE);
}

/* Nobody has it, in this transaction or before. */
static enum ledger_code handle_is_unused(struct execution *x,
                                         const subject_row *row)
{
    struct schema_key key;
    schema_key_subject(&key, row->handle.data);
    return overlay_has(x->overlay, &key) ? LEDGER_SUBJ_EXISTS : LEDGER_OK;
}

/* A patient's own key could ever verify a signature. */
static enum ledger_code agent_key_is_sound(const subject_row *row)
{
    struct pbft_public_key key;
    if (row->agent_key.len == 0) {
        return LEDGER_OK;
    }
    if (row->agent_key.len != sizeof key.bytes) {
        return LEDGER_FIELD_FORM;
    }
    memcpy(key.bytes, row->agent_key.data, sizeof key.bytes);
    return sign_is_valid_key(&key) ? LEDGER_OK : LEDGER_FIELD_FORM;
}

/* A key serves one handle only: used for two, it would tell everybody that both
 * are the same patient. */
static enum ledger_code agent_key_is_unused(struct execution *x,
                                            const subject_row *row)
{
    struct transaction_key_id id;
    struct schema_key key;
    if (row->agent_key.len == 0) {
        return LEDGER_OK;
    }
    transaction_key_id(&id, row->agent_key.data);
    schema_key_key(&key, id.bytes);
    return overlay_has(x->overlay, &key) ? LEDGER_KEY_REUSED : LEDGER_OK;
}

static enum ledger_code judge(struct execution *x, const subject_row *row)
{
    enum ledger_code code = handle_is_random(row);
    if (code == LEDGER_OK) {
        code = handle_is_unused(x, row);
    }
    if (code == LEDGER_OK) {
        code = agent_key_is_sound(row);
    }
    if (code == LEDGER_OK) {
        code = agent_key_is_unused(x, row);
    }
    return code;
}

static void write_agent_key(struct execution *x, const subject_row *row,
                            struct schema_subject *subject)
{
    struct transaction_key_id id;
    struct schema_registered_key key = {
        .state = SCHEMA_ACTIVE,
        .purpose = SCHEMA_KEY_AGENT,
        .institution = x->request->institution,
        .from_seq = x->seq,
    };
    transaction_key_id(&id, row->agent_key.data);
    memcpy(key.key.bytes, row->agent_key.data, sizeof key.key.bytes);
    memcpy(key.subject, row->handle.data, sizeof key.subject);
    state_put_key(x->overlay, id.bytes, &key);
    subject->has_agent = true;
    memcpy(subject->agent_key_id, id.bytes, sizeof subject->agent_key_id);
}

static void write_subject(struct execution *x, const subject_row *row)
{
    struct schema_subject subject = {
        .state = SCHEMA_ACTIVE,
        .registrar = x->request->institution,
        .epoch_no = row->epoch_no,
        .registered_seq = x->seq,
    };
    if (row->agent_key.len > 0) {
        write_agent_key(x, row, &subject);
    }
    state_put_subject(x->overlay, row->handle.data, &subject);
}

/* Row by row, so that the second of two equal handles finds the first. A
 * refusal takes all of them back. */
enum ledger_code subject_register(struct execution *x)
{
    const Salus__V1__SubjectRegister *in = x->body->subject_register;
    enum ledger_code code = count_is_allowed(in);
    for (size_t i = 0; code == LEDGER_OK && i < in->n_subjects; i++) {
        code = judge(x, in->subjects[i]);
        if (code == LEDGER_OK) {
            write_subject(x, in->subjects[i]);
        }
    }
    return code;
}

/* What was filed while the officer read is not settled with the rest: it may be
 * a refusal. */
static enum ledger_code all_was_read(struct execution *x,
                                     const Salus__V1__SubjectSettle *in)
{
    struct schema_unsettled row;
    const bool is_older =
        in->newest.len > 0 &&
        (!state_get_unsettled(x->overlay, in->subject.data, &row) ||
         memcmp(row.newest, in->newest.data, sizeof row.newest) != 0);
    return is_older ? LEDGER_VERSION_CONFLICT : LEDGER_OK;
}

enum ledger_code subject_settle(struct execution *x)
{
    const Salus__V1__SubjectSettle *in = x->body->subject_settle;
    struct schema_subject subject;
    enum ledger_code code = checks_commit(&in->evidence_commit);
    if (code == LEDGER_OK) {
        code = checks_optional_reference(&in->newest, LEDGER_ID_SIZE);
    }
    if (code == LEDGER_OK) {
        code = consent_subject_is_ours(x, &in->subject, &subject);
    }
    if (code == LEDGER_OK && !subject.indeterminate) {
        code = LEDGER_SUBJ_STATE;
    }
    if (code == LEDGER_OK) {
        code = execution_is_privacy_officer(x);
    }
    if (code == LEDGER_OK) {
        code = all_was_read(x, in);
    }
    if (code == LEDGER_OK) {
        subject.indeterminate = false;
        state_put_subject(x->overlay, in->subject.data, &subject);
        state_note_change(x->overlay, in->subject.data, STATE_CLEAR, NULL,
                          x->now_ms);
        unsettled_end(x, &subject, in->subject.data);
        consent_note_settled(x, in->subject.data);
    }
    return code;
}
