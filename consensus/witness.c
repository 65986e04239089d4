/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what a replica says with what it said (design: P15). Every message
 * that is received passes here first, stale ones too; what certificates, blocks
 * and new-views carry counts as if it had come alone. */
#include "consensus/witness.h"

#include <stdlib.h>

#include "consensus/replica.h"

#define SEQ_KINDS 4
#define VIEW_PLACES (PBFT_WITNESS_VIEWS + 1)

bool pbft_witness_init(struct pbft_witness *witness, uint32_t window,
                       uint32_t replica_count)
{
    const size_t budget = PBFT_WITNESS_BYTES_MAX /
                          (SEQ_KINDS * (sizeof(struct pbft_topic) +
                                        sizeof(struct pbft_statement))) /
                          replica_count;
    uint32_t seqs = window < PBFT_WITNESS_SEQS_MAX ? window //
                                                   : PBFT_WITNESS_SEQS_MAX;
    if (seqs > budget) {
        seqs = budget > PBFT_WITNESS_SEQS_MIN ? (uint32_t)budget
                                              : PBFT_WITNESS_SEQS_MIN;
    }
    witness->seqs = seqs;
    witness->places = SEQ_KINDS * seqs + 2 * VIEW_PLACES;
    const size_t count = (size_t)replica_count * witness->places;
    witness->topics = calloc(count, sizeof *witness->topics);
    witness->said = calloc(count, sizeof *witness->said);
    if (witness->topics == NULL || witness->said == NULL) {
        free(witness->topics);
        free(witness->said);
        witness->topics = NULL;
        witness->said = NULL;
        return false;
    }
    return true;
}

void pbft_witness_deinit(struct pbft_witness *witness)
{
    for (uint32_t i = 0; i < witness->evidence_count; i++) {
        pbft_message_unref(witness->evidence[i]);
    }
    free(witness->topics);
    free(witness->said);
    *witness = (struct pbft_witness){0};
}

static bool is_about_seq(enum pbft_message_type type)
{
    return type != PBFT_MESSAGE_VIEW_CHANGE && type != PBFT_MESSAGE_NEW_VIEW;
}

static struct pbft_testimony place_at(const struct pbft_witness *witness,
                                      pbft_replica_id signer, size_t place)
{
    const size_t at = (size_t)signer * witness->places + place;
    return (struct pbft_testimony){&witness->topics[at], &witness->said[at]};
}

/* Where a statement of this kind about this seq is remembered: all kinds side
 * by side. */
static struct pbft_testimony seq_place(const struct pbft_replica *replica,
                                       pbft_replica_id signer,
                                       enum pbft_message_type type,
                                       pbft_seq seq)
{
    const struct pbft_witness *witness = &replica->witness;
    const uint32_t kind = (uint32_t)type - PBFT_MESSAGE_PRE_PREPARE;
    PBFT_ASSERT(kind < SEQ_KINDS);
    return place_at(witness, signer,
                    (size_t)(seq % witness->seqs) * SEQ_KINDS + kind);
}

/* The same by view; `is_far`: the place of the highest view of all. */
static struct pbft_testimony view_place(const struct pbft_replica *replica,
                                        pbft_replica_id signer,
                                        enum pbft_message_type type,
                                        pbft_view view, bool is_far)
{
    const struct pbft_witness *witness = &replica->witness;
    const size_t kind = type == PBFT_MESSAGE_VIEW_CHANGE ? 0 : VIEW_PLACES;
    const size_t offset = is_far ? PBFT_WITNESS_VIEWS //
                                 : view % PBFT_WITNESS_VIEWS;
    return place_at(witness, signer,
                    (size_t)SEQ_KINDS * witness->seqs + kind + offset);
}

static bool is_slot_vote(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_PREPARE ||
           type == PBFT_MESSAGE_COMMIT;
}

/* One record for one place, and not too many. */
static bool is_known(const struct pbft_witness *witness,
                     const struct pbft_claim *claim)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < witness->evidence_count; i++) {
        const struct pbft_claim known =
            pbft_evidence_claim(witness->evidence[i]->evidence);
        if (known.signer != claim->signer) {
            continue;
        }
        count++;
        if (known.view == claim->view && known.seq == claim->seq &&
            (known.type == claim->type ||
             (is_slot_vote(known.type) && is_slot_vote(claim->type)))) {
            return true;
        }
    }
    return count >= PBFT_EVIDENCE_PER_SIGNER_MAX;
}

static void keep_evidence(struct pbft_witness *witness,
                          const struct pbft_message *evidence)
{
    PBFT_ASSERT(witness->evidence_count < PBFT_EVIDENCE_MAX);
    pbft_set_add(&witness->accused,
                 pbft_evidence_claim(evidence->evidence).signer);
    witness->evidence[witness->evidence_count++] = pbft_message_ref(evidence);
}

