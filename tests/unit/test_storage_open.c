/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a data folder: whose is it, who else uses it, can it be read? */
#include <dirent.h>
#include <fcntl.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/direct.h"
#include "storage/rocks.h"
#include "tests/support/storage.h"

#define CHILD_FAILED 9

static void test_open_new_then_again(void **state)
{
    struct storage_fixture *fixture = *state;

    fixture_open(fixture);
    assert_false(storage_was_closed_orderly(fixture->storage));
    fixture_close(fixture);

    fixture_open(fixture);
    assert_true(storage_was_closed_orderly(fixture->storage));
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
}

static void test_open_refuses_another_replica(void **state)
{
    struct storage_fixture *fixture = *state;
    struct salus_reason reason;
    const struct storage_options options = {.sync = STORAGE_SYNCED};
    fixture_open(fixture);
    fixture_close(fixture);

    struct storage_identity other = fixture_identity(fixture);
    other.replica = 3;
    assert_int_equal(storage_open(fixture->dir, &other,
                                  &fixture->cast.replicas[3].domain, &options,
                                  &fixture->storage, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "data of replica 0, not of replica 3"));
}

static void test_open_refuses_another_cluster(void **state)
{
    struct storage_fixture *fixture = *state;
    struct salus_reason reason;
    const struct storage_options options = {.sync = STORAGE_SYNCED};
    fixture_open(fixture);
    fixture_close(fixture);

    struct storage_identity other = fixture_identity(fixture);
    other.cluster.bytes[0] ^= 1;
    assert_int_equal(storage_open(fixture->dir, &other,
                                  &fixture->cast.replicas[0].domain, &options,
                                  &fixture->storage, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "another consortium"));
}

static void test_open_refuses_a_folder_in_use(void **state)
{
    struct storage_fixture *fixture = *state;
    struct storage *first;
    fixture_open(fixture);
    first = fixture->storage;

    assert_int_equal(fixture_try_open(fixture), PBFT_LOCKED);

    fixture->storage = first;
}

static void test_open_refuses_a_file(void **state)
{
    struct storage_fixture *fixture = *state;
    char path[SUPPORT_PATH_MAX + 8];
    (void)snprintf(path, sizeof path, "%s/file", fixture->dir);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    (void)close(file);

    (void)snprintf(fixture->dir + strlen(fixture->dir), 6, "/file");
    assert_int_equal(fixture_try_open(fixture), PBFT_INVALID_ARGUMENT);
    fixture->dir[strlen(fixture->dir) - strlen("/file")] = '\0';
}

static void test_open_wants_a_parent(void **state)
{
    struct storage_fixture *fixture = *state;
    const size_t size = strlen(fixture->dir);
    (void)snprintf(fixture->dir + size, sizeof fixture->dir - size, "/a/b");
    assert_int_equal(fixture_try_open(fixture), PBFT_INVALID_ARGUMENT);
    fixture->dir[size] = '\0';
}

static mode_t mode_of(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 0777;
}

static void test_open_closes_an_empty_folder_to_others(void **state)
{
    struct storage_fixture *fixture = *state;
    assert_int_equal(chmod(fixture->dir, 0755), 0);
    fixture_open(fixture);
    assert_int_equal(mode_of(fixture->dir), 0700);
}

static void test_open_refuses_a_folder_that_others_may_enter(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(chmod(fixture->dir, 0710), 0);
    assert_int_equal(fixture_try_open(fixture), PBFT_PERMISSION);
    assert_int_equal(mode_of(fixture->dir), 0710);
    assert_int_equal(chmod(fixture->dir, 0700), 0);
    fixture_open(fixture);
}

/* In a child that then dies without closing, as after a crash. */
static void append_and_die(struct storage_fixture *fixture, unsigned count)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (fixture_try_open(fixture) != PBFT_OK ||
            storage_log_replay(fixture->storage, NULL, NULL, &fixture->log) !=
                PBFT_OK) {
            _exit(CHILD_FAILED);
        }
        struct pbft_message *batch = cast_batch(&fixture->cast, 5, 1, 1);
        for (unsigned i = 1; i <= count; i++) {
            struct pbft_message *vote =
                cast_vote(&fixture->cast, PBFT_MESSAGE_PREPARE, 0, 0, i,
                          &batch->batch.digest);
            const struct pbft_record record = {PBFT_RECORD_PREPARE, 0, i, vote};
            if (storage_log_append(fixture->storage, &record, 1) != PBFT_OK) {
                _exit(CHILD_FAILED);
            }
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_open_after_a_crash_keeps_all(void **state)
{
    struct storage_fixture *fixture = *state;
    append_and_die(fixture, 10);

    fixture_open(fixture);

    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.last_number, 10);
    assert_false(storage_was_closed_orderly(fixture->storage));
}

