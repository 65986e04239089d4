/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.4, sentence by sentence, in our own words: what the new primary
 * makes of the view-changes, and what a backup takes from it. */
#include "tests/paper/paper.h"

/* A batch of the request `sequence`, prepared in `view` at `seq`: certified by
 * the two who follow the primary of that view. */
static struct pbft_message *certificate(pbft_view view, pbft_seq seq,
                                        const struct pbft_message *batch)
{
    const pbft_replica_id signers[] = {pbft_primary_of(view + 1, 4),
                                       pbft_primary_of(view + 2, 4)};
    struct pbft_message *whole =
        cast_pre_prepare(&cluster.cast, view, seq, batch);
    struct pbft_message *header = pbft_pre_prepare_with_body(whole, NULL);
    struct pbft_message *made = cast_certificate(
        &cluster.cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    pbft_message_unref(header);
    pbft_message_unref(whole);
    return made;
}

/* Two batches for seq 1 and two for seq 2: prepared in view 0, and in view 1.
 * R0 knows the one of view 0 at seq 1 and the one of view 1 at seq 2; R3 the
 * other two. So it is neither the first one nor the last one to be asked. */
struct rivals {
    struct pbft_message *batches[2][2];     /* By view, by seq - 1. */
    const struct pbft_message *of_0, *of_3; /* View-changes for view 2. */
};

static struct rivals make_rivals(void)
{
    struct rivals made;
    const struct pbft_message *certified[2][2];
    for (pbft_view view = 0; view < 2; view++) {
        for (pbft_seq seq = 1; seq <= 2; seq++) {
            made.batches[view][seq - 1] = paper_batch(10 * view + seq);
            certified[view][seq - 1] =
                certificate(view, seq, made.batches[view][seq - 1]);
        }
    }
    const struct pbft_message *first[] = {certified[0][0], certified[1][1]};
    const struct pbft_message *second[] = {certified[1][0], certified[0][1]};
    made.of_0 = paper_view_change(0, 2, first, 2);
    made.of_3 = paper_view_change(3, 2, second, 2);
    for (int i = 0; i < 4; i++) {
        pbft_message_unref(certified[i / 2][i % 2]);
    }
    return made;
}

static void release_rivals(const struct rivals *rivals)
{
    for (int i = 0; i < 4; i++) {
        pbft_message_unref(rivals->batches[i / 2][i % 2]);
    }
    pbft_message_unref(rivals->of_0);
    pbft_message_unref(rivals->of_3);
}

/* `to` receives a view-change that the test keeps. */
static void tell(pbft_replica_id to, const struct pbft_message *message)
{
    assert_int_equal(
        pbft_verify(&cluster.cast.verifier, message->sender, message), PBFT_OK);
    (void)cluster_receive(&cluster, to, message);
}

/* O: of two certificates for one number the new primary takes the one of the
 * highest view, whoever brings it. */
static void test_4_4_o_takes_the_certificate_of_the_highest_view(void **state)
{
    const struct rivals rivals = make_rivals();
    (void)state;
    tell(2, rivals.of_0);
    tell(2, rivals.of_3);
    cluster_settle(&cluster);
    const struct pbft_message *opened = paper_find(2, PBFT_MESSAGE_NEW_VIEW, 2);
    assert_non_null(opened);
    assert_int_equal(opened->new_view.pre_prepare_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(
            &opened->new_view.pre_prepares[i]->pre_prepare.digest,
            &rivals.batches[1][i]->batch.digest, sizeof(struct pbft_digest));
        /* It is in its own log as well, and it is in the view. */
        assert_true(paper_slot(2, i + 1).has_pre_prepare);
        assert_int_equal(paper_slot(2, i + 1).view, 2);
    }
    assert_true(paper_report(2).view_active);
    release_rivals(&rivals);
}

/* A backup computes the same: it refuses a primary that takes the lower view,
 * and follows one that takes the highest. */
static void test_4_4_a_backup_takes_the_highest_view_too(void **state)
{
    const struct rivals rivals = make_rivals();
    struct pbft_message *of_2 = paper_view_change(2, 2, NULL, 0);
    const struct pbft_message *named[] = {rivals.of_0, of_2, rivals.of_3};
    const struct pbft_digest lower[] = {rivals.batches[0][0]->batch.digest,
                                        rivals.batches[0][1]->batch.digest};
    const struct pbft_digest higher[] = {rivals.batches[1][0]->batch.digest,
                                         rivals.batches[1][1]->batch.digest};
    const struct pbft_digest mixed[] = {lower[0], higher[1]};
    (void)state;
    for (int i = 0; i < 3; i++) {
        tell(1, named[i]);
    }
    assert_int_equal(paper_hear(1, paper_new_view(2, named, 3, lower, 2)),
                     PBFT_REJECTED);
    assert_int_equal(paper_hear(1, paper_new_view(2, named, 3, mixed, 2)),
                     PBFT_REJECTED);
    assert_false(paper_report(1).view_active);
    assert_int_equal(paper_hear(1, paper_new_view(2, named, 3, higher, 2)),
                     PBFT_ACCEPTED);
    assert_true(paper_report(1).view_active);
    pbft_message_unref(of_2);
    release_rivals(&rivals);
}

/* R2 wants view 1, and so do those in `changes`. */
static void begin_view_change(const struct pbft_message *changes[4])
{
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    paper_drop(PBFT_MESSAGE_FETCH);
    (void)cluster_submit(&cluster, 2, 1);
    paper_expire(2);
    for (pbft_replica_id id = 0; id < 4; id++) {
        changes[id] =
            id == 2
                ? pbft_message_ref(paper_find(2, PBFT_MESSAGE_VIEW_CHANGE, 1))
                : paper_view_change(id, 1, NULL, 0);
    }
}

static void release_changes(const struct pbft_message *const changes[4])
{
    for (pbft_replica_id id = 0; id < 4; id++) {
        pbft_message_unref(changes[id]);
    }
}

static enum pbft_status judge(struct pbft_message *message)
{
    const enum pbft_status status =
        pbft_verify(&cluster.cast.verifier, message->sender, message);
    pbft_message_unref(message);
    return status;
}

/* A NEW-VIEW names 2f + 1 view-changes, of as many replicas. */
static void test_4_4_a_new_view_of_too_few_is_refused(void **state)
{
    const struct pbft_message *changes[4];
    (void)state;
    begin_view_change(changes);
    const struct pbft_message *twice[] = {changes[0], changes[2], changes[0]};
    tell(2, changes[0]);
    tell(2, changes[3]);
    struct pbft_message *few = paper_new_view(1, changes + 2, 2, NULL, 0);
    /* Behind the verification too. */
    assert_int_equal(cluster_receive(&cluster, 2, few), PBFT_REJECTED);
    assert_int_equal(judge(few), PBFT_BAD_CERTIFICATE);
    assert_int_equal(judge(paper_new_view(1, twice, 3, NULL, 0)),
                     PBFT_BAD_CERTIFICATE);
    assert_false(paper_report(2).view_active);
    const struct pbft_message *enough[] = {changes[0], changes[2], changes[3]};
    assert_int_equal(paper_hear(2, paper_new_view(1, enough, 3, NULL, 0)),
                     PBFT_ACCEPTED);
    assert_true(paper_report(2).view_active);
    release_changes(changes);
}

/* All of them are for the view that it opens. */
static void test_4_4_a_new_view_of_other_views_is_refused(void **state)
{
    const struct pbft_message *changes[4];
    (void)state;
    begin_view_change(changes);
    struct pbft_message *later = paper_view_change(3, 5, NULL, 0);
    const struct pbft_message *mixed[] = {changes[0], changes[2], later};
    const struct pbft_message *right[] = {changes[0], changes[1], changes[2]};
    tell(2, changes[0]);
    tell(2, later);
    assert_int_equal(paper_hear(2, paper_new_view(1, mixed, 3, NULL, 0)),
                     PBFT_REJECTED);
    assert_false(paper_report(2).view_active);
    tell(2, changes[1]);
    assert_int_equal(paper_hear(2, paper_new_view(1, right, 3, NULL, 0)),
                     PBFT_ACCEPTED);
    assert_true(paper_report(2).view_active);
    pbft_message_unref(later);
    release_changes(changes);
}

/* It is signed by the primary of its view, and so are its proposals; and each
 * view-change that it names by the one who asks. A forged one is not taken from
 * anybody, so what names it is never entered. */
static void test_4_4_a_new_view_of_bad_signatures_is_refused(void **state)
{
    const struct pbft_message *changes[4];
    const struct pbft_digest digest = {{7}};
    (void)state;
    begin_view_change(changes);
    struct pbft_message *forged = paper_new_view(1, changes, 3, NULL, 0);
    forged->signature.bytes[0] ^= 1;
    assert_int_equal(judge(forged), PBFT_BAD_SIGNATURE);
    forged = paper_new_view(1, changes, 3, &digest, 1);
    struct pbft_message *header =
        (struct pbft_message *)(uintptr_t)forged->new_view.pre_prepares[0];
    header->signature.bytes[0] ^= 1;
    pbft_message_sign(&cluster.cast.replicas[1].domain, forged);
    assert_int_equal(judge(forged), PBFT_BAD_SIGNATURE);
    forged = paper_new_view(1, changes, 3, NULL, 0);
    forged->sender = 3; /* Not the primary of view 1. */
    pbft_message_sign(&cluster.cast.replicas[3].domain, forged);
    assert_int_equal(judge(forged), PBFT_MALFORMED);

    const struct pbft_origin origin = {.sender = 3, .epoch = 1};
    struct pbft_message *fake =
        pbft_view_change_create(&cluster.cast.replicas[3].domain, &origin, 1,
                                changes[3]->view_change.stable, NULL, 0);
    pbft_message_sign(&cluster.cast.replicas[0].domain, fake);
    const struct pbft_message *named[] = {changes[0], changes[2], fake};
    tell(2, changes[0]);
    tell(2, changes[3]);
    assert_int_equal(paper_hear(2, paper_new_view(1, named, 3, NULL, 0)),
                     PBFT_ACCEPTED); /* For now: it is looked for. */
    assert_int_equal(judge(fake), PBFT_BAD_SIGNATURE);
    cluster_settle(&cluster);
    assert_false(paper_report(2).view_active);
    release_changes(changes);
}

/* Else a backup is in the new view, has the proposals of O in its log as if
 * they were any others, and takes new ones behind them from the new primary. */
static void test_4_4_pre_prepares_of_the_new_primary_are_taken(void **state)
{
    struct pbft_message *old = paper_batch(5);
    struct pbft_message *next = paper_batch(6);
    struct pbft_message *prepared = certificate(0, 1, old);
    const struct pbft_message *changes[4];
    (void)state;
    begin_view_change(changes);
    const struct pbft_message *list[] = {prepared};
    pbft_message_unref(changes[0]);
    changes[0] = paper_view_change(0, 1, list, 1);
    tell(2, changes[0]);
    tell(2, changes[1]);
    assert_int_equal(paper_hear_proposal(2, 1, 2, next), PBFT_UNEXPECTED);
    assert_int_equal(
        paper_hear(2, paper_new_view(1, changes, 3, &old->batch.digest, 1)),
        PBFT_ACCEPTED);
    const struct pbft_slot_report slot = paper_slot(2, 1);
    assert_true(slot.has_pre_prepare);
    assert_int_equal(slot.view, 1);
    assert_memory_equal(&slot.digest, &old->batch.digest, sizeof slot.digest);
    assert_int_equal(paper_hear_proposal(2, 1, 1, next), PBFT_CONFLICTING);
    assert_int_equal(paper_hear_proposal(2, 1, 2, next), PBFT_ACCEPTED);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 1, 2), 3);
    pbft_message_unref(prepared);
    pbft_message_unref(next);
    pbft_message_unref(old);
    release_changes(changes);
}

