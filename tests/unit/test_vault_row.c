/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the vault: found by name, opened with the key only, forgotten for
 * good; and what is wrong with a vault is told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "vault/row.h"

#define PATH_SIZE (SUPPORT_PATH_MAX + 32)
/* Layout of SQLite's write-ahead log. */
#define LOG_HEAD 32
#define FRAME (24 + 4096)
#define WINDOW 24
#define SECRET "Xanthippa Zirbelnuss, MRN-QX-0048117"

struct fixture {
    char folder[SUPPORT_PATH_MAX];
    struct vault *vault;
};

static struct pbft_bytes text(const char *value)
{
    return (struct pbft_bytes){(const uint8_t *)value, strlen(value)};
}

static void path_of(const struct fixture *fixture, char *out, const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", fixture->folder, name);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    support_folder_create(fixture->folder);
    if (vault_create(fixture->folder, NULL) != PBFT_OK) {
        return -1;
    }
    return vault_open(&fixture->vault, fixture->folder, NULL) == PBFT_OK ? 0
                                                                         : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    vault_close(fixture->vault);
    support_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    vault_close(fixture->vault);
    fixture->vault = NULL;
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, NULL),
                     PBFT_OK);
}

/* Does `needle` stand in one of the files of the database? */
static bool on_disk(const struct fixture *fixture, const void *needle,
                    size_t needle_size)
{
    static const char *const names[] = {"vault.db", "vault.db-wal"};
    static uint8_t bytes[4u << 20];
    char path[PATH_SIZE];

    for (size_t i = 0; i < 2; i++) {
        path_of(fixture, path, names[i]);
        FILE *file = fopen(path, "rb");
        if (file == NULL) {
            continue;
        }
        size_t size = fread(bytes, 1, sizeof bytes, file);
        (void)fclose(file);
        for (size_t k = 0; k + needle_size <= size; k++) {
            if (memcmp(bytes + k, needle, needle_size) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void test_row_is_found_again_after_reopening(void **state)
{
    struct fixture *fixture = *state;
    struct vault_blob blob;

    assert_int_equal(vault_put(fixture->vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/17"), text(SECRET)),
                     PBFT_OK);
    reopen(fixture);
    assert_int_equal(
        vault_get(fixture->vault, &blob, VAULT_SUBJECT, text("Patient/17")),
        PBFT_OK);
    assert_int_equal(blob.size, strlen(SECRET));
    assert_memory_equal(blob.data, SECRET, blob.size);
    vault_blob_free(&blob);
}

static void test_row_of_another_kind_or_name_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct vault_blob blob;

    assert_int_equal(vault_put(fixture->vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/17"), text("x")),
                     PBFT_OK);
    assert_int_equal(
        vault_get(fixture->vault, &blob, VAULT_PARTICIPANT, text("Patient/17")),
        PBFT_NOT_FOUND);
    assert_int_equal(
        vault_get(fixture->vault, &blob, VAULT_SUBJECT, text("Patient/1")),
        PBFT_NOT_FOUND);
    assert_int_equal(vault_put(fixture->vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/17"), text("y")),
                     PBFT_EXISTS);
}

static void test_nothing_stands_in_clear_on_disk(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(vault_put(fixture->vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/MRN-QX-0048117"), text(SECRET)),
                     PBFT_OK);
    assert_false(on_disk(fixture, "MRN-QX", 6));
    assert_false(on_disk(fixture, "Zirbelnuss", 10));
    reopen(fixture);
    assert_false(on_disk(fixture, "MRN-QX", 6));
    assert_false(on_disk(fixture, "Zirbelnuss", 10));
}

static void test_names_are_added_moved_and_kept_apart(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    struct vault_blob blob;

    assert_int_equal(
        vault_put(vault, VAULT_RECORD, VAULT_PLAIN, text("#1"), text("one")),
        PBFT_OK);
    assert_int_equal(
        vault_put(vault, VAULT_RECORD, VAULT_PLAIN, text("#2"), text("two")),
        PBFT_OK);
    assert_int_equal(vault_alias(vault, VAULT_RECORD, text("#1"), text("doc")),
                     PBFT_OK);
    assert_int_equal(vault_alias(vault, VAULT_RECORD, text("#1"), text("doc")),
                     PBFT_OK);
    assert_int_equal(vault_alias(vault, VAULT_RECORD, text("#2"), text("doc")),
                     PBFT_EXISTS);
    assert_int_equal(vault_alias(vault, VAULT_RECORD, text("#3"), text("doc")),
                     PBFT_NOT_FOUND);
    assert_int_equal(vault_point(vault, VAULT_RECORD, text("doc"), text("#2")),
                     PBFT_OK);
    assert_int_equal(vault_get(vault, &blob, VAULT_RECORD, text("doc")),
                     PBFT_OK);
    assert_memory_equal(blob.data, "two", 3);
    vault_blob_free(&blob);
    assert_int_equal(vault_get(vault, &blob, VAULT_RECORD, text("#1")),
                     PBFT_OK);
    vault_blob_free(&blob);
}

static void test_forgotten_row_is_found_by_none_of_its_names(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    struct vault_blob blob;

    assert_int_equal(vault_put(vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/17"), text(SECRET)),
                     PBFT_OK);
    assert_int_equal(vault_alias(vault, VAULT_SUBJECT, text("Patient/17"),
                                 text("Patient?identifier=a|17")),
                     PBFT_OK);
    assert_int_equal(vault_forget(vault, VAULT_SUBJECT, text("Patient/17")),
                     PBFT_OK);
    assert_int_equal(vault_get(vault, &blob, VAULT_SUBJECT, text("Patient/17")),
                     PBFT_NOT_FOUND);
    assert_int_equal(
        vault_get(vault, &blob, VAULT_SUBJECT, text("Patient?identifier=a|17")),
        PBFT_NOT_FOUND);
    assert_int_equal(vault_forget(vault, VAULT_SUBJECT, text("Patient/17")),
                     PBFT_NOT_FOUND);
}

/* Random bytes: hardly a zero among them. */
static bool is_noise(const uint8_t *window)
{
    size_t zeros = 0;

    for (size_t i = 0; i < WINDOW; i++) {
        zeros += window[i] == 0;
    }
    return zeros <= 2;
}

/* The write-ahead log as it is. */
static size_t read_log(const struct fixture *fixture, uint8_t *out, size_t size)
{
    char path[PATH_SIZE];

    path_of(fixture, path, "vault.db-wal");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(out, 1, size, file);
    (void)fclose(file);
    return got;
}

static void test_forgotten_bytes_leave_the_disk(void **state)
{
    static uint8_t log[1u << 20];
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    size_t noise = 0;
    size_t left = 0;

    /* Given the pages that came with a row: its wrapped key, its sealed value
     * and the hash of its name lie at their ends. */
    assert_int_equal(vault_put(vault, VAULT_SUBJECT, VAULT_PLAIN,
                               text("Patient/17"), text(SECRET)),
                     PBFT_OK);
    size_t size = read_log(fixture, log, sizeof log);
    assert_true(size > LOG_HEAD);
    /* When the row is forgotten. */
    assert_int_equal(vault_forget(vault, VAULT_SUBJECT, text("Patient/17")),
                     PBFT_OK);
    /* Then none of these bytes is in the database or its log. */
    for (size_t end = LOG_HEAD + FRAME; end <= size; end += FRAME) {
        for (size_t back = 1; back <= 5; back++) {
            const uint8_t *window = log + end - back * WINDOW;
            if (is_noise(window)) {
                noise++;
                left += on_disk(fixture, window, WINDOW);
            }
        }
    }
    assert_true(noise >= 4);
    assert_int_equal(left, 0);
}

static void test_rollback_and_parts_undo(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    struct vault_blob blob;

    assert_int_equal(vault_begin(vault), PBFT_OK);
    assert_int_equal(vault_begin(vault), PBFT_INVALID_ARGUMENT);
    assert_int_equal(
        vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN, text("a"), text("1")),
        PBFT_OK);
    assert_int_equal(vault_part_begin(vault), PBFT_OK);
    assert_int_equal(
        vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN, text("b"), text("2")),
        PBFT_OK);
    assert_int_equal(vault_part_undo(vault), PBFT_OK);
    assert_int_equal(vault_commit(vault), PBFT_OK);
    assert_int_equal(vault_get(vault, &blob, VAULT_CONTEXT, text("a")),
                     PBFT_OK);
    vault_blob_free(&blob);
    assert_int_equal(vault_get(vault, &blob, VAULT_CONTEXT, text("b")),
                     PBFT_NOT_FOUND);
    assert_int_equal(vault_begin(vault), PBFT_OK);
    assert_int_equal(
        vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN, text("c"), text("3")),
        PBFT_OK);
    vault_rollback(vault);
    assert_int_equal(vault_get(vault, &blob, VAULT_CONTEXT, text("c")),
                     PBFT_NOT_FOUND);
}

static void test_limits_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    static uint8_t bytes[VAULT_VALUE_MAX + 1];

    assert_int_equal(vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN, text("big"),
                               (struct pbft_bytes){bytes, VAULT_VALUE_MAX}),
                     PBFT_OK);
    assert_int_equal(vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN, text("big2"),
                               (struct pbft_bytes){bytes, sizeof bytes}),
                     PBFT_TOO_LARGE);
    assert_int_equal(vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN,
                               (struct pbft_bytes){bytes, VAULT_NAME_MAX + 1},
                               text("x")),
                     PBFT_TOO_LARGE);
    assert_int_equal(vault_put(vault, VAULT_CONTEXT, VAULT_PLAIN,
                               (struct pbft_bytes){bytes, 0}, text("x")),
                     PBFT_INVALID_ARGUMENT);
}

static void test_second_process_is_locked_out(void **state)
{
    struct fixture *fixture = *state;
    struct vault *other = NULL;
    struct salus_reason reason = {""};

    assert_int_equal(vault_open(&other, fixture->folder, &reason), PBFT_LOCKED);
    assert_null(other);
    assert_non_null(strstr(reason.text, "another process"));
}

static void test_wrong_key_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct salus_reason reason = {""};
    char path[PATH_SIZE];

    vault_close(fixture->vault);
    fixture->vault = NULL;
    path_of(fixture, path, "vault.key");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    const int digit = fgetc(file); /* A key is random: any first digit. */
    rewind(file);
    assert_true(fputc(digit == '0' ? '1' : '0', file) >= 0);
    (void)fclose(file);
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "not the key"));
}

