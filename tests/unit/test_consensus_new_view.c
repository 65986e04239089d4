/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile primary of view 1 can do with its NEW-VIEW, and what hostile
 * view-changes can do to it (OSDI'99 4.4; design: P6). R1 is a puppet: the test
 * collects the view-changes of the others and signs for R1. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "consensus/selection.h"
#include "tests/support/puppet_primary.h"

static bool are_commits_lost;
static bool are_changes_lost;
static bool are_blocks_lost;

/* Remembers the view-changes on their way. */
static bool watch(void *context, const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    (void)context;
    keep_change(message);
    return (are_changes_lost && message->type == PBFT_MESSAGE_VIEW_CHANGE) ||
           (are_commits_lost && message->type == PBFT_MESSAGE_COMMIT) ||
           (are_blocks_lost && message->type == PBFT_MESSAGE_COMMITTED);
}

static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = watch;
    are_commits_lost = false;
    are_changes_lost = false;
    are_blocks_lost = false;
    return 0;
}

/* R0, R2 and R3 have prepared one request at seq 1 and ask for view 1. */
static void ask_for_view_1(void)
{
    are_commits_lost = true;
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    leave_view_0(2);
    are_commits_lost = false;
}

/* Gives the headers' references away. */
static struct pbft_message *new_view(const struct pbft_message **headers,
                                     uint32_t count)
{
    const struct pbft_message *const from[] = {changes[0], changes[2],
                                               changes[3]};
    return new_view_of(from, headers, count);
}

static enum pbft_verdict offer(struct pbft_message *message)
{
    enum pbft_verdict verdict = cluster_receive(&cluster, 2, message);
    pbft_message_unref(message);
    return verdict;
}

static const struct pbft_digest *prepared_digest(void)
{
    return &changes[2]
                ->view_change.prepared[0]
                ->prepared.pre_prepare->pre_prepare.digest;
}

static void test_the_right_choice_is_entered(void **state)
{
    (void)state;
    ask_for_view_1();
    const struct pbft_message *right[] = {header(1, prepared_digest())};

    assert_int_equal(offer(new_view(right, 1)), PBFT_ACCEPTED);

    assert_true(cluster_report(&cluster, 2).view_active);
    assert_int_equal(cluster_report(&cluster, 2).view, 1);
    /* The batch was known: it votes at once. */
    assert_int_equal(cluster_slot(&cluster, 2, 1).prepare_count, 1);
}

static void test_a_prepared_batch_cannot_be_left_out(void **state)
{
    struct pbft_digest null_digest;
    (void)state;
    ask_for_view_1();
    pbft_null_digest(&cluster.cast.client.domain, &null_digest);

    assert_int_equal(offer(new_view(NULL, 0)), PBFT_REJECTED);
    const struct pbft_message *null[] = {header(1, &null_digest)};
    assert_int_equal(offer(new_view(null, 1)), PBFT_REJECTED);
    const struct pbft_digest other = {{5}};
    const struct pbft_message *wrong[] = {header(1, &other)};
    assert_int_equal(offer(new_view(wrong, 1)), PBFT_REJECTED);

    assert_false(cluster_report(&cluster, 2).view_active);
    /* The right one is still welcome. */
    const struct pbft_message *right[] = {header(1, prepared_digest())};
    assert_int_equal(offer(new_view(right, 1)), PBFT_ACCEPTED);
}

/* Each costs the checks of all certificates: the next ones cost nothing. */
static void test_only_so_many_wrong_ones_are_looked_at(void **state)
{
    (void)state;
    ask_for_view_1();
    for (uint32_t i = 0; i < PBFT_NEW_VIEW_TRIES_MAX; i++) {
        assert_int_equal(offer(new_view(NULL, 0)), PBFT_REJECTED);
    }
    const struct pbft_message *right[] = {header(1, prepared_digest())};
    assert_int_equal(offer(new_view(right, 1)), PBFT_REJECTED);
    assert_false(cluster_report(&cluster, 2).view_active);
    /* Its primary has had its chance; the next view comes, and works. */
    cluster_run(&cluster, 60000);
    assert_true(cluster_report(&cluster, 2).view_active);
    assert_true(cluster_report(&cluster, 2).view > 1);
}

