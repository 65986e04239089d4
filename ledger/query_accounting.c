/* SPDX-License-Identifier: Apache-2.0 */
/* Accounting of disclosures: per patient and period, complete, page by page.
 *
 * HIPAA shows what 45 CFR 164.528 demands, EHDS every access, FULL also what an
 * agency had suspended. Folded, disclosures to one recipient for one purpose on
 * one ground are one row: the first, how many, the last (164.528(b)(3)).
 */
#include <string.h>

#include "ledger/query_accounting.h"

/* Number of the handle, then the suffix. */
#define CURSOR_SIZE (1 + ACCOUNTING_SUFFIX)

/* ---- one row ------------------------------------------------------------- */

/* An agency asked to withhold what went to institutions of its kind. */
static bool is_suspended(struct query *query,
                         const struct schema_disclosure *disclosure)
{
    struct schema_institution recipient;
    struct schema_suspension suspension;
    if (!state_get_institution(&query->overlay, disclosure->recipient.bytes,
                               &recipient)) {
        return false;
    }
    for (uint32_t role = 1; role < 64; role++) {
        if ((recipient.roles >> role & 1) != 0 &&
            state_get_suspension(&query->overlay, disclosure->subject, role,
                                 &suspension) &&
            query->now_ms < suspension.until_ms) {
            return true;
        }
    }
    return false;
}

/* A record that the decision gave turned out to be another patient's. */
static bool is_wrong_patient(struct query *query, const uint8_t *request)
{
    const Salus__V1__AccessRequest *asked =
        execution_stored(&query->overlay, &query->stored, 'w', request,
                         &salus__v1__access_request__descriptor);
    for (size_t i = 0; asked != NULL && i < asked->n_records; i++) {
        struct schema_record record;
        if (state_get_record(&query->overlay, asked->records[i].data,
                             &record) &&
            record.state == SCHEMA_FROZEN) {
            return true;
        }
    }
    return false;
}

static void fill_payload(struct query *query, const uint8_t *id,
                         Salus__V1__Accounting__Row *row)
{
    const Salus__V1__Disclosure *told =
        execution_stored(&query->overlay, &query->stored, 'd', id,
                         &salus__v1__disclosure__descriptor);
    if (told == NULL) {
        return;
    }
    if (told->recipient_participant.len > 0) {
        row->recipient_participant =
            query_bytes(query, told->recipient_participant.data,
                        told->recipient_participant.len);
    }
    if (told->detail_commit.len > 0) {
        row->detail_commit = query_bytes(query, told->detail_commit.data,
                                         told->detail_commit.len);
    }
    row->classes = query_room(query, told->n_classes, sizeof *row->classes);
    row->n_classes = told->n_classes;
    memcpy(row->classes, told->classes, told->n_classes * sizeof *row->classes);
}

static void fill_ground(struct query *query,
                        const struct schema_disclosure *disclosure,
                        Salus__V1__Accounting__Row *row)
{
    struct schema_emergency emergency;
    if (!disclosure->is_emergency) {
        row->decision = query_id(query, disclosure->decision);
        row->wrong_patient = row->decision.len > 0 &&
                             is_wrong_patient(query, disclosure->decision);
        return;
    }
    row->break_glass = query_id(query, disclosure->decision);
    if (state_get_emergency(&query->overlay, disclosure->decision,
                            &emergency)) {
        row->break_glass_state = (uint32_t)emergency.state;
        /* What was no emergency was no treatment. */
        row->accountable =
            row->accountable || emergency.state == SCHEMA_EMERGENCY_BREACH;
    }
}

static Salus__V1__Accounting__Row *
row_of(struct query *query, const uint8_t *id,
       const struct schema_disclosure *disclosure)
{
    Salus__V1__Accounting__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__accounting__row__init(row);
    row->disclosure = query_bytes(query, id, LEDGER_ID_SIZE);
    row->subject =
        query_bytes(query, disclosure->subject, sizeof disclosure->subject);
    row->event_ms = disclosure->event_ms;
    row->last_ms = disclosure->event_ms;
    row->count = 1;
    row->source = query_bytes(query, disclosure->source.bytes,
                              sizeof disclosure->source.bytes);
    row->recipient = query_bytes(query, disclosure->recipient.bytes,
                                 sizeof disclosure->recipient.bytes);
    row->purpose = disclosure->purpose;
    row->basis = disclosure->basis;
    row->mode = disclosure->mode;
    row->item_count = disclosure->item_count;
    row->violation = disclosure->is_violation;
    row->accountable = disclosure->is_accountable;
    row->suspended = is_suspended(query, disclosure);
    row->seq = disclosure->seq;
    row->tx_id = query_bytes(query, disclosure->tx_id.bytes,
                             sizeof disclosure->tx_id.bytes);
    fill_ground(query, disclosure, row);
    fill_payload(query, id, row);
    return row;
}

/* Does the view show it? */
static bool shows(const struct accounting *report,
                  const Salus__V1__Accounting__Row *row)
{
    switch (report->in->view) {
    case SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA:
        return row->accountable && !row->suspended;
    case SALUS__V1__ACCOUNTING_QUERY__VIEW__EHDS:
        return !row->suspended;
    default:
        return true;
    }
}

/* ---- all rows of a handle ------------------------------------------------ */

static uint64_t time_of(const uint8_t *suffix)
{
    struct field_reader reader = {.data = suffix, .left = FIELD_U64_SIZE};
    return field_read_u64(&reader);
}

