/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log: what was appended comes back, or the replica is told. */
#include <stdio.h>

#include "consensus/bytes.h"
#include "storage/storage_private.h"
#include "tests/support/storage.h"

#define SEEN_MAX 64

struct seen {
    size_t count;
    enum pbft_record_kind kinds[SEEN_MAX];
    pbft_seq seqs[SEEN_MAX];
    const struct pbft_message *messages[SEEN_MAX];
};

static void see(void *context, const struct pbft_record *record)
{
    struct seen *seen = context;
    assert_true(seen->count < SEEN_MAX);
    seen->kinds[seen->count] = record->kind;
    seen->seqs[seen->count] = record->seq;
    seen->messages[seen->count] = pbft_message_ref(record->message);
    seen->count++;
}

static void forget(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        pbft_message_unref(seen->messages[i]);
    }
    seen->count = 0;
}

static void replay(struct storage_fixture *fixture, struct seen *seen)
{
    fixture_close(fixture);
    assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    assert_int_equal(
        storage_log_replay(fixture->storage, see, seen, &fixture->log),
        PBFT_OK);
}

static void test_records_come_back_in_order(void **state)
{
    struct storage_fixture *fixture = *state;
    struct seen seen = {0};
    fixture_open(fixture);
    struct pbft_message *batch = fixture_block_batch(fixture, 1);
    fixture_append_slot(fixture, 1, batch);

    replay(fixture, &seen);

    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.first_number, 1);
    assert_int_equal(fixture->log.last_number, 3);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.kinds[0], PBFT_RECORD_PRE_PREPARE);
    assert_int_equal(seen.kinds[1], PBFT_RECORD_BODY);
    assert_int_equal(seen.kinds[2], PBFT_RECORD_PREPARE);
    assert_null(seen.messages[0]->pre_prepare.body);
    assert_memory_equal(&seen.messages[1]->batch.digest, &batch->batch.digest,
                        sizeof batch->batch.digest);
    forget(&seen);
    pbft_message_unref(batch);
}

static void test_append_goes_on_after_replay(void **state)
{
    struct storage_fixture *fixture = *state;
    struct seen seen = {0};
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    replay(fixture, &seen);
    forget(&seen);

    fixture_append_blocks(fixture, 3, 3);
    replay(fixture, &seen);

    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(seen.count, 9);
    assert_int_equal(seen.seqs[8], 3);
    forget(&seen);
}

static void test_truncate_drops_a_prefix_only(void **state)
{
    struct storage_fixture *fixture = *state;
    struct seen seen = {0};
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 4);
    fixture_append_stable(fixture, 2);

    assert_int_equal(storage_log_truncate(fixture->storage, 2), PBFT_OK);
    replay(fixture, &seen);

    /* Blocks 1 and 2 are gone; 3, 4 and the proof stay. */
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.first_number, 7);
    assert_int_equal(seen.count, 7);
    assert_int_equal(seen.seqs[0], 3);
    assert_int_equal(seen.kinds[6], PBFT_RECORD_STABLE);
    forget(&seen);
}

static void
test_truncate_keeps_what_stands_behind_a_binding_record(void **state)
{
    struct storage_fixture *fixture = *state;
    struct storage_stats stats;
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 1);
    fixture_append_stable(fixture, 1);
    fixture_append_blocks(fixture, 2, 2);

    assert_int_equal(storage_log_truncate(fixture->storage, 1), PBFT_OK);

    /* The proof of 1 is the first that may not go. */
    storage_stats(fixture->storage, &stats);
    assert_int_equal(stats.log_records, 4);
}

