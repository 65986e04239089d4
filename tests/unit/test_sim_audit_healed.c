/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about what goes on once all is well, and who may end a view: each
 * fires on a history made by hand, and not on the one next to it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/quorum.h"
#include "tests/support/audit_fixture.h"

static void see_view(uint32_t index, pbft_view view, bool is_active)
{
    const struct pbft_report report = {.view = view, .view_active = is_active};
    audit_failed_views.on_state(sim, sim->hosts[index], &report);
    audit_leaving.on_state(sim, sim->hosts[index], &report);
}

static void ask_for_view(pbft_replica_id sender, pbft_view view)
{
    const struct pbft_message asking = {.type = PBFT_MESSAGE_VIEW_CHANGE,
                                        .sender = sender,
                                        .view_change = {.view = view}};
    audit_escalation.on_receive(sim, sim->hosts[1], &asking);
}

static void commit_in_view(pbft_view view)
{
    const struct pbft_origin origin = {.sender = 0, .epoch = 1};
    const struct pbft_digest digest = {{1}};
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, view, 1, &digest, NULL);
    struct pbft_message *block =
        pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1, header, NULL, 0);
    const struct pbft_commit commit = {.seq = 1, .committed = block};
    audit_failed_views.on_commit(sim, sim->hosts[1], &commit);
    pbft_message_unref(header);
    pbft_message_unref(block);
}

/* n = 4, nobody outside of the core: the view that is on, and one more. */
static void test_l2_views_that_fail_in_a_row(void **state)
{
    (void)state;
    see_view(1, 50, true); /* Amid the faults. */
    assert_false(sim->violation.found);
    audit_healed(sim);
    see_view(1, 2, true);
    assert_false(sim->violation.found);
    commit_in_view(2);
    see_view(1, 4, true);
    assert_false(sim->violation.found);
    see_view(1, 5, false);
    assert_broken("L2");
}

static void see_wait(pbft_view view, bool is_active, pbft_seq committed)
{
    const struct pbft_report report = {.view = view,
                                       .view_active = is_active,
                                       .committed = committed,
                                       .condition = PBFT_CONDITION_NORMAL};
    audit_timers.on_state(sim, sim->hosts[1], &report);
}

/* The replica itself is in view 0. */
static void hand_out(pbft_seq seq, uint32_t requests)
{
    const struct pbft_message body = {.type = PBFT_MESSAGE_BATCH,
                                      .batch.request_count = requests};
    const struct pbft_message header = {.type = PBFT_MESSAGE_PRE_PREPARE,
                                        .pre_prepare = {.body = &body}};
    const struct pbft_message block = {.type = PBFT_MESSAGE_COMMITTED,
                                       .committed.pre_prepare = &header};
    const struct pbft_commit commit = {.seq = seq, .committed = &block};
    audit_timers.on_commit(sim, sim->hosts[1], &commit);
}

static void check_waits(pbft_view progress)
{
    static const pbft_time_ms waits[] = {400, 400, 800, 1600, 3200, 6400, 6400};
    for (pbft_view i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(audit_view_wait_max(sim, sim->hosts[1], progress + i),
                         waits[i]);
    }
}

static void check_cap_alone(void)
{
    for (pbft_view view = 0; view < 60; view++) {
        assert_int_equal(audit_view_wait_max(sim, sim->hosts[1], view), 6400);
    }
}

static void pass_ms(uint64_t ms)
{
    sim->now_us += ms * SIM_MS_US;
}

/* Time for a view to be stable: four request timeouts. */
#define STABLE_MS (4 * 400)

/* Who recovers is not seen at first; from progress on each view doubles the
 * wait. */
static void test_l5_waits_follow_from_the_last_progress(void **state)
{
    (void)state;
    see_wait(50, false, 0);
    check_cap_alone();
    see_wait(0, true, 7);
    pass_ms(STABLE_MS);
    hand_out(7, 1); /* Nobody knows in which view it was delivered. */
    hand_out(8, 0);
    check_cap_alone();
    hand_out(8, 1);
    check_waits(0);
    see_wait(60, true, 9);
    check_waits(0);
    assert_false(sim->violation.found);
}

