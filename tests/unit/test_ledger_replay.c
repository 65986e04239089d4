/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks as a whole: time, roots, atomicity, and that replaying them gives the
 * same results, roots and state, byte for byte. */
#include "tests/support/ledger_fixture.h"

#include "crypto/merkle.h"

#define HISTORIES 12
#define BLOCKS_MAX 60
#define REQUESTS_MAX 4
#define TRANSACTIONS_MAX 4

/* ---- recorded histories -------------------------------------------------- */

struct recorded_request {
    struct ledger_request request;
    uint8_t *payload;
};

struct recorded_block {
    struct ledger_block block;
    struct recorded_request requests[REQUESTS_MAX];
    struct pbft_digest results_root;
    struct pbft_digest ledger_root;
};

struct history {
    struct recorded_block blocks[BLOCKS_MAX];
    size_t count;
    uint8_t consents[64][LEDGER_ID_SIZE]; /* Some that were granted. */
    size_t consent_count;
    size_t transactions;
    size_t accepted; /* At least so many were. */
};

/* Any transaction; one in four is made wrong somehow. */
static struct transaction any_transaction(struct world *world,
                                          struct history *history,
                                          struct world_ids *ids)
{
    uint64_t dice = world_random(world);
    struct transaction in;
    switch (dice % 6) {
    case 0:
        return world_participant(world, ids);
    case 1:
        return world_subject(world, ids);
    case 2:
        in = world_evidence(world, ids);
        in.consent_evidence.reason += dice >> 32 & 7;
        return in;
    case 3:
        in = world_anchor(world, ids);
        in.record_anchor.cipher_size_bucket += dice >> 32 & 3;
        return in;
    case 4:
        if (history->consent_count > 0) {
            size_t pick = (dice >> 8) % history->consent_count;
            return world_revoke(world, history->consents[pick]);
        }
        break;
    default:
        break;
    }
    in = world_grant(world, ids);
    in.consent_grant.period_to_ms =
        dice >> 32 & 1 ? world->now_ms + (dice >> 40 & 63) : 0;
    if (history->consent_count > 0 && (dice >> 33 & 3) == 0) {
        size_t pick = (dice >> 8) % history->consent_count;
        in.consent_grant.supersedes =
            (struct transaction_ids){history->consents[pick], 1};
    }
    if (history->consent_count < 64) {
        memcpy(history->consents[history->consent_count++], ids->id,
               LEDGER_ID_SIZE);
    }
    return in;
}

static struct transaction_bytes
any_sealed(struct world *world, struct history *history, enum who who)
{
    struct world_ids ids;
    struct transaction in = any_transaction(world, history, &ids);
    struct transaction_bytes body = world_build(world, who, &in);
    struct transaction_bytes sealed;
    if (world_random(world) % 16 == 0) {
        body.data[world_random(world) % body.size] ^= 1; /* Damage. */
    }
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    free(body.data);
    return sealed;
}

static void any_request(struct world *world, struct history *history,
                        struct recorded_request *out)
{
    struct transaction_bytes sealed[TRANSACTIONS_MAX];
    struct pbft_bytes list[TRANSACTIONS_MAX];
    struct transaction_bytes payload = {NULL, 0};
    enum who who = (enum who)(world_random(world) % WHO_COUNT);
    size_t count = world_random(world) % (TRANSACTIONS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        sealed[i] = any_sealed(world, history, who);
        list[i] = bytes_of(sealed[i].data, sealed[i].size);
    }
    assert_int_equal(transaction_list_pack(&payload, list, count), PBFT_OK);
    for (size_t i = 0; i < count; i++) {
        free(sealed[i].data);
    }
    out->payload = payload.data;
    out->request =
        world_request(world, who, bytes_of(payload.data, payload.size));
    if (world_random(world) % 8 == 0) { /* A slot that is used, or far off. */
        out->request.sequence = world_random(world) % 40;
    }
    out->request.urgent = world_random(world) % 8 == 0;
}

