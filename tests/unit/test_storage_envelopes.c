/* SPDX-License-Identifier: Apache-2.0 */
/* The erasable store: what is put survives, what is erased is in no byte of the
 * data folder. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/envelopes.h"
#include "tests/support/storage.h"

struct fixture {
    char dir[SUPPORT_PATH_MAX];
    char path[SUPPORT_PATH_MAX + 16];
    struct cast cast;
    struct envelopes *store;
};

static void open_store(struct fixture *fixture)
{
    struct salus_reason reason;
    assert_int_equal(envelopes_open(fixture->dir, STORAGE_SYNCED,
                                    &fixture->cast.replicas[0].domain,
                                    &fixture->store, &reason),
                     PBFT_OK);
}

static void reopen(struct fixture *fixture)
{
    envelopes_close(fixture->store);
    open_store(fixture);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    cast_init(&fixture->cast, 4);
    support_folder_create(fixture->dir);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/envelopes",
                   fixture->dir);
    open_store(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    envelopes_close(fixture->store);
    support_folder_remove(fixture->dir);
    free(fixture);
    return 0;
}

static struct envelope_head head_of(uint32_t number)
{
    struct envelope_head head = {
        .state = ENVELOPE_WAITING, .since = number, .judged_at = 1000 + number};
    memset(head.name.record, 0x11, sizeof head.name.record);
    memcpy(head.name.record, &number, sizeof number);
    head.name.version = 1;
    memset(head.name.recipient_key, 0x22, sizeof head.name.recipient_key);
    memset(head.wrap_commit.bytes, 0x33, sizeof head.wrap_commit.bytes);
    memset(head.custodian.bytes, 0x44, sizeof head.custodian.bytes);
    memset(head.recipient.bytes, 0x55, sizeof head.recipient.bytes);
    return head;
}

/* Bytes that stand nowhere else. */
static struct envelope_secret secret_of(uint32_t number)
{
    struct envelope_secret secret;
    uint8_t *bytes = (uint8_t *)&secret;
    uint32_t random = number + 1;
    for (size_t i = 0; i < sizeof secret; i++) {
        random = random * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(0x80 | random >> 24);
    }
    return secret;
}

static uint32_t put(struct fixture *fixture, uint32_t number)
{
    const struct envelope_head head = head_of(number);
    const struct envelope_secret secret = secret_of(number);
    uint32_t slot = 0;
    assert_int_equal(envelopes_put(fixture->store, &head, &secret, &slot),
                     PBFT_OK);
    assert_int_equal(envelopes_sync(fixture->store), PBFT_OK);
    return slot;
}

/* Does any file of the folder hold `size` bytes of the wrap in a row? */
static bool folder_holds(const struct fixture *fixture,
                         const struct envelope_secret *secret, size_t size)
{
    bool found = false;
    DIR *folder = opendir(fixture->dir);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        char path[SUPPORT_PATH_MAX + 300];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s/%s", fixture->dir, entry->d_name);
        if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
            continue;
        }
        uint8_t *bytes = malloc((size_t)info.st_size + 1);
        int file = open(path, O_RDONLY);
        assert_non_null(bytes);
        assert_int_equal(read(file, bytes, (size_t)info.st_size), info.st_size);
        (void)close(file);
        for (size_t at = 0; at + size <= (size_t)info.st_size; at++) {
            found = found || memcmp(bytes + at, secret->wrap, size) == 0;
        }
        free(bytes);
    }
    (void)closedir(folder);
    return found;
}

static void test_what_is_put_is_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < 300; i++) {
        (void)put(fixture, i);
    }
    reopen(fixture);
    assert_int_equal(envelopes_end(fixture->store), 300);
    assert_int_equal(envelopes_damaged(fixture->store), 0);
    for (uint32_t i = 0; i < 300; i++) {
        const struct envelope_head expected = head_of(i);
        const struct envelope_secret secret = secret_of(i);
        struct envelope_secret found;
        uint32_t slot = 0;
        assert_true(envelopes_find(fixture->store, &expected.name, &slot));
        assert_memory_equal(envelopes_get(fixture->store, slot), &expected,
                            sizeof expected);
        assert_int_equal(envelopes_read(fixture->store, slot, &found), PBFT_OK);
        assert_memory_equal(&found, &secret, sizeof found);
    }
}

static void test_what_is_erased_is_in_no_file(void **state)
{
    struct fixture *fixture = *state;
    const struct envelope_secret secret = secret_of(7);
    (void)put(fixture, 6);
    uint32_t slot = put(fixture, 7);
    assert_true(folder_holds(fixture, &secret, ENVELOPE_WRAP_SIZE));
    assert_int_equal(envelopes_erase(fixture->store, slot), PBFT_OK);
    assert_int_equal(envelopes_sync(fixture->store), PBFT_OK);
    assert_false(folder_holds(fixture, &secret, 8));
    assert_null(envelopes_get(fixture->store, slot));
    reopen(fixture);
    const struct envelope_head head = head_of(7);
    assert_false(envelopes_find(fixture->store, &head.name, &slot));
    assert_int_equal(envelopes_damaged(fixture->store), 0);
    assert_int_equal(put(fixture, 8), 1); /* The slot is used again. */
}

