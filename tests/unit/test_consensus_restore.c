/* SPDX-License-Identifier: Apache-2.0 */
/* Records that do not belong where they stand are refused, one by one: a log
 * that passed its checksums may still be one that this code never wrote. R1
 * reads it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/evidence.h"
#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "tests/support/cast.h"

#define SELF 1

static struct cast cast;
static struct pbft_replica *replica;
static struct pbft_message *batch;
static const pbft_replica_id signers[] = {1, 2, 3};

static int start(void **state)
{
    const char *reason = NULL;
    struct pbft_config config;
    (void)state;
    cast_init(&cast, 4);
    pbft_config_defaults(&config);
    config.self = SELF;
    config.window = 16;
    config.checkpoint_interval = 4;
    replica = pbft_replica_create(&config, &cast.replicas[SELF].domain,
                                  &cast.keyring, &reason);
    assert_non_null(replica);
    const struct pbft_event applied = {.type = PBFT_EVENT_APPLIED};
    assert_int_equal(pbft_step(replica, &applied), PBFT_ACCEPTED);
    batch = cast_batch(&cast, 9, 1, 1);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    pbft_message_unref(batch);
    pbft_replica_destroy(replica);
    return 0;
}

/* Takes over the reference. */
static enum pbft_verdict restore(enum pbft_record_kind kind, pbft_seq seq,
                                 const struct pbft_message *message)
{
    const struct pbft_event event = {
        .type = PBFT_EVENT_RESTORE,
        .record = {kind, pbft_message_view(message), seq, message}};
    enum pbft_verdict verdict = pbft_step(replica, &event);
    pbft_message_unref(message);
    return verdict;
}

static const struct pbft_message *header(pbft_seq seq)
{
    struct pbft_message *full = cast_pre_prepare(&cast, 0, seq, batch);
    const struct pbft_message *message = pbft_pre_prepare_with_body(full, NULL);
    pbft_message_unref(full);
    return message;
}

static void test_a_header_stands_once_and_in_its_place(void **state)
{
    const enum pbft_record_kind kind = PBFT_RECORD_PRE_PREPARE;
    (void)state;
    assert_int_equal(restore(PBFT_RECORD_BODY, 1, pbft_message_ref(batch)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(kind, 1, cast_pre_prepare(&cast, 0, 1, batch)),
                     PBFT_REJECTED); /* With its body. */
    assert_int_equal(restore(kind, 2, header(1)), PBFT_REJECTED);
    assert_int_equal(restore(kind, 0, header(1)), PBFT_REJECTED);
    assert_int_equal(restore(kind, 1, header(1)), PBFT_ACCEPTED);
    assert_int_equal(restore(kind, 1, header(1)), PBFT_REJECTED);
    assert_true(pbft_slot_has_body(pbft_slot_log_at(&replica->log, 1)));
}

static void test_a_vote_is_its_own_and_one(void **state)
{
    const struct pbft_digest *digest = &batch->batch.digest;
    const enum pbft_message_type type = PBFT_MESSAGE_PREPARE;
    (void)state;
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1, header(1)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARE, 1,
                             cast_vote(&cast, type, 2, 0, 1, digest)),
                     PBFT_REJECTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARE, 1,
                             cast_vote(&cast, type, SELF, 0, 1, digest)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARE, 1,
                             cast_vote(&cast, type, SELF, 0, 1, digest)),
                     PBFT_REJECTED);
}

static const struct pbft_message *certificate(void)
{
    struct pbft_message *full = cast_pre_prepare(&cast, 0, 1, batch);
    const struct pbft_message *message =
        cast_certificate(&cast, PBFT_MESSAGE_PREPARED, full, signers, 2);
    pbft_message_unref(full);
    return message;
}

static void test_a_certificate_must_be_of_a_higher_view(void **state)
{
    (void)state;
    assert_int_equal(restore(PBFT_RECORD_PREPARED, 1, certificate()),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARED, 1, certificate()),
                     PBFT_REJECTED);
}

