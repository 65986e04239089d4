/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about votes, windows, new-views and order in time: each fires on a
 * history made by hand, and not on the one next to it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "tests/support/audit_fixture.h"

static struct pbft_message *make_header(pbft_view view, pbft_seq seq,
                                        uint8_t digest)
{
    const struct host *primary = sim->hosts[view % sim->settings.n];
    const struct pbft_origin origin = {.sender = primary->id, .epoch = 1};
    const struct pbft_digest name = {{digest}};
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, view, seq, &name, NULL);
    pbft_message_sign(&primary->domain, header);
    return header;
}

static struct pbft_message *make_prepare(pbft_replica_id id, pbft_view view,
                                         pbft_seq seq, uint8_t digest)
{
    const struct pbft_origin origin = {.sender = id, .epoch = 1};
    const struct pbft_prepare fields = {view, seq, {{digest}}};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    pbft_message_sign(&sim->hosts[id]->domain, vote);
    return vote;
}

/* ---- S16, S18 ------------------------------------------------------------ */

static void send_prepare(pbft_view view, pbft_seq seq)
{
    struct pbft_message *vote = make_prepare(1, view, seq, 7);
    audit_prepare_support.on_send(sim, sim->hosts[1], vote);
    pbft_message_unref(vote);
}

static void tell(uint32_t index, pbft_view view, pbft_seq seq)
{
    struct pbft_message *header = make_header(view, seq, 7);
    audit_prepare_support.on_receive(sim, sim->hosts[index], header);
    pbft_message_unref(header);
}

static void test_s16_a_proposal_that_it_was_told(void **state)
{
    (void)state;
    tell(1, 0, 1);
    send_prepare(0, 1);
    assert_fine();
}

static void test_s16_a_proposal_that_another_was_told(void **state)
{
    (void)state;
    tell(2, 0, 1);
    send_prepare(0, 1);
    assert_broken("S16");
}

static void test_s16_a_view_that_it_never_entered(void **state)
{
    (void)state;
    tell(1, 2, 1);
    send_prepare(2, 1);
    assert_broken("S16");
}

static void see_record(enum pbft_record_kind kind, pbft_seq seq)
{
    const struct disk_record record = {.kind = kind, .seq = seq};
    audit_watermarks.on_durable(sim, sim->hosts[1], &record, NULL);
}

static void test_s18_records_of_votes_in_the_window(void **state)
{
    (void)state;
    see_record(PBFT_RECORD_PREPARE, 1);
    see_record(PBFT_RECORD_COMMIT, 16);
    see_record(PBFT_RECORD_STABLE, 4);
    see_record(PBFT_RECORD_STABLE, 0); /* It was born late. */
    see_record(PBFT_RECORD_PREPARE, 5);
    see_record(PBFT_RECORD_PRE_PREPARE, 20);
    see_record(PBFT_RECORD_PREPARED, 2); /* No vote. */
    assert_fine();
}

static void test_s18_a_vote_above_the_window(void **state)
{
    (void)state;
    assert_int_equal(sim->settings.replica.window, 16);
    see_record(PBFT_RECORD_STABLE, 4);
    see_record(PBFT_RECORD_PREPARE, 21);
    assert_broken("S18");
}

static void test_s18_a_vote_below_the_window(void **state)
{
    (void)state;
    see_record(PBFT_RECORD_STABLE, 4);
    see_record(PBFT_RECORD_COMMIT, 4);
    assert_broken("S18");
}

/* ---- S20 ----------------------------------------------------------------- */

/* Replica 0 proposed, 1 and 2 prepared. */
static struct pbft_message *make_claim(uint8_t digest)
{
    struct pbft_message *header = make_header(0, 1, digest);
    struct pbft_vote votes[2];
    for (pbft_replica_id id = 1; id <= 2; id++) {
        struct pbft_message *vote = make_prepare(id, 0, 1, digest);
        votes[id - 1] =
            (struct pbft_vote){.replica = id, .signature = vote->signature};
        pbft_message_unref(vote);
    }
    struct pbft_message *claim =
        pbft_certificate_create(PBFT_MESSAGE_PREPARED, 0, 1, header, votes, 2);
    pbft_message_unref(header);
    return claim;
}

/* Enters view 1 with a proposal for seq 1 (0: none), while one view-change of
 * three holds a certificate for batch 7. */
