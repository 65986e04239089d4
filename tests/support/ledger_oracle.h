/* SPDX-License-Identifier: Apache-2.0 */
/* The decision rule a second time, naively: sets spelled out, one consent after
 * the other, straight from docs/api.md, section 4a. It shares no code with the
 * ledger: it reads what a client wrote, not what the ledger keeps. */
#ifndef TESTS_SUPPORT_LEDGER_ORACLE_H
#define TESTS_SUPPORT_LEDGER_ORACLE_H

#include "tests/support/ledger_acts.h"

#define ORACLE_CODES 256

/* A requester, as the world knows him. */
struct oracle_who {
    struct pbft_institution institution;
    const uint8_t *participant; /* NULL: none. */
    const uint8_t *group;       /* He is in; or NULL. */
    uint32_t role;              /* His; or 0. */
    const uint8_t *people[2];   /* People and groups of the institution. */
};

struct oracle_record {
    const uint8_t *id;
    const uint8_t *author;  /* NULL: none. */
    const uint8_t *related; /* One id; NULL: none. */
    const uint8_t *tags;
    size_t tag_count;
    uint32_t class_code;
    uint32_t confidentiality;
    uint64_t from_ms;
    uint64_t to_ms;
};

struct oracle_consent {
    const struct transaction_consent_grant *grant;
    uint64_t granted_ms; /* When the ledger heard of it. */
    uint64_t ended_ms;   /* Revoked or superseded; 0: not. */
};

enum oracle_word { ORACLE_SILENT, ORACLE_DENY, ORACLE_PERMIT };

/* All purposes that a selector means: what it names and, one step after the
 * other until nothing is added, what stands below. */
static inline void oracle_purposes(const struct transaction_selector *selector,
                                   bool is_deny, bool *means)
{
    size_t count = 0;
    const struct codes_entry *rows = codes_entries(CODES_PURPOSE, &count);
    bool grew = true;
    memset(means, 0, ORACLE_CODES * sizeof *means);
    for (size_t i = 0; i < selector->purposes.count; i++) {
        means[selector->purposes.ids[i]] = true;
    }
    while (grew) {
        grew = false;
        for (size_t i = 0; i < count; i++) {
            bool apart = !is_deny && (rows[i].flags & CODES_NO_INHERIT) != 0;
            if (!means[rows[i].id] && rows[i].parent != 0 &&
                means[rows[i].parent] && !apart) {
                means[rows[i].id] = true;
                grew = true;
            }
        }
    }
}

static inline bool oracle_has(const struct transaction_codes *codes,
                              uint32_t code)
{
    bool has = codes->count == 0;
    for (size_t i = 0; i < codes->count; i++) {
        has = has || codes->ids[i] == code;
    }
    return has;
}

static inline bool oracle_is(const uint8_t *a, struct pbft_bytes b)
{
    return a != NULL && memcmp(a, b.data, 16) == 0;
}

/* A deny of somebody of an institution is one of whoever asks in its name
 * without saying who he is. */
static inline bool oracle_actor(const struct transaction_selector *selector,
                                const struct oracle_who *who, bool is_deny)
{
    bool hit = selector->actor_count == 0;
    bool unnamed = is_deny && who->participant == NULL;
    for (size_t i = 0; i < selector->actor_count; i++) {
        const struct transaction_actor *actor = &selector->actors[i];
        bool ours = actor->kind != TRANSACTION_ACTOR_ROLE && unnamed &&
                    (oracle_is(who->people[0], actor->id) ||
                     oracle_is(who->people[1], actor->id));
        switch (actor->kind) {
        case TRANSACTION_ACTOR_INSTITUTION:
            hit = hit || oracle_is(who->institution.bytes, actor->id);
            break;
        case TRANSACTION_ACTOR_PARTICIPANT:
            hit = hit || oracle_is(who->participant, actor->id) || ours;
            break;
        case TRANSACTION_ACTOR_GROUP:
            hit = hit || oracle_is(who->group, actor->id) || ours;
            break;
        case TRANSACTION_ACTOR_ROLE:
            hit = hit || unnamed ||
                  (who->participant != NULL && who->role == actor->role);
            break;
        }
    }
    return hit;
}

