/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_GRANT: a patient's decision that machines can enforce. The rules
 * stand in the order in which they are asked, cheap ones and those of form
 * first.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/families.h"
#include "ledger/state.h"

/* What several rules look at. */
struct grant {
    struct execution *x;
    const Salus__V1__ConsentGrant *in;
    struct schema_subject subject; /* Known after subject_is_ours(). */
    struct schema_policy policy;   /* Known after policy_is_active(). */
};

typedef enum ledger_code grant_rule(struct grant *grant);

static bool is_permit(Salus__V1__Decision decision)
{
    return decision == SALUS__V1__DECISION__PERMIT;
}

static bool is_deny(Salus__V1__Decision decision)
{
    return decision == SALUS__V1__DECISION__DENY;
}

/* It says what it is about, how it was given, by whom, and yes or no. */
static enum ledger_code statements_are_complete(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    bool scope = in->scope >= SALUS__V1__CONSENT_GRANT__SCOPE__PRIVACY &&
                 in->scope <= SALUS__V1__CONSENT_GRANT__SCOPE__ADR;
    bool mode = in->mode >= SALUS__V1__CONSENT_GRANT__MODE__WET_INK &&
                in->mode <= SALUS__V1__CONSENT_GRANT__MODE__AGENT_KEY;
    bool decision = is_permit(in->base_decision) || is_deny(in->base_decision);
    return scope && mode && decision && in->given_at_ms != 0 && in->root != NULL
               ? LEDGER_OK
               : LEDGER_FIELD_FORM;
}

/* It is of a known category. */
static enum ledger_code category_is_known(struct grant *grant)
{
    return checks_code(grant->x, CODES_CATEGORY, grant->in->category);
}

/* The signed form, and the FHIR source if any, appear as salted commitments. */
static enum ledger_code documents_are_committed(struct grant *grant)
{
    enum ledger_code code = checks_commit(&grant->in->evidence_commit);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&grant->in->source_commit);
    }
    return code;
}

/* It was given in the past, and its period ends after it begins. It may be over
 * already: an old consent is still worth filing. */
static enum ledger_code times_are_sane(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    uint64_t from_ms =
        in->period_from_ms != 0 ? in->period_from_ms : in->given_at_ms;
    enum ledger_code code = checks_not_future(grant->x, in->given_at_ms);
    if (code == LEDGER_OK) {
        code = checks_period(from_ms, in->period_to_ms);
    }
    return code;
}

/* What it speaks of can be matched, exceptions included. */
static enum ledger_code selectors_are_sound(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    enum ledger_code code = selector_check(grant->x, in->root);
    if (code == LEDGER_OK && in->n_exceptions > LEDGER_EXCEPTIONS_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; code == LEDGER_OK && i < in->n_exceptions; i++) {
        const Salus__V1__ConsentGrant__Exception *one = in->exceptions[i];
        if (!is_permit(one->type) && !is_deny(one->type)) {
            return LEDGER_FIELD_FORM;
        }
        if (one->selector != NULL) {
            code = selector_check(grant->x, one->selector);
        }
    }
    return code;
}

/* An exception names something. One that names nothing would replace the whole
 * consent by its opposite. */
static enum ledger_code exceptions_name_something(struct grant *grant)
{
    for (size_t i = 0; i < grant->in->n_exceptions; i++) {
        const Salus__V1__ConsentGrant__Exception *one =
            grant->in->exceptions[i];
        if (one->selector == NULL || selector_is_empty(one->selector)) {
            return is_deny(one->type) ? LEDGER_SELECTOR_EMPTY_DENY
                                      : LEDGER_SELECTOR;
        }
    }
    return LEDGER_OK;
}

/* A unit is a name for a part of an institution. Who asks names himself, and
 * nothing on the ledger says who belongs to it: it matches nobody who asks. */
static bool names_a_unit(const struct grant *grant,
                         const Salus__V1__Selector *in)
{
    for (size_t i = 0; i < in->n_actors; i++) {
        struct schema_participant found;
        if (in->actors[i]->kind ==
                SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT &&
            state_get_participant(grant->x->overlay, in->actors[i]->id.data,
                                  &found) &&
            found.kind == SALUS__V1__PARTICIPANT_REGISTER__KIND__UNIT) {
            return true;
        }
    }
    return false;
}