static void enter_view(uint8_t digest)
{
    const struct pbft_attestation genesis = {.seq = 0};
    struct pbft_message *stable = pbft_stable_create(0, 1, &genesis, NULL, 0);
    const struct pbft_message *claim = make_claim(7);
    const struct pbft_message *header = make_header(1, 1, digest);
    struct pbft_new_view_source sources[3];
    for (pbft_replica_id id = 0; id < 3; id++) {
        const struct pbft_origin origin = {.sender = id, .epoch = 1};
        struct pbft_message *asking =
            pbft_view_change_create(&sim->hosts[id]->domain, &origin, 1, stable,
                                    &claim, id == 1 ? 1 : 0);
        sources[id] = (struct pbft_new_view_source){
            .replica = id, .digest = asking->view_change.digest};
        audit_new_view.on_receive(sim, sim->hosts[1], asking);
        pbft_message_unref(asking);
    }
    const struct pbft_origin origin = {.sender = 1, .epoch = 1};
    struct pbft_message *entered = pbft_new_view_create(
        &origin, 1, sources, 3, &header, digest == 0 ? 0 : 1);
    const struct disk_record record = {.kind = PBFT_RECORD_NEW_VIEW, .view = 1};
    audit_new_view.on_durable(sim, sim->hosts[1], &record, entered);
    pbft_message_unref(stable);
    pbft_message_unref(claim);
    pbft_message_unref(header);
    pbft_message_unref(entered);
}

static void test_s20_what_was_prepared(void **state)
{
    (void)state;
    enter_view(7);
    assert_fine();
}

static void test_s20_something_else(void **state)
{
    (void)state;
    enter_view(8);
    assert_broken("S20");
}

static void test_s20_without_it(void **state)
{
    (void)state;
    enter_view(0);
    assert_broken("S20");
}

/* Replica 2 lost its disk: its vote may count or not. */
static void test_s20_a_claim_in_doubt(void **state)
{
    (void)state;
    sim->hosts[2]->disk_generation = 1;
    enter_view(0);
    assert_fine();
}

/* That of replica 3, which has no part in it, takes nothing away. */
static void test_s20_after_a_loss_elsewhere(void **state)
{
    (void)state;
    sim->hosts[3]->disk_generation = 1;
    enter_view(0);
    assert_broken("S20");
}

/* ---- S24 ----------------------------------------------------------------- */

/* c1's request takes effect first, unanswered; c2's behind it is answered. */
static void order_two(uint64_t submitted_us, uint64_t answered_us)
{
    (void)request_of(0);
    (void)request_of(1);
    struct client_request *first = &sim->clients[0]->requests[0];
    struct client_request *second = &sim->clients[1]->requests[0];
    audit_fact(sim, FACT_EFFECT, 0, 1, 0, NULL)->bits = 1 << 16;
    first->submitted_us = submitted_us;
    second->seq = 2;
    second->submitted_us = 0;
    second->answered_us = answered_us;
    second->is_answered = true;
    audit_linearizable.on_end(sim);
}

static void test_s24_an_unanswered_request_in_time(void **state)
{
    (void)state;
    order_two(50, 60);
    assert_fine();
}

static void test_s24_an_unanswered_request_from_the_future(void **state)
{
    (void)state;
    order_two(70, 60);
    assert_broken("S24");
}

/* ---- R1 ------------------------------------------------------------------ */

/* A backup holds a request for which a buffer's slack is too small. */
static void hold_request(void)
{
    static const uint8_t payload[60 * 1024];
    const struct pbft_message *request = client_prepare(
        sim->clients[0], (struct pbft_bytes){payload, sizeof payload});
    host_on_request(sim->hosts[1], 0, request);
    assert_true(pbft_replica_buffered_bytes(host_replica(sim->hosts[1])) >=
                sizeof payload);
}

static void test_r1_what_a_client_sent(void **state)
{
    (void)state;
    hold_request();
    audit_resources.on_inspect(sim, sim->hosts[1]);
    assert_fine();
}

static void test_r1_what_nobody_sent(void **state)
{
    (void)state;
    hold_request();
    sim->auditor.sizes.request = 0;
    audit_resources.on_inspect(sim, sim->hosts[1]);
    assert_broken("R1");
}

