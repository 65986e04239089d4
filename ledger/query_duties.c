/* SPDX-License-Identifier: Apache-2.0 */
/* What institutions have to do: emergencies to review, what falls due, and what
 * a leaked key signed.
 */
#include <string.h>

#include "ledger/fields.h"
#include "ledger/obligations.h"
#include "ledger/query.h"

#define EMERGENCY_SUFFIX (FIELD_U64_SIZE + LEDGER_ID_SIZE)

/* ---- emergencies --------------------------------------------------------- */

static void collect_emergencies(struct query *query,
                                const struct pbft_institution *institution,
                                struct pbft_bytes after, size_t limit,
                                struct query_rows *out)
{
    uint8_t prefix[1 + sizeof institution->bytes] = {'B'};
    memcpy(prefix + 1, institution->bytes, sizeof institution->bytes);
    const struct query_page page = {
        .space = LEDGER_SPACE_INDEX,
        .prefix = {prefix, sizeof prefix},
        .after = after,
        .limit = limit,
    };
    query_collect(query, &page, out);
}

/* The emergency of an index row; false if it is not there. */
static bool emergency_of(struct query *query, const struct query_row *row,
                         const uint8_t **id, struct schema_emergency *out)
{
    if (row->suffix.size != EMERGENCY_SUFFIX) {
        query->overlay.status = PBFT_CORRUPT;
        return false;
    }
    *id = row->suffix.data + FIELD_U64_SIZE;
    return state_get_emergency(&query->overlay, *id, out);
}

/* The moment that is asked about: not before the last block, whose state it is.
 */
static uint64_t moment_of(const struct query *query, uint64_t at_ms)
{
    return at_ms > query->now_ms ? at_ms : query->now_ms;
}

bool query_is_overdue(const struct schema_emergency *emergency, uint64_t at_ms)
{
    return emergency->is_overdue ||
           (emergency->state == SCHEMA_EMERGENCY_OPEN &&
            !emergency->is_reopened && emergency->due_ms <= at_ms);
}

/* Reopened, and its day is past: still to do. */
static bool is_left(const struct schema_emergency *emergency, uint64_t at_ms)
{
    return emergency->state == SCHEMA_EMERGENCY_OPEN &&
           emergency->is_reopened && emergency->due_ms <= at_ms;
}

static bool passes(Salus__V1__BreakGlassQuery__Filter filter,
                   const struct schema_emergency *emergency, uint64_t at_ms)
{
    bool open = emergency->state == SCHEMA_EMERGENCY_OPEN;
    switch (filter) {
    case SALUS__V1__BREAK_GLASS_QUERY__FILTER__TO_REVIEW:
        return open;
    case SALUS__V1__BREAK_GLASS_QUERY__FILTER__OVERDUE:
        return open && query_is_overdue(emergency, at_ms);
    case SALUS__V1__BREAK_GLASS_QUERY__FILTER__BREACHES:
        return emergency->state == SCHEMA_EMERGENCY_BREACH;
    default:
        return true;
    }
}

static Salus__V1__BreakGlassList__Row *
emergency_row(struct query *query, const uint8_t *id,
              const struct schema_emergency *emergency, uint64_t at_ms)
{
    Salus__V1__BreakGlassList__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__break_glass_list__row__init(row);
    row->break_glass = query_bytes(query, id, LEDGER_ID_SIZE);
    row->declarer = query_id(query, emergency->declarer);
    row->witness = query_id(query, emergency->witness);
    row->subject =
        query_bytes(query, emergency->subject, sizeof emergency->subject);
    row->reason = emergency->reason;
    row->purpose = emergency->purpose;
    row->opened_ms = emergency->opened_ms;
    row->closes_ms = emergency->closes_ms;
    row->due_ms = emergency->due_ms;
    row->state = (Salus__V1__BreakGlassList__State)emergency->state;
    row->overdue = query_is_overdue(emergency, at_ms);
    row->disclosures = emergency->disclosure_count;
    row->seq = emergency->seq;
    row->reviewer = query_id(query, emergency->reviewer);
    row->finding = emergency->finding;
    row->follow_up = emergency->follow_up;
    return row;
}