static void test_nothing_can_be_added(void **state)
{
    const struct pbft_digest other = {{5}};
    (void)state;
    ask_for_view_1();
    const struct pbft_message *more[] = {header(1, prepared_digest()),
                                         header(2, &other)};

    assert_int_equal(offer(new_view(more, 2)), PBFT_REJECTED);
    assert_false(cluster_report(&cluster, 2).view_active);
}

/* Right but for its place: one after what was prepared. */
static void test_nothing_can_be_moved(void **state)
{
    (void)state;
    ask_for_view_1();
    const struct pbft_message *moved[] = {header(2, prepared_digest())};

    assert_int_equal(offer(new_view(moved, 1)), PBFT_REJECTED);
    assert_false(cluster_report(&cluster, 2).view_active);
}

/* V is of one view: what R3 says for view 5 counts for no other. */
static void test_view_changes_of_another_view_do_not_count(void **state)
{
    (void)state;
    ask_for_view_1();
    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    struct pbft_message *later = pbft_view_change_create(
        &cluster.cast.replicas[3].domain, &origin, 5,
        changes[3]->view_change.stable, changes[3]->view_change.prepared,
        changes[3]->view_change.prepared_count);
    pbft_message_sign(&cluster.cast.replicas[3].domain, later);
    (void)cluster_receive(&cluster, 2, later);
    pbft_message_unref(changes[3]);
    changes[3] = later;

    const struct pbft_message *right[] = {header(1, prepared_digest())};
    assert_int_equal(offer(new_view(right, 1)), PBFT_REJECTED);
    assert_false(cluster_report(&cluster, 2).view_active);
}

/* All that is claimed for a place is wrong: then nothing is prepared there. */
static void test_four_forged_certificates_choose_nothing(void **state)
{
    const struct pbft_digest forged_digest = {{6}};
    const struct pbft_vote votes[2] = {{.replica = 1}, {.replica = 2}};
    const struct pbft_message *sources[PBFT_REPLICAS_MAX] = {NULL};
    const struct pbft_message *choice[PBFT_WINDOW_MAX] = {NULL};
    (void)state;
    ask_for_view_1();
    for (pbft_replica_id id = 0; id < 4; id++) {
        const struct pbft_origin origin = {.sender = id, .epoch = 1};
        const struct pbft_message *fake =
            pbft_pre_prepare_create(&origin, 0, 1, &forged_digest, NULL);
        const struct pbft_message *forged = pbft_certificate_create(
            PBFT_MESSAGE_PREPARED, 0, 1, fake, votes, 2);
        sources[id] = pbft_view_change_create(
            &cluster.cast.replicas[id].domain, &origin, 1,
            changes[2]->view_change.stable, &forged, 1);
        pbft_message_unref(fake);
        pbft_message_unref(forged);
    }
    struct pbft_selection selection = {.sources = sources, .choice = choice};
    pbft_select(cluster_replica(&cluster, 2), &selection);
    assert_int_equal(selection.count, 0);
    assert_int_equal(selection.first, 1);
    for (pbft_replica_id id = 0; id < 4; id++) {
        pbft_message_unref(sources[id]);
    }
}

static void test_named_view_changes_are_fetched_from_a_holder(void **state)
{
    (void)state;
    are_changes_lost = true;
    are_commits_lost = true;
    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);
    cluster_crash(&cluster, PUPPET);
    (void)cluster_submit(&cluster, 2, 2);
    (void)cluster_submit(&cluster, 3, 2);
    (void)cluster_timeout(&cluster, 2, PBFT_TIMER_REQUEST);
    (void)cluster_timeout(&cluster, 3, PBFT_TIMER_REQUEST);
    /* R0 gets both by hand, and joins; R2 and R3 know only their own. */
    (void)cluster_receive(&cluster, 0, changes[2]);
    (void)cluster_receive(&cluster, 0, changes[3]);
    assert_non_null(changes[0]);
    are_changes_lost = false;

    const struct pbft_message *right[] = {header(1, prepared_digest())};
    assert_int_equal(offer(new_view(right, 1)), PBFT_ACCEPTED);
    assert_false(cluster_report(&cluster, 2).view_active);
    cluster_settle(&cluster);

    assert_true(cluster_report(&cluster, 2).view_active);
}

