/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions of bench_ledger_disk: record anchors of a size, and a mix.
 */
#ifndef TESTS_BENCH_TRANSACTIONS_H
#define TESTS_BENCH_TRANSACTIONS_H

#include "tests/support/ledger_access.h"

#define KNOWN 4096u /* Ids of a kind that are remembered: patients, ... */
#define ANCHOR_BYTES 256u
#define LOCATION_PREFIX "drs://records.hospital.example/"
#define LOCATION_ID_MAX 52u

struct ring {
    uint8_t ids[KNOWN][LEDGER_HANDLE_SIZE];
    size_t count;
};

struct maker {
    struct world *world;
    bool is_mix;
    struct ring subjects;
    struct ring consents;
    struct ring records; /* In a mix. */
    size_t location_id;  /* Characters, so that an anchor has its size. */
};

static void remember(struct ring *ring, const void *id, size_t size)
{
    memcpy(ring->ids[ring->count++ % KNOWN], id, size);
}

static const uint8_t *some(struct maker *maker, const struct ring *ring)
{
    size_t known = ring->count < KNOWN ? ring->count : KNOWN;
    return known == 0 ? NULL : ring->ids[world_random(maker->world) % known];
}

/* A record of some patient at a place of its own. */
static struct transaction_bytes make_anchor(struct maker *maker)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    char location[sizeof LOCATION_PREFIX + LOCATION_ID_MAX] = LOCATION_PREFIX;
    const size_t prefix = sizeof LOCATION_PREFIX - 1;
    struct world_ids ids;
    struct transaction in = world_anchor(maker->world, &ids);
    const uint8_t *subject = some(maker, &maker->subjects);
    in.record_anchor.subject = bytes_of(subject, LEDGER_HANDLE_SIZE);
    for (size_t i = 0; i < maker->location_id; i++) {
        location[prefix + i] = digits[world_random(maker->world) % 32];
    }
    in.record_anchor.location = bytes_of(location, prefix + maker->location_id);
    if (maker->is_mix) {
        remember(&maker->records, ids.id, LEDGER_ID_SIZE);
    }
    return world_build(maker->world, HOSPITAL, &in);
}

/* Of the RecordAnchor in a body. */
static size_t anchor_size(struct pbft_bytes body)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    wire_arena_init(&arena, 1024u * 1024);
    assert_int_equal(
        wire_unpack_strict(&salus__v1__transaction_body__descriptor, body,
                           &arena, &message),
        PBFT_OK);
    const Salus__V1__TransactionBody *in =
        (const Salus__V1__TransactionBody *)(void *)message;
    size_t size = protobuf_c_message_get_packed_size(&in->record_anchor->base);
    wire_arena_deinit(&arena);
    return size;
}

static struct transaction_bytes make_subject(struct maker *maker)
{
    struct world_ids ids;
    struct transaction in = world_subject(maker->world, &ids);
    struct transaction_bytes body = world_build(maker->world, HOSPITAL, &in);
    remember(&maker->subjects, ids.handle, LEDGER_HANDLE_SIZE);
    return body;
}

static struct transaction_bytes make_consent(struct maker *maker)
{
    struct world_ids ids;
    struct transaction in = world_grant(maker->world, &ids);
    size_t last = maker->subjects.count - 1;
    in.consent_grant.subject = /* One or two for each patient. */
        bytes_of(maker->subjects.ids[last % KNOWN], LEDGER_HANDLE_SIZE);
    remember(&maker->consents, ids.id, LEDGER_ID_SIZE);
    return world_build(maker->world, HOSPITAL, &in);
}

static struct transaction_bytes make_revoke(struct maker *maker)
{
    struct transaction in =
        world_revoke(maker->world, some(maker, &maker->consents));
    return world_build(maker->world, HOSPITAL, &in);
}

static struct transaction_bytes make_access(struct maker *maker)
{
    struct asked asked;
    const struct act act = {.who = HOSPITAL};
    ask_for(maker->world, &asked, some(maker, &maker->records));
    return act_body(maker->world, &act, TRANSACTION_ACCESS_REQUEST,
                    &asked.in.base);
}

static struct transaction_bytes make_disclosure(struct maker *maker)
{
    struct told told;
    const struct act act = {.who = HOSPITAL};
    tell_of(maker->world, &told, NULL);
    told.in.subject = field_of(some(maker, &maker->subjects), 32);
    told.in.basis = CODES_BASIS_REQUIRED_BY_LAW;
    told.in.document_commit = field_of(told.document, 32);
    return act_body(maker->world, &act, TRANSACTION_DISCLOSURE, &told.in.base);
}

/* A hospital's day: half of it new documents, then patients with consents,
 * questions and disclosures, now and then a withdrawal. */
static struct transaction_bytes make_one(struct maker *maker)
{
    uint64_t kind = world_random(maker->world) % 100;
    if (!maker->is_mix || kind < 50) {
        return make_anchor(maker);
    }
    if (kind < 62 || maker->consents.count == 0) {
        return maker->subjects.count > maker->consents.count
                   ? make_consent(maker)
                   : make_subject(maker);
    }
    if (kind < 74) {
        return make_consent(maker);
    }
    if (kind < 77) {
        return make_revoke(maker);
    }
    return kind < 88 && maker->records.count > 0 ? make_access(maker)
                                                 : make_disclosure(maker);
}

/* When there are patients: finds the location that makes the size right. */
static void settle_anchor_size(struct maker *maker)
{
    maker->location_id = LOCATION_ID_MAX / 2;
    struct transaction_bytes body = make_anchor(maker);
    size_t size = anchor_size(bytes_of(body.data, body.size));
    free(body.data);
    maker->location_id = maker->location_id + ANCHOR_BYTES - size;
    body = make_anchor(maker);
    assert_int_equal(anchor_size(bytes_of(body.data, body.size)), ANCHOR_BYTES);
    free(body.data);
}

#endif /* TESTS_BENCH_TRANSACTIONS_H */
