/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: round trip, modes, and every way in which one can be wrong. */
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

#include "crypto/file.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/random.h"

static char folder[64];
static char path[128];
static struct salus_reason reason;
static const struct pbft_institution institution = {{7, 1, 2}};

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/salus-keyfile-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/own.key", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void test_keyfile_round_trip(void **state)
{
    (void)state;
    for (int kind = KEYFILE_REPLICA; kind <= KEYFILE_ENCRYPTION; kind++) {
        struct keyfile key;
        struct keyfile got;
        struct stat info;
        keyfile_generate(&key, (enum keyfile_kind)kind, &institution);
        assert_int_equal(keyfile_create(path, &key, &reason), PBFT_OK);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_int_equal(
            keyfile_read(&got, path, (enum keyfile_kind)kind, &reason),
            PBFT_OK);
        assert_memory_equal(got.secret, key.secret, sizeof key.secret);
        assert_memory_equal(&got.public_key, &key.public_key,
                            sizeof key.public_key);
        assert_memory_equal(&got.institution, &institution, sizeof institution);
        assert_int_equal(unlink(path), 0);
    }
}

static void test_keyfile_never_overwrites(void **state)
{
    struct keyfile key;
    struct keyfile got;
    (void)state;
    keyfile_generate(&key, KEYFILE_REPLICA, &institution);
    assert_int_equal(keyfile_create(path, &key, &reason), PBFT_OK);
    struct keyfile other;
    keyfile_generate(&other, KEYFILE_REPLICA, &institution);
    assert_int_equal(keyfile_create(path, &other, &reason), PBFT_EXISTS);
    assert_int_equal(keyfile_read(&got, path, KEYFILE_REPLICA, &reason),
                     PBFT_OK);
    assert_memory_equal(got.secret, key.secret, sizeof key.secret);
}

static void test_keyfile_open_mode_is_refused(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0660, 0601};
    struct keyfile key;
    (void)state;
    keyfile_generate(&key, KEYFILE_CLIENT, &institution);
    assert_int_equal(keyfile_create(path, &key, &reason), PBFT_OK);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char text[16];
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(keyfile_read(&key, path, KEYFILE_CLIENT, &reason),
                         PBFT_PERMISSION);
        (void)snprintf(text, sizeof text, "mode %04o", (unsigned)modes[i]);
        assert_non_null(strstr(reason.text, text));
        assert_non_null(strstr(reason.text, "chmod 600"));
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(keyfile_read(&key, path, KEYFILE_CLIENT, &reason),
                     PBFT_OK);
}

static void test_keyfile_wrong_kind(void **state)
{
    struct keyfile key;
    const uint8_t zeros[32] = {0};
    (void)state;
    keyfile_generate(&key, KEYFILE_CLIENT, &institution);
    assert_int_equal(keyfile_create(path, &key, &reason), PBFT_OK);
    assert_int_equal(keyfile_read(&key, path, KEYFILE_REPLICA, &reason),
                     PBFT_INVALID_ARGUMENT);
    assert_non_null(
        strstr(reason.text, "the client key where the replica key is needed"));
    assert_memory_equal(key.secret, zeros, sizeof zeros); /* Wiped. */
}

static void test_keyfile_missing_folder_and_file(void **state)
{
    struct keyfile key;
    (void)state;
    assert_int_equal(keyfile_read(&key, path, KEYFILE_CLIENT, &reason),
                     PBFT_NOT_FOUND);
    assert_int_equal(keyfile_read(&key, folder, KEYFILE_CLIENT, &reason),
                     PBFT_INVALID_ARGUMENT);
    assert_non_null(strstr(reason.text, "not a regular file"));
}

/* Damage anywhere is noticed: the armor, the message, or the public key that
 * belongs to the secret. */
static void test_keyfile_damaged(void **state)
{
    struct keyfile key;
    uint8_t text[KEYFILE_BYTES_MAX];
    size_t size = 0;
    (void)state;
    keyfile_generate(&key, KEYFILE_REPLICA, &institution);
    const struct keyfile original = key;
    assert_int_equal(keyfile_create(path, &key, &reason), PBFT_OK);
    assert_int_equal(
        file_read(text, sizeof text, &size, path, FILE_SECRET, &reason),
        PBFT_OK);
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_int_equal(unlink(path), 0);
        assert_int_equal(file_create(path, FILE_SECRET,
                                     (struct pbft_bytes){text, size}, &reason),
                         PBFT_OK);
        /* Only the institution's id is not covered by anything. */
        if (keyfile_read(&key, path, KEYFILE_REPLICA, &reason) == PBFT_OK) {
            assert_memory_equal(key.secret, original.secret, sizeof key.secret);
        }
        text[i] ^= 1;
    }
    for (size_t cut = 0; cut < size - 1; cut += 5) {
        assert_int_equal(unlink(path), 0);
        assert_int_equal(file_create(path, FILE_SECRET,
                                     (struct pbft_bytes){text, cut}, &reason),
                         PBFT_OK);
        assert_int_not_equal(keyfile_read(&key, path, KEYFILE_REPLICA, &reason),
                             PBFT_OK);
    }
}

static void test_file_limits(void **state)
{
    uint8_t out[4];
    size_t size = 0;
    const struct pbft_bytes five = {(const uint8_t *)"12345", 5};
    (void)state;
    assert_int_equal(file_create(path, FILE_PUBLIC, five, &reason), PBFT_OK);
    assert_int_equal(
        file_read(out, sizeof out, &size, path, FILE_PUBLIC, &reason),
        PBFT_TOO_LARGE);
    assert_int_equal(
        file_create("/nonexistent/file", FILE_PUBLIC, five, &reason),
        PBFT_NOT_FOUND);
    assert_int_equal(unlink(path), 0);
    /* A pipe in place of a file is refused, not waited for. */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(
        file_read(out, sizeof out, &size, path, FILE_SECRET, &reason),
        PBFT_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keyfile_round_trip, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_keyfile_never_overwrites, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_keyfile_open_mode_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_keyfile_wrong_kind, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_keyfile_missing_folder_and_file,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_keyfile_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_limits, setup, teardown),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
