/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash keeps and loses, and what a damaged disk says of itself. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/disk.h"
#include "tests/support/cast.h"

static struct cast cast;
static struct disk disk;

static int open_disk(void **state)
{
    (void)state;
    disk_init(&disk, &cast.replicas[1].domain, 1);
    return 0;
}

static int close_disk(void **state)
{
    (void)state;
    disk_deinit(&disk);
    return 0;
}

/* Commits of seq first..first+count-1, under one ticket. */
static bool write_votes(pbft_ticket ticket, pbft_seq first, size_t count)
{
    struct pbft_record records[8] = {{.seq = 0}};
    const struct pbft_digest digest = {{1}};
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct pbft_record){
            .kind = PBFT_RECORD_COMMIT,
            .seq = first + i,
            .message = cast_vote(&cast, PBFT_MESSAGE_COMMIT, 1, 0, first + i,
                                 &digest)};
    }
    bool done = disk_write_records(&disk, ticket, records, count);
    for (size_t i = 0; i < count; i++) {
        pbft_message_unref(records[i].message);
    }
    return done;
}

struct found {
    size_t count;
    pbft_seq last;
};

static void note(void *context, const struct pbft_record *record)
{
    struct found *found = context;
    found->count++;
    found->last = record->seq;
    assert_int_equal(record->message->type, PBFT_MESSAGE_COMMIT);
    assert_int_equal(record->message->commit.seq, record->seq);
}

static struct found replay(enum pbft_log_verdict expected)
{
    struct found found = {.count = 0};
    assert_int_equal(disk_replay(&disk, note, &found), expected);
    return found;
}

static void test_crash_loses_what_was_not_synced(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 2));
    assert_true(write_votes(2, 3, 2));
    assert_true(disk_sync(&disk, 1));

    disk_crash(&disk, 0, 0);

    struct found found = replay(PBFT_LOG_INTACT);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.last, 2);
}

static void test_crash_keeps_a_prefix(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 4));

    disk_crash(&disk, 3, 0);

    assert_int_equal(replay(PBFT_LOG_INTACT).count, 3);
}

static void test_torn_record_is_cut(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 4));

    disk_crash(&disk, 2, DISK_TORN_HALF);

    assert_int_equal(replay(PBFT_LOG_TORN).count, 2);
    /* The log goes on behind the cut. */
    assert_true(write_votes(1, 3, 1));
    assert_true(disk_sync(&disk, 1));
    assert_int_equal(replay(PBFT_LOG_INTACT).count, 3);
}

/* However little of it there is, and however much. */
static void test_torn_record_is_cut_anywhere(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 1));
    const size_t size = disk_pending_bytes(&disk, 0);
    assert_true(size > 2);
    disk_crash(&disk, 0, 0);
    for (size_t torn = 1; torn <= size; torn++) {
        assert_true(write_votes(1, 1, 1));
        assert_int_equal(disk_pending_bytes(&disk, 0), size);
        assert_int_equal(disk_pending_bytes(&disk, 1), 0);

        disk_crash(&disk, 0, torn);

        assert_int_equal(replay(PBFT_LOG_TORN).count, 0);
    }
}

/* What begins the next log is not there before it is there whole. */
static void test_torn_first_record_of_a_new_log_is_none(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 2));
    assert_true(disk_sync(&disk, 1));
    disk_set_log_aside(&disk);
    assert_true(write_votes(1, 3, 1));

    disk_crash(&disk, 0, DISK_TORN_HALF);

    assert_int_equal(replay(PBFT_LOG_TORN).count, 0);
    assert_true(disk.image.is_log_lost);
    assert_true(write_votes(1, 3, 1));
    assert_true(disk_sync(&disk, 1));
    assert_false(disk.image.is_log_lost);
}

static void test_corruption_is_damage_anywhere(void **state)
{
    (void)state;
    for (pbft_seq seq = 1; seq <= 3; seq++) {
        assert_true(write_votes(1, 1, 3));
        assert_true(disk_sync(&disk, 1));
        assert_true(disk_corrupt(&disk, 1u << PBFT_RECORD_COMMIT, seq));
        assert_int_equal(replay(PBFT_LOG_DAMAGED).count, 0);
        disk_deinit(&disk);
        (void)open_disk(NULL);
    }
    assert_false(disk_corrupt(&disk, UINT32_MAX, 0));
}

