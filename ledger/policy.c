/* SPDX-License-Identifier: Apache-2.0 */
/* POLICY_PUBLISH, POLICY_ACTIVATE, CODETABLE_PUBLISH: the rules that replicas
 * enforce, each with a version on the record and a block from which it holds.
 */
#include <string.h>

#include "crypto/digest.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/forms.h"

#define MINUTE_MS 60000ull
#define WINDOW_MAX_MS (7ull * 24u * 60u * MINUTE_MS)
#define REVIEW_MAX_MS (90ull * 24u * 60u * MINUTE_MS)
#define LATE_MAX_MS (31ull * 24u * 60u * MINUTE_MS)
#define TTL_MAX_MS (366ull * 24u * 60u * MINUTE_MS)
#define DELINQUENT_MAX 1000u
#define YEARS_MAX 200u
#define SYSTEM_MAX 128u

typedef enum ledger_code policy_rule(struct execution *x);

/* ---- POLICY_PUBLISH ------------------------------------------------------ */

/* Its id is made from its uri, and its text is digested. */
static enum ledger_code policy_is_named(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    const struct pbft_bytes uri = {(const uint8_t *)in->uri, strlen(in->uri)};
    struct transaction_id16 id;
    if (!forms_is_uri(in->uri) || in->policy.len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    transaction_policy_id(&id, uri);
    if (memcmp(id.bytes, in->policy.data, sizeof id.bytes) != 0) {
        return LEDGER_FIELD_FORM;
    }
    return checks_commit(&in->sha256);
}

static bool between(uint64_t value, uint64_t low, uint64_t high)
{
    return value >= low && value <= high;
}

/* Every parameter is in its bounds. */
static enum ledger_code parameters_are_sane(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    bool sane = between(in->implicit_consent, SCHEMA_BASIC_NORMAL,
                        SCHEMA_IMPLICIT_DENY) &&
                between(in->break_glass_override, SCHEMA_OVERRIDE_NEVER,
                        SCHEMA_OVERRIDE_ALWAYS) &&
                between(in->break_glass_window_ms, MINUTE_MS, WINDOW_MAX_MS) &&
                between(in->break_glass_review_ms, MINUTE_MS, REVIEW_MAX_MS) &&
                between(in->late_after_ms, MINUTE_MS, LATE_MAX_MS) &&
                between(in->decision_ttl_ms, MINUTE_MS, TTL_MAX_MS) &&
                between(in->delinquent_limit, 0, DELINQUENT_MAX) &&
                in->batch_step <= LEDGER_LEAVES_MAX &&
                in->break_glass_review_ms >= in->break_glass_window_ms;
    return sane ? LEDGER_OK : LEDGER_FIELD_FORM;
}

/* Retention is told per class of data. */
static enum ledger_code retention_is_sane(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    if (in->n_retention > LEDGER_RETENTIONS_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < in->n_retention; i++) {
        const Salus__V1__PolicyPublish__Retention *one = in->retention[i];
        if (i > 0 && one->class_code <= in->retention[i - 1]->class_code) {
            return LEDGER_FIELD_ORDER;
        }
        if (!between(one->years, 1, YEARS_MAX)) {
            return LEDGER_FIELD_FORM;
        }
        if (checks_code(x, CODES_CLASS, one->class_code) != LEDGER_OK) {
            return LEDGER_UNKNOWN_CODE;
        }
    }
    return LEDGER_OK;
}

/* Which purposes stand apart is told by code. */
static enum ledger_code purposes_are_known(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    size_t count = in->n_no_inherit;
    if ((count > 0 && !in->purposes_given) ||
        (count > 0 && in->no_inherit[count - 1] >= SCHEMA_PURPOSE_BITS)) {
        return LEDGER_FIELD_FORM;
    }
    return checks_code_list(x, CODES_PURPOSE,
                            (struct checks_codes){in->no_inherit, count},
                            LEDGER_CODES_MAX);
}

/* It is the version after the last one. */
static enum ledger_code version_is_next(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    struct schema_newest newest;
    bool known = state_get_newest(x->overlay, in->policy.data, &newest);
    return in->version == (known ? newest.version + 1 : 1)
               ? LEDGER_OK
               : LEDGER_POLICY_VERSION;
}

static enum ledger_code quorum_agrees(struct execution *x)
{
    return execution_has_quorum(x);
}

static void write_policy(struct execution *x)
{
    const Salus__V1__PolicyPublish *in = x->body->policy_publish;
    struct schema_newest newest = {0};
    struct schema_policy policy = {
        .state = SCHEMA_SUSPENDED, /* Until it is activated. */
        .implicit_consent = (enum schema_implicit)in->implicit_consent,
        .break_glass_override = (enum schema_override)in->break_glass_override,
        .window_ms = in->break_glass_window_ms,
        .review_ms = in->break_glass_review_ms,
        .late_after_ms = in->late_after_ms,
        .decision_ttl_ms = in->decision_ttl_ms,
        .delinquent_limit = in->delinquent_limit,
        .batch_step = in->batch_step,
        .agent_cosign = in->agent_cosign,
        .open_withdrawal = in->open_withdrawal,
        .purposes_given = in->purposes_given,
    };
    memcpy(policy.sha256, in->sha256.data, sizeof policy.sha256);
    for (size_t i = 0; i < in->n_no_inherit; i++) {
        policy.no_inherit[in->no_inherit[i] / 8] |=
            (uint8_t)(1u << in->no_inherit[i] % 8);
    }
    (void)state_get_newest(x->overlay, in->policy.data, &newest);
    newest.version = in->version;
    state_put_newest(x->overlay, in->policy.data, &newest);
    state_put_policy(x->overlay, in->policy.data, in->version, &policy);
    state_put_payload(x->overlay, 'y', in->policy.data, x->payload);
}

enum ledger_code policy_publish(struct execution *x)
{
    static policy_rule *const rules[] = {
        policy_is_named,    parameters_are_sane, retention_is_sane,
        purposes_are_known, version_is_next,     quorum_agrees,
    };
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, x)
    if (code == LEDGER_OK) {
        write_policy(x);
    }
    return code;
}

