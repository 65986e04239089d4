/* SPDX-License-Identifier: Apache-2.0 */
/* A small consortium over an in-memory ledger: three institutions, one policy,
 * and default transactions that every rule accepts. A test changes one thing
 * and looks at the code.
 *
 * Everything here is static: a test that includes it links with salus_ledger.
 */
#ifndef TESTS_SUPPORT_LEDGER_FIXTURE_H
#define TESTS_SUPPORT_LEDGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/sign.h"
#include "ledger/codes.h"
#include "ledger/kv_memory.h"
#include "ledger/ledger.h"
#include "ledger/transaction.h"
#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* 2026-01-02, in milliseconds: blocks of the tests begin here. */
#define WORLD_NOW_MS ((uint64_t)1767312000000u)
#define WORLD_WINDOW 8u
#define WORLD_TIME_BOUND_MS 5000u
#define WORLD_LATE_AFTER_MS 86400000u
#define POLICY_URI "urn:example:policy:basic"

enum who { HOSPITAL, CLINIC, LABORATORY, WHO_COUNT };

struct party {
    struct pbft_institution institution;
    struct pbft_public_key submit_key;
    struct sign_secret submit_secret;
    struct transaction_key_id submit_id;
    struct pbft_public_key encryption_key;
    struct transaction_key_id encryption_id;
    uint64_t session;
    uint64_t next_sequence;
};

struct world {
    struct ledger_kv_memory *memory;
    struct ledger *ledger;
    struct ledger_genesis genesis;
    struct ledger_member members[WHO_COUNT];
    struct ledger_policy policy;
    struct party parties[WHO_COUNT];
    uint64_t now_ms;
    uint64_t random;
    uint32_t table_version; /* Of the code tables that transactions name. */
    struct ledger_block_result last; /* Of the last block. */
    struct ledger *shadow;           /* Executes the same, if it is there. */
    struct ledger_kv_memory *shadow_memory;
    /* Things that exist after world_create(). */
    uint8_t subject[LEDGER_HANDLE_SIZE];  /* Of the hospital. */
    uint8_t stranger[LEDGER_HANDLE_SIZE]; /* Of the clinic. */
    struct pbft_public_key agent_key;     /* Of the subject. */
    struct sign_secret agent_secret;
    struct transaction_key_id agent_id;
    uint8_t doctor[LEDGER_ID_SIZE];   /* Of the hospital. */
    uint8_t guardian[LEDGER_ID_SIZE]; /* PATIENT_AGENT of the hospital. */
    uint8_t outsider[LEDGER_ID_SIZE]; /* Participant of the clinic. */
    uint8_t team[LEDGER_ID_SIZE];     /* GROUP of the hospital. */
    uint8_t record[LEDGER_ID_SIZE];   /* Where a test has made one. */
};

/* splitmix64: any seed, same numbers on every machine. */
static inline uint64_t world_random(struct world *world)
{
    uint64_t z = (world->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline void world_fill(struct world *world, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)world_random(world);
    }
    if (size > 0) {
        bytes[0] |= 0x80; /* Never reads as text. */
    }
}

static inline struct pbft_bytes bytes_of(const void *data, size_t size)
{
    return (struct pbft_bytes){data, size};
}

/* ---- blocks -------------------------------------------------------------- */

static inline struct ledger_request
world_request(struct world *world, enum who who, struct pbft_bytes payload)
{
    struct party *party = &world->parties[who];
    struct ledger_request request = {
        .client = party->submit_key,
        .institution = party->institution,
        .session = party->session,
        .sequence = party->next_sequence++,
        .payload = payload,
    };
    world_fill(world, request.digest.bytes, sizeof request.digest.bytes);
    return request;
}