enum ledger_code query_break_glass(struct query *query,
                                   const Salus__V1__BreakGlassQuery *in)
{
    const struct query_list_asked asked = {.institution = &in->institution,
                                           .cursor = &in->cursor,
                                           .suffix_size = EMERGENCY_SUFFIX,
                                           .limit = in->limit,
                                           .limit_max = LEDGER_WIDE_ROWS_MAX};
    struct query_list list;
    struct schema_institution institution;
    struct query_rows rows;
    const uint64_t at_ms = moment_of(query, in->at_ms);
    const enum ledger_code code = query_list_of(query, &asked, &list);
    if (code != LEDGER_OK) {
        return code;
    }
    Salus__V1__BreakGlassList *out = query_room(query, 1, sizeof *out);
    salus__v1__break_glass_list__init(out);
    out->rows = query_room(query, list.limit, sizeof *out->rows);
    collect_emergencies(query, &list.whose, list.after, list.limit, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        struct schema_emergency emergency;
        const uint8_t *id = NULL;
        if (emergency_of(query, &rows.rows[i], &id, &emergency) &&
            passes(in->filter, &emergency, at_ms)) {
            out->rows[out->n_rows++] =
                emergency_row(query, id, &emergency, at_ms);
        }
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  EMERGENCY_SUFFIX);
    }
    if (state_get_institution(&query->overlay, list.whose.bytes,
                              &institution)) {
        out->overdue = institution.overdue_count;
        out->delinquent = institution.delinquent_count;
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_BREAK_GLASS;
    query->answer.break_glass = out;
    return LEDGER_OK;
}

/* ---- obligations --------------------------------------------------------- */

/* First what is late, then what will be due; the first byte of a cursor says
 * which. */
#define PHASE_LATE 0u
#define PHASE_DUE 1u
#define DUE_SUFFIX (FIELD_U64_SIZE + 1 + LEDGER_ID_SIZE)

struct duties {
    struct query *query;
    const Salus__V1__ObligationsQuery *in;
    struct pbft_institution whose;
    uint64_t at_ms;
    Salus__V1__Obligations *out;
    size_t left; /* Rows that this page may still look at. */
};

static void add_duty(struct duties *duties, Salus__V1__Obligations__Kind kind,
                     uint64_t due_ms, const uint8_t *id)
{
    struct query *query = duties->query;
    if (duties->in->before_ms != 0 && due_ms >= duties->in->before_ms) {
        return;
    }
    Salus__V1__Obligations__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__obligations__row__init(row);
    row->kind = kind;
    row->due_ms = due_ms;
    row->id = query_bytes(query, id, LEDGER_ID_SIZE);
    duties->out->rows[duties->out->n_rows++] = row;
}

static void set_cursor(struct duties *duties, uint8_t phase,
                       struct pbft_bytes suffix)
{
    uint8_t cursor[1 + LEDGER_KEY_MAX] = {phase};
    memcpy(cursor + 1, suffix.data, suffix.size);
    duties->out->cursor = query_bytes(duties->query, cursor, 1 + suffix.size);
}

/* True: the page is full. */
static bool list_late(struct duties *duties, struct pbft_bytes after)
{
    struct query_rows rows;
    collect_emergencies(duties->query, &duties->whose, after, duties->left,
                        &rows);
    for (size_t i = 0; i < rows.count; i++) {
        struct schema_emergency emergency;
        const uint8_t *id = NULL;
        if (!emergency_of(duties->query, &rows.rows[i], &id, &emergency)) {
            continue;
        }
        if (emergency.state == SCHEMA_EMERGENCY_BREACH) {
            add_duty(duties, SALUS__V1__OBLIGATIONS__KIND__BREACH,
                     emergency.due_ms, id);
        } else if (emergency.state == SCHEMA_EMERGENCY_OPEN &&
                   query_is_overdue(&emergency, duties->at_ms)) {
            add_duty(duties, SALUS__V1__OBLIGATIONS__KIND__REVIEW_OVERDUE,
                     emergency.due_ms, id);
        } else if (is_left(&emergency, duties->at_ms)) {
            add_duty(duties, SALUS__V1__OBLIGATIONS__KIND__REVIEW,
                     emergency.due_ms, id);
        }
    }
    duties->left -= rows.count;
    if (rows.more) {
        set_cursor(duties, PHASE_LATE, rows.rows[rows.count - 1].suffix);
        return true;
    }
    if (duties->left == 0) {
        set_cursor(duties, PHASE_DUE,
                   (struct pbft_bytes){(const uint8_t *)"", 0});
    }
    return duties->left == 0;
}

static void list_due(struct duties *duties, struct pbft_bytes after)
{
    static const uint8_t prefix[] = {'u'};
    struct query *query = duties->query;
    struct query_rows rows;
    const struct query_page page = {
        .space = LEDGER_SPACE_DUE,
        .prefix = {prefix, sizeof prefix},
        .after = after,
        .limit = duties->left,
    };
    query_collect(query, &page, &rows);
    bool inside = true;
    for (size_t i = 0; inside && i < rows.count; i++) {
        const struct pbft_bytes suffix = rows.rows[i].suffix;
        struct schema_due due;
        struct field_reader reader = {.data = suffix.data, .left = suffix.size};
        uint64_t due_ms = field_read_u64(&reader);
        uint8_t kind = field_read_u8(&reader);
        const uint8_t *id = field_take(&reader, LEDGER_ID_SIZE);
        if (id == NULL || !thing_decode(&thing_due, &due, rows.rows[i].value)) {
            query->overlay.status = PBFT_CORRUPT;
            return;
        }
        inside = duties->in->before_ms == 0 || due_ms < duties->in->before_ms;
        /* A review that is late was listed with what is late. */
        bool is_late = kind == SCHEMA_DUE_REVIEW && due_ms <= duties->at_ms;
        if (!is_late && memcmp(&due.institution, &duties->whose,
                               sizeof due.institution) == 0) {
            add_duty(duties, (Salus__V1__Obligations__Kind)kind, due_ms, id);
        }
    }
    if (inside && rows.more) {
        set_cursor(duties, PHASE_DUE, rows.rows[rows.count - 1].suffix);
    }
}

