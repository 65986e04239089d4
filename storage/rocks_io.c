/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and walking the column families. */
#include "storage/rocks_private.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

struct rocks_batch {
    rocksdb_writebatch_t *batch;
    struct rocks *rocks;
};

struct rocks_snapshot {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read;
    struct rocks *rocks;
};

struct rocks_iterator {
    rocksdb_iterator_t *iterator;
    rocksdb_readoptions_t *read;
    struct rocks *rocks;
};

/* The daemon cannot go on without a few bytes of memory (style: kind 4). */
static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    PBFT_ASSERT(memory != NULL);
    return memory;
}

static const char *chars(struct pbft_bytes bytes)
{
    return bytes.size != 0 ? (const char *)bytes.data : "";
}

/* RocksDB counts every comparison of keys for whoever profiles a thread: nobody
 * does, and it is a tenth of an insert's time. */
static void count_nothing(void)
{
    rocksdb_set_perf_level(rocksdb_disable);
}

struct rocks_batch *rocks_batch_create(struct rocks *rocks)
{
    struct rocks_batch *batch = allocate(sizeof *batch);
    batch->batch = rocksdb_writebatch_create();
    batch->rocks = rocks;
    return batch;
}

void rocks_batch_destroy(struct rocks_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    rocksdb_writebatch_destroy(batch->batch);
    free(batch);
}

void rocks_batch_clear(struct rocks_batch *batch)
{
    rocksdb_writebatch_clear(batch->batch);
}

bool rocks_batch_is_empty(const struct rocks_batch *batch)
{
    return rocksdb_writebatch_count(batch->batch) == 0;
}

void rocks_batch_put(struct rocks_batch *batch, enum rocks_family family,
                     struct pbft_bytes key, struct pbft_bytes value)
{
    rocksdb_writebatch_put_cf(batch->batch, batch->rocks->families[family],
                              chars(key), key.size, chars(value), value.size);
}

void rocks_batch_put_parts(struct rocks_batch *batch, enum rocks_family family,
                           struct pbft_bytes key, struct pbft_bytes head,
                           struct pbft_bytes tail)
{
    const char *keys[1] = {chars(key)};
    const size_t key_sizes[1] = {key.size};
    const char *values[2] = {chars(head), chars(tail)};
    const size_t value_sizes[2] = {head.size, tail.size};
    rocksdb_writebatch_putv_cf(batch->batch, batch->rocks->families[family], 1,
                               keys, key_sizes, 2, values, value_sizes);
}

void rocks_batch_delete(struct rocks_batch *batch, enum rocks_family family,
                        struct pbft_bytes key)
{
    rocksdb_writebatch_delete_cf(batch->batch, batch->rocks->families[family],
                                 chars(key), key.size);
}

enum pbft_status rocks_write(struct rocks *rocks, struct rocks_batch *batch,
                             enum rocks_sync sync, struct salus_reason *reason)
{
    char *error = NULL;
    count_nothing();
    rocksdb_write(rocks->db,
                  sync == ROCKS_SYNC ? rocks->write_synced : rocks->write_plain,
                  batch->batch, &error);
    return rocks_status_of(rocks, error, reason);
}

struct rocks_snapshot *rocks_snapshot_create(struct rocks *rocks)
{
    struct rocks_snapshot *snapshot = allocate(sizeof *snapshot);
    snapshot->rocks = rocks;
    snapshot->snapshot = rocksdb_create_snapshot(rocks->db);
    snapshot->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->snapshot);
    return snapshot;
}

void rocks_snapshot_destroy(struct rocks_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    rocksdb_readoptions_destroy(snapshot->read);
    rocksdb_release_snapshot(snapshot->rocks->db, snapshot->snapshot);
    free(snapshot);
}

enum pbft_status rocks_get(struct rocks *rocks,
                           const struct rocks_snapshot *snapshot,
                           enum rocks_family family, struct pbft_bytes key,
                           struct rocks_value *out)
{
    char *error = NULL;
    const rocksdb_readoptions_t *read =
        snapshot != NULL ? snapshot->read : rocks->read_newest;
    out->bytes = (struct pbft_bytes){NULL, 0};
    out->pin = NULL;
    rocksdb_pinnableslice_t *pin = rocksdb_get_pinned_cf(
        rocks->db, read, rocks->families[family], chars(key), key.size, &error);
    enum pbft_status status = rocks_status_of(rocks, error, NULL);
    if (status != PBFT_OK) {
        return status;
    }
    if (pin == NULL) {
        return PBFT_NOT_FOUND;
    }
    out->pin = pin;
    out->bytes.data =
        (const uint8_t *)rocksdb_pinnableslice_value(pin, &out->bytes.size);
    return PBFT_OK;
}

void rocks_value_release(struct rocks_value *value)
{
    if (value->pin != NULL) {
        rocksdb_pinnableslice_destroy(value->pin);
    }
    value->pin = NULL;
    value->bytes = (struct pbft_bytes){NULL, 0};
}

/* RocksDB looks up so many at once (MultiGetContext::MAX_BATCH_SIZE). */
#define LOOKUPS_AT_ONCE 32

