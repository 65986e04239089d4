/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations of executed blocks, and what they make stable (OSDI'99 4.3;
 * design: P10 and section 5). Every block is attested; the attestation of a
 * multiple of the checkpoint interval is the checkpoint message. */
#include "consensus/replica.h"

static bool is_checkpoint(const struct pbft_replica *replica, pbft_seq seq)
{
    return seq % replica->config.checkpoint_interval == 0;
}

static struct pbft_attestation *kept_checkpoint(struct pbft_replica *replica,
                                                pbft_seq seq)
{
    PBFT_ASSERT(is_checkpoint(replica, seq));
    return &replica->checkpoints[(seq / replica->config.checkpoint_interval) %
                                 PBFT_CHECKPOINTS_KEPT];
}

/* Q others agree on something else than we executed: our state is wrong and
 * must not be vouched for. Never passed; seen in the report. */
static void note_divergence(struct pbft_replica *replica, pbft_seq seq)
{
    if (replica->diverged == 0 || seq < replica->diverged) {
        replica->diverged = seq;
        pbft_mark(PBFT_MARK_STATE_DIVERGED);
    }
    PBFT_ASSERT(replica->diverged > 0);
}

static bool contradicts_own(struct pbft_replica *replica,
                            const struct pbft_attestation *content)
{
    const struct pbft_attestation *own = kept_checkpoint(replica, content->seq);
    return own->seq == content->seq && !pbft_attestation_equal(own, content);
}

static void pass_attested_below(struct pbft_replica *replica)
{
    if (replica->attested < replica->log.low) {
        replica->attested = replica->log.low; /* Q prove more than f + 1. */
    }
    for (;;) {
        const struct pbft_slot *slot =
            pbft_slot_log_at(&replica->log, replica->attested + 1);
        if (slot == NULL || !slot->is_attested) {
            return;
        }
        replica->attested++;
    }
}

/* OSDI'99 4.3: a checkpoint with a proof is stable; what is at or below it
 * leaves the log, and the watermarks move up. The caller has executed it. */
static void adopt(struct pbft_replica *replica,
                  const struct pbft_message *proof)
{
    const pbft_seq seq = proof->stable.attestation.seq;
    PBFT_ASSERT(seq > replica->log.low);
    PBFT_ASSERT(seq <= replica->executed);
    PBFT_ASSERT(is_checkpoint(replica, seq));
    if (contradicts_own(replica, &proof->stable.attestation)) {
        note_divergence(replica, seq);
        return;
    }
    pbft_keep(&replica->stable, proof);
    const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
    if (slot == NULL || !slot->is_attested) {
        pbft_output_attested(&replica->output, seq, proof); /* Q > f + 1. */
    }
    pbft_log_record(replica, PBFT_RECORD_STABLE, seq, proof);
    pbft_log_binding_records(replica);
    pbft_forget_bodies_below(replica, seq);
    pbft_slot_log_advance(&replica->log, seq);
    pbft_output_stable(&replica->output, seq);
    pass_attested_below(replica);
    pbft_accept_reproposed(replica); /* Those that lay beyond the window. */
    replica->is_attesting_late = replica->executed > seq;
    pbft_try_voting(replica);
}

/* A slot that is gone gives no proof any more: a checkpoint is passed only when
 * every block up to it is proved here, or f + 1 others have passed it, one of
 * them honest, so that a client finds its proof there. */
static bool may_pass(const struct pbft_replica *replica, pbft_seq seq)
{
    uint32_t passed = 0;
    if (replica->attested >= seq) {
        return true;
    }
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        passed +=
            id != replica->config.self && replica->peers[id].stable >= seq;
    }
    PBFT_ASSERT(passed < replica->n);
    return passed >= replica->weak;
}

/* Passes the checkpoint, or keeps its proof until that may be done. Of those
 * that wait the highest one wins; it must not hide a lower one that may be
 * passed, or the blocks between, which others cannot pass without us, are never
 * attested here. */
static void pass_or_wait(struct pbft_replica *replica,
                         const struct pbft_message *proof)
{
    const struct pbft_message *ahead = replica->stable_ahead;
    const pbft_seq seq = proof->stable.attestation.seq;
    PBFT_ASSERT(seq > replica->log.low);
    if (may_pass(replica, seq)) {
        adopt(replica, proof);
    } else if (ahead == NULL || ahead->stable.attestation.seq < seq) {
        pbft_keep(&replica->stable_ahead, proof);
    }
}

void pbft_adopt_waiting(struct pbft_replica *replica)
{
    const struct pbft_message *proof = replica->stable_ahead;
    if (proof == NULL || proof->stable.attestation.seq > replica->executed ||
        !may_pass(replica, proof->stable.attestation.seq)) {
        return;
    }
    replica->stable_ahead = NULL;
    if (proof->stable.attestation.seq > replica->log.low) {
        adopt(replica, proof);
    }
    pbft_message_unref(proof);
}