/* Two statements that contradict each other; `first` was verified. */
static void accuse(struct pbft_replica *replica,
                   const struct pbft_statement *first,
                   const struct pbft_statement *second,
                   const struct pbft_claim *claim, bool is_verified)
{
    struct pbft_witness *witness = &replica->witness;
    if (replica->stage != PBFT_STAGE_RUNNING || is_known(witness, claim)) {
        return;
    }
    const struct pbft_message *evidence =
        pbft_evidence_create(replica->config.self, first, second);
    PBFT_ASSERT(evidence != NULL); /* Out of memory: stop. */
    if (!is_verified && witness->checks_left > 0) {
        witness->checks_left--;
        is_verified = pbft_evidence_verify(replica->domain, replica->keyring,
                                           evidence->evidence) == PBFT_OK;
    }
    if (is_verified) {
        keep_evidence(witness, evidence);
        pbft_mark(PBFT_MARK_EVIDENCE_KEPT);
        pbft_log_record(replica, PBFT_RECORD_EVIDENCE, 0, evidence);
    }
    pbft_message_unref(evidence);
}

static void compare(struct pbft_replica *replica, struct pbft_testimony place,
                    const struct pbft_statement *statement,
                    const struct pbft_claim *claim, bool is_verified)
{
    struct pbft_claim said;
    if (place.topic->view == claim->view && place.topic->seq == claim->seq &&
        place.statement->size != 0 && pbft_claim_read(place.statement, &said) &&
        pbft_claims_conflict(&said, claim)) {
        accuse(replica, place.statement, statement, claim, is_verified);
    }
}

static void remember(struct pbft_testimony place,
                     const struct pbft_statement *statement,
                     const struct pbft_claim *claim)
{
    *place.topic = (struct pbft_topic){claim->view, claim->seq};
    *place.statement = *statement;
}

/* A newer incarnation has taken back what the older one said (design: P14). */
static bool is_void(struct pbft_testimony place, const struct pbft_claim *claim)
{
    struct pbft_claim said;
    return place.statement->size == 0 ||
           (pbft_claim_read(place.statement, &said) &&
            said.incarnation < claim->incarnation);
}

static void hear_of_seq(struct pbft_replica *replica,
                        const struct pbft_statement *statement,
                        const struct pbft_claim *claim, bool is_verified)
{
    const struct pbft_testimony own =
        seq_place(replica, claim->signer, claim->type, claim->seq);
    if (claim->type == PBFT_MESSAGE_ATTESTATION) {
        compare(replica, own, statement, claim, is_verified);
    } else {
        for (int type = PBFT_MESSAGE_PRE_PREPARE; type <= PBFT_MESSAGE_COMMIT;
             type++) {
            compare(replica,
                    seq_place(replica, claim->signer,
                              (enum pbft_message_type)type, claim->seq),
                    statement, claim, is_verified);
        }
    }
    if (!is_verified || claim->view > replica->view ||
        !pbft_slot_log_has(&replica->log, claim->seq)) {
        return;
    }
    const struct pbft_topic *topic = own.topic;
    if ((topic->seq == claim->seq && topic->view < claim->view) ||
        (topic->seq < claim->seq && topic->seq <= replica->committed) ||
        is_void(own, claim)) {
        remember(own, statement, claim);
    }
}

static void hear_of_view(struct pbft_replica *replica,
                         const struct pbft_statement *statement,
                         const struct pbft_claim *claim, bool is_verified)
{
    const struct pbft_testimony near =
        view_place(replica, claim->signer, claim->type, claim->view, false);
    const struct pbft_testimony far =
        view_place(replica, claim->signer, claim->type, claim->view, true);
    compare(replica, near, statement, claim, is_verified);
    compare(replica, far, statement, claim, is_verified);
    if (!is_verified || claim->view < replica->view) {
        return;
    }
    if (claim->view - replica->view >= PBFT_WITNESS_VIEWS) {
        if (is_void(far, claim) || far.topic->view < claim->view) {
            remember(far, statement, claim);
        }
    } else if (is_void(near, claim) || near.topic->view < replica->view) {
        remember(near, statement, claim);
    }
}