/* One block at world->now_ms. */
static inline void world_execute(struct world *world,
                                 const struct ledger_request *requests,
                                 uint32_t count)
{
    struct ledger_position before;
    ledger_position(world->ledger, &before);
    struct ledger_block block = {
        .seq = before.seq + 1,
        .proposed_time = world->now_ms * 1000,
        .requests = requests,
        .request_count = count,
    };
    world_fill(world, block.block_digest.bytes,
               sizeof block.block_digest.bytes);
    assert_int_equal(ledger_execute(world->ledger, &block, &world->last),
                     PBFT_OK);
    if (world->shadow != NULL) {
        struct ledger_block_result same;
        assert_int_equal(ledger_execute(world->shadow, &block, &same), PBFT_OK);
        assert_memory_equal(&same.results_root, &world->last.results_root,
                            sizeof same.results_root);
        assert_memory_equal(&same.ledger_root, &world->last.ledger_root,
                            sizeof same.ledger_root);
    }
}

/* Submits encoded Transactions as one request in one block. */
static inline const struct results_request *
world_submit_list(struct world *world, enum who who,
                  const struct pbft_bytes *transactions, size_t count)
{
    struct transaction_bytes payload = {NULL, 0};
    assert_int_equal(transaction_list_pack(&payload, transactions, count),
                     PBFT_OK);
    struct ledger_request request =
        world_request(world, who, bytes_of(payload.data, payload.size));
    world_execute(world, &request, 1);
    free(payload.data);
    return &world->last.block.requests[0];
}

static inline uint32_t world_submit_transaction(struct world *world,
                                                enum who who,
                                                struct pbft_bytes transaction)
{
    const struct results_request *result =
        world_submit_list(world, who, &transaction, 1);
    if (result->code != LEDGER_OK) {
        return result->code;
    }
    assert_int_equal(result->transaction_count, 1);
    return result->transactions[0].code;
}

/* Submits a body with co-signatures. */
static inline uint32_t
world_submit_signed(struct world *world, enum who who, struct pbft_bytes body,
                    const struct transaction_signature *signatures,
                    size_t count)
{
    struct transaction_bytes sealed = {NULL, 0};
    assert_int_equal(transaction_seal(&sealed, body, signatures, count),
                     PBFT_OK);
    uint32_t code = world_submit_transaction(
        world, who, bytes_of(sealed.data, sealed.size));
    free(sealed.data);
    return code;
}

static inline struct transaction_envelope world_envelope(struct world *world,
                                                         enum who who)
{
    return (struct transaction_envelope){
        .chain = world->genesis.chain,
        .institution = world->parties[who].institution,
        .key_id = world->parties[who].submit_id,
        .not_after_ms = world->now_ms + 60000 + world_random(world) % 1000,
        .table_version = world->table_version,
    };
}

static inline struct transaction_bytes
world_build(struct world *world, enum who who, const struct transaction *in)
{
    struct transaction_envelope envelope = world_envelope(world, who);
    struct transaction_bytes body = {NULL, 0};
    assert_int_equal(transaction_build(&body, &envelope, in), PBFT_OK);
    return body;
}

static inline uint32_t world_submit(struct world *world, enum who who,
                                    const struct transaction *in)
{
    struct transaction_bytes body = world_build(world, who, in);
    uint32_t code = world_submit_signed(
        world, who, bytes_of(body.data, body.size), NULL, 0);
    free(body.data);
    return code;
}

/* ---- changed transactions ------------------------------------------------ */

/* Changes the generated form of a body, e.g. in a way no builder would. */
typedef void world_change(struct world *world,
                          Salus__V1__TransactionBody *body);

static inline struct transaction_bytes
world_build_changed(struct world *world, enum who who,
                    const struct transaction *in, world_change *change)
{
    struct transaction_bytes body = world_build(world, who, in);
    struct wire_arena arena;
    struct wire_buffer buffer;
    struct ProtobufCMessage *message = NULL;
    wire_arena_init(&arena, 16u * 1024 * 1024);
    wire_buffer_init(&buffer, 16u * 1024 * 1024);
    assert_int_equal(
        wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                           bytes_of(body.data, body.size), &arena, &message),
        PBFT_OK);
    if (change != NULL) {
        change(world, (Salus__V1__TransactionBody *)(void *)message);
    }
    assert_int_equal(wire_pack(message, &buffer), PBFT_OK);
    free(body.data);
    body.data = wire_buffer_take(&buffer, &body.size);
    wire_buffer_deinit(&buffer);
    wire_arena_deinit(&arena);
    return body;
}

