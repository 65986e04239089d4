/* SPDX-License-Identifier: Apache-2.0 */
/* When a checkpoint is passed (OSDI'99 4.3; design: P10). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "tests/support/cluster.h"

static struct cluster cluster;
static const struct pbft_message *statuses[4]; /* The last of each to R1. */
static bool is_keeping;

static void submit(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)cluster_submit(&cluster, 0, first + i);
        cluster_settle(&cluster);
    }
}

/* What R1 must not hear; of R0 and R2 it will hear an old status later. */
static bool keep_in_the_dark(void *context, const struct cluster_packet *packet)
{
    const enum pbft_message_type type = packet->message->type;
    (void)context;
    if (packet->to != 1) {
        return false;
    }
    if (type == PBFT_MESSAGE_STATUS && is_keeping) {
        const struct pbft_message **kept = &statuses[packet->from];
        pbft_message_unref(*kept);
        *kept = pbft_message_ref(packet->message);
    }
    return type == PBFT_MESSAGE_STATUS || type == PBFT_MESSAGE_ATTESTATION ||
           type == PBFT_MESSAGE_STABLE;
}

static const struct pbft_message *proof_of(pbft_replica_id id)
{
    const struct cluster_node *node = &cluster.nodes[id];
    for (size_t i = 0; i < node->record_count; i++) {
        if (node->records[i].kind == PBFT_RECORD_STABLE) {
            return pbft_message_ref(node->records[i].message);
        }
    }
    fail_msg("R%u has no stable checkpoint", id);
    return NULL;
}

/* All but one have passed 4, one has passed 8. Nobody else can pass 8 before R1
 * attests 5..8, which it does once it has passed 4: the proof of 8 that waits
 * must not hide that of 4. */
static void test_a_proof_that_waits_hides_no_lower_one(void **state)
{
    const struct pbft_message *proofs[2];
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = keep_in_the_dark;
    is_keeping = true;
    submit(1, 4);
    (void)cluster_run_until(&cluster, 4, 500);
    cluster_run(&cluster, 250);
    proofs[0] = proof_of(0);
    is_keeping = false;
    submit(5, 8);
    cluster_run(&cluster, 250);
    proofs[1] = proof_of(3);
    const pbft_seq low = proofs[0]->stable.attestation.seq;
    assert_true(low < proofs[1]->stable.attestation.seq);
    assert_true(proofs[1]->stable.attestation.seq <=
                cluster.nodes[1].executed.seq);

    (void)cluster_receive(&cluster, 1, statuses[0]);
    (void)cluster_receive(&cluster, 1, statuses[2]);
    (void)cluster_receive(&cluster, 1, proofs[1]);
    assert_int_equal(cluster_report(&cluster, 1).stable, 0);
    (void)cluster_receive(&cluster, 1, proofs[0]);
    assert_int_equal(cluster_report(&cluster, 1).stable, low);
    for (size_t i = 0; i < 4; i++) {
        pbft_message_unref(statuses[i]);
    }
    cluster_deinit(&cluster);
    pbft_message_unref(proofs[0]);
    pbft_message_unref(proofs[1]);
}

/* ---- one word a seq --------------------------------------------------------
 */

#define LATE 3

/* LATE cannot pass a checkpoint: it hears no attestations but the test's. */
static bool lose_proofs(void *context, const struct cluster_packet *packet)
{
    const enum pbft_message_type type = packet->message->type;
    (void)context;
    return packet->to == LATE &&
           (type == PBFT_MESSAGE_ATTESTATION || type == PBFT_MESSAGE_STABLE);
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

/* LATE has attested block 4, and loses it with the power; its log stays. */
static void lose_block_4(bool is_wrong_now)
{
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = lose_proofs;
    submit(1, 3);
    const struct pbft_attestation before = cluster.nodes[LATE].executed;
    assert_int_equal(before.seq, 3);
    submit(4, 1);
    assert_int_equal(cluster.nodes[LATE].executed.seq, 4);
    cluster_crash(&cluster, LATE);
    cluster.nodes[LATE].executed = before;
    cluster.nodes[LATE].is_wrong = is_wrong_now;
    cluster_restart(&cluster, LATE);
    assert_int_equal(cluster_report(&cluster, LATE).executed, 3);
}

static const struct pbft_message *attestation_of_4(pbft_replica_id id)
{
    const struct pbft_origin origin = {.sender = id, .epoch = 1};
    struct pbft_message *message =
        pbft_attestation_create(&origin, &cluster.nodes[id].executed);
    pbft_message_sign(&cluster.cast.replicas[id].domain, message);
    return message;
}

/* The attestation in the log says what was executed once. Nothing follows from
 * it before the block is here again, whatever the others say. */
static void test_an_attested_block_that_is_lost_proves_nothing(void **state)
{
    (void)state;
    lose_block_4(false);
    for (pbft_replica_id id = 0; id < 3; id++) {
        const struct pbft_message *message = attestation_of_4(id);
        assert_int_equal(cluster_receive(&cluster, LATE, message),
                         PBFT_ACCEPTED);
        pbft_message_unref(message);
    }
    assert_int_equal(cluster_report(&cluster, LATE).stable, 0);
    assert_null(cluster.nodes[LATE].proofs[4]);

    cluster_run(&cluster, 1000);
    assert_int_equal(cluster_report(&cluster, LATE).executed, 4);
    assert_int_equal(cluster_report(&cluster, LATE).stable, 4);
    assert_non_null(cluster.nodes[LATE].proofs[4]);
    assert_int_equal(cluster_report(&cluster, LATE).diverged, 0);
}

/* Executed again, it comes to something else: the disk or the program is wrong.
 * What was signed stands, and the replica knows that it cannot be trusted. */
static void test_another_result_the_second_time_is_a_divergence(void **state)
{
    (void)state;
    lose_block_4(true);
    cluster_run(&cluster, 1000);
    assert_int_equal(cluster_report(&cluster, LATE).executed, 4);
    assert_int_equal(cluster_report(&cluster, LATE).diverged, 4);
    assert_int_equal(cluster_report(&cluster, LATE).stable, 0);
    for (pbft_replica_id id = 0; id < 3; id++) {
        assert_int_equal(cluster_report(&cluster, id).evidence_count, 0);
    }
}

static void contradict(pbft_seq seq)
{
    for (pbft_replica_id id = 0; id < 3; id++) {
        struct pbft_message *message = cast_attestation(&cluster.cast, id, seq);
        assert_int_equal(cluster_receive(&cluster, LATE, message),
                         PBFT_ACCEPTED);
        pbft_message_unref(message);
    }
}

/* The first block that is wrong is where to look. */
static void test_the_lowest_divergence_is_told(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = lose_proofs;
    submit(1, 3);
    contradict(2);
    assert_int_equal(cluster_report(&cluster, LATE).diverged, 2);
    contradict(3);
    assert_int_equal(cluster_report(&cluster, LATE).diverged, 2);
    contradict(1);
    assert_int_equal(cluster_report(&cluster, LATE).diverged, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proof_that_waits_hides_no_lower_one),
        cmocka_unit_test_teardown(
            test_an_attested_block_that_is_lost_proves_nothing, clear),
        cmocka_unit_test_teardown(
            test_another_result_the_second_time_is_a_divergence, clear),
        cmocka_unit_test_teardown(test_the_lowest_divergence_is_told, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
