/* SPDX-License-Identifier: Apache-2.0 */
/* A log of which not even the first record can be read is set aside, and the
 * damage with it. */
#include <fcntl.h>
#include <unistd.h>

#include "storage/rocks_private.h"
#include "storage/storage_private.h"
#include "tests/support/storage.h"

/* Into the first block of a table file. */
#define FLIPPED_AT 60

/* What is in the memtable of the log goes to a table file: its path. */
static void flush_log(struct storage_fixture *fixture,
                      char table[SUPPORT_PATH_MAX])
{
    struct rocks *rocks = fixture->storage->rocks;
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *error = NULL;
    rocksdb_flushoptions_set_wait(options, 1);
    rocksdb_flush_cf(rocks->db, options, rocks->families[ROCKS_LOG], &error);
    rocksdb_flushoptions_destroy(options);
    assert_null(error);
    assert_int_equal(support_folder_newest(table, fixture->dir, ".sst"), 1);
}

static void flip_a_byte(const char *path)
{
    uint8_t byte = 0;
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, FLIPPED_AT), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, FLIPPED_AT), 1);
    assert_int_equal(close(file), 0);
}

/* Records 1 to 6 are dropped, 7 to 13 are there; all lie in one block. */
static void damage_first_block(struct storage_fixture *fixture)
{
    char table[SUPPORT_PATH_MAX];
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 4);
    fixture_append_stable(fixture, 2);
    assert_int_equal(storage_log_truncate(fixture->storage, 2), PBFT_OK);
    flush_log(fixture, table);
    fixture_close(fixture);
    flip_a_byte(table);
}

static void test_a_log_without_a_readable_record(void **state)
{
    struct storage_fixture *fixture = *state;
    damage_first_block(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_DAMAGED);
    assert_int_equal(fixture->log.first_number, 0);

    assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                     PBFT_OK);
    fixture_append_blocks(fixture, 5, 6);
    fixture_append_stable(fixture, 5);
    assert_int_equal(storage_log_truncate(fixture->storage, 5), PBFT_OK);
    fixture_close(fixture);
    fixture_open(fixture);

    /* Numbers go on behind those that were dropped. */
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.first_number, 10);
    assert_int_equal(fixture->log.last_number, 13);
}

/* Until the new one has a record, it is lost. */
static void test_set_aside_twice(void **state)
{
    struct storage_fixture *fixture = *state;
    damage_first_block(fixture);
    for (int i = 0; i < 2; i++) {
        fixture_open(fixture);
        assert_int_equal(fixture->log.verdict, PBFT_LOG_DAMAGED);
        assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                         PBFT_OK);
        fixture_close(fixture);
    }
    fixture_open(fixture);
    assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                     PBFT_OK);
    fixture_append_stable(fixture, 4);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.first_number, 7);
}

/* The entry that says where the log begins is unreadable, and nothing else. */
static void test_a_log_that_does_not_say_where_it_begins(void **state)
{
    struct storage_fixture *fixture = *state;
    const uint8_t nonsense[3] = {1, 2, 3};
    char aside[SUPPORT_PATH_MAX];
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, 2);
    assert_int_equal(
        storage_meta_put(fixture->storage, META_LOG_FIRST,
                         (struct pbft_bytes){nonsense, sizeof nonsense}),
        PBFT_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_DAMAGED);

    assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                     PBFT_OK);
    assert_int_equal(
        support_folder_newest(aside, fixture->dir, "damaged-log-1"), 1);
    fixture_append_stable(fixture, 2);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.last_number, fixture->log.first_number);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_log_without_a_readable_record),
        TEST(test_set_aside_twice),
        TEST(test_a_log_that_does_not_say_where_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
