/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see the data of a patient, and whose data may an institution see? The
 * decision rule, asked for everybody who may ask.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/query.h"

#define CURSOR_SIZE 4u

static struct decide_target scope_of(uint32_t confidentiality,
                                     const uint32_t *class_code)
{
    return (struct decide_target){
        .is_scope = true,
        .classes = class_code,
        .class_count = *class_code != 0,
        .confidentiality =
            confidentiality != 0 ? confidentiality : CODES_CONF_N,
    };
}

static struct decide_question question_of(struct query *query,
                                          const uint8_t *subject,
                                          uint32_t purpose, uint32_t action)
{
    return (struct decide_question){
        .overlay = &query->overlay,
        .arena = &query->stored,
        .policy = &query->policy,
        .now_ms = query->now_ms,
        .subject = subject,
        .purpose = purpose != 0 ? purpose : CODES_PURPOSE_TREAT,
        .action = action != 0 ? action : CODES_ACTION_ACCESS,
        .target_count = 1,
    };
}

/* The voice that made the answer: a deny before a permit. None did if the
 * subject is indeterminate, whatever they say. */
static const struct decide_voice *decider(const struct decide_answer *answer)
{
    if (answer->rule == SCHEMA_RULE_INDETERMINATE) {
        return NULL;
    }
    for (size_t i = 0; i < answer->voice_count; i++) {
        if (answer->voices[i].denied != 0) {
            return &answer->voices[i];
        }
    }
    for (size_t i = 0; i < answer->voice_count; i++) {
        if (answer->voices[i].permitted != 0) {
            return &answer->voices[i];
        }
    }
    return NULL;
}

/* ---- who may ------------------------------------------------------------- */

/* Somebody to ask the rule about. */
struct candidate {
    struct pbft_institution institution;
    uint8_t participant[LEDGER_ID_SIZE]; /* Zeros: none. */
    uint32_t role;
};

struct candidates {
    struct query *query;
    struct candidate *rows;
    size_t count;
    size_t capacity;
};

static void add(struct candidates *list, const struct candidate *one)
{
    for (size_t i = 0; i < list->count; i++) {
        if (memcmp(&list->rows[i], one, sizeof *one) == 0) {
            return;
        }
    }
    if (list->count < list->capacity) {
        list->rows[list->count++] = *one;
    }
}

static bool note_institution(void *visitor, struct pbft_bytes key,
                             struct pbft_bytes value)
{
    struct candidates *list = visitor;
    struct candidate one = {.role = 0};
    struct schema_institution institution;
    if (key.size != 1 + sizeof one.institution.bytes ||
        !thing_decode(&thing_institution, &institution, value)) {
        list->query->overlay.status = PBFT_CORRUPT;
        return false;
    }
    if (institution.state == SCHEMA_ACTIVE &&
        institution.from_seq <= list->query->overlay.seq) {
        memcpy(one.institution.bytes, key.data + 1,
               sizeof one.institution.bytes);
        add(list, &one);
    }
    return true;
}

/* Participants, groups and roles that a selector names. */
static void add_named(struct candidates *list, const Salus__V1__Selector *in)
{
    for (size_t i = 0; in != NULL && i < in->n_actors; i++) {
        const Salus__V1__Selector__Actor *actor = in->actors[i];
        struct candidate one;
        struct schema_participant participant;
        memset(&one, 0, sizeof one);
        if (actor->kind == SALUS__V1__SELECTOR__ACTOR__KIND__ROLE) {
            one.role = actor->role;
            one.institution = list->query->caller;
            add(list, &one);
        } else if (actor->kind !=
                       SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION &&
                   state_get_participant(&list->query->overlay, actor->id.data,
                                         &participant)) {
            one.institution = participant.institution;
            memcpy(one.participant, actor->id.data, sizeof one.participant);
            add(list, &one);
        }
    }
}

static void add_all_named(struct candidates *list, const uint8_t *subject)
{
    struct query *query = list->query;
    struct state_standing standing;
    state_get_standing(&query->overlay, subject, &standing);
    for (uint32_t i = 0; i < standing.count; i++) {
        const Salus__V1__ConsentGrant *grant = execution_stored(
            &query->overlay, &query->stored, 'c', standing.ids[i],
            &salus__v1__consent_grant__descriptor);
        if (grant == NULL) {
            continue;
        }
        add_named(list, grant->root);
        for (size_t j = 0; j < grant->n_exceptions; j++) {
            add_named(list, grant->exceptions[j]->selector);
        }
    }
}