static void test_clean_cut_looks_intact(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 3));
    assert_true(disk_sync(&disk, 1));

    assert_true(disk_cut(&disk, 1u << PBFT_RECORD_COMMIT, 2));

    assert_int_equal(replay(PBFT_LOG_INTACT).count, 1);
}

static void test_rollback_restores_the_mark(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 2));
    assert_true(disk_sync(&disk, 1));
    struct disk_image mark = disk_image_clone(&disk.image);
    assert_true(write_votes(2, 3, 2));
    assert_true(disk_sync(&disk, 2));
    disk_crash(&disk, 0, 0);

    disk_restore(&disk, mark);

    assert_int_equal(replay(PBFT_LOG_INTACT).count, 2);
}

static void test_truncation_is_ordered_with_writes(void **state)
{
    (void)state;
    assert_true(write_votes(1, 1, 4));
    disk_write_truncate(&disk, 2);
    assert_true(write_votes(2, 5, 1));

    assert_true(disk_sync(&disk, 1));
    assert_int_equal(replay(PBFT_LOG_INTACT).count, 4);
    assert_true(disk_sync(&disk, 2));

    struct found found = replay(PBFT_LOG_INTACT);
    assert_int_equal(found.count, 3);
    assert_int_equal(disk.image.first_number, 3);
}

static void write_body(pbft_ticket ticket, const struct pbft_message *batch)
{
    const struct pbft_record record = {
        .kind = PBFT_RECORD_BODY, .seq = 1, .message = batch};
    assert_true(disk_write_records(&disk, ticket, &record, 1));
}

/* Whichever view proposed it, if it is durable and sound. */
static void test_a_body_is_read_by_seq_and_digest(void **state)
{
    struct pbft_message *one = cast_batch(&cast, 5, 1, 1);
    struct pbft_message *other = cast_batch(&cast, 5, 2, 1);
    const struct pbft_body_read read = {1, one->batch.digest};
    const struct pbft_body_read elsewhere = {2, one->batch.digest};
    (void)state;
    write_body(1, one);
    assert_null(disk_read_body(&disk, &read));
    write_body(2, other);
    assert_true(disk_sync(&disk, 2));

    const struct pbft_message *found = disk_read_body(&disk, &read);
    assert_non_null(found);
    assert_memory_equal(&found->batch.digest, &one->batch.digest,
                        sizeof read.digest);
    pbft_message_unref(found);
    assert_null(disk_read_body(&disk, &elsewhere));

    assert_true(disk_cut(&disk, 1u << PBFT_RECORD_BODY, 1));
    assert_null(disk_read_body(&disk, &read));
    pbft_message_unref(one);
    pbft_message_unref(other);
}

static void test_injected_failures(void **state)
{
    (void)state;
    disk.fault = (struct disk_fault){.kind = DISK_FAULT_WRITE,
                                     .record_kinds = 1u << PBFT_RECORD_COMMIT,
                                     .times = 1};
    assert_false(write_votes(1, 1, 1));
    assert_true(write_votes(2, 1, 1));
    disk.fault = (struct disk_fault){.kind = DISK_FAULT_SYNC,
                                     .record_kinds = UINT32_MAX,
                                     .times = UINT64_MAX};
    assert_false(disk_sync(&disk, 2));
    assert_false(disk_sync(&disk, 2));
    assert_int_equal(disk.image.record_count, 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, open_disk, close_disk)

int main(void)
{
    cast_init(&cast, 4);
    const struct CMUnitTest tests[] = {
        ROW(test_crash_loses_what_was_not_synced),
        ROW(test_crash_keeps_a_prefix),
        ROW(test_torn_record_is_cut),
        ROW(test_torn_record_is_cut_anywhere),
        ROW(test_torn_first_record_of_a_new_log_is_none),
        ROW(test_corruption_is_damage_anywhere),
        ROW(test_clean_cut_looks_intact),
        ROW(test_rollback_restores_the_mark),
        ROW(test_truncation_is_ordered_with_writes),
        ROW(test_a_body_is_read_by_seq_and_digest),
        ROW(test_injected_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
