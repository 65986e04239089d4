/* SPDX-License-Identifier: Apache-2.0 */
/* BREAK_GLASS and BREAK_GLASS_REVIEW: in an emergency a clinician does not wait
 * for consent, and afterwards a privacy officer judges it. That the review is
 * due, and then overdue, time itself brings about (obligations.c).
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/fields.h"

struct breaking {
    struct execution *x;
    const Salus__V1__BreakGlass *in;
    uint64_t opened_ms;
};

typedef enum ledger_code breaking_rule(struct breaking *breaking);

/* It says why, for what purpose, how long. */
static enum ledger_code statements_are_complete(struct breaking *breaking)
{
    const Salus__V1__BreakGlass *in = breaking->in;
    if (in->purpose != CODES_PURPOSE_BTG &&
        in->purpose != CODES_PURPOSE_ETREAT) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code = checks_flagged(breaking->x, CODES_REASON,
                                           in->reason, CODES_FOR_EMERGENCY);
    if (code == LEDGER_OK) {
        code = checks_id_list((struct checks_ids){in->records, in->n_records},
                              LEDGER_TARGETS_MAX);
    }
    return code == LEDGER_OK
               ? checks_optional_reference(&in->witness, LEDGER_ID_SIZE)
               : code;
}

/* It is no longer than policy allows. */
static enum ledger_code window_is_allowed(struct breaking *breaking)
{
    uint64_t window_ms = breaking->in->window_ms;
    return window_ms != 0 && window_ms <= breaking->x->policy->window_ms
               ? LEDGER_OK
               : LEDGER_BG_WINDOW;
}