/* The hospital's first request registers the subject of all that follows. */
static void first_request(struct world *world, struct recorded_request *out)
{
    struct world_ids ids;
    struct transaction in = world_subject(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    struct transaction_bytes sealed;
    struct transaction_bytes payload;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    struct pbft_bytes one = bytes_of(sealed.data, sealed.size);
    assert_int_equal(transaction_list_pack(&payload, &one, 1), PBFT_OK);
    memcpy(world->subject, ids.handle, sizeof ids.handle);
    free(body.data);
    free(sealed.data);
    out->payload = payload.data;
    out->request =
        world_request(world, HOSPITAL, bytes_of(payload.data, payload.size));
}

static void record_block(struct world *world, struct history *history)
{
    struct recorded_block *out = &history->blocks[history->count++];
    struct ledger_request requests[REQUESTS_MAX];
    bool first = history->count == 1;
    size_t count = first ? 1 : world_random(world) % (REQUESTS_MAX + 1);
    struct ledger_position before;
    struct ledger_block_result result;
    ledger_position(world->ledger, &before);
    world->now_ms += world_random(world) % 30;
    for (size_t i = 0; i < count; i++) {
        if (first) {
            first_request(world, &out->requests[i]);
        } else {
            any_request(world, history, &out->requests[i]);
        }
        requests[i] = out->requests[i].request;
    }
    out->block = (struct ledger_block){
        .seq = before.seq + 1,
        .proposed_time = (world->now_ms - world_random(world) % 3) * 1000,
        .is_null = count == 0 && world_random(world) % 2 == 0,
        .request_count = (uint32_t)count,
    };
    world_fill(world, out->block.block_digest.bytes, 32);
    struct ledger_block block = out->block;
    block.requests = requests;
    assert_int_equal(ledger_execute(world->ledger, &block, &result), PBFT_OK);
    out->results_root = result.results_root;
    out->ledger_root = result.ledger_root;
    history->accepted += result.transaction_count;
    history->accepted -= result.refused_count < result.transaction_count
                             ? result.refused_count
                             : result.transaction_count;
    history->transactions += result.transaction_count;
}

static void replay(struct ledger *ledger, const struct history *history,
                   size_t from)
{
    for (size_t i = from; i < history->count; i++) {
        struct ledger_request requests[REQUESTS_MAX];
        struct ledger_block block = history->blocks[i].block;
        struct ledger_block_result result;
        for (uint32_t j = 0; j < block.request_count; j++) {
            requests[j] = history->blocks[i].requests[j].request;
        }
        block.requests = requests;
        assert_int_equal(ledger_execute(ledger, &block, &result), PBFT_OK);
        assert_memory_equal(&result.results_root,
                            &history->blocks[i].results_root, 32);
        assert_memory_equal(&result.ledger_root,
                            &history->blocks[i].ledger_root, 32);
    }
}

static void free_history(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        for (uint32_t j = 0; j < history->blocks[i].block.request_count; j++) {
            free(history->blocks[i].requests[j].payload);
        }
    }
    free(history);
}

static void expect_equal_stores(const struct ledger_kv_memory *left,
                                const struct ledger_kv_memory *right)
{
    struct pbft_digest a;
    struct pbft_digest b;
    ledger_kv_memory_digest(left, &a);
    ledger_kv_memory_digest(right, &b);
    assert_memory_equal(&a, &b, sizeof a);
}