static void test_a_checkpoint_is_its_own_and_one(void **state)
{
    const enum pbft_record_kind kind = PBFT_RECORD_CHECKPOINT;
    (void)state;
    assert_int_equal(restore(kind, 4, cast_attestation(&cast, 2, 4)),
                     PBFT_REJECTED);
    assert_int_equal(restore(kind, 8, cast_attestation(&cast, SELF, 4)),
                     PBFT_REJECTED);
    assert_int_equal(restore(kind, 4, cast_attestation(&cast, SELF, 4)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(kind, 4, cast_attestation(&cast, SELF, 4)),
                     PBFT_REJECTED);
}

/* What a later proof covers binds no more. */
static void test_a_proof_passes_over_older_records(void **state)
{
    (void)state;
    assert_int_equal(
        restore(PBFT_RECORD_STABLE, 8, cast_stable(&cast, 8, signers, 3)),
        PBFT_ACCEPTED);
    assert_int_equal(
        restore(PBFT_RECORD_STABLE, 4, cast_stable(&cast, 4, signers, 3)),
        PBFT_ACCEPTED);
    assert_int_equal(replica->log.low, 8);
    assert_int_equal(pbft_message_seq(replica->stable), 8);
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 5, header(5)),
                     PBFT_ACCEPTED);
    assert_null(pbft_slot_log_at(&replica->log, 5));
}

static void test_a_record_holds_its_kind_of_message(void **state)
{
    (void)state;
    for (int kind = PBFT_RECORD_PRE_PREPARE; kind <= PBFT_RECORD_RECOVERING;
         kind++) {
        struct pbft_message *fetch = pbft_fetch_create(
            &(struct pbft_origin){.sender = SELF, .epoch = 1},
            &(struct pbft_fetch){.kind = PBFT_FETCH_STABLE, .seq = 4});
        assert_int_equal(restore((enum pbft_record_kind)kind, 1, fetch),
                         PBFT_REJECTED);
    }
    struct pbft_message *request = cast_request(&cast, 1, "no recover");
    assert_int_equal(restore(PBFT_RECORD_RECOVERING, 0, request),
                     PBFT_REJECTED);
}

/* Nothing but its restore may come before START. */
static void test_nobody_is_heard_before_the_start(void **state)
{
    (void)state;
    struct pbft_message *vote =
        cast_vote(&cast, PBFT_MESSAGE_PREPARE, 2, 0, 1, &batch->batch.digest);
    const struct pbft_event heard = {.type = PBFT_EVENT_RECEIVE,
                                     .message = vote};
    const struct pbft_event timeout = {.type = PBFT_EVENT_TIMEOUT,
                                       .timer = PBFT_TIMER_STATUS};
    assert_int_equal(pbft_step(replica, &heard), PBFT_UNEXPECTED);
    assert_int_equal(pbft_step(replica, &timeout), PBFT_UNEXPECTED);
    pbft_message_unref(vote);
}

/* ---- two blocks are one only if all of them is equal -----------------------
 */

static void test_an_attestation_differs_in_each_field(void **state)
{
    const struct pbft_attestation one = {.seq = 4, .block_time = 9};
    (void)state;
    assert_true(pbft_attestation_equal(&one, &one));
    struct pbft_attestation other = one;
    other.seq++;
    assert_false(pbft_attestation_equal(&one, &other));
    other = one;
    other.block_time++;
    assert_false(pbft_attestation_equal(&one, &other));
    other = one;
    other.block_digest.bytes[31] ^= 1;
    assert_false(pbft_attestation_equal(&one, &other));
    other = one;
    other.results_root.bytes[0] ^= 1;
    assert_false(pbft_attestation_equal(&one, &other));
    other = one;
    other.ledger_root.bytes[16] ^= 1;
    assert_false(pbft_attestation_equal(&one, &other));
}

/* ---- more of what this code never wrote -----------------------------------
 */

static void begin(void)
{
    const struct pbft_event started = {
        .type = PBFT_EVENT_START, .now = 1, .wall = 1000000};
    assert_int_equal(pbft_step(replica, &started), PBFT_ACCEPTED);
    pbft_replica_check_invariants(replica);
}

static enum pbft_condition condition(void)
{
    struct pbft_report report;
    pbft_replica_report(replica, &report);
    return report.condition;
}

/* The pre-prepare of the vote is missing: of its view, or of its digest. A
 * replica that forgot what it accepted may have forgotten more. */
static void test_a_vote_without_its_pre_prepare_is_a_loss(void **state)
{
    static const struct pbft_digest other = {{7}};
    const struct {
        pbft_view view;
        bool is_other;
        enum pbft_condition condition;
    } rows[] = {{0, false, PBFT_CONDITION_STARTING},
                {4, false, PBFT_CONDITION_RECOVERING},
                {0, true, PBFT_CONDITION_RECOVERING}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct pbft_digest *digest =
            rows[i].is_other ? &other : &batch->batch.digest;
        assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1, header(1)),
                         PBFT_ACCEPTED);
        assert_int_equal(restore(PBFT_RECORD_PREPARE, 1,
                                 cast_vote(&cast, PBFT_MESSAGE_PREPARE, SELF,
                                           rows[i].view, 1, digest)),
                         PBFT_ACCEPTED);
        begin();
        assert_int_equal(condition(), rows[i].condition);
        (void)clear(state);
        (void)start(state);
    }
}

