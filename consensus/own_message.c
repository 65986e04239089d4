/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica that starts may have forgotten (design: P14): peers send it
 * back, and under its own signature the claim counts. */
#include "consensus/replica.h"

/* The vote of `peer` that we hold, as it was signed. */
static void echo_vote(struct pbft_replica *replica, pbft_replica_id peer,
                      struct pbft_slot *slot, enum pbft_phase phase)
{
    const struct pbft_ballots *ballots = pbft_slot_ballots(slot, phase);
    if (!pbft_set_has(&ballots->voters, peer)) {
        return;
    }
    const struct pbft_ballot *ballot = &ballots->items[peer];
    PBFT_ASSERT(ballot->vote.replica == peer);
    PBFT_ASSERT(peer != replica->config.self);
    const struct pbft_origin origin = {.sender = peer,
                                       .incarnation = ballot->vote.incarnation,
                                       .epoch = replica->keyring->epoch,
                                       .signature = ballot->vote.signature};
    const struct pbft_prepare fields = {replica->view, slot->seq,
                                        ballot->digest};
    const struct pbft_message *vote =
        pbft_vote_create(phase == PBFT_PHASE_PREPARE ? PBFT_MESSAGE_PREPARE
                                                     : PBFT_MESSAGE_COMMIT,
                         &origin, &fields);
    PBFT_ASSERT(vote != NULL); /* Out of memory: stop. */
    pbft_send_to(replica, peer, vote);
    pbft_message_unref(vote);
}

/* What a starting peer has signed and may have forgotten (design: P14). Its own
 * signature makes the claim count. */
void pbft_echo_all(struct pbft_replica *replica, pbft_replica_id peer)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    const struct pbft_message *const changes[] = {
        replica->peers[peer].last_view_change, replica->changes.entered[peer]};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (changes[i] != NULL) {
            pbft_send_to(replica, peer, changes[i]);
        }
    }
    const struct pbft_message *last = replica->peers[peer].last_vote;
    if (last != NULL) { /* Slots forget it with its view. */
        pbft_send_to(replica, peer, last);
    }
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        echo_vote(replica, peer, slot, PBFT_PHASE_PREPARE);
        echo_vote(replica, peer, slot, PBFT_PHASE_COMMIT);
        if (slot->header != NULL && slot->header->sender == peer) {
            pbft_send_to(replica, peer, slot->header);
        }
    }
}

static bool is_known_vote(const struct pbft_slot *slot,
                          const struct pbft_message *message)
{
    const struct pbft_message *own = NULL;
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
        own = slot->header;
        return own != NULL && pbft_digest_equal(&own->pre_prepare.digest,
                                                &message->pre_prepare.digest);
    case PBFT_MESSAGE_PREPARE:
        own = slot->own_prepare;
        return own != NULL && pbft_digest_equal(&own->prepare.digest,
                                                &message->prepare.digest);
    case PBFT_MESSAGE_COMMIT:
        own = slot->own_commit;
        return own != NULL &&
               pbft_digest_equal(&own->commit.digest, &message->commit.digest);
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        break;
    }
    return true; /* No vote. */
}

/* We signed it, it still binds, and our log does not have it. */
static bool is_forgotten(const struct pbft_replica *replica,
                         const struct pbft_message *message)
{
    const pbft_seq seq = pbft_message_seq(message);
    const pbft_view view = pbft_message_view(message);
    switch (message->type) {
    case PBFT_MESSAGE_VIEW_CHANGE:
        return view > replica->view;
    case PBFT_MESSAGE_NEW_VIEW:
        /* We may know that we asked for the view, and not that we opened it. */
        return view > replica->view ||
               (view == replica->view &&
                (replica->new_view == NULL ||
                 pbft_message_view(replica->new_view) < view));
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
        break;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        return false;
    }
    const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
    if (view < replica->view || seq <= replica->log.low) {
        return false; /* It binds no more. */
    }
    if (message->type == PBFT_MESSAGE_PRE_PREPARE &&
        seq < pbft_next_after_new_view(replica)) {
        return false; /* Part of our NEW-VIEW, maybe beyond our window. */
    }
    return view > replica->view || slot == NULL ||
           !is_known_vote(slot, message);
}

enum pbft_verdict pbft_on_own_message(struct pbft_replica *replica,
                                      const struct pbft_message *message)
{
    if (replica->recovery.is_active || pbft_is_void(replica, message) ||
        !is_forgotten(replica, message)) {
        if (message->type == PBFT_MESSAGE_VIEW_CHANGE &&
            pbft_offer_source(replica, message)) {
            (void)pbft_try_pending(replica); /* It was part of a NEW-VIEW. */
        }
        return PBFT_DUPLICATE;
    }
    /* We signed this and do not know it: our log was rolled back. Whatever we
     * vote now could contradict what we voted (design: P14). */
    pbft_begin_recovery(replica);
    return PBFT_CONFLICTING;
}

/* Attested before it was executed, says our own signature: in a life whose disk
 * is gone. A checkpoint is in the log before it is sent, behind its block. */
static void note_own_attestation(struct pbft_replica *replica,
                                 const struct pbft_stable *stable,
                                 const struct pbft_vote *vote)
{
    const pbft_replica_id self = replica->config.self;
    const struct pbft_slot *slot =
        pbft_slot_log_at(&replica->log, stable->attestation.seq);
    if (!replica->recovery.is_active &&
        stable->attestation.seq > replica->executed &&
        vote->incarnation >= replica->incarnations.of[self].number &&
        (slot == NULL || slot->own_attestation == NULL)) {
        pbft_begin_recovery(replica);
    }
}

static void note_own_commit(struct pbft_replica *replica,
                            const struct pbft_committed *committed,
                            const struct pbft_vote *vote)
{
    const struct pbft_pre_prepare *header =
        &committed->pre_prepare->pre_prepare;
    const struct pbft_message commit = {
        .type = PBFT_MESSAGE_COMMIT,
        .sender = replica->config.self,
        .incarnation = vote->incarnation,
        .commit = {header->view, header->seq, header->digest}};
    (void)pbft_on_own_message(replica, &commit);
}

void pbft_note_own_votes(struct pbft_replica *replica,
                         const struct pbft_message *certificate)
{
    const bool is_block = certificate->type == PBFT_MESSAGE_COMMITTED;
    const uint32_t count = is_block ? certificate->committed.vote_count
                                    : certificate->stable.vote_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct pbft_vote *vote = is_block
                                           ? &certificate->committed.votes[i]
                                           : &certificate->stable.votes[i];
        if (vote->replica != replica->config.self) {
            continue;
        }
        if (is_block) {
            note_own_commit(replica, &certificate->committed, vote);
        } else {
            note_own_attestation(replica, &certificate->stable, vote);
        }
    }
}