/* ---- POLICY_ACTIVATE ----------------------------------------------------- */

/* The version before ends where the new one begins. */
static void end_before(struct execution *x, const Salus__V1__PolicyActivate *in,
                       uint32_t version)
{
    struct schema_policy old;
    if (version != 0 &&
        state_get_policy(x->overlay, in->policy.data, version, &old)) {
        old.until_seq = in->effective_seq;
        state_put_policy(x->overlay, in->policy.data, version, &old);
    }
}

/* From the block on it rules the ledger. */
static void let_govern(struct execution *x, const Salus__V1__PolicyActivate *in)
{
    struct schema_governing governing;
    if (!state_get_governing(x->overlay, NULL, &governing)) {
        memcpy(governing.policy, in->policy.data, sizeof governing.policy);
        governing.version = 0; /* Of none: the strict default. */
    } else if (governing.next_seq != 0 && governing.next_seq <= x->seq) {
        memcpy(governing.policy, governing.next, sizeof governing.policy);
        governing.version = governing.next_version;
    }
    memcpy(governing.next, in->policy.data, sizeof governing.next);
    governing.next_version = in->version;
    governing.next_seq = in->effective_seq;
    state_put_governing(x->overlay, NULL, &governing);
}

enum ledger_code policy_activate(struct execution *x)
{
    const Salus__V1__PolicyActivate *in = x->body->policy_activate;
    struct schema_policy policy;
    struct schema_newest newest;
    enum ledger_code code = checks_reference(&in->policy, LEDGER_ID_SIZE);
    if (code == LEDGER_OK &&
        (!state_get_policy(x->overlay, in->policy.data, in->version, &policy) ||
         policy.state != SCHEMA_SUSPENDED ||
         !state_get_newest(x->overlay, in->policy.data, &newest) ||
         newest.activated >= in->version)) {
        code = LEDGER_POLICY_VERSION;
    }
    if (code == LEDGER_OK && in->effective_seq <= x->seq) {
        code = LEDGER_PERIOD;
    }
    if (code == LEDGER_OK) {
        code = execution_has_quorum(x);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    end_before(x, in, newest.activated);
    policy.state = SCHEMA_ACTIVE;
    policy.from_seq = in->effective_seq;
    newest.activated = in->version;
    state_put_policy(x->overlay, in->policy.data, in->version, &policy);
    state_put_newest(x->overlay, in->policy.data, &newest);
    if (in->governing) {
        let_govern(x, in);
    }
    return LEDGER_OK;
}

/* ---- CODETABLE_PUBLISH --------------------------------------------------- */

static bool may_grow(uint32_t table)
{
    return table == CODES_PURPOSE || table == CODES_CLASS ||
           table == CODES_REASON || table == CODES_ROLE ||
           table == CODES_CATEGORY;
}

/* One code: of a table that may grow, with a free number and sound texts. */
static enum ledger_code
entry_is_sound(const struct execution *x,
               const Salus__V1__CodetablePublish__Entry *in)
{
    struct schema_code code;
    enum codes_table table = (enum codes_table)in->table;
    if (!may_grow(in->table) || !forms_is_uri(in->system) ||
        strlen(in->system) > SYSTEM_MAX || !forms_is_code(in->code)) {
        return LEDGER_FIELD_FORM;
    }
    if (in->id < CODES_ADDED_MIN || in->id > CODES_ID_MAX ||
        state_find_code(x->overlay, table, in->id, &code)) {
        return LEDGER_TABLE_CONFLICT;
    }
    return in->parent == 0 ||
                   state_find_code(x->overlay, table, in->parent, &code)
               ? LEDGER_OK
               : LEDGER_UNKNOWN_CODE;
}

static bool ascends(const Salus__V1__CodetablePublish__Entry *a,
                    const Salus__V1__CodetablePublish__Entry *b)
{
    return a->table < b->table || (a->table == b->table && a->id < b->id);
}

enum ledger_code codetable_publish(struct execution *x)
{
    const Salus__V1__CodetablePublish *in = x->body->codetable_publish;
    const struct schema_table next = {state_table_version(x->overlay) + 1};
    enum ledger_code code =
        in->version == next.version ? LEDGER_OK : LEDGER_TABLE_CONFLICT;
    if (in->n_entries == 0 || in->n_entries > LEDGER_TABLE_ENTRIES_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; code == LEDGER_OK && i < in->n_entries; i++) {
        const Salus__V1__CodetablePublish__Entry *one = in->entries[i];
        if (i > 0 && !ascends(in->entries[i - 1], one)) {
            return LEDGER_FIELD_ORDER;
        }
        code = entry_is_sound(x, one);
        if (code == LEDGER_OK) { /* Now: a later entry may stand below it. */
            const struct schema_code added = {one->parent, one->flags,
                                              next.version};
            state_put_code(x->overlay, (enum codes_table)one->table, one->id,
                           &added);
        }
    }
    if (code == LEDGER_OK) {
        code = execution_has_quorum(x);
    }
    if (code == LEDGER_OK) {
        state_put_table(x->overlay, NULL, &next);
    }
    return code;
}
