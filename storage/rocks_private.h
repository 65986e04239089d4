/* SPDX-License-Identifier: Apache-2.0 */
/* The handle behind rocks.h, shared by rocks*.c; the only header that speaks of
 * RocksDB, and only those include it. */
#ifndef STORAGE_ROCKS_PRIVATE_H
#define STORAGE_ROCKS_PRIVATE_H

#include "storage/rocks.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

struct rocks {
    rocksdb_t *db;
    rocksdb_options_t *db_options;
    rocksdb_options_t *family_options[ROCKS_FAMILY_COUNT];
    rocksdb_column_family_handle_t *families[ROCKS_FAMILY_COUNT];
    rocksdb_cache_t *cache;
    size_t cache_bytes; /* Without the filters of `state`. */
    rocksdb_writeoptions_t *write_synced;
    rocksdb_writeoptions_t *write_plain;
    rocksdb_readoptions_t *read_newest;
    atomic_bool is_damaged; /* An answer to us was CORRUPT. */
};

/* Bits of filter for a row of `state`. */
#define ROCKS_STATE_FILTER_BITS 16

/* Fills in all options and the cache. For rocks_open(). */
void rocks_prepare_options(struct rocks *rocks, const char *dir,
                           pbft_replica_id replica,
                           const struct storage_options *wanted);
/* What every open needs, one that only reads included. */
void rocks_prepare_reading(rocksdb_options_t *options);
const char *rocks_family_name(enum rocks_family family);

/* Turns an error text of RocksDB (freed here) into a status. */
enum pbft_status rocks_status_of(struct rocks *rocks, char *error,
                                 struct salus_reason *reason);

#endif /* STORAGE_ROCKS_PRIVATE_H */
