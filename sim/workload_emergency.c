/* SPDX-License-Identifier: Apache-2.0 */
/* Emergencies, and those who judge them afterwards. */
#include "sim/workload_world.h"

#define TOLD_LATE_MS 30000u
#define WINDOW_TOO_LONG_MS (30ull * 24 * 60 * WORKLOAD_MINUTE_MS)

static bool is_another(const struct making *making, const struct thing *thing,
                       const void *context)
{
    (void)context;
    return thing != making->acting;
}

/* Who has many reviews overdue needs one. An officer who stands by cannot
 * review it. */
static const struct thing *pick_witness(struct making *making)
{
    const struct wanted wanted = {
        .kind = making_chance(making, 150) ? THING_OFFICER : THING_CLINICIAN,
        .whose = OWN,
        .fits = is_another,
    };
    return making_chance(making, 700) ? making_pick(making, &wanted) : NULL;
}

bool workload_break_glass(struct making *making)
{
    Salus__V1__BreakGlass in = SALUS__V1__BREAK_GLASS__INIT;
    struct id witness;
    const struct wanted anybody = {.kind = THING_PATIENT, .whose = ANYBODY};
    const struct thing *patient = making_pick(making, &anybody);
    if (patient == NULL || !making_act(making, THING_CLINICIAN)) {
        return false;
    }
    struct thing *emergency = making_add(making, THING_EMERGENCY);
    const struct id id = thing_id(emergency);
    const struct id subject = thing_id(patient);
    uint64_t opened_ms = making_now_ms(making);
    emergency->about = patient;
    if (making_chance(making, 200)) {
        opened_ms -= making_below(making, TOLD_LATE_MS);
        making->envelope.event_time_ms = opened_ms;
        making->envelope.late = true;
    }
    in.window_ms =
        making_between(making, WORKLOAD_MINUTE_MS / 4, WORKLOAD_MINUTE_MS);
    if (making->slip == SLIP_VERSION) {
        in.window_ms = WINDOW_TOO_LONG_MS;
    }
    emergency->until_ms = opened_ms + in.window_ms;
    in.break_glass = field(&id, LEDGER_ID_SIZE);
    in.subject = field(&subject, LEDGER_HANDLE_SIZE);
    in.reason = CODES_REASON_LIFE_THREAT;
    in.purpose =
        making_chance(making, 500) ? CODES_PURPOSE_BTG : CODES_PURPOSE_ETREAT;
    const struct thing *somebody = pick_witness(making);
    if (somebody != NULL) {
        witness = thing_id(somebody);
        in.witness = field(&witness, LEDGER_ID_SIZE);
    }
    return making_build(making, TRANSACTION_BREAK_GLASS, &in.base);
}

static bool has_closed(const struct making *making, const struct thing *thing,
                       const void *context)
{
    (void)context;
    return thing->until_ms <= making_now_ms(making);
}

/* Its own; or another's, which is allowed once that one is late. */
bool workload_review(struct making *making)
{
    Salus__V1__BreakGlassReview in = SALUS__V1__BREAK_GLASS_REVIEW__INIT;
    const struct wanted wanted = {
        .kind = THING_EMERGENCY,
        .whose = making_chance(making, 200) ? ANYBODY : OWN,
        .fits = has_closed,
    };
    struct thing *emergency = making_pick(making, &wanted);
    const enum thing_kind who =
        making->slip == SLIP_UNSIGNED ? THING_CLINICIAN : THING_OFFICER;
    if (emergency == NULL || !making_act(making, who)) {
        return false;
    }
    const struct id id = thing_id(emergency);
    const struct id report = making_noise(making);
    making_change(making, emergency);
    emergency->is_gone = true;
    in.break_glass = field(&id, LEDGER_ID_SIZE);
    in.finding = making_between(
        making, SALUS__V1__BREAK_GLASS_REVIEW__FINDING__JUSTIFIED,
        SALUS__V1__BREAK_GLASS_REVIEW__FINDING__INSUFFICIENT);
    in.finding_commit = field(&report, LEDGER_COMMIT_SIZE);
    in.follow_up = making_below(
        making, SALUS__V1__BREAK_GLASS_REVIEW__FOLLOW_UP__SANCTION);
    return making_build(making, TRANSACTION_BREAK_GLASS_REVIEW, &in.base);
}
