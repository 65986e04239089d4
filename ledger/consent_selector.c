/* SPDX-License-Identifier: Apache-2.0 */
/* What a consent or an exception speaks of must be something that every replica
 * can match: known codes, registered actors, sane periods.
 */
#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/state.h"

typedef enum ledger_code selector_rule(struct execution *x,
                                       const Salus__V1__Selector *in);

static enum ledger_code actor_in_role(struct execution *x,
                                      const Salus__V1__Selector__Actor *actor)
{
    if (actor->id.len != 0) {
        return LEDGER_FIELD_FORM;
    }
    return checks_code(x, CODES_ROLE, actor->role);
}

static bool is_registered(struct execution *x,
                          const Salus__V1__Selector__Actor *actor)
{
    struct schema_participant participant;
    struct schema_institution institution;
    if (actor->kind == SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION) {
        return state_get_institution(x->overlay, actor->id.data, &institution);
    }
    bool group = actor->kind == SALUS__V1__SELECTOR__ACTOR__KIND__GROUP;
    return state_get_participant(x->overlay, actor->id.data, &participant) &&
           group == (participant.kind ==
                     SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP);
}

static enum ledger_code actor_by_id(struct execution *x,
                                    const Salus__V1__Selector__Actor *actor)
{
    if (actor->id.len != LEDGER_ID_SIZE || actor->role != 0) {
        return LEDGER_FIELD_FORM;
    }
    return is_registered(x, actor) ? LEDGER_OK : LEDGER_ACTOR_UNKNOWN;
}

/* Everybody who is named can be recognized: an institution, participant or
 * group on this ledger, or anybody in a known role. */
static enum ledger_code actors_are_known(struct execution *x,
                                         const Salus__V1__Selector *in)
{
    if (in->n_actors > LEDGER_ACTORS_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < in->n_actors; i++) {
        const Salus__V1__Selector__Actor *actor = in->actors[i];
        enum ledger_code code = LEDGER_SELECTOR;
        if (actor->kind == SALUS__V1__SELECTOR__ACTOR__KIND__ROLE) {
            code = actor_in_role(x, actor);
        } else if (actor->kind >=
                       SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION &&
                   actor->kind < SALUS__V1__SELECTOR__ACTOR__KIND__ROLE) {
            code = actor_by_id(x, actor);
        }
        if (code != LEDGER_OK) {
            return code;
        }
    }
    return LEDGER_OK;
}

/* Purposes, actions, confidentiality and classes are codes of the tables. */
static enum ledger_code codes_are_known(struct execution *x,
                                        const Salus__V1__Selector *in)
{
    const struct {
        enum codes_table table;
        struct checks_codes codes;
    } lists[] = {
        {CODES_PURPOSE, {in->purposes, in->n_purposes}},
        {CODES_ACTION, {in->actions, in->n_actions}},
        {CODES_CONF, {in->confidentiality, in->n_confidentiality}},
        {CODES_CLASS, {in->classes, in->n_classes}},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        enum ledger_code code = checks_code_list(
            x, lists[i].table, lists[i].codes, LEDGER_CODES_MAX);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    return LEDGER_OK;
}

/* Sensitivity appears as blinded labels only. */
static enum ledger_code tags_are_blinded(struct execution *x,
                                         const Salus__V1__Selector *in)
{
    (void)x;
    return checks_tags((struct checks_ids){in->tags, in->n_tags});
}

/* The period of the data, if bounded on both sides, is not empty. */
static enum ledger_code data_period_is_sane(struct execution *x,
                                            const Salus__V1__Selector *in)
{
    (void)x;
    return checks_period(in->data_from_ms, in->data_to_ms);
}

/* Single pieces of data are named by opaque ids. They need not be anchored:
 * what an id stands for may come later, or never. */
static enum ledger_code data_is_opaque(struct execution *x,
                                       const Salus__V1__Selector *in)
{
    (void)x;
    if (in->n_data > LEDGER_DATA_REFS_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < in->n_data; i++) {
        const Salus__V1__Selector__DataRef *ref = in->data[i];
        if (ref->meaning < SALUS__V1__SELECTOR__DATA_REF__MEANING__INSTANCE ||
            ref->meaning >
                SALUS__V1__SELECTOR__DATA_REF__MEANING__AUTHORED_BY) {
            return LEDGER_SELECTOR;
        }
        enum ledger_code code = checks_random(&ref->id, LEDGER_ID_SIZE);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    return LEDGER_OK;
}

enum ledger_code selector_check(struct execution *x,
                                const Salus__V1__Selector *selector)
{
    static selector_rule *const rules[] = {
        codes_are_known, tags_are_blinded, data_period_is_sane,
        data_is_opaque,  actors_are_known,
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        enum ledger_code code = rules[i](x, selector);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    return LEDGER_OK;
}

bool selector_is_empty(const Salus__V1__Selector *in)
{
    size_t named = in->n_actors + in->n_purposes + in->n_actions +
                   in->n_confidentiality + in->n_tags + in->n_classes +
                   in->n_data;
    return named == 0 && in->data_from_ms == 0 && in->data_to_ms == 0 &&
           !in->purpose_unknown;
}
