/* SPDX-License-Identifier: Apache-2.0 */
/* ACCESS_DECISION: the custodian gives less than was computed, at any time;
 * more only where a law says so, and in writing.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/checks.h"
#include "ledger/consent.h"
#include "ledger/families.h"

struct deciding {
    struct execution *x;
    const Salus__V1__AccessDecision *in;
    struct schema_access access;
    uint64_t all;
};

typedef enum ledger_code deciding_rule(struct deciding *deciding);

/* The request exists, is this custodian's to decide, and is not over. */
static enum ledger_code request_is_ours(struct deciding *deciding)
{
    const struct execution *x = deciding->x;
    struct schema_access *access = &deciding->access;
    enum ledger_code code =
        checks_reference(&deciding->in->request, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    if (!state_get_access(x->overlay, deciding->in->request.data, access) ||
        !execution_speaks_for(x, &access->custodian)) {
        return LEDGER_REQ_STATE;
    }
    deciding->all =
        decide_all(access->target_count == 0 ? 1 : access->target_count);
    return !access->is_expired && x->now_ms < access->expires_ms
               ? LEDGER_OK
               : LEDGER_DECISION_EXPIRED;
}

/* Word and bits agree. */
static enum ledger_code outcome_is_clear(struct deciding *deciding)
{
    const Salus__V1__AccessDecision *in = deciding->in;
    bool scope = deciding->access.target_count == 0;
    bool narrows = in->residual != NULL;
    if ((in->granted & ~deciding->all) != 0 || (narrows && !scope)) {
        return LEDGER_FIELD_FORM;
    }
    bool clear = false;
    switch (in->outcome) {
    case SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL:
        clear = in->granted == deciding->all && !narrows;
        break;
    case SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL:
        clear =
            in->granted != 0 && (scope ? narrows || deciding->access.is_narrowed
                                       : in->granted != deciding->all);
        break;
    case SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL:
        clear = in->granted == 0 && !narrows;
        break;
    default:
        break;
    }
    return clear ? LEDGER_OK : LEDGER_FIELD_FORM;
}

/* What remains can be matched, and does not name other recipients. */
static enum ledger_code residual_is_sound(struct deciding *deciding)
{
    const Salus__V1__Selector *residual = deciding->in->residual;
    if (residual == NULL) {
        return LEDGER_OK;
    }
    if (residual->n_actors > 0 || residual->purpose_unknown ||
        selector_is_empty(residual)) {
        return LEDGER_SELECTOR;
    }
    return selector_check(deciding->x, residual);
}

/* It says why. */
static enum ledger_code reason_is_known(struct deciding *deciding)
{
    const Salus__V1__AccessDecision *in = deciding->in;
    enum ledger_code code = checks_flagged(deciding->x, CODES_REASON,
                                           in->reason, CODES_FOR_DECISION);
    if (code == LEDGER_OK && in->basis != 0) {
        code = checks_code(deciding->x, CODES_LEGAL_BASIS, in->basis);
    }
    return code == LEDGER_OK ? checks_optional_commit(&in->document_commit)
                             : code;
}

/* The consents that it relies on are this patient's. */
static enum ledger_code consents_are_his(struct deciding *deciding)
{
    const Salus__V1__AccessDecision *in = deciding->in;
    enum ledger_code code = checks_id_list(
        (struct checks_ids){in->consents, in->n_consents}, LEDGER_RELIED_MAX);
    for (size_t i = 0; code == LEDGER_OK && i < in->n_consents; i++) {
        struct schema_consent consent;
        bool his = state_get_consent(deciding->x->overlay, in->consents[i].data,
                                     &consent) &&
                   memcmp(consent.subject, deciding->access.subject,
                          sizeof consent.subject) == 0;
        code = his ? LEDGER_OK : LEDGER_CONSENT_STATE;
    }
    return code;
}

/* It does not last longer than the request may. */
static enum ledger_code end_is_sane(struct deciding *deciding)
{
    uint64_t end = deciding->in->expires_ms;
    return end == 0 || (end > deciding->x->now_ms &&
                        end <= deciding->access.expires_ms)
               ? LEDGER_OK
               : LEDGER_PERIOD;
}

/* ---- narrowing ----------------------------------------------------------- */

static bool codes_within(const uint32_t *inner, size_t count,
                         const uint32_t *outer, size_t outer_count)
{
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < outer_count; j++) {
            found = found || outer[j] == inner[i];
        }
        if (!found) {
            return outer_count == 0;
        }
    }
    return count > 0 || outer_count == 0;
}

static bool tags_within(const Salus__V1__Selector *inner,
                        const Salus__V1__Selector *outer)
{
    for (size_t i = 0; i < inner->n_tags; i++) {
        bool found = false;
        for (size_t j = 0; j < outer->n_tags; j++) {
            found = found || memcmp(outer->tags[j].data, inner->tags[i].data,
                                    LEDGER_TAG_SIZE) == 0;
        }
        if (!found) {
            return outer->n_tags == 0;
        }
    }
    return inner->n_tags > 0 || outer->n_tags == 0;
}

static bool data_within(const Salus__V1__Selector *inner,
                        const Salus__V1__Selector *outer)
{
    for (size_t i = 0; i < inner->n_data; i++) {
        bool found = false;
        for (size_t j = 0; j < outer->n_data; j++) {
            found =
                found || (outer->data[j]->meaning == inner->data[i]->meaning &&
                          memcmp(outer->data[j]->id.data,
                                 inner->data[i]->id.data, LEDGER_ID_SIZE) == 0);
        }
        if (!found) {
            return outer->n_data == 0;
        }
    }
    return inner->n_data > 0 || outer->n_data == 0;
}