/* Its certificate may stand before it: the vote counts once. */
static void test_an_own_vote_in_a_certificate_is_the_same(void **state)
{
    (void)state;
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1, header(1)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARED, 1, certificate()),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PREPARE, 1,
                             cast_vote(&cast, PBFT_MESSAGE_PREPARE, SELF, 0, 1,
                                       &batch->batch.digest)),
                     PBFT_ACCEPTED);
    const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, 1);
    assert_int_equal(slot->prepares.matching, 2);
    assert_non_null(slot->own_prepare);
    begin();
}

static const struct pbft_message *view_change(pbft_view view)
{
    const struct pbft_origin origin = {.sender = SELF, .epoch = 1};
    const struct pbft_domain *domain = &cast.replicas[SELF].domain;
    struct pbft_message *stable = cast_stable(&cast, 0, NULL, 0);
    struct pbft_message *message =
        pbft_view_change_create(domain, &origin, view, stable, NULL, 0);
    pbft_message_sign(domain, message);
    pbft_message_unref(stable);
    return message;
}

static void test_the_highest_view_change_binds(void **state)
{
    static const pbft_view views[] = {3, 5, 2};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            restore(PBFT_RECORD_VIEW_CHANGE, 0, view_change(views[i])),
            PBFT_ACCEPTED);
    }
    begin();
    assert_int_equal(replica->view, 5);
    assert_false(replica->view_active);
    assert_int_equal(pbft_message_view(replica->own_view_change), 5);
    assert_ptr_equal(replica->changes.collected[SELF],
                     replica->own_view_change);
}

/* Votes of a later view follow in the log: the view was entered. */
static void
test_a_header_of_a_later_view_shows_that_it_was_entered(void **state)
{
    (void)state;
    assert_int_equal(restore(PBFT_RECORD_VIEW_CHANGE, 0, view_change(3)),
                     PBFT_ACCEPTED);
    struct pbft_message *full = cast_pre_prepare(&cast, 4, 1, batch);
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1,
                             pbft_pre_prepare_with_body(full, NULL)),
                     PBFT_ACCEPTED);
    pbft_message_unref(full);
    begin();
    assert_int_equal(replica->view, 4);
    assert_true(replica->view_active);
}

static void test_a_recover_of_another_is_no_mark(void **state)
{
    (void)state;
    for (pbft_replica_id id = 0; id < 4; id++) {
        const struct pbft_recover recover = {id, 1};
        struct pbft_message *mark = pbft_recover_create(
            &cast.replicas[id].domain, &cast.keyring, &recover, 1);
        assert_int_equal(restore(PBFT_RECORD_RECOVERING, 0, mark),
                         id == SELF ? PBFT_ACCEPTED : PBFT_REJECTED);
    }
    begin();
    assert_int_equal(condition(), PBFT_CONDITION_RECOVERING);
}

static const struct pbft_message *evidence_against(pbft_replica_id id)
{
    static const struct pbft_digest digests[] = {{{1}}, {{2}}};
    const struct pbft_origin origin = {.sender = id, .epoch = 1};
    struct pbft_statement said[2];
    for (size_t i = 0; i < 2; i++) {
        const struct pbft_prepare fields = {0, 1, digests[i]};
        struct pbft_message *vote =
            pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);
        pbft_statement_of(&cast.replicas[0].domain, vote, &said[i]);
        pbft_message_unref(vote);
    }
    return pbft_evidence_create(SELF, &said[0], &said[1]);
}

/* Nobody accuses itself, and a stranger has no place to be kept in. */
static void test_evidence_is_against_another_member(void **state)
{
    (void)state;
    const enum pbft_record_kind kind = PBFT_RECORD_EVIDENCE;
    assert_int_equal(restore(kind, 0, evidence_against(SELF)), PBFT_REJECTED);
    assert_int_equal(restore(kind, 0, evidence_against(4)), PBFT_REJECTED);
    assert_int_equal(restore(kind, 0, evidence_against(UINT32_MAX)),
                     PBFT_REJECTED);
    assert_int_equal(pbft_replica_evidence_count(replica), 0);
    assert_int_equal(restore(kind, 0, evidence_against(2)), PBFT_ACCEPTED);
    assert_int_equal(restore(kind, 0, evidence_against(2)), PBFT_ACCEPTED);
    assert_int_equal(pbft_replica_evidence_count(replica), 1);
}

