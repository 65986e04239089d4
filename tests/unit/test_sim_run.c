/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs: equal seeds are equal runs, the auditor finds no fault, and it
 * does find what is wrong on purpose. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "sim/audit_rules.h"
#include "sim/profile.h"

static struct sim_result run(const char *profile, uint64_t seed)
{
    struct sim_settings settings;
    struct sim_result result;
    profile_find(profile)->draw(&settings, seed);
    sim_run(&settings, seed, NULL, &result);
    return result;
}

static void test_equal_seeds_are_equal_runs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_result first = run("lite", seed);
        struct sim_result second = run("lite", seed);
        assert_true(first.trace_hash == second.trace_hash);
        assert_true(first.events == second.events);
        assert_false(first.violation.found);
        assert_in_range(first.requests, 1, 62); /* One more of each client. */
    }
}

static void test_seeds_differ(void **state)
{
    (void)state;
    assert_true(run("lite", 1).trace_hash != run("lite", 2).trace_hash);
}

static struct sim_result run_without(uint64_t seed, struct fault_filter filter)
{
    struct sim_settings settings;
    struct sim_result result;
    profile_find("lite")->draw(&settings, seed);
    settings.fault_filter = filter;
    sim_run(&settings, seed, NULL, &result);
    return result;
}

static void test_faults_can_be_left_out(void **state)
{
    (void)state;
    uint64_t numbers[4096];
    for (uint64_t i = 0; i < 4096; i++) {
        numbers[i] = i + 1;
    }
    struct sim_result all = run_without(5, (struct fault_filter){.count = 0});
    struct sim_result some =
        run_without(5, (struct fault_filter){numbers, 3, false});
    struct sim_result none =
        run_without(5, (struct fault_filter){numbers, 4096, false});
    assert_true(all.trace_hash == run("lite", 5).trace_hash);
    assert_true(some.trace_hash != all.trace_hash);
    assert_true(all.faults > 3);
    assert_true(some.faults > 0);
    assert_true(none.faults == 0);
    assert_false(some.violation.found);
    assert_false(none.violation.found);
}

/* The auditor's own arithmetic: any two quorums share an honest replica, and
 * the honest ones make a quorum. */
static void test_audit_quorum(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 128; n++) {
        uint32_t f = audit_faulty(n);
        uint32_t q = audit_quorum(n);
        assert_true(3 * f + 1 <= n && 3 * (f + 1) + 1 > n);
        assert_true(2 * q >= n + f + 1);
        assert_true(q <= n - f);
    }
}

static struct sim *small_sim(void)
{
    struct sim_settings settings;
    profile_defaults(&settings);
    settings.network = (struct network_settings){.latency_us = 1000};
    struct sim *sim = sim_create(&settings, 1, NULL);
    (void)sim_add_client(sim, "c1");
    sim_start_hosts(sim);
    return sim;
}

static void run_for(struct sim *sim, uint64_t us)
{
    uint64_t until = sim->now_us + us;
    while (sim_queue_peek(&sim->queue)->time_us <= until && sim_step(sim)) {
    }
}

static void submit(struct sim *sim)
{
    const struct pbft_replica_set all = {{0xf}};
    const uint8_t payload[] = "p";
    struct client *client = sim->clients[0];
    client_send(client, client_prepare(client, (struct pbft_bytes){payload, 1}),
                &all);
}

static void test_request_is_executed_and_answered(void **state)
{
    (void)state;
    struct sim *sim = small_sim();
    submit(sim);

    run_for(sim, 100 * SIM_MS_US);

    assert_true(sim->clients[0]->requests[0].is_answered);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(sim->hosts[i]->block_count, 1);
    }
    assert_true(sim_is_settled(sim));
    assert_false(sim->violation.found);
    sim_destroy(sim);
}

static void test_power_loss_keeps_what_was_answered(void **state)
{
    (void)state;
    struct sim *sim = small_sim();
    submit(sim);
    run_for(sim, 100 * SIM_MS_US);
    for (uint32_t i = 0; i < 4; i++) {
        host_crash(sim->hosts[i], 0, DISK_TORN_HALF);
    }
    for (uint32_t i = 0; i < 4; i++) {
        host_start(sim->hosts[i]);
    }

    run_for(sim, 1000 * SIM_MS_US);
    audit_end(sim);

    assert_false(sim->violation.found);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(sim->hosts[i]->block_count, 1);
    }
    sim_destroy(sim);
}

/* A second prepare for another batch, said by an honest replica. */
static void test_auditor_sees_a_double_vote(void **state)
{
    (void)state;
    struct sim *sim = small_sim();
    const struct host *host = sim->hosts[1];
    struct pbft_origin origin = {.sender = 1, .epoch = 1};
    struct pbft_prepare fields = {.view = 0, .seq = 1, .digest = {{1}}};
    struct pbft_message *first =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    fields.digest.bytes[0] = 2;
    struct pbft_message *second =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);

    audit_one_prepare.on_send(sim, host, first);
    assert_false(sim->violation.found);
    audit_one_prepare.on_send(sim, host, second);

    assert_true(sim->violation.found);
    assert_string_equal(sim->violation.rule, "S9");
    pbft_message_unref(first);
    pbft_message_unref(second);
    sim_destroy(sim);
}

static void test_auditor_sees_a_send_before_the_sync(void **state)
{
    (void)state;
    struct sim *sim = small_sim();
    struct pbft_origin origin = {.sender = 1, .epoch = 1};
    struct pbft_prepare fields = {.view = 0, .seq = 1, .digest = {{1}}};
    struct pbft_message *commit =
        pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);

    audit_durability.on_send(sim, sim->hosts[1], commit);

    assert_true(sim->violation.found);
    assert_string_equal(sim->violation.rule, "S22");
    pbft_message_unref(commit);
    sim_destroy(sim);
}

static void test_auditor_sees_a_fork(void **state)
{
    (void)state;
    struct sim *sim = small_sim();
    struct pbft_origin origin = {.sender = 0, .epoch = 1};
    for (uint8_t i = 1; i <= 2; i++) {
        struct pbft_digest digest = {{i}};
        struct pbft_message *header =
            pbft_pre_prepare_create(&origin, 0, 1, &digest, NULL);
        struct pbft_message *block = pbft_certificate_create(
            PBFT_MESSAGE_COMMITTED, 0, 1, header, NULL, 0);
        const struct pbft_commit commit = {.seq = 1, .committed = block};
        assert_false(sim->violation.found);
        audit_agreement.on_commit(sim, sim->hosts[i], &commit);
        pbft_message_unref(header);
        pbft_message_unref(block);
    }
    assert_true(sim->violation.found);
    assert_string_equal(sim->violation.rule, "S1");
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_seeds_are_equal_runs),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_faults_can_be_left_out),
        cmocka_unit_test(test_audit_quorum),
        cmocka_unit_test(test_request_is_executed_and_answered),
        cmocka_unit_test(test_power_loss_keeps_what_was_answered),
        cmocka_unit_test(test_auditor_sees_a_double_vote),
        cmocka_unit_test(test_auditor_sees_a_send_before_the_sync),
        cmocka_unit_test(test_auditor_sees_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