static void test_open_cuts_a_torn_tail(void **state)
{
    struct storage_fixture *fixture = *state;
    char path[SUPPORT_PATH_MAX];
    struct stat found;
    append_and_die(fixture, 10);
    assert_true(support_folder_newest(path, fixture->dir, ".log"));
    assert_int_equal(stat(path, &found), 0);

    assert_int_equal(truncate(path, found.st_size - 7), 0);
    fixture_open(fixture);

    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_int_equal(fixture->log.last_number, 9);
}

static void flip_byte(const char *path, off_t offset)
{
    uint8_t byte;
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, offset), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(file, &byte, 1, offset), 1);
    (void)close(file);
}

/* Judged DAMAGED until a new log has a record. */
static void expect_lost_log(struct storage_fixture *fixture)
{
    assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            storage_log_replay(fixture->storage, NULL, NULL, &fixture->log),
            PBFT_OK);
        assert_int_equal(fixture->log.verdict, PBFT_LOG_DAMAGED);
        fixture_close(fixture);
        assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    }
    assert_int_equal(
        storage_log_replay(fixture->storage, NULL, NULL, &fixture->log),
        PBFT_OK);
    assert_int_equal(storage_log_set_aside(fixture->storage, &fixture->log),
                     PBFT_OK);
    struct pbft_message *batch = cast_batch(&fixture->cast, 1000, 1, 1);
    const struct pbft_record record = {PBFT_RECORD_BODY, 0, 1, batch};
    assert_int_equal(storage_log_append(fixture->storage, &record, 1), PBFT_OK);
    pbft_message_unref(batch);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
}

/* Nobody knows what it has forgotten: kept for the operator, and not believed.
 * The default mode of RocksDB would open this with half of the records. */
static void test_a_damaged_wal_is_set_aside(void **state)
{
    struct storage_fixture *fixture = *state;
    char path[SUPPORT_PATH_MAX];
    struct stat found;
    append_and_die(fixture, 10);
    assert_true(support_folder_newest(path, fixture->dir, ".log"));
    assert_int_equal(stat(path, &found), 0);

    flip_byte(path, found.st_size / 2);
    char envelopes[SUPPORT_PATH_MAX + 16];
    (void)snprintf(envelopes, sizeof envelopes, "%s/envelopes", fixture->dir);
    (void)close(open(envelopes, O_WRONLY | O_CREAT, 0600));

    expect_lost_log(fixture);
    char aside[SUPPORT_PATH_MAX + 16];
    (void)snprintf(aside, sizeof aside, "%s.damaged-1", fixture->dir);
    assert_int_equal(stat(aside, &found), 0);
    assert_int_equal(stat(envelopes, &found), 0); /* Taken back at once. */
    support_folder_remove(aside);
}

/* The process ended after it had set the folder aside, before it had taken the
 * envelopes out of it. */
static void test_envelopes_left_aside_are_taken_back(void **state)
{
    struct storage_fixture *fixture = *state;
    char aside[SUPPORT_PATH_MAX + 16];
    char path[SUPPORT_PATH_MAX + 32];
    struct stat found;
    (void)snprintf(aside, sizeof aside, "%s.damaged-2", fixture->dir);
    (void)snprintf(path, sizeof path, "%s/envelopes", aside);
    assert_int_equal(mkdir(aside, 0700), 0);
    (void)close(open(path, O_WRONLY | O_CREAT, 0600));
    fixture_open(fixture);
    assert_int_not_equal(stat(path, &found), 0);
    (void)snprintf(path, sizeof path, "%s/envelopes", fixture->dir);
    assert_int_equal(stat(path, &found), 0);
    support_folder_remove(aside);
}