/* A permit reaches up to the highest. */
static bool confidentiality_within(const Salus__V1__Selector *inner,
                                   const Salus__V1__Selector *outer)
{
    size_t in = inner->n_confidentiality;
    size_t out = outer->n_confidentiality;
    return out == 0 || (in > 0 && inner->confidentiality[in - 1] <=
                                      outer->confidentiality[out - 1]);
}

static bool period_within(const Salus__V1__Selector *inner,
                          const Salus__V1__Selector *outer)
{
    uint64_t to = inner->data_to_ms != 0 ? inner->data_to_ms : UINT64_MAX;
    uint64_t outer_to = outer->data_to_ms != 0 ? outer->data_to_ms : UINT64_MAX;
    return outer->data_from_ms <= inner->data_from_ms && to <= outer_to;
}

/* What matches `inner` matches `outer`; sure, not always told. */
static bool is_within(const Salus__V1__Selector *inner,
                      const Salus__V1__Selector *outer)
{
    return codes_within(inner->purposes, inner->n_purposes, outer->purposes,
                        outer->n_purposes) &&
           codes_within(inner->actions, inner->n_actions, outer->actions,
                        outer->n_actions) &&
           codes_within(inner->classes, inner->n_classes, outer->classes,
                        outer->n_classes) &&
           confidentiality_within(inner, outer) && tags_within(inner, outer) &&
           data_within(inner, outer) && period_within(inner, outer);
}

/* What was left of a scope before is not given back: the decision takes all, or
 * leaves no more than that. */
static bool keeps_residual(struct deciding *deciding)
{
    const Salus__V1__AccessDecision *in = deciding->in;
    if (!deciding->access.held[0].has_residual || in->granted == 0) {
        return true;
    }
    const Salus__V1__Selector *before = access_residual(
        deciding->x, in->request.data, deciding->access.decisions);
    return in->residual != NULL && before != NULL &&
           is_within(in->residual, before);
}

static uint32_t basis_of(const struct deciding *deciding)
{
    return deciding->in->basis != 0 ? deciding->in->basis
                                    : deciding->access.basis;
}

/* It gives no more than was computed, or than was left after it was decided;
 * more takes a law, and the writing that invokes it. */
static enum ledger_code only_narrows(struct deciding *deciding)
{
    const struct schema_access *access = &deciding->access;
    uint64_t limit =
        access->decisions > 0 ? access->held[0].granted : access->computed;
    bool whole = deciding->in->outcome ==
                     SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL &&
                 access->is_narrowed;
    bool asked_by_law = access->rule == SCHEMA_RULE_LEGAL_BASIS;
    bool legal = access_is_legal_basis(basis_of(deciding));
    bool written = deciding->in->document_commit.len > 0 ||
                   (asked_by_law && deciding->in->basis == 0);
    bool more = (deciding->in->granted & ~limit) != 0 || whole ||
                !keeps_residual(deciding) ||
                (asked_by_law && deciding->in->granted != 0);
    if (more && !legal) {
        return LEDGER_WIDENS;
    }
    return legal && !written ? LEDGER_LEGAL_BASIS_REQUIRED : LEDGER_OK;
}

/* Does this decision give more than the consents do? */
static bool widens(const struct deciding *deciding)
{
    const struct schema_access *access = &deciding->access;
    return (deciding->in->granted & ~access->computed) != 0 ||
           access->rule == SCHEMA_RULE_LEGAL_BASIS;
}

const Salus__V1__Selector *
access_residual(struct execution *x, const uint8_t *request, uint32_t number)
{
    struct pbft_bytes bytes;
    if (!state_get_decision(x->overlay, request, number, &bytes)) {
        return NULL;
    }
    const Salus__V1__AccessDecision *decision = execution_unpack(
        x->overlay, x->stored, bytes, &salus__v1__access_decision__descriptor);
    return decision != NULL ? decision->residual : NULL;
}

static void write_decision(struct deciding *deciding)
{
    const Salus__V1__AccessDecision *in = deciding->in;
    struct schema_access *access = &deciding->access;
    struct execution *x = deciding->x;
    const uint8_t *id = in->request.data;
    bool by_law = widens(deciding) || access_rests_on_law(&access->held[0]) ||
                  in->basis != 0;
    if (in->expires_ms != 0 && in->expires_ms != access->expires_ms) {
        state_delete_due(x->overlay, access->expires_ms, SCHEMA_DUE_DECISION,
                         id);
        access->expires_ms = in->expires_ms;
        state_put_due(x->overlay, access->expires_ms, SCHEMA_DUE_DECISION, id,
                      &access->custodian);
    }
    memmove(&access->held[1], &access->held[0],
            (LEDGER_DECISIONS_KEPT - 1) * sizeof access->held[0]);
    access->held[0] = (struct schema_held){
        .since_ms = x->now_ms,
        .granted = in->granted,
        .basis = by_law ? basis_of(deciding) : access->basis,
        .has_residual = in->residual != NULL,
    };
    access->decisions++;
    access->decided_seq = x->seq;
    state_put_access(x->overlay, id, access);
    state_put_decision(x->overlay, id, access->decisions, x->payload);
}

enum ledger_code access_decision(struct execution *x)
{
    static deciding_rule *const rules[] = {
        reason_is_known, request_is_ours,  outcome_is_clear, residual_is_sound,
        end_is_sane,     consents_are_his, only_narrows,
    };
    struct deciding deciding = {.x = x, .in = x->body->access_decision};
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, &deciding)
    if (code == LEDGER_OK) {
        write_decision(&deciding);
    }
    return code;
}
