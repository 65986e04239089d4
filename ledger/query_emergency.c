/* SPDX-License-Identifier: Apache-2.0 */
/* Why did the glass break, and what became of it? What was known when it broke
 * is not written down: it is judged again, by the policy that governed then and
 * the consents of then. What people and labels are is as it is now.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/query.h"
#include "proto/scan.h"

#define US_PER_MS 1000u

/* What is judged again. */
struct broken {
    struct query *query;
    struct execution x; /* What the rule looks at, as it was then. */
    struct schema_policy policy;
    struct schema_emergency emergency;
    const Salus__V1__BreakGlass *in;
    struct wire_arena records; /* The targets. */
    Salus__V1__EmergencyState *out;
};

/* ---- then ---------------------------------------------------------------- */

/* The policy that governed in that block. Only two are kept, the one in force
 * and the one before or after it. False: it was neither. */
static bool governed_in(struct broken *broken, pbft_seq seq)
{
    struct overlay *overlay = &broken->query->overlay;
    struct schema_governing governing;
    struct schema_policy policy;
    bool any = state_get_governing(overlay, NULL, &governing);
    bool next = any && governing.next_seq != 0 && governing.next_seq <= seq;
    if (!next && (!any || governing.version == 0)) {
        state_strict_policy(&broken->policy); /* None had come by then. */
        return true;
    }
    const uint8_t *id = next ? governing.next : governing.policy;
    uint32_t version = next ? governing.next_version : governing.version;
    if (!state_get_policy(overlay, id, version, &policy) ||
        policy.from_seq > seq) {
        return false;
    }
    broken->policy = policy;
    broken->out->policy = query_bytes(broken->query, id, LEDGER_ID_SIZE);
    broken->out->policy_version = version;
    return true;
}

/* ---- what the consents said ---------------------------------------------- */

static struct emergency_case case_of(struct broken *broken,
                                     const struct decide_requester *declarer,
                                     const struct decide_target *targets,
                                     size_t count)
{
    return (struct emergency_case){
        .subject = broken->emergency.subject,
        .requester = declarer,
        .purpose = broken->emergency.purpose,
        .targets = targets,
        .target_count = count,
        .then_ms = broken->out->then_ms,
        .look_back = LEDGER_CHANGES_TOLD_MAX,
    };
}

/* The same consents were heard about the other purpose, in the same order. */
static void add_named(struct decide_answer *out,
                      const struct decide_answer *other)
{
    for (size_t i = 0; i < out->voice_count && i < other->voice_count; i++) {
        out->voices[i].named |= other->voices[i].named;
        out->voices[i].named_part |= other->voices[i].named_part;
    }
    out->named |= other->named;
}

static bool was_filed_before(struct overlay *overlay,
                             const struct decide_voice *one,
                             const struct decide_voice *other)
{
    struct schema_consent a;
    struct schema_consent b;
    (void)state_get_consent(overlay, one->consent, &a);
    (void)state_get_consent(overlay, other->consent, &b);
    if (a.granted.time != b.granted.time) {
        return a.granted.time < b.granted.time;
    }
    if (a.granted.request_index != b.granted.request_index) {
        return a.granted.request_index < b.granted.request_index;
    }
    return a.granted.index < b.granted.index;
}

/* What has ended since was heard after what still stands. */
static void sort_by_filing(struct overlay *overlay, struct decide_answer *out)
{
    for (size_t i = 1; i < out->voice_count; i++) {
        const struct decide_voice moved = out->voices[i];
        size_t at = i;
        for (;
             at > 0 && was_filed_before(overlay, &moved, &out->voices[at - 1]);
             at--) {
            out->voices[at] = out->voices[at - 1];
        }
        out->voices[at] = moved;
    }
}

static Salus__V1__EmergencyRule rule_of(const struct broken *broken,
                                        const struct decide_answer *answer,
                                        uint64_t all)
{
    bool unless = broken->out->override ==
                  SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNLESS_DENIED;
    if (broken->out->override ==
        SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_ALWAYS) {
        return SALUS__V1__EMERGENCY_RULE__EMERGENCY_ALWAYS;
    }
    if (broken->out->override ==
            SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNSPECIFIED ||
        answer->rule == SCHEMA_RULE_INDETERMINATE) {
        return SALUS__V1__EMERGENCY_RULE__EMERGENCY_UNTOLD;
    }
    if (unless && (all & ~answer->named) != 0) {
        return SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED;
    }
    if (broken->out->opened == 0) {
        return SALUS__V1__EMERGENCY_RULE__EMERGENCY_CLOSED;
    }
    return answer->implicit ? SALUS__V1__EMERGENCY_RULE__EMERGENCY_IMPLIED
                            : SALUS__V1__EMERGENCY_RULE__EMERGENCY_PERMITTED;
}

