/* SPDX-License-Identifier: Apache-2.0 */
/* A query at work. Private to ledger/. */
#ifndef LEDGER_QUERY_H
#define LEDGER_QUERY_H

#include "ledger/decide.h"

/* Rows of an answer lie in the overlay's arena. */
struct query {
    struct overlay overlay;
    struct wire_arena stored;    /* Of one payload that is read. */
    const struct ledger *ledger; /* Its constants. */
    const struct ledger_kv *view;
    struct schema_position position; /* The height that is asked. */
    struct schema_policy policy;     /* In force there. */
    uint64_t now_ms;
    struct pbft_institution caller;
    Salus__V1__Answer answer;
};

/* Each sets its part of `answer`, or returns a code. */
enum ledger_code query_consent_status(struct query *query,
                                      const Salus__V1__ConsentStatusQuery *in);
enum ledger_code
query_consent_history(struct query *query,
                      const Salus__V1__ConsentHistoryQuery *in);
enum ledger_code query_consents(struct query *query,
                                const Salus__V1__ConsentsQuery *in);
enum ledger_code query_verify_record(struct query *query,
                                     const Salus__V1__VerifyRecordQuery *in);
enum ledger_code query_explain(struct query *query,
                               const Salus__V1__ExplainQuery *in);
enum ledger_code query_emergency(struct query *query,
                                 const ProtobufCBinaryData *id);
enum ledger_code query_accounting(struct query *query,
                                  const Salus__V1__AccountingQuery *in);
enum ledger_code query_who_may(struct query *query,
                               const Salus__V1__WhoMayQuery *in);
enum ledger_code query_what_may(struct query *query,
                                const Salus__V1__WhatMayQuery *in);
enum ledger_code query_break_glass(struct query *query,
                                   const Salus__V1__BreakGlassQuery *in);
enum ledger_code query_obligations(struct query *query,
                                   const Salus__V1__ObligationsQuery *in);
enum ledger_code query_suspect(struct query *query,
                               const Salus__V1__SuspectQuery *in);
enum ledger_code query_codes(struct query *query,
                             const Salus__V1__CodesQuery *in);
enum ledger_code query_institutions(struct query *query,
                                    const Salus__V1__InstitutionsQuery *in);
enum ledger_code query_indeterminate(struct query *query,
                                     const Salus__V1__IndeterminateQuery *in);

/* What each consent said, with the selectors of the first that spoke. */
Salus__V1__Voice **query_voices(struct query *query,
                                const struct decide_answer *answer,
                                size_t *count);

/* Its review should have been done by then; also where no sweep came by yet. */
bool query_is_overdue(const struct schema_emergency *emergency, uint64_t at_ms);

/* Visits a range of the view; a failure is remembered in the overlay. */
void query_range(struct query *query, enum ledger_space space,
                 const struct ledger_kv_range *range, ledger_kv_visit *visit,
                 void *visitor);

/* A copy of bytes in the arena; of an id, nothing if it is all zeros. */
ProtobufCBinaryData query_bytes(struct query *query, const uint8_t *bytes,
                                size_t size);
ProtobufCBinaryData query_id(struct query *query, const uint8_t *id);

/* When a height was, in us; false: there is no such block yet, or it is 0. */
bool query_time_of(struct query *query, pbft_seq seq, pbft_wall_us *out);

/* Zeroed room for `count` things. */
void *query_room(struct query *query, size_t count, size_t size);

/* One page of the rows under a prefix, behind a cursor. */
struct query_row {
    struct pbft_bytes suffix; /* Of the key, behind the prefix. */
    struct pbft_bytes value;
};
struct query_rows {
    struct query_row *rows;
    size_t count;
    bool more; /* There are rows behind the last one. */
};
struct query_page {
    enum ledger_space space;
    struct pbft_bytes prefix;
    struct pbft_bytes after; /* A suffix; empty: from the start. */
    size_t limit;
};
void query_collect(struct query *query, const struct query_page *page,
                   struct query_rows *out);

/* The limit of a page. QUERY_FORM if it is above `max`. */
enum ledger_code query_limit(uint32_t asked, size_t max, size_t *out);

/* The institution that is asked about: the caller, if the field is empty. */
enum ledger_code query_institution(const struct query *query,
                                   const ProtobufCBinaryData *field,
                                   struct pbft_institution *out);

/* A page of a list that an institution has: as asked, and as it will be read.
 */
struct query_list_asked {
    const ProtobufCBinaryData *institution;
    const ProtobufCBinaryData *cursor;
    size_t suffix_size; /* Of a key behind the institution: the cursor's. */
    uint32_t limit;
    size_t limit_max;
};
struct query_list {
    struct pbft_institution whose;
    struct pbft_bytes after; /* A suffix; empty: from the start. */
    size_t limit;
};
/* QUERY_FORM; NOT_FOUND: no such institution. */
enum ledger_code query_list_of(const struct query *query,
                               const struct query_list_asked *asked,
                               struct query_list *out);

#endif /* LEDGER_QUERY_H */
