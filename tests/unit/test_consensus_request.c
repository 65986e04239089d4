/* SPDX-License-Identifier: Apache-2.0 */
/* The request queue: limits, fairness, lanes, deadlines. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "consensus/preimage.h"
#include "consensus/request.h"
#include "tests/support/cast.h"

#define CAPACITY 64
#define PER_INSTITUTION 32
#define BYTES (1u << 20)
#define TIMEOUT_MS 100

static struct cast cast;
static struct pbft_requests *queue;

static int make(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    queue = malloc(sizeof *queue);
    return pbft_requests_init(queue, CAPACITY, PER_INSTITUTION, BYTES,
                              TIMEOUT_MS)
               ? 0
               : 1;
}

static int release(void **state)
{
    (void)state;
    pbft_requests_check_invariants(queue);
    pbft_requests_deinit(queue);
    free(queue);
    return 0;
}

static struct pbft_message *request(uint16_t institution, uint64_t sequence,
                                    enum pbft_lane lane, size_t size)
{
    static const uint8_t payload[1000];
    struct pbft_request fields = {.client = cast.client.signer.key,
                                  .session = 1,
                                  .sequence = sequence,
                                  .lane = lane,
                                  .payload = {payload, size}};
    fields.institution.bytes[0] = (uint8_t)institution;
    fields.institution.bytes[1] = (uint8_t)(institution >> 8);
    struct pbft_message *message = pbft_request_create(
        &cast.client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    assert_non_null(message);
    pbft_message_sign(&cast.client.domain, message);
    return message;
}

static enum pbft_verdict admit(uint16_t institution, uint64_t sequence,
                               enum pbft_lane lane, pbft_time_ms now)
{
    struct pbft_message *message = request(institution, sequence, lane, 10);
    enum pbft_verdict verdict = pbft_requests_admit(queue, message, now, true);
    pbft_message_unref(message);
    pbft_requests_check_invariants(queue);
    return verdict;
}

static void assert_next(uint16_t institution, uint64_t sequence)
{
    const struct pbft_message *message = pbft_requests_next(queue, 1000);
    assert_non_null(message);
    assert_int_equal(message->request.institution.bytes[0], institution);
    assert_int_equal(message->request.sequence, sequence);
    pbft_requests_check_invariants(queue);
}

static void finish_sized(uint16_t institution, uint64_t sequence, size_t size,
                         pbft_time_ms now)
{
    struct pbft_message *message =
        request(institution, sequence, PBFT_LANE_NORMAL, size);
    pbft_requests_remove(queue, &message->request.digest, now);
    pbft_message_unref(message);
    pbft_requests_check_invariants(queue);
}

static void finish(uint16_t institution, uint64_t sequence, pbft_time_ms now)
{
    finish_sized(institution, sequence, 10, now);
}

static void test_a_request_is_known_once(void **state)
{
    (void)state;
    assert_int_equal(admit(1, 1, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
    assert_int_equal(admit(1, 1, PBFT_LANE_NORMAL, 0), PBFT_DUPLICATE);
    assert_int_equal(queue->count, 1);
    assert_int_equal(queue->waiting_bytes, 10);

    finish(1, 1, 0);
    assert_int_equal(queue->count, 0);
    assert_int_equal(queue->waiting, 0);
    assert_int_equal(queue->byte_shares.total, 0);
    assert_int_equal(admit(1, 1, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
}

static void test_an_institution_has_its_limit(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= PER_INSTITUTION; i++) {
        assert_int_equal(admit(1, i, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
    }
    assert_int_equal(admit(1, 999, PBFT_LANE_NORMAL, 0), PBFT_QUEUE_FULL);
    /* Others still get in, until the whole queue is full. */
    for (uint64_t i = 1; i <= CAPACITY - PER_INSTITUTION; i++) {
        assert_int_equal(admit(2, i, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
    }
    assert_int_equal(admit(3, 1, PBFT_LANE_NORMAL, 0), PBFT_QUEUE_FULL);

    finish(1, 1, 0);
    assert_int_equal(admit(3, 1, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
}

static void test_institutions_take_turns(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        (void)admit(1, i, PBFT_LANE_NORMAL, 0);
    }
    (void)admit(2, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(3, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(3, 2, PBFT_LANE_NORMAL, 0);

    assert_next(1, 1);
    assert_next(2, 1);
    assert_next(3, 1);
    assert_next(1, 2);
    assert_next(3, 2);
    assert_next(1, 3);
    assert_null(pbft_requests_next(queue, 1000));
    assert_int_equal(queue->count, 6);
}

static void test_the_urgent_lane_goes_first(void **state)
{
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(2, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(2, 2, PBFT_LANE_URGENT, 0);
    (void)admit(1, 2, PBFT_LANE_URGENT, 0);

    assert_next(2, 2);
    assert_next(1, 2);
    assert_next(1, 1);
    assert_next(2, 1);
}

/* One institution that calls everything urgent keeps nobody waiting. */
static void test_the_urgent_lane_does_not_starve_the_other(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 8; i++) {
        (void)admit(1, i, PBFT_LANE_URGENT, 0);
    }
    (void)admit(2, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(3, 1, PBFT_LANE_NORMAL, 0);

    assert_next(1, 1);
    assert_next(1, 2);
    assert_next(1, 3);
    assert_next(2, 1);
    assert_next(1, 4);
    assert_next(1, 5);
    assert_next(1, 6);
    assert_next(3, 1);
    assert_next(1, 7);
    assert_next(1, 8);
}

static void test_what_does_not_fit_waits(void **state)
{
    (void)state;
    struct pbft_message *large = request(1, 1, PBFT_LANE_NORMAL, 900);
    (void)pbft_requests_admit(queue, large, 0, false);

    assert_null(pbft_requests_next(queue, 899));
    assert_int_equal(queue->waiting, 1);
    assert_ptr_equal(pbft_requests_next(queue, 900), large);
    pbft_message_unref(large);
}

static void test_a_new_view_puts_all_back_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 4; i++) {
        (void)admit(1, i, PBFT_LANE_NORMAL, 0);
    }
    (void)admit(2, 1, PBFT_LANE_NORMAL, 0);
    assert_next(1, 1);
    assert_next(2, 1);
    assert_next(1, 2);
    finish(1, 1, 0);

    pbft_requests_wait_again(queue);

    assert_int_equal(queue->waiting, 4);
    assert_next(1, 2);
    assert_next(2, 1);
    assert_next(1, 3);
    assert_next(1, 4);
}

static void test_only_its_own_progress_restarts_a_deadline(void **state)
{
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 1000);
    (void)admit(2, 1, PBFT_LANE_NORMAL, 1010);
    (void)admit(2, 2, PBFT_LANE_NORMAL, 1020);
    assert_int_equal(pbft_requests_deadline(queue), 1100);

    finish(2, 1, 1090);
    assert_int_equal(pbft_requests_deadline(queue), 1100);
    finish(1, 1, 1095);
    assert_int_equal(pbft_requests_deadline(queue), 1190);
    pbft_requests_restart(queue, 2000);
    assert_int_equal(pbft_requests_deadline(queue), 2100);
    finish(2, 2, 2000);
    assert_true(pbft_requests_deadline(queue) == PBFT_TIME_NEVER);
}

/* What comes within a timeout of it may come to the primary before it. */
static void test_who_is_passed_over_keeps_its_deadline(void **state)
{
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 1000);
    (void)admit(1, 2, PBFT_LANE_NORMAL, 1100);
    (void)admit(1, 3, PBFT_LANE_NORMAL, 1101);
    (void)admit(1, 4, PBFT_LANE_NORMAL, 1102);
    (void)admit(1, 5, PBFT_LANE_NORMAL, 1103);
    finish(1, 2, 1105);
    assert_int_equal(pbft_requests_deadline(queue), 1205);
    finish(1, 3, 1110);
    assert_int_equal(pbft_requests_deadline(queue), 1205);
    finish(1, 1, 1120); /* The next one has all its time. */
    assert_int_equal(pbft_requests_deadline(queue), 1220);
    finish(1, 5, 1130);
    assert_int_equal(pbft_requests_deadline(queue), 1230);
    (void)admit(1, 6, PBFT_LANE_NORMAL, 1221);
    finish(1, 6, 1225);
    assert_int_equal(pbft_requests_deadline(queue), 1230);
}

/* The primary of a new view may hear of the oldest then for the first time. */
static void test_a_new_view_may_hear_of_the_oldest_late(void **state)
{
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 1000);
    (void)admit(1, 2, PBFT_LANE_NORMAL, 1500);
    pbft_requests_restart(queue, 2000);
    (void)admit(1, 3, PBFT_LANE_NORMAL, 2100);
    (void)admit(1, 4, PBFT_LANE_NORMAL, 2101);
    finish(1, 2, 2010);
    assert_int_equal(pbft_requests_deadline(queue), 2110);
    finish(1, 3, 2101);
    assert_int_equal(pbft_requests_deadline(queue), 2201);
    finish(1, 4, 2150);
    assert_int_equal(pbft_requests_deadline(queue), 2201);
    pbft_requests_restart(queue, 3000); /* Again. */
    assert_int_equal(pbft_requests_deadline(queue), 3100);
}

