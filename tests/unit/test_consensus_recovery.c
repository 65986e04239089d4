/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back after promises were lost (TOCS'02 4; design: P14): silent, then
 * a new incarnation, then votes above its bound alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/incarnation.h"
#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define LOST 3
#define WALL_US UINT64_C(1700000000000000)

static struct cluster cluster;
static uint64_t next_sequence;

static void submit(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)cluster_submit(&cluster, 0, ++next_sequence);
        cluster_run(&cluster, 10);
    }
}

static int setup(void **state)
{
    (void)state;
    next_sequence = 0;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    return 0;
}

static int setup_seven(void **state)
{
    (void)state;
    next_sequence = 0;
    cluster_init(&cluster, 7);
    cluster_start(&cluster);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static bool is_vote(const struct pbft_message *message)
{
    return message->type == PBFT_MESSAGE_PRE_PREPARE ||
           message->type == PBFT_MESSAGE_PREPARE ||
           message->type == PBFT_MESSAGE_COMMIT ||
           message->type == PBFT_MESSAGE_VIEW_CHANGE ||
           message->type == PBFT_MESSAGE_NEW_VIEW ||
           message->type == PBFT_MESSAGE_ATTESTATION;
}

/* Counts what LOST says of its own; loses nothing. */
static struct {
    uint32_t votes;
    pbft_seq lowest; /* Of its prepares and commits. */
    uint64_t incarnation;
} heard;

static bool listen(void *context, const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    (void)context;
    if (packet->from != LOST || message->sender != LOST || !is_vote(message)) {
        return false;
    }
    heard.votes++;
    heard.incarnation = message->incarnation;
    if (message->type == PBFT_MESSAGE_PREPARE &&
        (heard.lowest == 0 || message->prepare.seq < heard.lowest)) {
        heard.lowest = message->prepare.seq;
    }
    return false;
}

static void start_listening(void)
{
    memset(&heard, 0, sizeof heard);
    cluster.filter = listen;
}

static bool is_normal(pbft_replica_id id)
{
    return cluster_report(&cluster, id).condition == PBFT_CONDITION_NORMAL;
}

static bool run_until_normal(pbft_replica_id id, pbft_time_ms limit)
{
    for (pbft_time_ms t = 0; t < limit && !is_normal(id); t += 10) {
        cluster_run(&cluster, 10);
    }
    return is_normal(id);
}

static void lose(pbft_replica_id id, bool all)
{
    cluster_crash(&cluster, id);
    cluster_lose_log(&cluster, id, all);
}

static void check_it_comes_back(bool all)
{
    submit(6);
    lose(LOST, all);
    start_listening();
    cluster_restart(&cluster, LOST);
    assert_int_equal(cluster_report(&cluster, LOST).condition,
                     PBFT_CONDITION_RECOVERING);

    assert_true(run_until_normal(LOST, 5000));
    const struct pbft_report report = cluster_report(&cluster, LOST);
    assert_int_equal(report.incarnation, 1);
    assert_true(report.may_vote);
    /* Null batches alone brought the others to its bound. */
    assert_true(report.stable >=
                pbft_bound_of(cluster_replica(&cluster, LOST), LOST));

    submit(4);
    assert_true(heard.votes > 0);
    assert_true(heard.lowest >
                pbft_bound_of(cluster_replica(&cluster, LOST), LOST));
    assert_int_equal(heard.incarnation, 1);

    /* It is needed for a quorum now. */
    cluster_crash(&cluster, 2);
    const pbft_seq before = cluster_report(&cluster, 0).executed;
    submit(2);
    assert_int_equal(cluster_report(&cluster, LOST).executed, before + 2);
}

static void test_a_lost_log_comes_back(void **state)
{
    (void)state;
    check_it_comes_back(false);
}

static void test_a_wiped_replica_comes_back(void **state)
{
    (void)state;
    check_it_comes_back(true);
}

static bool lose_requests(void *context, const struct cluster_packet *packet)
{
    (void)listen(context, packet);
    return packet->message->type == PBFT_MESSAGE_REQUEST;
}

static void test_it_is_silent_until_then(void **state)
{
    (void)state;
    submit(6);
    lose(LOST, true);
    start_listening();
    cluster.filter = lose_requests; /* No RECOVER is ordered. */
    cluster_restart(&cluster, LOST);
    for (uint64_t i = 0; i < 6; i++) {
        (void)cluster_submit(&cluster, 0, ++next_sequence);
        cluster_run(&cluster, 100);
    }
    assert_int_equal(cluster_report(&cluster, LOST).condition,
                     PBFT_CONDITION_RECOVERING);
    assert_int_equal(cluster_report(&cluster, LOST).executed,
                     cluster_report(&cluster, 0).executed);
    assert_int_equal(heard.votes, 0);
    cluster.filter = listen;
    assert_true(run_until_normal(LOST, 5000));
}

static void test_a_crash_in_the_middle_is_no_way_out(void **state)
{
    (void)state;
    submit(6);
    lose(LOST, true);
    start_listening();
    cluster.filter = lose_requests;
    cluster_restart(&cluster, LOST);
    cluster_run(&cluster, 400);

    /* The log is sound by now, but for what was lost before. */
    cluster_crash(&cluster, LOST);
    cluster_restart(&cluster, LOST);
    cluster_run(&cluster, 400);
    assert_int_equal(cluster_report(&cluster, LOST).condition,
                     PBFT_CONDITION_RECOVERING);
    assert_int_equal(heard.votes, 0);

    cluster.filter = listen;
    for (int i = 0; i < 40 && !is_normal(LOST); i++) {
        cluster_run(&cluster, 15); /* Wherever it stands: once more. */
        if (i < 20) {
            cluster_crash(&cluster, LOST);
            cluster_restart(&cluster, LOST);
        }
    }
    assert_true(run_until_normal(LOST, 5000));
    assert_int_equal(cluster_report(&cluster, LOST).incarnation, 1);
    submit(2);
    assert_true(heard.lowest >
                pbft_bound_of(cluster_replica(&cluster, LOST), LOST));
}

static void test_a_lost_primary_is_replaced_and_comes_back(void **state)
{
    (void)state;
    submit(6);
    lose(0, true);
    cluster_restart(&cluster, 0);
    (void)cluster_submit(&cluster, 1, ++next_sequence);
    for (int i = 0; i < 3000 && !is_normal(0); i++) {
        cluster_run(&cluster, 10);
    }
    assert_true(is_normal(0));
    assert_true(cluster_report(&cluster, 1).view >= 1);
    assert_int_equal(cluster_report(&cluster, 0).incarnation, 1);
}

static void test_two_of_seven_come_back(void **state)
{
    (void)state;
    submit(6);
    lose(5, true);
    lose(6, false);
    cluster_restart(&cluster, 5);
    cluster_restart(&cluster, 6);
    assert_true(run_until_normal(5, 5000));
    assert_true(run_until_normal(6, 5000));
    assert_int_equal(cluster_report(&cluster, 5).incarnation, 1);
    assert_int_equal(cluster_report(&cluster, 6).incarnation, 1);
}

static bool is_null_owed(void)
{
    const struct pbft_replica *replica = cluster_replica(&cluster, 0);
    return replica->committed < replica->recovery.owed;
}

static bool lose_null_commits(void *context,
                              const struct cluster_packet *packet)
{
    (void)context;
    return is_null_owed() && (packet->message->type == PBFT_MESSAGE_COMMIT ||
                              packet->message->type == PBFT_MESSAGE_COMMITTED);
}

/* How long R0 stays in a view in which nothing is committed, at most, before it
 * has seen so many of them. */
static pbft_time_ms longest_stay(pbft_view views)
{
    const pbft_view first = cluster_report(&cluster, 0).view;
    pbft_time_ms longest = 0;
    pbft_time_ms stay = 0;
    while (cluster_report(&cluster, 0).view < first + views) {
        cluster_run(&cluster, 10);
        stay = cluster_report(&cluster, 0).view_active ? stay + 10 : 0;
        longest = stay > longest ? stay : longest;
    }
    return longest;
}

/* Nobody asks for anything, null batches are owed, and the network is slower
 * than anybody thought: views last longer and longer (OSDI'99 4.5.2). */
static void test_null_batches_get_more_time_in_later_views(void **state)
{
    (void)state;
    submit(6);
    lose(LOST, false);
    cluster_restart(&cluster, LOST);
    cluster.filter = lose_null_commits;
    cluster_run(&cluster, 1000);
    assert_true(is_null_owed());
    assert_true(longest_stay(8) >= 4 * cluster.config.request_timeout_ms);
    cluster.filter = NULL;
    assert_true(run_until_normal(LOST, 60000));
}

static void test_more_than_f_stay_silent(void **state)
{
    (void)state;
    submit(6);
    lose(2, true);
    lose(LOST, true);
    cluster_restart(&cluster, 2);
    cluster_restart(&cluster, LOST);
    (void)cluster_submit(&cluster, 0, ++next_sequence);
    cluster_run(&cluster, 20000);
    for (pbft_replica_id id = 2; id <= LOST; id++) {
        assert_int_equal(cluster_report(&cluster, id).condition,
                         PBFT_CONDITION_RECOVERING);
        assert_int_equal(cluster_report(&cluster, id).incarnation, 0);
    }
    assert_int_equal(cluster_report(&cluster, 0).executed, 6);
}

static void test_all_wiped_never_start_anew(void **state)
{
    (void)state;
    submit(6);
    for (pbft_replica_id id = 0; id < 4; id++) {
        lose(id, true);
        memset(cluster.agreed, 0, sizeof cluster.agreed);
    }
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster_restart(&cluster, id);
    }
    (void)cluster_submit(&cluster, 0, 1);
    cluster_run(&cluster, 20000);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster_report(&cluster, id).condition,
                         PBFT_CONDITION_RECOVERING);
        assert_int_equal(cluster_report(&cluster, id).executed, 0);
    }
}