static inline uint32_t world_submit_changed(struct world *world, enum who who,
                                            const struct transaction *in,
                                            world_change *change)
{
    struct transaction_bytes body = world_build_changed(world, who, in, change);
    struct transaction_bytes sealed = {NULL, 0};
    Salus__V1__Transaction wrapper = SALUS__V1__TRANSACTION__INIT;
    struct wire_buffer buffer;
    wrapper.body.data = body.data;
    wrapper.body.len = body.size;
    wire_buffer_init(&buffer, 16u * 1024 * 1024);
    assert_int_equal(wire_pack(&wrapper.base, &buffer), PBFT_OK);
    sealed.data = wire_buffer_take(&buffer, &sealed.size);
    uint32_t code = world_submit_transaction(
        world, who, bytes_of(sealed.data, sealed.size));
    wire_buffer_deinit(&buffer);
    free(sealed.data);
    free(body.data);
    return code;
}

/* A rule: what is changed, and what comes of it. */
struct world_case {
    const char *name;
    world_change *change;
    uint32_t code;
};

/* ---- co-signatures ------------------------------------------------------- */

static inline struct transaction_signature
world_cosign(const struct world *world, struct pbft_bytes body,
             const struct sign_secret *secret,
             const struct transaction_key_id *key_id,
             enum transaction_role role)
{
    struct transaction_signature out = {.key_id = *key_id, .role = role};
    struct pbft_digest tx_id;
    uint8_t preimage[TRANSACTION_COSIGN_PREIMAGE_SIZE];
    transaction_id(&tx_id, &world->genesis.chain, body);
    transaction_cosign_preimage(preimage, &tx_id, role);
    sign_message(&out.signature, secret, bytes_of(preimage, sizeof preimage));
    return out;
}

/* Submits with the co-signature of the subject's own key. */
static inline uint32_t world_submit_with_agent(struct world *world,
                                               enum who who,
                                               const struct transaction *in)
{
    struct transaction_bytes body = world_build(world, who, in);
    struct pbft_bytes bytes = bytes_of(body.data, body.size);
    struct transaction_signature signature =
        world_cosign(world, bytes, &world->agent_secret, &world->agent_id,
                     TRANSACTION_SUBJECT_AGENT);
    uint32_t code = world_submit_signed(world, who, bytes, &signature, 1);
    free(body.data);
    return code;
}

/* ---- defaults: what every rule accepts ----------------------------------- */

/* Random bytes that the defaults point to; new ones for each call. */
struct world_ids {
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t handle[LEDGER_HANDLE_SIZE];
    uint8_t commit[LEDGER_COMMIT_SIZE];
    uint8_t other_commit[LEDGER_COMMIT_SIZE];
    uint8_t policy[LEDGER_ID_SIZE];
    struct transaction_subject subject;
    struct transaction_record_envelope envelope;
    uint32_t purposes[1];
};

static inline void world_new_ids(struct world *world, struct world_ids *ids)
{
    world_fill(world, ids->id, sizeof ids->id);
    world_fill(world, ids->handle, sizeof ids->handle);
    world_fill(world, ids->commit, sizeof ids->commit);
    world_fill(world, ids->other_commit, sizeof ids->other_commit);
    memcpy(ids->policy, world->policy.policy, sizeof ids->policy);
    ids->purposes[0] = CODES_PURPOSE_TREAT;
}

static inline struct transaction world_participant(struct world *world,
                                                   struct world_ids *ids)
{
    world_new_ids(world, ids);
    return (struct transaction){
        .type = TRANSACTION_PARTICIPANT_REGISTER,
        .participant_register = {
            .participant = bytes_of(ids->id, sizeof ids->id),
            .kind = TRANSACTION_PROFESSIONAL,
        }};
}

