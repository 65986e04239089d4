/* SPDX-License-Identifier: Apache-2.0 */
/* Records: alone, many under one root, their later versions. */
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "sim/workload_world.h"

#define LOCATION "drs://records.example/abcdefghijklmnopqrstuvwxyz"
#define TAGS 4
#define AES_256_GCM 1
#define CLASSES 7
#define LEAF_SCHEMA 1
/* What ids of leaves are made from: beyond the kinds of things. */
#define ID_LEAF_RECORD 1000u
#define ID_LEAF_COMMIT 1001u

/* What the fields of a record point to. */
struct anchoring {
    Salus__V1__RecordAnchor in;
    Salus__V1__RecordAnchor__Envelope envelope;
    Salus__V1__RecordAnchor__Envelope *envelopes[1];
    struct transaction_key_id recipient;
    struct id record;
    struct id subject;
    struct id commit;
    struct id cipher;
    struct id wrap;
    struct id author;
    struct id related;
    struct id prior;
    char location[sizeof LOCATION];
    struct id tags[TAGS];
    ProtobufCBinaryData tag_fields[TAGS];
    ProtobufCBinaryData related_fields[1];
};

static void wrap_for(struct anchoring *anchoring, const struct thing *key)
{
    thing_encryption_key_id(key, &anchoring->recipient);
    salus__v1__record_anchor__envelope__init(&anchoring->envelope);
    anchoring->envelope.recipient_key = (ProtobufCBinaryData){
        sizeof anchoring->recipient.bytes, anchoring->recipient.bytes};
    anchoring->envelope.wrap_commit =
        field(&anchoring->wrap, LEDGER_COMMIT_SIZE);
    anchoring->envelopes[0] = &anchoring->envelope;
}

/* What every record says. Ids and commitments are there. */
static void describe(struct anchoring *anchoring, const struct thing *key)
{
    Salus__V1__RecordAnchor *in = &anchoring->in;
    wrap_for(anchoring, key);
    salus__v1__record_anchor__init(in);
    in->record = field(&anchoring->record, LEDGER_ID_SIZE);
    in->subject = field(&anchoring->subject, LEDGER_HANDLE_SIZE);
    in->class_code = CODES_CLASS_OTHER;
    in->confidentiality = CODES_CONF_N;
    in->commit = field(&anchoring->commit, LEDGER_COMMIT_SIZE);
    in->cipher_digest = field(&anchoring->cipher, LEDGER_COMMIT_SIZE);
    in->cipher_size_bucket = 4;
    in->algorithm = AES_256_GCM;
    memcpy(anchoring->location, LOCATION, sizeof anchoring->location);
    in->location = anchoring->location;
    in->envelopes = anchoring->envelopes;
    in->n_envelopes = 1;
}

static void add_tags(struct making *making, struct anchoring *anchoring)
{
    for (size_t i = 0; i < TAGS; i++) {
        anchoring->tags[i] = making_noise(making);
        anchoring->tags[i].bytes[0] = (uint8_t)(0x80 + i); /* Ascending. */
        anchoring->tag_fields[i] = field(&anchoring->tags[i], LEDGER_TAG_SIZE);
    }
    anchoring->in.tags = anchoring->tag_fields;
    anchoring->in.n_tags = TAGS;
}

static bool is_another(const struct making *making, const struct thing *thing,
                       const void *context)
{
    (void)making;
    return thing != context;
}

/* What some records say besides. */
static void add_details(struct making *making, struct anchoring *anchoring,
                        const struct thing *record)
{
    Salus__V1__RecordAnchor *in = &anchoring->in;
    const struct wanted earlier = {.kind = THING_RECORD,
                                   .whose = OWN,
                                   .about = record->about,
                                   .fits = is_another,
                                   .context = record};
    const struct thing *author = making_chance(making, 300)
                                     ? making_pick_own(making, THING_CLINICIAN)
                                     : NULL;
    const struct thing *prior =
        making_chance(making, 200) ? making_pick(making, &earlier) : NULL;
    if (author != NULL) {
        anchoring->author = thing_id(author);
        in->author = field(&anchoring->author, LEDGER_ID_SIZE);
    }
    if (prior != NULL) {
        anchoring->prior = thing_id(prior);
        in->prior_record = field(&anchoring->prior, LEDGER_ID_SIZE);
    }
    if (making_chance(making, 200)) {
        anchoring->related = making_noise(making);
        anchoring->related_fields[0] =
            field(&anchoring->related, LEDGER_ID_SIZE);
        in->related = anchoring->related_fields;
        in->n_related = 1;
    }
    if (making_chance(making, 200)) {
        in->data_from_ms = LEDGER_DAY_MS * 20000ull;
        in->data_to_ms = in->data_from_ms + making_between(making, 1, 30) *
                                                (uint64_t)LEDGER_DAY_MS;
    }
    if (making_chance(making, 150)) {
        add_tags(making, anchoring);
    }
}