static void test_stale_requests_are_found(void **state)
{
    const struct pbft_pending *stale[8];
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 0);
    (void)admit(1, 2, PBFT_LANE_NORMAL, 50);
    (void)admit(2, 1, PBFT_LANE_NORMAL, 10);

    assert_int_equal(pbft_requests_stale(queue, 60, 50, stale, 8), 2);
    assert_int_equal(stale[0]->message->request.sequence, 1);
    assert_int_equal(pbft_requests_stale(queue, 60, 50, stale, 1), 1);
    assert_int_equal(pbft_requests_stale(queue, 60, 61, stale, 8), 0);
}

static void test_relays_rest_longer_each_time(void **state)
{
    const struct pbft_pending *item;
    (void)state;
    (void)admit(1, 1, PBFT_LANE_NORMAL, 0);
    assert_int_equal(pbft_requests_stale(queue, 60, 50, &item, 1), 1);
    assert_int_equal(item->relay_after, 0);

    pbft_requests_relayed(queue, item, 100, 10, 35);
    assert_int_equal(item->relay_after, 110);
    pbft_requests_relayed(queue, item, 110, 10, 35);
    assert_int_equal(item->relay_after, 130);
    pbft_requests_relayed(queue, item, 130, 10, 35);
    assert_int_equal(item->relay_after, 165);
    pbft_requests_relayed(queue, item, 165, 10, 35);
    assert_int_equal(item->relay_after, 200);

    pbft_requests_wait_again(queue);
    assert_int_equal(item->relay_after, 0);
    pbft_requests_relayed(queue, item, 300, 10, 35);
    assert_int_equal(item->relay_after, 310);
}