/* The cap follows the largest that came: one view-change for each place. */
static void test_r1_view_changes_that_came(void **state)
{
    (void)state;
    hold_request();
    sim->auditor.sizes.request = 0;
    sim->auditor.sizes.view_change = 4 * 1024;
    audit_resources.on_inspect(sim, sim->hosts[1]);
    assert_fine();
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, create_running, destroy)

/* ---- S8, S27 ------------------------------------------------------------- */

/* Replica 1 executes this batch as block 1, as `outcome` tells. */
static void execute(const struct audit_rule *rule,
                    const struct pbft_message *const *requests, uint32_t count,
                    struct service_outcome *outcome)
{
    struct host *host = sim->hosts[1];
    struct pbft_message *batch =
        pbft_batch_create(&host->domain, 1, requests, count);
    const struct pbft_origin origin = {.sender = 0, .epoch = 1};
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, 0, 1, &batch->batch.digest, batch);
    struct pbft_message *committed =
        pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 0, 1, header, NULL, 0);
    if (outcome->executed.seq == 0) {
        sim->settings.service->execute(host->service, committed, outcome);
    }
    rule->on_executed(sim, host, committed, outcome);
    pbft_message_unref(committed);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

static void test_s8_a_null_block(void **state)
{
    (void)state;
    struct service_outcome outcome = {.result_count = 0};
    execute(&audit_null_request, NULL, 0, &outcome);
    assert_int_equal(outcome.executed.seq, 1);
    assert_fine();
}

static void test_s8_a_null_block_with_another_root(void **state)
{
    (void)state;
    struct service_outcome outcome = {.executed = {.seq = 1}};
    execute(&audit_null_request, NULL, 0, &outcome);
    assert_broken("S8");
}

/* The table of clients says that the request took effect in it. */
static void test_s8_a_null_block_that_answers(void **state)
{
    (void)state;
    const struct pbft_message *request = request_of(0);
    const struct pbft_digest none = {{0}};
    struct service_outcome outcome = {.result_count = 0};
    execute(&audit_validity, &request, 1, &outcome);
    sim->settings.service->root(&outcome.executed.results_root, &none, 0);
    outcome.result_count = 0;
    sim->violation.found = false;
    execute(&audit_null_request, NULL, 0, &outcome);
    assert_broken("S8");
}

static void recover_of(pbft_replica_id named, pbft_replica_id signer)
{
    const struct pbft_domain *domain = &sim->hosts[signer]->domain;
    const struct pbft_recover fields = {.replica = named, .incarnation = 1};
    struct pbft_message *recover =
        pbft_recover_create(domain, &sim->keyring, &fields, 1);
    const struct pbft_message *request = recover;
    pbft_message_sign(domain, recover);
    struct service_outcome outcome = {.executed = {.seq = 1}};
    execute(&audit_validity, &request, 1, &outcome);
    pbft_message_unref(recover);
}

static void test_s27_a_recovery_of_its_own(void **state)
{
    (void)state;
    recover_of(2, 2);
    assert_fine();
}

static void test_s27_a_recovery_of_another(void **state)
{
    (void)state;
    recover_of(2, 3);
    assert_broken("S27");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_s8_a_null_block),
        TEST(test_s8_a_null_block_with_another_root),
        TEST(test_s8_a_null_block_that_answers),
        TEST(test_s16_a_proposal_that_it_was_told),
        TEST(test_s16_a_proposal_that_another_was_told),
        TEST(test_s16_a_view_that_it_never_entered),
        TEST(test_s18_records_of_votes_in_the_window),
        TEST(test_s18_a_vote_above_the_window),
        TEST(test_s18_a_vote_below_the_window),
        TEST(test_s20_what_was_prepared),
        TEST(test_s20_something_else),
        TEST(test_s20_without_it),
        TEST(test_s20_a_claim_in_doubt),
        TEST(test_s20_after_a_loss_elsewhere),
        TEST(test_s24_an_unanswered_request_in_time),
        TEST(test_s24_an_unanswered_request_from_the_future),
        TEST(test_s27_a_recovery_of_its_own),
        TEST(test_s27_a_recovery_of_another),
        TEST(test_r1_what_a_client_sent),
        TEST(test_r1_what_nobody_sent),
        TEST(test_r1_view_changes_that_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
