/* SPDX-License-Identifier: Apache-2.0 */
/* Which patients of an institution are indeterminate: by what evidence, and
 * since when.
 */
#include <string.h>

#include "ledger/consent.h"
#include "ledger/fields.h"
#include "ledger/query.h"

/* Of a row of the list, behind the institution. */
#define SUFFIX_SIZE (UNSETTLED_ID_SIZE - PBFT_INSTITUTION_SIZE)

static void add_row(struct query *query, const uint8_t *handle,
                    Salus__V1__IndeterminateList *out)
{
    struct schema_unsettled found;
    if (!state_get_unsettled(&query->overlay, handle, &found)) {
        query->overlay.status = PBFT_CORRUPT;
        return;
    }
    Salus__V1__IndeterminateList__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__indeterminate_list__row__init(row);
    row->subject = query_bytes(query, handle, LEDGER_HANDLE_SIZE);
    row->since_seq = found.since_seq;
    row->since_us = found.since_us;
    row->evidence = query_id(query, found.evidence);
    row->reason = found.reason;
    row->count = found.count;
    row->newest = query_id(query, found.newest);
    out->rows[out->n_rows++] = row;
}

static void list_page(struct query *query, const struct pbft_institution *whose,
                      struct pbft_bytes after, size_t limit,
                      Salus__V1__IndeterminateList *out)
{
    uint8_t prefix[1 + sizeof whose->bytes] = {'U'};
    struct query_rows rows;
    memcpy(prefix + 1, whose->bytes, sizeof whose->bytes);
    const struct query_page page = {
        .space = LEDGER_SPACE_INDEX,
        .prefix = {prefix, sizeof prefix},
        .after = after,
        .limit = limit,
    };
    query_collect(query, &page, &rows);
    out->rows = query_room(query, limit, sizeof *out->rows);
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.rows[i].suffix.size != SUFFIX_SIZE) {
            query->overlay.status = PBFT_CORRUPT;
            return;
        }
        add_row(query, rows.rows[i].suffix.data + FIELD_U64_SIZE, out);
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  SUFFIX_SIZE);
    }
}

/* Whose work it is: the registrar's, or of who keeps its patients now. */
enum ledger_code query_indeterminate(struct query *query,
                                     const Salus__V1__IndeterminateQuery *in)
{
    const struct query_list_asked asked = {.institution = &in->institution,
                                           .cursor = &in->cursor,
                                           .suffix_size = SUFFIX_SIZE,
                                           .limit = in->limit,
                                           .limit_max = LEDGER_PAGE_ROWS_MAX};
    struct query_list list;
    enum ledger_code code = query_list_of(query, &asked, &list);
    if (code == LEDGER_OK &&
        !state_speaks_for(&query->overlay, &query->caller, &list.whose)) {
        code = LEDGER_NOT_FOUND;
    }
    if (code != LEDGER_OK) {
        return code;
    }
    Salus__V1__IndeterminateList *out = query_room(query, 1, sizeof *out);
    salus__v1__indeterminate_list__init(out);
    list_page(query, &list.whose, list.after, list.limit, out);
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_INDETERMINATE;
    query->answer.indeterminate = out;
    return LEDGER_OK;
}
