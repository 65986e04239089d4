/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the database: options, column families, error texts. */
#include "storage/rocks_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define MIB ((size_t)1024 * 1024)
#define WRITE_BUFFER_BYTES_DEFAULT (128 * MIB)
#define CACHE_BYTES_DEFAULT (32 * MIB)
/* A log may outgrow the memtables that pin it; then RocksDB flushes them. */
#define WAL_BYTES_MAX (128 * MIB)
#define INFO_LOG_BYTES_MAX (4 * MIB)
#define INFO_LOG_FILES_MAX 4
#define OPEN_FILES_MAX 256
/* Ask the kernel to write gently instead of in one burst. */
#define BYTES_PER_SYNC MIB
#define BACKGROUND_JOBS 2
#define FILTER_BITS_PER_KEY 10.0
/* Share of a memtable for a filter: the ledger asks mostly for ids that do not
 * exist yet, and need not walk the memtable for them. */
#define MEMTABLE_FILTER_SHARE 0.05
/* Of the first level. Random keys touch every file of the next level: the more
 * files go down at once, the less often those are written again. */
#define FILES_BEFORE_COMPACTION 12
/* Of the level below: as much as comes down at once from the family with the
 * largest files. */
#define FIRST_LEVEL_BYTES (FILES_BEFORE_COMPACTION * 24 * MIB)
/* Memtables beyond those that are being written to a file. */
#define MEMTABLES_SPARE 2
#define BLOCK_BYTES (16 * 1024)
#define TABLE_FORMAT 5

/* kTolerateCorruptedTailRecords. The default mode opens a damaged log with
 * half of its synced records and no error: a replica would forget votes. */
#define RECOVERY_TOLERATE_TORN_TAIL 0
/* Only what each open writes. On a full disk RocksDB 7.8 writes warnings to the
 * info log from a thread of its own, and an assertion in its file writer ends
 * the process at the second one. What fails is told by the status of a write.
 */
#define INFO_LOG_FATAL 4

/* Rows in the order of keys find their place in a memtable beside the one
 * before, among keys with the same first byte: their kind. The C API has no
 * call for this one. */
#define INSERT_HINTS "memtable_insert_with_hint_prefix_extractor=fixed:1"

struct family_plan {
    const char *name;
    size_t memtable_bytes;
    int merged_memtables; /* So many go to one file. */
    int compression;
    int bottom_compression; /* Of the last level. */
};

/* All replicas execute the same blocks. With memtables of the same size they
 * would all write files, and merge them, at the same moment, and the consortium
 * as a whole would halt. So there are eight sizes, 32 to 25 parts of 32; those
 * of the first four replicas are two parts apart. */
#define STAGGER_SIZES 8u
#define STAGGER_PARTS 32u

/* `default` is the family that RocksDB demands: it serves as `meta`. Bodies and
 * log records are mostly random commitments and signatures.
 *
 * The ledger's ids are random: a row costs as many comparisons as the memtable
 * has levels, each a miss of the processor's cache if it is large. Small ones
 * are quick to fill; several go to one file, so that files are not small. What
 * is soon written again need not be compressed. */
static const struct family_plan PLANS[ROCKS_FAMILY_COUNT] = {
    [ROCKS_META] = {"default", 1 * MIB, 1, rocksdb_no_compression,
                    rocksdb_no_compression},
    [ROCKS_LOG] = {"log", 8 * MIB, 1, rocksdb_no_compression,
                   rocksdb_no_compression},
    [ROCKS_BODY] = {"body", 16 * MIB, 1, rocksdb_no_compression,
                    rocksdb_no_compression},
    [ROCKS_BLOCK] = {"block", 8 * MIB, 1, rocksdb_lz4_compression,
                     rocksdb_lz4_compression},
    [ROCKS_STATE] = {"state", 2 * MIB, 12, rocksdb_no_compression,
                     rocksdb_lz4_compression},
    [ROCKS_INDEX] = {"index", 2 * MIB, 8, rocksdb_no_compression,
                     rocksdb_lz4_compression},
    [ROCKS_CLIENT] = {"client", 4 * MIB, 1, rocksdb_lz4_compression,
                      rocksdb_lz4_compression},
};

static enum pbft_status classify(const char *error)
{
    if (strstr(error, "No space left on device") != NULL) {
        return PBFT_NO_SPACE;
    }
    if (strncmp(error, "Corruption", strlen("Corruption")) == 0 ||
        strstr(error, "Corruption:") != NULL) {
        return PBFT_CORRUPT;
    }
    if (strstr(error, "Permission denied") != NULL ||
        strstr(error, "Read-only file system") != NULL) {
        return PBFT_PERMISSION;
    }
    if (strstr(error, "lock") != NULL && strstr(error, "LOCK") != NULL) {
        return PBFT_LOCKED;
    }
    return PBFT_IO;
}

enum pbft_status rocks_status_of(struct rocks *rocks, char *error,
                                 struct salus_reason *reason)
{
    if (error == NULL) {
        return PBFT_OK;
    }
    enum pbft_status status = classify(error);
    if (status == PBFT_CORRUPT) {
        atomic_store(&rocks->is_damaged, true);
    }
    if (reason != NULL) {
        (void)snprintf(reason->text, sizeof reason->text, "%s", error);
        for (char *at = reason->text; *at != '\0'; at++) {
            if (*at == '\n' || *at == '\r') {
                *at = ' ';
            }
        }
    }
    rocksdb_free(error);
    return status;
}

static size_t stagger(size_t bytes, pbft_replica_id replica)
{
    const uint32_t size = replica % STAGGER_SIZES;
    const uint32_t parts = size % 4 * 2 + size / 4;
    return bytes - bytes / STAGGER_PARTS * parts;
}

