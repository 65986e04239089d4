/* SPDX-License-Identifier: Apache-2.0 */
/* Patients and their consents. */
#include <string.h>

#include "sim/workload_world.h"

#define EXCEPTIONS_MAX 2
#define AFTER_GIVEN_MS 1000u
#define CLASS_NOTE 3u

/* ---- patients ------------------------------------------------------------ */

bool workload_register_subject(struct making *making)
{
    Salus__V1__SubjectRegister in = SALUS__V1__SUBJECT_REGISTER__INIT;
    Salus__V1__SubjectRegister__Subject first =
        SALUS__V1__SUBJECT_REGISTER__SUBJECT__INIT;
    Salus__V1__SubjectRegister__Subject second = first;
    Salus__V1__SubjectRegister__Subject *subjects[] = {&first, &second};
    struct pbft_public_key key;
    struct thing *patient = making_add(making, THING_PATIENT);
    const struct id handle = thing_id(patient);
    const struct id other = making_noise(making);
    first.handle = field(&handle, LEDGER_HANDLE_SIZE);
    second.handle = field(&other, LEDGER_HANDLE_SIZE);
    if (making_chance(making, 200)) {
        patient->key = making_new_key(making);
        workload_signing_key(&key, patient->key);
        first.agent_key = (ProtobufCBinaryData){sizeof key.bytes, key.bytes};
    }
    in.subjects = subjects;
    in.n_subjects = making_between(making, 1, 2);
    return making_build(making, TRANSACTION_SUBJECT_REGISTER, &in.base);
}

static bool is_unclear(const struct making *making, const struct thing *thing,
                       const void *context)
{
    (void)making;
    (void)context;
    return thing->is_marked;
}

bool workload_settle(struct making *making)
{
    Salus__V1__SubjectSettle in = SALUS__V1__SUBJECT_SETTLE__INIT;
    const struct wanted wanted = {
        .kind = THING_PATIENT, .whose = OWN, .fits = is_unclear};
    struct thing *patient = making_pick(making, &wanted);
    if (patient == NULL || !making_act(making, THING_OFFICER)) {
        return false;
    }
    const struct id handle = thing_id(patient);
    const struct id finding = making_noise(making);
    making_change(making, patient);
    patient->is_marked = false;
    in.subject = field(&handle, LEDGER_HANDLE_SIZE);
    in.evidence_commit = field(&finding, LEDGER_COMMIT_SIZE);
    return making_build(making, TRANSACTION_SUBJECT_SETTLE, &in.base);
}

/* ---- consents ------------------------------------------------------------ */

/* What the fields of a consent point to. */
struct granting {
    Salus__V1__ConsentGrant in;
    Salus__V1__Selector root;
    Salus__V1__Selector selectors[EXCEPTIONS_MAX];
    Salus__V1__ConsentGrant__Exception exceptions[EXCEPTIONS_MAX];
    Salus__V1__ConsentGrant__Exception *list[EXCEPTIONS_MAX];
    Salus__V1__Selector__Actor actor;
    Salus__V1__Selector__Actor *actors[1];
    struct id named; /* The actor. */
    uint32_t purposes[1];
    uint32_t classes[1];
    uint32_t confidentiality[1];
    struct id consent;
    struct id subject;
    struct id policy;
    struct id form;
    struct id delegate;
    struct id superseded;
    ProtobufCBinaryData supersedes[1];
};

/* Somebody, somewhere, or anybody in a role. */
static void name_actor(struct making *making, struct granting *granting)
{
    const struct wanted group = {.kind = THING_GROUP, .whose = ANYBODY};
    const struct wanted person = {.kind = THING_CLINICIAN, .whose = ANYBODY};
    const struct wanted place = {.kind = THING_INSTITUTION, .whose = ANYBODY};
    const uint32_t way = making_below(making, 4);
    const struct thing *one = making_pick(making, way == 0   ? &group
                                                  : way == 1 ? &person
                                                             : &place);
    salus__v1__selector__actor__init(&granting->actor);
    granting->actors[0] = &granting->actor;
    if (one == NULL || way == 3) {
        granting->actor.kind = SALUS__V1__SELECTOR__ACTOR__KIND__ROLE;
        granting->actor.role = CODES_ROLE_RESEARCHER;
        return;
    }
    granting->actor.kind = way == 0 ? SALUS__V1__SELECTOR__ACTOR__KIND__GROUP
                           : way == 1
                               ? SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT
                               : SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION;
    granting->named = thing_id(one);
    granting->actor.id = way == 2 ? institution_field(one)
                                  : field(&granting->named, LEDGER_ID_SIZE);
}

