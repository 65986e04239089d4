/* SPDX-License-Identifier: Apache-2.0 */
/* The slots between the watermarks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/log.h"
#include "consensus/quorum.h"
#include "tests/support/cast.h"

static struct cast cast;
static struct pbft_slot_log slots;

static int make(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    return pbft_slot_log_init(&slots, 8, 4) ? 0 : 1;
}

static int release(void **state)
{
    (void)state;
    pbft_slot_log_deinit(&slots);
    return 0;
}

static const struct pbft_message *header_for(pbft_seq seq, pbft_view view,
                                             struct pbft_message **batch)
{
    *batch = cast_batch(&cast, 5, seq, 1);
    struct pbft_message *full = cast_pre_prepare(&cast, view, seq, *batch);
    const struct pbft_message *header = pbft_pre_prepare_with_body(full, NULL);
    pbft_message_unref(full);
    return header;
}

static void add(struct pbft_slot *slot, pbft_replica_id id,
                const struct pbft_digest *digest)
{
    const struct pbft_vote vote = {.replica = id};
    pbft_slot_add_vote(slot, PBFT_PHASE_PREPARE, digest, &vote);
}

static void test_only_the_window_has_slots(void **state)
{
    (void)state;
    assert_null(pbft_slot_log_at(&slots, 0));
    assert_int_equal(pbft_slot_log_at(&slots, 1)->seq, 1);
    assert_int_equal(pbft_slot_log_at(&slots, 8)->seq, 8);
    assert_null(pbft_slot_log_at(&slots, 9));
    assert_null(pbft_slot_log_at(&slots, UINT64_MAX));

    pbft_slot_log_advance(&slots, 4);
    assert_null(pbft_slot_log_at(&slots, 4));
    for (pbft_seq seq = 5; seq <= 12; seq++) {
        assert_int_equal(pbft_slot_log_at(&slots, seq)->seq, seq);
    }
    assert_null(pbft_slot_log_at(&slots, 13));
}

static void test_far_jumps_of_the_window(void **state)
{
    static const pbft_seq jumps[] = {8, 9, 1000, 1003, UINT64_C(1) << 40};
    (void)state;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        pbft_slot_log_advance(&slots, jumps[i]);
        for (pbft_seq seq = jumps[i] + 1; seq <= jumps[i] + 8; seq++) {
            assert_int_equal(pbft_slot_log_at(&slots, seq)->seq, seq);
        }
    }
}

static void test_the_log_near_the_last_seq(void **state)
{
    (void)state;
    slots.low = UINT64_MAX - 4; /* high overflows; nothing may follow it. */
    assert_false(pbft_slot_log_has(&slots, 3));
    assert_true(pbft_slot_log_has(&slots, UINT64_MAX));
    slots.low = 0;
}

static void test_votes_before_the_header_are_counted_with_it(void **state)
{
    struct pbft_message *batch = NULL;
    const struct pbft_message *header = header_for(3, 0, &batch);
    const struct pbft_digest other = {{1}};
    struct pbft_slot *slot = pbft_slot_log_at(&slots, 3);
    (void)state;
    add(slot, 1, &header->pre_prepare.digest);
    add(slot, 2, &other);
    assert_int_equal(slot->prepares.matching, 0);

    pbft_slot_set_header(slot, 4, header);
    assert_int_equal(slot->prepares.matching, 1);
    add(slot, 3, &header->pre_prepare.digest);

    assert_int_equal(slot->prepares.matching, 2);
    assert_int_equal(pbft_set_count(&slot->prepares.voters), 3);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

static void test_a_new_view_keeps_body_and_certificate(void **state)
{
    struct pbft_message *batch = NULL;
    const struct pbft_message *header = header_for(2, 0, &batch);
    const pbft_replica_id signers[] = {1, 2};
    struct pbft_message *certificate =
        cast_certificate(&cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    struct pbft_slot *slot = pbft_slot_log_at(&slots, 2);
    (void)state;
    pbft_slot_set_header(slot, 4, header);
    assert_false(pbft_slot_has_body(slot));
    pbft_slot_set_body(slot, batch);
    assert_true(pbft_slot_has_body(slot));
    assert_ptr_equal(pbft_slot_proposal(slot)->pre_prepare.body, batch);
    pbft_keep(&slot->prepared, certificate);
    slot->is_prepared = true;

    pbft_slot_begin_view(slot, 1);

    assert_null(slot->header);
    assert_false(slot->is_prepared);
    assert_false(pbft_slot_has_body(slot));
    assert_ptr_equal(slot->prepared, certificate);
    assert_ptr_equal(pbft_slot_find_body(slot, &header->pre_prepare.digest),
                     batch);
    const struct pbft_digest other = {{7}};
    assert_null(pbft_slot_find_body(slot, &other));
    /* Another body takes its place, e.g. that of a proposal that failed. */
    pbft_keep(&slot->prepared_body, batch);
    pbft_keep(&slot->body, NULL);
    assert_ptr_equal(pbft_slot_find_body(slot, &header->pre_prepare.digest),
                     batch);
    pbft_message_unref(certificate);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

/* Another body takes its place: the log alone has the first one now. */
static void test_a_slot_knows_that_the_log_has_more(void **state)
{
    struct pbft_slot *slot = pbft_slot_log_at(&slots, 2);
    struct pbft_message *one = cast_batch(&cast, 5, 1, 1);
    struct pbft_message *other = cast_batch(&cast, 5, 2, 1);
    (void)state;
    pbft_slot_keep_body(slot, one);
    pbft_slot_keep_body(slot, one);
    assert_false(slot->has_older_bodies);

    pbft_slot_keep_body(slot, other);
    assert_true(slot->has_older_bodies);
    pbft_slot_begin_view(slot, 3);
    assert_true(slot->has_older_bodies);

    pbft_slot_log_advance(&slots, 4);
    assert_false(pbft_slot_log_at(&slots, 10)->has_older_bodies);
    pbft_message_unref(one);
    pbft_message_unref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_the_window_has_slots, make,
                                        release),
        cmocka_unit_test_setup_teardown(test_far_jumps_of_the_window, make,
                                        release),
        cmocka_unit_test_setup_teardown(test_the_log_near_the_last_seq, make,
                                        release),
        cmocka_unit_test_setup_teardown(
            test_votes_before_the_header_are_counted_with_it, make, release),
        cmocka_unit_test_setup_teardown(
            test_a_new_view_keeps_body_and_certificate, make, release),
        cmocka_unit_test_setup_teardown(test_a_slot_knows_that_the_log_has_more,
                                        make, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