/* Each has a timer of its own, so each must reach the primary in time. */
static void test_a_relay_leaves_no_institution_out(void **state)
{
    const struct pbft_pending *stale[PBFT_INSTITUTIONS_MAX];
    bool is_there[200] = {false};
    (void)state;
    pbft_requests_deinit(queue);
    assert_true(pbft_requests_init(queue, 4096, 64, BYTES, TIMEOUT_MS));
    for (uint16_t i = 0; i < 200; i++) {
        for (uint64_t k = 1; k <= 20; k++) {
            assert_int_equal(admit(i, k, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
        }
    }
    const uint32_t count =
        pbft_requests_stale(queue, 100, 50, stale, PBFT_INSTITUTIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *id = stale[i]->message->request.institution.bytes;
        is_there[id[0] + 256 * id[1]] = true;
    }
    for (uint16_t i = 0; i < 200; i++) {
        assert_true(is_there[i]);
    }
}

static void test_invented_institutions_are_bounded(void **state)
{
    uint32_t accepted = 0;
    (void)state;
    pbft_requests_deinit(queue);
    assert_true(pbft_requests_init(queue, 1024, 8, BYTES, TIMEOUT_MS));
    for (uint16_t i = 0; i < 400; i++) {
        struct pbft_message *message = request(i, 1, PBFT_LANE_NORMAL, 1);
        accepted +=
            pbft_requests_admit(queue, message, 0, false) == PBFT_ACCEPTED;
        pbft_message_unref(message);
    }
    assert_int_equal(accepted, PBFT_INSTITUTIONS_MAX);

    /* A place becomes free with the last request. */
    struct pbft_message *first = request(0, 1, PBFT_LANE_NORMAL, 1);
    pbft_requests_remove(queue, &first->request.digest, 0);
    pbft_message_unref(first);
    assert_int_equal(admit(399, 1, PBFT_LANE_NORMAL, 0), PBFT_ACCEPTED);
}

static enum pbft_verdict relay_sized(pbft_replica_id peer, uint16_t institution,
                                     uint64_t sequence, size_t size)
{
    struct pbft_message *message =
        request(institution, sequence, PBFT_LANE_NORMAL, size);
    message->sender = peer;
    enum pbft_verdict verdict = pbft_requests_admit(queue, message, 0, false);
    pbft_message_unref(message);
    pbft_requests_check_invariants(queue);
    return verdict;
}

static enum pbft_verdict relay_from(pbft_replica_id peer, uint16_t institution,
                                    uint64_t sequence)
{
    return relay_sized(peer, institution, sequence, 10);
}

/* One peer relays what it invents until nothing more is taken from it. */
static void test_who_floods_leaves_the_others_their_part(void **state)
{
    (void)state;
    pbft_requests_deinit(queue);
    assert_true(pbft_requests_init(queue, 512, 64, BYTES, TIMEOUT_MS));
    pbft_requests_reserve(queue, 4);
    uint64_t sequence = 0;
    for (uint16_t i = 0; i < 300; i++) {
        for (uint32_t k = 0; k < 100; k++) {
            (void)relay_from(3, i, ++sequence);
        }
    }
    assert_int_equal(relay_from(3, 0, ++sequence), PBFT_QUEUE_FULL);
    assert_int_equal(queue->count, 512 - 3 * 64);
    /* In the institution that it filled, and in new ones. */
    for (uint32_t k = 0; k < 8; k++) {
        assert_int_equal(relay_from(1, 0, ++sequence), PBFT_ACCEPTED);
        assert_int_equal(admit(0, ++sequence, PBFT_LANE_NORMAL, 0),
                         PBFT_ACCEPTED);
    }
    for (uint16_t i = 0; i < 32; i++) {
        assert_int_equal(relay_from(2, (uint16_t)(1000 + i), ++sequence),
                         PBFT_ACCEPTED);
    }
}

/* A queue of places would let few large requests take all memory. */
static void test_bytes_are_bounded_and_shared_as_places_are(void **state)
{
    (void)state;
    pbft_requests_deinit(queue);
    assert_true(pbft_requests_init(queue, 512, 512, 16000, TIMEOUT_MS));
    pbft_requests_reserve(queue, 4); /* 2000 each, and 8000 for all. */
    uint64_t accepted = 0;
    while (relay_sized(3, 1, accepted + 1, 1000) == PBFT_ACCEPTED) {
        accepted++;
    }
    assert_int_equal(accepted, 10);
    assert_int_equal(relay_sized(3, 1, 100, 1), PBFT_QUEUE_FULL);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(relay_sized(1, 1, 200 + i, 1000), PBFT_ACCEPTED);
        assert_int_equal(relay_sized(2, 2, 300 + i, 1000), PBFT_ACCEPTED);
    }
    assert_int_equal(relay_sized(1, 1, 400, 1), PBFT_QUEUE_FULL);
    finish_sized(1, 1, 1000, 0);
    assert_int_equal(relay_sized(1, 1, 401, 999), PBFT_ACCEPTED);
    assert_int_equal(relay_sized(2, 2, 402, 2), PBFT_QUEUE_FULL);
    assert_int_equal(relay_sized(2, 2, 403, 1), PBFT_ACCEPTED);
    assert_int_equal(queue->byte_shares.total, 14000);
}

static void test_invented_institutions_leave_room_for_others(void **state)
{
    (void)state;
    pbft_requests_deinit(queue);
    assert_true(pbft_requests_init(queue, 1024, 64, BYTES, TIMEOUT_MS));
    pbft_requests_reserve(queue, 4);
    uint32_t accepted = 0;
    for (uint16_t i = 0; i < 400; i++) {
        accepted += relay_from(3, i, 1) == PBFT_ACCEPTED;
    }
    assert_int_equal(accepted, PBFT_INSTITUTIONS_MAX - 3 * 32);
    for (uint16_t i = 0; i < 32; i++) {
        assert_int_equal(relay_from(1, (uint16_t)(1000 + i), 1), PBFT_ACCEPTED);
        assert_int_equal(admit((uint16_t)(2000 + i), 1, PBFT_LANE_NORMAL, 0),
                         PBFT_ACCEPTED);
    }
}

/* What one peer says in the name of another's institution does not come before
 * what that one itself brings. */
static void test_junk_in_another_name_has_no_turn_of_it(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 9; i++) {
        (void)relay_from(3, 1, i);
    }
    (void)relay_from(1, 1, 100);
    (void)relay_from(1, 1, 101);
    (void)admit(1, 200, PBFT_LANE_NORMAL, 0);

    assert_next(1, 1);
    assert_next(1, 100);
    assert_next(1, 200);
    assert_next(1, 2);
    assert_next(1, 101);
    assert_next(1, 3);
    assert_next(1, 4);
    assert_int_equal(queue->waiting, 5);
}