/* Between views VIEW-CHANGE and NEW-VIEW are taken (and checkpoints); what is
 * said in the old view is not, neither before nor after the new one begins. */
static void test_4_4_view_changes_are_taken_between_views(void **state)
{
    struct pbft_message *batch = paper_batch(9);
    const struct pbft_message *changes[4];
    (void)state;
    begin_view_change(changes);
    assert_false(paper_report(2).view_active);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(paper_hear_proposal(2, 0, 1, batch), PBFT_OLD_VIEW);
        assert_int_equal(
            paper_hear_vote(2, PBFT_MESSAGE_PREPARE, 3, 0, 1, batch),
            PBFT_OLD_VIEW);
        assert_int_equal(
            paper_hear_vote(2, PBFT_MESSAGE_COMMIT, 3, 0, 1, batch),
            PBFT_OLD_VIEW);
        assert_false(paper_slot(2, 1).has_pre_prepare);
        assert_int_equal(paper_slot(2, 1).prepare_count, 0);
        assert_int_equal(paper_slot(2, 1).commit_count, 0);
        if (round == 0) {
            assert_int_equal(cluster_receive(&cluster, 2, changes[0]),
                             PBFT_ACCEPTED);
            assert_int_equal(cluster_receive(&cluster, 2, changes[1]),
                             PBFT_ACCEPTED);
            assert_int_equal(
                paper_hear(2, paper_new_view(1, changes, 3, NULL, 0)),
                PBFT_ACCEPTED);
            assert_true(paper_report(2).view_active);
        }
    }
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_PREPARE, 0, PAPER_ANY), 0);
    assert_int_equal(paper_sent(2, PBFT_MESSAGE_COMMIT, 0, PAPER_ANY), 0);
    pbft_message_unref(batch);
    release_changes(changes);
}

