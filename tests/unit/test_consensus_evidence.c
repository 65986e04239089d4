/* SPDX-License-Identifier: Apache-2.0 */
/* Accountability (design: P15): what two statements convict, and what does not.
 * R1 is under test and hears the others; R0 is the primary of view 0. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/evidence.h"
#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "proto/codec.h"
#include "tests/support/cluster.h"

#define SELF 1

static struct cluster cluster;
static struct pbft_digest digests[2]; /* Of two batches. */
static struct pbft_message *batches[2];

static bool lose(void *context, const struct cluster_packet *packet)
{
    (void)context;
    (void)packet;
    return true; /* R1 hears the test alone. */
}

static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster_start(&cluster);
    cluster.filter = lose;
    for (uint32_t i = 0; i < 2; i++) {
        batches[i] = cast_batch(&cluster.cast, UINT64_C(1700000001000000) + i,
                                1 + 10 * i, 1);
        digests[i] = batches[i]->batch.digest;
    }
    return 0;
}

static int clear(void **state)
{
    (void)state;
    pbft_message_unref(batches[0]);
    pbft_message_unref(batches[1]);
    cluster_deinit(&cluster);
    return 0;
}

static const struct pbft_domain *domain(void)
{
    return &cluster.cast.replicas[SELF].domain;
}

/* R1 receives it, after the verification that everything passes. */
static void hear(struct pbft_message *message)
{
    assert_int_equal(
        pbft_verify(&cluster.cast.verifier, message->sender, message), PBFT_OK);
    (void)cluster_receive(&cluster, SELF, message);
    pbft_message_unref(message);
}

static void hear_vote(enum pbft_message_type type, pbft_replica_id signer,
                      pbft_view view, pbft_seq seq, int which)
{
    hear(cast_vote(&cluster.cast, type, signer, view, seq, &digests[which]));
}

static void hear_proposal(pbft_view view, pbft_seq seq, int which)
{
    hear(cast_pre_prepare(&cluster.cast, view, seq, batches[which]));
}

static uint32_t count(void)
{
    return cluster_report(&cluster, SELF).evidence_count;
}

static bool is_accused(pbft_replica_id id)
{
    const struct pbft_report report = cluster_report(&cluster, SELF);
    return pbft_set_has(&report.accused, id);
}

static const struct pbft_evidence *evidence(uint32_t index)
{
    return pbft_replica_evidence(cluster_replica(&cluster, SELF), index)
        ->evidence;
}

static enum pbft_status verify(const struct pbft_evidence *of)
{
    return pbft_evidence_verify(domain(), &cluster.cast.keyring, of);
}

static void assert_one_against(pbft_replica_id id)
{
    assert_int_equal(count(), 1);
    assert_true(is_accused(id));
    assert_int_equal(pbft_evidence_claim(evidence(0)).signer, id);
    assert_int_equal(verify(evidence(0)), PBFT_OK);
}

static void test_two_pre_prepares_of_one_slot_convict(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    assert_int_equal(count(), 0);
    hear_proposal(0, 1, 1);
    assert_one_against(0);
}

static void test_two_votes_of_one_slot_convict(void **state)
{
    static const enum pbft_message_type types[] = {PBFT_MESSAGE_PREPARE,
                                                   PBFT_MESSAGE_COMMIT};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        hear_vote(types[i], 2, 0, 1 + i, 0);
        hear_vote(types[i], 2, 0, 1 + i, 1);
        assert_int_equal(count(), 1 + i);
        assert_int_equal(verify(evidence(i)), PBFT_OK);
    }
    assert_true(is_accused(2));
    assert_false(is_accused(3));
}

/* A commit vouches for what its signer prepared, a primary's too. */
static void test_votes_of_two_phases_convict(void **state)
{
    (void)state;
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 0);
    hear_vote(PBFT_MESSAGE_COMMIT, 2, 0, 1, 1);
    assert_one_against(2);
    hear_proposal(0, 1, 0);
    hear_vote(PBFT_MESSAGE_COMMIT, 0, 0, 1, 1);
    assert_true(is_accused(0));
}

