/* SPDX-License-Identifier: Apache-2.0 */
/* The codes that were added to the tables, and which version of them has what.
 */
#include "ledger/fields.h"
#include "ledger/query.h"

#define CODE_SUFFIX (2 * FIELD_U32_SIZE)

static void add_code(struct query *query, const struct query_row *from,
                     Salus__V1__CodeList *out)
{
    struct schema_code code;
    struct field_reader reader = {.data = from->suffix.data,
                                  .left = from->suffix.size};
    if (from->suffix.size != CODE_SUFFIX ||
        !thing_decode(&thing_code, &code, from->value)) {
        query->overlay.status = PBFT_CORRUPT;
        return;
    }
    Salus__V1__CodeList__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__code_list__row__init(row);
    row->table = field_read_u32(&reader);
    row->id = field_read_u32(&reader);
    row->parent = code.parent;
    row->flags = code.flags;
    row->since = code.since;
    out->rows[out->n_rows++] = row;
}

enum ledger_code query_codes(struct query *query,
                             const Salus__V1__CodesQuery *in)
{
    static const uint8_t prefix[] = {'T'};
    struct query_rows rows;
    size_t limit = 0;
    if ((in->cursor.len != 0 && in->cursor.len != CODE_SUFFIX) ||
        query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &limit) != LEDGER_OK) {
        return LEDGER_QUERY_FORM;
    }
    const struct query_page page = {
        .space = LEDGER_SPACE_STATE,
        .prefix = {prefix, sizeof prefix},
        .after = {in->cursor.data, in->cursor.len},
        .limit = limit,
    };
    query_collect(query, &page, &rows);
    Salus__V1__CodeList *out = query_room(query, 1, sizeof *out);
    salus__v1__code_list__init(out);
    out->version = state_table_version(&query->overlay);
    out->rows = query_room(query, limit, sizeof *out->rows);
    for (size_t i = 0; i < rows.count; i++) {
        add_code(query, &rows.rows[i], out);
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  CODE_SUFFIX);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_CODES;
    query->answer.codes = out;
    return LEDGER_OK;
}
