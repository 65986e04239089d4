/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of a random history: their trees a second time, naively, straight
 * from docs/api.md, and what became of each leaf by the answers of the ledger.
 * Of the ledger's own code only the encoding of messages is used. */
#ifndef TESTS_SUPPORT_LEDGER_BATCHES_H
#define TESTS_SUPPORT_LEDGER_BATCHES_H

#include "crypto/digest.h"
#include "ledger/state.h"
#include "tests/support/ledger_access.h"

#define BATCHED_LEAVES 12u
#define BATCHED_PATH 8u

/* What anybody who knows the leaves can compute of a tree. */
struct batched_tree {
    uint32_t count;
    struct pbft_digest leaves[BATCHED_LEAVES];
};

struct batched_path {
    size_t count;
    struct pbft_digest nodes[BATCHED_PATH];
};

/* H(0x00 | tag, padded to 16 | time, if it is told | message). */
static inline void batched_leaf(struct pbft_digest *out, const char *tag,
                                const uint64_t *event_ms,
                                const ProtobufCMessage *message)
{
    static const uint8_t zero[1] = {0};
    uint8_t head[16] = {0};
    uint8_t time[8] = {0};
    struct wire_buffer buffer;
    memcpy(head, tag, strlen(tag));
    for (size_t i = 0; event_ms != NULL && i < sizeof time; i++) {
        time[i] = (uint8_t)(*event_ms >> (56 - 8 * i));
    }
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    assert_int_equal(wire_pack(message, &buffer), PBFT_OK);
    const struct pbft_bytes parts[] = {
        bytes_of(zero, sizeof zero), bytes_of(head, sizeof head),
        bytes_of(time, event_ms != NULL ? sizeof time : 0),
        wire_buffer_bytes(&buffer)};
    digest_blake2b_parts(out, parts, sizeof parts / sizeof parts[0]);
    wire_buffer_deinit(&buffer);
}

/* The largest power of two below `count`. */
static inline uint32_t batched_split(uint32_t count)
{
    uint32_t split = 1;
    while (2 * split < count) {
        split *= 2;
    }
    return split;
}

/* RFC 6962, 2.1: MTH. */
static inline void batched_root(struct pbft_digest *out,
                                const struct pbft_digest *leaves,
                                uint32_t count)
{
    static const uint8_t one[1] = {1};
    struct pbft_digest halves[2];
    if (count == 1) {
        *out = leaves[0];
        return;
    }
    uint32_t split = batched_split(count);
    batched_root(&halves[0], leaves, split);
    batched_root(&halves[1], leaves + split, count - split);
    const struct pbft_bytes parts[] = {bytes_of(one, sizeof one),
                                       bytes_of(halves, sizeof halves)};
    digest_blake2b_parts(out, parts, 2);
}

/* RFC 6962, 2.1.1: PATH. */
static inline void batched_path(struct batched_path *out,
                                const struct pbft_digest *leaves,
                                uint32_t count, uint32_t index)
{
    if (count == 1) {
        out->count = 0;
        return;
    }
    uint32_t split = batched_split(count);
    if (index < split) {
        batched_path(out, leaves, split, index);
        batched_root(&out->nodes[out->count++], leaves + split, count - split);
    } else {
        batched_path(out, leaves + split, count - split, index - split);
        batched_root(&out->nodes[out->count++], leaves, split);
    }
}

static inline bool batched_same_path(const struct batched_path *a,
                                     const struct batched_path *b)
{
    return a->count == b->count &&
           memcmp(a->nodes, b->nodes, a->count * sizeof a->nodes[0]) == 0;
}

/* ---- what stands in the store -------------------------------------------- */

struct batched_rows {
    size_t count;
    size_t prefix_size;
    uint32_t index[BATCHED_LEAVES + 1];
    uint8_t id[BATCHED_LEAVES + 1][LEDGER_ID_SIZE];
};

static inline bool batched_see_row(void *visitor, struct pbft_bytes key,
                                   struct pbft_bytes value)
{
    struct batched_rows *rows = visitor;
    const uint8_t *index = key.data + rows->prefix_size;
    assert_int_equal(key.size, rows->prefix_size + 4);
    assert_int_equal(value.size, 1 + LEDGER_ID_SIZE); /* Form, id. */
    assert_true(rows->count <= BATCHED_LEAVES);
    rows->index[rows->count] = (uint32_t)index[0] << 24 |
                               (uint32_t)index[1] << 16 |
                               (uint32_t)index[2] << 8 | index[3];
    memcpy(rows->id[rows->count++], value.data + 1, LEDGER_ID_SIZE);
    return true;
}

/* The leaves of a batch that stand open. */
static inline void batched_open_rows(struct world *world, const uint8_t *batch,
                                     struct batched_rows *out)
{
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    uint8_t prefix[1 + LEDGER_ID_SIZE] = {'l'};
    memcpy(prefix + 1, batch, LEDGER_ID_SIZE);
    const struct ledger_kv_range range = {.prefix =
                                              bytes_of(prefix, sizeof prefix),
                                          .limit = SIZE_MAX,
                                          .direction = LEDGER_KV_FORWARD};
    memset(out, 0, sizeof *out);
    out->prefix_size = sizeof prefix;
    assert_int_equal(view->range(view->context, LEDGER_SPACE_STATE, &range,
                                 batched_see_row, out),
                     PBFT_OK);
}

static inline bool batched_count_row(void *visitor, struct pbft_bytes key,
                                     struct pbft_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)visitor;
    return true;
}

/* How many things of that letter there are. */
static inline size_t batched_count(struct world *world, char letter)
{
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    const struct ledger_kv_range range = {.prefix = bytes_of(&letter, 1),
                                          .limit = SIZE_MAX,
                                          .direction = LEDGER_KV_FORWARD};
    size_t count = 0;
    assert_int_equal(view->range(view->context, LEDGER_SPACE_STATE, &range,
                                 batched_count_row, &count),
                     PBFT_OK);
    return count;
}

/* How many leaves the ledger itself says are open. */
static inline uint32_t batched_counted(struct world *world, const uint8_t *id)
{
    const struct pbft_digest seed = {{0}};
    struct schema_batch batch;
    struct overlay overlay;
    overlay_init(&overlay, ledger_kv_memory_vtable(world->memory));
    overlay_begin(&overlay, &seed);
    overlay.seq = UINT32_MAX;
    assert_true(state_get_batch(&overlay, id, &batch));
    assert_true(batch.opened <= batch.leaf_count);
    overlay_deinit(&overlay);
    return batch.opened;
}

#endif /* TESTS_SUPPORT_LEDGER_BATCHES_H */