/* From the genesis, and from a store that was left in the middle. */
static void test_replay_gives_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 100 + HISTORIES; seed++) {
        struct world *world = world_create_empty(seed);
        struct history *history = calloc(1, sizeof *history);
        struct ledger_kv_memory *fresh = ledger_kv_memory_create();
        struct ledger_kv_memory *half = NULL;
        struct ledger *ledger;
        assert_non_null(history);
        while (history->count < BLOCKS_MAX) {
            if (history->count == BLOCKS_MAX / 2) {
                half = ledger_kv_memory_clone(world->memory);
            }
            record_block(world, history);
        }
        /* The history is worth replaying. */
        assert_true(history->accepted > history->transactions / 8);
        assert_true(history->accepted < history->transactions);

        assert_int_equal(ledger_create(&ledger, ledger_kv_memory_vtable(fresh),
                                       &world->genesis),
                         PBFT_OK);
        replay(ledger, history, 0);
        expect_equal_stores(fresh, world->memory);
        ledger_destroy(ledger);

        assert_int_equal(ledger_create(&ledger, ledger_kv_memory_vtable(half),
                                       &world->genesis),
                         PBFT_OK);
        replay(ledger, history, BLOCKS_MAX / 2);
        expect_equal_stores(half, world->memory);
        ledger_destroy(ledger);

        ledger_kv_memory_destroy(fresh);
        ledger_kv_memory_destroy(half);
        free_history(history);
        world_destroy(world);
    }
}

/* ---- time (P12) ---------------------------------------------------------- */

static pbft_wall_us execute_at(struct world *world, pbft_wall_us proposed,
                               bool is_null)
{
    struct ledger_position before;
    struct ledger_block_result result;
    ledger_position(world->ledger, &before);
    const struct ledger_block block = {
        .seq = before.seq + 1, .proposed_time = proposed, .is_null = is_null};
    assert_int_equal(ledger_execute(world->ledger, &block, &result), PBFT_OK);
    return result.block.time;
}

static void test_time_strictly_increases(void **state)
{
    struct world *world = *state;
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world->memory = ledger_kv_memory_create();
    assert_int_equal(ledger_create(&world->ledger,
                                   ledger_kv_memory_vtable(world->memory),
                                   &world->genesis),
                     PBFT_OK);
    assert_int_equal(execute_at(world, 0, false), 1);
    assert_int_equal(execute_at(world, 1000, false), 1000);
    assert_int_equal(execute_at(world, 1000, false), 1001);
    assert_int_equal(execute_at(world, 7, false), 1002);
    assert_int_equal(execute_at(world, 0, true), 1003);
    assert_int_equal(execute_at(world, 5000, true), 1004);
    assert_int_equal(execute_at(world, 5000, false), 5000);
    assert_true(execute_at(world, UINT64_MAX, false) == UINT64_MAX);
}

static void test_blocks_come_in_order(void **state)
{
    struct world *world = *state;
    struct ledger_block_result result;
    struct ledger_position before;
    ledger_position(world->ledger, &before);
    struct ledger_block block = {.seq = before.seq};
    assert_int_equal(ledger_execute(world->ledger, &block, &result),
                     PBFT_INVALID_ARGUMENT);
    block.seq = before.seq + 2;
    assert_int_equal(ledger_execute(world->ledger, &block, &result),
                     PBFT_INVALID_ARGUMENT);
    block.seq = before.seq + 1;
    block.is_null = true;
    block.request_count = 1;
    assert_int_equal(ledger_execute(world->ledger, &block, &result),
                     PBFT_INVALID_ARGUMENT);
}

/* ---- roots --------------------------------------------------------------- */

static void test_roots_are_those_of_the_contract(void **state)
{
    struct world *world = world_create_empty(9);
    struct pbft_digest leaves[3];
    struct pbft_digest root;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world_ids ids;
        struct transaction in = world_participant(world, &ids);
        assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
        struct pbft_digest leaf;
        results_request_leaf(&leaf, &world->last.block.requests[0]);
        merkle_root(&root, &leaf, 1);
        assert_memory_equal(&root, &world->last.results_root, sizeof root);
        results_block_leaf(&leaves[i], &world->last.block, &root);
        merkle_root(&root, leaves, i + 1);
        assert_memory_equal(&root, &world->last.ledger_root, sizeof root);
    }
    struct ledger_position position;
    assert_int_equal(
        ledger_view_position(ledger_kv_memory_vtable(world->memory), &position),
        PBFT_OK);
    assert_int_equal(position.seq, 3);
    assert_int_equal(position.transactions, 3);
    assert_memory_equal(&position.ledger_root, &root, sizeof root);
    world_destroy(world);
}

