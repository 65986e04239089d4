/* SPDX-License-Identifier: Apache-2.0 */
/* Whose job is next, and for whom there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/verifier_queue.h"

#define SOURCES 4
#define THREADS 5
#define JOBS_MAX 64
#define BYTES_MAX 1000
#define MS UINT64_C(1000000)

static struct verifier_queue *queue;

static int setup(void **state)
{
    (void)state;
    queue = verifier_queue_create(SOURCES, THREADS - 1, JOBS_MAX, BYTES_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    verifier_queue_destroy(queue);
    return 0;
}

/* `call` tells one job from another. */
static bool put(uint32_t from, uint64_t call, size_t size)
{
    uint8_t *data = malloc(size);
    assert_non_null(data);
    const struct verifier_job job = {
        .from = from, .call = call, .buffer = pbft_buffer_create(data, size)};
    bool taken = verifier_queue_put(queue, &job);
    if (!taken) {
        pbft_buffer_unref(job.buffer);
    }
    return taken;
}

static struct verifier_job take(void)
{
    struct verifier_job job;
    verifier_queue_take(queue, &job);
    pbft_buffer_unref(job.buffer);
    return job;
}

/* Takes a job and is done with it. */
static struct verifier_job work(uint64_t cost_ns)
{
    struct verifier_job job = take();
    verifier_queue_charge(queue, job.from, cost_ns);
    return job;
}

static void test_jobs_of_one_source_stay_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(put(2, i, 1));
    }
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(work(MS).call, i);
    }
    assert_int_equal(verifier_queue_count(queue), 0);
}

static void test_equals_take_turns(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        for (uint32_t from = 0; from < SOURCES; from++) {
            assert_true(put(from, i, 1));
        }
    }
    for (uint32_t i = 0; i < 3 * SOURCES; i++) {
        assert_int_equal(work(MS).from, i % SOURCES);
    }
}

/* One whose jobs cost a hundred times as much gets as much time as another, not
 * as many jobs. */
static void test_who_is_expensive_waits_for_himself(void **state)
{
    uint64_t spent[2] = {0, 0};
    uint32_t done[2] = {0, 0};
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        (void)put(0, i, 1);
        (void)put(1, i, 1);
        uint32_t from = take().from;
        uint64_t cost = from == 0 ? 100 * MS : MS;
        verifier_queue_charge(queue, from, cost);
        spent[from] += cost;
        done[from]++;
    }
    assert_true(done[1] > 50 * done[0]);
    assert_true(spent[0] <= spent[1] + 100 * MS);
}

/* Nor does he get all threads before the first of his jobs is done. */
static void test_what_runs_counts(void **state)
{
    (void)state;
    assert_true(put(0, 0, 1));
    assert_int_equal(work(100 * MS).from, 0);
    assert_true(put(0, 1, 1));
    assert_true(put(0, 2, 1));
    assert_true(put(1, 0, 1));
    assert_true(put(1, 1, 1));
    assert_int_equal(take().from, 1);
    assert_int_equal(take().from, 1); /* Of unknown cost so far. */
    assert_int_equal(take().from, 0);
    verifier_queue_charge(queue, 1, MS);
    verifier_queue_charge(queue, 1, MS);
    assert_true(put(1, 2, 1));
    assert_int_equal(take().from, 1);
    assert_int_equal(take().from, 0);
}

/* One source has never all threads, whatever else is there to do. */
static void test_nobody_gets_the_last_thread(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < THREADS; i++) {
        assert_true(put(0, i, 1));
    }
    for (uint32_t i = 0; i + 1 < THREADS; i++) {
        assert_true(verifier_queue_is_ready(queue));
        (void)take();
    }
    assert_false(verifier_queue_is_ready(queue));
    assert_true(put(1, 0, 1));
    assert_int_equal(take().from, 1);
    assert_false(verifier_queue_is_ready(queue));
    verifier_queue_charge(queue, 0, MS);
    assert_true(verifier_queue_is_ready(queue));
    assert_int_equal(take().from, 0);
}

/* Who was silent for long does not keep out the others afterwards. */
static void test_who_rests_saves_nothing_up(void **state)
{
    uint32_t done[2] = {0, 0};
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(put(0, i, 1));
        (void)work(MS);
    }
    for (uint64_t i = 0; i < 20; i++) {
        assert_true(put(0, i, 1));
        assert_true(put(1, i, 1));
    }
    for (uint32_t i = 0; i < 20; i++) {
        done[work(MS).from]++;
    }
    assert_in_range(done[0], 9, 11);
}

static void test_nobody_has_more_than_he_leaves(void **state)
{
    uint32_t count[SOURCES] = {0};
    (void)state;
    for (uint32_t from = 0; from < SOURCES; from++) {
        while (put(from, 0, 1)) {
            count[from]++;
        }
    }
    assert_int_equal(count[0], JOBS_MAX / 2);
    assert_int_equal(count[1], JOBS_MAX / 4);
    assert_true(count[2] > 0);
    assert_true(count[3] > 0);
}

static void test_bytes_are_shared_likewise(void **state)
{
    (void)state;
    assert_true(put(0, 0, 400));
    assert_false(put(0, 1, 200)); /* 600 of 1000. */
    assert_true(put(0, 1, 100));
    assert_false(put(1, 0, 376)); /* An eighth is left for votes. */
    assert_true(put(1, 0, 375));  /* All that it has may be more. */
    assert_false(put(2, 0, 1));
    (void)work(MS);
    assert_true(put(2, 0, 100));
}

static void test_room_is_told_once(void **state)
{
    (void)state;
    while (put(0, 0, 1)) {
    }
    for (size_t i = 0; i < JOBS_MAX / 8; i++) {
        assert_false(verifier_queue_has_room(queue));
        (void)work(MS);
    }
    assert_true(verifier_queue_has_room(queue)); /* Five parts are free. */
    assert_false(verifier_queue_has_room(queue));
    (void)work(MS);
    assert_false(verifier_queue_has_room(queue)); /* Nobody was refused. */

    while (put(0, 0, 1) || put(1, 0, 1) || put(2, 0, 1) || put(3, 0, 1)) {
    }
    for (size_t i = 0; i + 1 < JOBS_MAX / 8; i++) {
        (void)work(MS);
        assert_false(verifier_queue_has_room(queue));
    }
    (void)work(MS);
    assert_true(verifier_queue_has_room(queue));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jobs_of_one_source_stay_in_order),
        TEST(test_equals_take_turns),
        TEST(test_who_is_expensive_waits_for_himself),
        TEST(test_what_runs_counts),
        TEST(test_nobody_gets_the_last_thread),
        TEST(test_who_rests_saves_nothing_up),
        TEST(test_nobody_has_more_than_he_leaves),
        TEST(test_bytes_are_shared_likewise),
        TEST(test_room_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
