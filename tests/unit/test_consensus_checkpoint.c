/* SPDX-License-Identifier: Apache-2.0 */
/* When a checkpoint is passed (OSDI'99 4.3; design: P10). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proof_that_waits_hides_no_lower_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
