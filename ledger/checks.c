/* SPDX-License-Identifier: Apache-2.0 */
/* The form of single fields. */
#include "ledger/checks.h"

#include <string.h>

#include "ledger/forms.h"

struct pbft_bytes checks_bytes(const ProtobufCBinaryData *field)
{
    return (struct pbft_bytes){field->data, field->len};
}

enum ledger_code checks_random(const ProtobufCBinaryData *field, size_t size)
{
    if (field->len != size) {
        return LEDGER_FIELD_FORM;
    }
    return forms_reads_as_text(checks_bytes(field)) ? LEDGER_CLEAR_TEXT
                                                    : LEDGER_OK;
}

enum ledger_code checks_reference(const ProtobufCBinaryData *field, size_t size)
{
    return field->len == size ? LEDGER_OK : LEDGER_FIELD_FORM;
}

enum ledger_code checks_commit(const ProtobufCBinaryData *field)
{
    enum ledger_code code = checks_random(field, LEDGER_COMMIT_SIZE);
    if (code == LEDGER_OK && forms_is_hash_of_nothing(checks_bytes(field))) {
        return LEDGER_PLAIN_HASH;
    }
    return code;
}

enum ledger_code checks_optional_commit(const ProtobufCBinaryData *field)
{
    return field->len == 0 ? LEDGER_OK : checks_commit(field);
}

enum ledger_code checks_optional_reference(const ProtobufCBinaryData *field,
                                           size_t size)
{
    return field->len == 0 ? LEDGER_OK : checks_reference(field, size);
}

/* A code that was added later than the tables that the transaction names means
 * nothing in them: who signed cannot have meant it. */
static bool find_code(const struct execution *x, enum codes_table table,
                      uint32_t id, struct schema_code *out)
{
    return state_find_code(x->overlay, table, id, out) &&
           out->since <= x->body->table_version;
}

enum ledger_code checks_code(const struct execution *x, enum codes_table table,
                             uint32_t id)
{
    struct schema_code code;
    return find_code(x, table, id, &code) ? LEDGER_OK : LEDGER_UNKNOWN_CODE;
}

enum ledger_code checks_flagged(const struct execution *x,
                                enum codes_table table, uint32_t id,
                                enum codes_flag flag)
{
    struct schema_code code;
    return find_code(x, table, id, &code) && (code.flags & (uint32_t)flag) != 0
               ? LEDGER_OK
               : LEDGER_UNKNOWN_CODE;
}

enum ledger_code checks_code_list(const struct execution *x,
                                  enum codes_table table,
                                  struct checks_codes codes, size_t limit)
{
    if (codes.count > limit) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < codes.count; i++) {
        if (i > 0 && codes.ids[i] <= codes.ids[i - 1]) {
            return LEDGER_FIELD_ORDER;
        }
        if (checks_code(x, table, codes.ids[i]) != LEDGER_OK) {
            return LEDGER_UNKNOWN_CODE;
        }
    }
    return LEDGER_OK;
}

enum ledger_code checks_id_list(struct checks_ids ids, size_t limit)
{
    if (ids.count > limit) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < ids.count; i++) {
        if (ids.ids[i].len != LEDGER_ID_SIZE) {
            return LEDGER_FIELD_FORM;
        }
        if (i > 0 &&
            memcmp(ids.ids[i - 1].data, ids.ids[i].data, LEDGER_ID_SIZE) >= 0) {
            return LEDGER_FIELD_ORDER;
        }
    }
    return LEDGER_OK;
}

enum ledger_code checks_tags(struct checks_ids tags)
{
    enum ledger_code code = checks_id_list(tags, LEDGER_TAGS_MAX);
    for (size_t i = 0; code == LEDGER_OK && i < tags.count; i++) {
        code = checks_random(&tags.ids[i], LEDGER_TAG_SIZE);
    }
    return code;
}

enum ledger_code checks_not_future(const struct execution *x, uint64_t time_ms)
{
    bool future = time_ms > x->now_ms &&
                  time_ms - x->now_ms > x->constants->time_bound_ms;
    return future ? LEDGER_EVENT_FUTURE : LEDGER_OK;
}

enum ledger_code checks_days(uint64_t from_ms, uint64_t to_ms)
{
    if (from_ms % LEDGER_DAY_MS != 0 || to_ms % LEDGER_DAY_MS != 0) {
        return LEDGER_PERIOD_PRECISE;
    }
    return checks_period(from_ms, to_ms);
}

enum ledger_code checks_period(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms == 0 || from_ms < to_ms ? LEDGER_OK : LEDGER_PERIOD;
}
