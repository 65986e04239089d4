/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: rows under a prefix, behind a cursor; and what all queries need. A
 * cursor is the suffix of the last key, so that a page begins exactly where the
 * one before ended, also if blocks came in between.
 */
#include <string.h>

#include "ledger/fields.h"
#include "ledger/query.h"

ProtobufCBinaryData query_id(struct query *query, const uint8_t *id)
{
    static const uint8_t none[LEDGER_ID_SIZE] = {0};
    return memcmp(id, none, sizeof none) == 0
               ? (ProtobufCBinaryData){0, NULL}
               : query_bytes(query, id, LEDGER_ID_SIZE);
}

void *query_room(struct query *query, size_t count, size_t size)
{
    void *room = overlay_room(&query->overlay, count * size);
    memset(room, 0, count * size);
    return room;
}

struct collector {
    struct query *query;
    struct query_rows *out;
    size_t prefix_size;
    size_t limit;
};

static struct pbft_bytes kept(struct query *query, struct pbft_bytes bytes)
{
    const ProtobufCBinaryData copy =
        bytes.size > 0 ? query_bytes(query, bytes.data, bytes.size)
                       : (ProtobufCBinaryData){0, NULL};
    return (struct pbft_bytes){copy.data, copy.len};
}

static bool collect(void *visitor, struct pbft_bytes key,
                    struct pbft_bytes value)
{
    struct collector *collector = visitor;
    if (collector->out->count == collector->limit) {
        collector->out->more = true;
        return false;
    }
    const struct pbft_bytes suffix = {key.data + collector->prefix_size,
                                      key.size - collector->prefix_size};
    collector->out->rows[collector->out->count++] = (struct query_row){
        kept(collector->query, suffix), kept(collector->query, value)};
    return true;
}

void query_collect(struct query *query, const struct query_page *page,
                   struct query_rows *out)
{
    /* The smallest key behind the cursor is the cursor and one zero byte. */
    uint8_t from[LEDGER_KEY_MAX + 1] = {0};
    size_t from_size = 0;
    struct collector collector = {query, out, page->prefix.size, page->limit};
    *out = (struct query_rows){
        .rows = query_room(query, page->limit, sizeof *out->rows)};
    if (page->after.size > 0 &&
        page->prefix.size + page->after.size < LEDGER_KEY_MAX) {
        memcpy(from, page->prefix.data, page->prefix.size);
        memcpy(from + page->prefix.size, page->after.data, page->after.size);
        from_size = page->prefix.size + page->after.size + 1;
    }
    const struct ledger_kv_range range = {
        .prefix = page->prefix,
        .from = {from, from_size},
        .limit = page->limit + 1,
        .direction = LEDGER_KV_FORWARD,
    };
    query_range(query, page->space, &range, collect, &collector);
}

bool query_time_of(struct query *query, pbft_seq seq, pbft_wall_us *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_height(&key, seq);
    if (!overlay_get(&query->overlay, &key, &value) ||
        value.size != FIELD_U64_SIZE) {
        return false;
    }
    struct field_reader reader = {.data = value.data, .left = value.size};
    *out = field_read_u64(&reader);
    return true;
}

enum ledger_code query_limit(uint32_t asked, size_t max, size_t *out)
{
    *out = asked == 0 ? LEDGER_PAGE_ROWS_DEFAULT : asked;
    return *out <= max ? LEDGER_OK : LEDGER_QUERY_FORM;
}

enum ledger_code query_list_of(const struct query *query,
                               const struct query_list_asked *asked,
                               struct query_list *out)
{
    enum ledger_code code =
        query_institution(query, asked->institution, &out->whose);
    if (code == LEDGER_OK) {
        code = query_limit(asked->limit, asked->limit_max, &out->limit);
    }
    if (code == LEDGER_OK && asked->cursor->len != 0 &&
        asked->cursor->len != asked->suffix_size) {
        code = LEDGER_QUERY_FORM;
    }
    out->after = (struct pbft_bytes){asked->cursor->data, asked->cursor->len};
    return code;
}

enum ledger_code query_institution(const struct query *query,
                                   const ProtobufCBinaryData *field,
                                   struct pbft_institution *out)
{
    struct schema_institution found;
    *out = query->caller;
    if (field->len == 0) {
        return LEDGER_OK;
    }
    if (field->len != sizeof out->bytes) {
        return LEDGER_QUERY_FORM;
    }
    memcpy(out->bytes, field->data, sizeof out->bytes);
    return state_get_institution((struct overlay *)(uintptr_t)&query->overlay,
                                 out->bytes, &found)
               ? LEDGER_OK
               : LEDGER_NOT_FOUND;
}
