/* SPDX-License-Identifier: Apache-2.0 */
/* DISCLOSURE: data went out. One that no decision covers is refused, unless the
 * source reports it itself as a violation: a disclosure that nobody tells is
 * worse than one that should not have been.
 */
#include "ledger/disclosure.h"

#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/fields.h"

typedef enum ledger_code telling_rule(struct telling *telling);

/* ---- form ---------------------------------------------------------------- */

/* What went, why and how is told by code and by commitment. */
static enum ledger_code contents_are_told(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    const struct execution *x = telling->x;
    if (in->item_count == 0 || in->n_classes == 0 ||
        in->mode < SALUS__V1__DISCLOSURE__MODE__READ ||
        in->mode > SALUS__V1__DISCLOSURE__MODE__BULK) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code = checks_commit(&in->manifest_root);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->detail_commit);
    }
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->document_commit);
    }
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_PURPOSE, in->purpose);
    }
    if (code == LEDGER_OK) {
        code = checks_days(in->period_from_ms, in->period_to_ms);
    }
    return code == LEDGER_OK ? checks_code_list(x, CODES_CLASS,
                                                (struct checks_codes){
                                                    in->classes, in->n_classes},
                                                LEDGER_CODES_MAX)
                             : code;
}

/* It stands on a decision, an emergency, or a law with a writing; on one of
 * them. A violation may stand on nothing. */
static enum ledger_code basis_is_one(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    unsigned bases =
        (in->decision.len > 0) + (in->break_glass.len > 0) + (in->basis != 0);
    if (bases > 1 || (bases == 0 && !in->violation)) {
        return LEDGER_BASIS;
    }
    if (in->basis != 0) {
        if (checks_code(telling->x, CODES_LEGAL_BASIS, in->basis) !=
            LEDGER_OK) {
            return LEDGER_UNKNOWN_CODE;
        }
        if (access_is_legal_basis(in->basis) && in->document_commit.len == 0) {
            return LEDGER_LEGAL_BASIS_REQUIRED;
        }
    }
    enum ledger_code code =
        checks_optional_reference(&in->decision, LEDGER_ID_SIZE);
    return code == LEDGER_OK
               ? checks_optional_reference(&in->break_glass, LEDGER_ID_SIZE)
               : code;
}