/* Its start knows of nothing: the key came back on a new machine. */
static void test_an_empty_disk_among_old_ones_is_no_new_one(void **state)
{
    (void)state;
    submit(8);
    cluster_run(&cluster, 300);
    assert_true(cluster_report(&cluster, 0).stable >= 4);
    lose(LOST, true);
    cluster.nodes[LOST].is_log_lost = false;
    start_listening();
    cluster_restart(&cluster, LOST);
    cluster_run(&cluster, 5);
    assert_int_equal(heard.votes, 0);
    assert_true(run_until_normal(LOST, 5000));
    assert_int_equal(cluster_report(&cluster, LOST).incarnation, 1);
}

/* ---- the table ----------------------------------------------------------- */

static const struct pbft_message *signed_recover(pbft_replica_id signer,
                                                 pbft_replica_id named,
                                                 uint64_t incarnation)
{
    const struct pbft_recover recover = {named, incarnation};
    struct pbft_message *request =
        pbft_recover_create(&cluster.cast.replicas[signer].domain,
                            &cluster.cast.keyring, &recover, 1);
    assert_non_null(request);
    pbft_message_sign(&cluster.cast.replicas[signer].domain, request);
    return request;
}

static bool execute(struct pbft_incarnations *table,
                    const struct pbft_message *request, pbft_seq seq,
                    pbft_wall_us time)
{
    struct pbft_message *batch =
        pbft_batch_create(&cluster.cast.replicas[0].domain, time, &request, 1);
    assert_non_null(batch);
    bool changed = pbft_incarnations_execute(table, &cluster.cast.keyring,
                                             &batch->batch, seq, time);
    pbft_message_unref(batch);
    return changed;
}