static void hear(struct pbft_replica *replica,
                 const struct pbft_message *message, bool is_verified)
{
    struct pbft_statement statement;
    struct pbft_claim claim;
    if (message->sender == replica->config.self ||
        message->sender >= replica->n) {
        return;
    }
    pbft_statement_of(replica->domain, message, &statement);
    if (!pbft_claim_read(&statement, &claim)) {
        return;
    }
    /* An incarnation that nobody has granted yet displaces nothing. */
    is_verified =
        is_verified &&
        claim.incarnation <= replica->incarnations.of[claim.signer].number;
    if (is_about_seq(claim.type)) {
        hear_of_seq(replica, &statement, &claim, is_verified);
    } else {
        hear_of_view(replica, &statement, &claim, is_verified);
    }
}

/* Votes as the messages that they were; `like` has all but the signer. */
static void hear_votes(struct pbft_replica *replica, struct pbft_message *like,
                       const struct pbft_vote *votes, uint32_t count,
                       bool is_verified)
{
    for (uint32_t i = 0; i < count; i++) {
        like->sender = votes[i].replica;
        like->incarnation = votes[i].incarnation;
        like->signature = votes[i].signature;
        hear(replica, like, is_verified);
    }
}

static void hear_certificate(struct pbft_replica *replica,
                             enum pbft_message_type vote_type,
                             const struct pbft_message *header,
                             const struct pbft_vote *votes, uint32_t count,
                             bool is_verified)
{
    const struct pbft_pre_prepare *fields = &header->pre_prepare;
    const struct pbft_prepare slot = {fields->view, fields->seq,
                                      fields->digest};
    struct pbft_message vote = {.type = vote_type, .epoch = header->epoch};
    if (vote_type == PBFT_MESSAGE_PREPARE) {
        vote.prepare = slot;
    } else {
        vote.commit = slot;
    }
    hear(replica, header, is_verified);
    hear_votes(replica, &vote, votes, count, is_verified);
}

static void hear_stable(struct pbft_replica *replica,
                        const struct pbft_message *stable)
{
    struct pbft_message vote = {.type = PBFT_MESSAGE_ATTESTATION,
                                .epoch = stable->epoch,
                                .attestation = stable->stable.attestation};
    hear_votes(replica, &vote, stable->stable.votes, stable->stable.vote_count,
               true);
}

/* The proof of its checkpoint was verified; its certificates were not. */
static void hear_view_change(struct pbft_replica *replica,
                             const struct pbft_message *message)
{
    const struct pbft_view_change *fields = &message->view_change;
    hear(replica, message, true);
    hear_stable(replica, fields->stable);
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_prepared *prepared = &fields->prepared[i]->prepared;
        hear_certificate(replica, PBFT_MESSAGE_PREPARE, prepared->pre_prepare,
                         prepared->votes, prepared->vote_count, false);
    }
}

void pbft_witness_message(struct pbft_replica *replica,
                          const struct pbft_message *message)
{
    replica->witness.checks_left = PBFT_WITNESS_CHECKS_MAX;
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_ATTESTATION:
        hear(replica, message, true);
        return;
    case PBFT_MESSAGE_VIEW_CHANGE:
        hear_view_change(replica, message);
        return;
    case PBFT_MESSAGE_NEW_VIEW:
        hear(replica, message, true);
        for (uint32_t i = 0; i < message->new_view.pre_prepare_count; i++) {
            hear(replica, message->new_view.pre_prepares[i], true);
        }
        return;
    case PBFT_MESSAGE_PREPARED:
        hear_certificate(replica, PBFT_MESSAGE_PREPARE,
                         message->prepared.pre_prepare, message->prepared.votes,
                         message->prepared.vote_count, true);
        return;
    case PBFT_MESSAGE_COMMITTED:
        hear_certificate(
            replica, PBFT_MESSAGE_COMMIT, message->committed.pre_prepare,
            message->committed.votes, message->committed.vote_count, true);
        return;
    case PBFT_MESSAGE_STABLE:
        hear_stable(replica, message);
        return;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_EVIDENCE:
        return;
    }
}

/* Records are written again with each checkpoint (record.h): known ones are
 * not news. */
enum pbft_verdict pbft_restore_evidence(struct pbft_replica *replica,
                                        const struct pbft_message *evidence)
{
    const struct pbft_claim claim = pbft_evidence_claim(evidence->evidence);
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RESTORING);
    if (claim.signer >= replica->n || claim.signer == replica->config.self) {
        return PBFT_REJECTED;
    }
    if (!is_known(&replica->witness, &claim)) {
        keep_evidence(&replica->witness, evidence);
    }
    return PBFT_ACCEPTED;
}

uint32_t pbft_replica_evidence_count(const struct pbft_replica *replica)
{
    return replica->witness.evidence_count;
}

const struct pbft_message *
pbft_replica_evidence(const struct pbft_replica *replica, uint32_t index)
{
    PBFT_ASSERT(index < replica->witness.evidence_count);
    return replica->witness.evidence[index];
}
