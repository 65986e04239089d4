/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of institutions: who they are, by their admission or the
 * genesis, and where they stand.
 */
#include <string.h>

#include "ledger/query.h"

static Salus__V1__InstitutionList__State
state_of(const struct query *query, const struct schema_institution *one)
{
    switch (one->state) {
    case SCHEMA_SUSPENDED:
        return SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_SUSPENDED;
    case SCHEMA_ENDED:
        return SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_RETIRED;
    default:
        return one->from_seq > query->overlay.seq
                   ? SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_JOINING
                   : SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_ACTIVE;
    }
}

/* Since when it stands so: the last decision about it, or since it came. */
static pbft_seq standing_since(struct query *query, const uint8_t *id,
                               const struct schema_institution *one)
{
    struct schema_turn turn = {0};
    pbft_seq came = one->from_seq;
    (void)state_get_turn(&query->overlay, id, &turn);
    if (one->state == SCHEMA_ACTIVE && came > query->overlay.seq) {
        came -= LEDGER_ADMIT_DELAY;
    }
    return turn.seq > came || one->state != SCHEMA_ACTIVE ? turn.seq : came;
}

static void fill_roles(struct query *query, uint64_t roles,
                       Salus__V1__InstitutionList__Row *row)
{
    row->roles = query_room(query, 64, sizeof *row->roles);
    for (uint32_t code = 0; code < 64; code++) {
        if ((roles >> code & 1) != 0) {
            row->roles[row->n_roles++] = code;
        }
    }
}

static const struct ledger_founder *find_founder(const struct query *query,
                                                 const uint8_t *id)
{
    const struct ledger *ledger = query->ledger;
    for (size_t i = 0; i < ledger->founder_count; i++) {
        if (memcmp(ledger->founders[i].institution.bytes, id,
                   PBFT_INSTITUTION_SIZE) == 0) {
            return &ledger->founders[i];
        }
    }
    return NULL;
}

static char *text_of(struct query *query, const char *text)
{
    return (char *)query_bytes(query, (const uint8_t *)text, strlen(text) + 1)
        .data;
}

/* What the admission says; the payload is read once for each row, so all of it
 * is copied. */
static void fill_admitted(struct query *query,
                          const Salus__V1__InstitutionAdmit *admit,
                          Salus__V1__InstitutionList__Row *row)
{
    row->name = text_of(query, admit->name);
    row->legal_name = text_of(query, admit->legal_name);
    row->country = text_of(query, admit->country);
    row->ids = query_room(query, admit->n_ids, sizeof *row->ids);
    for (size_t i = 0; i < admit->n_ids; i++) {
        row->ids[i] = query_room(query, 1, sizeof *row->ids[i]);
        salus__v1__institution_admit__identifier__init(row->ids[i]);
        row->ids[i]->system = text_of(query, admit->ids[i]->system);
        row->ids[i]->value = text_of(query, admit->ids[i]->value);
    }
    row->n_ids = admit->n_ids;
    row->endpoints =
        query_room(query, admit->n_endpoints, sizeof *row->endpoints);
    for (size_t i = 0; i < admit->n_endpoints; i++) {
        row->endpoints[i] = text_of(query, admit->endpoints[i]);
    }
    row->n_endpoints = admit->n_endpoints;
}

static void fill_names(struct query *query, const uint8_t *id,
                       Salus__V1__InstitutionList__Row *row)
{
    const struct ledger_founder *founder = find_founder(query, id);
    const Salus__V1__InstitutionAdmit *admit = NULL;
    if (founder != NULL) {
        row->founder = true;
        row->name = text_of(query, founder->name);
        row->legal_name = text_of(query, founder->legal_name);
        row->country = text_of(query, founder->country);
        return;
    }
    admit = execution_stored(&query->overlay, &query->stored, 'i', id,
                             &salus__v1__institution_admit__descriptor);
    if (admit != NULL) {
        fill_admitted(query, admit, row);
    }
}