static void test_l5_no_progress_where_no_view_is_active(void **state)
{
    (void)state;
    see_wait(0, false, 7);
    pass_ms(STABLE_MS);
    hand_out(8, 1);
    check_cap_alone();
    see_wait(0, true, 9);
    pass_ms(STABLE_MS);
    hand_out(9, 1); /* Delivered before it became active. */
    check_cap_alone();
    hand_out(10, 1);
    check_waits(0);
}

/* What is handed out before is that of a view that may not last. */
static void test_l5_no_progress_in_a_view_that_is_not_stable(void **state)
{
    (void)state;
    see_wait(0, true, 7);
    pass_ms(STABLE_MS - 1);
    hand_out(8, 1);
    check_cap_alone();
    see_wait(0, true, 8);
    pass_ms(1);
    hand_out(8, 1); /* Delivered when it was not. */
    check_cap_alone();
    hand_out(9, 1);
    check_waits(0);
}

/* A life that was seen from its start. */
static void begin_life(pbft_view view, bool is_active)
{
    const struct pbft_report report = {.view = view,
                                       .view_active = is_active,
                                       .condition = PBFT_CONDITION_STARTING};
    audit_timers.on_state(sim, sim->hosts[1], &report);
}

static void test_l5_a_life_begins_without_failures(void **state)
{
    (void)state;
    begin_life(3, true);
    check_waits(3);
}

/* That it asks for the view is no failure of the view. */
static void test_l5_a_life_may_begin_between_two_views(void **state)
{
    (void)state;
    begin_life(3, false);
    check_waits(2);
}

/* Request timers are as long as the wait for the view was, after failures; the
 * wait alone may be longer than they are. */
static void test_l5_patience_follows_from_the_failed_views(void **state)
{
    const struct host *host = sim->hosts[1];
    (void)state;
    sim->hosts[1]->config.view_change_timeout_ms = 500;
    begin_life(0, true);
    assert_false(audit_is_patient(sim, host));
    see_wait(1, true, 7);
    assert_false(audit_is_patient(sim, host));
    see_wait(2, true, 7);
    assert_true(audit_is_patient(sim, host));
}

/* Those that run when the view is stable end when they end. */
static void test_l5_patience_ends_with_a_stable_view(void **state)
{
    const struct host *host = sim->hosts[1];
    const uint64_t delta_ms = liveness_delta_us(sim) / SIM_MS_US;
    (void)state;
    see_wait(0, true, 7);
    pass_ms(STABLE_MS);
    hand_out(8, 1);
    pass_ms(6400 + delta_ms - 1);
    hand_out(9, 1);
    assert_true(audit_is_patient(sim, host));
    pass_ms(1);
    assert_false(audit_is_patient(sim, host));
}

/* Replica 3 is outside of the core. */
static void leave_one_outside(void)
{
    sim->has_core = true;
    for (pbft_replica_id id = 0; id < 3; id++) {
        pbft_set_add(&sim->core, id);
    }
}

/* 400 and 800 ms fit into the stall, 1,600 more do not; and the outsider. */
static void test_l2_views_that_a_stalled_disk_takes(void **state)
{
    (void)state;
    assert_int_equal(sim->settings.replica.view_change_timeout_ms, 400);
    leave_one_outside();
    sim->hosts[2]->synced_at_us = sim->now_us + 2799 * SIM_MS_US;
    audit_healed(sim);
    see_view(1, 5, false);
    assert_false(sim->violation.found);
    see_view(1, 6, false);
    assert_broken("L2");
}

/* Where a quorum is left it takes none. */
static void test_l2_a_stalled_disk_beside_a_quorum(void **state)
{
    (void)state;
    sim->hosts[2]->synced_at_us = sim->now_us + 2799 * SIM_MS_US;
    audit_healed(sim);
    see_view(1, 2, false);
    assert_false(sim->violation.found);
    see_view(1, 3, false);
    assert_broken("L2");
}

static void test_l2_views_that_the_maximum_allows(void **state)
{
    const uint64_t all_ms = 400 + 800 + 1600 + 3200 + 6400 + 6400;
    (void)state;
    leave_one_outside();
    sim->hosts[2]->synced_at_us = sim->now_us + all_ms * SIM_MS_US;
    audit_healed(sim);
    see_view(1, 9, false);
    assert_false(sim->violation.found);
    see_view(1, 10, false);
    assert_broken("L2");
}

