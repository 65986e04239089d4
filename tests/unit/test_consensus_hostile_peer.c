/* SPDX-License-Identifier: Apache-2.0 */
/* One member that lies in its STATUS, or sends again what was true once. R1 is
 * under test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define SELF 1
#define WALL_START_US UINT64_C(1700000000000000)

static struct cluster cluster;
static bool is_mute; /* Nobody hears anybody. */
static bool are_attestations_lost;

static bool lose(void *context, const struct cluster_packet *packet)
{
    (void)context;
    return is_mute || (are_attestations_lost &&
                       packet->message->type == PBFT_MESSAGE_ATTESTATION);
}

static int start(void **state)
{
    (void)state;
    is_mute = false;
    are_attestations_lost = false;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = lose;
    return 0;
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

/* The report as `from` signs it. */
static enum pbft_verdict report(pbft_replica_id from,
                                const struct pbft_status_report *fields)
{
    const struct pbft_origin origin = {.sender = from, .epoch = 1};
    struct pbft_message *message = pbft_status_create(&origin, fields);
    pbft_message_sign(&cluster.cast.replicas[from].domain, message);
    enum pbft_verdict verdict = cluster_receive(&cluster, SELF, message);
    pbft_message_unref(message);
    return verdict;
}

/* R1 has forgotten a vote. Reports of all others arrive that were made before
 * it asked, or answer another start: none of them says what it had promised. */
static void test_an_old_status_answers_nothing(void **state)
{
    const struct pbft_status_report old = {.view_active = true};
    struct pbft_status_report other = old;
    (void)state;
    is_mute = true;
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    other.question = WALL_START_US - 1;

    for (pbft_replica_id from = 0; from < 4; from++) {
        if (from != SELF) {
            assert_int_equal(report(from, &old), PBFT_ACCEPTED);
            assert_int_equal(report(from, &other), PBFT_ACCEPTED);
        }
    }
    assert_false(cluster_report(&cluster, SELF).may_vote);

    is_mute = false;
    cluster_run(&cluster, 300); /* It asks again, and they answer that. */
    assert_true(cluster_report(&cluster, SELF).may_vote);
}

/* Who claims to be stable at 2^64 - 1 needs nothing, and costs nothing. */
static void test_a_report_from_beyond_wakes_nothing(void **state)
{
    const struct pbft_status_report beyond = {.view_active = true,
                                              .stable = UINT64_MAX,
                                              .executed = UINT64_MAX,
                                              .committed_above = UINT64_MAX,
                                              .attested = UINT64_MAX};
    (void)state;
    are_attestations_lost = true;
    for (uint64_t i = 1; i <= 8; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    assert_int_equal(cluster_report(&cluster, SELF).executed, 8);
    assert_int_equal(cluster_report(&cluster, SELF).stable, 0);
    is_mute = true;
    cluster_run(&cluster, 200);
    const uint64_t before = cluster.nodes[SELF].sent;

    assert_int_equal(report(2, &beyond), PBFT_ACCEPTED);

    assert_int_equal(cluster.nodes[SELF].sent, before);
    assert_int_equal(cluster_report(&cluster, SELF).behind, 0);
}

static pbft_replica_id asked_for_stable(struct pbft_replica *replica)
{
    pbft_fetch_stable(replica);
    const struct pbft_output *output = pbft_output(replica);
    assert_true(output->send_count > 0);
    const struct pbft_send *last = &output->sends[output->send_count - 1];
    assert_int_equal(last->message->type, PBFT_MESSAGE_FETCH);
    pbft_replica_id to = 0;
    while (to < 4 && !pbft_set_has(&last->to, to)) {
        to++;
    }
    return to;
}

/* The highest claim is not asked twice, for it may be a lie. */
static void test_a_liar_is_not_asked_for_the_proof_again(void **state)
{
    const struct pbft_status_report lie = {.stable = UINT64_MAX};
    const struct pbft_status_report truth = {.stable = 4};
    (void)state;
    is_mute = true;
    (void)report(2, &lie);
    (void)report(3, &truth);
    struct pbft_replica *replica =
        (struct pbft_replica *)(uintptr_t)cluster_replica(&cluster, SELF);

    const pbft_replica_id first = asked_for_stable(replica);
    const pbft_replica_id second = asked_for_stable(replica);

    assert_true((first == 2 && second == 3) || (first == 3 && second == 2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_an_old_status_answers_nothing),
        TEST(test_a_report_from_beyond_wakes_nothing),
        TEST(test_a_liar_is_not_asked_for_the_proof_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