static rocksdb_options_t *database_options(const struct storage_options *wanted,
                                           pbft_replica_id replica)
{
    rocksdb_options_t *options = rocksdb_options_create();
    size_t buffers = wanted->write_buffer_bytes != 0
                         ? wanted->write_buffer_bytes
                         : WRITE_BUFFER_BYTES_DEFAULT;
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_wal_recovery_mode(options, RECOVERY_TOLERATE_TORN_TAIL);
    rocksdb_options_set_db_write_buffer_size(options,
                                             stagger(buffers, replica));
    rocksdb_options_set_max_total_wal_size(options,
                                           stagger(WAL_BYTES_MAX, replica));
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_BYTES_MAX);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES_MAX);
    rocksdb_options_set_info_log_level(options, INFO_LOG_FATAL);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_bytes_per_sync(options, BYTES_PER_SYNC);
    rocksdb_options_set_wal_bytes_per_sync(options, BYTES_PER_SYNC);
    return options;
}

/* Copies with the option that only text can set. */
static rocksdb_options_t *with_insert_hints(rocksdb_options_t *options)
{
    char *error = NULL;
    rocksdb_options_t *hinted = rocksdb_options_create();
    rocksdb_get_options_from_string(options, INSERT_HINTS, hinted, &error);
    PBFT_ASSERT(error == NULL);
    rocksdb_options_destroy(options);
    return hinted;
}

static rocksdb_options_t *family_options(const struct family_plan *plan,
                                         pbft_replica_id replica,
                                         rocksdb_cache_t *cache)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table =
        rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, TABLE_FORMAT);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(
        table, 1);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS_PER_KEY));
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_write_buffer_size(
        options, stagger(plan->memtable_bytes, replica));
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options,
                                                         MEMTABLE_FILTER_SHARE);
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_compression(options, plan->compression);
    rocksdb_options_set_bottommost_compression(options,
                                               plan->bottom_compression);
    rocksdb_options_set_level0_file_num_compaction_trigger(
        options, FILES_BEFORE_COMPACTION);
    rocksdb_options_set_max_bytes_for_level_base(options, FIRST_LEVEL_BYTES);
    rocksdb_options_set_min_write_buffer_number_to_merge(
        options, plan->merged_memtables);
    rocksdb_options_set_max_write_buffer_number(
        options, 2 * plan->merged_memtables + MEMTABLES_SPARE);
    return with_insert_hints(options);
}

static void prepare_options(struct rocks *rocks, pbft_replica_id replica,
                            const struct storage_options *wanted)
{
    rocks->cache = rocksdb_cache_create_lru(
        wanted->cache_bytes != 0 ? wanted->cache_bytes : CACHE_BYTES_DEFAULT);
    rocks->db_options = database_options(wanted, replica);
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        rocks->family_options[i] =
            family_options(&PLANS[i], replica, rocks->cache);
    }
    rocks->write_plain = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_memtable_insert_hint_per_batch(rocks->write_plain,
                                                            1);
    rocks->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write_synced,
                                  wanted->sync == STORAGE_SYNCED);
    rocks->read_newest = rocksdb_readoptions_create();
}

enum pbft_status rocks_open(const char *dir, pbft_replica_id replica,
                            const struct storage_options *options,
                            struct rocks **out, struct salus_reason *reason)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (rocks == NULL) {
        return PBFT_NO_MEMORY;
    }
    prepare_options(rocks, replica, options);
    const char *names[ROCKS_FAMILY_COUNT];
    const rocksdb_options_t *families[ROCKS_FAMILY_COUNT];
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        names[i] = PLANS[i].name;
        families[i] = rocks->family_options[i];
    }
    char *error = NULL;
    rocks->db =
        rocksdb_open_column_families(rocks->db_options, dir, ROCKS_FAMILY_COUNT,
                                     names, families, rocks->families, &error);
    enum pbft_status status = rocks_status_of(rocks, error, reason);
    if (status != PBFT_OK) {
        rocks->db = NULL;
        rocks_close(rocks);
        return status;
    }
    *out = rocks;
    return PBFT_OK;
}

enum pbft_status rocks_empty_family(struct rocks *rocks,
                                    enum rocks_family family)
{
    char *error = NULL;
    PBFT_ASSERT(family != ROCKS_META); /* RocksDB keeps its default family. */
    rocksdb_drop_column_family(rocks->db, rocks->families[family], &error);
    enum pbft_status status = rocks_status_of(rocks, error, NULL);
    if (status != PBFT_OK) {
        return status;
    }
    rocksdb_column_family_handle_destroy(rocks->families[family]);
    error = NULL;
    rocks->families[family] = rocksdb_create_column_family(
        rocks->db, rocks->family_options[family], PLANS[family].name, &error);
    atomic_store(&rocks->is_damaged, false);
    return rocks_status_of(rocks, error, NULL);
}

bool rocks_is_damaged(const struct rocks *rocks)
{
    return atomic_load(&rocks->is_damaged);
}

void rocks_close(struct rocks *rocks)
{
    if (rocks == NULL) {
        return;
    }
    if (rocks->db != NULL) {
        for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
            if (rocks->families[i] != NULL) {
                rocksdb_column_family_handle_destroy(rocks->families[i]);
            }
        }
        rocksdb_close(rocks->db);
    }
    rocksdb_readoptions_destroy(rocks->read_newest);
    rocksdb_writeoptions_destroy(rocks->write_synced);
    rocksdb_writeoptions_destroy(rocks->write_plain);
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        rocksdb_options_destroy(rocks->family_options[i]);
    }
    rocksdb_options_destroy(rocks->db_options);
    rocksdb_cache_destroy(rocks->cache);
    free(rocks);
}