bool accounting_take(struct accounting *report, const struct query_row *from)
{
    struct query *query = report->query;
    struct schema_disclosure disclosure;
    const uint8_t *id = from->suffix.data + FIELD_U64_SIZE;
    if (from->suffix.size != ACCOUNTING_SUFFIX ||
        !state_get_disclosure(&query->overlay, id, &disclosure)) {
        query->overlay.status = PBFT_CORRUPT;
        return false;
    }
    if (report->in->to_ms != 0 &&
        time_of(from->suffix.data) >= report->in->to_ms) {
        return false;
    }
    Salus__V1__Accounting__Row *row = row_of(query, id, &disclosure);
    if (shows(report, row) &&
        !(report->in->fold && accounting_fold(report, row))) {
        report->is_full = report->count == report->capacity;
        if (report->is_full) {
            return false;
        }
        report->rows[report->count++] = row;
    }
    return true;
}

void accounting_read(struct accounting *report, const uint8_t *subject,
                     struct pbft_bytes after, size_t limit,
                     struct query_rows *out)
{
    uint8_t prefix[1 + LEDGER_HANDLE_SIZE] = {'D'};
    uint8_t begin[ACCOUNTING_SUFFIX];
    memcpy(prefix + 1, subject, LEDGER_HANDLE_SIZE);
    if (after.size == 0 && report->in->from_ms > 0) {
        /* Behind everything that is before the period. */
        memset(begin, 0xff, sizeof begin);
        field_put_u64(begin, report->in->from_ms - 1);
        after = (struct pbft_bytes){begin, sizeof begin};
    }
    const struct query_page page = {
        .space = LEDGER_SPACE_INDEX,
        .prefix = {prefix, sizeof prefix},
        .after = after,
        .limit = limit,
    };
    query_collect(report->query, &page, out);
}

void accounting_answer(struct accounting *report, size_t from, size_t to,
                       const uint8_t *cursor, size_t cursor_size)
{
    struct query *query = report->query;
    Salus__V1__Accounting *out = query_room(query, 1, sizeof *out);
    salus__v1__accounting__init(out);
    out->rows = report->rows + from;
    out->n_rows = to - from;
    if (cursor_size > 0) {
        out->cursor = query_bytes(query, cursor, cursor_size);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_ACCOUNTING;
    query->answer.accounting = out;
}

/* ---- row by row ---------------------------------------------------------- */

/* A page looks at so many disclosures; it may show fewer, and go on. */
static enum ledger_code list_rows(struct accounting *report)
{
    const Salus__V1__AccountingQuery *in = report->in;
    size_t handle = in->cursor.len > 0 ? in->cursor.data[0] : 0;
    size_t left = report->limit;
    uint8_t cursor[CURSOR_SIZE];
    struct pbft_bytes after = {NULL, 0};
    if (in->cursor.len > 0) {
        after = (struct pbft_bytes){in->cursor.data + 1, ACCOUNTING_SUFFIX};
    }
    report->capacity = report->limit;
    report->rows =
        query_room(report->query, report->capacity, sizeof *report->rows);
    for (; handle < in->n_subjects; handle++) {
        struct query_rows rows;
        accounting_read(report, in->subjects[handle].data, after, left, &rows);
        after = (struct pbft_bytes){NULL, 0};
        bool inside = true;
        for (size_t i = 0; inside && i < rows.count; i++) {
            inside = accounting_take(report, &rows.rows[i]);
        }
        left -= rows.count;
        if (inside && rows.more) {
            cursor[0] = (uint8_t)handle;
            memcpy(cursor + 1, rows.rows[rows.count - 1].suffix.data,
                   ACCOUNTING_SUFFIX);
            accounting_answer(report, 0, report->count, cursor, sizeof cursor);
            return LEDGER_OK;
        }
        if (left == 0 && handle + 1 < in->n_subjects) {
            /* The next handle from its start. */
            memset(cursor, 0, sizeof cursor);
            cursor[0] = (uint8_t)(handle + 1);
            if (in->from_ms > 0) {
                memset(cursor + 1, 0xff, ACCOUNTING_SUFFIX);
                field_put_u64(cursor + 1, in->from_ms - 1);
            }
            accounting_answer(report, 0, report->count, cursor, sizeof cursor);
            return LEDGER_OK;
        }
    }
    accounting_answer(report, 0, report->count, NULL, 0);
    return LEDGER_OK;
}

enum ledger_code query_accounting(struct query *query,
                                  const Salus__V1__AccountingQuery *in)
{
    struct accounting report = {.query = query, .in = in};
    size_t cursor = in->fold ? ACCOUNTING_FOLD_CURSOR : CURSOR_SIZE;
    if (in->n_subjects == 0 || in->n_subjects > LEDGER_ACCOUNT_SUBJECTS_MAX ||
        in->view < SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA ||
        in->view > SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL ||
        (in->to_ms != 0 && in->to_ms <= in->from_ms) || /* No period. */
        (in->cursor.len != 0 && in->cursor.len != cursor) ||
        query_limit(in->limit, LEDGER_WIDE_ROWS_MAX, &report.limit) !=
            LEDGER_OK) {
        return LEDGER_QUERY_FORM;
    }
    for (size_t i = 0; i < in->n_subjects; i++) {
        struct schema_subject subject;
        if (in->subjects[i].len != LEDGER_HANDLE_SIZE) {
            return LEDGER_QUERY_FORM;
        }
        if (!state_get_subject(&query->overlay, in->subjects[i].data,
                               &subject)) {
            return LEDGER_NOT_FOUND;
        }
    }
    return in->fold ? accounting_folded(&report) : list_rows(&report);
}
