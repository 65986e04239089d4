/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier pool: bounded lanes, taken from in turn. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/verifier_pool.h"

#define JOBS_MAX 4

struct world {
    struct verifier_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned done[VERIFIER_LANE_COUNT];
    enum verifier_lane order[2 * JOBS_MAX];
    unsigned rooms;
};

static void work(void *context, uint32_t thread, const struct verifier_job *job)
{
    struct world *world = context;
    (void)thread;
    (void)pthread_mutex_lock(&world->lock);
    unsigned total = world->done[0] + world->done[1];
    if (total < 2 * JOBS_MAX) {
        world->order[total] = job->lane;
    }
    world->done[job->lane]++;
    (void)pthread_cond_signal(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
}

static void room(void *context, enum verifier_lane lane)
{
    struct world *world = context;
    assert_int_equal(lane, VERIFIER_ENVELOPES);
    (void)pthread_mutex_lock(&world->lock);
    world->rooms++;
    (void)pthread_mutex_unlock(&world->lock);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)pthread_mutex_init(&world->lock, NULL);
    (void)pthread_cond_init(&world->changed, NULL);
    const struct verifier_pool_config config = {
        .threads = 1,
        .sources = {JOBS_MAX + 1, JOBS_MAX + 1},
        .jobs_max = {JOBS_MAX, JOBS_MAX},
        .bytes_max = {100, 100},
        .context = world,
        .work = work,
        .room = room,
    };
    world->pool = verifier_pool_create(&config);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    verifier_pool_destroy(world->pool);
    free(world);
    return 0;
}

static enum pbft_status put(struct world *world, enum verifier_lane lane,
                            uint32_t from, size_t size)
{
    uint8_t *data = malloc(size);
    assert_non_null(data);
    struct pbft_buffer *buffer = pbft_buffer_create(data, size);
    const struct verifier_job job = {
        .lane = lane, .from = from, .buffer = buffer};
    enum pbft_status status = verifier_pool_put(world->pool, &job);
    if (status != PBFT_OK) {
        pbft_buffer_unref(buffer);
    }
    return status;
}

static void wait_for(struct world *world, unsigned total)
{
    (void)pthread_mutex_lock(&world->lock);
    while (world->done[0] + world->done[1] < total) {
        (void)pthread_cond_wait(&world->changed, &world->lock);
    }
    (void)pthread_mutex_unlock(&world->lock);
}

static void test_lanes_are_bounded_by_count_and_bytes(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        assert_int_equal(put(world, VERIFIER_ENVELOPES, i, 1), PBFT_OK);
    }
    assert_int_equal(put(world, VERIFIER_ENVELOPES, JOBS_MAX, 1), PBFT_LIMIT);
    /* An empty lane takes a job of any size, but nothing beside it. */
    assert_int_equal(put(world, VERIFIER_CALLS, 0, 101), PBFT_OK);
    assert_int_equal(put(world, VERIFIER_CALLS, 1, 1), PBFT_LIMIT);
    verifier_pool_stop(world->pool);
    assert_int_equal(put(world, VERIFIER_CALLS, 0, 1), PBFT_CLOSED);
}

static void test_lanes_take_turns_and_room_is_told(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        assert_int_equal(put(world, VERIFIER_ENVELOPES, i, 1), PBFT_OK);
        assert_int_equal(put(world, VERIFIER_CALLS, i, 1), PBFT_OK);
    }
    assert_int_equal(put(world, VERIFIER_ENVELOPES, JOBS_MAX, 1), PBFT_LIMIT);

    verifier_pool_start(world->pool);
    wait_for(world, 2 * JOBS_MAX);
    verifier_pool_stop(world->pool);

    for (unsigned i = 0; i + 1 < 2 * JOBS_MAX; i++) {
        assert_true(world->order[i] != world->order[i + 1]);
    }
    assert_int_equal(world->rooms, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lanes_are_bounded_by_count_and_bytes),
        TEST(test_lanes_take_turns_and_room_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