static inline bool oracle_labels(const struct transaction_selector *selector,
                                 const struct oracle_record *record,
                                 bool is_deny)
{
    uint32_t low = UINT32_MAX;
    uint32_t high = 0;
    bool tagged = selector->tags.count == 0;
    for (size_t i = 0; i < selector->confidentiality.count; i++) {
        uint32_t code = selector->confidentiality.ids[i];
        low = code < low ? code : low;
        high = code > high ? code : high;
    }
    for (size_t i = 0; i < selector->tags.count; i++) {
        for (size_t j = 0; j < record->tag_count; j++) {
            tagged = tagged || memcmp(selector->tags.bytes + 16 * i,
                                      record->tags + 16 * j, 16) == 0;
        }
    }
    bool conf = selector->confidentiality.count == 0 ||
                (is_deny ? record->confidentiality >= low
                         : record->confidentiality <= high);
    return conf && tagged;
}

/* Data of unknown period are touched by every deny and contained in no bounded
 * permit. */
static inline bool oracle_period(const struct transaction_selector *selector,
                                 const struct oracle_record *record,
                                 bool is_deny)
{
    uint64_t from = selector->data_from_ms;
    uint64_t to = selector->data_to_ms == 0 ? UINT64_MAX : selector->data_to_ms;
    uint64_t end = record->to_ms == 0 ? UINT64_MAX : record->to_ms;
    if (from == 0 && selector->data_to_ms == 0) {
        return true;
    }
    if (is_deny) {
        return !(end <= from || to <= record->from_ms);
    }
    return from <= record->from_ms && end <= to;
}

static inline bool oracle_data(const struct transaction_selector *selector,
                               const struct oracle_record *record)
{
    bool hit = selector->data_count == 0;
    for (size_t i = 0; i < selector->data_count; i++) {
        const struct transaction_data_ref *ref = &selector->data[i];
        bool itself = oracle_is(record->id, ref->id);
        bool related = oracle_is(record->related, ref->id);
        switch (ref->meaning) {
        case TRANSACTION_INSTANCE:
            hit = hit || itself;
            break;
        case TRANSACTION_RELATED:
            hit = hit || related;
            break;
        case TRANSACTION_DEPENDENTS:
            hit = hit || itself || related;
            break;
        case TRANSACTION_AUTHORED_BY:
            hit = hit || oracle_is(record->author, ref->id);
            break;
        }
    }
    return hit;
}

/* What an exception does not say it takes from the root. */
static inline struct transaction_selector
oracle_inherit(const struct transaction_selector *root,
               const struct transaction_selector *own)
{
    struct transaction_selector out = *root;
    if (own->actor_count > 0) {
        out.actors = own->actors;
        out.actor_count = own->actor_count;
    }
    if (own->purposes.count > 0 || own->purpose_unknown) {
        out.purposes = own->purposes;
        out.purpose_unknown = own->purpose_unknown;
    }
    if (own->actions.count > 0) {
        out.actions = own->actions;
    }
    if (own->confidentiality.count > 0 || own->tags.count > 0) {
        out.confidentiality = own->confidentiality;
        out.tags = own->tags;
    }
    if (own->classes.count > 0) {
        out.classes = own->classes;
    }
    if (own->data_from_ms != 0 || own->data_to_ms != 0) {
        out.data_from_ms = own->data_from_ms;
        out.data_to_ms = own->data_to_ms;
    }
    if (own->data_count > 0) {
        out.data = own->data;
        out.data_count = own->data_count;
    }
    return out;
}

static inline bool oracle_matches(const struct transaction_selector *selector,
                                  const struct oracle_who *who,
                                  uint32_t purpose, uint32_t action,
                                  const struct oracle_record *record,
                                  bool is_deny)
{
    bool means[ORACLE_CODES];
    oracle_purposes(selector, is_deny, means);
    bool why = selector->purposes.count == 0 ? !selector->purpose_unknown
                                             : means[purpose];
    return why && oracle_has(&selector->actions, action) &&
           oracle_has(&selector->classes, record->class_code) &&
           oracle_actor(selector, who, is_deny) &&
           oracle_labels(selector, record, is_deny) &&
           oracle_period(selector, record, is_deny) &&
           oracle_data(selector, record);
}

