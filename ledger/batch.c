/* SPDX-License-Identifier: Apache-2.0 */
/* Roots, counts and proofs of batches. */
#include "ledger/batch.h"

#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "ledger/checks.h"
#include "proto/buffer.h"
#include "proto/scan.h"

/* How many leaves there are tells how busy a hospital is: policy may ask for
 * steps. */
static bool count_is_padded(const struct execution *x, uint32_t count)
{
    uint32_t step = x->policy->batch_step;
    return step == 0 || count % step == 0 || (count & (count - 1)) == 0;
}

enum ledger_code batch_is_sound(const struct execution *x,
                                const struct batch_tree *tree)
{
    enum ledger_code code = checks_random(tree->batch, LEDGER_ID_SIZE);
    if (code == LEDGER_OK) {
        code = checks_commit(tree->root);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    if (tree->leaf_count == 0 || tree->leaf_count > LEDGER_LEAVES_MAX) {
        return LEDGER_SIZE;
    }
    if (!count_is_padded(x, tree->leaf_count)) {
        return LEDGER_FIELD_FORM;
    }
    return thing_has(x->overlay, &thing_batch, tree->batch->data)
               ? LEDGER_BATCH_EXISTS
               : LEDGER_OK;
}

enum ledger_code batch_is_ours(const struct execution *x,
                               const ProtobufCBinaryData *id,
                               enum schema_batch_kind kind,
                               struct schema_batch *out)
{
    enum ledger_code code = checks_reference(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_batch(x->overlay, id->data, out) && out->kind == kind &&
                   execution_speaks_for(x, &out->institution)
               ? LEDGER_OK
               : LEDGER_BATCH_STATE;
}

enum ledger_code batch_proves(const struct execution *x,
                              const struct schema_batch *batch,
                              const struct batch_opening *opening,
                              const struct pbft_digest *leaf)
{
    struct pbft_digest path[LEDGER_PROOF_MAX];
    struct schema_leaf opened;
    if (opening->path_count > LEDGER_PROOF_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < opening->path_count; i++) {
        if (opening->path[i].len != sizeof path[i].bytes) {
            return LEDGER_FIELD_FORM;
        }
        memcpy(path[i].bytes, opening->path[i].data, sizeof path[i].bytes);
    }
    if (opening->index >= batch->leaf_count ||
        merkle_verify(&batch->root, leaf, opening->index, batch->leaf_count,
                      path, opening->path_count) != PBFT_OK) {
        return LEDGER_PROOF_INVALID;
    }
    return state_get_leaf(x->overlay, opening->batch->data, opening->index,
                          &opened)
               ? LEDGER_LEAF_OPENED
               : LEDGER_OK;
}

void batch_open(struct execution *x, struct schema_batch *batch,
                const struct batch_opening *opening, const uint8_t *id)
{
    struct schema_leaf leaf;
    memcpy(leaf.id, id, sizeof leaf.id);
    batch->opened++;
    state_put_leaf(x->overlay, opening->batch->data, opening->index, &leaf);
    state_put_batch(x->overlay, opening->batch->data, batch);
}

static struct pbft_bytes pack(struct wire_buffer *buffer,
                              const struct ProtobufCMessage *message)
{
    wire_buffer_init(buffer, LEDGER_BODY_MAX);
    enum pbft_status status = wire_pack(message, buffer);
    PBFT_ASSERT(status == PBFT_OK);
    return wire_buffer_bytes(buffer);
}

void batch_record_leaf(struct pbft_digest *out,
                       const Salus__V1__RecordAnchor *record)
{
    struct wire_buffer buffer;
    transaction_record_leaf(out, pack(&buffer, &record->base));
    wire_buffer_deinit(&buffer);
}

void batch_disclosure_leaf(struct pbft_digest *out,
                           const Salus__V1__DisclosureOpen *in)
{
    struct wire_buffer buffer;
    transaction_disclosure_leaf(out, in->event_time_ms,
                                pack(&buffer, &in->disclosure->base));
    wire_buffer_deinit(&buffer);
}
