/* SPDX-License-Identifier: Apache-2.0 */
/* The history of one consent, or of all consents of a subject: every line, in
 * order, page by page. A cursor is the key of the last line behind its prefix,
 * so that a page begins exactly where the one before ended, also if blocks came
 * in between.
 */
#include <string.h>

#include "ledger/query.h"
#include "ledger/state.h"

/* One page while it fills. */
struct page {
    struct query *query;
    Salus__V1__ConsentHistory__Event **rows;
    size_t count;
    size_t limit;
    size_t prefix_size;
    uint8_t last[SCHEMA_EVENT_SIZE]; /* Key of the last row, as a cursor. */
    bool more;
};

static uint64_t time_of(const uint8_t *event_key)
{
    uint64_t time = 0;
    for (size_t i = 0; i < sizeof time; i++) {
        time = time << 8 | event_key[i];
    }
    return time;
}

static void add_row(struct page *page, const struct schema_event *event,
                    uint64_t time)
{
    struct query *query = page->query;
    Salus__V1__ConsentHistory__Event *row =
        overlay_room(&query->overlay, sizeof *row);
    salus__v1__consent_history__event__init(row);
    row->consent = query_id(query, event->consent);
    row->kind = (Salus__V1__ConsentHistory__Event__Kind)event->kind;
    row->seq = event->seq;
    row->block_time_us = time;
    if (event->kind != SCHEMA_EVENT_EXPIRED) {
        row->tx_id =
            query_bytes(query, event->tx_id.bytes, sizeof event->tx_id.bytes);
    }
    row->institution = query_bytes(query, event->institution.bytes,
                                   sizeof event->institution.bytes);
    if (event->kind == SCHEMA_EVENT_SETTLED) {
        row->participant = query_id(query, event->other);
    } else {
        row->other_consent = query_id(query, event->other);
    }
    page->rows[page->count++] = row;
}

/* Lines of the future are ends of periods that have not come: not yet true. */
static bool note_event(void *visitor, struct pbft_bytes key,
                       struct pbft_bytes value)
{
    struct page *page = visitor;
    struct schema_event event;
    if (key.size != page->prefix_size + SCHEMA_EVENT_SIZE ||
        !thing_decode(&thing_event, &event, value)) {
        page->query->overlay.status = PBFT_CORRUPT;
        return false;
    }
    const uint8_t *suffix = key.data + page->prefix_size;
    uint64_t time = time_of(suffix);
    if (time > page->query->position.time) {
        return false;
    }
    if (page->count == page->limit) {
        page->more = true;
        return false;
    }
    memcpy(page->last, suffix, sizeof page->last);
    add_row(page, &event, time);
    return true;
}

/* The prefix to read, by consent or by subject. */
static enum ledger_code choose(const Salus__V1__ConsentHistoryQuery *in,
                               struct schema_key *prefix)
{
    if (in->consent.len == LEDGER_ID_SIZE && in->subject.len == 0) {
        schema_key_consent_history(prefix, in->consent.data);
        return LEDGER_OK;
    }
    if (in->subject.len == LEDGER_HANDLE_SIZE && in->consent.len == 0) {
        schema_key_subject_history(prefix, in->subject.data);
        return LEDGER_OK;
    }
    return LEDGER_QUERY_FORM;
}

/* A subject without consents has an empty history; an unknown one has none. */
static bool is_known(struct query *query,
                     const Salus__V1__ConsentHistoryQuery *in)
{
    struct schema_subject subject;
    return in->subject.len != 0 &&
           state_get_subject(&query->overlay, in->subject.data, &subject);
}

static void read_page(struct page *page, const struct schema_key *prefix,
                      const ProtobufCBinaryData *cursor)
{
    /* The smallest key behind the cursor is the cursor and one zero byte. */
    uint8_t from[LEDGER_KEY_MAX] = {0};
    size_t from_size = 0;
    if (cursor->len > 0) {
        memcpy(from, prefix->bytes, prefix->size);
        memcpy(from + prefix->size, cursor->data, cursor->len);
        from_size = prefix->size + cursor->len + 1;
    }
    const struct ledger_kv_range range = {
        .prefix = {prefix->bytes, prefix->size},
        .from = {from, from_size},
        .limit = page->limit + 1,
        .direction = LEDGER_KV_FORWARD,
    };
    query_range(page->query, prefix->space, &range, note_event, page);
}

static void answer_page(struct query *query, const struct page *page)
{
    Salus__V1__ConsentHistory *out = overlay_room(&query->overlay, sizeof *out);
    salus__v1__consent_history__init(out);
    out->events = page->rows;
    out->n_events = page->count;
    if (page->more) {
        out->cursor = query_bytes(query, page->last, sizeof page->last);
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_CONSENT_HISTORY;
    query->answer.consent_history = out;
}

enum ledger_code query_consent_history(struct query *query,
                                       const Salus__V1__ConsentHistoryQuery *in)
{
    struct schema_key prefix;
    struct page page = {
        .query = query,
        .limit = in->limit == 0 ? LEDGER_PAGE_ROWS_DEFAULT : in->limit,
    };
    enum ledger_code code = choose(in, &prefix);
    if (code != LEDGER_OK) {
        return code;
    }
    if (page.limit > LEDGER_PAGE_ROWS_MAX ||
        (in->cursor.len != 0 && in->cursor.len != SCHEMA_EVENT_SIZE)) {
        return LEDGER_QUERY_FORM;
    }
    page.prefix_size = prefix.size;
    page.rows = overlay_room(&query->overlay, page.limit * sizeof *page.rows);
    read_page(&page, &prefix, &in->cursor);
    if (page.count == 0 && in->cursor.len == 0 && !is_known(query, in)) {
        return LEDGER_NOT_FOUND;
    }
    answer_page(query, &page);
    return LEDGER_OK;
}
