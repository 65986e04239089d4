/* SPDX-License-Identifier: Apache-2.0 */
/* The executed blocks: who ordered them, what came of them, what proves them.
 *
 * Executing a block is one atomic write: ledger state, results, certificate and
 * the applied seq appear together or not at all. It is not synced by itself:
 * the write-ahead log of RocksDB is one sequence, so the next synced append of
 * the consensus log makes it durable too, and until then it can be executed
 * again from the log (docs/storage.md).
 */
#ifndef STORAGE_BLOCK_H
#define STORAGE_BLOCK_H

#include "consensus/incarnation.h"
#include "consensus/message.h"
#include "storage/storage.h"

/* Encoded results of one block: a few dozen bytes per transaction. */
#define STORAGE_RESULTS_BYTES_MAX (64u * 1024u * 1024u)

struct storage_state; /* With the writes of the ledger; storage/state.h. */

struct storage_block {
    const struct pbft_message *committed; /* COMMITTED, with its body. */
    struct pbft_attestation executed;
    struct pbft_bytes results; /* Opaque here; ledger/results.h. */
    /* The table after it, encoded; empty: as before. */
    struct pbft_bytes incarnations;
};

/* Stores block `executed.seq`, which must follow the last one, with the writes
 * that `state` gathered (may be NULL: none). For the thread that executes. */
PBFT_MUST_USE enum pbft_status
storage_block_write(struct storage *storage, const struct storage_block *block,
                    struct storage_state *state);

/* The last executed block; seq 0 and zeros if there is none yet. Safe from any
 * thread. */
void storage_applied(const struct storage *storage,
                     struct pbft_attestation *out);

/* The last table of incarnations that was stored with a block, which must be of
 * `replica_count` replicas; zeros if there is none. */
PBFT_MUST_USE enum pbft_status
storage_incarnations(const struct storage *storage, uint32_t replica_count,
                     struct pbft_incarnations *out);

/* Reads, safe from any thread. PBFT_NOT_FOUND: there is no such block (or no
 * proof of it yet; storage/log.h writes it). PBFT_CORRUPT: it is damaged. The
 * caller gets a reference to each message. */
PBFT_MUST_USE enum pbft_status
storage_block_read(const struct storage *storage, pbft_seq seq,
                   const struct pbft_message **committed);
PBFT_MUST_USE enum pbft_status
storage_proof_read(const struct storage *storage, pbft_seq seq,
                   const struct pbft_message **proof);
/* PBFT_OK: there is a proof. */
PBFT_MUST_USE enum pbft_status
storage_proof_exists(const struct storage *storage, pbft_seq seq);
/* What the execution of block `seq` came to. */
PBFT_MUST_USE enum pbft_status
storage_executed_read(const struct storage *storage, pbft_seq seq,
                      struct pbft_attestation *out);
/* `*data` is from malloc; the caller frees it. */
PBFT_MUST_USE enum pbft_status
storage_results_read(const struct storage *storage, pbft_seq seq,
                     uint8_t **data, size_t *size);

#endif /* STORAGE_BLOCK_H */