/* A part for which the answer is another one: of some people, or some data. */
static void add_exceptions(struct making *making, struct granting *granting,
                           bool deny)
{
    const uint32_t count = making_chance(making, 500)
                               ? making_between(making, 1, EXCEPTIONS_MAX)
                               : 0;
    for (uint32_t i = 0; i < count; i++) {
        Salus__V1__Selector *selector = &granting->selectors[i];
        Salus__V1__ConsentGrant__Exception *one = &granting->exceptions[i];
        salus__v1__selector__init(selector);
        salus__v1__consent_grant__exception__init(one);
        one->type =
            deny ? SALUS__V1__DECISION__PERMIT : SALUS__V1__DECISION__DENY;
        one->selector = selector;
        granting->list[i] = one;
        switch (making_below(making, 3)) {
        case 0:
            name_actor(making, granting);
            selector->actors = granting->actors;
            selector->n_actors = 1;
            break;
        case 1:
            granting->classes[0] = CLASS_NOTE;
            selector->classes = granting->classes;
            selector->n_classes = 1;
            break;
        default:
            granting->confidentiality[0] = CODES_CONF_R;
            selector->confidentiality = granting->confidentiality;
            selector->n_confidentiality = 1;
            break;
        }
    }
    granting->in.exceptions = granting->list;
    granting->in.n_exceptions = count;
}

/* Most are of patients who come themselves; some of their agents, or signed
 * with their own keys. */
static void say_who_gave_it(struct making *making, struct granting *granting,
                            const struct thing *patient)
{
    const struct thing *agent = making_chance(making, 150)
                                    ? making_pick_own(making, THING_AGENT)
                                    : NULL;
    granting->in.performer = SALUS__V1__CONSENT_GRANT__PERFORMER__SUBJECT;
    granting->in.mode = SALUS__V1__CONSENT_GRANT__MODE__WET_INK;
    if (agent != NULL) {
        granting->delegate = thing_id(agent);
        granting->in.performer = SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE;
        granting->in.delegate = field(&granting->delegate, LEDGER_ID_SIZE);
        granting->in.mode = SALUS__V1__CONSENT_GRANT__MODE__ESIGN;
    }
    if (patient->key != 0 && patient->from <= making_height(making) &&
        making_chance(making, 600)) {
        granting->in.mode = SALUS__V1__CONSENT_GRANT__MODE__AGENT_KEY;
        making_sign(making, patient->key, TRANSACTION_SUBJECT_AGENT);
    }
}

/* Some end while the run goes on, some begin: the sweep has work. */
static void set_period(struct making *making, struct granting *granting,
                       struct thing *consent)
{
    const uint64_t now_ms = making_now_ms(making);
    granting->in.given_at_ms = now_ms - AFTER_GIVEN_MS;
    if (making_chance(making, 100)) {
        granting->in.period_from_ms =
            now_ms + making_between(making, 1, WORKLOAD_MINUTE_MS);
    }
    if (making_chance(making, 400)) {
        consent->until_ms = now_ms + WORKLOAD_MINUTE_MS +
                            making_between(making, 1, 2 * WORKLOAD_MINUTE_MS);
        granting->in.period_to_ms = consent->until_ms;
    }
}

/* The policy of the genesis in the version that is in force. */
static void name_policy(struct making *making, struct granting *granting)
{
    granting->in.policy_version = 0;
    for (const struct thing *one = making_next(making, THING_POLICY, NULL);
         one != NULL; one = making_next(making, THING_POLICY, one)) {
        if (one->code == 0 && one->is_marked &&
            one->from <= making_height(making) &&
            one->version > granting->in.policy_version) {
            granting->in.policy_version = one->version;
        }
    }
    granting->in.policy_version += making->slip == SLIP_VERSION;
    workload_policy(granting->policy.bytes);
    granting->in.policy = field(&granting->policy, LEDGER_ID_SIZE);
}

