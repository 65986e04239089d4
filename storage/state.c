/* SPDX-License-Identifier: Apache-2.0 */
/* The kv of the ledger on RocksDB: the live state and views of it. */
#include "storage/state.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "storage/storage_private.h"

struct storage_view {
    struct storage *storage;
    struct rocks_snapshot *snapshot; /* NULL: the newest. */
    struct ledger_kv kv;
};

struct storage_state {
    struct storage_view view; /* Of the newest. */
    struct rocks_batch *batch;
    bool gathers;
};

static enum rocks_family family_of(enum ledger_space space)
{
    static const enum rocks_family families[LEDGER_SPACE_COUNT] = {
        [LEDGER_SPACE_STATE] = ROCKS_STATE,
        [LEDGER_SPACE_INDEX] = ROCKS_INDEX,
        [LEDGER_SPACE_CLIENT] = ROCKS_CLIENT,
        [LEDGER_SPACE_THINGS] = ROCKS_THINGS,
        [LEDGER_SPACE_DUE] = ROCKS_DUE,
    };
    PBFT_ASSERT((size_t)space < LEDGER_SPACE_COUNT);
    return families[space];
}

static enum pbft_status view_get(void *context, enum ledger_space space,
                                 struct pbft_bytes key, uint8_t *out,
                                 size_t capacity, size_t *size)
{
    const struct storage_view *view = context;
    struct rocks_value value;
    enum pbft_status status = rocks_get(view->storage->rocks, view->snapshot,
                                        family_of(space), key, &value);
    if (status != PBFT_OK) {
        return status;
    }
    *size = value.bytes.size;
    if (value.bytes.size > capacity) {
        status = PBFT_TOO_LARGE;
    } else if (value.bytes.size != 0) {
        memcpy(out, value.bytes.data, value.bytes.size);
    }
    rocks_value_release(&value);
    return status;
}

static enum pbft_status view_get_many(void *context, enum ledger_space space,
                                      const struct pbft_bytes *keys,
                                      size_t count, ledger_kv_told *told,
                                      void *visitor)
{
    const struct storage_view *view = context;
    return rocks_get_many(view->storage->rocks, view->snapshot,
                          family_of(space), keys, count, told, visitor);
}

/* The smallest key above all that begin with `prefix`; empty: there is none. */
static struct pbft_bytes successor(struct pbft_bytes prefix,
                                   uint8_t out[LEDGER_KEY_MAX])
{
    size_t size = prefix.size;
    if (size != 0) {
        memcpy(out, prefix.data, size);
    }
    while (size != 0 && out[size - 1] == UINT8_MAX) {
        size--;
    }
    if (size != 0) {
        out[size - 1]++;
    }
    return (struct pbft_bytes){out, size};
}

static bool has_prefix(struct pbft_bytes key, struct pbft_bytes prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 ||
            memcmp(key.data, prefix.data, prefix.size) == 0);
}

static bool is_below(struct pbft_bytes left, struct pbft_bytes right)
{
    size_t common = left.size < right.size ? left.size : right.size;
    int order = common != 0 ? memcmp(left.data, right.data, common) : 0;
    return order < 0 || (order == 0 && left.size < right.size);
}

static void walk(struct rocks_iterator *iterator,
                 const struct ledger_kv_range *range, ledger_kv_visit *visit,
                 void *visitor)
{
    for (size_t visits = 0;
         visits < range->limit && rocks_iterator_valid(iterator); visits++) {
        struct pbft_bytes key = rocks_iterator_key(iterator);
        if (!has_prefix(key, range->prefix) ||
            !visit(visitor, key, rocks_iterator_value(iterator))) {
            return;
        }
        if (range->direction == LEDGER_KV_FORWARD) {
            rocks_iterator_next(iterator);
        } else {
            rocks_iterator_previous(iterator);
        }
    }
}

static enum pbft_status view_range(void *context, enum ledger_space space,
                                   const struct ledger_kv_range *range,
                                   ledger_kv_visit *visit, void *visitor)
{
    const struct storage_view *view = context;
    uint8_t bound[LEDGER_KEY_MAX];
    if (range->prefix.size > sizeof bound) {
        return PBFT_INVALID_ARGUMENT;
    }
    struct pbft_bytes end = successor(range->prefix, bound);
    bool forward = range->direction == LEDGER_KV_FORWARD;
    struct pbft_bytes first = range->prefix;
    if (forward && is_below(first, range->from)) {
        first = range->from;
    }
    struct rocks_iterator *iterator = rocks_iterate(
        view->storage->rocks, view->snapshot, family_of(space), first, end);
    if (!forward) {
        /* A `from` above the range begins at the end of the range. */
        bool above = end.size != 0 && !is_below(range->from, end);
        struct pbft_bytes none = {NULL, 0};
        rocks_iterator_seek_back(iterator, above ? none : range->from);
    }
    walk(iterator, range, visit, visitor);
    enum pbft_status status = rocks_iterator_status(iterator, NULL);
    rocks_iterator_destroy(iterator);
    return status;
}