static void add_row(struct query *query, const uint8_t *id,
                    const struct schema_institution *one,
                    Salus__V1__InstitutionList *out)
{
    Salus__V1__InstitutionList__Row *row = query_room(query, 1, sizeof *row);
    salus__v1__institution_list__row__init(row);
    row->institution = query_bytes(query, id, PBFT_INSTITUTION_SIZE);
    fill_names(query, id, row);
    fill_roles(query, one->roles, row);
    row->state = state_of(query, one);
    row->replica = one->has_replica;
    row->member_seq = one->from_seq;
    (void)query_time_of(query, row->member_seq, &row->member_us);
    row->state_seq = standing_since(query, id, one);
    (void)query_time_of(query, row->state_seq, &row->state_us);
    if (one->has_successor) {
        row->successor = query_bytes(query, one->successor.bytes,
                                     sizeof one->successor.bytes);
    }
    out->rows[out->n_rows++] = row;
}

/* Those that are named. */
static enum ledger_code list_named(struct query *query,
                                   const Salus__V1__InstitutionsQuery *in,
                                   Salus__V1__InstitutionList *out)
{
    for (size_t i = 0; i < in->n_institutions; i++) {
        const ProtobufCBinaryData *id = &in->institutions[i];
        struct schema_institution one;
        if (id->len != PBFT_INSTITUTION_SIZE ||
            (i > 0 && memcmp(id->data, in->institutions[i - 1].data,
                             PBFT_INSTITUTION_SIZE) <= 0)) {
            return LEDGER_QUERY_FORM;
        }
        if (state_get_institution(&query->overlay, id->data, &one)) {
            add_row(query, id->data, &one, out);
        }
    }
    return LEDGER_OK;
}

static void list_page(struct query *query,
                      const Salus__V1__InstitutionsQuery *in, size_t limit,
                      Salus__V1__InstitutionList *out)
{
    static const uint8_t prefix[] = {'i'};
    struct query_rows rows;
    const struct query_page page = {
        .space = LEDGER_SPACE_STATE,
        .prefix = {prefix, sizeof prefix},
        .after = {in->cursor.data, in->cursor.len},
        .limit = limit,
    };
    query_collect(query, &page, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        struct schema_institution one;
        if (rows.rows[i].suffix.size != PBFT_INSTITUTION_SIZE ||
            !thing_decode(&thing_institution, &one, rows.rows[i].value)) {
            query->overlay.status = PBFT_CORRUPT;
            return;
        }
        add_row(query, rows.rows[i].suffix.data, &one, out);
    }
    if (rows.more) {
        out->cursor = query_bytes(query, rows.rows[rows.count - 1].suffix.data,
                                  PBFT_INSTITUTION_SIZE);
    }
}

enum ledger_code query_institutions(struct query *query,
                                    const Salus__V1__InstitutionsQuery *in)
{
    enum ledger_code code = LEDGER_OK;
    size_t limit = in->limit == 0 ? LEDGER_DIRECTORY_ROWS_MAX : in->limit;
    Salus__V1__InstitutionList *out = query_room(query, 1, sizeof *out);
    if (limit > LEDGER_DIRECTORY_ROWS_MAX ||
        in->n_institutions > LEDGER_DIRECTORY_ROWS_MAX ||
        (in->cursor.len != 0 &&
         (in->cursor.len != PBFT_INSTITUTION_SIZE || in->n_institutions > 0))) {
        return LEDGER_QUERY_FORM;
    }
    salus__v1__institution_list__init(out);
    out->rows = query_room(query, LEDGER_DIRECTORY_ROWS_MAX, sizeof *out->rows);
    if (in->n_institutions > 0) {
        code = list_named(query, in, out);
    } else {
        list_page(query, in, limit, out);
    }
    if (code == LEDGER_OK) {
        query->answer.kind_case = SALUS__V1__ANSWER__KIND_INSTITUTIONS;
        query->answer.institutions = out;
    }
    return code;
}