static void test_one_recover_an_hour(void **state)
{
    struct pbft_incarnations table = {0};
    (void)state;
    const struct pbft_message *first = signed_recover(1, 1, 1);
    const struct pbft_message *second = signed_recover(1, 1, 2);
    const struct pbft_message *third = signed_recover(1, 1, 3);

    assert_false(execute(&table, second, 5, WALL_US)); /* Not the next one. */
    assert_true(execute(&table, first, 6, WALL_US));
    assert_false(execute(&table, first, 7, WALL_US + 1)); /* Once. */
    assert_false(
        execute(&table, second, 8, WALL_US + PBFT_RECOVER_INTERVAL_US - 1));
    assert_int_equal(table.of[1].number, 1);
    assert_int_equal(table.of[1].since, 6);
    assert_true(execute(&table, second, 9, WALL_US + PBFT_RECOVER_INTERVAL_US));
    assert_false(execute(&table, third, 10, WALL_US));
    assert_int_equal(table.of[1].number, 2);
    assert_int_equal(table.of[0].number, 0);
    pbft_message_unref(first);
    pbft_message_unref(second);
    pbft_message_unref(third);
}

static void test_a_recover_is_for_its_signer(void **state)
{
    struct pbft_recover out;
    (void)state;
    /* Made with the key of 1 in the field of the client, but signed by 2: the
     * verifier refuses it. */
    const struct pbft_message *forged = signed_recover(2, 1, 1);
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 1, forged),
                     PBFT_BAD_SIGNATURE);
    assert_true(
        pbft_recover_parse(&cluster.cast.keyring, &forged->request, &out));
    struct pbft_request other = forged->request;
    other.client = cluster.cast.keyring.keys[2];
    assert_false(pbft_recover_parse(&cluster.cast.keyring, &other, &out));
    other = forged->request;
    other.payload.size--;
    assert_false(pbft_recover_parse(&cluster.cast.keyring, &other, &out));
    pbft_message_unref(forged);
}