/* Behind how much else the first to bring it has put it does not matter. */
static void test_it_waits_where_its_turn_comes_first(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 6; i++) {
        (void)relay_from(3, 1, i);
    }
    assert_int_equal(relay_from(3, 1, 50), PBFT_ACCEPTED);
    (void)relay_from(1, 1, 100);
    assert_int_equal(relay_from(1, 1, 50), PBFT_DUPLICATE);
    /* A longer road is no better, nor is one of many institutions. */
    for (uint16_t i = 10; i < 15; i++) {
        (void)relay_from(2, i, 1);
    }
    assert_int_equal(relay_from(2, 1, 50), PBFT_DUPLICATE);

    assert_next(1, 1);
    assert_next(1, 100);
    assert_next(10, 1);
    assert_next(1, 2);
    assert_next(1, 50);
    assert_int_equal(relay_from(2, 1, 50), PBFT_DUPLICATE); /* It is taken. */
    finish(1, 50, 10);
    assert_int_equal(queue->all_shares.of[3], 6);
    assert_int_equal(queue->all_shares.of[1], 1);
}

/* Nobody can take it there and then make his own road long. */
static void test_its_first_place_stays(void **state)
{
    (void)state;
    (void)relay_from(1, 1, 1);
    (void)relay_from(1, 1, 2);
    assert_int_equal(relay_from(1, 1, 50), PBFT_ACCEPTED);
    (void)relay_from(3, 1, 100);
    assert_int_equal(relay_from(3, 1, 50), PBFT_DUPLICATE);
    for (uint16_t i = 10; i < 40; i++) {
        (void)relay_from(3, i, 1);
    }

    assert_next(1, 1);
    assert_next(1, 100);
    assert_next(1, 2);
    assert_next(10, 1);
    assert_next(1, 50);
    assert_next(11, 1);
    assert_next(12, 1);
}