/* How many of the slot's attestations equal `content`. */
static uint32_t count_equal(const struct pbft_replica *replica,
                            const struct pbft_slot *slot,
                            const struct pbft_attestation *content)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        count += pbft_set_has(&slot->attestations.voters, id) &&
                 pbft_attestation_equal(&slot->attestations.items[id].content,
                                        content);
    }
    PBFT_ASSERT(count <= replica->n);
    return count;
}

static void hand_out_proof(struct pbft_replica *replica, struct pbft_slot *slot,
                           const struct pbft_attestation *own)
{
    const struct pbft_certifier certifier = pbft_own_certifier(replica);
    const struct pbft_message *proof =
        pbft_certify_attested(&certifier, slot, own, replica->weak);
    PBFT_ASSERT(proof->stable.vote_count == replica->weak);
    PBFT_ASSERT(!slot->is_attested);
    slot->is_attested = true;
    pbft_output_attested(&replica->output, slot->seq, proof);
    pbft_message_unref(proof);
    pass_attested_below(replica);
}

/* Own execution is part of every conclusion: nobody is believed before. */
static void conclude(struct pbft_replica *replica, struct pbft_slot *slot)
{
    const pbft_replica_id self = replica->config.self;
    if (slot->own_attestation == NULL || slot->seq > replica->executed) {
        return; /* Or restored, and the block itself is not there (any more). */
    }
    PBFT_ASSERT(pbft_set_has(&slot->attestations.voters, self));
    const struct pbft_attestation *own =
        &slot->attestations.items[self].content;
    if (!slot->is_attested && slot->attestations.matching >= replica->weak) {
        hand_out_proof(replica, slot, own);
    }
    if (is_checkpoint(replica, slot->seq) &&
        slot->attestations.matching >= replica->quorum) {
        const struct pbft_certifier certifier = pbft_own_certifier(replica);
        const struct pbft_message *proof =
            pbft_certify_attested(&certifier, slot, own, replica->quorum);
        pass_or_wait(replica, proof);
        pbft_message_unref(proof);
    }
    pbft_adopt_waiting(replica); /* The slot may be gone after this. */
}

void pbft_add_attestation(struct pbft_slot *slot,
                          const struct pbft_message *message)
{
    struct pbft_attested_item *item =
        &slot->attestations.items[message->sender];
    PBFT_ASSERT(!pbft_set_has(&slot->attestations.voters, message->sender));
    PBFT_ASSERT(message->attestation.seq == slot->seq);
    pbft_set_add(&slot->attestations.voters, message->sender);
    item->content = message->attestation;
    item->vote = pbft_vote_of(message);
}

void pbft_attest(struct pbft_replica *replica, struct pbft_slot *slot,
                 const struct pbft_attestation *content)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    PBFT_ASSERT(slot->seq == content->seq);
    if (pbft_is_recovering(replica)) {
        return; /* Attested when it may speak again. */
    }
    if (slot->own_attestation != NULL) {
        /* Restored: executed again after a crash. One word a seq (S12). */
        if (!pbft_attestation_equal(&slot->own_attestation->attestation,
                                    content)) {
            note_divergence(replica, content->seq);
        }
    } else {
        slot->own_attestation =
            pbft_signed(replica, pbft_attestation_create(&origin, content));
        if (is_checkpoint(replica, content->seq)) {
            pbft_log_record(replica, PBFT_RECORD_CHECKPOINT, content->seq,
                            slot->own_attestation);
        }
        pbft_add_attestation(slot, slot->own_attestation);
    }
    slot->executed_at = replica->now;
    slot->attestations.matching =
        count_equal(replica, slot, &slot->own_attestation->attestation);
    pbft_send_all(replica, slot->own_attestation);
    conclude(replica, slot);
}

void pbft_remember_executed(struct pbft_replica *replica,
                            const struct pbft_attestation *executed)
{
    PBFT_ASSERT(executed->seq > 0);
    replica->recent[executed->seq % replica->log.window] = *executed;
}

void pbft_attest_late(struct pbft_replica *replica)
{
    PBFT_ASSERT(!pbft_is_recovering(replica));
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    replica->is_attesting_late = false;
    for (pbft_seq seq = replica->log.low + 1;
         seq <= replica->executed && seq <= high; seq++) {
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        const struct pbft_attestation *content =
            &replica->recent[seq % replica->log.window];
        /* No slot: stable by now. */
        if (slot != NULL && slot->own_attestation == NULL &&
            content->seq == seq) {
            pbft_attest(replica, slot, content);
        }
    }
}

/* A block from before the restart whose proof was lost with the power: others
 * may lack it too. */
