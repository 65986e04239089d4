/* SPDX-License-Identifier: Apache-2.0 */
/* The handle that the files of storage/ share, and the layout of the keys. */
#ifndef STORAGE_STORAGE_PRIVATE_H
#define STORAGE_STORAGE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "consensus/message.h"
#include "proto/buffer.h"
#include "storage/rocks.h"
#include "storage/storage.h"

/* Entries of `meta` that storage/ itself keeps. */
#define META_IDENTITY "identity"
#define META_APPLIED "applied"     /* Attestation of the last block. */
#define META_LOG_FIRST "log.first" /* Number of the oldest log record. */
#define META_LOG_LOST "log.lost"   /* There until a new log has a record. */
#define META_INCARNATIONS "incarnations" /* After the last block. */
#define META_CLEAN "clean" /* There if the last close was orderly. */

#define LOG_KEY_SIZE 8
#define BODY_KEY_SIZE (8 + PBFT_DIGEST_SIZE) /* seq, batch digest */
#define BLOCK_KEY_SIZE 9                     /* seq, part */

/* The parts of a block. */
enum block_part {
    BLOCK_COMMITTED = 'c',   /* Certificate without body. */
    BLOCK_ATTESTATION = 'e', /* What its execution came to. */
    BLOCK_PROOF = 'p',       /* f + 1 attestations. */
    BLOCK_RESULTS = 'r',
};

/* seq, time, three digests. */
#define ATTESTATION_SIZE (8 + 8 + 3 * PBFT_DIGEST_SIZE)

/* Bodies that were written last, a place for each seq (modulo); 40 KiB. The
 * usual windows are smaller; of one that is not the database is asked. */
#define KNOWN_BODIES 1024u

struct storage {
    struct rocks *rocks;
    char *dir;
    const struct pbft_domain *domain;
    pbft_replica_id self;
    bool was_clean;
    char set_aside[STORAGE_PATH_MAX]; /* Where a damaged folder went, or "". */
    struct salus_reason damage;       /* What was wrong with it. */

    /* The log: for the thread that appends. */
    bool log_ready;   /* It was replayed and may be trusted. */
    bool is_log_lost; /* META_LOG_LOST is there. */
    uint64_t log_first;
    uint64_t log_next;
    struct rocks_batch *log_batch;
    struct wire_buffer log_buffer;
    atomic_uint_least64_t log_records;

    /* Blocks: for the thread that executes. */
    struct rocks_batch *block_batch;
    struct wire_buffer block_buffer;

    pthread_mutex_t known_lock; /* Guards `known_bodies`. */
    uint8_t known_bodies[KNOWN_BODIES][BODY_KEY_SIZE]; /* Zeros: none. */

    pthread_mutex_t applied_lock; /* Guards `applied`. */
    struct pbft_attestation applied;

    pthread_mutex_t failure_lock; /* Guards `failure` and its reason. */
    enum pbft_status failure;
    struct salus_reason failure_reason;

    bool is_synced; /* Not with STORAGE_UNSAFE_NO_SYNC. */
    atomic_uint_least64_t syncs;
    atomic_uint_least64_t writes;
};

/* folder.c: what a failed system call says of the environment. */
enum pbft_status storage_status_of_errno(int error);
/* folder.c: makes `dir`, or sees that it is a folder which others may not
 * enter; an empty one is closed. */
PBFT_MUST_USE enum pbft_status
storage_folder_prepare(const char *dir, struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
storage_folder_check_space(const char *dir,
                           const struct storage_options *options,
                           struct salus_reason *reason);
uint64_t storage_folder_bytes(const char *dir);
/* Left on its file system. */
uint64_t storage_folder_free_bytes(const char *dir);

/* aside.c: renames `dir`, whose damage `reason` describes. */
PBFT_MUST_USE enum pbft_status
storage_folder_set_aside(const char *dir, char out[STORAGE_PATH_MAX],
                         struct salus_reason *reason);

/* aside.c: was `dir` condemned (storage.h)? Then `reason` is what was noted. */
bool storage_is_condemned(const char *dir, struct salus_reason *reason);

/* aside.c: nothing is wrong with the envelopes of a folder that was set aside:
 * they come into `dir`, which has none. Of an earlier life, too, that ended
 * between the one and the other. */
PBFT_MUST_USE enum pbft_status storage_take_back(const char *dir,
                                                 struct salus_reason *reason);

/* Writes the identity into a new database, compares it in an old one. With
 * `expects_data` a new one has lost what it held. */
PBFT_MUST_USE enum pbft_status
storage_settle_identity(struct storage *storage,
                        const struct storage_identity *identity,
                        bool expects_data, struct salus_reason *reason);

/* Writes the batch unless an earlier write failed; remembers the failure. */
PBFT_MUST_USE enum pbft_status storage_write(struct storage *storage,
                                             struct rocks_batch *batch,
                                             enum rocks_sync sync);

struct storage_state;

/* The batch that gathers the writes of a block. */
struct rocks_batch *storage_state_batch(struct storage_state *state);

void storage_log_key(uint8_t out[LOG_KEY_SIZE], uint64_t number);
void storage_body_key(uint8_t out[BODY_KEY_SIZE], pbft_seq seq,
                      const struct pbft_digest *digest);
void storage_block_key(uint8_t out[BLOCK_KEY_SIZE], pbft_seq seq,
                       enum block_part part);
struct pbft_bytes storage_name_key(const char *name);

void storage_attestation_encode(uint8_t out[ATTESTATION_SIZE],
                                const struct pbft_attestation *attestation);
PBFT_MUST_USE enum pbft_status
storage_attestation_decode(struct pbft_bytes bytes,
                           struct pbft_attestation *out);

/* log_replay.c: the number that the log must begin with: 1, or where the last
 * truncation put it. CORRUPT: that is unreadable. */
PBFT_MUST_USE enum pbft_status
storage_log_expected_first(const struct storage *storage, uint64_t *out);

/* That a body is in the database, or not any more: whoever puts it again need
 * not look, which would copy the whole body to see that it is there. */
void storage_body_know(struct storage *storage, pbft_seq seq,
                       const struct pbft_digest *digest);
void storage_body_forget(struct storage *storage, pbft_seq seq,
                         const struct pbft_digest *digest);
/* Puts the body into the batch unless the database has it. */
PBFT_MUST_USE enum pbft_status
storage_body_put(struct storage *storage, struct rocks_batch *batch,
                 struct wire_buffer *buffer, pbft_seq seq,
                 const struct pbft_message *body);

/* Puts the proof of block `seq` into the batch. */
PBFT_MUST_USE enum pbft_status
storage_proof_put(struct rocks_batch *batch, struct wire_buffer *buffer,
                  pbft_seq seq, const struct pbft_message *proof);
#endif /* STORAGE_STORAGE_PRIVATE_H */