/* The view-changes of 2f others and its own: that is enough for the new
 * primary, and its own is among those that it names. */
static void test_4_4_the_new_primary_counts_its_own(void **state)
{
    bool is_named = false;
    (void)state;
    paper_drop(PBFT_MESSAGE_PRE_PREPARE);
    (void)cluster_submit(&cluster, 1, 1);
    paper_expire(1);
    (void)paper_hear(1, paper_view_change(2, 1, NULL, 0));
    (void)paper_hear(1, paper_view_change(2, 1, NULL, 0)); /* Counts once. */
    assert_null(paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1));
    (void)paper_hear(1, paper_view_change(3, 1, NULL, 0));
    const struct pbft_message *opened = paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    const struct pbft_message *own = paper_find(1, PBFT_MESSAGE_VIEW_CHANGE, 1);
    assert_non_null(opened);
    assert_int_equal(opened->new_view.view_change_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct pbft_new_view_source *named =
            &opened->new_view.view_changes[i];
        is_named |= named->replica == 1 &&
                    memcmp(&named->digest, &own->view_change.digest,
                           sizeof named->digest) == 0;
    }
    assert_true(is_named);
}

static bool are_blocks_lost;

/* R1 gets no commits, and no word of a checkpoint but in view-changes; blocks
 * when it may. */