/* f + 1 outside of the view that the others are in. */
static void test_l3_core_is_in_one_view(void **state)
{
    const struct pbft_replica_set all = {{0xf}};
    const uint8_t payload[] = "p";
    (void)state;
    run_for(10 * SIM_MS_US);
    assert_true(liveness_is_united(sim));
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t j = 0; j < 4; j++) {
            network_cut(&sim->network, i, j);
        }
    }
    struct client *client = sim->clients[0];
    client_send(client, client_prepare(client, (struct pbft_bytes){payload, 1}),
                &all);
    run_for(10 * SIM_MS_US);
    host_fire(sim->hosts[1], PBFT_TIMER_REQUEST);
    assert_true(liveness_is_united(sim));
    host_fire(sim->hosts[2], PBFT_TIMER_REQUEST);
    assert_false(liveness_is_united(sim));
}

static void test_l3_and_others_by_what_went_wrong(void **state)
{
    struct host *last = sim->hosts[2];
    (void)state;
    assert_string_equal(liveness_failure(sim, last, false), "L3");
    sim->hosts[1]->block_count++;
    assert_string_equal(liveness_failure(sim, last, false), "L4");
    assert_string_equal(liveness_failure(sim, last, true), "L1");
    sim->has_slow = true;
    assert_string_equal(liveness_failure(sim, last, true), "L10");
    last->state = HOST_HALTED;
    assert_string_equal(liveness_failure(sim, last, true), "L11");
    sim->hosts[1]->block_count--;
    last->state = HOST_UP;
}

static void test_l9_leaving_on_the_word_of_one(void **state)
{
    (void)state;
    see_view(1, 0, true);
    ask_for_view(2, 1);
    see_view(1, 1, false);
    assert_broken("L9");
}

static void test_l9_leaving_with_others_or_by_a_timer(void **state)
{
    (void)state;
    see_view(1, 0, true);
    ask_for_view(2, 1);
    ask_for_view(3, 2);
    see_view(1, 1, false);
    assert_false(sim->violation.found);
    see_view(1, 1, true);
    sim->hosts[1]->timeouts++;
    see_view(1, 7, false);
    assert_false(sim->violation.found);
    see_view(1, 9, true); /* It enters one: S20 judges that. */
    assert_false(sim->violation.found);
}

/* One of the core is slow in some seeds, and then the bound is longer. */
static void test_l10_one_of_the_core_is_slow(void **state)
{
    uint32_t slow = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct sim_settings settings;
        profile_find("four")->draw(&settings, seed);
        settings.network = (struct network_settings){.latency_us = 1000};
        struct sim *other = sim_create(&settings, seed, NULL);
        assert_true(liveness_begin(other));
        uint64_t bound_us = liveness_bound_us(other);
        slow += other->has_slow;
        if (other->has_slow) {
            assert_in_range(other->slow_factor, 2, 1000);
            other->has_slow = false;
            assert_true(liveness_bound_us(other) < bound_us);
        }
        sim_destroy(other);
    }
    assert_in_range(slow, 5, 35);
}

static void test_l11_restart_after_the_faults(void **state)
{
    (void)state;
    audit_restarts.on_start(sim, sim->hosts[1]);
    assert_false(sim->violation.found);
    audit_healed(sim);
    audit_restarts.on_start(sim, sim->hosts[1]);
    assert_broken("L11");
}

static void test_l11_halt_after_the_faults(void **state)
{
    (void)state;
    sim->has_core = true;
    pbft_set_add(&sim->core, 1);
    audit_healed(sim);
    audit_restarts.on_end(sim);
    assert_false(sim->violation.found);
    sim->hosts[1]->state = HOST_HALTED;
    audit_restarts.on_end(sim);
    assert_broken("L11");
    sim->hosts[1]->state = HOST_UP;
}

static void claim(pbft_replica_id sender, pbft_seq executed)
{
    const struct pbft_message status = {.type = PBFT_MESSAGE_STATUS,
                                        .sender = sender,
                                        .status = {.executed = executed}};
    audit_donors.on_receive(sim, sim->hosts[1], &status);
}