static void draw_record(struct making *making, struct anchoring *anchoring,
                        struct thing *record)
{
    anchoring->record = thing_id(record);
    anchoring->subject = thing_id(record->about);
    anchoring->commit = making_noise(making);
    anchoring->cipher = making_noise(making);
    anchoring->wrap = making_noise(making);
    describe(anchoring, making_encryption(making, making->party));
    record->code = making_between(making, CODES_CLASS_OTHER, CLASSES);
    anchoring->in.class_code = record->code;
    record->is_marked = making_chance(making, 100);
    if (record->is_marked) {
        anchoring->in.confidentiality = CODES_CONF_R;
    }
}

bool workload_anchor(struct making *making)
{
    struct anchoring anchoring;
    const struct thing *patient = making_pick_own(making, THING_PATIENT);
    if (patient == NULL) {
        return false;
    }
    struct thing *record = making_add(making, THING_RECORD);
    record->about = patient;
    record->version = 1;
    draw_record(making, &anchoring, record);
    add_details(making, &anchoring, record);
    return making_build(making, TRANSACTION_RECORD_ANCHOR, &anchoring.in.base);
}

/* ---- batches ------------------------------------------------------------- */

/* A leaf follows from the batch and its place, so that it can be opened. */
static void describe_leaf(struct anchoring *anchoring,
                          const struct thing *batch, uint32_t place)
{
    const uint64_t number = batch->number * (uint64_t)WORKLOAD_LEAVES + place;
    anchoring->record = workload_id(ID_LEAF_RECORD, number);
    anchoring->subject = thing_id(batch->about);
    anchoring->commit = workload_id(ID_LEAF_COMMIT, 3 * number);
    anchoring->cipher = workload_id(ID_LEAF_COMMIT, 3 * number + 1);
    anchoring->wrap = workload_id(ID_LEAF_COMMIT, 3 * number + 2);
    describe(anchoring, batch->other);
}

static void hash_leaves(struct pbft_digest leaves[WORKLOAD_LEAVES],
                        const struct thing *batch)
{
    struct anchoring anchoring;
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    for (uint32_t i = 0; i < WORKLOAD_LEAVES; i++) {
        describe_leaf(&anchoring, batch, i);
        wire_buffer_reset(&buffer);
        enum pbft_status status = wire_pack(&anchoring.in.base, &buffer);
        PBFT_ASSERT(status == PBFT_OK);
        transaction_record_leaf(&leaves[i], wire_buffer_bytes(&buffer));
    }
    wire_buffer_deinit(&buffer);
}

bool workload_anchor_batch(struct making *making)
{
    Salus__V1__RecordAnchorBatch in = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    struct pbft_digest leaves[WORKLOAD_LEAVES];
    struct pbft_digest root;
    struct anchoring own;
    const struct thing *patient = making_pick_own(making, THING_PATIENT);
    if (patient == NULL) {
        return false;
    }
    struct thing *batch = making_add(making, THING_RECORD_BATCH);
    batch->about = patient;
    batch->other = making_encryption(making, making->party);
    const struct id id = thing_id(batch);
    hash_leaves(leaves, batch);
    merkle_root(&root, leaves, WORKLOAD_LEAVES);
    own.wrap = making_noise(making);
    wrap_for(&own, batch->other);
    in.batch = field(&id, LEDGER_ID_SIZE);
    in.root = (ProtobufCBinaryData){sizeof root.bytes, root.bytes};
    in.leaf_count = WORKLOAD_LEAVES;
    in.leaf_schema = LEAF_SCHEMA;
    in.class_code = CODES_CLASS_OTHER;
    in.confidentiality_max = CODES_CONF_N;
    in.envelope = &own.envelope;
    return making_build(making, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base);
}

/* What was wrapped for a key that is not used any more stays closed. */
static bool can_be_opened(const struct making *making,
                          const struct thing *thing, const void *context)
{
    (void)context;
    return thing->other == making_encryption(making, thing->party);
}

bool workload_open_record(struct making *making)
{
    Salus__V1__RecordOpen in = SALUS__V1__RECORD_OPEN__INIT;
    struct pbft_digest leaves[WORKLOAD_LEAVES];
    struct workload_leaf leaf;
    struct anchoring anchoring;
    const struct wanted wanted = {
        .kind = THING_RECORD_BATCH,
        .whose = OWN,
        .fits = making_chance(making, 900) ? can_be_opened : NULL,
    };
    struct thing *batch = making_pick(making, &wanted);
    if (batch == NULL) {
        return false;
    }
    hash_leaves(leaves, batch);
    workload_next_leaf(&leaf, making, batch, leaves);
    describe_leaf(&anchoring, batch, leaf.place);
    in.batch = field(&leaf.batch, LEDGER_ID_SIZE);
    in.index = leaf.index;
    in.record = &anchoring.in;
    in.path = leaf.path;
    in.n_path = leaf.path_count;
    return making_build(making, TRANSACTION_RECORD_OPEN, &in.base);
}