static void judge_again(struct broken *broken)
{
    struct decide_target targets[LEDGER_TARGETS_MAX];
    struct decide_requester declarer;
    struct query *query = broken->query;
    struct decide_answer *answer = query_room(query, 1, sizeof *answer);
    struct decide_answer *other = query_room(query, 1, sizeof *other);
    const size_t count = emergency_targets(&broken->x, broken->in, targets);
    const uint64_t all = decide_all(count);
    emergency_declarer(&query->overlay, &broken->emergency, &declarer);
    const struct emergency_case asked =
        case_of(broken, &declarer, targets, count);
    emergency_hear(&broken->x, &asked, CODES_PURPOSE_BTG, answer);
    if (asked.purpose != CODES_PURPOSE_BTG) {
        emergency_hear(&broken->x, &asked, asked.purpose, other);
        add_named(answer, other);
    }
    sort_by_filing(&query->overlay, answer);
    broken->out->named = answer->named;
    if (broken->out->override !=
        SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNSPECIFIED) {
        broken->out->opened = emergency_opens(&broken->x, &asked);
    }
    broken->out->rule = rule_of(broken, answer, all);
    broken->out->voices = query_voices(query, answer, &broken->out->n_voices);
    for (size_t i = 0; i < broken->out->n_voices; i++) {
        broken->out->voices[i]->named = answer->voices[i].named;
        broken->out->voices[i]->named_part = answer->voices[i].named_part;
    }
}

/* ---- the answer ---------------------------------------------------------- */

static void fill(struct broken *broken)
{
    const struct schema_emergency *from = &broken->emergency;
    struct query *query = broken->query;
    Salus__V1__EmergencyState *out = broken->out;
    out->institution = query_bytes(query, from->institution.bytes,
                                   sizeof from->institution.bytes);
    out->declarer = query_id(query, from->declarer);
    out->witness = query_id(query, from->witness);
    out->subject = query_bytes(query, from->subject, sizeof from->subject);
    out->reason = from->reason;
    out->purpose = from->purpose;
    out->opened_ms = from->opened_ms;
    out->closes_ms = from->closes_ms;
    out->seq = from->seq;
    out->disclosures = from->disclosure_count;
    out->due_ms = from->due_ms;
    out->state = (Salus__V1__BreakGlassList__State)from->state;
    out->overdue = query_is_overdue(from, query->now_ms);
    out->reopened = from->is_reopened;
    out->reviewer = query_id(query, from->reviewer);
    out->finding = (Salus__V1__BreakGlassReview__Finding)from->finding;
    out->follow_up = (Salus__V1__BreakGlassReview__FollowUp)from->follow_up;
    out->reviewed_seq = from->reviewed_seq;
    out->records = broken->in->records;
    out->n_records = broken->in->n_records;
}

/* As it was declared, in the memory of the answer. */
static const Salus__V1__BreakGlass *declared(struct query *query,
                                             const uint8_t *id)
{
    struct pbft_bytes bytes;
    struct ProtobufCMessage *message = NULL;
    if (!state_get_payload(&query->overlay, 'g', id, &bytes) ||
        wire_unpack_strict(&salus__v1__break_glass__descriptor, bytes,
                           &query->overlay.arena, &message) != PBFT_OK) {
        query->overlay.status = query->overlay.status == PBFT_OK
                                    ? PBFT_CORRUPT
                                    : query->overlay.status;
        return NULL;
    }
    return (const Salus__V1__BreakGlass *)(void *)message;
}

static void answer_for(struct broken *broken)
{
    struct query *query = broken->query;
    const pbft_seq seq = broken->emergency.seq;
    const uint64_t opened_ms = broken->emergency.opened_ms;
    pbft_wall_us taken_us = 0;
    bool ahead = query_time_of(query, seq, &taken_us) &&
                 taken_us / US_PER_MS < opened_ms;
    broken->out->then_ms = ahead ? taken_us / US_PER_MS : opened_ms;
    broken->policy = query->policy;
    if (governed_in(broken, seq)) {
        broken->out->override =
            (Salus__V1__EmergencyOverride)broken->policy.break_glass_override;
    }
    broken->x = (struct execution){
        .overlay = &query->overlay,
        .scratch = &broken->records,
        .stored = &query->stored,
        .policy = &broken->policy,
        .seq = seq,
        .now_ms = broken->out->then_ms,
    };
    fill(broken);
    judge_again(broken);
}

enum ledger_code query_emergency(struct query *query,
                                 const ProtobufCBinaryData *id)
{
    struct broken broken = {.query = query};
    if (id->len != LEDGER_ID_SIZE) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_emergency(&query->overlay, id->data, &broken.emergency)) {
        return LEDGER_NOT_FOUND;
    }
    broken.in = declared(query, id->data);
    if (broken.in == NULL) {
        return LEDGER_NOT_FOUND; /* The store is damaged, and says so. */
    }
    broken.out = query_room(query, 1, sizeof *broken.out);
    salus__v1__emergency_state__init(broken.out);
    broken.out->break_glass = *id;
    wire_arena_init(&broken.records, EXECUTION_ARENA_MAX);
    answer_for(&broken);
    wire_arena_deinit(&broken.records);
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_EMERGENCY;
    query->answer.emergency = broken.out;
    return LEDGER_OK;
}
