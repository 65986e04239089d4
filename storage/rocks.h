/* SPDX-License-Identifier: Apache-2.0 */
/* RocksDB behind the calls that storage/ needs, with statuses for its errors.
 *
 * Private to storage/ and its tests. Out of memory aborts (RocksDB throws).
 */
#ifndef STORAGE_ROCKS_H
#define STORAGE_ROCKS_H

#include "storage/storage.h"

/* The column families of docs/storage.md. */
enum rocks_family {
    ROCKS_META,
    ROCKS_LOG,
    ROCKS_BODY,
    ROCKS_BLOCK,
    ROCKS_STATE,
    ROCKS_INDEX,
    ROCKS_CLIENT,
    ROCKS_THINGS,
    ROCKS_DUE,
    ROCKS_FAMILY_COUNT
};

enum rocks_sync { ROCKS_NO_SYNC, ROCKS_SYNC };

struct rocks;
struct rocks_batch;
struct rocks_iterator;
struct rocks_snapshot;

/* `replica`: whose database it is. Replicas write the same rows at the same
 * time; memtables that differ a little in size are full at different times. */
PBFT_MUST_USE enum pbft_status rocks_open(const char *dir,
                                          pbft_replica_id replica,
                                          const struct storage_options *options,
                                          struct rocks **out,
                                          struct salus_reason *reason);
void rocks_close(struct rocks *rocks);

/* Has the database other families than ours, and the entry `key` in `default`
 * (or nobody can tell)? One without it is of no version: its creation was cut
 * short. False also if there is no database, or its families cannot be read. */
bool rocks_has_other_families(const char *dir, struct pbft_bytes key);

/* Makes room in the cache for the filters of `state`, beside what it has for
 * the rest. Without that they would be read anew for each block. */
void rocks_fit_cache(struct rocks *rocks, uint64_t most);
/* The room: `base` bytes, and two for each row as long as the whole is not
 * above `most`. */
uint64_t rocks_cache_wanted(uint64_t base, uint64_t rows, uint64_t most);
/* What the largest merge of runs may write before it deletes what it read. */
uint64_t rocks_merge_bytes(struct rocks *rocks);

/* A read or a write has met bytes that are not those that were written. */
bool rocks_is_damaged(const struct rocks *rocks);

/* Drops all files of the family, readable or not: what was damaged is gone. For
 * a time when nobody else uses the database. */
PBFT_MUST_USE enum pbft_status rocks_empty_family(struct rocks *rocks,
                                                  enum rocks_family family);

struct rocks_batch *rocks_batch_create(struct rocks *rocks);
void rocks_batch_destroy(struct rocks_batch *batch);
void rocks_batch_clear(struct rocks_batch *batch);
bool rocks_batch_is_empty(const struct rocks_batch *batch);
void rocks_batch_put(struct rocks_batch *batch, enum rocks_family family,
                     struct pbft_bytes key, struct pbft_bytes value);
/* The value is `head` followed by `tail`. */
void rocks_batch_put_parts(struct rocks_batch *batch, enum rocks_family family,
                           struct pbft_bytes key, struct pbft_bytes head,
                           struct pbft_bytes tail);
void rocks_batch_delete(struct rocks_batch *batch, enum rocks_family family,
                        struct pbft_bytes key);

/* Atomic over all families. */
PBFT_MUST_USE enum pbft_status rocks_write(struct rocks *rocks,
                                           struct rocks_batch *batch,
                                           enum rocks_sync sync,
                                           struct salus_reason *reason);
struct rocks_snapshot *rocks_snapshot_create(struct rocks *rocks);
void rocks_snapshot_destroy(struct rocks_snapshot *snapshot);

/* A value that was read; its bytes live until it is released. */
struct rocks_value {
    struct pbft_bytes bytes;
    void *pin;
};
/* PBFT_NOT_FOUND, PBFT_CORRUPT, PBFT_IO. `snapshot` may be NULL: the newest. */
PBFT_MUST_USE enum pbft_status rocks_get(struct rocks *rocks,
                                         const struct rocks_snapshot *snapshot,
                                         enum rocks_family family,
                                         struct pbft_bytes key,
                                         struct rocks_value *out);
void rocks_value_release(struct rocks_value *value);

/* Told of the key at `index`: PBFT_OK and its value for the call, or PBFT_
 * NOT_FOUND. */
typedef void rocks_told(void *visitor, size_t index, enum pbft_status status,
                        struct pbft_bytes value);
/* As many gets, in less time. The keys are ascending. After a failure some keys
 * were not told of. */
PBFT_MUST_USE enum pbft_status
rocks_get_many(struct rocks *rocks, const struct rocks_snapshot *snapshot,
               enum rocks_family family, const struct pbft_bytes *keys,
               size_t count, rocks_told *told, void *visitor);

/* Walks the keys from `first` (included) to `end` (excluded; empty: no end).
 * `end` must live as long as the iterator. */
struct rocks_iterator *rocks_iterate(struct rocks *rocks,
                                     const struct rocks_snapshot *snapshot,
                                     enum rocks_family family,
                                     struct pbft_bytes first,
                                     struct pbft_bytes end);
/* To the last key that is not above `from` (empty: to the last of the range).
 */
void rocks_iterator_seek_back(struct rocks_iterator *iterator,
                              struct pbft_bytes from);
void rocks_iterator_previous(struct rocks_iterator *iterator);
void rocks_iterator_destroy(struct rocks_iterator *iterator);
bool rocks_iterator_valid(const struct rocks_iterator *iterator);
void rocks_iterator_next(struct rocks_iterator *iterator);
struct pbft_bytes rocks_iterator_key(const struct rocks_iterator *iterator);
struct pbft_bytes rocks_iterator_value(const struct rocks_iterator *iterator);
/* Why it ended: PBFT_OK at the end of the range. */
PBFT_MUST_USE enum pbft_status
rocks_iterator_status(const struct rocks_iterator *iterator,
                      struct salus_reason *reason);

#endif /* STORAGE_ROCKS_H */