static struct pbft_message *attestation(pbft_seq seq, uint8_t root)
{
    const struct pbft_origin origin = {.sender = 2, .epoch = 1};
    struct pbft_attestation fields = {.seq = seq, .block_time = 1};
    fields.ledger_root.bytes[0] = root;
    struct pbft_message *message = pbft_attestation_create(&origin, &fields);
    pbft_message_sign(&cluster.cast.replicas[2].domain, message);
    return message;
}

static void test_two_attestations_of_one_seq_convict(void **state)
{
    (void)state;
    hear(attestation(4, 1));
    hear(attestation(5, 2));
    assert_int_equal(count(), 0);
    hear(attestation(4, 3));
    assert_one_against(2);
}

/* With the certificates given. */
static struct pbft_message *
view_change(pbft_replica_id signer, pbft_view view,
            const struct pbft_message *const *prepared, uint32_t prepared_count)
{
    const struct pbft_origin origin = {.sender = signer, .epoch = 1};
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    struct pbft_message *message = pbft_view_change_create(
        domain(), &origin, view, stable, prepared, prepared_count);
    pbft_message_sign(&cluster.cast.replicas[signer].domain, message);
    pbft_message_unref(stable);
    return message;
}

static struct pbft_message *prepared_certificate(pbft_view view, pbft_seq seq,
                                                 int which)
{
    static const pbft_replica_id signers[] = {2, 3};
    struct pbft_message *proposal =
        cast_pre_prepare(&cluster.cast, view, seq, batches[which]);
    struct pbft_message *header = pbft_pre_prepare_with_body(proposal, NULL);
    struct pbft_message *certificate = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    pbft_message_unref(proposal);
    pbft_message_unref(header);
    return certificate;
}

static void hear_view_change(pbft_replica_id signer, pbft_view view,
                             struct pbft_message *certificate)
{
    const struct pbft_message *list[] = {certificate};
    hear(view_change(signer, view, list, certificate == NULL ? 0 : 1));
    pbft_message_unref(certificate);
}

static void test_two_view_changes_of_one_view_convict(void **state)
{
    (void)state;
    hear_view_change(2, 1, NULL);
    hear_view_change(2, 1, NULL); /* Sent again. */
    hear_view_change(2, 2, NULL);
    hear_view_change(2, UINT64_MAX, NULL);
    assert_int_equal(count(), 0);
    hear_view_change(2, UINT64_MAX, prepared_certificate(0, 1, 0));
    assert_one_against(2);
    hear_view_change(2, 1, prepared_certificate(0, 1, 0));
    assert_int_equal(count(), 2);
}

/* D-01: R1 holds the one proposal, R3's certificate shows the other. */
static void test_a_relayed_certificate_convicts_the_primary(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    hear_view_change(3, 1, prepared_certificate(0, 1, 1));
    assert_one_against(0);
}

static void test_a_relayed_block_convicts_the_primary(void **state)
{
    static const pbft_replica_id signers[] = {0, 2, 3};
    (void)state;
    hear_proposal(0, 1, 0);
    struct pbft_message *proposal =
        cast_pre_prepare(&cluster.cast, 0, 1, batches[1]);
    hear(cast_certificate(&cluster.cast, PBFT_MESSAGE_COMMITTED, proposal,
                          signers, 3));
    pbft_message_unref(proposal);
    assert_one_against(0);
}

static struct pbft_message *new_view(pbft_view view, int which)
{
    const struct pbft_origin origin = {.sender = pbft_primary_of(view, 4),
                                       .epoch = 1};
    const struct pbft_domain *of = &cluster.cast.replicas[origin.sender].domain;
    const struct pbft_new_view_source sources[] = {
        {0, digests[0]}, {2, digests[0]}, {3, digests[0]}};
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, view, 1, &digests[which], NULL);
    pbft_message_sign(of, header);
    const struct pbft_message *headers[] = {header};
    struct pbft_message *message =
        pbft_new_view_create(&origin, view, sources, 3, headers, 1);
    pbft_message_sign(of, message);
    pbft_message_unref(header);
    return message;
}

