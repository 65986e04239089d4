/* SPDX-License-Identifier: Apache-2.0 */
/* A folded accounting: like disclosures are one row, the first, how many, the
 * last. One fold takes so many rows and groups; where there are more, it ends
 * before the row that would be too much, and the pages go on with another fold
 * from there: all is told, but like rows of two folds stand apart.
 */
#include <string.h>

#include "ledger/query_accounting.h"

static bool same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_alike(const Salus__V1__Accounting__Row *a,
                     const Salus__V1__Accounting__Row *b)
{
    return same(&a->subject, &b->subject) && same(&a->source, &b->source) &&
           same(&a->recipient, &b->recipient) &&
           same(&a->recipient_participant, &b->recipient_participant) &&
           a->purpose == b->purpose && a->basis == b->basis &&
           a->violation == b->violation && a->accountable == b->accountable &&
           a->suspended == b->suspended &&
           (a->break_glass.len > 0) == (b->break_glass.len > 0);
}

bool accounting_fold(struct accounting *report,
                     const Salus__V1__Accounting__Row *row)
{
    for (size_t i = 0; i < report->count; i++) {
        Salus__V1__Accounting__Row *into = report->rows[i];
        if (is_alike(into, row)) {
            uint32_t room = UINT32_MAX - into->item_count;
            into->count++;
            into->item_count += row->item_count < room ? row->item_count : room;
            into->last_ms = row->event_ms;
            into->wrong_patient = into->wrong_patient || row->wrong_patient;
            return true;
        }
    }
    return false;
}

/* Where a fold begins: behind a row, or with the first of a handle. */
struct place {
    size_t handle;
    bool has_row;
    uint8_t row[ACCOUNTING_SUFFIX];
};

/* The rows of one handle, from `at` on. False: one more would be too much. */
static bool fold_handle(struct accounting *report, struct place *at,
                        size_t *read)
{
    const uint8_t *subject = report->in->subjects[at->handle].data;
    for (;;) {
        struct query_rows rows;
        const struct pbft_bytes after = {at->row,
                                         at->has_row ? sizeof at->row : 0};
        accounting_read(report, subject, after, LEDGER_PAGE_ROWS_MAX, &rows);
        for (size_t i = 0; i < rows.count; i++) {
            if (*read == LEDGER_FOLD_ROWS_MAX) {
                return false;
            }
            if (!accounting_take(report, &rows.rows[i])) {
                return !report->is_full; /* Else: behind the period. */
            }
            memcpy(at->row, rows.rows[i].suffix.data, sizeof at->row);
            at->has_row = true;
            (*read)++;
        }
        if (!rows.more) {
            return true;
        }
    }
}

/* Folds from `at` on. False: not to the end; `at` is where to go on. */
static bool fold_from(struct accounting *report, struct place *at)
{
    size_t read = 0;
    while (at->handle < report->in->n_subjects) {
        if (!fold_handle(report, at, &read)) {
            return false;
        }
        at->handle++;
        at->has_row = false;
    }
    return true;
}

static void read_cursor(const ProtobufCBinaryData *cursor, struct place *at,
                        size_t *shown)
{
    static const uint8_t none[ACCOUNTING_SUFFIX] = {0};
    struct field_reader reader = {.data = cursor->data, .left = cursor->len};
    memset(at, 0, sizeof *at);
    *shown = 0;
    if (cursor->len > 0) {
        at->handle = field_read_u8(&reader);
        field_read(&reader, at->row, sizeof at->row);
        at->has_row = memcmp(at->row, none, sizeof none) != 0;
        *shown = field_read_u32(&reader);
    }
}

static void write_cursor(uint8_t *out, const struct place *at, size_t shown)
{
    struct field_writer writer = {.data = out,
                                  .capacity = ACCOUNTING_FOLD_CURSOR};
    static const uint8_t none[ACCOUNTING_SUFFIX] = {0};
    field_write_u8(&writer, (uint8_t)at->handle);
    field_write(&writer, at->has_row ? at->row : none, sizeof none);
    field_write_u32(&writer, (uint32_t)shown);
}

enum ledger_code accounting_folded(struct accounting *report)
{
    uint8_t cursor[ACCOUNTING_FOLD_CURSOR];
    struct place begin;
    size_t from = 0;
    read_cursor(&report->in->cursor, &begin, &from);
    struct place next = begin;
    report->capacity = LEDGER_FOLD_GROUPS_MAX;
    report->rows =
        query_room(report->query, report->capacity, sizeof *report->rows);
    bool all = fold_from(report, &next);
    from = from < report->count ? from : report->count;
    size_t to = report->count - from > report->limit ? from + report->limit
                                                     : report->count;
    if (to < report->count) {
        write_cursor(cursor, &begin, to);
    } else {
        write_cursor(cursor, &next, 0);
    }
    accounting_answer(report, from, to, cursor,
                      all && to == report->count ? 0 : sizeof cursor);
    return LEDGER_OK;
}
