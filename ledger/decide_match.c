/* SPDX-License-Identifier: Apache-2.0 */
/* Does a selector match? Fields must all match, values within one are
 * alternatives. Where it cannot be told, a permit does not match and a deny
 * does.
 */
#include <string.h>

#include "ledger/decide.h"

/* Parents of parents: added codes may stand below others. */
#define DEPTH_MAX 16u

/* A selector with what it inherits: each field is its own or the root's. The
 * two kinds of label stand in one FHIR field, and so are one here. */
struct fields {
    const Salus__V1__Selector *actors;
    const Salus__V1__Selector *purposes;
    const Salus__V1__Selector *actions;
    const Salus__V1__Selector *labels;
    const Salus__V1__Selector *classes;
    const Salus__V1__Selector *period;
    const Salus__V1__Selector *data;
};

static void inherit(struct fields *out, const struct decide_selector *in)
{
    const Salus__V1__Selector *root = in->root;
    const Salus__V1__Selector *own = in->own != NULL ? in->own : root;
    bool labels = own->n_confidentiality > 0 || own->n_tags > 0;
    bool period = own->data_from_ms != 0 || own->data_to_ms != 0;
    out->actors = own->n_actors > 0 ? own : root;
    out->purposes = own->n_purposes > 0 || own->purpose_unknown ? own : root;
    out->actions = own->n_actions > 0 ? own : root;
    out->labels = labels ? own : root;
    out->classes = own->n_classes > 0 ? own : root;
    out->period = period ? own : root;
    out->data = own->n_data > 0 ? own : root;
}