static void test_two_new_views_of_one_view_convict(void **state)
{
    (void)state;
    hear(new_view(2, 0));
    hear(new_view(2, 0));
    assert_int_equal(count(), 0);
    hear(new_view(2, 1));
    assert_true(is_accused(2));
    assert_int_equal(verify(evidence(0)), PBFT_OK);
}

/* A certificate that R3 made up: the header is not R0's. */
static void test_a_forged_certificate_convicts_nobody(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    struct pbft_message *certificate = prepared_certificate(0, 1, 1);
    struct pbft_message *header =
        (struct pbft_message *)(uintptr_t)certificate->prepared.pre_prepare;
    header->signature.bytes[0] ^= 1;
    hear_view_change(3, 1, certificate);
    assert_int_equal(count(), 0);
}

static void test_honest_repetition_convicts_nobody(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        hear_proposal(0, 1, 0);
        hear_proposal(0, 2, 1);
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 0);
        hear_vote(PBFT_MESSAGE_COMMIT, 2, 0, 1, 0);
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 2, 1);
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 1, 1, 1); /* Of another view. */
        hear(attestation(1, 7));
    }
    assert_int_equal(count(), 0);
}

/* Who lost its log starts a new incarnation (design: P14). */
static void test_another_incarnation_contradicts_nothing(void **state)
{
    (void)state;
    for (uint64_t incarnation = 0; incarnation < 2; incarnation++) {
        const struct pbft_origin origin = {
            .sender = 2, .epoch = 1, .incarnation = incarnation};
        const struct pbft_prepare fields = {0, 1, digests[incarnation]};
        struct pbft_message *vote =
            pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
        pbft_message_sign(&cluster.cast.replicas[2].domain, vote);
        hear(vote);
    }
    assert_int_equal(count(), 0);
}

static void test_one_record_a_place_and_few_a_signer(void **state)
{
    (void)state;
    for (pbft_seq seq = 1; seq <= 12; seq++) {
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, seq, 0);
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, seq, 1);
        hear_vote(PBFT_MESSAGE_COMMIT, 2, 0, seq, 0);
        hear_vote(PBFT_MESSAGE_COMMIT, 2, 0, seq, 1);
    }
    assert_int_equal(count(), PBFT_EVIDENCE_PER_SIGNER_MAX);
    hear_vote(PBFT_MESSAGE_PREPARE, 3, 0, 1, 0);
    hear_vote(PBFT_MESSAGE_PREPARE, 3, 0, 1, 1);
    assert_int_equal(count(), PBFT_EVIDENCE_PER_SIGNER_MAX + 1);
}

/* What it said of an open seq cannot be washed away by saying more. */
static void test_a_flood_does_not_wash_away_what_was_said(void **state)
{
    (void)state;
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 0);
    for (pbft_seq seq = 2; seq <= 500; seq++) {
        hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, seq, 0);
        hear_vote(PBFT_MESSAGE_PREPARE, 2, seq, 1, 1);
    }
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 1);
    assert_one_against(2);
}

static void test_evidence_outlives_restarts_and_checkpoints(void **state)
{
    (void)state;
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 14, 0);
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 14, 1);
    assert_one_against(2);
    cluster.filter = NULL;
    for (uint64_t i = 1; i <= 9; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    assert_true(cluster_report(&cluster, SELF).stable >= 8);
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    cluster_settle(&cluster);
    assert_one_against(2);
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    assert_one_against(2);
}

/* The first half was said before the restart. */
static void test_an_accepted_proposal_is_remembered_over_a_restart(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    cluster_crash(&cluster, SELF);
    cluster_restart(&cluster, SELF);
    hear_proposal(0, 1, 1);
    assert_one_against(0);
}

