/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of the later families, from their generated messages: who
 * submits, who acts, who co-signs. */
#ifndef TESTS_SUPPORT_LEDGER_ACTS_H
#define TESTS_SUPPORT_LEDGER_ACTS_H

#include "tests/support/ledger_fixture.h"

struct act {
    enum who who;
    const uint8_t *participant; /* NULL: none named. */
    uint64_t event_ms;
    bool late;
    size_t cosigner_count; /* Of parties 0, 1, ... but the submitter. */
    enum transaction_role role;
    const struct transaction_signature *extra;
};

static inline struct transaction_bytes act_body(struct world *world,
                                                const struct act *act,
                                                enum transaction_type type,
                                                const ProtobufCMessage *payload)
{
    struct transaction_envelope envelope = world_envelope(world, act->who);
    struct transaction_bytes body = {NULL, 0};
    if (act->participant != NULL) {
        envelope.participant = bytes_of(act->participant, LEDGER_ID_SIZE);
    }
    envelope.event_time_ms = act->event_ms;
    envelope.late = act->late;
    assert_int_equal(transaction_build_payload(&body, &envelope, type, payload),
                     PBFT_OK);
    return body;
}

static inline uint32_t act_do(struct world *world, const struct act *act,
                              enum transaction_type type,
                              const ProtobufCMessage *payload)
{
    struct transaction_signature signatures[WHO_COUNT + 1];
    size_t count = 0;
    struct transaction_bytes body = act_body(world, act, type, payload);
    struct pbft_bytes bytes = bytes_of(body.data, body.size);
    for (int i = 0; i < WHO_COUNT && count < act->cosigner_count; i++) {
        const struct party *party = &world->parties[i];
        if (i != (int)act->who) {
            signatures[count++] =
                world_cosign(world, bytes, &party->submit_secret,
                             &party->submit_id, act->role);
        }
    }
    if (act->extra != NULL) {
        signatures[count++] = *act->extra;
    }
    uint32_t code =
        world_submit_signed(world, act->who, bytes, signatures, count);
    free(body.data);
    return code;
}

/* With all others for governance. */
static inline uint32_t act_govern(struct world *world,
                                  enum transaction_type type,
                                  const ProtobufCMessage *payload)
{
    const struct act act = {.who = HOSPITAL,
                            .cosigner_count = WHO_COUNT - 1,
                            .role = TRANSACTION_GOVERNANCE};
    return act_do(world, &act, type, payload);
}

static inline uint32_t act_simple(struct world *world, enum who who,
                                  enum transaction_type type,
                                  const ProtobufCMessage *payload)
{
    const struct act act = {.who = who};
    return act_do(world, &act, type, payload);
}

static inline uint32_t act_as(struct world *world, enum who who,
                              const uint8_t *participant,
                              enum transaction_type type,
                              const ProtobufCMessage *payload)
{
    const struct act act = {.who = who, .participant = participant};
    return act_do(world, &act, type, payload);
}

/* A cursor, in `room`, which outlives the page that it came with. */
static inline ProtobufCBinaryData kept_cursor(uint8_t *room,
                                              const ProtobufCBinaryData *cursor)
{
    if (cursor->len > 0) { /* Else there are no bytes to point to. */
        memcpy(room, cursor->data, cursor->len);
    }
    return (ProtobufCBinaryData){cursor->len, room};
}

static inline ProtobufCBinaryData field_of(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
}

#define EXPECT(code, expected)                                                 \
    assert_string_equal(ledger_code_name(code), ledger_code_name(expected))

/* An Ed25519 key and its signature for itself. */
struct new_key {
    struct pbft_public_key key;
    struct sign_secret secret;
    struct transaction_key_id id;
    struct pbft_signature possession;
};

static inline void act_new_key(struct world *world, struct new_key *out,
                               const struct pbft_institution *institution,
                               const uint8_t *other)
{
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    world_fill(world, seed, sizeof seed);
    sign_from_seed(&out->secret, &out->key, seed);
    transaction_key_id(&out->id, out->key.bytes);
    transaction_possession_preimage(preimage, &world->genesis.chain,
                                    institution, out->key.bytes, other);
    sign_message(&out->possession, &out->secret,
                 bytes_of(preimage, sizeof preimage));
}

/* A participant with roles. */
static inline void act_register(struct world *world, enum who who,
                                const uint32_t *roles, size_t count,
                                uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.roles = (struct transaction_codes){roles, count};
    EXPECT(world_submit(world, who, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

static inline void act_register_in(struct world *world, enum who who,
                                   uint32_t role, uint8_t *out)
{
    act_register(world, who, &role, 1, out);
}

/* A record of the hospital's patient; its id goes to `out`. */
static inline void act_anchor(struct world *world, uint32_t confidentiality,
                              uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    in.record_anchor.confidentiality = confidentiality;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

/* A consent to treatment of the hospital's patient. */
static inline void act_grant(struct world *world, uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

static inline void act_wait(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
    world_execute(world, NULL, 0);
}

/* An answer there must be; the one before is gone. */
static inline const Salus__V1__Answer *act_ask(struct world *world,
                                               enum who who,
                                               const Salus__V1__Query *query,
                                               struct wire_arena *arena)
{
    wire_arena_reset(arena);
    const Salus__V1__Answer *answer = world_ask(world, who, query, arena);
    EXPECT(answer->code, LEDGER_OK);
    return answer;
}

#endif /* TESTS_SUPPORT_LEDGER_ACTS_H */
