/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark of the simulator answers as a cluster would: slower networks,
 * more replicas, dearer work show. Equal settings give equal results. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bench.h"

static void settings_small(struct bench_settings *settings, uint32_t replicas)
{
    bench_defaults(settings, replicas);
    settings->duration_s = 0.5;
    settings->warm_up_s = 0.5;
    settings->per_request = 16;
    settings->clients = 16;
}

static struct bench_result run(const struct bench_settings *settings)
{
    struct bench_result result;
    bench_run(settings, &result);
    assert_true(result.transactions_per_second > 0);
    return result;
}

static struct bench_result run_at(const char *latency)
{
    struct bench_settings settings;
    settings_small(&settings, 4);
    assert_true(bench_latency_preset(&settings.latency, latency));
    settings.duration_s = 1.5;
    return run(&settings);
}

static void test_distance_costs_latency(void **state)
{
    (void)state;
    struct bench_result lan = run_at("lan");
    struct bench_result europe = run_at("wan-eu");
    struct bench_result world = run_at("wan-global");
    assert_true(lan.latency_ms[0] < europe.latency_ms[0]);
    assert_true(europe.latency_ms[0] < world.latency_ms[0]);
    assert_true(lan.transactions_per_second > world.transactions_per_second);
    /* Three one-way delays at least, to more than a weak quorum. */
    assert_true(world.latency_ms[0] > 100);
}

static void test_more_replicas_cost_more(void **state)
{
    (void)state;
    struct bench_settings settings;
    settings_small(&settings, 4);
    struct bench_result four = run(&settings);
    settings_small(&settings, 16);
    struct bench_result sixteen = run(&settings);
    assert_true(sixteen.cpu_us_per_transaction > four.cpu_us_per_transaction);
    assert_true(sixteen.sent_bytes_per_transaction >
                four.sent_bytes_per_transaction);
    assert_int_equal(sixteen.view, 0);
}

static void test_dear_syncs_and_thin_lines_show(void **state)
{
    (void)state;
    struct bench_settings settings;
    settings_small(&settings, 4);
    double fast = run(&settings).latency_ms[0];
    settings.costs.value[COST_SYNC] *= 20;
    double slow_disk = run(&settings).latency_ms[0];
    settings_small(&settings, 4);
    settings.nic_bits_per_second = 5e6;
    struct bench_result thin = run(&settings);
    double share = 0;
    bool is_primary = false;
    assert_true(slow_disk > fast);
    assert_true(thin.latency_ms[0] > fast);
    assert_string_equal(bench_bottleneck(&thin, &share, &is_primary),
                        "NIC out");
    assert_true(is_primary);
}

static void test_open_loop_keeps_its_rate(void **state)
{
    (void)state;
    struct bench_settings settings;
    settings_small(&settings, 4);
    settings.rate = 2000;
    settings.duration_s = 2;
    struct bench_result result = run(&settings);
    assert_true(result.transactions_per_second > 1600);
    assert_true(result.transactions_per_second < 2400);
    assert_true(result.latency_ms[0] < 50);
    assert_true(result.refused == 0);
}

static void test_equal_settings_equal_results(void **state)
{
    (void)state;
    struct bench_settings settings;
    settings_small(&settings, 4);
    struct bench_result first = run(&settings);
    struct bench_result second = run(&settings);
    assert_memory_equal(&first.latency_ms, &second.latency_ms,
                        sizeof first.latency_ms);
    assert_true(first.events == second.events);
}

static void test_budget_cuts_and_says_so(void **state)
{
    (void)state;
    struct bench_settings settings;
    struct bench_result result;
    settings_small(&settings, 4);
    settings.events_max = 20000;
    bench_run(&settings, &result);
    assert_true(result.is_cut);
    assert_true(result.events <= 20000);
}

static FILE *file_of(const char *text)
{
    static char copy[256];
    size_t size = strlen(text);
    memcpy(copy, text, size);
    return fmemopen(copy, size, "r");
}

static bool reads(const char *text, struct bench_latency *out)
{
    const char *reason = NULL;
    FILE *file = file_of(text);
    bool is_good = bench_latency_read(out, file, &reason);
    (void)fclose(file);
    return is_good;
}

static void test_latency_matrix(void **state)
{
    (void)state;
    static struct bench_latency latency;
    assert_true(reads("# ms\n0.1, 5\n7.5,0.1\n", &latency));
    assert_true(bench_one_way_ms(&latency, 0, 1) == 5);
    assert_true(bench_one_way_ms(&latency, 1, 0) == 7.5);
    assert_true(bench_one_way_ms(&latency, 3, 2) == 7.5);
    assert_true(bench_one_way_ms(&latency, 0, 2) == 0.1);
    assert_false(reads("0,1\n", &latency));
    assert_false(reads("0,1\n2\n", &latency));
    assert_false(reads("0,x\n1,0\n", &latency));
    assert_false(reads("0,-1\n1,0\n", &latency));
    assert_false(reads("# nothing\n", &latency));
}

static void test_cost_files(void **state)
{
    (void)state;
    struct cost_model costs;
    unsigned line = 0;
    cost_defaults(&costs);
    FILE *file = file_of("# made up\nverify_us 7.5\n\nsync_us 90\n");
    assert_true(cost_read(&costs, file, &line));
    (void)fclose(file);
    assert_true(costs.value[COST_VERIFY] == 7.5);
    assert_true(cost_ns(&costs, COST_SYNC) == 90000);
    file = file_of("verify_us 7\nspeed 3\n");
    assert_false(cost_read(&costs, file, &line));
    (void)fclose(file);
    assert_int_equal(line, 2);
}

static void test_drawing(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct bench_point points[2] = {
        {.replicas = 4, .result = {.transactions_per_second = 9}},
        {.replicas = 7, .result = {.transactions_per_second = 5}}};
    FILE *out = open_memstream(&text, &size);
    bench_svg(out, "a <b> & c", points, 2);
    (void)fclose(out);
    assert_int_equal(strncmp(text, "<svg ", 5), 0);
    assert_non_null(strstr(text, "</svg>"));
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance_costs_latency),
        cmocka_unit_test(test_more_replicas_cost_more),
        cmocka_unit_test(test_dear_syncs_and_thin_lines_show),
        cmocka_unit_test(test_open_loop_keeps_its_rate),
        cmocka_unit_test(test_equal_settings_equal_results),
        cmocka_unit_test(test_budget_cuts_and_says_so),
        cmocka_unit_test(test_latency_matrix),
        cmocka_unit_test(test_cost_files),
        cmocka_unit_test(test_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
