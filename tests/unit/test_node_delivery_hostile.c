/* SPDX-License-Identifier: Apache-2.0 */
/* Clients and replicas that send what they should not, shares of the store,
 * recipients without a replica, bytes. */
#include "tests/support/delivery_world.h"

static void test_clients_are_refused(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    assert_int_equal(submit(fixture, 2).code, DELIVERY_NO_GRANT);
    assert_int_equal(submit_from(fixture, HOSPITAL, OTHER, 1).code,
                     DELIVERY_FOREIGN);
    const struct envelope_secret other = secret_of(2);
    const struct envelope_name name = name_of(1);
    struct delivery_state out;
    delivery_submit(fixture->places[HOSPITAL].delivery, &out,
                    &fixture->institutions[HOSPITAL], &name, &other,
                    fixture->now);
    assert_int_equal(out.code, DELIVERY_WRONG_COMMIT);
    assert_int_equal(envelopes_end(fixture->places[HOSPITAL].store), 0);
}

static void test_peers_are_refused(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, CLINIC);
    assert_int_equal(push(fixture, HOSPITAL, CLINIC, 2), DELIVERY_NO_GRANT);
    assert_int_equal(push(fixture, OTHER, CLINIC, 1), DELIVERY_FOREIGN);
    assert_int_equal(push(fixture, HOSPITAL, OTHER, 1), DELIVERY_NOT_HERE);
    assert_int_equal(envelopes_end(fixture->places[CLINIC].store), 0);
    assert_int_equal(push(fixture, HOSPITAL, CLINIC, 1), DELIVERY_OK);
}

static void test_false_receipts_erase_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct grant *granted = grant(fixture, 1, CLINIC);
    struct delivery_message message = {.kind = DELIVERY_RECEIPT,
                                       .name = granted->name,
                                       .wrap_commit = granted->is.wrap_commit,
                                       .receiver = CLINIC};
    struct delivery *delivery = fixture->places[HOSPITAL].delivery;
    fixture->is_cut = true;
    (void)submit(fixture, 1);
    assert_int_equal(delivery_receive(delivery, CLINIC, &message),
                     DELIVERY_MALFORMED);
    assert_int_equal(delivery_receive(delivery, OTHER, &message),
                     DELIVERY_FOREIGN);
    message.kind = DELIVERY_REFUSAL;
    message.code = DELIVERY_QUOTA;
    assert_int_equal(delivery_receive(delivery, OTHER, &message),
                     DELIVERY_FOREIGN);
    assert_int_equal(state_at(fixture, HOSPITAL, 1), ENVELOPE_WAITING);
    assert_int_equal(delivery_receive(delivery, CLINIC, &message), DELIVERY_OK);
    assert_int_equal(submit(fixture, 1).code, DELIVERY_QUOTA);
}

static void test_no_institution_fills_the_store(void **state)
{
    struct fixture *fixture = *state;
    uint32_t share = delivery_share(MEMBERS);
    assert_int_equal(share, ENVELOPES_MAX / 4);
    for (uint32_t i = 0; i <= share; i++) {
        (void)grant(fixture, i, CLINIC);
    }
    for (uint32_t i = 0; i < share; i++) {
        struct envelope_head head = {
            .state = ENVELOPE_HELD,
            .name = fixture->grants[i].name,
            .wrap_commit = fixture->grants[i].is.wrap_commit,
            .custodian = fixture->institutions[HOSPITAL],
            .recipient = fixture->institutions[CLINIC],
            .since = 1000 + i};
        const struct envelope_secret secret = secret_of(i);
        uint32_t slot = 0;
        assert_int_equal(
            envelopes_put(fixture->places[CLINIC].store, &head, &secret, &slot),
            PBFT_OK);
    }
    assert_int_equal(push(fixture, HOSPITAL, CLINIC, share), DELIVERY_QUOTA);
    /* What was fetched makes place, the oldest first. */
    assert_int_equal(taken(fixture, CLINIC, 7).code, DELIVERY_OK);
    fixture->now += SECOND;
    assert_int_equal(taken(fixture, CLINIC, 5).code, DELIVERY_OK);
    assert_int_equal(push(fixture, HOSPITAL, CLINIC, share), DELIVERY_OK);
    assert_int_equal(state_at(fixture, CLINIC, 7), ENVELOPE_FREE);
    assert_int_equal(state_at(fixture, CLINIC, 5), ENVELOPE_TAKEN);
    /* Others have their own share. */
    struct grant *theirs = grant(fixture, share + 1, CLINIC);
    theirs->is.custodian = fixture->institutions[OTHER];
    assert_int_equal(push(fixture, OTHER, CLINIC, share + 1), DELIVERY_OK);
}

/* ---- recipients without a replica ---------------------------------------- */

static void test_a_guest_finds_it_at_the_custodian(void **state)
{
    struct fixture *fixture = *state;
    (void)grant(fixture, 1, GUEST);
    (void)grant(fixture, 2, HOSPITAL);
    assert_int_equal(submit(fixture, 1).head.state, ENVELOPE_HELD);
    assert_int_equal(submit(fixture, 2).head.state, ENVELOPE_HELD);
    assert_int_equal(inbox(fixture, HOSPITAL, GUEST, NULL), 1);
    assert_int_equal(inbox(fixture, HOSPITAL, HOSPITAL, NULL), 1);
    assert_int_equal(inbox(fixture, HOSPITAL, CLINIC, NULL), 0);
    assert_int_equal(push(fixture, HOSPITAL, CLINIC, 1), DELIVERY_NOT_HERE);
}

/* ---- bytes --------------------------------------------------------------- */

static void test_messages_are_read_as_they_were_written(void **state)
{
    struct delivery_message in = {
        .kind = DELIVERY_RECEIPT, .name = name_of(3), .receiver = 2};
    struct delivery_message out;
    struct wire_buffer buffer;
    struct wire_arena arena;
    (void)state;
    memset(in.wrap_commit.bytes, 5, sizeof in.wrap_commit.bytes);
    memset(in.receipt.bytes, 6, sizeof in.receipt.bytes);
    wire_arena_init(&arena, 65536);
    for (int kind = DELIVERY_ENVELOPE; kind <= DELIVERY_REFUSAL; kind++) {
        wire_buffer_init(&buffer, WIRE_DELIVERY_BYTES_MAX);
        in.kind = (enum delivery_kind)kind;
        in.secret = secret_of(3);
        in.code = DELIVERY_QUOTA;
        assert_int_equal(delivery_encode(&buffer, &in), PBFT_OK);
        assert_int_equal(
            delivery_decode(&out, &arena, wire_buffer_bytes(&buffer)), PBFT_OK);
        assert_int_equal(out.kind, in.kind);
        assert_memory_equal(&out.name, &in.name, sizeof in.name);
        for (size_t size = 0; size < buffer.size; size++) {
            assert_int_not_equal(
                delivery_decode(&out, &arena,
                                (struct pbft_bytes){buffer.data, size}),
                PBFT_OK);
        }
        wire_buffer_deinit(&buffer);
    }
    wire_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clients_are_refused),
        TEST(test_peers_are_refused),
        TEST(test_false_receipts_erase_nothing),
        TEST(test_no_institution_fills_the_store),
        TEST(test_a_guest_finds_it_at_the_custodian),
        cmocka_unit_test(test_messages_are_read_as_they_were_written),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