/* The recipient is of the consortium, as is the person who received. */
static enum ledger_code recipient_is_known(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct schema_participant person;
    enum ledger_code code =
        checks_reference(&in->recipient, PBFT_INSTITUTION_SIZE);
    if (code == LEDGER_OK) {
        code = checks_optional_reference(&in->recipient_participant,
                                         LEDGER_ID_SIZE);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    if (!thing_has(telling->x->overlay, &thing_institution,
                   in->recipient.data)) {
        return LEDGER_NOT_FOUND;
    }
    if (in->recipient_participant.len == 0) {
        return LEDGER_OK;
    }
    return state_get_participant(telling->x->overlay,
                                 in->recipient_participant.data, &person) &&
                   memcmp(person.institution.bytes, in->recipient.data,
                          PBFT_INSTITUTION_SIZE) == 0
               ? LEDGER_OK
               : LEDGER_PART_STATE;
}

/* The patient is the source's. */
static enum ledger_code subject_is_ours(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct schema_subject subject;
    enum ledger_code code = checks_reference(&in->subject, LEDGER_HANDLE_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_subject(telling->x->overlay, in->subject.data, &subject) &&
                   execution_speaks_for(telling->x, &subject.registrar)
               ? LEDGER_OK
               : LEDGER_FOREIGN_SUBJECT;
}

static enum ledger_code id_is_new(struct telling *telling)
{
    const ProtobufCBinaryData *id = &telling->in->disclosure;
    enum ledger_code code = checks_random(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return thing_has(telling->x->overlay, &thing_disclosure, id->data)
               ? LEDGER_DISC_EXISTS
               : LEDGER_OK;
}

/* ---- is it covered? ------------------------------------------------------ */

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

static bool has_class(const Salus__V1__Disclosure *in, const uint32_t *classes,
                      size_t count)
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

static uint32_t bits_in(uint64_t bits)
{
    uint32_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* Classes of the records that were granted. */
static size_t granted_classes(struct telling *telling,
                              const Salus__V1__AccessRequest *asked,
                              uint32_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->n_records; i++) {
        struct schema_record record;
        if ((telling->access.granted >> i & 1) != 0 &&
            state_get_record(telling->x->overlay, asked->records[i].data,
                             &record)) {
            out[count++] = record.class_code;
        }
    }
    return count;
}

static bool within(uint64_t from, uint64_t to, uint64_t outer_from,
                   uint64_t outer_to)
{
    uint64_t end = to != 0 ? to : UINT64_MAX;
    uint64_t outer_end = outer_to != 0 ? outer_to : UINT64_MAX;
    return (outer_from == 0 && outer_to == 0) ||
           (outer_from <= from && end <= outer_end);
}

/* Classes, period and number of items are within what was granted. */
static bool extent_is_granted(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    uint32_t classes[LEDGER_TARGETS_MAX];
    const Salus__V1__AccessRequest *asked = execution_stored(
        telling->x->overlay, telling->x->stored, 'w', in->decision.data,
        &salus__v1__access_request__descriptor);
    if (asked == NULL) {
        return false;
    }
    if (asked->n_records > 0) {
        size_t count = granted_classes(telling, asked, classes);
        return has_class(in, classes, count) &&
               in->item_count <= bits_in(telling->access.granted);
    }
    return (asked->n_classes == 0 ||
            has_class(in, asked->classes, asked->n_classes)) &&
           within(in->period_from_ms, in->period_to_ms, asked->data_from_ms,
                  asked->data_to_ms);
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
            has_class(in, left->classes, left->n_classes)) &&
           within(in->period_from_ms, in->period_to_ms, left->data_from_ms,
                  left->data_to_ms);
}

/* If the patient changed his consents before the disclosure happened, they must
 * still permit something of what was decided. */
static bool consents_still_permit(struct telling *telling)
{
    struct execution *x = telling->x;
    const struct schema_access *access = &telling->access;
    struct state_standing standing;
    struct decide_requester requester;
    struct decide_answer answer;
    struct decide_target targets[LEDGER_TARGETS_MAX];
    size_t count = 0;
    state_get_standing(x->overlay, access->subject, &standing);
    if (access_rests_on_law(access) ||
        standing.changed_ms * 1000 <= access->asked.time ||
        telling->event_ms < standing.changed_ms) {
        return true;
    }
    const Salus__V1__AccessRequest *asked =
        execution_stored(x->overlay, x->stored, 'w', telling->in->decision.data,
                         &salus__v1__access_request__descriptor);
    if (asked == NULL) {
        return false;
    }
    struct wire_arena *arena = x->scratch;
    if (asked->n_records == 0) { /* Copied: `stored` is used again. */
        targets[count] = access_scope(asked);
        uint32_t *classes =
            overlay_room(x->overlay, (asked->n_classes + 1) * sizeof *classes);
        if (asked->n_classes > 0) {
            memcpy(classes, asked->classes, asked->n_classes * sizeof *classes);
        }
        targets[count++].classes = classes;
    }
    for (size_t i = 0; i < asked->n_records; i++) {
        if ((access->granted >> i & 1) != 0 &&
            decide_record_target(x->overlay, arena, asked->records[i].data,
                                 &targets[count])) {
            count++;
        }
    }
    access_requester(x->overlay, access, &requester);
    const struct decide_question question = {
        .overlay = x->overlay,
        .arena = x->stored,
        .policy = x->policy,
        .now_ms = telling->event_ms,
        .subject = access->subject,
        .requester = &requester,
        .purpose = access->purpose,
        .action = access->action,
        .targets = targets,
        .target_count = count,
    };
    decide(&answer, &question);
    return bits_in(answer.permitted) >= telling->in->item_count ||
           (asked->n_records == 0 && answer.permitted != 0);
}

static bool decision_covers(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct schema_access *access = &telling->access;
    bool scope = access->target_count == 0;
    return access->granted != 0 && went_to(telling, &access->requester) &&
           is_about(telling, access->subject) &&
           telling->event_ms < access->expires_ms &&
           telling->event_ms + telling->x->constants->time_bound_ms >=
               access->asked.time / 1000 &&
           in->purpose == access->purpose && extent_is_granted(telling) &&
           residual_allows(telling) &&
           (scope || (uint64_t)access->disclosed + in->item_count <=
                         (uint64_t)UINT32_MAX) &&
           consents_still_permit(telling);
}

static bool emergency_covers(const struct telling *telling)
{
    const struct schema_emergency *emergency = &telling->emergency;
    uint32_t purpose = telling->in->purpose;
    uint64_t bound = telling->x->constants->time_bound_ms;
    return went_to(telling, &emergency->institution) &&
           is_about(telling, emergency->subject) &&
           telling->event_ms + bound >= emergency->opened_ms &&
           telling->event_ms < emergency->closes_ms &&
           (purpose == CODES_PURPOSE_BTG || purpose == CODES_PURPOSE_ETREAT ||
            purpose == emergency->purpose);
}

/* What it stands on exists, and covers it; or it says itself that not. */
static enum ledger_code is_covered(struct telling *telling)
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
        telling->is_covered = access_is_legal_basis(in->basis) ||
                              in->basis == CODES_BASIS_INDIVIDUAL;
    }
    return telling->is_covered || in->violation ? LEDGER_OK
                                                : LEDGER_DECISION_SCOPE;
}

enum ledger_code disclosure_judge(struct telling *telling)
{
    static telling_rule *const rules[] = {
        contents_are_told, basis_is_one,       id_is_new,
        subject_is_ours,   recipient_is_known, is_covered,
    };
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, telling)
    return code;
}
