/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of leaves that are told by their root and opened one by one. Private
 * to ledger/.
 */
#ifndef LEDGER_BATCH_H
#define LEDGER_BATCH_H

#include "ledger/execution.h"

/* What the transaction says of the tree. */
struct batch_tree {
    const ProtobufCBinaryData *batch;
    const ProtobufCBinaryData *root;
    uint32_t leaf_count;
};
/* The id is new, the root random, the count allowed and padded as policy asks.
 */
enum ledger_code batch_is_sound(const struct execution *x,
                                const struct batch_tree *tree);

/* A leaf, and its way to the root. */
struct batch_opening {
    const ProtobufCBinaryData *batch;
    uint32_t index;
    const ProtobufCBinaryData *path;
    size_t path_count;
};
/* The batch is of that kind and the submitter's. BATCH_STATE. */
enum ledger_code batch_is_ours(const struct execution *x,
                               const ProtobufCBinaryData *id,
                               enum schema_batch_kind kind,
                               struct schema_batch *out);
/* Leaf and path lead to the root, and the leaf is not open. FIELD_FORM,
 * PROOF_INVALID, LEAF_OPENED. */
enum ledger_code batch_proves(const struct execution *x,
                              const struct schema_batch *batch,
                              const struct batch_opening *opening,
                              const struct pbft_digest *leaf);
/* The leaf became the thing `id`. */
void batch_open(struct execution *x, struct schema_batch *batch,
                const struct batch_opening *opening, const uint8_t *id);

/* The leaves of what is opened. */
void batch_record_leaf(struct pbft_digest *out,
                       const Salus__V1__RecordAnchor *record);
void batch_disclosure_leaf(struct pbft_digest *out,
                           const Salus__V1__DisclosureOpen *in);

#endif /* LEDGER_BATCH_H */
