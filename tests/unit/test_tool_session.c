/* SPDX-License-Identifier: Apache-2.0 */
/* Each opening of a client key begins a session above all before it, whatever
 * became of the file of the last one. It is under test_tool_ beside libsalus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/client.h"

#define THREADS 8
#define PER_THREAD 25

static char path[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/salus-session-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static uint64_t now_us(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)(now.tv_nsec / 1000);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static uint64_t begin(void)
{
    uint64_t session = 0;
    struct salus_reason reason = {{0}};
    assert_int_equal(client_session_begin(path, &session, &reason), PBFT_OK);
    return session;
}

/* The ledger keeps the sessions before it: 1 would be closed, or used. */
static void test_a_lost_file_begins_at_the_clock(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) { /* Empty, then missing. */
        uint64_t before = now_us();
        uint64_t session = begin();
        assert_true(session >= before && session <= now_us());
        assert_true(begin() > session);
        (void)unlink(path);
    }
}

static void test_an_old_file_begins_at_the_clock(void **state)
{
    (void)state;
    uint64_t before = now_us();
    write_file("00000000000000000005\n");
    assert_true(begin() >= before);
}

/* The clock was put back, or was ahead when the file was written. */
static void test_a_clock_that_goes_back_repeats_nothing(void **state)
{
    (void)state;
    write_file("00009000000000000000\n");
    assert_true(begin() == UINT64_C(9000000000000001));
    assert_true(begin() == UINT64_C(9000000000000002));
}

static void test_a_number_written_by_hand_is_taken(void **state)
{
    (void)state;
    write_file("9000000000000000\n"); /* As date +%s%6N prints. */
    assert_true(begin() == UINT64_C(9000000000000001));
    assert_true(begin() == UINT64_C(9000000000000002));
}

static void test_what_is_no_number_is_refused(void **state)
{
    static const char *const wrong[] = {"x\n", "12", "12\n13\n",
                                        "18446744073709551615\n",
                                        "18446744073709551616\n"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t session = 0;
        struct salus_reason reason = {{0}};
        write_file(wrong[i]);
        assert_int_equal(client_session_begin(path, &session, &reason),
                         PBFT_CORRUPT);
        assert_non_null(strstr(reason.text, path));
    }
}

static void *begin_some(void *context)
{
    uint64_t *sessions = context;
    for (size_t i = 0; i < PER_THREAD; i++) {
        struct salus_reason reason = {{0}};
        if (client_session_begin(path, &sessions[i], &reason) != PBFT_OK) {
            sessions[i] = 0;
        }
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* In one file, with the clock behind it as well as ahead. */
static void test_no_two_share_one(void **state)
{
    static uint64_t sessions[THREADS * PER_THREAD];
    pthread_t threads[THREADS];
    (void)state;
    for (int behind = 0; behind < 2; behind++) {
        write_file(behind ? "00009000000000000000\n" : "");
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, begin_some,
                                            sessions + i * PER_THREAD),
                             0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        qsort(sessions, THREADS * PER_THREAD, sizeof sessions[0], compare);
        assert_true(sessions[0] != 0);
        for (size_t i = 1; i < THREADS * PER_THREAD; i++) {
            assert_true(sessions[i] > sessions[i - 1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_lost_file_begins_at_the_clock,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_old_file_begins_at_the_clock,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_clock_that_goes_back_repeats_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_number_written_by_hand_is_taken,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_number_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_two_share_one, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