static inline struct transaction world_subject(struct world *world,
                                               struct world_ids *ids)
{
    world_new_ids(world, ids);
    ids->subject = (struct transaction_subject){
        .handle = bytes_of(ids->handle, sizeof ids->handle)};
    return (struct transaction){.type = TRANSACTION_SUBJECT_REGISTER,
                                .subject_register = {&ids->subject, 1}};
}

static inline struct transaction world_grant(struct world *world,
                                             struct world_ids *ids)
{
    world_new_ids(world, ids);
    return (struct transaction){
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = {
            .consent = bytes_of(ids->id, sizeof ids->id),
            .subject = bytes_of(world->subject, sizeof world->subject),
            .scope = TRANSACTION_SCOPE_PRIVACY,
            .category = CODES_CATEGORY_OTHER,
            .policy = bytes_of(ids->policy, sizeof ids->policy),
            .policy_version = 1,
            .given_at_ms = world->now_ms - 1000,
            .base_decision = TRANSACTION_PERMIT,
            .root = {.purposes = {ids->purposes, 1}},
            .performer = TRANSACTION_BY_SUBJECT,
            .mode = TRANSACTION_WET_INK,
            .evidence_commit = bytes_of(ids->commit, sizeof ids->commit),
        }};
}

static inline struct transaction world_evidence(struct world *world,
                                                struct world_ids *ids)
{
    world_new_ids(world, ids);
    return (struct transaction){
        .type = TRANSACTION_CONSENT_EVIDENCE,
        .consent_evidence = {
            .consent = bytes_of(ids->id, sizeof ids->id),
            .subject = bytes_of(world->subject, sizeof world->subject),
            .evidence_commit = bytes_of(ids->commit, sizeof ids->commit),
            .reason = CODES_REASON_NOT_COMPUTABLE,
        }};
}

/* Withdraws the consent `id`. */
static inline struct transaction world_revoke(struct world *world,
                                              const uint8_t *id)
{
    return (struct transaction){.type = TRANSACTION_CONSENT_REVOKE,
                                .consent_revoke = {
                                    .consent = bytes_of(id, LEDGER_ID_SIZE),
                                    .reason = CODES_REASON_WITHDRAWN_BY_SUBJECT,
                                    .revoked_at_ms = world->now_ms,
                                }};
}

#define WORLD_LOCATION                                                         \
    "drs://records.hospital.example/abcdefghijklmnopqrstuvwxyz"

static inline struct transaction world_anchor(struct world *world,
                                              struct world_ids *ids)
{
    world_new_ids(world, ids);
    ids->envelope.recipient_key = world->parties[HOSPITAL].encryption_id;
    world_fill(world, ids->envelope.wrap_commit.bytes,
               sizeof ids->envelope.wrap_commit.bytes);
    return (struct transaction){
        .type = TRANSACTION_RECORD_ANCHOR,
        .record_anchor = {
            .record = bytes_of(ids->id, sizeof ids->id),
            .subject = bytes_of(world->subject, sizeof world->subject),
            .class_code = CODES_CLASS_OTHER,
            .confidentiality = CODES_CONF_N,
            .commit = bytes_of(ids->commit, sizeof ids->commit),
            .cipher_digest =
                bytes_of(ids->other_commit, sizeof ids->other_commit),
            .cipher_size_bucket = 4,
            .algorithm = 1,
            .location = bytes_of(WORLD_LOCATION, sizeof WORLD_LOCATION - 1),
            .envelopes = &ids->envelope,
            .envelope_count = 1,
        }};
}

/* ---- the world ----------------------------------------------------------- */