/* Tells of one group; every value and error is released. */
static enum pbft_status tell(struct rocks *rocks,
                             rocksdb_pinnableslice_t **values, char **errors,
                             size_t first, size_t count, rocks_told *told,
                             void *visitor)
{
    enum pbft_status first_failure = PBFT_OK;
    for (size_t i = 0; i < count; i++) {
        enum pbft_status status = rocks_status_of(rocks, errors[i], NULL);
        struct pbft_bytes value = {NULL, 0};
        if (status == PBFT_OK && values[i] != NULL) {
            value.data = (const uint8_t *)rocksdb_pinnableslice_value(
                values[i], &value.size);
        }
        if (status == PBFT_OK) {
            told(visitor, first + i,
                 values[i] != NULL ? PBFT_OK : PBFT_NOT_FOUND, value);
        } else if (first_failure == PBFT_OK) {
            first_failure = status;
        }
        if (values[i] != NULL) {
            rocksdb_pinnableslice_destroy(values[i]);
        }
    }
    return first_failure;
}

enum pbft_status rocks_get_many(struct rocks *rocks,
                                const struct rocks_snapshot *snapshot,
                                enum rocks_family family,
                                const struct pbft_bytes *keys, size_t count,
                                rocks_told *told, void *visitor)
{
    const rocksdb_readoptions_t *read =
        snapshot != NULL ? snapshot->read : rocks->read_newest;
    enum pbft_status status = PBFT_OK;
    count_nothing();
    for (size_t at = 0; status == PBFT_OK && at < count;) {
        const char *names[LOOKUPS_AT_ONCE];
        size_t sizes[LOOKUPS_AT_ONCE];
        rocksdb_pinnableslice_t *values[LOOKUPS_AT_ONCE];
        char *errors[LOOKUPS_AT_ONCE];
        size_t some =
            count - at < LOOKUPS_AT_ONCE ? count - at : LOOKUPS_AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            names[i] = chars(keys[at + i]);
            sizes[i] = keys[at + i].size;
        }
        rocksdb_batched_multi_get_cf(rocks->db, read, rocks->families[family],
                                     some, names, sizes, values, errors, true);
        status = tell(rocks, values, errors, at, some, told, visitor);
        at += some;
    }
    return status;
}

struct rocks_iterator *rocks_iterate(struct rocks *rocks,
                                     const struct rocks_snapshot *snapshot,
                                     enum rocks_family family,
                                     struct pbft_bytes first,
                                     struct pbft_bytes end)
{
    struct rocks_iterator *iterator = allocate(sizeof *iterator);
    iterator->rocks = rocks;
    iterator->read = rocksdb_readoptions_create();
    if (snapshot != NULL) {
        rocksdb_readoptions_set_snapshot(iterator->read, snapshot->snapshot);
    }
    if (end.size != 0) {
        rocksdb_readoptions_set_iterate_upper_bound(iterator->read, chars(end),
                                                    end.size);
    }
    iterator->iterator = rocksdb_create_iterator_cf(rocks->db, iterator->read,
                                                    rocks->families[family]);
    rocksdb_iter_seek(iterator->iterator, chars(first), first.size);
    return iterator;
}

void rocks_iterator_seek_back(struct rocks_iterator *iterator,
                              struct pbft_bytes from)
{
    if (from.size == 0) {
        rocksdb_iter_seek_to_last(iterator->iterator);
    } else {
        rocksdb_iter_seek_for_prev(iterator->iterator, chars(from), from.size);
    }
}

void rocks_iterator_previous(struct rocks_iterator *iterator)
{
    rocksdb_iter_prev(iterator->iterator);
}

void rocks_iterator_destroy(struct rocks_iterator *iterator)
{
    if (iterator == NULL) {
        return;
    }
    rocksdb_iter_destroy(iterator->iterator);
    rocksdb_readoptions_destroy(iterator->read);
    free(iterator);
}

bool rocks_iterator_valid(const struct rocks_iterator *iterator)
{
    return rocksdb_iter_valid(iterator->iterator) != 0;
}

void rocks_iterator_next(struct rocks_iterator *iterator)
{
    rocksdb_iter_next(iterator->iterator);
}

struct pbft_bytes rocks_iterator_key(const struct rocks_iterator *iterator)
{
    struct pbft_bytes bytes;
    bytes.data =
        (const uint8_t *)rocksdb_iter_key(iterator->iterator, &bytes.size);
    return bytes;
}

struct pbft_bytes rocks_iterator_value(const struct rocks_iterator *iterator)
{
    struct pbft_bytes bytes;
    bytes.data =
        (const uint8_t *)rocksdb_iter_value(iterator->iterator, &bytes.size);
    return bytes;
}

enum pbft_status rocks_iterator_status(const struct rocks_iterator *iterator,
                                       struct salus_reason *reason)
{
    char *error = NULL;
    rocksdb_iter_get_error(iterator->iterator, &error);
    return rocks_status_of(iterator->rocks, error, reason);
}