static void requester_of(struct query *query, const struct candidate *one,
                         struct decide_requester *out)
{
    memset(out, 0, sizeof *out);
    out->institution = one->institution;
    memcpy(out->id, one->participant, sizeof out->id);
    out->has_participant =
        state_get_participant(&query->overlay, out->id, &out->participant);
    if (one->role != 0) { /* Anybody in that role at the caller. */
        out->has_participant = true;
        out->participant.state = SCHEMA_ACTIVE;
        out->participant.roles[0] = (uint16_t)one->role;
    }
    out->is_somebody = !out->has_participant;
}

static Salus__V1__WhoMay__Row *row_of(struct query *query,
                                      const struct candidate *one,
                                      const struct decide_answer *answer)
{
    Salus__V1__WhoMay__Row *row = query_room(query, 1, sizeof *row);
    const struct decide_voice *voice = decider(answer);
    salus__v1__who_may__row__init(row);
    row->institution = query_bytes(query, one->institution.bytes,
                                   sizeof one->institution.bytes);
    row->participant = query_id(query, one->participant);
    row->role = one->role;
    row->permitted = answer->permitted != 0;
    row->narrowed = answer->narrowed != 0;
    row->rule = (Salus__V1__DecisionRule)answer->rule;
    if (voice != NULL) {
        row->consent = query_bytes(query, voice->consent, LEDGER_ID_SIZE);
        row->selector = voice->selector;
    }
    return row;
}

static uint32_t read_cursor(const ProtobufCBinaryData *cursor)
{
    uint32_t at = 0;
    for (size_t i = 0; i < cursor->len; i++) {
        at = at << 8 | cursor->data[i];
    }
    return at;
}

static ProtobufCBinaryData make_cursor(struct query *query, uint32_t at)
{
    const uint8_t bytes[CURSOR_SIZE] = {(uint8_t)(at >> 24),
                                        (uint8_t)(at >> 16), (uint8_t)(at >> 8),
                                        (uint8_t)at};
    return query_bytes(query, bytes, sizeof bytes);
}

/* Everybody who is there or is named, always in the same order. */
static void list_candidates(struct query *query, const uint8_t *subject,
                            struct candidates *out)
{
    static const uint8_t prefix[] = {'i'};
    const struct ledger_kv_range range = {
        .prefix = {prefix, sizeof prefix},
        .limit = SIZE_MAX,
        .direction = LEDGER_KV_FORWARD,
    };
    *out = (struct candidates){
        .query = query,
        .capacity = PBFT_INSTITUTIONS_MAX * 2 +
                    LEDGER_SUBJECT_CONSENTS_MAX * (LEDGER_EXCEPTIONS_MAX + 1) *
                        LEDGER_ACTORS_MAX,
    };
    out->rows = query_room(query, out->capacity, sizeof *out->rows);
    query_range(query, LEDGER_SPACE_STATE, &range, note_institution, out);
    add_all_named(out, subject);
}

enum ledger_code query_who_may(struct query *query,
                               const Salus__V1__WhoMayQuery *in)
{
    struct schema_subject subject;
    struct candidates list;
    size_t limit = 0;
    if (in->subject.len != LEDGER_HANDLE_SIZE ||
        (in->cursor.len != 0 && in->cursor.len != CURSOR_SIZE) ||
        query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &limit) != LEDGER_OK) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_subject(&query->overlay, in->subject.data, &subject)) {
        return LEDGER_NOT_FOUND;
    }
    const struct decide_target target =
        scope_of(in->confidentiality, &in->class_code);
    struct decide_question question =
        question_of(query, in->subject.data, in->purpose, in->action);
    question.targets = &target;
    question.now_ms = in->at_ms != 0 ? in->at_ms : query->now_ms;
    struct decide_answer *answer = query_room(query, 1, sizeof *answer);
    Salus__V1__WhoMay *out = query_room(query, 1, sizeof *out);
    salus__v1__who_may__init(out);
    out->rows = query_room(query, limit, sizeof *out->rows);
    list_candidates(query, in->subject.data, &list);
    size_t at = read_cursor(&in->cursor);
    for (; at < list.count && out->n_rows < limit; at++) {
        struct decide_requester requester;
        requester_of(query, &list.rows[at], &requester);
        question.requester = &requester;
        if (!access_may_ask(&question)) {
            continue;
        }
        decide(answer, &question);
        out->rows[out->n_rows++] = row_of(query, &list.rows[at], answer);
    }
    if (at < list.count) {
        out->cursor = make_cursor(query, (uint32_t)at);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_WHO_MAY;
    query->answer.who_may = out;
    return LEDGER_OK;
}