static void test_the_bound_is_a_checkpoint_beyond_the_window(void **state)
{
    struct pbft_incarnation incarnation = {.number = 0, .since = 0};
    (void)state;
    assert_int_equal(pbft_incarnation_bound(&incarnation, 16, 4), 0);
    incarnation = (struct pbft_incarnation){.number = 1, .since = 8};
    assert_int_equal(pbft_incarnation_bound(&incarnation, 16, 4), 24);
    incarnation.since = 9;
    assert_int_equal(pbft_incarnation_bound(&incarnation, 16, 4), 28);
}

static void test_the_table_survives_its_encoding(void **state)
{
    struct pbft_incarnations table = {0};
    struct pbft_incarnations back;
    uint8_t bytes[4 * PBFT_INCARNATION_SIZE];
    (void)state;
    table.of[3] = (struct pbft_incarnation){7, 99, WALL_US};
    pbft_incarnations_encode(&table, 4, bytes);
    assert_true(pbft_incarnations_decode(
        &back, 4, (struct pbft_bytes){bytes, sizeof bytes}));
    assert_memory_equal(&back, &table, sizeof table);
    assert_false(pbft_incarnations_decode(
        &back, 4, (struct pbft_bytes){bytes, sizeof bytes - 1}));
    assert_false(pbft_incarnations_decode(
        &back, 5, (struct pbft_bytes){bytes, sizeof bytes}));
}

/* Whoever floods the others with RECOVERs gets no place in their queues. */
static void test_a_recover_that_is_not_due_is_refused(void **state)
{
    (void)state;
    const struct pbft_message *far = signed_recover(2, 2, 9);
    assert_int_equal(cluster_receive(&cluster, 0, far), PBFT_REJECTED);
    assert_int_equal(cluster_report(&cluster, 0).pending_requests, 0);
    pbft_message_unref(far);
}

/* ---- what is void -------------------------------------------------------- */

