/* SPDX-License-Identifier: Apache-2.0 */
/* A request that was executed while it lay in the inbox does not reach the
 * core, which would wait for it for ever; and what the ledger wants next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ledger/codes.h"
#include "ledger/limits.h"
#include "ledger/things.h"
#include "node/clock.h"
#include "node/history.h"
#include "node/node_private.h"
#include "tests/support/storage.h"

static struct storage_fixture *fixture;
static struct node node;
static const struct pbft_incarnations incarnations;

static void on_failed(void *context, enum pbft_status status)
{
    (void)context;
    fail_msg("the executor failed: %s", pbft_status_text(status));
}

/* Of windows that have ended a millisecond after the epoch. */
static void put_due_rows(size_t count)
{
    struct due_key {
        uint8_t bytes[1 + 8 + 1 + 16];
    };
    const struct ledger_kv *kv = storage_state_kv(node.state);
    struct due_key *keys = calloc(count + 1, sizeof *keys);
    struct ledger_kv_write *writes = calloc(count + 1, sizeof *writes);
    assert_true(keys != NULL && writes != NULL);
    for (size_t i = 0; i < count; i++) {
        uint8_t *key = keys[i].bytes;
        key[0] = 'u';
        key[8] = 1; /* The due time, big endian. */
        key[9] = SCHEMA_DUE_WINDOW;
        key[10] = (uint8_t)(i / 256);
        key[11] = (uint8_t)i;
        writes[i] = (struct ledger_kv_write){
            LEDGER_KV_PUT, LEDGER_SPACE_DUE, {key, sizeof keys[i]}, {key, 1}};
    }
    if (count > 0) {
        assert_int_equal(kv->apply(kv->context, writes, count), PBFT_OK);
    }
    free(writes);
    free(keys);
}

/* The ledger of an institution whose client is the one of the cast. */
static void open_ledger(size_t due_rows)
{
    const struct ledger_member member = {.roles = 1,
                                         .submit_keys =
                                             &fixture->cast.client.signer.key,
                                         .submit_key_count = 1};
    struct ledger_genesis genesis = {
        .chain = fixture->cast.replicas[0].domain.cluster,
        .members = &member,
        .member_count = 1,
        .table_version = CODES_VERSION,
        .time_bound_ms = 5000,
        .late_after_ms = 86400000,
        .session_window = 256,
    };
    codes_digest(&genesis.table_digest);
    node.state = storage_state_create(node.storage);
    assert_int_equal(
        ledger_create(&node.ledger, storage_state_kv(node.state), &genesis),
        PBFT_OK);
    put_due_rows(due_rows);
    storage_state_gather(node.state);
}

static int prepare(void **state, size_t due_rows)
{
    const struct executor_sink sink = {
        .context = &node, .executed = node_on_executed, .failed = on_failed};
    assert_int_equal(fixture_setup(state), 0);
    fixture = *state;
    fixture_open(fixture);
    node = (struct node){.storage = fixture->storage};
    open_ledger(due_rows);
    node.inbox = inbox_create(16, 1u << 20);
    node.executed = request_cache_create(NODE_EXECUTED_REQUESTS);
    node.waiting = waiting_create(16);
    node.history = history_create(node.storage);
    node.executor =
        executor_create(node.storage, node.state, node.ledger,
                        &fixture->cast.keyring, &incarnations, &sink);
    return 0;
}

static int setup(void **state)
{
    return prepare(state, 0);
}

static int setup_with_many_due(void **state)
{
    return prepare(state, LEDGER_SWEEP_MAX + 1);
}

static int teardown(void **state)
{
    executor_destroy(node.executor);
    history_destroy(node.history);
    waiting_destroy(node.waiting);
    request_cache_destroy(node.executed);
    inbox_destroy(node.inbox);
    ledger_destroy(node.ledger);
    storage_state_destroy(node.state);
    return fixture_teardown(state);
}

static struct pbft_message *commit_block(pbft_seq seq)
{
    struct pbft_message *committed = fixture_committed(fixture, seq, 2);
    const struct pbft_commit commit = {.seq = seq, .committed = committed};
    executor_put(node.executor, &commit);
    return committed;
}

static const struct pbft_message *
request_of(const struct pbft_message *committed, uint32_t i)
{
    return committed->committed.pre_prepare->pre_prepare.body->batch
        .requests[i];
}

static void wait_until_executed(pbft_seq seq)
{
    struct inbox_turn turn = {0};
    const pbft_time_ms deadline = clock_now_ms() + 60000;
    while (turn.executed.seq < seq && clock_now_ms() < deadline) {
        inbox_take(node.inbox, &turn, INBOX_EVERYTHING, deadline);
    }
    assert_int_equal(turn.executed.seq, seq);
}

static void test_a_request_executed_meanwhile_is_late(void **state)
{
    (void)state;
    struct pbft_message *other = cast_request(&fixture->cast, 7, "payload");
    struct pbft_message *block = commit_block(1);
    wait_until_executed(1);
    assert_true(node_is_late(&node, request_of(block, 0)));
    assert_true(node_is_late(&node, request_of(block, 1)));
    assert_false(node_is_late(&node, other));
    assert_false(node_is_late(&node, block)); /* No request at all. */
    pbft_message_unref(block);
    pbft_message_unref(other);
}