static void test_truncate_collects_bodies_that_lost(void **state)
{
    struct storage_fixture *fixture = *state;
    const struct pbft_message *found = NULL;
    fixture_open(fixture);
    struct pbft_message *lost = cast_batch(&fixture->cast, 7, 77, 1);
    struct pbft_message *won = fixture_block_batch(fixture, 1);
    fixture_append_slot(fixture, 1, lost);
    fixture_append_blocks(fixture, 1, 1);

    assert_int_equal(storage_log_truncate(fixture->storage, 1), PBFT_OK);

    assert_int_equal(
        storage_body_read(fixture->storage, 1, &lost->batch.digest, &found),
        PBFT_NOT_FOUND);
    assert_int_equal(
        storage_body_read(fixture->storage, 1, &won->batch.digest, &found),
        PBFT_OK);
    pbft_message_unref(found);
    pbft_message_unref(lost);
    pbft_message_unref(won);
}

/* The log remembers which bodies it has written, but not
 * those that it has dropped since. */
static void test_a_dropped_body_is_written_again(void **state)
{
    struct storage_fixture *fixture = *state;
    const struct pbft_message *found = NULL;
    fixture_open(fixture);
    struct pbft_message *lost = cast_batch(&fixture->cast, 7, 77, 1);
    fixture_append_blocks(fixture, 1, 1);
    fixture_append_slot(fixture, 1, lost);
    fixture_append_slot(fixture, 1, lost); /* It is there. */
    assert_int_equal(storage_log_truncate(fixture->storage, 1), PBFT_OK);
    assert_int_equal(
        storage_body_read(fixture->storage, 1, &lost->batch.digest, &found),
        PBFT_NOT_FOUND);

    fixture_append_slot(fixture, 1, lost);

    assert_int_equal(
        storage_body_read(fixture->storage, 1, &lost->batch.digest, &found),
        PBFT_OK);
    pbft_message_unref(found);
    pbft_message_unref(lost);
}

static void expect_body(const struct storage_fixture *fixture, pbft_seq seq,
                        const struct pbft_message *batch)
{
    const struct pbft_message *found = NULL;
    assert_int_equal(
        storage_body_read(fixture->storage, seq, &batch->batch.digest, &found),
        PBFT_OK);
    assert_memory_equal(&found->batch.digest, &batch->batch.digest,
                        sizeof batch->batch.digest);
    pbft_message_unref(found);
}

/* Each view proposed something else, and all was voted for. */
static void test_bodies_of_all_views_stay_until_stable(void **state)
{
    struct storage_fixture *fixture = *state;
    struct seen seen = {0};
    struct pbft_message *batches[3];
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        batches[i] = cast_batch(&fixture->cast, 7, 77 + i, 1);
        fixture_append_slot(fixture, 2, batches[i]);
    }

    assert_int_equal(storage_log_truncate(fixture->storage, 1), PBFT_OK);
    replay(fixture, &seen);

    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(seen.count, 9);
    for (size_t i = 0; i < 3; i++) {
        expect_body(fixture, 2, batches[i]);
        pbft_message_unref(batches[i]);
    }
    forget(&seen);
}

/* Overwrites the frame of one record behind the back of the log. */
static void rewrite_frame(struct storage_fixture *fixture, uint64_t number,
                          size_t flipped, size_t cut)
{
    uint8_t key_bytes[LOG_KEY_SIZE];
    uint8_t frame[4096];
    struct rocks_value value;
    storage_log_key(key_bytes, number);
    struct pbft_bytes key = {key_bytes, sizeof key_bytes};
    struct rocks *rocks = fixture->storage->rocks;
    assert_int_equal(rocks_get(rocks, NULL, ROCKS_LOG, key, &value), PBFT_OK);
    size_t size = value.bytes.size;
    assert_true(size <= sizeof frame);
    memcpy(frame, value.bytes.data, size);
    rocks_value_release(&value);
    frame[flipped] ^= 1;
    struct rocks_batch *batch = rocks_batch_create(rocks);
    rocks_batch_put(batch, ROCKS_LOG, key,
                    (struct pbft_bytes){frame, size - cut});
    assert_int_equal(rocks_write(rocks, batch, ROCKS_SYNC, NULL), PBFT_OK);
    rocks_batch_destroy(batch);
}

