/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, proofs, and the ledger's kv: together or not at all. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/state.h"
#include "tests/support/storage.h"

#define CHILD_FAILED 9

static struct pbft_bytes text(const char *string)
{
    return (struct pbft_bytes){(const uint8_t *)string, strlen(string)};
}

static void test_block_comes_back_whole(void **state)
{
    struct storage_fixture *fixture = *state;
    const struct pbft_message *found = NULL;
    struct pbft_attestation applied;
    uint8_t *results = NULL;
    size_t size = 0;
    fixture_open(fixture);

    fixture_write_block(fixture, 1);
    fixture_close(fixture);
    fixture_open(fixture);

    storage_applied(fixture->storage, &applied);
    assert_int_equal(applied.seq, 1);
    assert_int_equal(applied.block_time, 1000);
    assert_int_equal(storage_block_read(fixture->storage, 1, &found), PBFT_OK);
    assert_int_equal(found->type, PBFT_MESSAGE_COMMITTED);
    assert_int_equal(found->sender, 0);
    assert_int_equal(found->committed.vote_count, 3);
    const struct pbft_message *body =
        found->committed.pre_prepare->pre_prepare.body;
    assert_non_null(body);
    assert_int_equal(body->batch.request_count, 2);
    assert_int_equal(pbft_verify_certificate(&fixture->cast.verifier, found),
                     PBFT_OK);
    pbft_message_unref(found);
    assert_int_equal(storage_results_read(fixture->storage, 1, &results, &size),
                     PBFT_OK);
    assert_int_equal(size, 3);
    free(results);
}

static void test_absent_block_is_not_found(void **state)
{
    struct storage_fixture *fixture = *state;
    const struct pbft_message *found = NULL;
    fixture_open(fixture);
    fixture_write_block(fixture, 1);

    assert_int_equal(storage_block_read(fixture->storage, 2, &found),
                     PBFT_NOT_FOUND);
    assert_int_equal(storage_proof_read(fixture->storage, 1, &found),
                     PBFT_NOT_FOUND);
}

static void test_proof_comes_back(void **state)
{
    struct storage_fixture *fixture = *state;
    const pbft_replica_id signers[2] = {1, 2};
    const struct pbft_message *found = NULL;
    fixture_open(fixture);
    fixture_write_block(fixture, 1);
    struct pbft_message *proof = cast_stable(&fixture->cast, 1, signers, 2);

    assert_int_equal(storage_proof_exists(fixture->storage, 1), PBFT_NOT_FOUND);
    const struct pbft_attested attested = {.seq = 1, .proof = proof};
    assert_int_equal(
        storage_log_append_proved(fixture->storage, NULL, 0, &attested, 1),
        PBFT_OK);
    assert_int_equal(storage_proof_exists(fixture->storage, 1), PBFT_OK);
    fixture_close(fixture);
    fixture_open(fixture);

    assert_int_equal(storage_proof_read(fixture->storage, 1, &found), PBFT_OK);
    assert_int_equal(found->stable.vote_count, 2);
    assert_int_equal(
        pbft_verify_attested(&fixture->cast.verifier, &found->stable), PBFT_OK);
    pbft_message_unref(found);
    pbft_message_unref(proof);
}

static void put(const struct ledger_kv *kv, enum ledger_space space,
                const char *key, const char *value)
{
    const struct ledger_kv_write write = {
        .operation = LEDGER_KV_PUT,
        .space = space,
        .key = text(key),
        .value = text(value),
    };
    assert_int_equal(kv->apply(kv->context, &write, 1), PBFT_OK);
}

static bool has(const struct ledger_kv *kv, const char *key)
{
    uint8_t value[16];
    size_t size = 0;
    return kv->get(kv->context, LEDGER_SPACE_STATE, text(key), value,
                   sizeof value, &size) == PBFT_OK;
}