/* An invalid certificate of a higher view does not shadow a valid one. */
static void test_a_forged_certificate_shadows_nothing(void **state)
{
    const struct pbft_digest forged_digest = {{6}};
    (void)state;
    ask_for_view_1();
    /* R0, a second puppet, claims something else for seq 1. */
    const struct pbft_origin origin = {.sender = 0, .epoch = 1};
    struct pbft_message *fake_header =
        pbft_pre_prepare_create(&origin, 0, 1, &forged_digest, NULL);
    pbft_message_sign(&cluster.cast.replicas[0].domain, fake_header);
    const struct pbft_vote votes[2] = {{.replica = 1}, {.replica = 2}};
    const struct pbft_message *forged[] = {pbft_certificate_create(
        PBFT_MESSAGE_PREPARED, 0, 1, fake_header, votes, 2)};
    struct pbft_message *change =
        pbft_view_change_create(&cluster.cast.replicas[0].domain, &origin, 1,
                                changes[0]->view_change.stable, forged, 1);
    pbft_message_sign(&cluster.cast.replicas[0].domain, change);
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 0, change), PBFT_OK);
    pbft_message_unref(changes[0]);
    changes[0] = pbft_message_ref(change);

    const struct pbft_message *right[] = {header(1, prepared_digest())};
    (void)offer(new_view(right, 1));
    assert_int_equal(cluster_receive(&cluster, 2, change), PBFT_ACCEPTED);

    assert_true(cluster_report(&cluster, 2).view_active);
    pbft_message_unref(change);
    pbft_message_unref(forged[0]);
    pbft_message_unref(fake_header);
}

static void test_a_new_view_nobody_asked_for_is_ignored(void **state)
{
    (void)state;
    ask_for_view_1();
    const struct pbft_message *right[] = {header(1, prepared_digest())};
    struct pbft_message *message = new_view(right, 1);
    message->new_view.view = 1000001; /* One replica's word. */

    assert_int_equal(offer(message), PBFT_FUTURE_VIEW);
    assert_int_equal(cluster_report(&cluster, 2).view, 1);
}

static void test_a_view_is_entered_once(void **state)
{
    (void)state;
    ask_for_view_1();
    const struct pbft_message *first[] = {header(1, prepared_digest())};
    struct pbft_message *message = new_view(first, 1);
    (void)cluster_receive(&cluster, 2, message);

    assert_int_equal(cluster_receive(&cluster, 2, message), PBFT_DUPLICATE);
    /* Nor do late view-changes for it matter. */
    assert_int_equal(cluster_receive(&cluster, 2, changes[3]), PBFT_OLD_VIEW);
    pbft_message_unref(message);
}

/* ---- where a view begins
 * -------------------------------------------------- */

/* View 1 begins above checkpoint 4 with no header at all. R3 enters it, and
 * has none of the blocks. */