static void test_votes_of_the_old_incarnation_are_void(void **state)
{
    (void)state;
    submit(6);
    lose(LOST, false);
    cluster_restart(&cluster, LOST);
    assert_true(run_until_normal(LOST, 5000));
    cluster_isolate(&cluster, LOST);
    const pbft_seq seq = cluster_report(&cluster, 0).executed + 1;
    const struct pbft_prepare fields = {
        cluster_report(&cluster, 0).view, seq, {{7}}};
    for (uint64_t incarnation = 0; incarnation <= 2; incarnation++) {
        const struct pbft_origin origin = {.sender = LOST,
                                           .incarnation = incarnation,
                                           .epoch = cluster.cast.keyring.epoch};
        struct pbft_message *vote =
            pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);
        assert_non_null(vote);
        pbft_message_sign(&cluster.cast.replicas[LOST].domain, vote);
        assert_int_equal(pbft_verify(&cluster.cast.verifier, LOST, vote),
                         PBFT_OK);
        assert_int_equal(cluster_receive(&cluster, 0, vote),
                         incarnation == 1 ? PBFT_ACCEPTED : PBFT_REJECTED);
        pbft_message_unref(vote);
    }
}

static void test_view_changes_of_the_old_incarnation_are_void(void **state)
{
    const struct pbft_attestation genesis = {0};
    (void)state;
    const pbft_epoch epoch = cluster.cast.keyring.epoch;
    const struct pbft_origin origin = {.sender = LOST, .epoch = epoch};
    struct pbft_message *stable =
        pbft_stable_create(LOST, epoch, &genesis, NULL, 0);
    struct pbft_message *old = pbft_view_change_create(
        &cluster.cast.replicas[LOST].domain, &origin, 5, stable, NULL, 0);
    pbft_message_sign(&cluster.cast.replicas[LOST].domain, old);
    assert_int_equal(cluster_receive(&cluster, 0, old), PBFT_ACCEPTED);
    assert_non_null(cluster_replica(&cluster, 0)->changes.ahead[LOST]);

    submit(6);
    lose(LOST, false);
    cluster_restart(&cluster, LOST);
    assert_true(run_until_normal(LOST, 5000));

    assert_null(cluster_replica(&cluster, 0)->changes.ahead[LOST]);
    assert_int_equal(cluster_receive(&cluster, 0, old), PBFT_REJECTED);
    assert_null(cluster_replica(&cluster, 0)->changes.ahead[LOST]);
    pbft_message_unref(old);
    pbft_message_unref(stable);
}

/* ---- tables and requests that are none ------------------------------------
 */

static void test_a_recover_of_a_stranger_is_none(void **state)
{
    struct pbft_recover out;
    struct pbft_keyring keyring = cluster.cast.keyring;
    (void)state;
    const struct pbft_message *message = signed_recover(3, 3, 1);
    assert_true(pbft_recover_parse(&keyring, &message->request, &out));
    assert_int_equal(out.replica, 3);
    keyring.replica_count = 3;
    assert_false(pbft_recover_parse(&keyring, &message->request, &out));
    pbft_message_unref(message);
}

/* The mark of a log is no incarnation that anybody may have. */
static void test_incarnations_do_not_wrap(void **state)
{
    struct pbft_incarnations table = {0};
    (void)state;
    table.of[2] = (struct pbft_incarnation){PBFT_INCARNATION_UNKNOWN - 2, 8, 0};
    struct pbft_recover next = {2, PBFT_INCARNATION_UNKNOWN - 1};
    assert_true(pbft_recover_is_due(&table, &next, WALL_US));
    table.of[2].number = PBFT_INCARNATION_UNKNOWN - 1;
    next.incarnation = PBFT_INCARNATION_UNKNOWN;
    assert_false(pbft_recover_is_due(&table, &next, WALL_US));
    next.incarnation = 0;
    assert_false(pbft_recover_is_due(&table, &next, WALL_US));
}

static void test_a_table_of_too_many_is_none(void **state)
{
    static uint8_t bytes[PBFT_INCARNATIONS_SIZE_MAX + PBFT_INCARNATION_SIZE];
    struct pbft_incarnations table;
    (void)state;
    assert_true(pbft_incarnations_decode(
        &table, PBFT_REPLICAS_MAX,
        (struct pbft_bytes){bytes, PBFT_INCARNATIONS_SIZE_MAX}));
    assert_false(
        pbft_incarnations_decode(&table, PBFT_REPLICAS_MAX + 1,
                                 (struct pbft_bytes){bytes, sizeof bytes}));
}

