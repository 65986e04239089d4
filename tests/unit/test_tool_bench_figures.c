/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of replicas of which one does not answer, and what is compared with
 * what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/bench_fault.h"
#include "client/bench_figures.h"

#define REPLICAS 4
#define TRANSACTIONS 1000

static struct bench *bench;
static struct bench_figures figures;

/* In ten seconds each did the same. */
static int begin(void **state)
{
    (void)state;
    bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->trial.count = REPLICAS;
    bench->load.elapsed_us = 10000000;
    bench->load.transactions = TRANSACTIONS;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        struct trial_status *after = &bench->after.replicas[i];
        bench->before.has_answered[i] = true;
        bench->after.has_answered[i] = true;
        bench->before.replicas[i].executed = 7;
        *after = (struct trial_status){.executed = 17,
                                       .cpu_us = 2000000,
                                       .bytes_sent = 3000,
                                       .client_bytes_received = 500,
                                       .written_bytes = 8000,
                                       .disk_bytes = 4000,
                                       .syncs = 50,
                                       .thread_count = 1};
        (void)snprintf(after->threads[0].name, TRIAL_THREAD_NAME_SIZE,
                       "executor");
        after->threads[0].cpu_us = 10000;
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(bench);
    return 0;
}

static void assert_near(double value, double expected)
{
    assert_true(value > expected - 0.001 && value < expected + 0.001);
}

/* What belongs to one replica, whoever answered. */
static void assert_shares(void)
{
    assert_near(figures.written_bytes_per_transaction, 8);
    assert_near(figures.disk_bytes_per_transaction, 4);
    assert_near(figures.syncs_per_transaction, 0.05);
    assert_near(figures.syncs_per_second, 5);
    assert_near(figures.transactions_per_block, 100);
    assert_int_equal(figures.thread_count, 1);
    assert_string_equal(figures.threads[0].name, "executor");
    assert_near(figures.threads[0].cpu_us_per_transaction, 10);
}

static void test_all_answer(void **state)
{
    (void)state;
    bench_figures_compute(bench, &figures);
    assert_int_equal(figures.answered, REPLICAS);
    assert_shares();
    assert_near(figures.cpu_us_per_transaction, 8000);
    assert_near(figures.sent_bytes_per_transaction, 12);
    assert_near(figures.client_bytes_per_transaction, 2);
}

/* Replica 0, of which names and blocks would come, is not an idle one. */
static void test_one_that_is_dead_is_left_out(void **state)
{
    (void)state;
    bench->after.has_answered[0] = false;
    memset(&bench->after.replicas[0], 0, sizeof bench->after.replicas[0]);
    bench_figures_compute(bench, &figures);
    assert_int_equal(figures.answered, REPLICAS - 1);
    assert_false(figures.processes[0].has_answered);
    assert_true(figures.processes[1].has_answered);
    assert_shares();
    assert_near(figures.cpu_us_per_transaction, 6000);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    memset(bench->after.has_answered, 0, sizeof bench->after.has_answered);
    bench_figures_compute(bench, &figures);
    assert_int_equal(figures.answered, 0);
    assert_near(figures.transactions_per_second, TRANSACTIONS / 10.0);
    assert_near(figures.cpu_us_per_transaction, 0);
    assert_near(figures.transactions_per_block, 0);
}

static struct bench_result result_of(uint32_t duration_ms, uint32_t warm_up_ms,
                                     double rate)
{
    struct bench_result result = {.setup = {.replicas = REPLICAS,
                                            .payload = 256,
                                            .per_request = 64,
                                            .submitters = 8,
                                            .duration_ms = duration_ms,
                                            .warm_up_ms = warm_up_ms},
                                  .machine = {.processor = "p",
                                              .kernel = "k",
                                              .file_system = "ext4",
                                              .cores = 2},
                                  .figures = {.seconds = duration_ms / 1000.0,
                                              .transactions_per_second = rate},
                                  .runs = 1};
    return result;
}

static void put_result(json_t *to, const struct bench_result *result)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    bench_print_json(result, NULL, file);
    (void)fclose(file);
    json_t *one = json_loads(text, 0, NULL);
    assert_non_null(one);
    assert_int_equal(json_array_append_new(to, one), 0);
    free(text);
}

/* What bench_compare() prints; the caller frees it. */
static char *compare(const struct bench_result *now, const json_t *earlier,
                     uint32_t expected)
{
    char *text = calloc(1, 4096);
    assert_non_null(text);
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    const uint32_t found = bench_compare(now, 1, earlier);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    (void)fread(text, 1, 4095, file);
    (void)fclose(file);
    assert_int_equal(found, expected);
    return text;
}

static void test_only_the_same_is_compared(void **state)
{
    (void)state;
    json_t *earlier = json_array();
    struct bench_result now = result_of(10000, 2000, 300);
    struct bench_result other = result_of(10000, 2000, 100);
    other.setup.fault = BENCH_FAULT_FLOOD;
    other.figures.fault.fault = BENCH_FAULT_FLOOD;
    put_result(earlier, &other);
    other = result_of(20000, 2000, 100);
    put_result(earlier, &other);
    other = result_of(10000, 1000, 100);
    put_result(earlier, &other);
    free(compare(&now, earlier, 0));

    other = result_of(10000, 2000, 100); /* The same, */
    put_result(earlier, &other);
    other = result_of(10000, 2000, 200); /* and again, later. */
    put_result(earlier, &other);
    char *text = compare(&now, earlier, 1);
    assert_non_null(strstr(text, "1.50 times"));
    assert_null(strstr(text, "NOT THE SAME MACHINE"));
    free(text);
    json_decref(earlier);
}

static void test_another_machine_is_told(void **state)
{
    (void)state;
    json_t *earlier = json_array();
    struct bench_result now = result_of(10000, 2000, 300);
    put_result(earlier, &now);
    now.machine.cores = 4;
    (void)snprintf(now.machine.file_system, sizeof now.machine.file_system,
                   "tmpfs");
    char *text = compare(&now, earlier, 1);
    assert_non_null(strstr(text, "NOT THE SAME MACHINE: 4 cores, then 2"));
    assert_non_null(strstr(text, "NOT THE SAME MACHINE: tmpfs, then ext4"));
    free(text);
    json_decref(earlier);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_answer),
        TEST(test_one_that_is_dead_is_left_out),
        TEST(test_nobody_answers),
        cmocka_unit_test(test_only_the_same_is_compared),
        cmocka_unit_test(test_another_machine_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
