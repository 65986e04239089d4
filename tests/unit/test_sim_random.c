/* SPDX-License-Identifier: Apache-2.0 */
/* The generator: known values, bounds, spread. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/random.h"

static void test_equal_seeds_draw_equally(void **state)
{
    (void)state;
    struct random a;
    struct random b;
    random_init(&a, 7, 1);
    random_init(&b, 7, 1);
    for (int i = 0; i < 1000; i++) {
        assert_true(random_next(&a) == random_next(&b));
    }
}

static void test_seeds_and_streams_differ(void **state)
{
    (void)state;
    struct random a;
    struct random seed;
    struct random stream;
    random_init(&a, 7, 1);
    random_init(&seed, 8, 1);
    random_init(&stream, 7, 2);
    uint64_t first = random_next(&a);
    assert_true(first != random_next(&seed));
    assert_true(first != random_next(&stream));
}

/* xoshiro256** from its reference state {1, 2, 3, 4}. */
static void test_reference_values(void **state)
{
    (void)state;
    static const uint64_t expected[] = {UINT64_C(11520), UINT64_C(0),
                                        UINT64_C(1509978240),
                                        UINT64_C(1215971899390074240)};
    struct random random = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(random_next(&random) == expected[i]);
    }
}

static void test_below_and_between_keep_bounds(void **state)
{
    (void)state;
    struct random random;
    unsigned seen[5] = {0};
    random_init(&random, 3, 0);
    for (int i = 0; i < 5000; i++) {
        uint64_t value = random_below(&random, 5);
        assert_true(value < 5);
        seen[value]++;
        value = random_between(&random, 10, 12);
        assert_true(value >= 10 && value <= 12);
    }
    for (int i = 0; i < 5; i++) {
        assert_in_range(seen[i], 800, 1200);
    }
    assert_true(random_below(&random, 1) == 0);
}

static void test_chance_at_its_ends(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3, 0);
    for (int i = 0; i < 1000; i++) {
        assert_false(random_chance(&random, 0));
        assert_true(random_chance(&random, 1000));
    }
}

static void test_exponential_mean(void **state)
{
    (void)state;
    struct random random;
    uint64_t sum = 0;
    random_init(&random, 5, 0);
    for (int i = 0; i < 20000; i++) {
        sum += random_exponential(&random, 1000);
    }
    assert_in_range(sum / 20000, 950, 1050);
    assert_true(random_exponential(&random, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_seeds_draw_equally),
        cmocka_unit_test(test_seeds_and_streams_differ),
        cmocka_unit_test(test_reference_values),
        cmocka_unit_test(test_below_and_between_keep_bounds),
        cmocka_unit_test(test_chance_at_its_ends),
        cmocka_unit_test(test_exponential_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