static void expect_damage(struct storage_fixture *fixture, const char *words)
{
    struct seen seen = {0};
    replay(fixture, &seen);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_DAMAGED);
    assert_int_equal(seen.count, 0);
    assert_non_null(strstr(fixture->log.reason.text, words));

    struct pbft_message *batch = fixture_block_batch(fixture, 9);
    const struct pbft_record record = {PBFT_RECORD_BODY, 0, 9, batch};
    assert_int_equal(storage_log_append(fixture->storage, &record, 1),
                     PBFT_CORRUPT);

    /* Kept for the operator; a new log goes on behind its numbers. */
    const uint64_t last = fixture->log.last_number;
    char aside[SUPPORT_PATH_MAX];
    char name[32];
    (void)snprintf(name, sizeof name, "damaged-log-%u",
                   (unsigned)fixture->log.first_number);
    assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                     PBFT_OK);
    assert_int_equal(support_folder_newest(aside, fixture->dir, name), 1);
    assert_int_equal(storage_log_append(fixture->storage, &record, 1), PBFT_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.first_number, last + 1);
    pbft_message_unref(batch);
}

static void test_flipped_byte_is_damage(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    rewrite_frame(fixture, 3, PBFT_FRAME_HEADER_SIZE + 5, 0);
    expect_damage(fixture, "log record 3");
}

/* A vote that may have been sent must not be taken for a torn write. */
static void test_flipped_byte_in_the_last_record_is_damage(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    rewrite_frame(fixture, 6, PBFT_FRAME_HEADER_SIZE + 5, 3);
    expect_damage(fixture, "log record 6");
}

static void delete_key(struct storage_fixture *fixture,
                       enum rocks_family family, struct pbft_bytes key)
{
    struct rocks *rocks = fixture->storage->rocks;
    struct rocks_batch *batch = rocks_batch_create(rocks);
    rocks_batch_delete(batch, family, key);
    assert_int_equal(rocks_write(rocks, batch, ROCKS_SYNC, NULL), PBFT_OK);
    rocks_batch_destroy(batch);
}

static void test_missing_record_is_damage(void **state)
{
    struct storage_fixture *fixture = *state;
    uint8_t key[LOG_KEY_SIZE];
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    storage_log_key(key, 4);
    delete_key(fixture, ROCKS_LOG, (struct pbft_bytes){key, sizeof key});
    expect_damage(fixture, "missing");
}

static void test_missing_head_is_damage(void **state)
{
    struct storage_fixture *fixture = *state;
    uint8_t key[LOG_KEY_SIZE];
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    storage_log_key(key, 1);
    delete_key(fixture, ROCKS_LOG, (struct pbft_bytes){key, sizeof key});
    expect_damage(fixture, "missing");
}

static void test_missing_body_is_damage(void **state)
{
    struct storage_fixture *fixture = *state;
    uint8_t key[BODY_KEY_SIZE];
    fixture_open(fixture);
    struct pbft_message *batch = fixture_block_batch(fixture, 1);
    fixture_append_slot(fixture, 1, batch);
    storage_body_key(key, 1, &batch->batch.digest);
    delete_key(fixture, ROCKS_BODY, (struct pbft_bytes){key, sizeof key});
    expect_damage(fixture, "log record 2");
    pbft_message_unref(batch);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_records_come_back_in_order),
        TEST(test_append_goes_on_after_replay),
        TEST(test_truncate_drops_a_prefix_only),
        TEST(test_truncate_keeps_what_stands_behind_a_binding_record),
        TEST(test_truncate_collects_bodies_that_lost),
        TEST(test_a_dropped_body_is_written_again),
        TEST(test_bodies_of_all_views_stay_until_stable),
        TEST(test_flipped_byte_is_damage),
        TEST(test_flipped_byte_in_the_last_record_is_damage),
        TEST(test_missing_record_is_damage),
        TEST(test_missing_head_is_damage),
        TEST(test_missing_body_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