static void test_write_digest_tells_writes_apart(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    const struct pbft_digest zeros = {{0}};
    struct pbft_digest first;
    struct transaction in = world_participant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    first = world->last.block.requests[0].transactions[0].write_digest;
    assert_memory_not_equal(&first, &zeros, sizeof first);
    in = world_participant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    assert_memory_not_equal(
        &first, &world->last.block.requests[0].transactions[0].write_digest,
        sizeof first);
    in.participant_register.kind = TRANSACTION_GROUP; /* Without members. */
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_FIELD_FORM);
    assert_memory_equal(
        &zeros, &world->last.block.requests[0].transactions[0].write_digest,
        sizeof zeros);
}

/* ---- a refusal leaves no trace ------------------------------------------- */

/* One bad transaction between two good ones: the store is as if it had only its
 * place in the index, which depends on the code alone. */
static void test_refusal_between_two_others(void **state)
{
    struct world *world = *state;
    struct world_ids ids[3];
    struct transaction in[3];
    struct transaction_subject twice[2];
    struct transaction_bytes sealed[3];
    struct pbft_bytes list[3];
    in[0] = world_anchor(world, &ids[0]);
    in[1] = world_subject(world, &ids[1]);
    in[2] = world_anchor(world, &ids[2]);
    /* Refused at its second row, after the first was written. */
    twice[0] = ids[1].subject;
    twice[1] = ids[1].subject;
    in[1].subject_register = (struct transaction_subject_register){twice, 2};
    for (size_t i = 0; i < 3; i++) {
        struct transaction_bytes body = world_build(world, HOSPITAL, &in[i]);
        assert_int_equal(transaction_seal(&sealed[i],
                                          bytes_of(body.data, body.size), NULL,
                                          0),
                         PBFT_OK);
        list[i] = bytes_of(sealed[i].data, sealed[i].size);
        free(body.data);
    }
    size_t before = world_rows(world->memory);
    const struct results_request *result =
        world_submit_list(world, HOSPITAL, list, 3);
    assert_int_equal(result->transactions[0].code, LEDGER_OK);
    assert_int_equal(result->transactions[1].code, LEDGER_SUBJ_EXISTS);
    assert_int_equal(result->transactions[2].code, LEDGER_OK);
    assert_int_equal(world->last.refused_count, 1);
    assert_int_equal(world->last.transaction_count, 3);
    /* Two records, and where they stand; the subject is free. */
    assert_int_equal(world_rows(world->memory), before + 4);
    in[1].subject_register.subject_count = 1;
    assert_int_equal(world_submit(world, HOSPITAL, &in[1]), LEDGER_OK);
    for (size_t i = 0; i < 3; i++) {
        free(sealed[i].data);
    }
}

/* ---- a store that fails -------------------------------------------------- */

struct failing {
    const struct ledger_kv *inner;
    struct ledger_kv vtable;
    size_t gets_left;
    bool apply_fails;
};

static enum pbft_status failing_get(void *context, enum ledger_space space,
                                    struct pbft_bytes key, uint8_t *out,
                                    size_t capacity, size_t *size)
{
    struct failing *failing = context;
    if (failing->gets_left == 0) {
        return PBFT_IO;
    }
    failing->gets_left--;
    return failing->inner->get(failing->inner->context, space, key, out,
                               capacity, size);
}

static enum pbft_status failing_range(void *context, enum ledger_space space,
                                      const struct ledger_kv_range *range,
                                      ledger_kv_visit *visit, void *visitor)
{
    struct failing *failing = context;
    return failing->gets_left == 0
               ? PBFT_IO
               : failing->inner->range(failing->inner->context, space, range,
                                       visit, visitor);
}

static enum pbft_status
failing_apply(void *context, const struct ledger_kv_write *writes, size_t count)
{
    struct failing *failing = context;
    if (failing->apply_fails) {
        return PBFT_IO;
    }
    return failing->inner->apply(failing->inner->context, writes, count);
}

