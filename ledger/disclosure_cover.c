/* SPDX-License-Identifier: Apache-2.0 */
/* Is a disclosure covered by what it stands on? By the decision, emergency or
 * law, by whoever received it, and by the consents of the moment at which it
 * happened, whatever has become of them since.
 */
#include <string.h>

#include "ledger/disclosure.h"

/* ---- whom, what ---------------------------------------------------------- */

bool disclosure_went_to(const struct telling *telling,
                        const struct pbft_institution *institution)
{
    return memcmp(telling->in->recipient.data, institution->bytes,
                  sizeof institution->bytes) == 0;
}

bool disclosure_is_about(const struct telling *telling, const uint8_t *subject)
{
    return memcmp(telling->in->subject.data, subject, LEDGER_HANDLE_SIZE) == 0;
}

bool disclosure_has_classes(const Salus__V1__Disclosure *in,
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

bool disclosure_within(uint64_t from, uint64_t to, uint64_t outer_from,
                       uint64_t outer_to)
{
    uint64_t end = to != 0 ? to : UINT64_MAX;
    uint64_t outer_end = outer_to != 0 ? outer_to : UINT64_MAX;
    return (outer_from == 0 && outer_to == 0) ||
           (outer_from <= from && end <= outer_end);
}

void disclosure_add_record(struct telling *telling,
                           struct disclosure_targets *out,
                           const ProtobufCBinaryData *record)
{
    struct execution *x = telling->x;
    if (decide_record_target(x->overlay, x->scratch, record->data,
                             &out->rows[out->count])) {
        out->count++;
    }
}

void disclosure_add_told(const struct telling *telling,
                         struct disclosure_targets *out,
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

bool disclosure_fits(const struct telling *telling,
                     const struct disclosure_targets *targets, uint64_t open)
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
           disclosure_has_classes(telling->in, classes, count);
}

void disclosure_ask_for_recipient(struct telling *telling,
                                  struct decide_requester *who)
{
    const ProtobufCBinaryData *person = &telling->in->recipient_participant;
    if (person->len > 0) {
        memcpy(who->id, person->data, sizeof who->id);
        who->has_participant = state_get_participant(
            telling->x->overlay, who->id, &who->participant);
    }
}

uint64_t disclosure_open_to_leaf(struct telling *telling,
                                 const uint8_t *subject, uint64_t then_ms,
                                 uint64_t all)
{
    struct state_standing standing;
    bool indeterminate = false;
    telling->is_past_unknown =
        telling->is_leaf &&
        !state_standing_at(telling->x->overlay, subject, then_ms,
                           LEDGER_CHANGES_BACK_MAX, &standing, &indeterminate);
    return telling->is_past_unknown ? all : 0;
}

/* ---- an emergency -------------------------------------------------------- */

static void list_opened(struct telling *telling, struct disclosure_targets *out)
{
    const struct schema_emergency *emergency = &telling->emergency;
    out->count = 0;
    if (emergency->record_count == 0) {
        disclosure_add_told(telling, out, CODES_CONF_V);
        return;
    }
    const Salus__V1__BreakGlass *in = execution_stored(
        telling->x->overlay, telling->x->stored, 'g',
        telling->in->break_glass.data, &salus__v1__break_glass__descriptor);
    for (size_t i = 0; in != NULL && i < in->n_records; i++) {
        disclosure_add_record(telling, out, &in->records[i]);
    }
}

/* What it named, and neither then nor for that person was denied by name. */
static bool opened_then(struct telling *telling)
{
    const struct schema_emergency *emergency = &telling->emergency;
    struct decide_requester requester;
    struct disclosure_targets targets;
    list_opened(telling, &targets);
    emergency_declarer(telling->x->overlay, emergency, &requester);
    disclosure_ask_for_recipient(telling, &requester);
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
        open = disclosure_open_to_leaf(telling, asked.subject, asked.then_ms,
                                       decide_all(targets.count));
    }
    return disclosure_fits(telling, &targets, open);
}

static bool emergency_covers(struct telling *telling)
{
    const struct schema_emergency *emergency = &telling->emergency;
    uint32_t purpose = telling->in->purpose;
    uint64_t bound_ms = telling->x->constants->time_bound_ms;
    return disclosure_went_to(telling, &emergency->institution) &&
           disclosure_is_about(telling, emergency->subject) &&
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
    return disclosure_went_to(telling, &x->request->institution) ||
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
        telling->is_covered = disclosure_decision_covers(telling);
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