static inline void world_make_party(struct world *world, enum who who,
                                    uint64_t roles)
{
    static const char *const names[WHO_COUNT][2] = {
        [HOSPITAL] = {"st-anna", "Hospital of St. Anna"},
        [CLINIC] = {"lakeside", "Clinic on the Lake"},
        [LABORATORY] = {"riverbend", "Riverbend Laboratory"}};
    struct party *party = &world->parties[who];
    uint8_t seed[SIGN_SEED_SIZE];
    world_fill(world, seed, sizeof seed);
    world_fill(world, party->institution.bytes,
               sizeof party->institution.bytes);
    world_fill(world, party->encryption_key.bytes,
               sizeof party->encryption_key.bytes);
    sign_from_seed(&party->submit_secret, &party->submit_key, seed);
    transaction_key_id(&party->submit_id, party->submit_key.bytes);
    transaction_key_id(&party->encryption_id, party->encryption_key.bytes);
    party->session = 1;
    party->next_sequence = 1;
    world->members[who] = (struct ledger_member){
        .institution = party->institution,
        .name = names[who][0],
        .legal_name = names[who][1],
        .country = "AT",
        .roles = roles,
        .encryption_key = bytes_of(party->encryption_key.bytes,
                                   sizeof party->encryption_key.bytes),
        .submit_keys = &party->submit_key,
        .submit_key_count = 1,
    };
}

static inline void world_make_genesis(struct world *world)
{
    struct transaction_id16 policy;
    transaction_policy_id(&policy, bytes_of(POLICY_URI, sizeof POLICY_URI - 1));
    memcpy(world->policy.policy, policy.bytes, sizeof policy.bytes);
    world->policy.version = 1;
    world->policy.implicit_consent = 4;
    world->policy.break_glass_override = 1;
    world->genesis = (struct ledger_genesis){
        .members = world->members,
        .member_count = WHO_COUNT,
        .policies = &world->policy,
        .policy_count = 1,
        .table_version = CODES_VERSION,
        .time_bound_ms = WORLD_TIME_BOUND_MS,
        .late_after_ms = WORLD_LATE_AFTER_MS,
        .session_window = WORLD_WINDOW,
    };
    codes_digest(&world->genesis.table_digest);
    world_fill(world, world->genesis.chain.bytes,
               sizeof world->genesis.chain.bytes);
}

static inline void world_register_subjects(struct world *world)
{
    struct world_ids ids;
    uint8_t seed[SIGN_SEED_SIZE];
    world_fill(world, seed, sizeof seed);
    sign_from_seed(&world->agent_secret, &world->agent_key, seed);
    transaction_key_id(&world->agent_id, world->agent_key.bytes);
    struct transaction mine = world_subject(world, &ids);
    ids.subject.agent_key =
        bytes_of(world->agent_key.bytes, sizeof world->agent_key.bytes);
    assert_int_equal(world_submit(world, HOSPITAL, &mine), LEDGER_OK);
    memcpy(world->subject, ids.handle, sizeof ids.handle);
    struct transaction theirs = world_subject(world, &ids);
    assert_int_equal(world_submit(world, CLINIC, &theirs), LEDGER_OK);
    memcpy(world->stranger, ids.handle, sizeof ids.handle);
}

static inline void world_register_one(struct world *world, enum who who,
                                      enum transaction_participant_kind kind,
                                      uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.kind = kind;
    if (kind == TRANSACTION_GROUP) {
        in.participant_register.members =
            (struct transaction_ids){world->doctor, 1};
    }
    assert_int_equal(world_submit(world, who, &in), LEDGER_OK);
    memcpy(out, ids.id, sizeof ids.id);
}

/* Opens a ledger on a new store, without anything in it. */
static inline struct world *world_create_empty(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    assert_int_equal(crypto_init(), PBFT_OK);
    world->random = seed;
    world->now_ms = WORLD_NOW_MS;
    world->table_version = CODES_VERSION;
    world_make_party(world, HOSPITAL,
                     (uint64_t)1 << CODES_INSTITUTION_PROVIDER);
    world_make_party(world, CLINIC, (uint64_t)1 << CODES_INSTITUTION_PROVIDER);
    world_make_party(world, LABORATORY,
                     (uint64_t)1 << CODES_INSTITUTION_RESEARCH);
    world_make_genesis(world);
    world->memory = ledger_kv_memory_create();
    assert_int_equal(ledger_create(&world->ledger,
                                   ledger_kv_memory_vtable(world->memory),
                                   &world->genesis),
                     PBFT_OK);
    return world;
}