static bool keep_r1_behind(void *context, const struct cluster_packet *packet)
{
    const enum pbft_message_type type = packet->message->type;
    return paper_filter(context, packet) ||
           (packet->to == 1 &&
            (type == PBFT_MESSAGE_COMMIT || type == PBFT_MESSAGE_ATTESTATION ||
             type == PBFT_MESSAGE_STABLE ||
             (type == PBFT_MESSAGE_COMMITTED && are_blocks_lost)));
}

/* A new primary that is behind min-s takes over the proof of that checkpoint:
 * O begins above it, although R1 itself has prepared what lies below; nothing
 * up to it is taken any more, and as soon as R1 has executed so far (ours; see
 * 4.3), its messages below are gone and the proof is in its log. */
static void test_4_4_a_primary_behind_min_s_takes_the_proof(void **state)
{
    struct pbft_message *batch = paper_batch(90);
    struct pbft_slot_report gone;
    uint32_t proofs = 0;
    (void)state;
    cluster.filter = keep_r1_behind;
    are_blocks_lost = true;
    paper_order(1, 9);
    assert_true(paper_slot(1, 5).prepared);
    assert_int_equal(paper_executed(1), 0);
    paper_depose_primary(10);
    const struct pbft_message *opened = paper_find(1, PBFT_MESSAGE_NEW_VIEW, 1);
    const struct pbft_message *own = paper_find(1, PBFT_MESSAGE_VIEW_CHANGE, 1);
    assert_non_null(opened);
    assert_int_equal(pbft_message_seq(own->view_change.stable), 0);
    assert_int_equal(pbft_message_seq(opened->new_view.pre_prepares[0]), 9);
    assert_int_equal(paper_hear_vote(1, PBFT_MESSAGE_PREPARE, 2, 1, 8, batch),
                     PBFT_OUTSIDE_WATERMARKS);
    assert_int_equal(paper_executed(1), 0);

    are_blocks_lost = false;
    cluster_run(&cluster, PAPER_TREQ / 2);
    assert_true(paper_executed(1) >= 8);
    assert_int_equal(paper_report(1).view, 1);
    assert_int_equal(paper_report(1).stable, 8);
    assert_false(pbft_replica_slot(cluster_replica(&cluster, 1), 8, &gone));
    for (size_t i = 0; i < cluster.nodes[1].record_count; i++) {
        const struct pbft_record *record = &cluster.nodes[1].records[i];
        proofs += record->kind == PBFT_RECORD_STABLE && record->seq == 8;
        /* No body, proposal, vote or certificate. */
        assert_true(record->kind > PBFT_RECORD_COMMIT || record->seq > 8);
    }
    assert_int_equal(proofs, 1);
    pbft_message_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAPER_TEST(test_4_4_o_takes_the_certificate_of_the_highest_view),
        PAPER_TEST(test_4_4_a_backup_takes_the_highest_view_too),
        PAPER_TEST(test_4_4_a_new_view_of_too_few_is_refused),
        PAPER_TEST(test_4_4_a_new_view_of_other_views_is_refused),
        PAPER_TEST(test_4_4_a_new_view_of_bad_signatures_is_refused),
        PAPER_TEST(test_4_4_pre_prepares_of_the_new_primary_are_taken),
        PAPER_TEST(test_4_4_view_changes_are_taken_between_views),
        PAPER_TEST(test_4_4_the_new_primary_counts_its_own),
        PAPER_TEST(test_4_4_a_primary_behind_min_s_takes_the_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
