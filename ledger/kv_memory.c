/* SPDX-License-Identifier: Apache-2.0 */
/* struct ledger_kv over three ordered maps in memory. */
#include "ledger/kv_memory.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/digest.h"
#include "ledger/fields.h"
#include "ledger/kv_chunks.h"

struct ledger_kv_memory {
    struct ledger_kv vtable;
    struct kv_chunks spaces[LEDGER_SPACE_COUNT];
};

static struct kv_chunks *space_of(struct ledger_kv_memory *memory,
                                  enum ledger_space space)
{
    PBFT_ASSERT((size_t)space < LEDGER_SPACE_COUNT);
    return &memory->spaces[space];
}

static struct pbft_bytes key_of(const struct kv_item *item)
{
    return (struct pbft_bytes){item->bytes, item->key_size};
}

static struct pbft_bytes value_of(const struct kv_item *item)
{
    return (struct pbft_bytes){item->bytes + item->key_size, item->value_size};
}

static enum pbft_status get(void *context, enum ledger_space space,
                            struct pbft_bytes key, uint8_t *out,
                            size_t capacity, size_t *size)
{
    const struct kv_item *item = kv_chunks_get(space_of(context, space), key);
    if (item == NULL) {
        return PBFT_NOT_FOUND;
    }
    *size = item->value_size;
    if (item->value_size > capacity) {
        return PBFT_TOO_LARGE;
    }
    if (item->value_size > 0) {
        memcpy(out, value_of(item).data, item->value_size);
    }
    return PBFT_OK;
}

static bool begins_with(struct pbft_bytes key, struct pbft_bytes prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 ||
            memcmp(key.data, prefix.data, prefix.size) == 0);
}

static int compare(struct pbft_bytes left, struct pbft_bytes right)
{
    size_t common = left.size < right.size ? left.size : right.size;
    int order = common > 0 ? memcmp(left.data, right.data, common) : 0;
    return order != 0 ? order
                      : (left.size > right.size) - (left.size < right.size);
}

static void visit_forward(const struct kv_chunks *map,
                          const struct ledger_kv_range *range,
                          ledger_kv_visit *visit, void *visitor)
{
    bool from_is_higher = compare(range->from, range->prefix) > 0;
    struct kv_cursor cursor =
        kv_chunks_seek(map, from_is_higher ? range->from : range->prefix);
    for (size_t i = 0; i < range->limit; i++) {
        const struct kv_item *item = kv_chunks_at(map, cursor);
        if (item == NULL || !begins_with(key_of(item), range->prefix) ||
            !visit(visitor, key_of(item), value_of(item))) {
            return;
        }
        kv_chunks_next(map, &cursor);
    }
}

/* Behind the last key that begins with the prefix. */
static struct kv_cursor seek_behind(const struct kv_chunks *map,
                                    struct pbft_bytes prefix)
{
    uint8_t next[LEDGER_KEY_MAX];
    size_t size = prefix.size;
    PBFT_ASSERT(size <= sizeof next);
    if (size > 0) {
        memcpy(next, prefix.data, size);
    }
    while (size > 0 && next[size - 1] == UINT8_MAX) {
        size--;
    }
    if (size == 0) {
        return (struct kv_cursor){map->chunk_count, 0};
    }
    next[size - 1]++;
    return kv_chunks_seek(map, (struct pbft_bytes){next, size});
}

static struct kv_cursor seek_backward(const struct kv_chunks *map,
                                      const struct ledger_kv_range *range)
{
    bool from_is_behind = compare(range->from, range->prefix) > 0 &&
                          !begins_with(range->from, range->prefix);
    if (range->from.size == 0 || from_is_behind) {
        return seek_behind(map, range->prefix);
    }
    struct kv_cursor cursor = kv_chunks_seek(map, range->from);
    const struct kv_item *item = kv_chunks_at(map, cursor);
    if (item != NULL && compare(key_of(item), range->from) == 0) {
        kv_chunks_next(map, &cursor);
    }
    return cursor;
}

