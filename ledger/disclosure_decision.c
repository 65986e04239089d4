/* SPDX-License-Identifier: Apache-2.0 */
/* Does a decision cover a disclosure? What was asked for, what was decided of
 * it when the disclosure happened, and the consents of then.
 */
#include <string.h>

#include "ledger/disclosure.h"

#define US_PER_MS 1000u

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
static bool residual_allows(struct telling *telling, uint32_t number)
{
    const Salus__V1__Disclosure *in = telling->in;
    if (!telling->held.has_residual) {
        return true;
    }
    const Salus__V1__Selector *left =
        access_residual(telling->x, in->decision.data, number);
    if (left == NULL) {
        return false;
    }
    return (left->n_classes == 0 ||
            disclosure_has_classes(in, left->classes, left->n_classes)) &&
           disclosure_within(in->period_from_ms, in->period_to_ms,
                             left->data_from_ms, left->data_to_ms);
}

/* The records that were granted; or, within the bounds of a scope, what was
 * told. False: it was not within them. */
static bool list_granted(struct telling *telling,
                         struct disclosure_targets *out)
{
    const Salus__V1__Disclosure *in = telling->in;
    const struct schema_access *access = &telling->access;
    const Salus__V1__AccessRequest *asked = execution_stored(
        telling->x->overlay, telling->x->stored, 'w', in->decision.data,
        &salus__v1__access_request__descriptor);
    out->count = 0;
    for (size_t i = 0; asked != NULL && i < asked->n_records; i++) {
        if ((telling->held.granted >> i & 1) != 0) {
            disclosure_add_record(telling, out, &asked->records[i]);
        }
    }
    if (asked == NULL || asked->n_records > 0) {
        return asked != NULL;
    }
    disclosure_add_told(telling, out, access->confidentiality_max);
    return (asked->n_classes == 0 ||
            disclosure_has_classes(in, asked->classes, asked->n_classes)) &&
           disclosure_within(in->period_from_ms, in->period_to_ms,
                             asked->data_from_ms, asked->data_to_ms);
}

/* What the consents of that moment permit, by the policy, people and labels of
 * now. */
static uint64_t permitted_at(struct telling *telling,
                             const struct disclosure_targets *targets,
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

/* When it happened, and not before it was asked. */
static uint64_t time_under(const struct telling *telling)
{
    const uint64_t asked_ms = telling->access.asked.time / US_PER_MS;
    return telling->event_ms > asked_ms ? telling->event_ms : asked_ms;
}

/* What the consents permitted when it happened, and not before it was asked:
 * clocks differ. The decision stands as long as the consents do: a policy,
 * group, role or label that changed since then takes nothing back that went out
 * before. */
static uint64_t permitted_then(struct telling *telling,
                               const struct disclosure_targets *targets)
{
    struct execution *x = telling->x;
    const struct schema_access *access = &telling->access;
    const uint64_t all = decide_all(targets->count);
    const uint64_t asked_ms = access->asked.time / US_PER_MS;
    const uint64_t then_ms = time_under(telling);
    struct decide_requester requester;
    if (access_rests_on_law(&telling->held) || telling->is_past_unknown) {
        return all;
    }
    access_requester(x->overlay, access, &requester);
    disclosure_ask_for_recipient(telling, &requester);
    const uint64_t then = permitted_at(telling, targets, &requester, then_ms);
    const uint64_t unknown =
        then == 0
            ? disclosure_open_to_leaf(telling, access->subject, then_ms, all)
            : 0;
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

/* By one of the things that held. */
static bool held_covers(struct telling *telling, const struct schema_held *held,
                        uint32_t number)
{
    struct disclosure_targets targets;
    telling->held = *held;
    return held->granted != 0 && residual_allows(telling, number) &&
           list_granted(telling, &targets) &&
           disclosure_fits(telling, &targets,
                           permitted_then(telling, &targets));
}

/* By what held when it happened. */
static bool held_then_covers(struct telling *telling, uint32_t back)
{
    const struct schema_access *access = &telling->access;
    return back < access_held_count(access) &&
           held_covers(telling, &access->held[back], access->decisions - back);
}

/* By a law that the custodian invoked soon after `back`: clocks differ. */
static bool law_soon_covers(struct telling *telling, uint32_t back)
{
    const struct schema_access *access = &telling->access;
    const uint64_t until_ms =
        telling->event_ms + telling->x->constants->time_bound_ms;
    for (uint32_t i = back; i > 0; i--) {
        const struct schema_held *held = &access->held[i - 1];
        if (held->since_ms > until_ms) {
            return false;
        }
        if (access_rests_on_law(held) &&
            held_covers(telling, held, access->decisions - (i - 1))) {
            return true;
        }
    }
    return false;
}

/* Nobody knows any more what held: as with consents that nobody knows. */
static bool is_open_to_leaf(struct telling *telling, uint32_t back)
{
    static const struct schema_held all = {.granted = UINT64_MAX};
    if (!telling->is_leaf || back < access_held_count(&telling->access)) {
        return false;
    }
    telling->is_past_unknown = true;
    return held_covers(telling, &all, 0);
}

/* All that was never decided anew. */
static bool is_as_asked(const struct telling *telling)
{
    const struct schema_access *access = &telling->access;
    const uint64_t bound_ms = telling->x->constants->time_bound_ms;
    return disclosure_went_to(telling, &access->requester) &&
           reached_who_asked(telling) &&
           disclosure_is_about(telling, access->subject) &&
           telling->event_ms < access->expires_ms &&
           telling->event_ms + bound_ms >= access->asked.time / US_PER_MS &&
           telling->in->purpose == access->purpose;
}

bool disclosure_decision_covers(struct telling *telling)
{
    const struct schema_access *access = &telling->access;
    const uint32_t back = access_held_at(access, time_under(telling));
    const uint32_t last = access_held_count(access) - 1;
    if (is_as_asked(telling) &&
        (held_then_covers(telling, back) || law_soon_covers(telling, back) ||
         is_open_to_leaf(telling, back))) {
        return true;
    }
    telling->held = access->held[back < last ? back : last];
    return false;
}