/* State and block are one write: after a crash there are both or neither. */
static void test_state_and_block_are_atomic(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    struct storage_state *ledger = storage_state_create(fixture->storage);
    const struct ledger_kv *kv = storage_state_kv(ledger);
    put(kv, LEDGER_SPACE_STATE, "genesis", "g");
    assert_true(has(kv, "genesis"));
    storage_state_gather(ledger);

    put(kv, LEDGER_SPACE_STATE, "lost", "x");
    storage_state_destroy(ledger); /* The block is never written. */
    ledger = storage_state_create(fixture->storage);
    storage_state_gather(ledger);
    kv = storage_state_kv(ledger);
    assert_false(has(kv, "lost"));
    put(kv, LEDGER_SPACE_STATE, "kept", "y");
    struct pbft_message *committed = fixture_committed(fixture, 1, 1);
    const struct storage_block block = {.committed = committed,
                                        .executed = {.seq = 1}};
    assert_int_equal(storage_block_write(fixture->storage, &block, ledger),
                     PBFT_OK);
    assert_true(has(kv, "kept"));
    storage_state_destroy(ledger);
    pbft_message_unref(committed);
    fixture_close(fixture);

    fixture_open(fixture);
    struct pbft_attestation applied;
    struct storage_view *view =
        storage_view_open(fixture->storage, STORAGE_VIEW_SNAPSHOT);
    storage_applied(fixture->storage, &applied);
    assert_int_equal(applied.seq, 1);
    assert_true(has(storage_view_kv(view), "kept"));
    assert_false(has(storage_view_kv(view), "lost"));
    storage_view_close(view);
}

static void test_snapshot_does_not_see_later_writes(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    struct storage_state *ledger = storage_state_create(fixture->storage);
    const struct ledger_kv *kv = storage_state_kv(ledger);
    put(kv, LEDGER_SPACE_STATE, "a", "1");
    struct storage_view *then =
        storage_view_open(fixture->storage, STORAGE_VIEW_SNAPSHOT);
    struct storage_view *now =
        storage_view_open(fixture->storage, STORAGE_VIEW_NEWEST);

    put(kv, LEDGER_SPACE_STATE, "b", "2");

    assert_false(has(storage_view_kv(then), "b"));
    assert_true(has(storage_view_kv(then), "a"));
    assert_true(has(storage_view_kv(now), "b"));
    storage_view_close(then);
    storage_view_close(now);
    storage_state_destroy(ledger);
}

struct walk {
    char keys[64];
    size_t limit;
};

static bool note(void *context, struct pbft_bytes key, struct pbft_bytes value)
{
    struct walk *walk = context;
    (void)value;
    strncat(walk->keys, (const char *)key.data, key.size);
    strcat(walk->keys, " ");
    return --walk->limit > 0;
}

struct range_case {
    const char *prefix;
    const char *from;
    size_t limit;
    enum ledger_kv_direction direction;
    const char *expected;
};

static void test_ranges(void **state)
{
    static const struct range_case cases[] = {
        {"b", "", 9, LEDGER_KV_FORWARD, "b b1 b2 b\xff "},
        {"b", "b2", 9, LEDGER_KV_FORWARD, "b2 b\xff "},
        {"b", "a", 9, LEDGER_KV_FORWARD, "b b1 b2 b\xff "},
        {"b", "c", 9, LEDGER_KV_FORWARD, ""},
        {"b", "", 2, LEDGER_KV_FORWARD, "b b1 "},
        {"b", "", 9, LEDGER_KV_BACKWARD, "b\xff b2 b1 b "},
        {"b", "b1", 9, LEDGER_KV_BACKWARD, "b1 b "},
        {"b", "b15", 1, LEDGER_KV_BACKWARD, "b1 "},
        {"b", "c", 9, LEDGER_KV_BACKWARD, "b\xff b2 b1 b "},
        {"b", "a", 9, LEDGER_KV_BACKWARD, ""},
        {"\xff", "", 9, LEDGER_KV_BACKWARD, "\xff\xff \xff "},
        {"\xff", "", 9, LEDGER_KV_FORWARD, "\xff \xff\xff "},
        {"b\xff", "", 9, LEDGER_KV_FORWARD, "b\xff "},
        {"", "", 2, LEDGER_KV_FORWARD, "a b "},
        {"", "", 2, LEDGER_KV_BACKWARD, "\xff\xff \xff "},
        {"x", "", 9, LEDGER_KV_FORWARD, ""},
    };
    static const char *const keys[] = {"b2", "a",     "b",    "\xff\xff",
                                       "c",  "b\xff", "\xff", "b1"};
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    struct storage_state *ledger = storage_state_create(fixture->storage);
    const struct ledger_kv *kv = storage_state_kv(ledger);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        put(kv, LEDGER_SPACE_INDEX, keys[i], "v");
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct walk walk = {.limit = 100};
        const struct ledger_kv_range range = {.prefix = text(cases[i].prefix),
                                              .from = text(cases[i].from),
                                              .limit = cases[i].limit,
                                              .direction = cases[i].direction};
        assert_int_equal(
            kv->range(kv->context, LEDGER_SPACE_INDEX, &range, note, &walk),
            PBFT_OK);
        assert_string_equal(walk.keys, cases[i].expected);
    }
    storage_state_destroy(ledger);
}

