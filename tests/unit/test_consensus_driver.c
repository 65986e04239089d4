/* SPDX-License-Identifier: Apache-2.0 */
/* Effects come after durable records, in order; after a failure, never. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/driver.h"
#include "tests/support/cast.h"

#define TRACE_MAX 64

static struct cast cast;
static struct pbft_driver *driver;
static pbft_ticket last_ticket;
static size_t appended;
static size_t executed;
static size_t sent;
static pbft_seq executed_seqs[TRACE_MAX];
static pbft_time_ms now;

static void append(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count)
{
    (void)context;
    (void)records;
    assert_int_equal(ticket, last_ticket + 1);
    assert_true(count > 0);
    last_ticket = ticket;
    appended += count;
}

static void truncate_log(void *context, pbft_seq stable_seq)
{
    (void)context;
    (void)stable_seq;
}

static void transmit(void *context, const struct pbft_send *sends, size_t count)
{
    (void)context;
    (void)sends;
    sent += count;
}

static void execute(void *context, const struct pbft_commit *commit)
{
    (void)context;
    executed_seqs[executed++] = commit->seq;
}

static void attested(void *context, const struct pbft_attested *proof)
{
    (void)context;
    (void)proof;
}

static void serve(void *context, const struct pbft_serve *wanted)
{
    (void)context;
    (void)wanted;
}

static void read_body(void *context, const struct pbft_body_read *wanted)
{
    (void)context;
    (void)wanted;
}

static void arm(void *context, pbft_time_ms deadline)
{
    (void)context;
    (void)deadline;
}

static void step(struct pbft_event event)
{
    event.now = ++now;
    event.wall = 1000000;
    assert_true(pbft_driver_step(driver, &event) != PBFT_BUSY);
}

/* A cluster of one: a request is committed in one step. */
static void start_with(bool is_log_lost)
{
    const struct pbft_log log = {NULL, append, truncate_log};
    const struct pbft_transport transport = {NULL, transmit};
    const struct pbft_service service = {NULL,  execute,   attested,
                                         serve, read_body, NULL};
    const struct pbft_timer_service timer = {NULL, arm};
    struct pbft_config config;
    cast_init(&cast, 1);
    pbft_config_defaults(&config);
    config.pipeline_depth = config.window; /* Nothing gathers. */
    last_ticket = 0;
    appended = 0;
    executed = 0;
    sent = 0;
    driver = pbft_driver_create(pbft_replica_create(&config,
                                                    &cast.replicas[0].domain,
                                                    &cast.keyring, NULL),
                                &log, &transport, &service, &timer);
    assert_non_null(driver);
    step((struct pbft_event){.type = PBFT_EVENT_APPLIED});
    step((struct pbft_event){.type = PBFT_EVENT_START,
                             .is_log_lost = is_log_lost});
    pbft_driver_flush(driver);
}

static int start(void **state)
{
    (void)state;
    start_with(false);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    pbft_driver_destroy(driver);
    return 0;
}

static void submit(uint64_t sequence)
{
    struct pbft_message *request = cast_request(&cast, sequence, "x");
    step((struct pbft_event){.type = PBFT_EVENT_RECEIVE, .message = request});
    pbft_message_unref(request);
}

static void test_effects_wait_for_their_records(void **state)
{
    (void)state;
    submit(1);
    assert_int_equal(appended, 0);
    pbft_driver_flush(driver);
    assert_int_equal(appended, 4); /* Body, pre-prepare, prepared, commit. */
    assert_int_equal(executed, 0);
    assert_int_equal(pbft_driver_waiting(driver), 1);

    pbft_driver_durable(driver, 1);

    assert_int_equal(executed, 1);
    assert_int_equal(executed_seqs[0], 1);
    assert_int_equal(pbft_driver_waiting(driver), 0);
}

static void test_a_burst_shares_one_append(void **state)
{
    (void)state;
    submit(1);
    submit(2);
    submit(3);
    pbft_driver_flush(driver);
    assert_int_equal(last_ticket, 1);

    pbft_driver_durable(driver, 1);
    assert_int_equal(executed, 3);
}

static void test_later_tickets_cover_earlier_ones_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 5; i++) {
        submit(i);
        pbft_driver_flush(driver);
    }
    assert_int_equal(pbft_driver_waiting(driver), 5);
    pbft_driver_durable(driver, 2);
    assert_int_equal(executed, 2);

    pbft_driver_durable(driver, 1); /* Old news. */
    assert_int_equal(executed, 2);
    pbft_driver_durable(driver, 5);

    assert_int_equal(executed, 5);
    for (pbft_seq seq = 1; seq <= 5; seq++) {
        assert_int_equal(executed_seqs[seq - 1], seq);
    }
}

static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= PBFT_DRIVER_OUTPUTS_MAX; i++) {
        submit(i);
        pbft_driver_flush(driver);
    }
    struct pbft_message *request = cast_request(&cast, 999, "x");
    const struct pbft_event event = {.type = PBFT_EVENT_RECEIVE,
                                     .now = ++now,
                                     .wall = 1,
                                     .message = request};
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_BUSY);
    pbft_driver_durable(driver, 1);
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_ACCEPTED);
    pbft_message_unref(request);
}

static void test_nothing_leaves_after_a_failure(void **state)
{
    (void)state;
    submit(1);
    pbft_driver_flush(driver);
    pbft_driver_failed(driver);

    pbft_driver_durable(driver, 1);
    pbft_driver_flush(driver);

    assert_true(pbft_driver_has_failed(driver));
    assert_int_equal(executed, 0);
    assert_int_equal(sent, 0);
    const struct pbft_event event = {
        .type = PBFT_EVENT_TIMEOUT, .now = ++now, .timer = PBFT_TIMER_COUNT};
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_BUSY);
}

/* There is nobody to ask, to tell or to guard against. */
static void test_a_replica_alone_has_no_timers_for_others(void **state)
{
    (void)state;
    for (int timer = PBFT_TIMER_REQUEST; timer <= PBFT_TIMER_COUNT; timer++) {
        if (timer != PBFT_TIMER_BATCH) {
            step((struct pbft_event){.type = PBFT_EVENT_TIMEOUT,
                                     .timer = (enum pbft_timer)timer});
            pbft_driver_flush(driver);
        }
    }
    assert_int_equal(appended, 0);
    assert_int_equal(sent, 0);
    submit(1);
    pbft_driver_flush(driver);
    pbft_driver_durable(driver, 1);
    assert_int_equal(executed, 1);
}

/* It has promised something to its clients, and nobody can tell it what. */
static void test_a_replica_alone_does_not_recover(void **state)
{
    (void)state;
    start_with(true);
    submit(1);
    step((struct pbft_event){.type = PBFT_EVENT_TIMEOUT,
                             .timer = PBFT_TIMER_COUNT});
    pbft_driver_flush(driver);
    pbft_driver_durable(driver, last_ticket);
    assert_int_equal(executed, 0);
    struct pbft_report report;
    pbft_replica_report(pbft_driver_replica(driver), &report);
    assert_int_equal(report.condition, PBFT_CONDITION_RECOVERING);
    assert_false(report.may_vote);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_effects_wait_for_their_records),
        TEST(test_a_burst_shares_one_append),
        TEST(test_later_tickets_cover_earlier_ones_in_order),
        TEST(test_the_queue_is_bounded),
        TEST(test_nothing_leaves_after_a_failure),
        TEST(test_a_replica_alone_has_no_timers_for_others),
        cmocka_unit_test_teardown(test_a_replica_alone_does_not_recover, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
