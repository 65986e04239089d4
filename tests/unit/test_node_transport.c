/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: what many outputs say to one peer until the flush goes in one, in
 * order; nothing stays behind a flush. The channels are replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/quorum.h"
#include "node/transport.h"
#include "proto/codec.h"
#include "tests/support/cast.h"

#define REPLICAS 4
#define OUTPUTS 20

static struct cast cast;
static struct transport *transport;

/* What each peer got. */
static struct {
    unsigned envelopes;
    unsigned messages;
    pbft_seq last;
} peers[REPLICAS];

enum pbft_status net_peers_send(struct net_peers *unused, pbft_replica_id to,
                                struct pbft_bytes bytes)
{
    struct wire_envelope envelope;
    struct pbft_bytes one;
    (void)unused;
    assert_true(to > 0 && to < REPLICAS);
    assert_int_equal(wire_envelope_decode(&cast.replicas[0].domain.cluster,
                                          bytes, &envelope),
                     PBFT_OK);
    peers[to].envelopes++;
    while (wire_envelope_next(&envelope, &one)) {
        const struct pbft_message *message = NULL;
        assert_int_equal(
            wire_message_decode(&cast.replicas[0].domain, one, NULL, &message),
            PBFT_OK);
        assert_true(pbft_message_seq(message) > peers[to].last);
        peers[to].last = pbft_message_seq(message);
        peers[to].messages++;
        pbft_message_unref(message);
    }
    return PBFT_OK;
}

static int setup(void **state)
{
    (void)state;
    memset(peers, 0, sizeof peers);
    cast_init(&cast, REPLICAS);
    transport =
        transport_create(NULL, &cast.replicas[0].domain.cluster, 0, REPLICAS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    transport_destroy(transport);
    return 0;
}

/* An output of one vote, to all others or to one. */
static void say(pbft_seq seq, bool to_all)
{
    const struct pbft_transport vtable = transport_vtable(transport);
    struct pbft_message *batch = cast_batch(&cast, 5, 1, 1);
    struct pbft_message *vote =
        cast_vote(&cast, PBFT_MESSAGE_PREPARE, 0, 0, seq, &batch->batch.digest);
    struct pbft_send send = {.to = pbft_set_one(2), .message = vote};
    for (pbft_replica_id id = 1; to_all && id < REPLICAS; id++) {
        pbft_set_add(&send.to, id);
    }
    vtable.send(vtable.context, &send, 1);
    pbft_message_unref(vote);
    pbft_message_unref(batch);
}

static void test_outputs_share_an_envelope(void **state)
{
    (void)state;
    for (pbft_seq seq = 1; seq <= OUTPUTS; seq++) {
        say(seq, seq % 2 == 0);
    }
    assert_int_equal(peers[1].envelopes + peers[2].envelopes, 0);
    transport_flush(transport);
    assert_int_equal(peers[1].envelopes, 1);
    assert_int_equal(peers[1].messages, OUTPUTS / 2);
    assert_int_equal(peers[2].envelopes, 1);
    assert_int_equal(peers[2].messages, OUTPUTS);
    assert_int_equal(peers[3].messages, OUTPUTS / 2);
    transport_flush(transport); /* There is nothing more. */
    assert_int_equal(peers[2].envelopes, 1);
}

/* More than an envelope takes do not wait for the flush, and none is lost. */
static void test_a_full_envelope_leaves(void **state)
{
    (void)state;
    const pbft_seq count = 2 * WIRE_ENVELOPE_MESSAGES_MAX + 3;
    for (pbft_seq seq = 1; seq <= count; seq++) {
        say(seq, true);
    }
    assert_int_equal(peers[1].envelopes, 2);
    transport_flush(transport);
    assert_int_equal(peers[1].envelopes, 3);
    assert_int_equal(peers[3].messages, count);
    assert_int_equal(peers[3].last, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_outputs_share_an_envelope, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_full_envelope_leaves, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