/* The disk may have made it of one word: it accuses nobody anew. */
static void test_a_log_that_contradicts_itself_convicts_nobody(void **state)
{
    (void)state;
    struct pbft_message *other = cast_batch(&cast, 9, 5, 1);
    struct pbft_message *full = cast_pre_prepare(&cast, 0, 1, other);
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1, header(1)),
                     PBFT_ACCEPTED);
    assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 1,
                             pbft_pre_prepare_with_body(full, NULL)),
                     PBFT_REJECTED);
    assert_int_equal(pbft_replica_evidence_count(replica), 0);
    pbft_message_unref(other);
    pbft_message_unref(full);
}

static void test_a_record_of_no_kind_is_refused(void **state)
{
    const struct pbft_status_report fields = {.view = 7, .executed = 9};
    (void)state;
    for (pbft_seq seq = 0; seq < 2; seq++) {
        assert_int_equal(
            restore((enum pbft_record_kind)99, seq,
                    pbft_status_create(
                        &(struct pbft_origin){.sender = SELF, .epoch = 1},
                        &fields)),
            PBFT_REJECTED);
    }
    assert_int_equal(replica->view, 0);
}

/* The proof is durable, the blocks are lost: nothing is said of seqs that no
 * STATUS has bits for. */
static void test_a_proof_far_above_the_blocks_is_reported(void **state)
{
    const pbft_seq far = 4 * (pbft_seq)PBFT_WINDOW_MAX;
    (void)state;
    assert_int_equal(
        restore(PBFT_RECORD_STABLE, far, cast_stable(&cast, far, signers, 3)),
        PBFT_ACCEPTED);
    begin();
    const struct pbft_output *output = pbft_output(replica);
    const struct pbft_message *status =
        output->sends[output->send_count - 1].message;
    assert_int_equal(status->type, PBFT_MESSAGE_STATUS);
    assert_int_equal(status->status.stable, far);
    assert_int_equal(status->status.executed, 0);
    assert_int_equal(status->status.prepared_words, 0);
}

/* What view 3 began with was for view 3: view 4, of which there is a vote,
 * began with something else. */
static void test_a_new_view_is_of_its_own_view(void **state)
{
    const pbft_view view = 3;
    const pbft_replica_id primary = 3;
    const struct pbft_origin origin = {.sender = primary, .epoch = 1};
    const struct pbft_new_view_source sources[] = {
        {0, {{1}}}, {2, {{1}}}, {3, {{1}}}};
    (void)state;
    for (pbft_view later = view; later <= view + 1; later++) {
        struct pbft_message *full = cast_pre_prepare(&cast, view, 1, batch);
        const struct pbft_message *headers[] = {
            pbft_pre_prepare_with_body(full, NULL)};
        assert_int_equal(restore(PBFT_RECORD_NEW_VIEW, 0,
                                 pbft_new_view_create(&origin, view, sources, 3,
                                                      headers, 1)),
                         PBFT_ACCEPTED);
        pbft_message_unref(full);
        pbft_message_unref(headers[0]);
        full = cast_pre_prepare(&cast, later, 2, batch);
        assert_int_equal(restore(PBFT_RECORD_PRE_PREPARE, 2,
                                 pbft_pre_prepare_with_body(full, NULL)),
                         PBFT_ACCEPTED);
        pbft_message_unref(full);
        begin();
        assert_int_equal(replica->view, later);
        assert_true((pbft_slot_log_at(&replica->log, 1)->header != NULL) ==
                    (later == view));
        (void)clear(state);
        (void)start(state);
    }
}

static size_t attestations_sent(pbft_seq seq)
{
    const struct pbft_output *output = pbft_output(replica);
    size_t count = 0;
    for (size_t i = 0; i < output->send_count; i++) {
        const struct pbft_message *message = output->sends[i].message;
        count += message->type == PBFT_MESSAGE_ATTESTATION &&
                 message->attestation.seq == seq;
    }
    return count;
}

static void execute(pbft_seq seq)
{
    const struct pbft_event executed = {.type = PBFT_EVENT_EXECUTED,
                                        .now = 1,
                                        .wall = 1000000,
                                        .executed = {.seq = seq}};
    assert_int_equal(pbft_step(replica, &executed), PBFT_ACCEPTED);
    pbft_replica_check_invariants(replica);
}

