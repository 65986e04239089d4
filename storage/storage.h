/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder of one replica: one RocksDB database, one identity.
 *
 * storage/log.h keeps the consensus log, storage/block.h the executed blocks,
 * storage/state.h gives ledger/ its kv, this file opens, counts and closes.
 *
 * Threads: one thread may append to and truncate the log, one may write blocks,
 * at the same time, while any number of others read. Open and close are for one
 * thread alone.
 *
 * After the first write that fails every later write fails with the same
 * status: what is on the disk is then not known, so the replica must stop
 * voting and be started again. Reads go on.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "consensus/crypto.h"
#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

/* Name of an entry of `meta`, and its value. */
#define STORAGE_META_NAME_MAX 32
#define STORAGE_META_VALUE_MAX 4096
#define STORAGE_PATH_MAX 1024

/* Less than this on the file system: the database is not opened. Less than the
 * second: whoever watches must stop writing. RocksDB does not survive each
 * failed write (7.8 has assertions on such paths), so the end comes before. */
#define STORAGE_OPEN_FREE_BYTES_MIN ((uint64_t)64 * 1024 * 1024)
#define STORAGE_RUN_FREE_BYTES_MIN ((uint64_t)32 * 1024 * 1024)

struct storage;

/* Whose data these are; written once, compared at each open. */
struct storage_identity {
    struct pbft_digest cluster; /* Digest of the genesis file. */
    pbft_replica_id replica;
};

enum storage_sync_mode {
    STORAGE_SYNCED,        /* The log survives a power cut. */
    STORAGE_UNSAFE_NO_SYNC /* It survives a crash of the process only. */
};

struct storage_options {
    enum storage_sync_mode sync;
    /* Written data that RocksDB holds in memory, all families; and its cache
     * of blocks read. Zero: 128 MiB and 32 MiB. */
    size_t write_buffer_bytes;
    size_t cache_bytes;
    uint64_t open_free_bytes_min; /* 0: STORAGE_OPEN_FREE_BYTES_MIN. */
    /* This replica has used a folder before: an empty one has lost its data, so
     * its log is judged DAMAGED (storage/log.h). */
    bool expects_data;
};

/* Opens or, if `dir` is empty or absent, creates the database. `domain` is
 * kept: messages that are read back compute their digests with it.
 *
 * PBFT_LOCKED: another process uses the folder. PBFT_WRONG_IDENTITY: it belongs
 * to another replica or cluster. A database that RocksDB finds damaged is
 * renamed to DIR.damaged-N and a new one opened, whose log is judged DAMAGED;
 * PBFT_CORRUPT if that cannot be done, or if data are there without an
 * identity. PBFT_CLOSED: it was condemned, the next open sets it aside.
 * PBFT_INVALID_ARGUMENT: no folder, and none that it can be made in.
 * PBFT_PERMISSION: also if others may enter a folder that is not empty.
 * PBFT_NO_SPACE, PBFT_IO: the environment. PBFT_VERSION: written by another
 * format. `reason` (may be NULL) says it in words. */
PBFT_MUST_USE enum pbft_status
storage_open(const char *dir, const struct storage_identity *identity,
             const struct pbft_domain *domain,
             const struct storage_options *options, struct storage **out,
             struct salus_reason *reason);

/* All that was written unsynced is synced first. NULL is fine. */
void storage_close(struct storage *storage);

/* Where a damaged folder was put at open, and what was wrong with it; NULL if
 * it was sound. */
const char *storage_set_aside(const struct storage *storage,
                              struct salus_reason *reason);

/* False after a crash (and for a new folder): unsynced writes, among them a
 * torn last one, may then have been lost. */
bool storage_was_closed_orderly(const struct storage *storage);

/* PBFT_OK, or what the first failed write came to; `reason` may be NULL. */
enum pbft_status storage_failure(const struct storage *storage,
                                 struct salus_reason *reason);

/* RocksDB has read bytes since the open that are not those that were written.
 */
bool storage_is_damaged(const struct storage *storage);

/* For whoever cannot go on since `status`: what RocksDB finds damaged in an
 * open folder it will find at each start. The folder is marked, the next open
 * sets it aside, and this returns PBFT_CLOSED; else `status`. What RocksDB
 * finds sound may be a mistake of this program, the same at all replicas: it is
 * not set aside. `reason` then names the folder. Any thread. */
PBFT_MUST_USE enum pbft_status storage_condemn(const struct storage *storage,
                                               enum pbft_status status,
                                               struct salus_reason *reason);

/* Small things by name: PBFT_NOT_FOUND, PBFT_TOO_LARGE if `capacity` is too
 * small. Puts are synced. */
PBFT_MUST_USE enum pbft_status storage_meta_get(const struct storage *storage,
                                                const char *name, uint8_t *out,
                                                size_t capacity, size_t *size);
PBFT_MUST_USE enum pbft_status storage_meta_put(struct storage *storage,
                                                const char *name,
                                                struct pbft_bytes value);

struct storage_stats {
    uint64_t disk_bytes;      /* Files of the folder. */
    uint64_t disk_free_bytes; /* Left on its file system. */
    uint64_t merge_bytes;     /* So much may a merge of files write first. */
    uint64_t syncs;           /* Synced writes since open. */
    uint64_t writes;          /* All writes since open. */
    uint64_t log_records;     /* Live records of the consensus log. */
};
/* Asks the file system of each file: thousands, in a large folder. */
void storage_stats(const struct storage *storage, struct storage_stats *out);
/* The free bytes alone, which is quick. */
uint64_t storage_free_bytes(const struct storage *storage);

/* What RocksDB keeps in memory of what it reads grows with the ledger, to no
 * more than `most` bytes: to be called now and then. Any thread. */
void storage_fit_cache(struct storage *storage, uint64_t most);

#endif /* STORAGE_STORAGE_H */