/* Blocks in tables, the first bytes of which are then not those written. */
static void damage_tables(struct storage_fixture *fixture)
{
    fixture_open(fixture);
    for (pbft_seq seq = 1; seq <= 20; seq++) {
        fixture_write_block(fixture, seq);
    }
    fixture_close(fixture);
    fixture_open(fixture); /* Puts what was only in the log into tables. */
    fixture_close(fixture);
    DIR *folder = opendir(fixture->dir);
    assert_non_null(folder);
    int tables = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        if (strstr(entry->d_name, ".sst") != NULL) {
            char path[2 * SUPPORT_PATH_MAX];
            (void)snprintf(path, sizeof path, "%s/%s", fixture->dir,
                           entry->d_name);
            flip_byte(path, 10);
            tables++;
        }
    }
    (void)closedir(folder);
    assert_true(tables > 0);
}

/* RocksDB opens it; what a replica cannot start without cannot be read. */
static void test_damaged_tables_are_set_aside_by_the_next_open(void **state)
{
    struct storage_fixture *fixture = *state;
    char aside[SUPPORT_PATH_MAX + 16];
    struct salus_reason reason = {{0}};
    struct stat found;
    damage_tables(fixture);

    assert_int_equal(fixture_try_open_reason(fixture, &reason), PBFT_CLOSED);
    assert_non_null(strstr(reason.text, fixture->dir));
    expect_lost_log(fixture);

    (void)snprintf(aside, sizeof aside, "%s.damaged-1", fixture->dir);
    assert_int_equal(stat(aside, &found), 0);
    support_folder_remove(aside);
}

/* Else a mistake of the program would cost all replicas their ledgers. */
static void test_what_is_sound_is_not_set_aside(void **state)
{
    struct storage_fixture *fixture = *state;
    struct salus_reason reason = {{0}};
    fixture_open(fixture);
    salus_reason_set(&reason, "a row has no meaning");

    assert_false(storage_is_damaged(fixture->storage));
    assert_int_equal(storage_condemn(fixture->storage, PBFT_CORRUPT, &reason),
                     PBFT_CORRUPT);
    assert_non_null(strstr(reason.text, fixture->dir));
    assert_int_equal(storage_condemn(fixture->storage, PBFT_IO, &reason),
                     PBFT_IO);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->log.verdict, PBFT_LOG_INTACT);
    assert_null(storage_set_aside(fixture->storage, &reason));
}

static void test_open_needs_the_folder_above(void **state)
{
    struct storage_fixture *fixture = *state;
    const size_t size = strlen(fixture->dir);
    (void)snprintf(fixture->dir + size, sizeof fixture->dir - size, "/a/b");
    assert_int_equal(fixture_try_open(fixture), PBFT_INVALID_ARGUMENT);
    fixture->dir[size] = '\0';
}

/* The replica has had a folder before, its owner says: this one is no new one.
 */
static void test_an_empty_folder_that_should_have_data(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture->expects_data = true;
    expect_lost_log(fixture);
}

static void test_meta(void **state)
{
    struct storage_fixture *fixture = *state;
    const uint8_t value[3] = {7, 8, 9};
    uint8_t found[3] = {0};
    size_t size = 0;
    fixture_open(fixture);

    assert_int_equal(storage_meta_get(fixture->storage, "incarnation", found,
                                      sizeof found, &size),
                     PBFT_NOT_FOUND);
    assert_int_equal(storage_meta_put(fixture->storage, "incarnation",
                                      (struct pbft_bytes){value, sizeof value}),
                     PBFT_OK);
    assert_int_equal(
        storage_meta_get(fixture->storage, "incarnation", found, 2, &size),
        PBFT_TOO_LARGE);
    assert_int_equal(storage_meta_get(fixture->storage, "incarnation", found,
                                      sizeof found, &size),
                     PBFT_OK);
    assert_memory_equal(found, value, sizeof value);
    static uint8_t large[STORAGE_META_VALUE_MAX + 1];
    assert_int_equal(storage_meta_put(fixture->storage, "large",
                                      (struct pbft_bytes){large, sizeof large}),
                     PBFT_TOO_LARGE);
}

static void test_stats_count_syncs(void **state)
{
    struct storage_fixture *fixture = *state;
    struct storage_stats before;
    struct storage_stats after;
    fixture_open(fixture);
    storage_stats(fixture->storage, &before);

    assert_int_equal(
        storage_meta_put(fixture->storage, "x", (struct pbft_bytes){NULL, 0}),
        PBFT_OK);

    storage_stats(fixture->storage, &after);
    assert_int_equal(after.syncs, before.syncs + 1);
    assert_true(after.disk_bytes > 0);
    assert_true(after.disk_free_bytes > 0);
}