/* Through the codec of records, and through that of files. */
static void test_evidence_survives_its_encoding(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    hear_proposal(0, 1, 1);
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX + 1];
    const size_t size = pbft_evidence_encode(evidence(0), bytes);
    struct pbft_evidence again = {0};
    assert_int_equal(
        pbft_evidence_decode((struct pbft_bytes){bytes, size}, &again),
        PBFT_OK);
    assert_memory_equal(&again, evidence(0), sizeof again);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(
            pbft_evidence_decode((struct pbft_bytes){bytes, cut}, &again),
            PBFT_MALFORMED);
    }
    bytes[size] = 0;
    assert_int_equal(
        pbft_evidence_decode((struct pbft_bytes){bytes, size + 1}, &again),
        PBFT_MALFORMED);
}

/* No bit of it can be changed. */
static void test_every_bit_of_evidence_counts(void **state)
{
    (void)state;
    hear_proposal(0, 1, 0);
    hear_proposal(0, 1, 1);
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    const size_t size = pbft_evidence_encode(evidence(0), bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct pbft_evidence changed = {0};
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(pbft_evidence_decode((struct pbft_bytes){bytes, size},
                                         &changed) != PBFT_OK ||
                    verify(&changed) != PBFT_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_evidence_of_elsewhere_is_refused(void **state)
{
    (void)state;
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 0);
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 1);
    struct pbft_domain other = *domain();
    struct pbft_keyring keyring = cluster.cast.keyring;
    other.cluster.bytes[0] ^= 1;
    assert_int_equal(pbft_evidence_verify(&other, &keyring, evidence(0)),
                     PBFT_WRONG_IDENTITY);
    keyring.epoch++;
    assert_int_equal(pbft_evidence_verify(domain(), &keyring, evidence(0)),
                     PBFT_NOT_MEMBER);
    keyring.epoch--;
    keyring.replica_count = 2;
    assert_int_equal(pbft_evidence_verify(domain(), &keyring, evidence(0)),
                     PBFT_NOT_MEMBER);
}

/* As a message it moves nobody. */
static void test_evidence_is_not_accepted_from_peers(void **state)
{
    (void)state;
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 0);
    hear_vote(PBFT_MESSAGE_PREPARE, 2, 0, 1, 1);
    const struct pbft_message *held =
        pbft_replica_evidence(cluster_replica(&cluster, SELF), 0);
    assert_int_not_equal(pbft_verify(&cluster.cast.verifier, 2, held), PBFT_OK);
}

/* ---- statements that are none, and claims that agree -----------------------
 */

static struct pbft_statement statement_of(struct pbft_message *message)
{
    struct pbft_statement statement;
    pbft_statement_of(domain(), message, &statement);
    pbft_message_unref(message);
    return statement;
}

static struct pbft_statement prepare_of(int which)
{
    return statement_of(cast_vote(&cluster.cast, PBFT_MESSAGE_PREPARE, 2, 0, 1,
                                  &digests[which]));
}

static void test_only_what_must_be_one_word_is_accounted_for(void **state)
{
    (void)state;
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        assert_true(pbft_is_accountable((enum pbft_message_type)type) ==
                    (type >= PBFT_MESSAGE_PRE_PREPARE &&
                     type <= PBFT_MESSAGE_NEW_VIEW));
    }
}

static void test_a_statement_has_a_kind_and_its_size(void **state)
{
    struct pbft_claim claim;
    (void)state;
    const struct pbft_statement good = prepare_of(0);
    assert_true(pbft_claim_read(&good, &claim));
    for (uint32_t size = 0; size <= PBFT_STATEMENT_MAX + 1; size++) {
        struct pbft_statement cut = good;
        cut.size = size;
        assert_true(pbft_claim_read(&cut, &claim) == (size == good.size));
    }
    struct pbft_statement other = good;
    other.size = UINT32_MAX;
    assert_false(pbft_claim_read(&other, &claim));
    other = good;
    memcpy(other.preimage, "salus/request/1", 16); /* No replica's word. */
    assert_false(pbft_claim_read(&other, &claim));
}