static enum ledger_code id_is_new(struct breaking *breaking)
{
    const ProtobufCBinaryData *id = &breaking->in->break_glass;
    enum ledger_code code = checks_random(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return thing_has(breaking->x->overlay, &thing_emergency, id->data)
               ? LEDGER_BG_EXISTS
               : LEDGER_OK;
}

/* A clinician of a provider declares it. */
static enum ledger_code declarer_is_clinician(struct breaking *breaking)
{
    struct execution *x = breaking->x;
    return x->has_actor &&
                   access_submitter_fits(x, CODES_PURPOSE_ETREAT) == LEDGER_OK
               ? LEDGER_OK
               : LEDGER_BG_ROLE;
}

/* The patient is known, and the records are his. */
static enum ledger_code target_is_known(struct breaking *breaking)
{
    const Salus__V1__BreakGlass *in = breaking->in;
    struct overlay *overlay = breaking->x->overlay;
    struct schema_subject subject;
    enum ledger_code code = checks_reference(&in->subject, LEDGER_HANDLE_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    if (!state_get_subject(overlay, in->subject.data, &subject)) {
        return LEDGER_TARGET_UNKNOWN;
    }
    for (size_t i = 0; i < in->n_records; i++) {
        struct schema_record record;
        if (!state_get_record(overlay, in->records[i].data, &record) ||
            !record.has_subject ||
            memcmp(record.subject, in->subject.data, LEDGER_HANDLE_SIZE) != 0) {
            return LEDGER_TARGET_UNKNOWN;
        }
    }
    return LEDGER_OK;
}

/* Where reviews are overdue a second person has to stand by. It is never
 * refused for that alone: there is always somebody. */
static enum ledger_code witness_stands_by(struct breaking *breaking)
{
    struct execution *x = breaking->x;
    const ProtobufCBinaryData *witness = &breaking->in->witness;
    struct schema_participant second;
    if (witness->len == 0) {
        return x->institution.overdue_count > x->policy->delinquent_limit
                   ? LEDGER_BG_WITNESS
                   : LEDGER_OK;
    }
    return memcmp(witness->data, x->body->participant.data, LEDGER_ID_SIZE) !=
                       0 &&
                   state_get_participant(x->overlay, witness->data, &second) &&
                   execution_is_submitter(x, &second.institution) &&
                   state_participant_is_valid(&second, x->now_ms)
               ? LEDGER_OK
               : LEDGER_BG_WITNESS;
}

/* Step 6 of the decision rule lets it open something. Each record is asked
 * about again when its key is granted. */
static enum ledger_code policy_lets_it(struct breaking *breaking)
{
    struct execution *x = breaking->x;
    struct decide_target targets[LEDGER_TARGETS_MAX];
    struct decide_requester declarer = {
        .institution = x->request->institution,
        .has_participant = true,
        .participant = x->actor,
    };
    memcpy(declarer.id, x->body->participant.data, sizeof declarer.id);
    const struct emergency_case asked = {
        .subject = breaking->in->subject.data,
        .requester = &declarer,
        .purpose = breaking->in->purpose,
        .targets = targets,
        .target_count = emergency_targets(x, breaking->in, targets),
        /* Told late: no deny of later, and none that was taken back before. */
        .then_ms = breaking->opened_ms < x->now_ms ? breaking->opened_ms : 0,
    };
    return emergency_opens(x, &asked) != 0 ? LEDGER_OK : LEDGER_BG_FORBIDDEN;
}

static void put_index(struct overlay *overlay,
                      const struct schema_emergency *emergency,
                      const uint8_t *id)
{
    struct schema_key key = {.space = LEDGER_SPACE_INDEX};
    struct field_writer writer = {.data = key.bytes,
                                  .capacity = sizeof key.bytes};
    field_write_u8(&writer, 'B');
    field_write(&writer, emergency->institution.bytes,
                sizeof emergency->institution.bytes);
    field_write_u64(&writer, emergency->opened_ms);
    field_write(&writer, id, LEDGER_ID_SIZE);
    key.size = writer.size;
    overlay_put(overlay, &key, (struct pbft_bytes){NULL, 0});
}

static void write_emergency(struct breaking *breaking)
{
    const Salus__V1__BreakGlass *in = breaking->in;
    struct execution *x = breaking->x;
    const uint8_t *id = in->break_glass.data;
    struct schema_emergency emergency = {
        .state = SCHEMA_EMERGENCY_OPEN,
        .institution = x->request->institution,
        .record_count = (uint32_t)in->n_records,
        .reason = in->reason,
        .purpose = in->purpose,
        .opened_ms = breaking->opened_ms,
        .closes_ms = breaking->opened_ms + in->window_ms,
        /* From when the ledger learns of it, so that none begins overdue. */
        .due_ms = x->now_ms + x->policy->review_ms,
        .seq = x->seq,
    };
    memcpy(emergency.declarer, x->body->participant.data,
           sizeof emergency.declarer);
    memcpy(emergency.subject, in->subject.data, sizeof emergency.subject);
    if (in->witness.len > 0) {
        memcpy(emergency.witness, in->witness.data, sizeof emergency.witness);
    }
    state_put_with_payload(x->overlay, &thing_emergency, id, &emergency,
                           x->payload);
    state_put_due(x->overlay, emergency.due_ms, SCHEMA_DUE_REVIEW, id,
                  &emergency.institution);
    if (emergency.closes_ms > x->now_ms) {
        state_put_due(x->overlay, emergency.closes_ms, SCHEMA_DUE_WINDOW, id,
                      &emergency.institution);
    }
    put_index(x->overlay, &emergency, id);
}

enum ledger_code break_glass(struct execution *x)
{
    static breaking_rule *const rules[] = {
        statements_are_complete, window_is_allowed, id_is_new,
        declarer_is_clinician,   target_is_known,   witness_stands_by,
        policy_lets_it,
    };
    struct breaking breaking = {
        .x = x,
        .in = x->body->break_glass,
        .opened_ms =
            x->body->event_time_ms != 0 ? x->body->event_time_ms : x->now_ms,
    };
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, &breaking)
    if (code == LEDGER_OK) {
        write_emergency(&breaking);
    }
    return code;
}

/* ---- BREAK_GLASS_REVIEW -------------------------------------------------- */

/* It finds something, and says what comes of it. */
static enum ledger_code finding_is_told(const Salus__V1__BreakGlassReview *in)
{
    bool told =
        in->finding >= SALUS__V1__BREAK_GLASS_REVIEW__FINDING__JUSTIFIED &&
        in->finding <= SALUS__V1__BREAK_GLASS_REVIEW__FINDING__INSUFFICIENT &&
        in->follow_up <=
            SALUS__V1__BREAK_GLASS_REVIEW__FOLLOW_UP__BREACH_ASSESSMENT;
    return told ? checks_commit(&in->finding_commit) : LEDGER_FIELD_FORM;
}

/* It waits for a review, and its window is over: everything that was disclosed
 * in it is known. */
static enum ledger_code is_reviewable(struct execution *x,
                                      const Salus__V1__BreakGlassReview *in,
                                      struct schema_emergency *out)
{
    enum ledger_code code = checks_reference(&in->break_glass, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_emergency(x->overlay, in->break_glass.data, out) &&
                   out->state == SCHEMA_EMERGENCY_OPEN &&
                   out->closes_ms <= x->now_ms
               ? LEDGER_OK
               : LEDGER_BG_STATE;
}

/* A privacy officer of the same institution reviews; of any, once it is
 * overdue. Never who declared it or stood by. */
static enum ledger_code
reviewer_is_another(struct execution *x,
                    const struct schema_emergency *emergency)
{
    enum ledger_code code = execution_is_privacy_officer(x);
    const uint8_t *reviewer = x->body->participant.data;
    if (code != LEDGER_OK) {
        return code;
    }
    if (memcmp(reviewer, emergency->declarer, LEDGER_ID_SIZE) == 0 ||
        memcmp(reviewer, emergency->witness, LEDGER_ID_SIZE) == 0) {
        return LEDGER_SELF_REVIEW;
    }
    return execution_speaks_for(x, &emergency->institution) ||
                   emergency->is_overdue
               ? LEDGER_OK
               : LEDGER_PRIVACY_ROLE;
}

/* One overdue review less. */
static void settle_institution(struct overlay *overlay,
                               const struct schema_emergency *emergency)
{
    struct schema_institution institution;
    if (emergency->is_overdue &&
        state_get_institution(overlay, emergency->institution.bytes,
                              &institution) &&
        institution.overdue_count > 0) {
        institution.overdue_count--;
        state_put_institution(overlay, emergency->institution.bytes,
                              &institution);
    }
}

enum ledger_code break_glass_review(struct execution *x)
{
    const Salus__V1__BreakGlassReview *in = x->body->break_glass_review;
    struct schema_emergency emergency;
    enum ledger_code code = finding_is_told(in);
    if (code == LEDGER_OK) {
        code = is_reviewable(x, in, &emergency);
    }
    if (code == LEDGER_OK) {
        code = reviewer_is_another(x, &emergency);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    bool breach =
        in->finding == SALUS__V1__BREAK_GLASS_REVIEW__FINDING__NOT_JUSTIFIED;
    emergency.state =
        breach ? SCHEMA_EMERGENCY_BREACH : SCHEMA_EMERGENCY_REVIEWED;
    emergency.finding = (uint8_t)in->finding;
    emergency.follow_up = (uint8_t)in->follow_up;
    emergency.reviewed_seq = x->seq;
    memcpy(emergency.reviewer, x->body->participant.data,
           sizeof emergency.reviewer);
    state_put_emergency(x->overlay, in->break_glass.data, &emergency);
    if (emergency.is_overdue) {
        settle_institution(x->overlay, &emergency);
    } else {
        state_delete_due(x->overlay, emergency.due_ms, SCHEMA_DUE_REVIEW,
                         in->break_glass.data);
    }
    return LEDGER_OK;
}