static void test_failing_store_gives_the_block_up(void **state)
{
    struct world *world = *state;
    struct failing failing = {.inner = ledger_kv_memory_vtable(world->memory),
                              .gets_left = SIZE_MAX};
    struct ledger *ledger;
    struct world_ids ids;
    struct ledger_position before;
    struct ledger_block_result result;
    failing.vtable = (struct ledger_kv){.context = &failing,
                                        .get = failing_get,
                                        .range = failing_range,
                                        .apply = failing_apply};
    assert_int_equal(ledger_create(&ledger, &failing.vtable, &world->genesis),
                     PBFT_OK);
    ledger_position(ledger, &before);

    struct transaction in = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    struct transaction_bytes sealed;
    struct transaction_bytes payload;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    struct pbft_bytes one = bytes_of(sealed.data, sealed.size);
    assert_int_equal(transaction_list_pack(&payload, &one, 1), PBFT_OK);
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(payload.data, payload.size));
    const struct ledger_block block = {.seq = before.seq + 1,
                                       .proposed_time = world->now_ms * 1000,
                                       .requests = &request,
                                       .request_count = 1};
    for (size_t gets = 0; gets < 5; gets++) {
        failing.gets_left = gets;
        assert_int_equal(ledger_execute(ledger, &block, &result), PBFT_IO);
    }
    failing.gets_left = SIZE_MAX;
    failing.apply_fails = true;
    assert_int_equal(ledger_execute(ledger, &block, &result), PBFT_IO);
    failing.apply_fails = false;
    assert_int_equal(ledger_execute(ledger, &block, &result), PBFT_OK);
    assert_int_equal(result.block.requests[0].transactions[0].code, LEDGER_OK);
    ledger_destroy(ledger);
    free(body.data);
    free(sealed.data);
    free(payload.data);
}

/* ---- genesis ------------------------------------------------------------- */

static enum pbft_status open_with(const struct ledger_kv *kv,
                                  const struct ledger_genesis *genesis)
{
    struct ledger *ledger = NULL;
    enum pbft_status status = ledger_create(&ledger, kv, genesis);
    ledger_destroy(ledger);
    return status;
}

static void test_genesis_must_fit(void **state)
{
    struct world *world = *state;
    struct ledger_kv_memory *empty = ledger_kv_memory_create();
    const struct ledger_kv *kv = ledger_kv_memory_vtable(empty);
    struct ledger_genesis genesis = world->genesis;
    genesis.chain.bytes[0] ^= 1;
    assert_int_equal(
        open_with(ledger_kv_memory_vtable(world->memory), &genesis),
        PBFT_WRONG_IDENTITY);
    genesis.table_version = 2;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis = world->genesis;
    genesis.table_digest.bytes[3] ^= 1;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis = world->genesis;
    genesis.session_window = 0;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis.session_window = LEDGER_SESSION_WINDOW_MAX + 1;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis = world->genesis;
    genesis.member_count = 0;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis = world->genesis;
    struct ledger_member twins[2] = {world->members[0], world->members[0]};
    genesis.members = twins;
    genesis.member_count = 2;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    twins[1] = world->members[1];
    twins[1].submit_keys = twins[0].submit_keys;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    genesis = world->genesis;
    struct ledger_policy policies[2] = {world->policy, world->policy};
    genesis.policies = policies;
    genesis.policy_count = 2;
    assert_int_equal(open_with(kv, &genesis), PBFT_INVALID_CONFIG);
    assert_int_equal(open_with(kv, &world->genesis), PBFT_OK);
    assert_int_equal(open_with(kv, &world->genesis), PBFT_OK);
    ledger_kv_memory_destroy(empty);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_gives_the_same),
        TEST(test_time_strictly_increases),
        TEST(test_blocks_come_in_order),
        cmocka_unit_test(test_roots_are_those_of_the_contract),
        TEST(test_write_digest_tells_writes_apart),
        TEST(test_refusal_between_two_others),
        TEST(test_failing_store_gives_the_block_up),
        TEST(test_genesis_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