static bool contains(const uint32_t *codes, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static bool holds_id(const ProtobufCBinaryData *ids, size_t count,
                     const uint8_t *id)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(ids[i].data, id, LEDGER_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- why ----------------------------------------------------------------- */

/* A permit for what stands above does not reach this purpose. */
static bool stands_apart(const struct schema_policy *policy, uint32_t purpose,
                         uint32_t flags)
{
    if (policy->purposes_given && purpose < SCHEMA_PURPOSE_BITS) {
        return (policy->no_inherit[purpose / 8] >> purpose % 8 & 1) != 0;
    }
    return (flags & CODES_NO_INHERIT) != 0;
}

bool decide_purpose_reaches(struct overlay *overlay,
                            const struct schema_policy *policy,
                            uint32_t ancestor, uint32_t purpose, bool is_deny)
{
    for (unsigned depth = 0; purpose != 0 && depth < DEPTH_MAX; depth++) {
        struct schema_code code;
        if (purpose == ancestor) {
            return true;
        }
        if (!state_find_code(overlay, CODES_PURPOSE, purpose, &code) ||
            (!is_deny && stands_apart(policy, purpose, code.flags))) {
            return false;
        }
        purpose = code.parent;
    }
    return false;
}

/* A purpose that no table knows matches nothing. */
static bool purpose_matches(const struct decide_question *question,
                            const Salus__V1__Selector *in, bool is_deny)
{
    if (in->n_purposes == 0) {
        return !in->purpose_unknown;
    }
    for (size_t i = 0; i < in->n_purposes; i++) {
        if (decide_purpose_reaches(question->overlay, question->policy,
                                   in->purposes[i], question->purpose,
                                   is_deny)) {
            return true;
        }
    }
    return false;
}

bool decide_names_purpose(const struct decide_question *question,
                          const struct decide_selector *selector)
{
    struct fields fields;
    inherit(&fields, selector);
    return contains(fields.purposes->purposes, fields.purposes->n_purposes,
                    question->purpose);
}

static bool action_matches(const struct decide_question *question,
                           const Salus__V1__Selector *in)
{
    return in->n_actions == 0 ||
           contains(in->actions, in->n_actions, question->action);
}

/* ---- who ----------------------------------------------------------------- */

/* A group that has ended still counts for a deny. */
static bool is_in_group(const struct decide_question *question,
                        const uint8_t *group_id, bool is_deny)
{
    const struct decide_requester *who = question->requester;
    struct schema_participant group;
    return who->has_participant &&
           state_get_participant(question->overlay, group_id, &group) &&
           (is_deny || state_participant_is_valid(&group, question->now_ms)) &&
           state_is_member(question->overlay, group_id, group.generation,
                           who->id);
}

static bool is_actor(const struct decide_question *question,
                     const Salus__V1__Selector__Actor *actor, bool is_deny)
{
    const struct decide_requester *who = question->requester;
    switch (actor->kind) {
    case SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION:
        return memcmp(who->institution.bytes, actor->id.data,
                      sizeof who->institution.bytes) == 0;
    case SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT:
        return who->has_participant &&
               memcmp(who->id, actor->id.data, sizeof who->id) == 0;
    case SALUS__V1__SELECTOR__ACTOR__KIND__GROUP:
        /* The group itself asks, in "who may access". */
        return (who->has_participant &&
                memcmp(who->id, actor->id.data, sizeof who->id) == 0) ||
               is_in_group(question, actor->id.data, is_deny);
    case SALUS__V1__SELECTOR__ACTOR__KIND__ROLE:
        return who->has_participant &&
               state_participant_has_role(&who->participant, actor->role);
    default:
        return false;
    }
}

/* Nobody is named: is it one who may be asking? */
static bool may_be_actor(const struct decide_question *question,
                         const Salus__V1__Selector__Actor *actor)
{
    const struct pbft_institution *of = &question->requester->institution;
    struct schema_participant found;
    switch (actor->kind) {
    case SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT:
    case SALUS__V1__SELECTOR__ACTOR__KIND__GROUP:
        return state_get_participant(question->overlay, actor->id.data,
                                     &found) &&
               memcmp(found.institution.bytes, of->bytes, sizeof of->bytes) ==
                   0;
    case SALUS__V1__SELECTOR__ACTOR__KIND__ROLE:
        return true;
    default:
        return false;
    }
}

static enum decide_match actors_match(const struct decide_question *question,
                                      const Salus__V1__Selector *in,
                                      bool is_deny)
{
    const struct decide_requester *who = question->requester;
    enum decide_match best = in->n_actors == 0 ? DECIDE_YES : DECIDE_NO;
    for (size_t i = 0; i < in->n_actors && best != DECIDE_YES; i++) {
        if (is_actor(question, in->actors[i], is_deny)) {
            best = DECIDE_YES;
        } else if (is_deny && !who->has_participant &&
                   may_be_actor(question, in->actors[i])) {
            best = who->is_somebody ? DECIDE_PART : DECIDE_YES;
        }
    }
    return best;
}

/* ---- what ---------------------------------------------------------------- */

/* High water for a permit: up to the highest that is listed. Low water for a
 * deny: from the lowest on (codes ascend). */
static bool confidentiality_matches(const Salus__V1__Selector *in,
                                    const struct decide_target *target,
                                    bool is_deny)
{
    size_t count = in->n_confidentiality;
    if (count == 0) {
        return true;
    }
    return is_deny ? target->confidentiality >= in->confidentiality[0]
                   : target->confidentiality <= in->confidentiality[count - 1];
}

static enum decide_match tags_match(const Salus__V1__Selector *in,
                                    const struct decide_target *target,
                                    bool is_deny)
{
    if (in->n_tags == 0) {
        return DECIDE_YES;
    }
    if (target->is_scope) { /* Some of it may bear the label. */
        return is_deny ? DECIDE_PART : DECIDE_NO;
    }
    for (size_t i = 0; i < in->n_tags; i++) {
        if (holds_id(target->tags, target->tag_count, in->tags[i].data)) {
            return DECIDE_YES;
        }
    }
    return DECIDE_NO;
}

/* A permit covers all classes of a scope, a deny hits it if it hits one. */
static bool classes_match(const Salus__V1__Selector *in,
                          const struct decide_target *target, bool is_deny)
{
    size_t hits = 0;
    if (in->n_classes == 0) {
        return true;
    }
    if (target->class_count == 0) {
        return is_deny;
    }
    for (size_t i = 0; i < target->class_count; i++) {
        hits += contains(in->classes, in->n_classes, target->classes[i]);
    }
    return is_deny ? hits > 0 : hits == target->class_count;
}

/* A permit contains the period of the data, a deny touches it. */
static bool period_matches(const Salus__V1__Selector *in,
                           const struct decide_target *target, bool is_deny)
{
    uint64_t from = in->data_from_ms;
    uint64_t to = in->data_to_ms != 0 ? in->data_to_ms : UINT64_MAX;
    uint64_t data_to = target->to_ms != 0 ? target->to_ms : UINT64_MAX;
    if (in->data_from_ms == 0 && in->data_to_ms == 0) {
        return true;
    }
    return is_deny ? target->from_ms < to && from < data_to
                   : from <= target->from_ms && data_to <= to;
}

static bool is_id(const uint8_t *a, const uint8_t *b)
{
    return a != NULL && memcmp(a, b, LEDGER_ID_SIZE) == 0;
}

static bool refers_to(const Salus__V1__Selector__DataRef *ref,
                      const struct decide_target *target)
{
    const uint8_t *id = ref->id.data;
    bool related = holds_id(target->related, target->related_count, id);
    switch (ref->meaning) {
    case SALUS__V1__SELECTOR__DATA_REF__MEANING__INSTANCE:
        return is_id(target->record, id);
    case SALUS__V1__SELECTOR__DATA_REF__MEANING__RELATED:
        return related;
    case SALUS__V1__SELECTOR__DATA_REF__MEANING__DEPENDENTS:
        return related || is_id(target->record, id) || is_id(target->prior, id);
    case SALUS__V1__SELECTOR__DATA_REF__MEANING__AUTHORED_BY:
        return is_id(target->author, id);
    default:
        return false;
    }
}

static enum decide_match data_match(const Salus__V1__Selector *in,
                                    const struct decide_target *target,
                                    bool is_deny)
{
    if (in->n_data == 0) {
        return DECIDE_YES;
    }
    if (target->is_scope) {
        return is_deny ? DECIDE_PART : DECIDE_NO;
    }
    for (size_t i = 0; i < in->n_data; i++) {
        if (refers_to(in->data[i], target)) {
            return DECIDE_YES;
        }
    }
    return DECIDE_NO;
}

static enum decide_match weaker(enum decide_match a, enum decide_match b)
{
    if (a == DECIDE_NO || b == DECIDE_NO) {
        return DECIDE_NO;
    }
    return a == DECIDE_PART || b == DECIDE_PART ? DECIDE_PART : DECIDE_YES;
}

/* Of what went out classes and period are told: a deny that touches them closes
 * it. How confidential it was is not told, and who asks for everything of a
 * patient tells nothing: there a bounded deny leaves the rest open. */
bool decide_closes(const struct decide_selector *selector,
                   const struct decide_target *target)
{
    struct fields fields;
    bool is_bounded = target->class_count > 0;
    inherit(&fields, selector);
    if (!target->is_scope) {
        return true;
    }
    if (fields.labels->n_confidentiality > 0 &&
        fields.labels->confidentiality[0] > CODES_CONF_U) {
        return false;
    }
    return is_bounded ||
           (fields.classes->n_classes == 0 &&
            fields.period->data_from_ms == 0 && fields.period->data_to_ms == 0);
}

enum decide_match decide_matches(const struct decide_question *question,
                                 const struct decide_selector *selector,
                                 const struct decide_target *target)
{
    struct fields fields;
    bool is_deny = selector->is_deny;
    inherit(&fields, selector);
    if (!purpose_matches(question, fields.purposes, is_deny) ||
        !action_matches(question, fields.actions) ||
        !confidentiality_matches(fields.labels, target, is_deny) ||
        !classes_match(fields.classes, target, is_deny) ||
        !period_matches(fields.period, target, is_deny)) {
        return DECIDE_NO;
    }
    return weaker(actors_match(question, fields.actors, is_deny),
                  weaker(tags_match(fields.labels, target, is_deny),
                         data_match(fields.data, target, is_deny)));
}
