/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile clients: each row alone does something and breaks nothing; what they
 * made is known; what they wait for is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consensus/verify.h"
#include "sim/profile.h"

#define SEEDS 3

static void test_each_row_alone(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < hostile_kind_count; kind++) {
        uint64_t acts = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct sim_settings settings;
            struct sim_result result;
            profile_find("lite")->draw(&settings, seed);
            settings.byzantine_count = 1;
            settings.hostile_count = 2;
            settings.hostile_mask = UINT32_C(1) << kind;
            sim_run(&settings, seed, NULL, &result);
            if (result.violation.found) {
                fail_msg("%s, seed %u: %s %s", hostile_kinds[kind].name,
                         (unsigned)seed, result.violation.rule,
                         result.violation.text);
            }
            assert_int_equal(result.hostile, 2);
            acts += result.hostile_acts[kind];
        }
        if (acts == 0) {
            fail_msg("%s did nothing", hostile_kinds[kind].name);
        }
    }
}

static struct sim *make_sim(void)
{
    struct sim_settings settings;
    profile_defaults(&settings);
    settings.hostile_count = 1;
    struct sim *sim = sim_create(&settings, 1, NULL);
    hostiles_begin(sim);
    return sim;
}

/* One sequence, two requests; both are known to have been made. */
static void test_two_bodies_are_two_requests(void **state)
{
    (void)state;
    struct sim *sim = make_sim();
    struct client *client = sim->clients[0];
    struct pbft_request fields = hostile_fields(client);
    const struct pbft_message *first = hostile_make(client, &fields);
    fields.payload.size = 0;
    const struct pbft_message *second = hostile_make(client, &fields);
    const struct pbft_message *both[] = {first, second};
    assert_int_equal(first->request.sequence, second->request.sequence);
    assert_memory_not_equal(&first->request.digest, &second->request.digest,
                            PBFT_DIGEST_SIZE);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            pbft_verify(&sim->hosts[0]->verifier, PBFT_SENDER_CLIENT, both[i]),
            PBFT_OK);
        assert_non_null(audit_find(sim, FACT_REQUEST, 0,
                                   audit_fold(&both[i]->request.digest), 0));
    }
    sim_destroy(sim);
}

static void test_waiting_is_bounded(void **state)
{
    (void)state;
    struct sim *sim = make_sim();
    struct client *client = sim->clients[0];
    sim_start_hosts(sim);
    for (uint32_t i = 0; i < 2 * HOST_WAITERS_MAX; i++) {
        const struct pbft_request fields = hostile_fields(client);
        host_on_request(sim->hosts[0], 0, hostile_make(client, &fields));
    }
    assert_int_equal(sim->hosts[0]->waiter_count, HOST_WAITERS_MAX);
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_alone),
        cmocka_unit_test(test_two_bodies_are_two_requests),
        cmocka_unit_test(test_waiting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