#define SMALL_DISK "size=12m"
#define APPENDS_MAX 100

/* Appends bodies until the disk is full. */
static enum pbft_status fill(struct storage_fixture *fixture)
{
    enum pbft_status status = PBFT_OK;
    static char payload[256 * 1024];
    memset(payload, 'x', sizeof payload - 1);
    for (unsigned i = 1; i <= APPENDS_MAX && status == PBFT_OK; i++) {
        const struct pbft_message *request =
            cast_request(&fixture->cast, i, payload);
        struct pbft_message *batch = pbft_batch_create(
            &fixture->cast.replicas[0].domain, 1000 + i, &request, 1);
        const struct pbft_record record = {PBFT_RECORD_BODY, 0, i, batch};
        status = storage_log_append(fixture->storage, &record, 1);
        pbft_message_unref(batch);
        pbft_message_unref(request);
    }
    return status;
}

static void test_full_disk_is_final(void **state)
{
    struct storage_fixture *fixture = *state;
    if (geteuid() != 0 ||
        mount("salus-test", fixture->dir, "tmpfs", 0, SMALL_DISK) != 0) {
        printf("SKIPPED: a small tmpfs for the full-disk test needs root\n");
        skip();
    }
    fixture->free_bytes_min = 1;
    fixture_open(fixture);

    enum pbft_status status = fill(fixture);
    enum pbft_status later =
        storage_meta_put(fixture->storage, "x", (struct pbft_bytes){NULL, 0});
    struct salus_reason reason = {{0}};
    enum pbft_status kept = storage_failure(fixture->storage, &reason);
    fixture_close(fixture);
    (void)umount2(fixture->dir, MNT_DETACH);

    assert_int_equal(status, PBFT_NO_SPACE);
    assert_int_equal(later, PBFT_NO_SPACE);
    assert_int_equal(kept, PBFT_NO_SPACE);
    assert_non_null(strstr(reason.text, "No space left on device"));
}

static void test_open_needs_some_space(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture->free_bytes_min = UINT64_MAX;
    assert_int_equal(fixture_try_open(fixture), PBFT_NO_SPACE);
}

/* ---- families of another version ---------------------------------------- */

#define FAMILIES_MAX 16

/* Opens it as any program could, and takes a family away, or makes one, as if
 * another version had made the database. */
static void change_families(const char *dir, const char *dropped,
                            const char *added)
{
    char *error = NULL;
    size_t count = 0;
    rocksdb_options_t *options = rocksdb_options_create();
    const rocksdb_options_t *each[FAMILIES_MAX];
    rocksdb_column_family_handle_t *handles[FAMILIES_MAX];
    char **names = rocksdb_list_column_families(options, dir, &count, &error);
    assert_null(error);
    assert_in_range(count, 1, FAMILIES_MAX);
    for (size_t i = 0; i < count; i++) {
        each[i] = options;
    }
    rocksdb_t *db = rocksdb_open_column_families(options, dir, (int)count,
                                                 (const char *const *)names,
                                                 each, handles, &error);
    assert_null(error);
    for (size_t i = 0; i < count; i++) {
        if (dropped != NULL && strcmp(names[i], dropped) == 0) {
            rocksdb_drop_column_family(db, handles[i], &error);
            assert_null(error);
        }
        rocksdb_column_family_handle_destroy(handles[i]);
    }
    if (added != NULL) {
        rocksdb_column_family_handle_destroy(
            rocksdb_create_column_family(db, options, added, &error));
        assert_null(error);
    }
    rocksdb_close(db);
    rocksdb_list_column_families_destroy(names, count);
    rocksdb_options_destroy(options);
}

static size_t count_families(const char *dir)
{
    char *error = NULL;
    size_t count = 0;
    rocksdb_options_t *options = rocksdb_options_create();
    char **names = rocksdb_list_column_families(options, dir, &count, &error);
    assert_null(error);
    rocksdb_list_column_families_destroy(names, count);
    rocksdb_options_destroy(options);
    return count;
}

