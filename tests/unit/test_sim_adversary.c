/* SPDX-License-Identifier: Apache-2.0 */
/* Byzantine replicas: each strategy alone does something, and breaks nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/verify.h"
#include "sim/profile.h"

/* At least so many runs of a strategy, and more until it had its occasion. */
#define SEEDS_MIN 3
#define SEEDS_MAX 60

static void test_each_strategy_alone(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < adversary_kind_count; kind++) {
        uint64_t acts = 0;
        for (uint64_t seed = 1;
             seed <= SEEDS_MIN || (acts == 0 && seed <= SEEDS_MAX); seed++) {
            struct sim_settings settings;
            struct sim_result result;
            profile_find("lite")->draw(&settings, seed);
            settings.byzantine_count = 1;
            settings.adversary_mask = UINT32_C(1) << kind;
            settings.fault_mask = UINT64_MAX; /* Views must change. */
            sim_run(&settings, seed, NULL, &result);
            if (result.violation.found) {
                fail_msg("%s, seed %u: %s %s", adversary_kinds[kind].name,
                         (unsigned)seed, result.violation.rule,
                         result.violation.text);
            }
            assert_int_equal(result.byzantine, 1);
            acts += result.acts[kind];
        }
        if (acts == 0) {
            fail_msg("%s did nothing", adversary_kinds[kind].name);
        }
    }
}

static void test_numbers_reach_the_ends(void **state)
{
    (void)state;
    struct random random;
    bool has_end = false;
    bool has_neighbor = false;
    random_init(&random, 1, 1);
    for (int i = 0; i < 200; i++) {
        uint64_t number = adversary_draw_number(&random, 10);
        has_end = has_end || number == UINT64_MAX;
        has_neighbor = has_neighbor || number == 9 || number == 11;
        assert_true(number != 10);
    }
    assert_true(has_end && has_neighbor);
}

/* A changed message is refused, or it is one that its signer may say. */
static void test_mutants_are_signed_by_the_adversary_alone(void **state)
{
    (void)state;
    struct sim_settings settings;
    profile_defaults(&settings);
    settings.byzantine_count = 1;
    struct sim *sim = sim_create(&settings, 1, NULL);
    adversaries_begin(sim);
    struct host *host = sim->hosts[sim->adversaries.replicas[0].id];
    pbft_replica_id other = adversary_draw_victim(host);
    const struct pbft_origin origin = {.sender = other,
                                       .epoch = sim->keyring.epoch};
    const struct pbft_prepare fields = {.view = 4, .seq = 2};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    pbft_message_sign(&sim->hosts[other]->domain, vote);
    assert_int_equal(pbft_verify(&host->verifier, other, vote), PBFT_OK);
    for (int i = 0; i < 50; i++) {
        struct pbft_message *changed = adversary_mutate(host, vote);
        assert_non_null(changed);
        assert_int_equal(changed->sender, host->id);
        assert_int_not_equal(pbft_verify(&host->verifier, other, changed),
                             PBFT_OK);
        pbft_message_unref(changed);
    }
    pbft_message_unref(vote);
    sim_destroy(sim);
}

/* Votes ascend by replica on the wire: other orders are no message at all. */
static void test_what_has_no_encoding_arrives_nowhere(void **state)
{
    (void)state;
    struct sim_settings settings;
    profile_defaults(&settings);
    struct sim *sim = sim_create(&settings, 1, NULL);
    struct pbft_attestation fields = {.seq = 4};
    struct pbft_vote votes[] = {{.replica = 1}, {.replica = 2}};
    for (int i = 0; i < 2; i++) {
        struct pbft_message *stable =
            pbft_stable_create(0, sim->keyring.epoch, &fields, votes, 2);
        const struct pbft_message *recoded =
            network_recode(&sim->network, stable);
        uint64_t lost = sim->network.counts.lost;
        assert_true((recoded != NULL) == (i == 0));
        assert_true(network_send_recoded(&sim->network, 0, 1, stable) ==
                    (i == 0));
        assert_int_equal(sim->network.counts.lost, lost + (i == 1));
        pbft_message_unref(recoded);
        pbft_message_unref(stable);
        votes[0].replica = 3;
    }
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_strategy_alone),
        cmocka_unit_test(test_numbers_reach_the_ends),
        cmocka_unit_test(test_mutants_are_signed_by_the_adversary_alone),
        cmocka_unit_test(test_what_has_no_encoding_arrives_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