void workload_next_leaf(struct workload_leaf *out, struct making *making,
                        struct thing *batch,
                        const struct pbft_digest leaves[WORKLOAD_LEAVES])
{
    out->batch = thing_id(batch);
    out->place = batch->version % WORKLOAD_LEAVES;
    out->index =
        (out->place + (making->slip == SLIP_VERSION)) % WORKLOAD_LEAVES;
    merkle_path_of(out->nodes, &out->path_count, leaves, out->place,
                   WORKLOAD_LEAVES);
    for (size_t i = 0; i < out->path_count; i++) {
        out->path[i] = (ProtobufCBinaryData){sizeof out->nodes[i].bytes,
                                             out->nodes[i].bytes};
    }
    making_change(making, batch);
    batch->version++;
    batch->is_gone = batch->version == WORKLOAD_LEAVES;
}

/* ---- later versions ------------------------------------------------------ */

bool workload_amend(struct making *making)
{
    Salus__V1__RecordAmend in = SALUS__V1__RECORD_AMEND__INIT;
    struct anchoring anchoring;
    struct thing *record = making_pick_own(making, THING_RECORD);
    if (record == NULL) {
        return false;
    }
    const struct id statement = making_noise(making);
    making_change(making, record);
    draw_record(making, &anchoring, record);
    in.next = &anchoring.in;
    in.expected_version = record->version + (making->slip == SLIP_VERSION);
    in.reason = SALUS__V1__RECORD_AMEND__REASON__CORRECTION;
    if (making_chance(making, 300)) {
        in.reason = SALUS__V1__RECORD_AMEND__REASON__PATIENT_AMENDMENT_DENIED;
        in.statement_commit = field(&statement, LEDGER_COMMIT_SIZE);
    }
    record->version++;
    return making_build(making, TRANSACTION_RECORD_AMEND, &in.base);
}

bool workload_retract(struct making *making)
{
    Salus__V1__RecordRetract in = SALUS__V1__RECORD_RETRACT__INIT;
    struct thing *record = making_pick_own(making, THING_RECORD);
    if (record == NULL) {
        return false;
    }
    const struct id id = thing_id(record);
    making_change(making, record);
    record->is_gone = true;
    in.record = field(&id, LEDGER_ID_SIZE);
    in.expected_version = record->version + (making->slip == SLIP_VERSION);
    in.reason = making_chance(making, 500)
                    ? SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT
                    : SALUS__V1__RECORD_AMEND__REASON__ENTERED_IN_ERROR;
    return making_build(making, TRANSACTION_RECORD_RETRACT, &in.base);
}

/* Who got the key of this version keeps it, in some cases: `out` has both
 * envelopes then. */
static bool keep_recipient(struct making *making, const struct thing *record,
                           struct anchoring *own, struct anchoring *other,
                           Salus__V1__RecordAnchor__Envelope *out[2])
{
    out[0] = &own->envelope;
    if (record->other == NULL || record->other->party == making->party ||
        record->from != record->version || making_chance(making, 500)) {
        return false;
    }
    other->wrap = making_noise(making);
    wrap_for(other, record->other);
    const bool is_first = memcmp(other->recipient.bytes, own->recipient.bytes,
                                 sizeof own->recipient.bytes) < 0;
    out[is_first ? 1 : 0] = &own->envelope;
    out[is_first ? 0 : 1] = &other->envelope;
    return true;
}

bool workload_rekey(struct making *making)
{
    Salus__V1__Rekey in = SALUS__V1__REKEY__INIT;
    Salus__V1__RecordAnchor__Envelope *envelopes[2];
    struct anchoring own;
    struct anchoring other;
    struct thing *record = making_pick_own(making, THING_RECORD);
    if (record == NULL) {
        return false;
    }
    const struct id id = thing_id(record);
    const struct id cipher = making_noise(making);
    own.wrap = making_noise(making);
    wrap_for(&own, making_encryption(making, making->party));
    making_change(making, record);
    const bool is_kept =
        keep_recipient(making, record, &own, &other, envelopes);
    in.record = field(&id, LEDGER_ID_SIZE);
    in.expected_version = record->version + (making->slip == SLIP_VERSION);
    in.cipher_digest = field(&cipher, LEDGER_COMMIT_SIZE);
    in.cipher_size_bucket = 8;
    in.algorithm = AES_256_GCM;
    in.envelopes = envelopes;
    in.n_envelopes = is_kept ? 2 : 1;
    in.reason = making_between(making, SALUS__V1__REKEY__REASON__ROTATION,
                               SALUS__V1__REKEY__REASON__RECIPIENT_REMOVED);
    record->version++;
    record->from += is_kept;
    return making_build(making, TRANSACTION_REKEY, &in.base);
}