/* ---- what it had opened or asked for ---------------------------------------
 */

static struct pbft_message *own_new_view(pbft_view view)
{
    const struct pbft_origin origin = {.sender = LOST, .epoch = 1};
    const struct pbft_new_view_source sources[] = {
        {0, {{1}}}, {1, {{1}}}, {2, {{1}}}};
    struct pbft_message *message =
        pbft_new_view_create(&origin, view, sources, 3, NULL, 0);
    pbft_message_sign(&cluster.cast.replicas[LOST].domain, message);
    return message;
}

/* Its own signature under a view that its log knows nothing of: the log was
 * rolled back. An older view binds no more. */
static void test_an_own_new_view_that_is_not_known_is_a_loss(void **state)
{
    (void)state;
    struct pbft_message *other = own_new_view(7);
    assert_int_equal(pbft_verify(&cluster.cast.verifier, LOST, other), PBFT_OK);
    assert_int_equal(cluster_receive(&cluster, LOST, other), PBFT_CONFLICTING);
    assert_int_equal(cluster_report(&cluster, LOST).condition,
                     PBFT_CONDITION_RECOVERING);
    assert_false(cluster_report(&cluster, LOST).may_vote);
    /* It knows now, and does not begin anew. */
    assert_int_equal(cluster_receive(&cluster, LOST, other), PBFT_DUPLICATE);
    pbft_message_unref(other);
    assert_true(run_until_normal(LOST, 5000));
    submit(1);
    assert_int_equal(cluster_report(&cluster, LOST).executed,
                     cluster_report(&cluster, 0).executed);
}

static void test_an_own_new_view_of_the_past_is_none(void **state)
{
    (void)state;
    cluster_crash(&cluster, 0);
    for (uint64_t i = 1; i <= 4; i++) { /* Each view orders one request. */
        for (pbft_replica_id id = 1; id < 4; id++) {
            (void)cluster_submit(&cluster, id, i);
            (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
        }
        cluster_settle(&cluster);
    }
    assert_true(cluster_report(&cluster, LOST).view > 3);
    struct pbft_message *old = own_new_view(3);
    assert_int_equal(cluster_receive(&cluster, LOST, old), PBFT_DUPLICATE);
    assert_int_not_equal(cluster_report(&cluster, LOST).condition,
                         PBFT_CONDITION_RECOVERING);
    pbft_message_unref(old);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define ROW_SEVEN(test)                                                        \
    cmocka_unit_test_setup_teardown(test, setup_seven, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_a_lost_log_comes_back),
        ROW(test_a_wiped_replica_comes_back),
        ROW(test_it_is_silent_until_then),
        ROW(test_a_crash_in_the_middle_is_no_way_out),
        ROW(test_a_lost_primary_is_replaced_and_comes_back),
        ROW_SEVEN(test_two_of_seven_come_back),
        ROW(test_null_batches_get_more_time_in_later_views),
        ROW(test_more_than_f_stay_silent),
        ROW(test_all_wiped_never_start_anew),
        ROW(test_an_empty_disk_among_old_ones_is_no_new_one),
        ROW(test_one_recover_an_hour),
        ROW(test_a_recover_is_for_its_signer),
        ROW(test_the_bound_is_a_checkpoint_beyond_the_window),
        ROW(test_the_table_survives_its_encoding),
        ROW(test_a_recover_that_is_not_due_is_refused),
        ROW(test_votes_of_the_old_incarnation_are_void),
        ROW(test_view_changes_of_the_old_incarnation_are_void),
        ROW(test_a_recover_of_a_stranger_is_none),
        ROW(test_incarnations_do_not_wrap),
        ROW(test_a_table_of_too_many_is_none),
        ROW(test_an_own_new_view_that_is_not_known_is_a_loss),
        ROW(test_an_own_new_view_of_the_past_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