static void visit_backward(const struct kv_chunks *map,
                           const struct ledger_kv_range *range,
                           ledger_kv_visit *visit, void *visitor)
{
    struct kv_cursor cursor = seek_backward(map, range);
    for (size_t i = 0; i < range->limit; i++) {
        if (!kv_chunks_previous(map, &cursor)) {
            return;
        }
        const struct kv_item *item = kv_chunks_at(map, cursor);
        if (!begins_with(key_of(item), range->prefix) ||
            !visit(visitor, key_of(item), value_of(item))) {
            return;
        }
    }
}

static enum pbft_status visit_range(void *context, enum ledger_space space,
                                    const struct ledger_kv_range *range,
                                    ledger_kv_visit *visit, void *visitor)
{
    const struct kv_chunks *map = space_of(context, space);
    switch (range->direction) {
    case LEDGER_KV_FORWARD:
        visit_forward(map, range, visit, visitor);
        break;
    case LEDGER_KV_BACKWARD:
        visit_backward(map, range, visit, visitor);
        break;
    }
    return PBFT_OK;
}

static enum pbft_status
apply(void *context, const struct ledger_kv_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct kv_chunks *map = space_of(context, writes[i].space);
        switch (writes[i].operation) {
        case LEDGER_KV_PUT:
            kv_chunks_put(map, writes[i].key, writes[i].value);
            break;
        case LEDGER_KV_DELETE:
            kv_chunks_delete(map, writes[i].key);
            break;
        }
    }
    return PBFT_OK;
}

struct ledger_kv_memory *ledger_kv_memory_create(void)
{
    struct ledger_kv_memory *memory = malloc(sizeof *memory);
    PBFT_ASSERT(memory != NULL);
    memory->vtable = (struct ledger_kv){
        .context = memory,
        .get = get,
        .range = visit_range,
        .apply = apply,
    };
    for (size_t i = 0; i < LEDGER_SPACE_COUNT; i++) {
        kv_chunks_init(&memory->spaces[i]);
    }
    return memory;
}

void ledger_kv_memory_destroy(struct ledger_kv_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    for (size_t i = 0; i < LEDGER_SPACE_COUNT; i++) {
        kv_chunks_deinit(&memory->spaces[i]);
    }
    free(memory);
}

struct ledger_kv_memory *
ledger_kv_memory_clone(const struct ledger_kv_memory *memory)
{
    struct ledger_kv_memory *clone = ledger_kv_memory_create();
    for (size_t i = 0; i < LEDGER_SPACE_COUNT; i++) {
        kv_chunks_copy(&clone->spaces[i], &memory->spaces[i]);
    }
    return clone;
}

const struct ledger_kv *ledger_kv_memory_vtable(struct ledger_kv_memory *memory)
{
    return &memory->vtable;
}

size_t ledger_kv_memory_count(const struct ledger_kv_memory *memory,
                              enum ledger_space space)
{
    PBFT_ASSERT((size_t)space < LEDGER_SPACE_COUNT);
    return memory->spaces[space].item_count;
}

static void digest_item(struct digest_stream *stream, size_t space,
                        const struct kv_item *item)
{
    uint8_t head[3 * FIELD_U32_SIZE];
    field_put_u32(head, (uint32_t)space);
    field_put_u32(head + FIELD_U32_SIZE, (uint32_t)item->key_size);
    field_put_u32(head + 2 * FIELD_U32_SIZE, (uint32_t)item->value_size);
    digest_update(stream, (struct pbft_bytes){head, sizeof head});
    digest_update(stream, (struct pbft_bytes){
                              item->bytes, item->key_size + item->value_size});
}

void ledger_kv_memory_digest(const struct ledger_kv_memory *memory,
                             struct pbft_digest *out)
{
    struct digest_stream stream;
    digest_init(&stream, DIGEST_BLAKE2B);
    for (size_t space = 0; space < LEDGER_SPACE_COUNT; space++) {
        const struct kv_chunks *map = &memory->spaces[space];
        struct kv_cursor cursor = {0, 0};
        const struct kv_item *item;
        while ((item = kv_chunks_at(map, cursor)) != NULL) {
            digest_item(&stream, space, item);
            kv_chunks_next(map, &cursor);
        }
    }
    digest_final(&stream, out);
}
