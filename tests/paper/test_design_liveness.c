/* SPDX-License-Identifier: Apache-2.0 */
/* P7 and P8, where they depart from the papers: whose progress counts, and how
 * a slow primary is judged. */
#include "tests/paper/paper.h"

/* A request of another institution than the cast's. */
static struct pbft_message *request_of_other(uint64_t sequence)
{
    struct pbft_message *like = cast_request(&cluster.cast, sequence, "p");
    struct pbft_request fields = like->request;
    fields.institution.bytes[0] ^= 0x5a;
    struct pbft_message *request = pbft_request_create(
        &cluster.cast.client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    pbft_message_sign(&cluster.cast.client.domain, request);
    pbft_message_unref(like);
    return request;
}

static void submit_to_backups(const struct pbft_message *request)
{
    for (pbft_replica_id id = 1; id < 4; id++) {
        (void)cluster_submit_request(&cluster, id, request);
    }
}

/* One request of the cast's institution every 10 ms, known to all and executed
 * at once. */
static void serve_others(uint64_t first, pbft_time_ms duration)
{
    for (pbft_time_ms at = 0; at < duration; at += 10) {
        paper_submit_all(first++);
        cluster_settle(&cluster);
        cluster_run(&cluster, 10);
    }
}

/* P7: the oldest request of an institution is passed over by those of the same
 * institution that come a timeout after it. They restart no timer: the last one
 * that does came before, so the primary is left two timeouts after it came. */
static void test_design_p7_what_is_passed_over_is_noticed(void **state)
{
    struct pbft_message *passed = cast_request(&cluster.cast, 900, "payload");
    (void)state;
    paper_drop(PBFT_MESSAGE_REQUEST); /* It never gets to the primary. */
    submit_to_backups(passed);
    serve_others(1, PAPER_TREQ); /* Progress: those may go before it. */
    assert_int_equal(paper_report(1).view, 0);
    serve_others(100, PAPER_TREQ - 20);
    assert_int_equal(paper_report(1).view, 0);
    serve_others(200, 30);
    assert_int_equal(paper_report(1).view, 1);
    assert_true(paper_executed(1) > 2 * PAPER_TREQ / 10 - 5);
    pbft_message_unref(passed);
}

/* P7: if it is executed itself, the timer starts anew for the next oldest. */
static void test_design_p7_the_oldest_restarts_the_timer(void **state)
{
    struct pbft_message *oldest = cast_request(&cluster.cast, 900, "payload");
    struct pbft_message *next = cast_request(&cluster.cast, 901, "payload");
    (void)state;
    paper_drop(PBFT_MESSAGE_REQUEST);
    submit_to_backups(oldest);
    submit_to_backups(next);
    cluster_run(&cluster, PAPER_TREQ - 1);
    (void)cluster_submit_request(&cluster, 0, oldest);
    cluster_run(&cluster, PAPER_TREQ - 1);
    assert_int_equal(paper_report(1).view, 0);
    cluster_run(&cluster, 2);
    assert_int_equal(paper_report(1).view, 1);
    pbft_message_unref(next);
    pbft_message_unref(oldest);
}

/* P7: what is executed for another institution restarts nothing: the primary is
 * left one timeout after the request came. */
static void test_design_p7_progress_of_others_restarts_nothing(void **state)
{
    struct pbft_message *censored = request_of_other(900);
    (void)state;
    paper_drop(PBFT_MESSAGE_REQUEST);
    submit_to_backups(censored);
    serve_others(1, PAPER_TREQ - 10);
    assert_int_equal(paper_report(1).view, 0);
    serve_others(100, 20);
    assert_int_equal(paper_report(1).view, 1);
    assert_true(paper_executed(1) > PAPER_TREQ / 10 - 2);
    pbft_message_unref(censored);
}

#define LONG_TREQ (2 * PAPER_TREQ)
#define PERIOD (2 * LONG_TREQ)
#define HELD (LONG_TREQ * 9 / 10) /* The request timer never expires. */

static bool are_requests_held;

/* A slow primary is one to which requests come late. */
static bool hold_requests(void *context, const struct cluster_packet *packet)
{
    return paper_filter(context, packet) ||
           (are_requests_held && packet->to == 0 &&
            packet->message->type == PBFT_MESSAGE_REQUEST);
}

static int monitor_setup(void **state)
{
    (void)state;
    paper_init(4);
    cluster.config.request_timeout_ms = LONG_TREQ;
    cluster.config.monitor_interval_ms = PERIOD;
    are_requests_held = false;
    cluster_start(&cluster);
    cluster.filter = hold_requests;
    return 0;
}

/* One period, in which R1, R2 and R3 each have a request ordered. */
static void serve_a_period(uint64_t first, bool is_late)
{
    const pbft_time_ms end = cluster.now + PERIOD;
    cluster_run(&cluster, 20);
    are_requests_held = is_late;
    for (pbft_replica_id id = 1; id < 4; id++) {
        (void)cluster_submit(&cluster, id, first + id);
    }
    cluster_run(&cluster, HELD);
    are_requests_held = false;
    for (pbft_replica_id id = 1; is_late && id < 4; id++) {
        (void)cluster_submit(&cluster, 0, first + id);
    }
    cluster_settle(&cluster);
    for (pbft_replica_id id = 1; id < 4; id++) {
        assert_int_equal(cluster_count_executed(&cluster, 1, first + id), 1);
    }
    assert_int_equal(paper_report(1).view, 0);
    cluster_run(&cluster, end - cluster.now);
}

/* The verdict falls just after each period. */
static pbft_view view_after(const char *periods)
{
    for (uint64_t i = 0; periods[i] != '\0'; i++) {
        serve_a_period(10 * (i + 1), periods[i] == 'L');
    }
    cluster_run(&cluster, 10);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(paper_report(id).view, paper_report(1).view);
    }
    return paper_report(1).view;
}

/* P8: a primary that lets requests lie in two of three periods is replaced,
 * although it orders each of them before any request timer expires: */
static void test_design_p8_late_in_two_of_three_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(view_after("LgL"), 1);
}

/* in the second one already, if both are late. */
static void test_design_p8_late_twice_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(view_after("LL"), 1);
}

/* P8: one late period is not enough, nor are two with two good ones between. */
static void test_design_p8_one_late_period_is_not_enough(void **state)
{
    (void)state;
    assert_int_equal(view_after("Lggg"), 0);
}

static void test_design_p8_late_in_two_of_four_is_not_enough(void **state)
{
    (void)state;
    assert_int_equal(view_after("LggLg"), 0);
}

#define MONITOR_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, monitor_setup, paper_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_design_p7_what_is_passed_over_is_noticed),
        PAPER_TEST(test_design_p7_the_oldest_restarts_the_timer),
        PAPER_TEST(test_design_p7_progress_of_others_restarts_nothing),
        MONITOR_TEST(test_design_p8_late_in_two_of_three_is_replaced),
        MONITOR_TEST(test_design_p8_late_twice_is_replaced),
        MONITOR_TEST(test_design_p8_one_late_period_is_not_enough),
        MONITOR_TEST(test_design_p8_late_in_two_of_four_is_not_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