/* A purpose that no table knows matches nothing. What and whom an exception
 * does not name it inherits from the root. */
static bool deny_is_representable(const struct grant *grant,
                                  const Salus__V1__Selector *deny)
{
    const Salus__V1__Selector *root = grant->in->root;
    const Salus__V1__Selector *actors = deny->n_actors > 0 ? deny : root;
    const bool purpose_unknown =
        deny->purpose_unknown ||
        (deny->n_purposes == 0 && root->purpose_unknown);
    return !purpose_unknown && !names_a_unit(grant, actors);
}

/* No deny is lost: one that can match nothing or nobody would deny nothing. */
static enum ledger_code denies_are_representable(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    if (is_deny(in->base_decision) && !deny_is_representable(grant, in->root)) {
        return LEDGER_SELECTOR_UNKNOWN_DENY;
    }
    for (size_t i = 0; i < in->n_exceptions; i++) {
        if (is_deny(in->exceptions[i]->type) &&
            !deny_is_representable(grant, in->exceptions[i]->selector)) {
            return LEDGER_SELECTOR_UNKNOWN_DENY;
        }
    }
    return LEDGER_OK;
}

static bool names_research(const struct grant *grant,
                           const Salus__V1__Selector *selector)
{
    for (size_t i = 0; i < selector->n_purposes; i++) {
        if (checks_flagged(grant->x, CODES_PURPOSE, selector->purposes[i],
                           CODES_RESEARCH) == LEDGER_OK) {
            return true;
        }
    }
    return false;
}

/* A research consent names a research purpose, or denies everything. */
static enum ledger_code research_is_named(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    if (in->scope != SALUS__V1__CONSENT_GRANT__SCOPE__RESEARCH ||
        names_research(grant, in->root) ||
        (is_deny(in->base_decision) && in->root->n_purposes == 0)) {
        return LEDGER_OK;
    }
    for (size_t i = 0; i < in->n_exceptions; i++) {
        if (names_research(grant, in->exceptions[i]->selector)) {
            return LEDGER_OK;
        }
    }
    return LEDGER_SCOPE_PURPOSE;
}

/* Where the law wants recipients named (42 CFR Part 2), every permit names
 * them, itself or by inheriting them from the root. */
static enum ledger_code recipients_are_named(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    if (checks_flagged(grant->x, CODES_CATEGORY, in->category,
                       CODES_NAMED_RECIPIENT) != LEDGER_OK ||
        in->root->n_actors > 0) {
        return LEDGER_OK;
    }
    if (is_permit(in->base_decision)) {
        return LEDGER_RECIPIENT_REQUIRED;
    }
    for (size_t i = 0; i < in->n_exceptions; i++) {
        if (is_permit(in->exceptions[i]->type) &&
            in->exceptions[i]->selector->n_actors == 0) {
            return LEDGER_RECIPIENT_REQUIRED;
        }
    }
    return LEDGER_OK;
}