static inline struct world *world_create(void)
{
    struct world *world = world_create_empty(1);
    world_register_subjects(world);
    world_register_one(world, HOSPITAL, TRANSACTION_PROFESSIONAL,
                       world->doctor);
    world_register_one(world, HOSPITAL, TRANSACTION_PATIENT_AGENT,
                       world->guardian);
    world_register_one(world, CLINIC, TRANSACTION_PROFESSIONAL,
                       world->outsider);
    world_register_one(world, HOSPITAL, TRANSACTION_GROUP, world->team);
    return world;
}

static inline void world_destroy(struct world *world)
{
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    ledger_destroy(world->shadow);
    if (world->shadow_memory != NULL) {
        ledger_kv_memory_destroy(world->shadow_memory);
    }
    free(world);
}

/* A new store and ledger under the genesis as it is now. */
static inline void world_open(struct world *world,
                              struct ledger_kv_memory **memory,
                              struct ledger **ledger)
{
    *memory = ledger_kv_memory_create();
    assert_int_equal(ledger_create(ledger, ledger_kv_memory_vtable(*memory),
                                   &world->genesis),
                     PBFT_OK);
}

/* Opens the shadow again: it may hold nothing that is not in its store. */
static inline void world_restart_shadow(struct world *world)
{
    ledger_destroy(world->shadow);
    assert_int_equal(
        ledger_create(&world->shadow,
                      ledger_kv_memory_vtable(world->shadow_memory),
                      &world->genesis),
        PBFT_OK);
}

static inline int world_setup(void **state)
{
    *state = world_create();
    return 0;
}

static inline int world_teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

/* Rows that a refused transaction must not add to. */
static inline size_t world_rows(const struct ledger_kv_memory *memory)
{
    return ledger_kv_memory_count(memory, LEDGER_SPACE_STATE) +
           ledger_kv_memory_count(memory, LEDGER_SPACE_THINGS) +
           ledger_kv_memory_count(memory, LEDGER_SPACE_DUE);
}

/* Submits `make`'s default with each change, and compares the codes. A refused
 * transaction must leave the state as it was, but for the client's window, the
 * transaction's place and the position: two more entries at most. */
typedef struct transaction world_make(struct world *world,
                                      struct world_ids *ids);

static inline void world_run_cases(struct world *world, enum who who,
                                   world_make *make,
                                   const struct world_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct world_ids ids;
        struct transaction in = make(world, &ids);
        size_t before = world_rows(world->memory);
        uint32_t code = world_submit_changed(world, who, &in, cases[i].change);
        if (code != cases[i].code) {
            fail_msg("%s: %s instead of %s", cases[i].name,
                     ledger_code_name(code), ledger_code_name(cases[i].code));
        }
        if (code != LEDGER_OK) {
            assert_int_equal(world_rows(world->memory), before);
        }
    }
}

/* ---- queries ------------------------------------------------------------- */

/* Asks as `who`; the answer lies in `arena`. */
static inline const Salus__V1__Answer *world_ask(struct world *world,
                                                 enum who who,
                                                 const Salus__V1__Query *query,
                                                 struct wire_arena *arena)
{
    static uint8_t answer[LEDGER_ANSWER_MAX];
    struct wire_buffer buffer;
    struct ProtobufCMessage *message = NULL;
    size_t size = 0;
    wire_buffer_init(&buffer, LEDGER_QUERY_MAX);
    assert_int_equal(wire_pack(&query->base, &buffer), PBFT_OK);
    assert_int_equal(
        ledger_query(world->ledger, ledger_kv_memory_vtable(world->memory),
                     &world->parties[who].institution,
                     wire_buffer_bytes(&buffer), answer, sizeof answer, &size),
        PBFT_OK);
    assert_int_equal(wire_unpack_strict(&salus__v1__answer__descriptor,
                                        bytes_of(answer, size), arena,
                                        &message),
                     PBFT_OK);
    wire_buffer_deinit(&buffer);
    return (const Salus__V1__Answer *)(void *)message;
}

#endif /* TESTS_SUPPORT_LEDGER_FIXTURE_H */
