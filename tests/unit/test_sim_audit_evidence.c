/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about what was said and must not be forgotten: by others (S37), and
 * by oneself (S36). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "tests/support/audit_fixture.h"

enum { LIAR = 3, WITNESS = 1 };

static struct pbft_message *make_vote(pbft_replica_id id, pbft_view view,
                                      pbft_seq seq, uint8_t digest)
{
    const struct pbft_origin origin = {.sender = id, .epoch = 1};
    const struct pbft_prepare fields = {view, seq, {{digest}}};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    pbft_message_sign(&sim->hosts[id]->domain, vote);
    return vote;
}

/* ---- S37 -------------------------------------------------------------------
 */

/* The core does not hear it: it keeps nothing. */
static void hear(pbft_view view, pbft_seq seq, uint8_t digest)
{
    struct pbft_message *vote = make_vote(LIAR, view, seq, digest);
    audit_evidence.on_heard(sim, sim->hosts[WITNESS], vote);
    pbft_message_unref(vote);
}

static void test_s37_a_contradiction_that_nobody_keeps(void **state)
{
    (void)state;
    pbft_set_add(&sim->byzantine, LIAR);
    hear(0, 1, 7);
    hear(0, 2, 8);
    assert_fine();
    hear(0, 1, 8);
    assert_broken("S37");
}

static void test_s37_the_same_again(void **state)
{
    (void)state;
    pbft_set_add(&sim->byzantine, LIAR);
    hear(0, 1, 7);
    hear(0, 1, 7);
    assert_fine();
}

/* What need not be remembered: other views, and what is beyond the window. */
static void test_s37_what_is_not_remembered(void **state)
{
    const pbft_seq beyond = sim->settings.replica.window + 1;
    (void)state;
    pbft_set_add(&sim->byzantine, LIAR);
    hear(1, 1, 7);
    hear(1, 1, 8);
    hear(0, beyond, 7);
    hear(0, beyond, 8);
    assert_fine();
}

/* A restart forgets what left no record. */
static void test_s37_in_another_life(void **state)
{
    (void)state;
    pbft_set_add(&sim->byzantine, LIAR);
    hear(0, 1, 7);
    sim->hosts[WITNESS]->life++;
    hear(0, 1, 8);
    sim->hosts[WITNESS]->life--;
    assert_fine();
}

static void hand_over(pbft_seq seq, uint8_t digest)
{
    struct pbft_message *vote = make_vote(LIAR, 0, seq, digest);
    (void)network_send_recoded(&sim->network, LIAR, WITNESS, vote);
    pbft_message_unref(vote);
}

/* The core does hear it. */
static void test_s37_a_contradiction_that_is_kept(void **state)
{
    (void)state;
    pbft_set_add(&sim->byzantine, LIAR);
    sim->hosts[LIAR]->behavior = HOST_PUPPET;
    hand_over(1, 7);
    hand_over(1, 8);
    run_for(10 * SIM_MS_US);
    assert_int_equal(
        pbft_replica_evidence_count(host_replica(sim->hosts[WITNESS])), 1);
    audit_end(sim);
    assert_fine();
}

/* ---- S36 -------------------------------------------------------------------
 */

static void become_durable(pbft_seq seq, uint8_t digest)
{
    const struct disk_record record = {
        .kind = PBFT_RECORD_PRE_PREPARE, .seq = seq, .content = {{digest}}};
    struct pbft_message *vote = make_vote(WITNESS, 0, seq, digest);
    audit_durability.on_durable(sim, sim->hosts[WITNESS], &record, vote);
    pbft_message_unref(vote);
}

static void vote(pbft_seq seq, uint8_t digest)
{
    struct pbft_message *message = make_vote(WITNESS, 0, seq, digest);
    audit_forgetful.on_send(sim, sim->hosts[WITNESS], message);
    pbft_message_unref(message);
}

/* Three votes; then another disk, which holds those of `first` to 3. */
static void vote_and_change_disks(pbft_seq first)
{
    for (pbft_seq seq = 1; seq <= 3; seq++) {
        become_durable(seq, (uint8_t)seq);
        vote(seq, (uint8_t)seq);
    }
    sim->hosts[WITNESS]->disk_generation++;
    for (pbft_seq seq = first; seq <= 3; seq++) {
        become_durable(seq, (uint8_t)seq);
    }
    assert_fine();
}

static void test_s36_nothing_is_forgotten(void **state)
{
    (void)state;
    vote_and_change_disks(1);
    vote(2, 9);
    assert_fine();
}

/* The newest is there, an older one is not. */
static void test_s36_an_older_vote_is_forgotten(void **state)
{
    (void)state;
    vote_and_change_disks(2);
    vote(3, 3); /* It remembers this one. */
    assert_fine();
    vote(3, 9);
    assert_broken("S36");
}

static void test_s36_above_what_is_forgotten(void **state)
{
    (void)state;
    vote_and_change_disks(4);
    vote(4, 9);
    assert_fine();
    vote(1, 9);
    assert_broken("S36");
}

#define TEST(test)                                                             \
    cmocka_unit_test_setup_teardown(test, create_running, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_s37_a_contradiction_that_nobody_keeps),
        TEST(test_s37_the_same_again),
        TEST(test_s37_what_is_not_remembered),
        TEST(test_s37_in_another_life),
        TEST(test_s37_a_contradiction_that_is_kept),
        TEST(test_s36_nothing_is_forgotten),
        TEST(test_s36_an_older_vote_is_forgotten),
        TEST(test_s36_above_what_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
