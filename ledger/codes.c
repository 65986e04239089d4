/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in the code tables, and their digest. */
#include "ledger/codes.h"

#include <string.h>

#include "crypto/digest.h"
#include "ledger/codes_tables.h"
#include "ledger/fields.h"

#define CODES_TAG "salus/codes/1\0\0"
/* Parents of parents: no table is deeper. */
#define CODES_DEPTH_MAX 8

static const struct codes_table_rows *rows_of(enum codes_table table)
{
    size_t index = (size_t)table;
    return &codes_tables[index <= CODES_TABLE_MAX ? index : 0];
}

const struct codes_entry *codes_by_id(enum codes_table table, uint32_t id)
{
    const struct codes_table_rows *rows = rows_of(table);
    size_t low = 0;
    size_t high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->entries[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < rows->count && rows->entries[low].id == id) {
        return &rows->entries[low];
    }
    return NULL;
}

const struct codes_entry *codes_find(enum codes_table table, const char *system,
                                     const char *code)
{
    const struct codes_table_rows *rows = rows_of(table);
    for (size_t i = 0; i < rows->count; i++) {
        const struct codes_entry *entry = &rows->entries[i];
        if (strcmp(entry->code, code) == 0 &&
            strcmp(entry->system, system) == 0) {
            return entry;
        }
    }
    return NULL;
}

const struct codes_entry *codes_entries(enum codes_table table, size_t *count)
{
    const struct codes_table_rows *rows = rows_of(table);
    *count = rows->count;
    return rows->entries;
}

const char *codes_table_name(enum codes_table table)
{
    const char *name = rows_of(table)->name;
    return name != NULL ? name : "?";
}

bool codes_is_below(enum codes_table table, uint32_t id, uint32_t ancestor)
{
    for (unsigned depth = 0; id != 0 && depth < CODES_DEPTH_MAX; depth++) {
        if (id == ancestor) {
            return true;
        }
        const struct codes_entry *entry = codes_by_id(table, id);
        id = entry != NULL ? entry->parent : 0;
    }
    return false;
}

static void digest_text(struct digest_stream *stream, const char *text)
{
    uint8_t size[FIELD_U32_SIZE];
    size_t length = strlen(text);
    field_put_u32(size, (uint32_t)length);
    digest_update(stream, (struct pbft_bytes){size, sizeof size});
    digest_update(stream, (struct pbft_bytes){(const uint8_t *)text, length});
}

static void digest_entry(struct digest_stream *stream, enum codes_table table,
                         const struct codes_entry *entry)
{
    uint8_t numbers[4 * FIELD_U32_SIZE];
    field_put_u32(numbers, (uint32_t)table);
    field_put_u32(numbers + FIELD_U32_SIZE, entry->id);
    field_put_u32(numbers + 2 * FIELD_U32_SIZE, entry->parent);
    field_put_u32(numbers + 3 * FIELD_U32_SIZE, entry->flags);
    digest_update(stream, (struct pbft_bytes){numbers, sizeof numbers});
    digest_text(stream, entry->system);
    digest_text(stream, entry->code);
}

void codes_digest(struct pbft_digest *out)
{
    struct digest_stream stream;
    digest_init(&stream, DIGEST_BLAKE2B);
    digest_update(&stream, (struct pbft_bytes){(const uint8_t *)CODES_TAG,
                                               sizeof CODES_TAG});
    for (size_t table = 1; table <= CODES_TABLE_MAX; table++) {
        for (size_t i = 0; i < codes_tables[table].count; i++) {
            digest_entry(&stream, (enum codes_table)table,
                         &codes_tables[table].entries[i]);
        }
    }
    digest_final(&stream, out);
}
