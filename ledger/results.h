/* SPDX-License-Identifier: Apache-2.0 */
/* How the results of a block become two roots: shared by the replicas that
 * compute them and the clients that verify them.
 *
 *   transaction leaf  "salus/txres/1"[16]  tx id[32] code u32 writes[32]
 *   request leaf      "salus/reqres/1"[16] request digest[32] code u32
 *                     count u32 root over its transaction leaves[32]
 *   sweep leaf        "salus/sweep/1"[16]  writes[32]: what time did by itself
 *   results root      Merkle root over the request leaves and, if time did
 *                     something, the sweep leaf behind them
 *   block leaf        "salus/block/1"[16]  seq u64 time u64 block digest[32]
 *                     results root[32]
 *   ledger root       Merkle root over the block leaves 1, 2, ... (block s is
 *                     leaf s - 1)
 *
 * Tags are ASCII, zero-padded to 16; integers big-endian. The lines above are
 * the data of the leaves; crypto/merkle.h hashes them. A request without
 * transactions has zeros for their root; a block without requests has the root
 * of the empty tree. docs/api.md has the byte offsets.
 */
#ifndef LEDGER_RESULTS_H
#define LEDGER_RESULTS_H

#include "consensus/status.h"
#include "consensus/types.h"

struct results_transaction {
    struct pbft_digest tx_id;        /* Zeros if it could not be read. */
    uint32_t code;                   /* enum ledger_code. */
    struct pbft_digest write_digest; /* Of all its writes; zeros if refused. */
};

/* Where the first result of a duplicate stands; seq 0: not a duplicate. */
struct results_location {
    pbft_seq seq;
    uint32_t request_index;
};

struct results_request {
    struct pbft_digest digest; /* Of the request. */
    uint32_t code; /* Of the request as a whole; 0: see the transactions. */
    uint32_t transaction_count;
    const struct results_transaction *transactions;
    struct results_location first; /* Not part of the leaf. */
};

struct results_block {
    pbft_seq seq;
    pbft_wall_us time; /* Executed time. */
    struct pbft_digest block_digest;
    uint32_t request_count;
    const struct results_request *requests;
    bool is_swept;                   /* Consents ended, reviews overdue, ... */
    struct pbft_digest sweep_digest; /* Of those writes; zeros if none. */
};

void results_transaction_leaf(struct pbft_digest *out,
                              const struct results_transaction *transaction);
/* Computes the root over its transactions too. */
void results_request_leaf(struct pbft_digest *out,
                          const struct results_request *request);
/* The root over the request leaves. */
void results_root(struct pbft_digest *out, const struct results_block *block);
void results_block_leaf(struct pbft_digest *out,
                        const struct results_block *block,
                        const struct pbft_digest *results_root);

/* ---- as storage keeps them ----------------------------------------------- */

/* Bytes of the encoded form: seq, time, digest, then per request its digest,
 * code, first location, and its transactions. */
size_t results_encoded_size(const struct results_block *block);
/* Writes exactly that many bytes. */
void results_encode(uint8_t *out, const struct results_block *block);
/* `*out` is one allocation; free it with free(). MALFORMED, NO_MEMORY. */
PBFT_MUST_USE enum pbft_status results_decode(struct results_block **out,
                                              struct pbft_bytes bytes);

/* Leaves under the results root: the requests', then that of the sweep. */
uint32_t results_leaf_count(const struct results_block *block);
/* Their digests (from malloc), for merkle_path_of(): what the path of one reply
 * is made from. */
PBFT_MUST_USE enum pbft_status
results_request_leaves(struct pbft_digest **out,
                       const struct results_block *block);

#endif /* LEDGER_RESULTS_H */
