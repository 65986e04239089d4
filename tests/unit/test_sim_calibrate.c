/* SPDX-License-Identifier: Apache-2.0 */
/* The fit finds the costs by which made-up figures came about. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/calibrate.h"

static const char line[] =
    "{\"replicas\":4,\"payload_bytes\":256,\"transactions_per_request\":64,"
    "\"coalesced\":false,\"clients\":8,\"transactions_per_second\":3050.9,"
    "\"latency_p50_ms\":163.839,\"latency_p99_ms\":262.1,"
    "\"syncs_per_second\":56.5,\"client_cpu_seconds\":0.5,"
    "\"cpu_microseconds_per_transaction\":432.5,"
    "\"sent_bytes_per_transaction\":1455.8,\"transactions_per_block\":65.4,"
    "\"transactions\":10000,\"refused\":0}\n";

static void test_reads_what_bench_measured(void **state)
{
    (void)state;
    struct calibrate_run run;
    const char *reason = NULL;
    assert_true(calibrate_parse(&run, line, &reason));
    assert_int_equal(run.replicas, 4);
    assert_int_equal(run.per_request, 64);
    assert_true(run.measured[FIGURE_RATE] == 3050.9);
    assert_true(run.measured[FIGURE_CLIENT_CPU] == 50);
}

static void test_refuses_what_it_cannot_use(void **state)
{
    (void)state;
    struct calibrate_run run;
    const char *reason = NULL;
    char text[sizeof line];
    assert_false(calibrate_parse(&run, "{}", &reason));
    assert_string_equal(reason, "replicas");
    memcpy(text, line, sizeof line);
    memcpy(strstr(text, "\"coalesced\":false"), "\"coalesced\":true ", 17);
    assert_false(calibrate_parse(&run, text, &reason));
    memcpy(text, line, sizeof line);
    memcpy(strstr(text, "3050.9"), "xxxx.x", 6);
    assert_false(calibrate_parse(&run, text, &reason));
    assert_string_equal(reason, "transactions_per_second");
}

static void make_up(struct calibrate_run *run, const struct cost_model *costs,
                    uint32_t per_request, uint32_t clients)
{
    memset(run, 0, sizeof *run);
    run->replicas = 4;
    run->payload = 256;
    run->per_request = per_request;
    run->clients = clients;
    run->measured[FIGURE_RATE] = 1e6; /* As short as can be. */
    calibrate_predict(run, costs, 2);
    memcpy(run->measured, run->predicted, sizeof run->measured);
}

static void test_finds_known_costs(void **state)
{
    (void)state;
    struct calibrate_run runs[2];
    struct cost_model truth;
    struct cost_model costs;
    cost_defaults(&truth);
    truth.value[COST_TRANSACTION] *= 2.2;
    truth.value[COST_SYNC] *= 0.5;
    truth.value[COST_CLIENT_TRANSACTION] *= 1.7;
    truth.value[COST_REQUEST] *= 1.6;
    make_up(&runs[0], &truth, 1, 2);
    make_up(&runs[1], &truth, 64, 32); /* Busy: waits hide no cost. */
    cost_defaults(&costs);
    double error = calibrate_fit(&costs, runs, 2, 2);
    assert_true(error < 0.08);
    static const enum cost known[] = {COST_TRANSACTION,
                                      COST_CLIENT_TRANSACTION};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        double ratio = costs.value[known[i]] / truth.value[known[i]];
        assert_true(fabs(log(ratio)) < 0.25);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(fabs(calibrate_error(&runs[i], FIGURE_RATE)) < 0.1);
        assert_true(fabs(calibrate_error(&runs[i], FIGURE_CPU)) < 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_bench_measured),
        cmocka_unit_test(test_refuses_what_it_cannot_use),
        cmocka_unit_test(test_finds_known_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
