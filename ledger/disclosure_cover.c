/* SPDX-License-Identifier: Apache-2.0 */
/* Is a disclosure covered by what it stands on? By the decision, emergency or
 * law, by whoever received it, and by the consents of the moment at which it
 * happened, whatever has become of them since.
 */
#include <string.h>

#include "ledger/disclosure.h"

#define US_PER_MS 1000u

/* ---- whom, what ---------------------------------------------------------- */

static bool went_to(const struct telling *telling,
                    const struct pbft_institution *institution)
{
    return memcmp(telling->in->recipient.data, institution->bytes,
                  sizeof institution->bytes) == 0;
}

static bool is_about(const struct telling *telling, const uint8_t *subject)
{
    return memcmp(telling->in->subject.data, subject, LEDGER_HANDLE_SIZE) == 0;
}

static bool has_classes(const Salus__V1__Disclosure *in,
                        const uint32_t *classes, size_t count)
{
    for (size_t i = 0; i < in->n_classes; i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++) {
            found = found || classes[j] == in->classes[i];
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool within(uint64_t from, uint64_t to, uint64_t outer_from,
                   uint64_t outer_to)
{
    uint64_t end = to != 0 ? to : UINT64_MAX;
    uint64_t outer_end = outer_to != 0 ? outer_to : UINT64_MAX;
    return (outer_from == 0 && outer_to == 0) ||
           (outer_from <= from && end <= outer_end);
}

/* Records by themselves, or everything of what was told. */
struct targets {
    struct decide_target rows[LEDGER_TARGETS_MAX];
    size_t count;
};

static void add_record(struct telling *telling, struct targets *out,
                       const ProtobufCBinaryData *record)
{
    struct execution *x = telling->x;
    if (decide_record_target(x->overlay, x->scratch, record->data,
                             &out->rows[out->count])) {
        out->count++;
    }
}

static void add_told(const struct telling *telling, struct targets *out,
                     uint32_t confidentiality)
{
    const Salus__V1__Disclosure *in = telling->in;
    out->rows[out->count++] = (struct decide_target){
        .is_scope = true,
        .classes = in->classes,
        .class_count = in->n_classes,
        .confidentiality = confidentiality,
        .from_ms = in->period_from_ms,
        .to_ms = in->period_to_ms,
    };
}

/* What was told fits into the targets that are open: if they are records, no
 * more items than those, of their classes. */
static bool fits(const struct telling *telling, const struct targets *targets,
                 uint64_t open)
{
    uint32_t classes[LEDGER_TARGETS_MAX];
    uint32_t count = 0;
    if (targets->count == 0 || targets->rows[0].is_scope) {
        return targets->count > 0 && open != 0;
    }
    for (size_t i = 0; i < targets->count; i++) {
        if ((open >> i & 1) != 0) {
            classes[count++] = targets->rows[i].classes[0];
        }
    }
    return telling->in->item_count <= count &&
           has_classes(telling->in, classes, count);
}

/* The person who received, where one is named; else the requester stays. */
static void replace_by_recipient(struct telling *telling,
                                 struct decide_requester *who)
{
    const ProtobufCBinaryData *person = &telling->in->recipient_participant;
    if (person->len > 0) {
        memcpy(who->id, person->data, sizeof who->id);
        who->has_participant = state_get_participant(
            telling->x->overlay, who->id, &who->participant);
    }
}

/* A leaf was told in time, by its root, and cannot be told otherwise: where
 * nobody knows any more what the consents of then were, it is not refused to
 * the patient's accounting. It stands by everything else that covers it. */
static uint64_t open_to_leaf(struct telling *telling, const uint8_t *subject,
                             uint64_t then_ms, uint64_t all)
{
    struct state_standing standing;
    bool indeterminate = false;
    telling->is_past_unknown =
        telling->is_leaf &&
        !state_standing_at(telling->x->overlay, subject, then_ms, &standing,
                           &indeterminate);
    return telling->is_past_unknown ? all : 0;
}

/* ---- a decision ---------------------------------------------------------- */

/* What is given to one person is not another's. If only the institution asked,
 * the consents are asked about the person who received. */
static bool reached_who_asked(const struct telling *telling)
{
    static const uint8_t nobody[LEDGER_ID_SIZE] = {0};
    const uint8_t *asked = telling->access.participant;
    const ProtobufCBinaryData *received = &telling->in->recipient_participant;
    return received->len == 0 || memcmp(asked, nobody, sizeof nobody) == 0 ||
           memcmp(asked, received->data, sizeof nobody) == 0;
}

/* What the custodian left of a scope. */
static bool residual_allows(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    if (!telling->access.has_residual) {
        return true;
    }
    const Salus__V1__AccessDecision *decision = execution_stored(
        telling->x->overlay, telling->x->stored, 'o', in->decision.data,
        &salus__v1__access_decision__descriptor);
    if (decision == NULL || decision->residual == NULL) {
        return false;
    }
    const Salus__V1__Selector *left = decision->residual;
    return (left->n_classes == 0 ||
            has_classes(in, left->classes, left->n_classes)) &&
           within(in->period_from_ms, in->period_to_ms, left->data_from_ms,
                  left->data_to_ms);
}

/* The records that were granted; or, within the bounds of a scope, what was
 * told. False: it was not within them. */
static bool list_granted(struct telling *telling, struct targets *out)
{
    const Salus__V1__Disclosure *in = telling->in;
    const struct schema_access *access = &telling->access;
    const Salus__V1__AccessRequest *asked = execution_stored(
        telling->x->overlay, telling->x->stored, 'w', in->decision.data,
        &salus__v1__access_request__descriptor);
    out->count = 0;
    for (size_t i = 0; asked != NULL && i < asked->n_records; i++) {
        if ((access->granted >> i & 1) != 0) {
            add_record(telling, out, &asked->records[i]);
        }
    }
    if (asked == NULL || asked->n_records > 0) {
        return asked != NULL;
    }
    add_told(telling, out, access->confidentiality_max);
    return (asked->n_classes == 0 ||
            has_classes(in, asked->classes, asked->n_classes)) &&
           within(in->period_from_ms, in->period_to_ms, asked->data_from_ms,
                  asked->data_to_ms);
}

/* What the consents of that moment permit, by the policy, people and labels of
 * now. */
static uint64_t permitted_at(struct telling *telling,
                             const struct targets *targets,
                             const struct decide_requester *requester,
                             uint64_t at_ms)
{
    const struct schema_access *access = &telling->access;
    struct decide_answer answer;
    const struct decide_question question = {
        .overlay = telling->x->overlay,
        .arena = telling->x->stored,
        .policy = telling->x->policy,
        .now_ms = at_ms,
        .as_it_stood = true,
        .subject = access->subject,
        .requester = requester,
        .purpose = access->purpose,
        .action = access->action,
        .targets = targets->rows,
        .target_count = targets->count,
    };
    decide(&answer, &question);
    return answer.permitted;
}

/* Received by a person who is not the one that asked. */
static bool went_to_another_person(const struct telling *telling)
{
    const ProtobufCBinaryData *received = &telling->in->recipient_participant;
    return received->len > 0 &&
           memcmp(telling->access.participant, received->data,
                  sizeof telling->access.participant) != 0;
}

/* What the consents permitted when it happened, and not before it was decided:
 * clocks differ. The decision stands as long as the consents do: a policy,
 * group, role or label that changed since then takes nothing back that went out
 * before. */
static uint64_t permitted_then(struct telling *telling,
                               const struct targets *targets)
{
    struct execution *x = telling->x;
    const struct schema_access *access = &telling->access;
    const uint64_t all = decide_all(targets->count);
    const uint64_t asked_ms = access->asked.time / US_PER_MS;
    const uint64_t then_ms =
        telling->event_ms > asked_ms ? telling->event_ms : asked_ms;
    struct decide_requester requester;
    if (access_rests_on_law(access)) {
        return all;
    }
    access_requester(x->overlay, access, &requester);
    replace_by_recipient(telling, &requester);
    const uint64_t then = permitted_at(telling, targets, &requester, then_ms);
    const uint64_t unknown =
        then == 0 ? open_to_leaf(telling, access->subject, then_ms, all) : 0;
    if (unknown != 0) {
        return unknown;
    }
    if (went_to_another_person(telling) ||
        state_standing_changed(x->overlay, access->subject, asked_ms,
                               then_ms)) {
        return then;
    }
    /* Only a period that a consent names can have begun or ended. */
    return all &
           ~(permitted_at(telling, targets, &requester, asked_ms) & ~then);
}

static bool decision_covers(struct telling *telling)
{
    const struct schema_access *access = &telling->access;
    uint64_t bound_ms = telling->x->constants->time_bound_ms;
    struct targets targets;
    return access->granted != 0 && went_to(telling, &access->requester) &&
           reached_who_asked(telling) && is_about(telling, access->subject) &&
           telling->event_ms < access->expires_ms &&
           telling->event_ms + bound_ms >= access->asked.time / US_PER_MS &&
           telling->in->purpose == access->purpose &&
           residual_allows(telling) && list_granted(telling, &targets) &&
           fits(telling, &targets, permitted_then(telling, &targets));
}

/* ---- an emergency -------------------------------------------------------- */

static void list_opened(struct telling *telling, struct targets *out)
{
    const struct schema_emergency *emergency = &telling->emergency;
    out->count = 0;
    if (emergency->record_count == 0) {
        add_told(telling, out, CODES_CONF_V);
        return;
    }
    const Salus__V1__BreakGlass *in = execution_stored(
        telling->x->overlay, telling->x->stored, 'g',
        telling->in->break_glass.data, &salus__v1__break_glass__descriptor);
    for (size_t i = 0; in != NULL && i < in->n_records; i++) {
        add_record(telling, out, &in->records[i]);
    }
}

/* What it named, and neither then nor for that person was denied by name. */
static bool opened_then(struct telling *telling)
{
    const struct schema_emergency *emergency = &telling->emergency;
    struct decide_requester requester;
    struct targets targets;
    list_opened(telling, &targets);
    emergency_declarer(telling->x->overlay, emergency, &requester);
    replace_by_recipient(telling, &requester);
    const struct emergency_case asked = {
        .subject = emergency->subject,
        .requester = &requester,
        .purpose = emergency->purpose,
        .targets = targets.rows,
        .target_count = targets.count,
        .then_ms = telling->event_ms > emergency->opened_ms
                       ? telling->event_ms
                       : emergency->opened_ms,
        .was_declared = true,
    };
    uint64_t open = emergency_opens(telling->x, &asked);
    if (open == 0) {
        open = open_to_leaf(telling, asked.subject, asked.then_ms,
                            decide_all(targets.count));
    }
    return fits(telling, &targets, open);
}

static bool emergency_covers(struct telling *telling)
{
    const struct schema_emergency *emergency = &telling->emergency;
    uint32_t purpose = telling->in->purpose;
    uint64_t bound_ms = telling->x->constants->time_bound_ms;
    return went_to(telling, &emergency->institution) &&
           is_about(telling, emergency->subject) &&
           telling->event_ms + bound_ms >= emergency->opened_ms &&
           telling->event_ms < emergency->closes_ms &&
           (purpose == CODES_PURPOSE_BTG || purpose == CODES_PURPOSE_ETREAT) &&
           opened_then(telling);
}

/* ---- a law, the patient himself ------------------------------------------ */

bool disclosure_went_to_patient(const struct telling *telling)
{
    struct execution *x = telling->x;
    struct schema_institution recipient;
    return went_to(telling, &x->request->institution) ||
           (state_get_institution(x->overlay, telling->in->recipient.data,
                                  &recipient) &&
            (recipient.roles >> CODES_INSTITUTION_PATIENT_AGENT & 1) != 0);
}

/* The patient asked for his own, for himself or for whom he named. */
static bool patient_asked(const struct telling *telling)
{
    return decide_purpose_reaches(telling->x->overlay, telling->x->policy,
                                  CODES_PURPOSE_PATRQT, telling->in->purpose,
                                  false);
}

static bool basis_covers(struct telling *telling)
{
    uint32_t basis = telling->in->basis;
    return access_is_legal_basis(basis) ||
           (basis == CODES_BASIS_INDIVIDUAL && patient_asked(telling));
}

enum ledger_code disclosure_cover(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct overlay *overlay = telling->x->overlay;
    if (in->decision.len > 0) {
        if (!state_get_access(overlay, in->decision.data, &telling->access)) {
            return LEDGER_NO_DECISION;
        }
        telling->is_covered = decision_covers(telling);
    } else if (in->break_glass.len > 0) {
        if (!state_get_emergency(overlay, in->break_glass.data,
                                 &telling->emergency)) {
            return LEDGER_BG_STATE;
        }
        telling->is_covered = emergency_covers(telling);
    } else {
        telling->is_covered = basis_covers(telling);
    }
    return telling->is_covered || in->violation ? LEDGER_OK
                                                : LEDGER_DECISION_SCOPE;
}
