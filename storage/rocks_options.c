/* SPDX-License-Identifier: Apache-2.0 */
/* What RocksDB is told about the database and each family; docs/storage.md says
 * why. */
#include <sys/resource.h>

#include "consensus/assert.h"
#include "storage/direct.h"
#include "storage/rocks_private.h"

#define MIB ((size_t)1024 * 1024)
#define WRITE_BUFFER_BYTES_DEFAULT (128 * MIB)
#define CACHE_BYTES_DEFAULT (32 * MIB)
/* By itself RocksDB would make 64 shards, each smaller than the filter of a
 * large file: such a filter would be read anew for each key. */
#define CACHE_SHARD_BITS 1
/* A log may outgrow the memtables that pin it; then RocksDB flushes them. This
 * is what is written until the memtables of `state` are full. */
#define WAL_BYTES_MAX (288 * MIB)
#define INFO_LOG_BYTES_MAX (4 * MIB)
#define INFO_LOG_FILES_MAX 4
/* And no more than a fourth of what the process may open: peers and clients
 * need theirs, and a file that cannot be opened ends the replica. */
#define OPEN_FILES_MAX 1024
#define OPEN_FILES_SHARE 4
/* Ask the kernel to write gently instead of in one burst. */
#define BYTES_PER_SYNC MIB
#define BACKGROUND_JOBS 3 /* A flush, a merge, under pressure one more. */
#define MERGE_READS_BYTES (2 * MIB)
/* Share of a memtable for a filter: the ledger asks mostly for ids that do not
 * exist yet, and need not walk the memtable for them. */
#define MEMTABLE_FILTER_SHARE 0.05
/* RocksDB takes no writes, of no family, when one has too many runs or files of
 * the first level. While a large merge is under way, more of them are the
 * lesser evil: each costs a look-up one more filter. */
#define RUNS_BEFORE_SLOWER_WRITES 100
#define RUNS_BEFORE_NO_WRITES 200
/* Memtables beyond those that are being written to a file. */
#define MEMTABLES_SPARE 2
#define BLOCK_BYTES (16 * 1024)
#define PART_BYTES (4 * 1024) /* Of an index or a filter. */
#define TABLE_FORMAT 5

/* kTolerateCorruptedTailRecords. The default mode opens a damaged log with
 * half of its synced records and no error: a replica would forget votes. */
#define RECOVERY_TOLERATE_TORN_TAIL 0
/* Only what each open writes. On a full disk RocksDB 7.8 writes warnings to the
 * info log from a thread of its own, and an assertion in its file writer ends
 * the process at the second one. What fails is told by the status of a write.
 */
#define INFO_LOG_FATAL 4

/* ---- what only text can set ---------------------------------------------- */

/* Rows in the order of keys find their place in a memtable beside the one
 * before, among keys with the same first byte: their kind. */
#define INSERT_HINTS "memtable_insert_with_hint_prefix_extractor=fixed:1"
/* A run is one file or several, in the order of keys. At least four of like
 * size (none larger by a fifth than all newer ones together) are merged to one:
 * a row is written again when there are several times as many, and not ten
 * times on each level. If none of those that are picked overlap they are moved,
 * not written. By itself RocksDB would merge all of them every 30 days. */
#define MERGE_RUNS                                                             \
    "compaction_options_universal={size_ratio=20;min_merge_width=4;"           \
    "max_size_amplification_percent=1000000;allow_trivial_move=true};ttl=0;"   \
    "periodic_compaction_seconds=0"

/* ---- families ------------------------------------------------------------ */

#define IN_LEVELS 0 /* As RocksDB does by itself. */

struct family_plan {
    const char *name;
    size_t memtable_bytes;
    int merged_memtables; /* So many go to one file. */
    int runs;             /* So many are left alone; or IN_LEVELS. */
    double filter_bits;   /* Per key; 0: no filter. */
    /* Index and filter of a file are read in parts: slower, but nothing need
     * stay in the cache. */
    bool in_parts;
    int compression;
    int bottom_compression; /* Of the last level. */
};