static void fetch_from(pbft_replica_id donor)
{
    const struct pbft_message fetch = {
        .type = PBFT_MESSAGE_FETCH,
        .sender = 1,
        .fetch = {.kind = PBFT_FETCH_BLOCKS, .seq = 1, .last = 9}};
    sim->auditor.to = pbft_set_one(donor);
    audit_donors.on_send(sim, sim->hosts[1], &fetch);
}

static void test_l12_donors_in_turn(void **state)
{
    (void)state;
    claim(2, 9);
    for (int i = 0; i < 200; i++) {
        fetch_from(2); /* Nobody else has it. */
    }
    claim(3, 9);
    for (int i = 0; i < 72; i++) {
        fetch_from(2);
    }
    fetch_from(3);
    assert_false(sim->violation.found);
}

static void test_l12_never_the_one_who_has_it(void **state)
{
    (void)state;
    claim(2, 9);
    claim(3, 9);
    claim(0, 0);
    for (int i = 0; i < 36; i++) {
        fetch_from(2);
        fetch_from(0);
    }
    assert_false(sim->violation.found);
    fetch_from(2);
    assert_broken("L12");
}

static void test_assertions_have_names(void **state)
{
    struct sim_violation violation;
    (void)state;
    assert_string_equal(
        audit_assertion_rule("/some/where/consensus/report.c",
                             "invariant: slot->own_commit == NULL || "
                             "slot->is_prepared"),
        "S15");
    assert_string_equal(audit_assertion_rule("consensus/body.c", "left == 0"),
                        "S16");
    assert_string_equal(audit_assertion_rule("consensus/log.c", "x == y"),
                        AUDIT_RULE_ASSERTION);
    assert_string_equal(audit_assertion_rule("report.c", "slot->is_prepared"),
                        AUDIT_RULE_ASSERTION);
    sim->acting = sim->hosts[2];
    sim_assertion_failed("consensus/log.c", 5, "x == y", &violation);
    assert_true(violation.found && violation.is_assertion);
    assert_string_equal(violation.text,
                        "R2: assertion at consensus/log.c:5: x == y");
    assert_true(violation.time_us == sim->now_us);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

/* R3: a window's records for each view, and for two more. */
static void test_r3_a_log_that_only_grows(void **state)
{
    struct host *host = sim->hosts[1];
    const size_t of_view = 6 * (size_t)host->config.window + 128;
    const size_t before = host->disk.image.record_count;
    (void)state;
    audit_growth.on_inspect(sim, host);
    host->disk.image.record_count = before + 2 * of_view - 1;
    audit_growth.on_inspect(sim, host);
    assert_false(sim->violation.found);
    host->disk.image.record_count = before + 2 * of_view;
    audit_growth.on_inspect(sim, host);
    host->disk.image.record_count = before;
    assert_broken("R3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_l5_waits_follow_from_the_last_progress),
        TEST(test_l5_no_progress_where_no_view_is_active),
        TEST(test_l5_no_progress_in_a_view_that_is_not_stable),
        TEST(test_l5_a_life_begins_without_failures),
        TEST(test_l5_a_life_may_begin_between_two_views),
        TEST(test_l5_patience_follows_from_the_failed_views),
        TEST(test_l5_patience_ends_with_a_stable_view),
        TEST(test_l2_views_that_fail_in_a_row),
        TEST(test_l2_views_that_a_stalled_disk_takes),
        TEST(test_l2_a_stalled_disk_beside_a_quorum),
        TEST(test_l2_views_that_the_maximum_allows),
        TEST(test_r3_a_log_that_only_grows),
        TEST(test_l3_core_is_in_one_view),
        TEST(test_l3_and_others_by_what_went_wrong),
        TEST(test_l9_leaving_on_the_word_of_one),
        TEST(test_l9_leaving_with_others_or_by_a_timer),
        TEST(test_l10_one_of_the_core_is_slow),
        TEST(test_l11_restart_after_the_faults),
        TEST(test_l11_halt_after_the_faults),
        TEST(test_l12_donors_in_turn),
        TEST(test_l12_never_the_one_who_has_it),
        TEST(test_assertions_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