static void test_get_says_the_size_it_needs(void **state)
{
    struct storage_fixture *fixture = *state;
    uint8_t value[2];
    size_t size = 0;
    fixture_open(fixture);
    struct storage_state *ledger = storage_state_create(fixture->storage);
    const struct ledger_kv *kv = storage_state_kv(ledger);
    put(kv, LEDGER_SPACE_CLIENT, "k", "long");

    assert_int_equal(kv->get(kv->context, LEDGER_SPACE_CLIENT, text("k"), value,
                             sizeof value, &size),
                     PBFT_TOO_LARGE);
    assert_int_equal(size, 4);
    assert_int_equal(kv->get(kv->context, LEDGER_SPACE_STATE, text("k"), value,
                             sizeof value, &size),
                     PBFT_NOT_FOUND);
    storage_state_destroy(ledger);
}

#define MANY 100u /* More than RocksDB looks up at once. */

struct told {
    bool is_there[MANY];
    size_t count;
};

/* Values are the key itself. */
static void note_told(void *visitor, size_t index, enum pbft_status status,
                      struct pbft_bytes value)
{
    struct told *told = visitor;
    char expected[8];
    assert_true(index < MANY);
    told->count++;
    told->is_there[index] = status == PBFT_OK;
    if (status != PBFT_OK) {
        assert_int_equal(status, PBFT_NOT_FOUND);
        return;
    }
    (void)snprintf(expected, sizeof expected, "k%03zu", index);
    assert_int_equal(value.size, strlen(expected));
    assert_memory_equal(value.data, expected, value.size);
}

static void ask_many(const struct ledger_kv *kv, struct told *told)
{
    char names[MANY][8];
    struct pbft_bytes keys[MANY];
    *told = (struct told){.count = 0};
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "k%03zu", i);
        keys[i] = text(names[i]);
    }
    assert_int_equal(kv->get_many(kv->context, LEDGER_SPACE_INDEX, keys, MANY,
                                  note_told, told),
                     PBFT_OK);
    assert_int_equal(told->count, MANY);
}

/* Many gets at once find what the same gets find one by one, in a snapshot and
 * in the live state, in memory and in files. */
static void test_many_gets_at_once(void **state)
{
    struct storage_fixture *fixture = *state;
    struct told told;
    fixture_open(fixture);
    struct storage_state *ledger = storage_state_create(fixture->storage);
    for (size_t i = 0; i < MANY; i += 3) {
        char name[8];
        (void)snprintf(name, sizeof name, "k%03zu", i);
        put(storage_state_kv(ledger), LEDGER_SPACE_INDEX, name, name);
    }
    storage_state_destroy(ledger);
    fixture_close(fixture); /* To files. */
    fixture_open(fixture);
    ledger = storage_state_create(fixture->storage);
    struct storage_view *then =
        storage_view_open(fixture->storage, STORAGE_VIEW_SNAPSHOT);
    put(storage_state_kv(ledger), LEDGER_SPACE_INDEX, "k001", "k001");

    ask_many(storage_view_kv(then), &told);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(told.is_there[i], i % 3 == 0);
    }
    ask_many(storage_state_kv(ledger), &told);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(told.is_there[i], i % 3 == 0 || i == 1);
    }
    storage_view_close(then);
    storage_state_destroy(ledger);
}

/* An unsynced block before a synced log record survives with it. */
static void test_block_before_a_synced_record_survives_a_crash(void **state)
{
    struct storage_fixture *fixture = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_open(fixture);
        fixture_write_block(fixture, 1);
        const struct pbft_message *batch = cast_batch(&fixture->cast, 9, 9, 1);
        const struct pbft_record record = {PBFT_RECORD_BODY, 0, 2, batch};
        _exit(storage_log_append(fixture->storage, &record, 1) == PBFT_OK
                  ? 0
                  : CHILD_FAILED);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    fixture_open(fixture);

    struct pbft_attestation applied;
    storage_applied(fixture->storage, &applied);
    assert_int_equal(applied.seq, 1);
    assert_int_equal(fixture->log.last_number, 1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_block_comes_back_whole),
        TEST(test_absent_block_is_not_found),
        TEST(test_proof_comes_back),
        TEST(test_state_and_block_are_atomic),
        TEST(test_snapshot_does_not_see_later_writes),
        TEST(test_ranges),
        TEST(test_get_says_the_size_it_needs),
        TEST(test_many_gets_at_once),
        TEST(test_block_before_a_synced_record_survives_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