static void attest_again(struct pbft_replica *replica,
                         const struct pbft_attestation *executed)
{
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, executed->seq);
    if (slot == NULL || slot->is_attested) {
        return;
    }
    if (replica->attested >= executed->seq) {
        replica->attested = executed->seq - 1;
    }
    pbft_attest(replica, slot, executed);
}

/* What was relayed to us after the commit was new to us, and to the service
 * before it had executed it. Nobody orders it again: waiting for that would
 * depose honest primaries. */
static void forget_late(struct pbft_replica *replica,
                        const struct pbft_slot *slot, pbft_seq seq)
{
    const struct pbft_message *handed =
        pbft_sync_take_handed(&replica->sync, seq);
    const struct pbft_message *block =
        handed == NULL && slot != NULL ? slot->committed : handed;
    if (block != NULL) {
        const struct pbft_message *proposal = block->committed.pre_prepare;
        pbft_requests_remove_all(&replica->requests,
                                 &proposal->pre_prepare.body->batch,
                                 replica->now);
    }
    pbft_message_unref(handed);
}

void pbft_on_executed(struct pbft_replica *replica,
                      const struct pbft_attestation *executed)
{
    pbft_remember_executed(replica, executed);
    if (executed->seq < replica->applied.seq) {
        attest_again(replica, executed);
        return;
    }
    PBFT_ASSERT(executed->seq == replica->executed + 1);
    PBFT_ASSERT(executed->seq <= replica->committed);
    replica->executed = executed->seq;
    if (is_checkpoint(replica, executed->seq)) {
        *kept_checkpoint(replica, executed->seq) = *executed;
    }
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, executed->seq);
    forget_late(replica, slot, executed->seq);
    if (slot != NULL) {
        pbft_attest(replica, slot, executed);
    }
    /* Beyond the window it must move; who is silent gathers no proof. */
    if (is_checkpoint(replica, executed->seq) &&
        executed->seq > replica->log.low &&
        (slot == NULL || pbft_is_recovering(replica))) {
        pbft_fetch_stable(replica);
    }
    pbft_adopt_waiting(replica);
    pbft_try_voting(replica);
    pbft_continue_recovery(replica);
    PBFT_ASSERT(replica->executed <= replica->committed);
}

/* The first Q equal attestations of others, before or against our own. */
static void judge_others(struct pbft_replica *replica, struct pbft_slot *slot,
                         const struct pbft_attestation *content)
{
    if (count_equal(replica, slot, content) < replica->quorum) {
        return;
    }
    if (slot->own_attestation != NULL) {
        note_divergence(replica, slot->seq);
    }
}

enum pbft_verdict pbft_on_attestation(struct pbft_replica *replica,
                                      const struct pbft_message *message)
{
    const struct pbft_attestation *content = &message->attestation;
    pbft_note_executed(replica, message->sender, content->seq);
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, content->seq);
    if (slot == NULL) {
        return PBFT_OUTSIDE_WATERMARKS;
    }
    const struct pbft_attestations *all = &slot->attestations;
    if (pbft_set_has(&all->voters, message->sender)) {
        return pbft_attestation_equal(&all->items[message->sender].content,
                                      content)
                   ? PBFT_DUPLICATE
                   : PBFT_CONFLICTING;
    }
    pbft_add_attestation(slot, message);
    if (slot->own_attestation != NULL &&
        pbft_attestation_equal(&slot->own_attestation->attestation, content)) {
        slot->attestations.matching++;
        conclude(replica, slot);
    } else if (slot->own_attestation != NULL) {
        judge_others(replica, slot, content);
    }
    return PBFT_ACCEPTED;
}

enum pbft_verdict pbft_on_stable(struct pbft_replica *replica,
                                 const struct pbft_message *message)
{
    const pbft_seq seq = message->stable.attestation.seq;
    if (seq <= replica->log.low) {
        return PBFT_DUPLICATE;
    }
    if (!is_checkpoint(replica, seq)) {
        return PBFT_REJECTED;
    }
    if (seq <= replica->executed) {
        pbft_mark(PBFT_MARK_STABLE_BY_PROOF);
        pass_or_wait(replica, message);
        pbft_adopt_waiting(replica);
        return PBFT_ACCEPTED;
    }
    const struct pbft_message *ahead = replica->stable_ahead;
    if (ahead != NULL && seq <= ahead->stable.attestation.seq) {
        return PBFT_DUPLICATE;
    }
    pbft_note_own_votes(replica, message);
    /* Q replicas executed it: so far must we catch up (design: P9). */
    pbft_keep(&replica->stable_ahead, message);
    pbft_mark(PBFT_MARK_STABLE_WAITS);
    if (seq > replica->behind) {
        replica->behind = seq;
    }
    return PBFT_ACCEPTED;
}