static void test_a_mark_overwrites_the_secret(void **state)
{
    struct fixture *fixture = *state;
    const struct envelope_secret secret = secret_of(1);
    struct envelope_head head = head_of(1);
    uint32_t slot = put(fixture, 1);
    uint32_t again = 0;
    head.state = ENVELOPE_DELIVERED;
    head.receiver = 2;
    memset(head.receipt.bytes, 0x66, sizeof head.receipt.bytes);
    assert_int_equal(envelopes_put(fixture->store, &head, NULL, &again),
                     PBFT_OK);
    assert_int_equal(envelopes_sync(fixture->store), PBFT_OK);
    assert_int_equal(again, slot);
    assert_false(folder_holds(fixture, &secret, 8));
    reopen(fixture);
    assert_memory_equal(envelopes_get(fixture->store, slot), &head,
                        sizeof head);
}

static void test_another_wrap_takes_the_place_of_the_first(void **state)
{
    struct fixture *fixture = *state;
    const struct envelope_head head = head_of(1);
    const struct envelope_secret first = secret_of(1);
    const struct envelope_secret second = secret_of(2);
    uint32_t slot = put(fixture, 1);
    uint32_t again = 0;
    assert_int_equal(envelopes_put(fixture->store, &head, &second, &again),
                     PBFT_OK);
    assert_int_equal(slot, again);
    assert_false(folder_holds(fixture, &first, 24));
    assert_true(folder_holds(fixture, &second, ENVELOPE_WRAP_SIZE));
}

static void test_a_torn_slot_is_erased_at_open(void **state)
{
    struct fixture *fixture = *state;
    const struct envelope_head head = head_of(1);
    const struct envelope_secret secret = secret_of(1);
    uint32_t slot = put(fixture, 1);
    (void)put(fixture, 2);
    int file = open(fixture->path, O_WRONLY);
    assert_int_equal(pwrite(file, "torn", 4, 512 + 400), 4);
    (void)close(file);
    reopen(fixture);
    assert_int_equal(envelopes_damaged(fixture->store), 1);
    assert_false(envelopes_find(fixture->store, &head.name, &slot));
    assert_false(folder_holds(fixture, &secret, 24));
    reopen(fixture);
    assert_int_equal(envelopes_damaged(fixture->store), 0);
}

/* A slot that was copied to another place is not believed. */
static void test_a_slot_counts_in_its_place_alone(void **state)
{
    struct fixture *fixture = *state;
    uint8_t bytes[512];
    (void)put(fixture, 1);
    (void)put(fixture, 2);
    int file = open(fixture->path, O_RDWR);
    assert_int_equal(pread(file, bytes, sizeof bytes, 512), 512);
    assert_int_equal(pwrite(file, bytes, sizeof bytes, 1024), 512);
    (void)close(file);
    reopen(fixture);
    assert_int_equal(envelopes_damaged(fixture->store), 1);
}

static void test_another_format_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct salus_reason reason;
    envelopes_close(fixture->store);
    fixture->store = NULL;
    int file = open(fixture->path, O_WRONLY);
    assert_int_equal(pwrite(file, "\x02", 1, 11), 1);
    (void)close(file);
    assert_int_equal(envelopes_open(fixture->dir, STORAGE_SYNCED,
                                    &fixture->cast.replicas[0].domain,
                                    &fixture->store, &reason),
                     PBFT_VERSION);
    assert_non_null(strstr(reason.text, "format 2"));
}

static void test_envelopes_come_back_from_a_folder_set_aside(void **state)
{
    struct fixture *fixture = *state;
    char aside[SUPPORT_PATH_MAX];
    char path[SUPPORT_PATH_MAX + 16];
    struct salus_reason reason;
    (void)put(fixture, 1);
    envelopes_close(fixture->store);
    support_folder_create(aside);
    (void)snprintf(path, sizeof path, "%s/envelopes", aside);
    assert_int_equal(rename(fixture->path, path), 0);
    assert_int_equal(envelopes_move(aside, fixture->dir), PBFT_OK);
    assert_int_equal(envelopes_open(fixture->dir, STORAGE_SYNCED,
                                    &fixture->cast.replicas[0].domain,
                                    &fixture->store, &reason),
                     PBFT_OK);
    assert_int_equal(envelopes_end(fixture->store), 1);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(envelopes_move(aside, fixture->dir), PBFT_OK);
    support_folder_remove(aside);
}

static void test_the_file_has_an_end(void **state)
{
    struct fixture *fixture = *state;
    struct envelope_head head = head_of(0);
    uint32_t slot = 0;
    head.state = ENVELOPE_TAKEN;
    for (uint32_t i = 0; i < ENVELOPES_MAX; i++) {
        memcpy(head.name.record, &i, sizeof i);
        assert_int_equal(envelopes_put(fixture->store, &head, NULL, &slot),
                         PBFT_OK);
    }
    uint32_t more = ENVELOPES_MAX;
    memcpy(head.name.record, &more, sizeof more);
    assert_int_equal(envelopes_put(fixture->store, &head, NULL, &slot),
                     PBFT_LIMIT);
    assert_int_equal(envelopes_erase(fixture->store, 5), PBFT_OK);
    assert_int_equal(envelopes_put(fixture->store, &head, NULL, &slot),
                     PBFT_OK);
    assert_int_equal(slot, 5);
    struct stat info;
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_size, (ENVELOPES_MAX + 1) * 512);
    assert_int_equal(info.st_mode & 0777, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_put_is_there_after_a_restart),
        TEST(test_what_is_erased_is_in_no_file),
        TEST(test_a_mark_overwrites_the_secret),
        TEST(test_another_wrap_takes_the_place_of_the_first),
        TEST(test_a_torn_slot_is_erased_at_open),
        TEST(test_a_slot_counts_in_its_place_alone),
        TEST(test_another_format_is_refused),
        TEST(test_envelopes_come_back_from_a_folder_set_aside),
        TEST(test_the_file_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