static void enter_far_behind(void)
{
    cluster_isolate(&cluster, 3);
    for (uint64_t i = 1; i <= 4; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    cluster_drop_packets(&cluster);
    cluster_heal(&cluster);
    cluster_crash(&cluster, 0);
    are_blocks_lost = true;
    for (pbft_replica_id id = 2; id < 4; id++) {
        (void)cluster_submit(&cluster, id, 5);
        (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
    }
    cluster_settle(&cluster);
    const struct pbft_report report = cluster_report(&cluster, 3);
    assert_int_equal(report.view, 1);
    assert_true(report.view_active);
    assert_int_equal(report.executed, 0);
}

static void check_nothing_is_taken_below(pbft_seq floor)
{
    static const struct pbft_digest other = {{7}};
    assert_int_equal(cluster_replica(&cluster, 3)->view_floor, floor);
    for (pbft_seq seq = 1; seq <= floor; seq++) {
        struct pbft_message *late = header(seq, &other);
        assert_int_equal(cluster_receive(&cluster, 3, late),
                         PBFT_OUTSIDE_WATERMARKS);
        pbft_message_unref(late);
    }
}

static struct pbft_record *last_new_view_record(pbft_replica_id id)
{
    struct cluster_node *node = &cluster.nodes[id];
    struct pbft_record *found = NULL;
    for (size_t i = 0; i < node->record_count; i++) {
        if (node->records[i].kind == PBFT_RECORD_NEW_VIEW) {
            found = &node->records[i];
        }
    }
    assert_non_null(found);
    return found;
}

static void test_where_a_view_begins_outlives_a_restart(void **state)
{
    (void)state;
    enter_far_behind();
    check_nothing_is_taken_below(4);

    cluster_crash(&cluster, 3);
    cluster_restart(&cluster, 3);

    check_nothing_is_taken_below(4);
    assert_int_equal(cluster_replica(&cluster, 3)->log.low, 0);
}

static void test_where_a_view_begins_is_logged_again(void **state)
{
    (void)state;
    enter_far_behind();
    are_blocks_lost = false;
    cluster_run(&cluster, 2000);
    assert_int_equal(cluster_report(&cluster, 3).stable, 4);
    assert_int_equal(last_new_view_record(3)[-1].kind, PBFT_RECORD_STABLE);
    assert_int_equal(last_new_view_record(3)->seq, 4);

    cluster_crash(&cluster, 3);
    cluster_restart(&cluster, 3);

    assert_int_equal(cluster_replica(&cluster, 3)->view_floor, 4);
}

/* The log of an earlier version says where a view begins by its headers. */
static void test_an_older_record_has_its_first_header(void **state)
{
    (void)state;
    enter_far_behind();
    cluster_crash(&cluster, 3);
    struct pbft_record *record = last_new_view_record(3);
    assert_int_equal(record->seq, 4);
    record->seq = 0;
    cluster_restart(&cluster, 3);
    assert_int_equal(cluster_report(&cluster, 3).view, 1);
    assert_int_equal(cluster_replica(&cluster, 3)->view_floor, 0);
}

/* A primary that was restarted proposes nothing that all others refuse. */
static void test_a_restarted_primary_goes_on_above(void **state)
{
    (void)state;
    enter_far_behind();
    cluster_crash(&cluster, PUPPET);
    cluster_restart(&cluster, PUPPET);
    assert_int_equal(cluster_replica(&cluster, PUPPET)->view_floor, 4);
    assert_true(cluster_replica(&cluster, PUPPET)->next_seq > 4);
}

/* Q view-changes, says the list: but two places have the word of one. */
static void test_one_view_change_counts_once(void **state)
{
    const struct pbft_origin origin = {.sender = PUPPET, .epoch = 1};
    (void)state;
    ask_for_view_1();
    const struct pbft_new_view_source sources[] = {
        {0, changes[3]->view_change.digest},
        {2, changes[2]->view_change.digest},
        {3, changes[3]->view_change.digest}};
    const struct pbft_message *headers[] = {header(1, prepared_digest())};
    struct pbft_message *message =
        pbft_new_view_create(&origin, 1, sources, 3, headers, 1);
    pbft_message_sign(&cluster.cast.replicas[PUPPET].domain, message);
    pbft_message_unref(headers[0]);
    assert_int_equal(pbft_verify(&cluster.cast.verifier, PUPPET, message),
                     PBFT_OK);

    (void)offer(message); /* It waits for a word of R0 that there is not. */
    (void)cluster_receive(&cluster, 2, changes[3]);
    cluster_settle(&cluster);
    assert_false(cluster_report(&cluster, 2).view_active);
    assert_null(cluster_replica(&cluster, 2)->changes.found[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_the_right_choice_is_entered),
        TEST(test_a_prepared_batch_cannot_be_left_out),
        TEST(test_only_so_many_wrong_ones_are_looked_at),
        TEST(test_nothing_can_be_added),
        TEST(test_nothing_can_be_moved),
        TEST(test_view_changes_of_another_view_do_not_count),
        TEST(test_four_forged_certificates_choose_nothing),
        TEST(test_named_view_changes_are_fetched_from_a_holder),
        TEST(test_a_forged_certificate_shadows_nothing),
        TEST(test_a_new_view_nobody_asked_for_is_ignored),
        TEST(test_where_a_view_begins_outlives_a_restart),
        TEST(test_where_a_view_begins_is_logged_again),
        TEST(test_an_older_record_has_its_first_header),
        TEST(test_a_restarted_primary_goes_on_above),
        TEST(test_a_view_is_entered_once),
        TEST(test_one_view_change_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