/* `default` is the family that RocksDB demands: it serves as `meta`. Bodies,
 * log records, blocks and things are mostly random commitments and signatures,
 * which do not compress. `things` grows in the order of its keys: its files
 * need no filter to be told apart. `body` and `block` nearly do; but a body
 * that was refused is deleted later, and proofs are written behind the next
 * blocks: a merge in runs would then take all of them at once.
 *
 * The ledger's ids are random: a row costs as many comparisons as the memtable
 * has levels, each a miss of the processor's cache if it is large. Small ones
 * are quick to fill; several go to one file, so that files are not small. What
 * is soon written again need not be compressed. Each new id is asked of every
 * run of `state`: with 10 bits of filter for a key one answer in 100 is wrong,
 * and a block is read for nothing; with 16 one in 2,000. Those filters are kept
 * whole: rocks_fit_cache(). */
static const struct family_plan PLANS[ROCKS_FAMILY_COUNT] = {
    [ROCKS_META] = {"default", 1 * MIB, 1, IN_LEVELS, 10, false,
                    rocksdb_no_compression, rocksdb_no_compression},
    [ROCKS_LOG] = {"log", 8 * MIB, 1, IN_LEVELS, 10, false,
                   rocksdb_no_compression, rocksdb_no_compression},
    [ROCKS_BODY] = {"body", 16 * MIB, 1, IN_LEVELS, 10, false,
                    rocksdb_no_compression, rocksdb_no_compression},
    [ROCKS_BLOCK] = {"block", 8 * MIB, 1, IN_LEVELS, 10, false,
                     rocksdb_no_compression, rocksdb_no_compression},
    [ROCKS_STATE] = {"state", 1 * MIB, 12, 12, ROCKS_STATE_FILTER_BITS, false,
                     rocksdb_no_compression, rocksdb_lz4_compression},
    [ROCKS_INDEX] = {"index", 2 * MIB, 8, 16, 10, true, rocksdb_no_compression,
                     rocksdb_lz4_compression},
    [ROCKS_CLIENT] = {"client", 4 * MIB, 1, IN_LEVELS, 10, false,
                      rocksdb_lz4_compression, rocksdb_lz4_compression},
    [ROCKS_THINGS] = {"things", 8 * MIB, 1, 12, 0, true, rocksdb_no_compression,
                      rocksdb_no_compression},
    [ROCKS_DUE] = {"due", 1 * MIB, 1, IN_LEVELS, 10, false,
                   rocksdb_no_compression, rocksdb_no_compression},
};

const char *rocks_family_name(enum rocks_family family)
{
    return PLANS[family].name;
}

/* All replicas execute the same blocks. With memtables of the same size they
 * would all write files, and merge them, at the same moment, and the consortium
 * as a whole would halt. So there are eight sizes, 32 to 25 parts of 32; those
 * of the first four replicas are two parts apart. */
#define STAGGER_SIZES 8u
#define STAGGER_PARTS 32u

static size_t stagger(size_t bytes, pbft_replica_id replica)
{
    const uint32_t size = replica % STAGGER_SIZES;
    const uint32_t parts = size % 4 * 2 + size / 4;
    return bytes - bytes / STAGGER_PARTS * parts;
}

static int open_files_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur / OPEN_FILES_SHARE < OPEN_FILES_MAX) {
        return (int)(files.rlim_cur / OPEN_FILES_SHARE);
    }
    return OPEN_FILES_MAX;
}

void rocks_prepare_reading(rocksdb_options_t *options)
{
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_wal_recovery_mode(options, RECOVERY_TOLERATE_TORN_TAIL);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_BYTES_MAX);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES_MAX);
    rocksdb_options_set_info_log_level(options, INFO_LOG_FATAL);
}

/* `direct`: what flushes and merges write goes past the cache of the file
 * system. It is not read soon, and ever new pages for it cost more time than
 * its making. */