/* The service tells again of blocks whose proofs it lost. They are attested
 * again above the checkpoint; what is stable needs no more words. */
static void test_only_what_is_not_stable_is_attested_again(void **state)
{
    const struct pbft_event applied = {.type = PBFT_EVENT_APPLIED,
                                       .executed = {.seq = 6}};
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    config.self = SELF;
    config.window = 16;
    config.checkpoint_interval = 4;
    pbft_replica_destroy(replica);
    replica = pbft_replica_create(&config, &cast.replicas[SELF].domain,
                                  &cast.keyring, NULL);
    assert_int_equal(pbft_step(replica, &applied), PBFT_ACCEPTED);
    assert_int_equal(
        restore(PBFT_RECORD_STABLE, 4, cast_stable(&cast, 4, signers, 3)),
        PBFT_ACCEPTED);
    begin();
    assert_int_equal(replica->attested, 5);
    assert_int_equal(attestations_sent(6), 1);

    execute(3);
    execute(5);
    assert_int_equal(attestations_sent(3), 0);
    assert_int_equal(attestations_sent(5), 1);
    assert_int_equal(replica->attested, 4);
    assert_int_equal(replica->executed, 6);
}

static void answer(pbft_replica_id from, pbft_seq executed)
{
    const struct pbft_origin origin = {.sender = from, .epoch = 1};
    const struct pbft_status_report fields = {.view_active = true,
                                              .executed = executed,
                                              .question = replica->question};
    struct pbft_message *message = pbft_status_create(&origin, &fields);
    pbft_message_sign(&cast.replicas[from].domain, message);
    const struct pbft_event heard = {.type = PBFT_EVENT_RECEIVE,
                                     .now = 1,
                                     .wall = 1000000,
                                     .message = message};
    assert_int_equal(pbft_step(replica, &heard), PBFT_ACCEPTED);
    pbft_message_unref(message);
}

/* The blocks are gone and a promise with them; two peers say that there is
 * nothing to catch up with. The proof in the own log knows better: below it
 * nobody is asked for an incarnation, for the table may have a later one. */
static void test_nothing_is_asked_for_below_the_own_proof(void **state)
{
    (void)state;
    for (int has_proof = 1; has_proof >= 0; has_proof--) {
        if (has_proof == 1) {
            assert_int_equal(restore(PBFT_RECORD_STABLE, 4,
                                     cast_stable(&cast, 4, signers, 3)),
                             PBFT_ACCEPTED);
        }
        assert_int_equal(restore(PBFT_RECORD_PREPARE, 7,
                                 cast_vote(&cast, PBFT_MESSAGE_PREPARE, SELF, 0,
                                           7, &batch->batch.digest)),
                         PBFT_ACCEPTED);
        begin();
        assert_int_equal(condition(), PBFT_CONDITION_RECOVERING);
        answer(0, 0);
        answer(2, 0);
        assert_true((replica->recovery.target == PBFT_INCARNATION_UNKNOWN) ==
                    (has_proof == 1));
        assert_int_equal(replica->requests.count, 1 - has_proof);
        (void)clear(state);
        (void)start(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_header_stands_once_and_in_its_place),
        TEST(test_a_vote_is_its_own_and_one),
        TEST(test_a_certificate_must_be_of_a_higher_view),
        TEST(test_a_checkpoint_is_its_own_and_one),
        TEST(test_a_proof_passes_over_older_records),
        TEST(test_a_record_holds_its_kind_of_message),
        TEST(test_nobody_is_heard_before_the_start),
        cmocka_unit_test(test_an_attestation_differs_in_each_field),
        TEST(test_a_vote_without_its_pre_prepare_is_a_loss),
        TEST(test_an_own_vote_in_a_certificate_is_the_same),
        TEST(test_the_highest_view_change_binds),
        TEST(test_a_header_of_a_later_view_shows_that_it_was_entered),
        TEST(test_a_recover_of_another_is_no_mark),
        TEST(test_evidence_is_against_another_member),
        TEST(test_a_log_that_contradicts_itself_convicts_nobody),
        TEST(test_a_record_of_no_kind_is_refused),
        TEST(test_a_proof_far_above_the_blocks_is_reported),
        TEST(test_a_new_view_is_of_its_own_view),
        TEST(test_only_what_is_not_stable_is_attested_again),
        TEST(test_nothing_is_asked_for_below_the_own_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
