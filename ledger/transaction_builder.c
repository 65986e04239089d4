/* SPDX-License-Identifier: Apache-2.0 */
/* Room, lists and borrowed bytes for the builders of transactions. */
#include "ledger/transaction_builder.h"

#include <stdlib.h>
#include <string.h>

void *builder_room(struct builder *builder, size_t count, size_t size)
{
    void *memory = wire_arena_alloc(&builder->arena, count * size);
    if (memory == NULL) {
        builder->status = PBFT_NO_MEMORY;
        return NULL;
    }
    memset(memory, 0, count * size);
    return memory;
}

bool builder_too_many(struct builder *builder, size_t count, size_t limit)
{
    if (count > limit) {
        builder->status = PBFT_TOO_LARGE;
    }
    return builder->status != PBFT_OK;
}

ProtobufCBinaryData builder_borrow(struct pbft_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size,
                                 .data = (uint8_t *)bytes.data};
}

static int compare_codes(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

void builder_codes(struct builder *builder, uint32_t **out, size_t *count,
                   const struct transaction_codes *codes)
{
    if (codes->count == 0 ||
        builder_too_many(builder, codes->count, LEDGER_CODES_MAX)) {
        return;
    }
    uint32_t *list = builder_room(builder, codes->count, sizeof *list);
    if (list == NULL) {
        return;
    }
    memcpy(list, codes->ids, codes->count * sizeof *list);
    qsort(list, codes->count, sizeof *list, compare_codes);
    size_t kept = 1;
    for (size_t i = 1; i < codes->count; i++) {
        if (list[i] != list[kept - 1]) {
            list[kept++] = list[i];
        }
    }
    *out = list;
    *count = kept;
}

/* All ids in this file have 16 bytes. */
static int compare_ids(const void *left, const void *right)
{
    return memcmp(((const ProtobufCBinaryData *)left)->data,
                  ((const ProtobufCBinaryData *)right)->data, LEDGER_ID_SIZE);
}

void builder_ids(struct builder *builder, ProtobufCBinaryData **out,
                 size_t *count, const struct transaction_ids *ids,
                 enum builder_order order)
{
    if (ids->count == 0 || builder->status != PBFT_OK) {
        return;
    }
    ProtobufCBinaryData *list = builder_room(builder, ids->count, sizeof *list);
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < ids->count; i++) {
        list[i].len = LEDGER_ID_SIZE;
        list[i].data = (uint8_t *)ids->bytes + i * LEDGER_ID_SIZE;
    }
    *out = list;
    *count = ids->count;
    if (order == BUILDER_KEEP_ORDER) {
        return;
    }
    qsort(list, ids->count, sizeof *list, compare_ids);
    size_t kept = 1;
    for (size_t i = 1; i < ids->count; i++) {
        if (compare_ids(&list[i], &list[kept - 1]) != 0) {
            list[kept++] = list[i];
        }
    }
    *count = kept;
}