/* However many institutions it invents. */
static void test_bringers_take_turns(void **state)
{
    (void)state;
    for (uint16_t i = 10; i < 40; i++) {
        (void)relay_from(3, i, 1);
    }
    (void)relay_from(1, 1, 1);
    (void)relay_from(1, 2, 1);
    (void)relay_from(1, 1, 2);

    assert_next(10, 1);
    assert_next(1, 1);
    assert_next(11, 1);
    assert_next(2, 1);
    assert_next(12, 1);
    assert_next(1, 2);
    assert_next(13, 1);
}

static void test_random_use_keeps_the_invariants(void **state)
{
    uint32_t random = 1;
    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        random = random * 1103515245u + 12345u;
        const uint16_t institution = (uint16_t)(random >> 16) % 5;
        const uint64_t sequence = (random >> 20) % 20;
        switch ((random >> 8) % 5) {
        case 0:
            (void)admit(institution, sequence,
                        (enum pbft_lane)(random >> 30 & 1), i);
            break;
        case 1:
            (void)relay_from((random >> 12) % 4, institution, sequence);
            break;
        case 2:
            finish(institution, sequence, i);
            break;
        case 3:
            (void)pbft_requests_next(queue, 1000);
            break;
        default:
            if (random % 16 == 0) {
                pbft_requests_wait_again(queue);
            }
        }
        pbft_requests_check_invariants(queue);
    }
}