/* The version that made it must be able to open it again. */
static void test_another_version_is_refused_unchanged(void **state)
{
    struct storage_fixture *fixture = *state;
    struct salus_reason reason;
    fixture_open(fixture);
    fixture_close(fixture);
    const size_t all = count_families(fixture->dir);
    change_families(fixture->dir, "due", NULL);
    assert_int_equal(fixture_try_open_reason(fixture, &reason), PBFT_VERSION);
    assert_non_null(strstr(reason.text, "not the families of this version"));
    assert_int_equal(count_families(fixture->dir), all - 1);
    change_families(fixture->dir, NULL, "due"); /* Older, and newer, ones. */
    change_families(fixture->dir, NULL, "of tomorrow");
    assert_int_equal(fixture_try_open_reason(fixture, &reason), PBFT_VERSION);
    assert_int_equal(count_families(fixture->dir), all + 1);
}

/* After a crash while the log was set aside, `log` alone is missing; after one
 * while the database was made, much is, and there is no identity. */
static void test_what_a_crash_has_left_is_completed(void **state)
{
    struct storage_fixture *fixture = *state;
    char *error = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_close(rocksdb_open(options, fixture->dir, &error));
    rocksdb_options_destroy(options);
    assert_null(error);
    fixture_open(fixture);
    fixture_close(fixture);
    const size_t all = count_families(fixture->dir);
    change_families(fixture->dir, "log", NULL);
    assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    fixture_close(fixture);
    assert_int_equal(count_families(fixture->dir), all);
}

/* Two bytes for a row, but no more than may be taken altogether. */
static void test_the_cache_grows_with_the_ledger(void **state)
{
    const uint64_t mib = UINT64_C(1) << 20;
    (void)state;
    assert_int_equal(rocks_cache_wanted(32 * mib, 0, 4096 * mib), 32 * mib);
    assert_int_equal(rocks_cache_wanted(32 * mib, 8 * mib, 4096 * mib),
                     48 * mib);
    assert_int_equal(rocks_cache_wanted(32 * mib, UINT64_MAX / 4, 4096 * mib),
                     4096 * mib);
    assert_int_equal(rocks_cache_wanted(32 * mib, 8 * mib, 16 * mib), 32 * mib);
    assert_int_equal(rocks_cache_wanted(32 * mib, 8 * mib, 0), 32 * mib);
}

/* Whatever the answer, the question leaves nothing behind. */
static void test_asking_for_direct_writes_leaves_nothing(void **state)
{
    const struct storage_fixture *fixture = *state;
    char absent[SUPPORT_PATH_MAX + sizeof "/absent"];
    size_t names = 0;
    (void)snprintf(absent, sizeof absent, "%s/absent", fixture->dir);
    assert_false(direct_is_possible(absent));
    assert_false(direct_is_possible("/proc"));
    (void)direct_is_possible(fixture->dir);
    DIR *folder = opendir(fixture->dir);
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        names++;
    }
    assert_int_equal(closedir(folder), 0);
    assert_int_equal(names, 2); /* The folder and its parent. */
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open_new_then_again),
        TEST(test_open_refuses_another_replica),
        TEST(test_open_refuses_another_cluster),
        TEST(test_open_refuses_a_folder_in_use),
        TEST(test_open_refuses_a_file),
        TEST(test_open_wants_a_parent),
        TEST(test_open_closes_an_empty_folder_to_others),
        TEST(test_open_refuses_a_folder_that_others_may_enter),
        TEST(test_open_after_a_crash_keeps_all),
        TEST(test_open_cuts_a_torn_tail),
        TEST(test_a_damaged_wal_is_set_aside),
        TEST(test_envelopes_left_aside_are_taken_back),
        TEST(test_damaged_tables_are_set_aside_by_the_next_open),
        TEST(test_what_is_sound_is_not_set_aside),
        TEST(test_open_needs_the_folder_above),
        TEST(test_an_empty_folder_that_should_have_data),
        TEST(test_meta),
        TEST(test_stats_count_syncs),
        TEST(test_open_needs_some_space),
        TEST(test_another_version_is_refused_unchanged),
        TEST(test_what_a_crash_has_left_is_completed),
        cmocka_unit_test(test_the_cache_grows_with_the_ledger),
        TEST(test_asking_for_direct_writes_leaves_nothing),
        TEST(test_full_disk_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