/* Another consent of the same patient ends with it. */
static void supersede(struct making *making, struct granting *granting,
                      const struct thing *patient)
{
    const struct wanted wanted = {
        .kind = THING_CONSENT, .whose = OWN, .about = patient};
    struct thing *old = making_pick(making, &wanted);
    if (old == NULL || !making_chance(making, 600)) {
        return;
    }
    old->is_gone = true; /* Or it is withdrawn in vain, if this is refused. */
    granting->superseded = thing_id(old);
    granting->supersedes[0] = field(&granting->superseded, LEDGER_ID_SIZE);
    granting->in.supersedes = granting->supersedes;
    granting->in.n_supersedes = 1;
}

bool workload_grant(struct making *making)
{
    struct granting granting = {.in = SALUS__V1__CONSENT_GRANT__INIT,
                                .root = SALUS__V1__SELECTOR__INIT,
                                .purposes = {CODES_PURPOSE_TREAT}};
    Salus__V1__ConsentGrant *in = &granting.in;
    const struct thing *patient = making_pick_own(making, THING_PATIENT);
    if (patient == NULL) {
        return false;
    }
    const bool deny = making_chance(making, 50);
    supersede(making, &granting, patient);
    struct thing *consent = making_add(making, THING_CONSENT);
    consent->about = patient;
    granting.consent = thing_id(consent);
    granting.subject = thing_id(patient);
    granting.form = making_noise(making);
    in->consent = field(&granting.consent, LEDGER_ID_SIZE);
    in->subject = field(&granting.subject, LEDGER_HANDLE_SIZE);
    in->evidence_commit = field(&granting.form, LEDGER_COMMIT_SIZE);
    in->scope = SALUS__V1__CONSENT_GRANT__SCOPE__PRIVACY;
    in->category = CODES_CATEGORY_OTHER;
    in->base_decision =
        deny ? SALUS__V1__DECISION__DENY : SALUS__V1__DECISION__PERMIT;
    if (making_chance(making, 50)) {
        in->scope = SALUS__V1__CONSENT_GRANT__SCOPE__RESEARCH;
        granting.purposes[0] = CODES_PURPOSE_HRESCH;
    }
    granting.root.purposes = granting.purposes;
    granting.root.n_purposes = 1;
    in->root = &granting.root;
    name_policy(making, &granting);
    set_period(making, &granting, consent);
    add_exceptions(making, &granting, deny);
    say_who_gave_it(making, &granting, patient);
    return making_build(making, TRANSACTION_CONSENT_GRANT, &in->base);
}

bool workload_file(struct making *making)
{
    Salus__V1__ConsentEvidence in = SALUS__V1__CONSENT_EVIDENCE__INIT;
    struct thing *patient = making_pick_own(making, THING_PATIENT);
    if (patient == NULL) {
        return false;
    }
    const struct id consent = making_noise(making);
    const struct id subject = thing_id(patient);
    const struct id document = making_noise(making);
    making_change(making, patient);
    patient->is_marked = true;
    in.consent = field(&consent, LEDGER_ID_SIZE);
    in.subject = field(&subject, LEDGER_HANDLE_SIZE);
    in.evidence_commit = field(&document, LEDGER_COMMIT_SIZE);
    in.reason = making_between(making, CODES_REASON_NOT_COMPUTABLE,
                               CODES_REASON_INCOMPLETE);
    return making_build(making, TRANSACTION_CONSENT_EVIDENCE, &in.base);
}

/* Mostly where it was filed; elsewhere with the patient's key, or on paper if
 * policy allows that. */
bool workload_withdraw(struct making *making)
{
    Salus__V1__ConsentRevoke in = SALUS__V1__CONSENT_REVOKE__INIT;
    const struct wanted wanted = {
        .kind = THING_CONSENT,
        .whose = making_chance(making, 200) ? ANYBODY : OWN,
    };
    struct thing *consent = making_pick(making, &wanted);
    if (consent == NULL) {
        return false;
    }
    const struct thing *patient = consent->about;
    const struct id id = thing_id(consent);
    const struct id paper = making_noise(making);
    if (consent->party != making->party && patient->key != 0) {
        making_sign(making, patient->key, TRANSACTION_SUBJECT_AGENT);
    }
    making_change(making, consent);
    consent->is_gone = true;
    in.consent = field(&id, LEDGER_ID_SIZE);
    in.reason = making_between(making, CODES_REASON_WITHDRAWN_BY_SUBJECT,
                               CODES_REASON_FILED_IN_ERROR);
    in.revoked_at_ms = making_now_ms(making);
    in.evidence_commit = field(&paper, LEDGER_COMMIT_SIZE);
    return making_build(making, TRANSACTION_CONSENT_REVOKE, &in.base);
}