/* ---- what is not here, and what is too much --------------------------------
 */

static void test_of_what_is_not_here_nothing_is_said(void **state)
{
    (void)state;
    struct pbft_message *known = request(1, 1, PBFT_LANE_NORMAL, 10);
    struct pbft_message *gone = request(2, 2, PBFT_LANE_NORMAL, 10);
    assert_int_equal(pbft_requests_admit(queue, known, 0, true), PBFT_ACCEPTED);
    const struct pbft_digest *digest = &gone->request.digest;

    assert_null(pbft_requests_find(queue, digest));
    assert_int_equal(pbft_requests_count_of(queue, &gone->request.institution),
                     0);
    pbft_requests_tell(queue, digest, 5);
    pbft_requests_share(queue, digest);
    pbft_requests_take(queue, digest);
    pbft_requests_remove(queue, digest, 5);

    const struct pbft_pending *item =
        pbft_requests_find(queue, &known->request.digest);
    assert_non_null(item);
    assert_true(item->is_waiting && !item->is_told && !item->is_shared);
    assert_int_equal(queue->count, 1);
    pbft_message_unref(known);
    pbft_message_unref(gone);
}

/* It was told when it was told first: the primary has known it since then. */
static void test_it_is_told_once(void **state)
{
    (void)state;
    struct pbft_message *known = request(1, 1, PBFT_LANE_NORMAL, 10);
    assert_int_equal(pbft_requests_admit(queue, known, 0, true), PBFT_ACCEPTED);
    pbft_requests_tell(queue, &known->request.digest, 5);
    pbft_requests_tell(queue, &known->request.digest, 9);
    assert_int_equal(pbft_requests_find(queue, &known->request.digest)->told_at,
                     5);
    pbft_message_unref(known);
}

/* Names meet in one bucket: the chain is walked, and mended. */
static void test_institutions_that_share_a_bucket_are_apart(void **state)
{
    const uint16_t stride = 40503; /* Odd: all names are distinct. */
    uint16_t name = 0;
    (void)state;
    for (uint64_t round = 0; round < 40; round++) {
        for (uint16_t i = 0; i < CAPACITY; i++) {
            assert_int_equal(admit((uint16_t)(name + i * stride), 1,
                                   PBFT_LANE_NORMAL, round),
                             PBFT_ACCEPTED);
        }
        for (uint16_t i = 0; i < CAPACITY; i++) {
            finish((uint16_t)(name + i * stride), 1, round);
            assert_int_equal(queue->name_shares.total, CAPACITY - 1u - i);
        }
        assert_int_equal(queue->count, 0);
        name = (uint16_t)(name + CAPACITY * stride);
    }
}

static void test_more_than_there_is_has_no_room(void **state)
{
    static const struct pbft_shares nothing_taken;
    const struct pbft_share_limits limits = pbft_share_limits_of(100, 4);
    (void)state;
    assert_true(pbft_shares_have_room(&nothing_taken, &limits, 0, 1));
    assert_true(pbft_shares_have_room(&nothing_taken, &limits, 0,
                                      100 - 3 * limits.part));
    assert_false(pbft_shares_have_room(&nothing_taken, &limits, 0,
                                       100 - 3 * limits.part + 1));
    assert_false(pbft_shares_have_room(&nothing_taken, &limits, 0, 101));
    assert_false(pbft_shares_have_room(&nothing_taken, &limits, 0, UINT32_MAX));
}