/* ---- what may ------------------------------------------------------------ */

static void consider(struct query *query, struct decide_question *question,
                     const struct query_row *subject_row,
                     Salus__V1__WhatMay *out)
{
    struct schema_subject subject;
    struct decide_answer *answer = query_room(query, 1, sizeof *answer);
    const struct decide_voice *voice = NULL;
    if (subject_row->suffix.size != LEDGER_HANDLE_SIZE ||
        !thing_decode(&thing_subject, &subject, subject_row->value)) {
        query->overlay.status = PBFT_CORRUPT;
        return;
    }
    question->subject = subject_row->suffix.data;
    decide(answer, question);
    if (answer->permitted == 0) {
        return;
    }
    Salus__V1__WhatMay__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__what_may__row__init(row);
    row->subject =
        query_bytes(query, subject_row->suffix.data, LEDGER_HANDLE_SIZE);
    row->custodian = query_bytes(query, subject.registrar.bytes,
                                 sizeof subject.registrar.bytes);
    row->narrowed = answer->narrowed != 0;
    row->implicit = answer->implicit;
    voice = decider(answer);
    if (voice != NULL) {
        row->consent = query_bytes(query, voice->consent, LEDGER_ID_SIZE);
    }
    out->rows[out->n_rows++] = row;
}

/* The institution, or the one of its participants who is named. NOT_FOUND: he
 * is not of it. */
static enum ledger_code read_who(struct query *query,
                                 const Salus__V1__WhatMayQuery *in,
                                 struct decide_requester *out)
{
    struct candidate who;
    memset(&who, 0, sizeof who);
    enum ledger_code code =
        query_institution(query, &in->institution, &who.institution);
    if (code != LEDGER_OK) {
        return code;
    }
    if (in->participant.len == 0) {
        requester_of(query, &who, out);
        return LEDGER_OK;
    }
    if (in->participant.len != sizeof who.participant) {
        return LEDGER_QUERY_FORM;
    }
    memcpy(who.participant, in->participant.data, sizeof who.participant);
    requester_of(query, &who, out);
    return out->has_participant &&
                   memcmp(&out->participant.institution, &who.institution,
                          sizeof who.institution) == 0
               ? LEDGER_OK
               : LEDGER_NOT_FOUND;
}

enum ledger_code query_what_may(struct query *query,
                                const Salus__V1__WhatMayQuery *in)
{
    static const uint8_t prefix[] = {'s'};
    struct decide_requester requester;
    struct query_rows rows;
    size_t limit = 0;
    enum ledger_code code = read_who(query, in, &requester);
    if (code == LEDGER_OK) {
        code = query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &limit);
    }
    if (code == LEDGER_OK && in->cursor.len != 0 &&
        in->cursor.len != LEDGER_HANDLE_SIZE) {
        code = LEDGER_QUERY_FORM;
    }
    if (code != LEDGER_OK) {
        return code;
    }
    const uint32_t any_class = 0;
    const struct decide_target target =
        scope_of(in->confidentiality, &any_class);
    struct decide_question question =
        question_of(query, NULL, in->purpose, in->action);
    question.requester = &requester;
    question.targets = &target;
    question.now_ms = in->at_ms != 0 ? in->at_ms : query->now_ms;
    const struct query_page page = {
        .space = LEDGER_SPACE_STATE,
        .prefix = {prefix, sizeof prefix},
        .after = {in->cursor.data, in->cursor.len},
        .limit = limit,
    };
    Salus__V1__WhatMay *out = query_room(query, 1, sizeof *out);
    salus__v1__what_may__init(out);
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_WHAT_MAY;
    query->answer.what_may = out;
    if (!access_may_ask(&question)) {
        return LEDGER_OK; /* No patient at all. */
    }
    query_collect(query, &page, &rows);
    out->rows = query_room(query, limit, sizeof *out->rows);
    for (size_t i = 0; i < rows.count; i++) {
        consider(query, &question, &rows.rows[i], out);
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  LEDGER_HANDLE_SIZE);
    }
    return LEDGER_OK;
}
