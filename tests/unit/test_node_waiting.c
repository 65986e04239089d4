/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait for a proof are answered once, by whoever takes them; and the
 * memory of verified requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/request_cache.h"
#include "node/waiting.h"

#define CALLS_MAX 8

static struct pbft_digest digest_of(uint8_t value)
{
    struct pbft_digest digest;
    memset(digest.bytes, value, sizeof digest.bytes);
    return digest;
}

static int setup(void **state)
{
    *state = waiting_create(CALLS_MAX);
    return 0;
}

static int teardown(void **state)
{
    waiting_destroy(*state);
    return 0;
}

static void add(struct waiting *waiting, uint8_t request, uint64_t call,
                pbft_time_ms deadline_ms)
{
    const struct pbft_digest digest = digest_of(request);
    const struct waiting_call entry = {.call = call,
                                       .deadline_ms = deadline_ms};
    assert_int_equal(waiting_add_request(waiting, &digest, &entry), PBFT_OK);
}

static void test_located_calls_are_taken_with_their_block(void **state)
{
    struct waiting *waiting = *state;
    struct waiting_call taken[CALLS_MAX];
    const struct pbft_digest request = digest_of(1);
    const struct results_location at = {.seq = 9, .request_index = 3};
    add(waiting, 1, 100, 50);
    add(waiting, 1, 101, 50);
    add(waiting, 2, 102, 50);

    assert_int_equal(waiting_locate(waiting, &request, &at), 2);

    assert_int_equal(waiting_take_block(waiting, taken, CALLS_MAX, 8), 0);
    assert_int_equal(waiting_take_block(waiting, taken, CALLS_MAX, 9), 2);
    assert_int_equal(taken[0].at.request_index, 3);
    assert_int_equal(waiting_take_block(waiting, taken, CALLS_MAX, 9), 0);
    assert_int_equal(waiting_count(waiting), 1);
}

/* Blocks 1 and 1025 lie on one chain. */
static void test_blocks_on_one_chain_are_kept_apart(void **state)
{
    struct waiting *waiting = *state;
    struct waiting_call taken[CALLS_MAX];
    const struct waiting_call first = {.call = 1, .at = {.seq = 1}};
    const struct waiting_call second = {.call = 2, .at = {.seq = 1025}};
    assert_int_equal(waiting_add_located(waiting, &first), PBFT_OK);
    assert_int_equal(waiting_add_located(waiting, &second), PBFT_OK);

    assert_int_equal(waiting_take_block(waiting, taken, CALLS_MAX, 1), 1);
    assert_int_equal(taken[0].call, 1);
    assert_int_equal(waiting_take_block(waiting, taken, CALLS_MAX, 1025), 1);
    assert_int_equal(taken[0].call, 2);
}

static void test_refused_request_takes_all_its_calls(void **state)
{
    struct waiting *waiting = *state;
    struct waiting_call taken[CALLS_MAX];
    const struct pbft_digest request = digest_of(1);
    add(waiting, 1, 100, 50);
    add(waiting, 2, 101, 50);
    add(waiting, 1, 102, 50);

    assert_int_equal(waiting_take_request(waiting, taken, 1, &request), 1);
    assert_int_equal(waiting_take_request(waiting, taken, CALLS_MAX, &request),
                     1);
    assert_int_equal(waiting_take_request(waiting, taken, CALLS_MAX, &request),
                     0);
    assert_int_equal(waiting_count(waiting), 1);
}

static void test_expired_calls_of_both_kinds(void **state)
{
    struct waiting *waiting = *state;
    struct waiting_call taken[CALLS_MAX];
    const struct waiting_call located = {
        .call = 3, .deadline_ms = 20, .at = {.seq = 4}};
    add(waiting, 1, 1, 10);
    add(waiting, 1, 2, 30);
    assert_int_equal(waiting_add_located(waiting, &located), PBFT_OK);

    assert_int_equal(waiting_take_expired(waiting, taken, CALLS_MAX, 9), 0);
    assert_int_equal(waiting_take_expired(waiting, taken, CALLS_MAX, 10), 1);
    assert_int_equal(taken[0].call, 1);
    assert_int_equal(waiting_take_expired(waiting, taken, CALLS_MAX, 25), 1);
    assert_int_equal(taken[0].call, 3);
    assert_int_equal(
        waiting_take_expired(waiting, taken, CALLS_MAX, PBFT_TIME_NEVER), 1);
    assert_int_equal(waiting_count(waiting), 0);
}

static void test_table_is_bounded_and_reused(void **state)
{
    struct waiting *waiting = *state;
    struct waiting_call taken[CALLS_MAX];
    const struct pbft_digest request = digest_of(7);
    const struct waiting_call more = {.call = 99};
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < CALLS_MAX; i++) {
            add(waiting, 7, i, 50);
        }
        assert_int_equal(waiting_add_request(waiting, &request, &more),
                         PBFT_LIMIT);
        assert_int_equal(
            waiting_take_request(waiting, taken, CALLS_MAX, &request),
            CALLS_MAX);
    }
}

static void test_cache_remembers(void **state)
{
    (void)state;
    struct request_cache *cache = request_cache_create(64);
    const struct pbft_digest known = digest_of(1);
    const struct pbft_digest unknown = digest_of(2);

    request_cache_add(cache, &known);
    request_cache_add(cache, &known);

    assert_true(request_cache_has(cache, &known));
    assert_false(request_cache_has(cache, &unknown));
    request_cache_destroy(cache);
}

/* All digests fall into one set: the oldest is forgotten, the others stay. */
static void test_cache_forgets_the_oldest(void **state)
{
    (void)state;
    struct request_cache *cache = request_cache_create(REQUEST_CACHE_WAYS);
    for (uint8_t i = 1; i <= REQUEST_CACHE_WAYS + 1; i++) {
        const struct pbft_digest digest = digest_of(i);
        request_cache_add(cache, &digest);
    }
    const struct pbft_digest oldest = digest_of(1);
    assert_false(request_cache_has(cache, &oldest));
    for (uint8_t i = 2; i <= REQUEST_CACHE_WAYS + 1; i++) {
        const struct pbft_digest digest = digest_of(i);
        assert_true(request_cache_has(cache, &digest));
    }
    request_cache_destroy(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_located_calls_are_taken_with_their_block),
        TEST(test_blocks_on_one_chain_are_kept_apart),
        TEST(test_refused_request_takes_all_its_calls),
        TEST(test_expired_calls_of_both_kinds),
        TEST(test_table_is_bounded_and_reused),
        cmocka_unit_test(test_cache_remembers),
        cmocka_unit_test(test_cache_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