static rocksdb_options_t *database_options(const struct storage_options *wanted,
                                           pbft_replica_id replica, bool direct)
{
    rocksdb_options_t *options = rocksdb_options_create();
    size_t buffers = wanted->write_buffer_bytes != 0
                         ? wanted->write_buffer_bytes
                         : WRITE_BUFFER_BYTES_DEFAULT;
    rocks_prepare_reading(options);
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_db_write_buffer_size(options,
                                             stagger(buffers, replica));
    rocksdb_options_set_max_total_wal_size(options,
                                           stagger(WAL_BYTES_MAX, replica));
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_max_open_files(options, open_files_max());
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_bytes_per_sync(options, BYTES_PER_SYNC);
    rocksdb_options_set_wal_bytes_per_sync(options, BYTES_PER_SYNC);
    rocksdb_options_compaction_readahead_size(options, MERGE_READS_BYTES);
    rocksdb_options_set_use_direct_io_for_flush_and_compaction(options, direct);
    return options;
}

/* Copies with an option that only text can set. */
static rocksdb_options_t *with_text(rocksdb_options_t *options,
                                    const char *text)
{
    char *error = NULL;
    rocksdb_options_t *changed = rocksdb_options_create();
    rocksdb_get_options_from_string(options, text, changed, &error);
    PBFT_ASSERT(error == NULL);
    rocksdb_options_destroy(options);
    return changed;
}

static rocksdb_options_t *with_runs(rocksdb_options_t *options, int runs)
{
    rocksdb_options_set_compaction_style(options, rocksdb_universal_compaction);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, runs);
    return with_text(options, MERGE_RUNS);
}

static rocksdb_block_based_table_options_t *
table_options(const struct family_plan *plan, rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table =
        rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, TABLE_FORMAT);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    if (plan->in_parts) {
        rocksdb_block_based_options_set_index_type(
            table, rocksdb_block_based_table_index_type_two_level_index_search);
        rocksdb_block_based_options_set_partition_filters(table, 1);
        rocksdb_block_based_options_set_metadata_block_size(table, PART_BYTES);
    }
    if (plan->filter_bits > 0) {
        rocksdb_block_based_options_set_filter_policy(
            table, rocksdb_filterpolicy_create_bloom_full(plan->filter_bits));
    }
    return table;
}

static rocksdb_options_t *family_options(const struct family_plan *plan,
                                         pbft_replica_id replica,
                                         rocksdb_cache_t *cache)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = table_options(plan, cache);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_write_buffer_size(
        options, stagger(plan->memtable_bytes, replica));
    if (plan->filter_bits > 0) {
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(
            options, MEMTABLE_FILTER_SHARE);
        rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    }
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_compression(options, plan->compression);
    rocksdb_options_set_bottommost_compression(options,
                                               plan->bottom_compression);
    rocksdb_options_set_min_write_buffer_number_to_merge(
        options, plan->merged_memtables);
    rocksdb_options_set_max_write_buffer_number(
        options, 2 * plan->merged_memtables + MEMTABLES_SPARE);
    rocksdb_options_set_level0_slowdown_writes_trigger(
        options, RUNS_BEFORE_SLOWER_WRITES);
    rocksdb_options_set_level0_stop_writes_trigger(options,
                                                   RUNS_BEFORE_NO_WRITES);
    if (plan->runs != IN_LEVELS) {
        options = with_runs(options, plan->runs);
    }
    return with_text(options, INSERT_HINTS);
}

static rocksdb_cache_t *create_cache(size_t bytes)
{
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(options, CACHE_SHARD_BITS);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

void rocks_prepare_options(struct rocks *rocks, const char *dir,
                           pbft_replica_id replica,
                           const struct storage_options *wanted)
{
    rocks->cache_bytes =
        wanted->cache_bytes != 0 ? wanted->cache_bytes : CACHE_BYTES_DEFAULT;
    rocks->cache = create_cache(rocks->cache_bytes);
    rocks->db_options =
        database_options(wanted, replica, direct_is_possible(dir));
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