/* Each part of what is said, and by whom, decides alone. */
static void test_claims_conflict_only_about_one_place(void **state)
{
    struct pbft_claim a;
    struct pbft_claim b;
    (void)state;
    const struct pbft_statement one = prepare_of(0);
    const struct pbft_statement two = prepare_of(1);
    assert_true(pbft_claim_read(&one, &a));
    assert_true(pbft_claim_read(&two, &b));
    assert_true(pbft_claims_conflict(&a, &b));
    assert_false(pbft_claims_conflict(&a, &a));
#define AGREES(change)                                                         \
    do {                                                                       \
        struct pbft_claim other = b;                                           \
        other.change;                                                          \
        assert_false(pbft_claims_conflict(&a, &other));                        \
        assert_false(pbft_claims_conflict(&other, &a));                        \
    } while (0)
    AGREES(cluster.bytes[0] ^= 1);
    AGREES(version++);
    AGREES(epoch++);
    AGREES(signer++);
    AGREES(incarnation++);
    AGREES(view++);
    AGREES(seq++);
    AGREES(type = PBFT_MESSAGE_ATTESTATION);
    AGREES(type = PBFT_MESSAGE_VIEW_CHANGE);
#undef AGREES
}

/* A file that was made by hand. */
static void test_evidence_that_says_nothing_convicts_nobody(void **state)
{
    (void)state;
    const struct pbft_evidence good = {{prepare_of(0), prepare_of(1)}};
    assert_int_equal(verify(&good), PBFT_OK);
    for (int i = 0; i < 2; i++) {
        struct pbft_evidence bad = good;
        bad.statements[i].size = 0;
        assert_int_equal(verify(&bad), PBFT_MALFORMED);
        bad = good;
        bad.statements[i] = bad.statements[1 - i];
        assert_int_equal(verify(&bad), PBFT_MALFORMED);
        bad = good;
        bad.statements[i].signature.bytes[0] ^= 1;
        assert_int_equal(verify(&bad), PBFT_BAD_SIGNATURE);
    }
    /* Of a protocol that we do not speak, both alike: not ours to judge. */
    const size_t last_byte_of_version = 16 + PBFT_DIGEST_SIZE + 3;
    struct pbft_evidence later = good;
    later.statements[0].preimage[last_byte_of_version]++;
    later.statements[1].preimage[last_byte_of_version]++;
    assert_int_equal(verify(&later), PBFT_VERSION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_two_pre_prepares_of_one_slot_convict),
        TEST(test_two_votes_of_one_slot_convict),
        TEST(test_votes_of_two_phases_convict),
        TEST(test_two_attestations_of_one_seq_convict),
        TEST(test_two_view_changes_of_one_view_convict),
        TEST(test_a_relayed_certificate_convicts_the_primary),
        TEST(test_a_relayed_block_convicts_the_primary),
        TEST(test_two_new_views_of_one_view_convict),
        TEST(test_a_forged_certificate_convicts_nobody),
        TEST(test_honest_repetition_convicts_nobody),
        TEST(test_another_incarnation_contradicts_nothing),
        TEST(test_one_record_a_place_and_few_a_signer),
        TEST(test_a_flood_does_not_wash_away_what_was_said),
        TEST(test_evidence_outlives_restarts_and_checkpoints),
        TEST(test_an_accepted_proposal_is_remembered_over_a_restart),
        TEST(test_evidence_survives_its_encoding),
        TEST(test_every_bit_of_evidence_counts),
        TEST(test_evidence_of_elsewhere_is_refused),
        TEST(test_evidence_is_not_accepted_from_peers),
        TEST(test_only_what_must_be_one_word_is_accounted_for),
        TEST(test_a_statement_has_a_kind_and_its_size),
        TEST(test_claims_conflict_only_about_one_place),
        TEST(test_evidence_that_says_nothing_convicts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
