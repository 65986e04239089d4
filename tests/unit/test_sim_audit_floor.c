/* SPDX-License-Identifier: Apache-2.0 */
/* The floor under the throughput (L8): the rule fires on a history made by
 * hand, and not on the one next to it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/support/audit_fixture.h"

static void see_view(uint32_t index, pbft_view view, bool is_active)
{
    const struct pbft_report report = {
        .view = view, .view_active = is_active, .may_vote = true};
    audit_throughput.on_state(sim, sim->hosts[index], &report);
}

static void see_all(pbft_view view)
{
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        see_view(i, view, true);
    }
}

/* A new block with one request of a client. */
static void execute_one_of(uint32_t client, pbft_seq seq)
{
    const struct host *host = sim->hosts[1];
    const struct pbft_message *request = request_of(client);
    const struct pbft_origin origin = {.sender = 0, .epoch = 1};
    struct pbft_message *body =
        pbft_batch_create(&host->domain, 1, &request, 1);
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, 0, seq, &body->batch.digest, body);
    struct pbft_message *block =
        pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1, header, NULL, 0);
    const struct service_outcome outcome = {.executed = {.seq = seq}};
    audit_throughput.on_executed(sim, host, block, &outcome);
    pbft_message_unref(body);
    pbft_message_unref(header);
    pbft_message_unref(block);
}

static uint64_t floor_us(void)
{
    return liveness_floor_us(sim, false);
}

/* All is well, and c1 begins to wait, now. */
static void begin_to_wait(void)
{
    audit_healed(sim);
    sim->now_us += SIM_PAUSE_STEP_US;
    see_all(0);
    (void)request_of(0);
}

static void test_l8_a_request_that_nobody_serves(void **state)
{
    (void)state;
    begin_to_wait();
    sim->now_us += floor_us();
    see_all(0);
    assert_fine();
    sim->now_us++;
    see_all(0);
    assert_broken("L8");
}

static void test_l8_amid_faults_nothing_is_owed(void **state)
{
    (void)state;
    (void)request_of(0);
    sim->now_us += 10 * floor_us();
    see_all(0);
    assert_fine();
}

/* Timers: 200 ms of the client, 400 ms of the request; in delta: latency,
 * disk, and what is sent again after 200 ms. */
static void test_l8_floor_follows_from_the_timers(void **state)
{
    (void)state;
    assert_in_range(floor_us(), 600 * SIM_MS_US + 8 * 200 * SIM_MS_US,
                    600 * SIM_MS_US + 8 * 250 * SIM_MS_US);
    assert_true(liveness_floor_us(sim, true) == floor_us() + 6400 * SIM_MS_US);
}

static void test_l8_service_of_its_institution_counts(void **state)
{
    (void)state;
    begin_to_wait();
    sim->now_us += floor_us();
    execute_one_of(0, 1);
    sim->now_us += floor_us();
    see_all(0);
    assert_fine();
}

/* A primary that lets one institution wait for the others. */
static void test_l8_service_of_others_does_not(void **state)
{
    (void)state;
    begin_to_wait();
    sim->now_us += floor_us();
    execute_one_of(1, 1);
    sim->now_us++;
    see_all(0);
    assert_broken("L8");
}

static void test_l8_a_view_that_ends_takes_its_time(void **state)
{
    (void)state;
    begin_to_wait();
    sim->now_us += floor_us();
    see_view(1, 1, false);
    sim->now_us += liveness_floor_us(sim, true);
    see_view(1, 1, false);
    assert_fine();
    sim->now_us++;
    see_view(1, 1, false);
    assert_broken("L8");
}

/* L5 sees the same; in view 0 all began, in view 1 no wait is longer. */
static void see_all_wait(pbft_view view)
{
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        const struct pbft_report report = {
            .view = view,
            .view_active = true,
            .condition =
                view == 0 ? PBFT_CONDITION_STARTING : PBFT_CONDITION_NORMAL};
        audit_timers.on_state(sim, sim->hosts[i], &report);
    }
    see_all(view);
}

/* Its timers follow the back-off until it is stable; that others are served
 * does not make it so. */
static void test_l8_a_view_after_one_that_failed(void **state)
{
    (void)state;
    see_all_wait(0);
    begin_to_wait();
    see_all_wait(2);
    sim->now_us += liveness_floor_us(sim, true);
    execute_one_of(1, 1);
    see_all(2);
    assert_fine();
    sim->now_us++;
    see_all(2);
    assert_broken("L8");
}

static void test_l8_a_view_after_one_that_lasted(void **state)
{
    (void)state;
    see_all_wait(0);
    begin_to_wait();
    see_all_wait(1);
    sim->now_us += floor_us();
    see_all(1);
    assert_fine();
    sim->now_us++;
    see_all(1);
    assert_broken("L8");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, create_running, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_l8_a_request_that_nobody_serves),
        TEST(test_l8_amid_faults_nothing_is_owed),
        TEST(test_l8_floor_follows_from_the_timers),
        TEST(test_l8_service_of_its_institution_counts),
        TEST(test_l8_service_of_others_does_not),
        TEST(test_l8_a_view_that_ends_takes_its_time),
        TEST(test_l8_a_view_after_one_that_failed),
        TEST(test_l8_a_view_after_one_that_lasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
