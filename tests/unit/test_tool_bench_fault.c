/* SPDX-License-Identifier: Apache-2.0 */
/* What a fault did to throughput, out of slots made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/bench_fault.h"

#define AT_MS 4000
#define END_MS 10000
#define PER_SLOT 50 /* 1,000 transactions a second. */

static struct load_report load;

static void fill(uint64_t from_ms, uint64_t to_ms, uint32_t per_slot)
{
    for (uint64_t i = from_ms / LOAD_SLOT_MS; i < to_ms / LOAD_SLOT_MS; i++) {
        load.slots[i] = per_slot;
    }
}

static struct bench_fault_result figures_of(enum bench_fault fault)
{
    const struct bench_fault_run run = {
        .fault = fault, .at_ms = AT_MS, .has_begun = true, .replica = 2};
    struct bench_fault_result out;
    load.elapsed_us = END_MS * UINT64_C(1000);
    bench_fault_figures(&run, &load, &out);
    return out;
}

static int begin(void **state)
{
    (void)state;
    memset(&load, 0, sizeof load);
    fill(0, END_MS, PER_SLOT);
    return 0;
}

static void assert_near(double value, double expected)
{
    assert_true(value > expected - 1 && value < expected + 1);
}

static void test_nothing_happens(void **state)
{
    (void)state;
    const struct bench_fault_result out = figures_of(BENCH_FAULT_DEAD_BACKUP);
    assert_near(out.before, 1000);
    assert_near(out.after, 1000);
    assert_near(out.gap_ms, 0);
    assert_true(out.is_back);
    assert_near(out.back_ms, 500); /* Not looked at before that. */
}

static void test_half_is_left(void **state)
{
    (void)state;
    fill(AT_MS, END_MS, PER_SLOT / 2);
    const struct bench_fault_result out = figures_of(BENCH_FAULT_FLOOD);
    assert_near(out.before, 1000);
    assert_near(out.after, 500);
    assert_near(out.gap_ms, 0);
    assert_false(out.is_back);
}

/* Nothing for two seconds, then all as before: the gap is a figure of its own,
 * and not of what comes after it. */
static void test_a_primary_that_is_replaced(void **state)
{
    (void)state;
    fill(AT_MS, AT_MS + 2000, 0);
    struct bench_fault_result out = figures_of(BENCH_FAULT_KILL_PRIMARY);
    assert_near(out.gap_ms, 2000);
    assert_true(out.is_back);
    /* The first second of which four fifths are full. */
    assert_near(out.back_ms, 1800);
    assert_true(out.after > 950);
    out = figures_of(BENCH_FAULT_SLOW_BACKUP);
    assert_near(out.after, 1000.0 * 4000 / 5500);
}

static void test_a_primary_that_nobody_replaces(void **state)
{
    (void)state;
    fill(AT_MS, END_MS, 0);
    const struct bench_fault_result out = figures_of(BENCH_FAULT_KILL_PRIMARY);
    assert_near(out.gap_ms, END_MS - AT_MS);
    assert_false(out.is_back);
    assert_near(out.after, 0);
}

/* Ended before it came to that. */
static void test_no_fault_no_figures(void **state)
{
    (void)state;
    const struct bench_fault_run run = {.fault = BENCH_FAULT_DEAD_BACKUP,
                                        .at_ms = AT_MS};
    struct bench_fault_result out;
    load.elapsed_us = 1000;
    bench_fault_figures(&run, &load, &out);
    assert_near(out.before, 0);
    assert_false(out.is_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_happens, begin),
        cmocka_unit_test_setup(test_half_is_left, begin),
        cmocka_unit_test_setup(test_a_primary_that_is_replaced, begin),
        cmocka_unit_test_setup(test_a_primary_that_nobody_replaces, begin),
        cmocka_unit_test_setup(test_no_fault_no_figures, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
