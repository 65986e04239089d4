/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle trees in the shape of RFC 6962, over BLAKE2b-256.
 *
 *   leaf  = H(0x00 | data)        node = H(0x01 | left | right)
 *   empty = H("")
 *
 * A tree of n > 1 leaves splits at the largest power of two below n, so an odd
 * leaf is never doubled and a tree is determined by (n, leaves). The root of a
 * block's results, and the ledger root over all blocks, are such trees.
 *
 * Deterministic, no allocation, no recursion. "Leaf" below is a leaf's digest
 * from merkle_leaf(), never raw data.
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "consensus/status.h"
#include "consensus/types.h"

#define MERKLE_LEVELS_MAX 64 /* Levels of a tree with 2^64 - 1 leaves. */
#define MERKLE_PATH_MAX 64
/* A consistency proof has one node more than a path. */
#define MERKLE_CONSISTENCY_MAX 65

void merkle_leaf(struct pbft_digest *out, struct pbft_bytes data);
void merkle_leaf_parts(struct pbft_digest *out, const struct pbft_bytes *parts,
                       size_t part_count); /* part_count <= 15. */
void merkle_node(struct pbft_digest *out, const struct pbft_digest *left,
                 const struct pbft_digest *right);

/* ---- the accumulator: the roots of the full subtrees ("peaks") ---------- */

/* Peak k, the root of 2^k leaves, is in use if bit k of `count` is set. */
struct merkle_accumulator {
    uint64_t count;
    struct pbft_digest peaks[MERKLE_LEVELS_MAX];
};

void merkle_accumulator_init(struct merkle_accumulator *accumulator);
/* Amortised one node a leaf. Asserts that count < 2^64 - 1. */
void merkle_accumulator_append(struct merkle_accumulator *accumulator,
                               const struct pbft_digest *leaf);
/* The root of the tree of all leaves so far. */
void merkle_accumulator_root(const struct merkle_accumulator *accumulator,
                             struct pbft_digest *out);

/* count u64 big-endian, then the peaks in use, lowest first, 32 bytes each. */
#define MERKLE_ACCUMULATOR_BYTES_MAX (8 + 32 * MERKLE_LEVELS_MAX)
/* Returns the size written. */
size_t merkle_accumulator_encode(const struct merkle_accumulator *accumulator,
                                 uint8_t out[MERKLE_ACCUMULATOR_BYTES_MAX]);
PBFT_MUST_USE enum pbft_status
merkle_accumulator_decode(struct merkle_accumulator *out,
                          struct pbft_bytes bytes);

/* ---- whole trees -------------------------------------------------------- */

void merkle_root(struct pbft_digest *out, const struct pbft_digest *leaves,
                 size_t count);

/* A tree with all its nodes, for many paths: `nodes` holds the levels one after
 * the other, leaves first; MERKLE_TREE_NODES(count) are enough. */
#define MERKLE_TREE_NODES(count) (2 * (size_t)(count) + MERKLE_LEVELS_MAX)

struct merkle_tree {
    const struct pbft_digest *nodes;
    size_t count;
};

/* The first `count` nodes are the leaves, put there by the caller, who owns the
 * array; the others are computed. */
void merkle_tree_build(struct merkle_tree *tree, struct pbft_digest *nodes,
                       size_t count);
void merkle_tree_root(const struct merkle_tree *tree, struct pbft_digest *out);
/* The siblings of leaf `index`, leaf upwards; asserts index < count. */
void merkle_tree_path(const struct merkle_tree *tree,
                      struct pbft_digest path[MERKLE_PATH_MAX],
                      size_t *path_count, size_t index);

/* Where proofs take their nodes from: the root of the full subtree of 2^level
 * leaves that begins at leaf index * 2^level. Storage may keep such nodes; an
 * array of leaves can always compute them. */
struct merkle_source {
    const void *context;
    PBFT_MUST_USE enum pbft_status (*node)(const void *context, unsigned level,
                                           uint64_t index,
                                           struct pbft_digest *out);
};

/* The array is borrowed as long as the source is used. */
struct merkle_leaves {
    const struct pbft_digest *leaves;
    size_t count;
};
struct merkle_source merkle_source_of(const struct merkle_leaves *leaves);

/* The siblings of leaf `index` of `count`, leaf upwards. INVALID_ARGUMENT if
 * index >= count; else what the source returns. */
PBFT_MUST_USE enum pbft_status
merkle_path(struct pbft_digest path[MERKLE_PATH_MAX], size_t *path_count,
            const struct merkle_source *source, uint64_t index, uint64_t count);
/* The same for an array; asserts index < count. */
void merkle_path_of(struct pbft_digest path[MERKLE_PATH_MAX],
                    size_t *path_count, const struct pbft_digest *leaves,
                    size_t index, size_t count);

/* The root that the path leads to; MALFORMED if its length does not fit index
 * and count. Safe on any input. */
PBFT_MUST_USE enum pbft_status merkle_path_root(struct pbft_digest *out,
                                                const struct pbft_digest *leaf,
                                                uint64_t index, uint64_t count,
                                                const struct pbft_digest *path,
                                                size_t path_count);
/* OK; MALFORMED; BAD_DIGEST if it leads to another root. */
PBFT_MUST_USE enum pbft_status merkle_verify(const struct pbft_digest *root,
                                             const struct pbft_digest *leaf,
                                             uint64_t index, uint64_t count,
                                             const struct pbft_digest *path,
                                             size_t path_count);

/* ---- consistency: the first `old_count` leaves were not changed --------- */

/* RFC 9162 2.1.4. 0 < old_count <= count, else INVALID_ARGUMENT. */
PBFT_MUST_USE enum pbft_status
merkle_consistency(struct pbft_digest proof[MERKLE_CONSISTENCY_MAX],
                   size_t *proof_count, const struct merkle_source *source,
                   uint64_t old_count, uint64_t count);
PBFT_MUST_USE enum pbft_status
merkle_verify_consistency(const struct pbft_digest *old_root,
                          uint64_t old_count, const struct pbft_digest *root,
                          uint64_t count, const struct pbft_digest *proof,
                          size_t proof_count);

#endif /* CRYPTO_MERKLE_H */