static void test_open_modes_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct salus_reason reason = {""};
    char path[PATH_SIZE];

    vault_close(fixture->vault);
    fixture->vault = NULL;
    path_of(fixture, path, "vault.db");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, &reason),
                     PBFT_PERMISSION);
    assert_int_equal(chmod(path, 0600), 0);
    path_of(fixture, path, "vault.key");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, &reason),
                     PBFT_PERMISSION);
}

static void test_damage_is_told(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_SIZE];

    vault_close(fixture->vault);
    fixture->vault = NULL;
    path_of(fixture, path, "vault.db");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_true(fputs("this is no database at all", file) >= 0);
    (void)fclose(file);
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, NULL),
                     PBFT_CORRUPT);
}

static void test_there_is_no_vault(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = NULL;

    assert_int_equal(vault_open(&vault, "/nonexistent/vault", NULL),
                     PBFT_NOT_FOUND);
    assert_int_equal(vault_create(fixture->folder, NULL), PBFT_EXISTS);
}

static void test_marks_list_open_rows_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct vault *vault = fixture->vault;
    int64_t ids[4];
    size_t count = 0;
    uint64_t open = 0;

    for (const char *name = "abc"; *name != 0; name++) {
        assert_int_equal(
            vault_put(vault, VAULT_JOURNAL, VAULT_OPEN,
                      (struct pbft_bytes){(const uint8_t *)name, 1},
                      text("open")),
            PBFT_OK);
    }
    assert_int_equal(vault_replace(vault, VAULT_JOURNAL, VAULT_PLAIN, text("b"),
                                   text("done")),
                     PBFT_OK);
    assert_int_equal(vault_count(vault, &open, VAULT_JOURNAL, VAULT_OPEN),
                     PBFT_OK);
    assert_int_equal(open, 2);
    assert_int_equal(
        vault_list(vault, ids, 4, &count, VAULT_JOURNAL, VAULT_OPEN), PBFT_OK);
    assert_int_equal(count, 2);
    assert_true(ids[0] < ids[1]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_row_is_found_again_after_reopening),
        T(test_row_of_another_kind_or_name_is_not_found),
        T(test_nothing_stands_in_clear_on_disk),
        T(test_names_are_added_moved_and_kept_apart),
        T(test_forgotten_row_is_found_by_none_of_its_names),
        T(test_forgotten_bytes_leave_the_disk),
        T(test_rollback_and_parts_undo),
        T(test_limits_are_kept),
        T(test_second_process_is_locked_out),
        T(test_wrong_key_is_told),
        T(test_open_modes_are_refused),
        T(test_damage_is_told),
        T(test_there_is_no_vault),
        T(test_marks_list_open_rows_oldest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
