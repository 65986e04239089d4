/* SPDX-License-Identifier: Apache-2.0 */
/* A NEW-VIEW that rests on a view-change of an incarnation that is no more
 * (design: P14): its signer may have forgotten what was prepared. Whoever holds
 * something prepared does not enter; with nothing to lose it may. R1, primary
 * of view 1, is a puppet. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "tests/support/puppet_primary.h"

#define LOST 3

static bool are_commits_lost;

static bool watch(void *context, const struct cluster_packet *packet)
{
    const struct pbft_message *message = packet->message;
    (void)context;
    keep_change(message);
    return are_commits_lost && message->type == PBFT_MESSAGE_COMMIT;
}

/* LOST has come back, as its incarnation 1. */
static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = watch;
    are_commits_lost = false;
    for (uint64_t i = 1; i <= 6; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_run(&cluster, 10);
    }
    cluster_crash(&cluster, LOST);
    cluster_lose_log(&cluster, LOST, false);
    cluster_restart(&cluster, LOST);
    cluster_run(&cluster, 5000);
    assert_int_equal(cluster_report(&cluster, 2).view, 0);
    assert_int_equal(cluster_report(&cluster, LOST).condition,
                     PBFT_CONDITION_NORMAL);
    assert_int_equal(cluster_replica(&cluster, 2)->incarnations.of[LOST].number,
                     1);
    return 0;
}

/* What LOST might have said before it lost its log: nothing is prepared. */
static struct pbft_message *void_view_change(void)
{
    const struct pbft_origin origin = {.sender = LOST, .epoch = 1};
    struct pbft_message *message =
        pbft_view_change_create(&cluster.cast.replicas[LOST].domain, &origin, 1,
                                changes[2]->view_change.stable, NULL, 0);
    pbft_message_sign(&cluster.cast.replicas[LOST].domain, message);
    return message;
}

/* All that R2 says is prepared is proposed again: O itself is right. */
static struct pbft_message *new_view(const struct pbft_message *third)
{
    const struct pbft_message *const from[] = {changes[0], changes[2], third};
    const struct pbft_view_change *said = &changes[2]->view_change;
    const struct pbft_message *headers[PBFT_WINDOW_MAX];
    for (uint32_t i = 0; i < said->prepared_count; i++) {
        const struct pbft_pre_prepare *old =
            &said->prepared[i]->prepared.pre_prepare->pre_prepare;
        headers[i] = header(old->seq, &old->digest);
    }
    return new_view_of(from, headers, said->prepared_count);
}

static bool is_entered(const struct pbft_message *third)
{
    struct pbft_message *message = new_view(third);
    (void)cluster_receive(&cluster, 2, message);
    (void)cluster_receive(&cluster, 2, third);
    pbft_message_unref(message);
    return cluster_report(&cluster, 2).view_active;
}

static void test_what_is_prepared_is_not_left_to_a_void_one(void **state)
{
    (void)state;
    are_commits_lost = true;
    (void)cluster_submit(&cluster, 0, 7);
    cluster_settle(&cluster);
    leave_view_0(8);
    assert_int_equal(changes[LOST]->incarnation, 1);
    assert_int_equal(changes[2]->view_change.prepared_count, 1);
    struct pbft_message *old = void_view_change();

    assert_false(is_entered(old));
    assert_null(cluster_replica(&cluster, 2)->changes.pending);
    /* Of its present incarnation it is welcome. */
    assert_true(is_entered(changes[LOST]));
    pbft_message_unref(old);
}

static void test_with_nothing_to_lose_it_counts(void **state)
{
    (void)state;
    leave_view_0(8);
    assert_int_equal(changes[LOST]->incarnation, 1);
    assert_int_equal(changes[2]->view_change.prepared_count, 0);
    struct pbft_message *old = void_view_change();

    assert_true(is_entered(old));
    assert_int_equal(cluster_report(&cluster, 2).view, 1);
    pbft_message_unref(old);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, start, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_what_is_prepared_is_not_left_to_a_void_one),
        ROW(test_with_nothing_to_lose_it_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