static inline enum oracle_word
oracle_hear(const struct transaction_consent_grant *grant,
            const struct oracle_who *who, uint32_t purpose, uint32_t action,
            const struct oracle_record *record)
{
    bool denied = false;
    bool permitted = false;
    for (size_t i = 0; i < grant->exception_count; i++) {
        struct transaction_selector full =
            oracle_inherit(&grant->root, &grant->exceptions[i].selector);
        bool is_deny = grant->exceptions[i].type == TRANSACTION_DENY;
        bool hit = oracle_matches(&full, who, purpose, action, record, is_deny);
        denied = denied || (hit && is_deny);
        permitted = permitted || (hit && !is_deny);
    }
    if (denied) {
        return ORACLE_DENY;
    }
    if (permitted) {
        return ORACLE_PERMIT;
    }
    bool base_deny = grant->base_decision == TRANSACTION_DENY;
    if (oracle_matches(&grant->root, who, purpose, action, record, base_deny)) {
        return base_deny ? ORACLE_DENY : ORACLE_PERMIT;
    }
    return ORACLE_SILENT;
}

/* At that moment, now or before. */
static inline bool oracle_in_force(const struct oracle_consent *consent,
                                   uint64_t now_ms)
{
    const struct transaction_consent_grant *grant = consent->grant;
    uint64_t from =
        grant->period_from_ms != 0 ? grant->period_from_ms : grant->given_at_ms;
    bool known = consent->granted_ms <= now_ms &&
                 (consent->ended_ms == 0 || now_ms < consent->ended_ms);
    return known && from <= now_ms &&
           (grant->period_to_ms == 0 || now_ms < grant->period_to_ms);
}

/* The policy of the tests implies nothing. */
static inline bool oracle_permits(const struct oracle_consent *consents,
                                  size_t count, uint64_t now_ms,
                                  const struct oracle_who *who,
                                  uint32_t purpose, uint32_t action,
                                  const struct oracle_record *record)
{
    bool denied = false;
    bool permitted = false;
    for (size_t i = 0; i < count; i++) {
        if (oracle_in_force(&consents[i], now_ms)) {
            enum oracle_word word =
                oracle_hear(consents[i].grant, who, purpose, action, record);
            denied = denied || word == ORACLE_DENY;
            permitted = permitted || word == ORACLE_PERMIT;
        }
    }
    return permitted && !denied;
}

/* Does this consent deny, and does what denies name the purpose itself? */
static inline bool
oracle_denies_by_name(const struct transaction_consent_grant *grant,
                      const struct oracle_who *who, uint32_t purpose,
                      uint32_t action, const struct oracle_record *record)
{
    bool named = false;
    if (oracle_hear(grant, who, purpose, action, record) != ORACLE_DENY) {
        return false;
    }
    for (size_t i = 0; i <= grant->exception_count; i++) {
        bool root = i == grant->exception_count;
        struct transaction_selector full =
            root ? grant->root
                 : oracle_inherit(&grant->root, &grant->exceptions[i].selector);
        bool is_deny = root ? grant->base_decision == TRANSACTION_DENY
                            : grant->exceptions[i].type == TRANSACTION_DENY;
        named = named ||
                (is_deny && full.purposes.count > 0 &&
                 oracle_has(&full.purposes, purpose) &&
                 oracle_matches(&full, who, purpose, action, record, true));
    }
    return named;
}

/* Step 6, for a policy of "unless denied by name": does glass, broken by him,
 * open the record? */
static inline bool oracle_opens(const struct oracle_consent *consents,
                                size_t count, uint64_t now_ms,
                                const struct oracle_who *who,
                                const struct oracle_record *record)
{
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        named = named || (oracle_in_force(&consents[i], now_ms) &&
                          oracle_denies_by_name(consents[i].grant, who,
                                                CODES_PURPOSE_BTG,
                                                CODES_ACTION_ACCESS, record));
    }
    return !named ||
           oracle_permits(consents, count, now_ms, who, CODES_PURPOSE_BTG,
                          CODES_ACTION_ACCESS, record);
}

#endif /* TESTS_SUPPORT_LEDGER_ORACLE_H */