/* The cache begins empty, the ledger does not. */
static void test_who_restarted_judges_as_the_others_do(void **state)
{
    (void)state;
    struct pbft_message *other = cast_request(&fixture->cast, 7, "payload");
    struct pbft_message *block = commit_block(1);
    wait_until_executed(1);
    struct pbft_message *twin = cast_request(
        &fixture->cast, request_of(block, 0)->request.sequence, "another");
    request_cache_destroy(node.executed);
    node.executed = request_cache_create(NODE_EXECUTED_REQUESTS);
    assert_false(node_is_late(&node, request_of(block, 1)));
    for (int i = 0; i < 2; i++) {
        assert_true(node_was_executed(&node, request_of(block, 0)));
        assert_true(node_was_executed(&node, request_of(block, 1)));
        assert_false(node_was_executed(&node, twin));
        assert_false(node_was_executed(&node, other));
        assert_false(node_was_executed(&node, block));
    }
    assert_true(node_is_late(&node, request_of(block, 1)));
    pbft_message_unref(twin);
    pbft_message_unref(block);
    pbft_message_unref(other);
}

/* It is in no block, and a backup that holds it would wait for that until it
 * deposed the primary: it must be ordered, and fail. */
static void test_another_request_of_the_same_number_is_not_late(void **state)
{
    (void)state;
    struct pbft_message *block = commit_block(1);
    wait_until_executed(1);
    struct pbft_message *twin = cast_request(
        &fixture->cast, request_of(block, 0)->request.sequence, "another");
    assert_memory_equal(&twin->request.client,
                        &request_of(block, 0)->request.client,
                        sizeof twin->request.client);
    assert_false(node_is_late(&node, twin));
    pbft_message_unref(twin);
    pbft_message_unref(block);
}

/* A sweep has an end. What it leaves is due before the time of the block, for
 * which nobody would propose one: it must not hide what comes later. */
static void test_what_a_sweep_leaves_wants_the_next_block(void **state)
{
    (void)state;
    struct pbft_attestation last;
    pbft_message_unref(commit_block(1));
    wait_until_executed(1);
    storage_applied(node.storage, &last);
    assert_true(last.block_time >= 1000);
    assert_int_equal(executor_next_due(node.executor), last.block_time + 1);
    pbft_message_unref(commit_block(2));
    wait_until_executed(2);
    assert_int_equal(executor_next_due(node.executor), 0);
}

/* Ordered, but refused before it used up a place of its client: the window may
 * have moved when it comes again. */
static void test_a_request_without_effect_may_come_again(void **state)
{
    (void)state;
    for (pbft_seq seq = 1; seq <= 2; seq++) {
        struct pbft_message *block = commit_block(seq);
        wait_until_executed(seq);
        assert_true(node_is_late(&node, request_of(block, 0)));
        pbft_message_unref(block);
    }
    struct pbft_message *beyond = commit_block(3); /* 301 of 256. */
    wait_until_executed(3);
    assert_true(request_cache_has(node.executed,
                                  &request_of(beyond, 0)->request.digest));
    assert_false(node_is_late(&node, request_of(beyond, 0)));
    assert_false(node_was_executed(&node, request_of(beyond, 0)));
    pbft_message_unref(beyond);
}

/* Watermarks up to 64, a window of 32. */
static void test_a_proposal_a_window_beyond_is_out_of_reach(void **state)
{
    static const struct {
        pbft_seq seq;
        bool is_out;
    } rows[] = {{1, false},  {64, false}, {65, false},
                {96, false}, {97, true},  {UINT64_MAX, true}};
    static struct node other;
    const struct pbft_origin origin = {.sender = 0, .epoch = 1};
    const struct pbft_digest digest = {{1}};
    (void)state;
    other.verifier.window = 32;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pbft_message *header =
            pbft_pre_prepare_create(&origin, 0, rows[i].seq, &digest, NULL);
        atomic_store(&other.high, 0); /* The core has not said yet. */
        assert_false(node_is_out_of_reach(&other, header));
        atomic_store(&other.high, 64);
        assert_true(node_is_out_of_reach(&other, header) == rows[i].is_out);
        pbft_message_unref(header);
    }
    /* A vote may tell how far the others are. */
    const struct pbft_prepare fields = {0, 1000, {{1}}};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);
    assert_false(node_is_out_of_reach(&other, vote));
    pbft_message_unref(vote);
}

/* Room for the largest merge, and for some checkpoints. */
static void test_free_space_is_wanted_for_a_merge(void **state)
{
    const uint64_t gib = UINT64_C(1) << 30;
    struct storage_stats stats = {.disk_bytes = 800 * gib};
    (void)state;
    assert_true(node_disk_wanted(&stats) == NODE_DISK_FREE_WARN_BYTES);
    stats.merge_bytes = 100 * gib;
    assert_true(node_disk_wanted(&stats) ==
                100 * gib + NODE_DISK_FREE_WARN_BYTES);
}

/* No machine that runs this has less than 16 MiB. */
static void test_memory_is_that_of_somebody(void **state)
{
    (void)state;
    assert_true(clock_memory_bytes() > UINT64_C(1) << 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proposal_a_window_beyond_is_out_of_reach),
        cmocka_unit_test_setup_teardown(
            test_a_request_executed_meanwhile_is_late, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_who_restarted_judges_as_the_others_do, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_another_request_of_the_same_number_is_not_late, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_what_a_sweep_leaves_wants_the_next_block, setup_with_many_due,
            teardown),
        cmocka_unit_test_setup_teardown(
            test_a_request_without_effect_may_come_again, setup, teardown),
        cmocka_unit_test(test_free_space_is_wanted_for_a_merge),
        cmocka_unit_test(test_memory_is_that_of_somebody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
