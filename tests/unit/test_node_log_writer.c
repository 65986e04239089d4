/* SPDX-License-Identifier: Apache-2.0 */
/* The log writer: tickets become durable in order, many with one sync, and none
 * after a failure. */
#include <pthread.h>

#include "node/clock.h"
#include "node/log_writer.h"
#include "tests/support/storage.h"

#define TICKETS 40

struct reports {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pbft_ticket durable;
    bool went_back;
    enum pbft_status failed;
};

static void on_durable(void *context, pbft_ticket ticket)
{
    struct reports *reports = context;
    (void)pthread_mutex_lock(&reports->lock);
    reports->went_back = reports->went_back || ticket <= reports->durable;
    reports->durable = ticket;
    (void)pthread_cond_signal(&reports->changed);
    (void)pthread_mutex_unlock(&reports->lock);
}

static void on_failed(void *context, enum pbft_status status)
{
    struct reports *reports = context;
    (void)pthread_mutex_lock(&reports->lock);
    reports->failed = status;
    (void)pthread_cond_signal(&reports->changed);
    (void)pthread_mutex_unlock(&reports->lock);
}

static void wait_for(struct reports *reports, pbft_ticket ticket)
{
    (void)pthread_mutex_lock(&reports->lock);
    while (reports->durable < ticket && reports->failed == PBFT_OK) {
        (void)pthread_cond_wait(&reports->changed, &reports->lock);
    }
    (void)pthread_mutex_unlock(&reports->lock);
}

static void reports_init(struct reports *reports)
{
    *reports = (struct reports){.failed = PBFT_OK};
    (void)pthread_mutex_init(&reports->lock, NULL);
    (void)pthread_cond_init(&reports->changed, NULL);
}

static struct log_writer *create(struct storage_fixture *fixture,
                                 struct reports *reports)
{
    const struct log_writer_sink sink = {
        .context = reports, .durable = on_durable, .failed = on_failed};
    return log_writer_create(fixture->storage, &sink);
}

static void append_tickets(struct storage_fixture *fixture,
                           struct log_writer *writer, pbft_ticket count)
{
    struct pbft_log log = log_writer_vtable(writer);
    struct pbft_message *batch = cast_batch(&fixture->cast, 5, 1, 1);
    for (pbft_ticket ticket = 1; ticket <= count; ticket++) {
        struct pbft_message *vote =
            cast_vote(&fixture->cast, PBFT_MESSAGE_PREPARE, 0, 0, ticket,
                      &batch->batch.digest);
        const struct pbft_record record = {PBFT_RECORD_PREPARE, 0, ticket,
                                           vote};
        log.append(log.context, ticket, &record, 1);
        pbft_message_unref(vote);
    }
    pbft_message_unref(batch);
}

static void test_all_tickets_become_durable(void **state)
{
    struct storage_fixture *fixture = *state;
    struct reports reports;
    struct storage_stats before;
    struct storage_stats after;
    reports_init(&reports);
    fixture_open(fixture);
    storage_stats(fixture->storage, &before);
    struct log_writer *writer = create(fixture, &reports);

    append_tickets(fixture, writer, TICKETS);
    wait_for(&reports, TICKETS);
    log_writer_destroy(writer);

    storage_stats(fixture->storage, &after);
    assert_int_equal(reports.durable, TICKETS);
    assert_false(reports.went_back);
    assert_int_equal(reports.failed, PBFT_OK);
    assert_int_equal(after.log_records, TICKETS);
    assert_true(after.syncs > before.syncs);
    assert_true(after.syncs - before.syncs <= TICKETS);
}

static void test_destroy_writes_what_is_waiting(void **state)
{
    struct storage_fixture *fixture = *state;
    struct reports reports;
    reports_init(&reports);
    fixture_open(fixture);
    struct log_writer *writer = create(fixture, &reports);

    append_tickets(fixture, writer, TICKETS);
    log_writer_destroy(writer);
    fixture_close(fixture);
    fixture_open(fixture);

    assert_int_equal(reports.durable, TICKETS);
    assert_int_equal(fixture->log.last_number, TICKETS);
}

static void test_failure_is_reported_and_final(void **state)
{
    struct storage_fixture *fixture = *state;
    struct reports reports;
    reports_init(&reports);
    /* A log that was not replayed takes no records. */
    assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    struct log_writer *writer = create(fixture, &reports);

    append_tickets(fixture, writer, TICKETS);
    wait_for(&reports, TICKETS);
    log_writer_destroy(writer);

    assert_int_equal(reports.failed, PBFT_CORRUPT);
    assert_int_equal(reports.durable, 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_tickets_become_durable),
        TEST(test_destroy_writes_what_is_waiting),
        TEST(test_failure_is_reported_and_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