static void view_init(struct storage_view *view, struct storage *storage,
                      struct rocks_snapshot *snapshot)
{
    *view = (struct storage_view){.storage = storage, .snapshot = snapshot};
    view->kv = (struct ledger_kv){.context = view,
                                  .get = view_get,
                                  .get_many = view_get_many,
                                  .range = view_range};
}

struct storage_view *storage_view_open(struct storage *storage,
                                       enum storage_view_kind kind)
{
    struct storage_view *view = malloc(sizeof *view);
    PBFT_ASSERT(view != NULL);
    view_init(view, storage,
              kind == STORAGE_VIEW_SNAPSHOT
                  ? rocks_snapshot_create(storage->rocks)
                  : NULL);
    return view;
}

void storage_view_close(struct storage_view *view)
{
    if (view != NULL) {
        rocks_snapshot_destroy(view->snapshot);
        free(view);
    }
}

const struct ledger_kv *storage_view_kv(struct storage_view *view)
{
    return &view->kv;
}

static enum pbft_status state_get(void *context, enum ledger_space space,
                                  struct pbft_bytes key, uint8_t *out,
                                  size_t capacity, size_t *size)
{
    struct storage_state *state = context;
    PBFT_ASSERT(rocks_batch_is_empty(state->batch));
    return view_get(&state->view, space, key, out, capacity, size);
}

static enum pbft_status state_get_many(void *context, enum ledger_space space,
                                       const struct pbft_bytes *keys,
                                       size_t count, ledger_kv_told *told,
                                       void *visitor)
{
    struct storage_state *state = context;
    PBFT_ASSERT(rocks_batch_is_empty(state->batch));
    return view_get_many(&state->view, space, keys, count, told, visitor);
}

static enum pbft_status state_range(void *context, enum ledger_space space,
                                    const struct ledger_kv_range *range,
                                    ledger_kv_visit *visit, void *visitor)
{
    struct storage_state *state = context;
    PBFT_ASSERT(rocks_batch_is_empty(state->batch));
    return view_range(&state->view, space, range, visit, visitor);
}

static enum pbft_status
state_apply(void *context, const struct ledger_kv_write *writes, size_t count)
{
    struct storage_state *state = context;
    PBFT_ASSERT(rocks_batch_is_empty(state->batch));
    for (size_t i = 0; i < count; i++) {
        enum rocks_family family = family_of(writes[i].space);
        PBFT_ASSERT(writes[i].key.size <= LEDGER_KEY_MAX);
        PBFT_ASSERT(writes[i].value.size <= LEDGER_VALUE_MAX);
        if (writes[i].operation == LEDGER_KV_PUT) {
            rocks_batch_put(state->batch, family, writes[i].key,
                            writes[i].value);
        } else {
            rocks_batch_delete(state->batch, family, writes[i].key);
        }
    }
    if (state->gathers) {
        return PBFT_OK;
    }
    enum pbft_status status =
        storage_write(state->view.storage, state->batch, ROCKS_SYNC);
    rocks_batch_clear(state->batch);
    return status;
}

struct storage_state *storage_state_create(struct storage *storage)
{
    struct storage_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return NULL;
    }
    view_init(&state->view, storage, NULL);
    state->view.kv = (struct ledger_kv){.context = state,
                                        .get = state_get,
                                        .get_many = state_get_many,
                                        .range = state_range,
                                        .apply = state_apply};
    state->batch = rocks_batch_create(storage->rocks);
    return state;
}

void storage_state_destroy(struct storage_state *state)
{
    if (state != NULL) {
        rocks_batch_destroy(state->batch);
        free(state);
    }
}

void storage_state_gather(struct storage_state *state)
{
    state->gathers = true;
}

const struct ledger_kv *storage_state_kv(struct storage_state *state)
{
    return &state->view.kv;
}

struct rocks_batch *storage_state_batch(struct storage_state *state)
{
    return state->batch;
}