enum ledger_code query_obligations(struct query *query,
                                   const Salus__V1__ObligationsQuery *in)
{
    struct duties duties = {
        .query = query, .in = in, .at_ms = moment_of(query, in->at_ms)};
    enum ledger_code code =
        query_institution(query, &in->institution, &duties.whose);
    if (code == LEDGER_OK) {
        code = query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &duties.left);
    }
    if (code == LEDGER_OK && in->cursor.len > 1 + LEDGER_KEY_MAX) {
        code = LEDGER_QUERY_FORM;
    }
    if (code != LEDGER_OK) {
        return code;
    }
    uint8_t phase = in->cursor.len > 0 ? in->cursor.data[0] : PHASE_LATE;
    struct pbft_bytes after = {NULL, 0};
    if (in->cursor.len > 1) {
        after = (struct pbft_bytes){in->cursor.data + 1, in->cursor.len - 1};
    }
    duties.out = query_room(query, 1, sizeof *duties.out);
    salus__v1__obligations__init(duties.out);
    duties.out->rows = query_room(query, duties.left, sizeof *duties.out->rows);
    if (phase != PHASE_LATE) {
        list_due(&duties, after);
    } else if (!list_late(&duties, after)) {
        list_due(&duties, (struct pbft_bytes){NULL, 0});
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_OBLIGATIONS;
    query->answer.obligations = duties.out;
    return LEDGER_OK;
}

/* ---- suspects ------------------------------------------------------------ */

#define REQUEST_SUFFIX (2 * FIELD_U64_SIZE)
#define US_PER_MS 1000u

static void add_suspect(struct query *query, const struct query_row *from,
                        uint64_t since_ms, Salus__V1__Suspects *out)
{
    struct schema_request request;
    struct field_reader reader = {.data = from->suffix.data,
                                  .left = from->suffix.size};
    if (from->suffix.size != REQUEST_SUFFIX ||
        !thing_decode(&thing_request, &request, from->value)) {
        query->overlay.status = PBFT_CORRUPT;
        return;
    }
    if (request.time / US_PER_MS < since_ms) {
        return;
    }
    Salus__V1__Suspects__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__suspects__row__init(row);
    row->session = field_read_u64(&reader);
    row->sequence = field_read_u64(&reader);
    row->seq = request.seq;
    row->request_index = request.request_index;
    row->block_time_us = request.time;
    out->rows[out->n_rows++] = row;
}

enum ledger_code query_suspect(struct query *query,
                               const Salus__V1__SuspectQuery *in)
{
    struct schema_registered_key key;
    struct query_rows rows;
    size_t limit = 0;
    if (in->key_id.len != LEDGER_ID_SIZE ||
        (in->cursor.len != 0 && in->cursor.len != REQUEST_SUFFIX) ||
        query_limit(in->limit, LEDGER_PAGE_ROWS_MAX, &limit) != LEDGER_OK) {
        return LEDGER_QUERY_FORM;
    }
    if (!state_get_key(&query->overlay, in->key_id.data, &key) ||
        key.compromised_ms == 0) {
        return LEDGER_NOT_FOUND;
    }
    uint8_t prefix[1 + sizeof key.key.bytes] = {'q'};
    memcpy(prefix + 1, key.key.bytes, sizeof key.key.bytes);
    const struct query_page page = {
        .space = LEDGER_SPACE_CLIENT,
        .prefix = {prefix, sizeof prefix},
        .after = {in->cursor.data, in->cursor.len},
        .limit = limit,
    };
    query_collect(query, &page, &rows);
    Salus__V1__Suspects *out = query_room(query, 1, sizeof *out);
    salus__v1__suspects__init(out);
    out->since_ms = key.compromised_ms;
    out->rows = query_room(query, limit, sizeof *out->rows);
    for (size_t i = 0; i < rows.count; i++) {
        add_suspect(query, &rows.rows[i], key.compromised_ms, out);
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  REQUEST_SUFFIX);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_SUSPECTS;
    query->answer.suspects = out;
    return LEDGER_OK;
}
