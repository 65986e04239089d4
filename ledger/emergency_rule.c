/* SPDX-License-Identifier: Apache-2.0 */
/* Step 6 of the decision rule: which records an emergency opens. It is asked
 * when glass is broken, again for each record whose key is granted, and for
 * what went out.
 */
#include <string.h>

#include "ledger/access.h"

size_t emergency_targets(struct execution *x, const Salus__V1__BreakGlass *in,
                         struct decide_target *out)
{
    const struct decide_target all = {.is_scope = true,
                                      .confidentiality = CODES_CONF_V};
    size_t count = 0;
    out[0] = all;
    for (size_t i = 0; i < in->n_records; i++) {
        if (decide_record_target(x->overlay, x->scratch, in->records[i].data,
                                 &out[count])) {
            count++;
        }
    }
    return in->n_records == 0 ? 1 : count;
}

void emergency_hear(struct execution *x, const struct emergency_case *in,
                    uint32_t purpose, struct decide_answer *out)
{
    const struct decide_question question = {
        .overlay = x->overlay,
        .arena = x->stored,
        .policy = x->policy,
        .now_ms = in->then_ms != 0 ? in->then_ms : x->now_ms,
        .as_it_stood = in->then_ms != 0,
        .look_back = in->look_back,
        .is_emergency = true,
        .subject = in->subject,
        .requester = in->requester,
        .purpose = purpose,
        .action = CODES_ACTION_ACCESS,
        .targets = in->targets,
        .target_count = in->target_count,
    };
    decide(out, &question);
}

/* Glass is broken for BTG, whatever is declared: a deny of BTG counts also if
 * the declarer says ETREAT, which stands above it. A deny of ETREAT by name
 * counts if he says so. Asked for everything of a patient, a deny of some data
 * (labels, references, classes, a period, what is more confidential) closes
 * those, record by record, and not the rest. */
uint64_t emergency_opens(struct execution *x, const struct emergency_case *in)
{
    struct decide_answer answer;
    enum schema_override override = x->policy->break_glass_override;
    uint64_t all = decide_all(in->target_count);
    if (override == SCHEMA_OVERRIDE_ALWAYS) {
        return all;
    }
    emergency_hear(x, in, CODES_PURPOSE_BTG, &answer);
    uint64_t permitted = answer.permitted;
    uint64_t named = answer.named;
    if (answer.rule == SCHEMA_RULE_INDETERMINATE) {
        return 0; /* What the consents of then were cannot be told. */
    }
    if (override != SCHEMA_OVERRIDE_UNLESS_DENIED && !in->was_declared) {
        return permitted;
    }
    if (in->purpose != CODES_PURPOSE_BTG) {
        emergency_hear(x, in, in->purpose, &answer);
        named |= answer.named;
    }
    return permitted | (all & ~named);
}

void emergency_declarer(struct overlay *overlay,
                        const struct schema_emergency *emergency,
                        struct decide_requester *out)
{
    memset(out, 0, sizeof *out);
    out->institution = emergency->institution;
    memcpy(out->id, emergency->declarer, sizeof out->id);
    out->has_participant =
        state_get_participant(overlay, out->id, &out->participant);
}
