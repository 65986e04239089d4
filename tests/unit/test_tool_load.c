/* SPDX-License-Identifier: Apache-2.0 */
/* What the load tells of a consortium that stalls or refuses: nothing that was
 * due is left out. The library is replaced by the functions below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "client/load.h"
#include "client/tool_clock.h"

#define WAITING_MAX 64
#define DURATION_MS 300
#define TRANSACTIONS 4 /* In a submission. */

/* A consortium that proves at once until it stalls; what waits then is proved
 * when the load is over. */
static struct {
    pthread_mutex_t lock;
    uint64_t stalls_at_us;
    uint32_t failures; /* So many calls fail first. */
    uint32_t submitted;
    size_t count;
    struct {
        salus_done *done;
        void *context;
    } waiting[WAITING_MAX];
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct load_report report;

static void prove(salus_done *done, void *context)
{
    static const struct salus_result results[TRANSACTIONS];
    done(context, results, TRANSACTIONS);
}

enum salus_status salus_submit_async(struct salus_client *client,
                                     const struct salus_transaction *items,
                                     size_t count, salus_done *done,
                                     void *context)
{
    (void)client;
    (void)items;
    assert_int_equal(count, TRANSACTIONS);
    (void)pthread_mutex_lock(&fake.lock);
    const bool fails = fake.failures > 0;
    const bool stalls = tool_now_us() >= fake.stalls_at_us;
    if (fails) {
        fake.failures--;
    } else {
        fake.submitted++;
    }
    if (!fails && stalls) {
        assert_true(fake.count < WAITING_MAX);
        fake.waiting[fake.count].done = done;
        fake.waiting[fake.count++].context = context;
    }
    (void)pthread_mutex_unlock(&fake.lock);
    if (!fails && !stalls) {
        prove(done, context);
    }
    return fails ? SALUS_NO_MEMORY : SALUS_OK;
}

enum salus_status salus_wait(struct salus_client *client, uint32_t timeout_ms)
{
    (void)client;
    (void)timeout_ms;
    while (fake.count > 0) {
        fake.count--;
        prove(fake.waiting[fake.count].done, fake.waiting[fake.count].context);
    }
    return SALUS_OK;
}

void salus_identity(const struct salus_client *client,
                    uint8_t cluster[SALUS_DIGEST_SIZE],
                    uint8_t institution[SALUS_ID_SIZE],
                    uint8_t key_id[SALUS_ID_SIZE])
{
    (void)client;
    memset(cluster, 1, SALUS_DIGEST_SIZE);
    memset(institution, 2, SALUS_ID_SIZE);
    memset(key_id, 3, SALUS_ID_SIZE);
}

static void run(uint32_t submitters, uint32_t rate, uint32_t stalls_after_ms,
                uint32_t failures)
{
    const struct load_options options = {.client_count = 1,
                                         .submitters = submitters,
                                         .transactions_per_submission =
                                             TRANSACTIONS,
                                         .rate = rate,
                                         .payload = LOAD_PAYLOAD_MIN,
                                         .duration_ms = DURATION_MS,
                                         .not_after_ms = 1};
    fake.failures = failures;
    fake.submitted = 0;
    fake.stalls_at_us = tool_now_us() + (uint64_t)stalls_after_ms * 1000;
    assert_int_equal(load_run(&options, &report), SALUS_OK);
}

/* It proves for 50 ms, and then nothing to the end: that is the longest pause,
 * and what waited was the slowest. */
static void test_a_stall_at_the_end_counts(void **state)
{
    (void)state;
    run(3, 0, 50, 0);
    assert_true(report.transactions > 0);
    assert_int_equal(report.failed, 0);
    assert_true(report.longest_pause_us >= (DURATION_MS - 150) * 1000);
    assert_true(report.longest_pause_us <= report.elapsed_us);
    assert_true(report.latency.max_us >= (DURATION_MS - 150) * 1000);
    /* Three of them; before the first proofs three had been due earlier. */
    assert_true(report.latency.count >= report.submissions);
}

/* All is due, two are under way, and the rest would have waited too. */
static void test_open_loop_counts_what_never_began(void **state)
{
    (void)state;
    const uint32_t due = 1000 * DURATION_MS / 1000; /* One in a millisecond. */
    run(2, 1000 * TRANSACTIONS, 0, 0);
    assert_int_equal(report.transactions, 0);
    assert_int_equal(fake.submitted, 2);
    assert_true(report.unstarted + fake.submitted >= due - 5);
    assert_true(report.longest_pause_us >= report.elapsed_us);
    assert_true(report.latency.count >= report.unstarted);
    /* Evenly due, so half of them would have waited half of the time. */
    const uint64_t median = histogram_permille(&report.latency, 500);
    assert_in_range(median, DURATION_MS * 400, report.elapsed_us);
}

static void test_open_loop_that_keeps_up_leaves_nothing(void **state)
{
    (void)state;
    run(64, 200 * TRANSACTIONS, 10 * DURATION_MS, 0);
    assert_true(report.transactions > 0);
    assert_true(report.unstarted <= 20); /* Due at last; machines stall. */
}

/* One submitter whose first two calls fail goes on; each failure is that of a
 * whole submission. */
static void test_a_failed_submission_keeps_its_submitter(void **state)
{
    (void)state;
    run(1, 0, 10 * DURATION_MS, 2);
    assert_int_equal(report.failed, 2 * TRANSACTIONS);
    assert_int_equal(report.first_failure, SALUS_NO_MEMORY);
    assert_true(report.transactions > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stall_at_the_end_counts),
        cmocka_unit_test(test_open_loop_counts_what_never_began),
        cmocka_unit_test(test_open_loop_that_keeps_up_leaves_nothing),
        cmocka_unit_test(test_a_failed_submission_keeps_its_submitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
