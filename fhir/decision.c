/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision on access comes to: as every replica computed it, and as the
 * custodian left it. */
#include "fhir/decision.h"

#include "fhir/export.h"

#define US_PER_MS 1000

static uint64_t all_targets(const Salus__V1__DecisionState *state)
{
    return state->n_records == 0   ? 1
           : state->n_records < 64 ? (UINT64_C(1) << state->n_records) - 1
                                   : UINT64_MAX;
}

bool fhir_decision_is_by_law(const Salus__V1__DecisionState *state)
{
    return state->rule == SALUS__V1__DECISION_RULE__RULE_LEGAL_BASIS;
}

/* Asked by law, nothing is given before the custodian says so. */
static uint64_t computed(const Salus__V1__DecisionState *state)
{
    return fhir_decision_is_by_law(state) ? 0 : state->computed;
}

static bool computed_in_part(const Salus__V1__DecisionState *state)
{
    return computed(state) != all_targets(state) || state->narrowed;
}

/* What holds since the custodian's latest decision; NULL: it is not told. */
static const Salus__V1__DecisionState__Held *
latest(const Salus__V1__DecisionState *state)
{
    return state->decided && state->n_held > 0 && state->held[0]->number > 0
               ? state->held[0]
               : NULL;
}

/* Of records the bits say it; of a patient what consents, or the custodian,
 * take out of one. */
static bool left_in_part(const Salus__V1__DecisionState *state)
{
    const Salus__V1__DecisionState__Held *held = latest(state);

    return state->n_records > 0
               ? state->granted != all_targets(state)
               : state->narrowed || (held != NULL && held->residual != NULL);
}

struct fhir_decision fhir_decision_read(const struct exporting *exporting)
{
    const Salus__V1__DecisionState *state = exporting->source->decision;
    struct fhir_decision out = {.state = state,
                                .computed = computed(state),
                                .computed_in_part = computed_in_part(state)};

    if (exporting->body->payload_case ==
        SALUS__V1__TRANSACTION_BODY__PAYLOAD_ACCESS_DECISION) {
        out.own = exporting->body->access_decision;
        out.granted = out.own->granted;
        out.is_partial = out.own->outcome ==
                         SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL;
        return out;
    }
    /* A reader who knows the profile alone takes the outcome for what holds. */
    out.is_overtaken = state->decided;
    out.granted = state->decided ? state->granted : out.computed;
    out.is_partial =
        state->decided ? left_in_part(state) : out.computed_in_part;
    return out;
}

/* Is there a later decision by the custodian than what is told? */
bool fhir_decision_is_not_last(const struct fhir_decision *decision,
                               uint64_t seq)
{
    const Salus__V1__DecisionState *state = decision->state;

    return decision->is_overtaken || (decision->own != NULL && state->decided &&
                                      state->decided_seq > seq);
}

/* On which ground it was decided; if that is not said, on the one that was
 * claimed. */
uint32_t fhir_decision_basis(const struct fhir_decision *decision)
{
    const Salus__V1__DecisionState *state = decision->state;
    uint32_t said = decision->own != NULL    ? decision->own->basis
                    : decision->is_overtaken ? state->decided_basis
                                             : 0;

    return said != 0 ? said : state->basis;
}

uint64_t fhir_decision_us(const struct Salus__V1__DecisionState *state)
{
    const Salus__V1__DecisionState__Held *held = latest(state);

    return held != NULL && held->since_ms <= UINT64_MAX / US_PER_MS
               ? held->since_ms * US_PER_MS
               : state->asked_us;
}
