/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD_ANCHOR_BATCH and RECORD_OPEN: up to 65,536 records under one root, and
 * one of them as if it had been anchored alone.
 */
#include <string.h>

#include "ledger/batch.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/record.h"

#define SCHEMA_RECORD_ANCHOR 1u

/* The batch key has one envelope, for the custodian. */
static enum ledger_code key_is_kept(struct execution *x)
{
    const Salus__V1__RecordAnchorBatch *in = x->body->record_anchor_batch;
    Salus__V1__RecordAnchor__Envelope *one = in->envelope;
    if (one == NULL) {
        return LEDGER_NO_CUSTODIAN_KEY;
    }
    enum ledger_code code = record_envelopes(x, &one, 1);
    if (code == LEDGER_OK && !record_is_own_envelope(x, one)) {
        return LEDGER_NO_CUSTODIAN_KEY;
    }
    return code;
}

enum ledger_code record_anchor_batch(struct execution *x)
{
    const Salus__V1__RecordAnchorBatch *in = x->body->record_anchor_batch;
    const struct batch_tree tree = {&in->batch, &in->root, in->leaf_count};
    enum ledger_code code = batch_is_sound(x, &tree);
    if (code == LEDGER_OK && in->leaf_schema != SCHEMA_RECORD_ANCHOR) {
        code = LEDGER_FIELD_FORM;
    }
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_CLASS, in->class_code);
    }
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_CONF, in->confidentiality_max);
    }
    if (code == LEDGER_OK) {
        code = key_is_kept(x);
    }
    if (code == LEDGER_OK) {
        struct schema_batch batch = {
            .kind = SCHEMA_BATCH_RECORDS,
            .institution = x->request->institution,
            .leaf_count = in->leaf_count,
            .class_code = in->class_code,
            .confidentiality = in->confidentiality_max,
            .seq = x->seq,
            .place = x->place,
        };
        memcpy(batch.root.bytes, in->root.data, sizeof batch.root.bytes);
        state_put_batch(x->overlay, in->batch.data, &batch);
        state_put_payload(x->overlay, 't', in->batch.data, x->payload);
    }
    return code;
}

/* What was told of all leaves holds for this one. */
static enum ledger_code fits_the_batch(const Salus__V1__RecordAnchor *record,
                                       const struct schema_batch *batch)
{
    return record->class_code == batch->class_code &&
                   record->confidentiality <= batch->confidentiality
               ? LEDGER_OK
               : LEDGER_BATCH_STATE;
}

enum ledger_code record_open(struct execution *x)
{
    const Salus__V1__RecordOpen *in = x->body->record_open;
    const struct batch_opening opening = {&in->batch, in->index, in->path,
                                          in->n_path};
    struct schema_batch batch;
    struct pbft_digest leaf;
    if (in->record == NULL) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code =
        batch_is_ours(x, &in->batch, SCHEMA_BATCH_RECORDS, &batch);
    if (code == LEDGER_OK) {
        code = fits_the_batch(in->record, &batch);
    }
    if (code == LEDGER_OK) {
        batch_record_leaf(&leaf, in->record);
        code = batch_proves(x, &batch, &opening, &leaf);
    }
    if (code == LEDGER_OK) {
        code = record_id_is_new(x, in->record);
    }
    if (code == LEDGER_OK) {
        code = record_judge(x, in->record);
    }
    if (code == LEDGER_OK) {
        struct schema_record record = record_of(x, in->record);
        record.anchored_seq = batch.seq; /* As old as the batch. */
        record.anchored = batch.place;
        record_write(x, in->record, &record,
                     execution_pack(x, &in->record->base));
        batch_open(x, &batch, &opening, in->record->record.data);
    }
    return code;
}