/* The policy that it names is in force in that version. */
static enum ledger_code policy_is_active(struct grant *grant)
{
    const ProtobufCBinaryData *policy = &grant->in->policy;
    enum ledger_code code = checks_reference(policy, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_policy(grant->x->overlay, policy->data,
                            grant->in->policy_version, &grant->policy) &&
                   state_policy_is_active(grant->x->overlay, &grant->policy)
               ? LEDGER_OK
               : LEDGER_POLICY_INACTIVE;
}

/* The patient is this institution's. */
static enum ledger_code subject_is_ours(struct grant *grant)
{
    return consent_subject_is_ours(grant->x, &grant->in->subject,
                                   &grant->subject);
}

static enum ledger_code id_is_new(struct grant *grant)
{
    return consent_id_is_new(grant->x, &grant->in->consent);
}

/* A delegate is a patients' agent that this institution registered, valid now.
 */
static enum ledger_code delegate_may_consent(struct grant *grant)
{
    const ProtobufCBinaryData *delegate = &grant->in->delegate;
    struct execution *x = grant->x;
    struct schema_participant found;
    switch (grant->in->performer) {
    case SALUS__V1__CONSENT_GRANT__PERFORMER__SUBJECT:
        return delegate->len == 0 ? LEDGER_OK : LEDGER_FIELD_FORM;
    case SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE:
        break;
    default:
        return LEDGER_FIELD_FORM;
    }
    if (delegate->len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    return state_get_participant(x->overlay, delegate->data, &found) &&
                   execution_is_submitter(x, &found.institution) &&
                   found.kind ==
                       SALUS__V1__PARTICIPANT_REGISTER__KIND__PATIENT_AGENT &&
                   state_participant_is_valid(&found, x->now_ms)
               ? LEDGER_OK
               : LEDGER_DELEG_STATE;
}

/* What is said to be signed with the patient's key is; and if he has one, the
 * policy may ask for it always. */
static enum ledger_code agent_has_signed(struct grant *grant)
{
    bool required = grant->subject.has_agent && grant->policy.agent_cosign;
    if (grant->in->mode != SALUS__V1__CONSENT_GRANT__MODE__AGENT_KEY &&
        !required) {
        return LEDGER_OK;
    }
    return grant->subject.has_agent &&
                   execution_has_cosigner(grant->x, TRANSACTION_SUBJECT_AGENT,
                                          grant->subject.agent_key_id)
               ? LEDGER_OK
               : LEDGER_COSIGN_MISSING;
}

/* The consents that it replaces are of the same patient, and stand. */
static enum ledger_code superseded_ones_stand(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    struct schema_consent old;
    enum ledger_code code =
        checks_id_list((struct checks_ids){in->supersedes, in->n_supersedes},
                       LEDGER_SUPERSEDES_MAX);
    for (size_t i = 0; code == LEDGER_OK && i < in->n_supersedes; i++) {
        if (!state_get_consent(grant->x->overlay, in->supersedes[i].data,
                               &old) ||
            memcmp(old.subject, in->subject.data, sizeof old.subject) != 0) {
            return LEDGER_SUPERSEDE_FOREIGN;
        }
        if (!consent_stands(&old, grant->x->now_ms)) {
            return LEDGER_CONSENT_STATE;
        }
    }
    return code;
}

/* A patient has a bounded number of consents in force. */
static enum ledger_code consents_have_room(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    return consent_has_room(grant->x, in->subject.data, in->n_supersedes);
}

/* The new consent and the end of the old ones, in one. */
static void write_grant(struct grant *grant)
{
    const Salus__V1__ConsentGrant *in = grant->in;
    struct execution *x = grant->x;
    struct schema_consent consent = {
        .state = SCHEMA_CONSENT_GRANTED,
        .institution = x->request->institution,
        .granted_seq = x->seq,
        .granted = x->place,
        .given_at_ms = in->given_at_ms,
        .from_ms =
            in->period_from_ms != 0 ? in->period_from_ms : in->given_at_ms,
        .to_ms = in->period_to_ms,
        .base_decision = (uint8_t)in->base_decision,
    };
    memcpy(consent.subject, in->subject.data, sizeof consent.subject);
    for (size_t i = 0; i < in->n_supersedes; i++) {
        consent_end(x, in->supersedes[i].data, SCHEMA_CONSENT_SUPERSEDED,
                    in->consent.data);
    }
    consent_write(x, in->consent.data, &consent);
}

enum ledger_code consent_grant(struct execution *x)
{
    static grant_rule *const rules[] = {
        statements_are_complete,
        category_is_known,
        documents_are_committed,
        times_are_sane,
        id_is_new,
        subject_is_ours,
        policy_is_active,
        selectors_are_sound,
        exceptions_name_something,
        denies_are_representable,
        research_is_named,
        recipients_are_named,
        delegate_may_consent,
        agent_has_signed,
        superseded_ones_stand,
        consents_have_room,
    };
    struct grant grant = {.x = x, .in = x->body->consent_grant};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        enum ledger_code code = rules[i](&grant);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    write_grant(&grant);
    return LEDGER_OK;
}