/* Answers fit into what they are asked for. */
static void test_no_more_is_listed_than_is_asked_for(void **state)
{
    const struct pbft_pending *list[4] = {NULL};
    (void)state;
    for (uint16_t i = 1; i <= 4; i++) {
        struct pbft_message *message = request(i, 1, PBFT_LANE_NORMAL, 10);
        assert_int_equal(pbft_requests_admit(queue, message, 0, true),
                         PBFT_ACCEPTED);
        pbft_requests_tell(queue, &message->request.digest, 0);
        pbft_message_unref(message);
    }
    for (uint32_t max = 1; max <= 4; max++) {
        assert_int_equal(pbft_requests_told(queue, list, max), max);
        assert_int_equal(pbft_requests_lying(queue, 50, 10, list, max), max);
        assert_int_equal(pbft_requests_stale(queue, 50, 10, list, max), max);
    }
}

/* One name's backlog is not searched to its end. */
static void test_a_backlog_is_looked_at_from_its_front(void **state)
{
    const struct pbft_pending *list[4];
    (void)state;
    for (uint64_t i = 1; i <= 20; i++) {
        struct pbft_message *message = request(1, i, PBFT_LANE_NORMAL, 10);
        assert_int_equal(pbft_requests_admit(queue, message, 0, true),
                         PBFT_ACCEPTED);
        if (i == 20) {
            pbft_requests_tell(queue, &message->request.digest, 0);
        } else {
            pbft_requests_share(queue, &message->request.digest);
        }
        pbft_message_unref(message);
    }
    assert_int_equal(pbft_requests_told(queue, list, 4), 0);
    assert_int_equal(pbft_requests_lying(queue, 50, 10, list, 4), 0);
    finish(1, 1, 0);
    finish(1, 2, 0);
    finish(1, 3, 0);
    finish(1, 4, 0);
    assert_int_equal(pbft_requests_told(queue, list, 4), 1);
    assert_int_equal(pbft_requests_lying(queue, 50, 10, list, 4), 1);
    assert_int_equal(list[0]->message->request.sequence, 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, release)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_known_once),
        TEST(test_an_institution_has_its_limit),
        TEST(test_institutions_take_turns),
        TEST(test_the_urgent_lane_goes_first),
        TEST(test_the_urgent_lane_does_not_starve_the_other),
        TEST(test_what_does_not_fit_waits),
        TEST(test_a_new_view_puts_all_back_in_order),
        TEST(test_only_its_own_progress_restarts_a_deadline),
        TEST(test_who_is_passed_over_keeps_its_deadline),
        TEST(test_a_new_view_may_hear_of_the_oldest_late),
        TEST(test_stale_requests_are_found),
        TEST(test_relays_rest_longer_each_time),
        TEST(test_a_relay_leaves_no_institution_out),
        TEST(test_invented_institutions_are_bounded),
        TEST(test_who_floods_leaves_the_others_their_part),
        TEST(test_bytes_are_bounded_and_shared_as_places_are),
        TEST(test_invented_institutions_leave_room_for_others),
        TEST(test_junk_in_another_name_has_no_turn_of_it),
        TEST(test_it_waits_where_its_turn_comes_first),
        TEST(test_its_first_place_stays),
        TEST(test_bringers_take_turns),
        TEST(test_random_use_keeps_the_invariants),
        TEST(test_of_what_is_not_here_nothing_is_said),
        TEST(test_it_is_told_once),
        TEST(test_institutions_that_share_a_bucket_are_apart),
        TEST(test_more_than_there_is_has_no_room),
        TEST(test_no_more_is_listed_than_is_asked_for),
        TEST(test_a_backlog_is_looked_at_from_its_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
