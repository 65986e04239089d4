/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves and roots over the results of a block. */
#include "ledger/results.h"

#include <stdlib.h>

#include "crypto/merkle.h"
#include "ledger/fields.h"

#define TRANSACTION_LEAF_SIZE (FIELD_TAG_SIZE + 32 + 4 + 32)
#define REQUEST_LEAF_SIZE (FIELD_TAG_SIZE + 32 + 4 + 4 + 32)
#define BLOCK_LEAF_SIZE (FIELD_TAG_SIZE + 8 + 8 + 32 + 32)

void results_transaction_leaf(struct pbft_digest *out,
                              const struct results_transaction *transaction)
{
    uint8_t data[TRANSACTION_LEAF_SIZE];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    field_write_tag(&writer, "salus/txres/1");
    field_write(&writer, transaction->tx_id.bytes, PBFT_DIGEST_SIZE);
    field_write_u32(&writer, transaction->code);
    field_write(&writer, transaction->write_digest.bytes, PBFT_DIGEST_SIZE);
    merkle_leaf(out, (struct pbft_bytes){data, writer.size});
}

/* The root over the transactions; zeros if there are none. The accumulator
 * needs no array of leaves. */
static void transactions_root(struct pbft_digest *out,
                              const struct results_request *request)
{
    struct merkle_accumulator accumulator;
    *out = (struct pbft_digest){{0}};
    if (request->transaction_count == 0) {
        return;
    }
    merkle_accumulator_init(&accumulator);
    for (uint32_t i = 0; i < request->transaction_count; i++) {
        struct pbft_digest leaf;
        results_transaction_leaf(&leaf, &request->transactions[i]);
        merkle_accumulator_append(&accumulator, &leaf);
    }
    merkle_accumulator_root(&accumulator, out);
}

void results_request_leaf(struct pbft_digest *out,
                          const struct results_request *request)
{
    uint8_t data[REQUEST_LEAF_SIZE];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    struct pbft_digest root;
    transactions_root(&root, request);
    field_write_tag(&writer, "salus/reqres/1");
    field_write(&writer, request->digest.bytes, PBFT_DIGEST_SIZE);
    field_write_u32(&writer, request->code);
    field_write_u32(&writer, request->transaction_count);
    field_write(&writer, root.bytes, PBFT_DIGEST_SIZE);
    merkle_leaf(out, (struct pbft_bytes){data, writer.size});
}

static void sweep_leaf(struct pbft_digest *out,
                       const struct results_block *block)
{
    uint8_t data[FIELD_TAG_SIZE + PBFT_DIGEST_SIZE];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    field_write_tag(&writer, "salus/sweep/1");
    field_write(&writer, block->sweep_digest.bytes, PBFT_DIGEST_SIZE);
    merkle_leaf(out, (struct pbft_bytes){data, writer.size});
}

uint32_t results_leaf_count(const struct results_block *block)
{
    return block->request_count + block->is_swept;
}

void results_root(struct pbft_digest *out, const struct results_block *block)
{
    struct merkle_accumulator accumulator;
    merkle_accumulator_init(&accumulator);
    for (uint32_t i = 0; i < block->request_count; i++) {
        struct pbft_digest leaf;
        results_request_leaf(&leaf, &block->requests[i]);
        merkle_accumulator_append(&accumulator, &leaf);
    }
    if (block->is_swept) {
        struct pbft_digest leaf;
        sweep_leaf(&leaf, block);
        merkle_accumulator_append(&accumulator, &leaf);
    }
    merkle_accumulator_root(&accumulator, out);
}

void results_block_leaf(struct pbft_digest *out,
                        const struct results_block *block,
                        const struct pbft_digest *results_root)
{
    uint8_t data[BLOCK_LEAF_SIZE];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    field_write_tag(&writer, "salus/block/1");
    field_write_u64(&writer, block->seq);
    field_write_u64(&writer, block->time);
    field_write(&writer, block->block_digest.bytes, PBFT_DIGEST_SIZE);
    field_write(&writer, results_root->bytes, PBFT_DIGEST_SIZE);
    merkle_leaf(out, (struct pbft_bytes){data, writer.size});
}

enum pbft_status results_request_leaves(struct pbft_digest **out,
                                        const struct results_block *block)
{
    size_t count = block->request_count;
    struct pbft_digest *leaves = malloc((count + 1) * sizeof *leaves);
    if (leaves == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        results_request_leaf(&leaves[i], &block->requests[i]);
    }
    if (block->is_swept) {
        sweep_leaf(&leaves[count], block);
    }
    *out = leaves;
    return PBFT_OK;
}
