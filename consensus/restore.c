/* SPDX-License-Identifier: Apache-2.0 */
/* Back from the durable records (design: P14): the executed state, the records
 * in order, then START. Nothing here is sent or logged again; what was voted
 * stands. */
#include "consensus/replica.h"

void pbft_on_applied(struct pbft_replica *replica,
                     const struct pbft_attestation *applied,
                     const struct pbft_incarnations *incarnations)
{
    PBFT_ASSERT(replica->stage == PBFT_STAGE_CREATED);
    replica->stage = PBFT_STAGE_RESTORING;
    replica->applied = *applied;
    replica->is_fresh = applied->seq == 0;
    if (incarnations != NULL) {
        replica->incarnations = *incarnations;
    }
    replica->executed = applied->seq;
    replica->committed = applied->seq;
    /* What was attested before cannot be handed out again. */
    replica->attested = applied->seq > 0 ? applied->seq - 1 : 0;
}

/* The slot of a record. The proof that moved the window there may have been
 * dropped from the log, or come later in it: the record itself says where the
 * window was. NULL: at or below a stable checkpoint. */
static struct pbft_slot *slot_for(struct pbft_replica *replica, pbft_seq seq)
{
    struct pbft_slot_log *log = &replica->log;
    const pbft_seq interval = replica->config.checkpoint_interval;
    if (seq > pbft_slot_log_high(log)) {
        pbft_seq low = seq - log->window;
        low += (interval - low % interval) % interval;
        pbft_slot_log_advance(log, low);
        PBFT_ASSERT(pbft_slot_log_has(log, seq));
    }
    return pbft_slot_log_at(log, seq);
}

static enum pbft_verdict restore_header(struct pbft_replica *replica,
                                        struct pbft_slot *slot,
                                        const struct pbft_message *header)
{
    const struct pbft_pre_prepare *fields = &header->pre_prepare;
    if (fields->body != NULL || fields->seq != slot->seq ||
        (slot->header != NULL && fields->view <= slot->view)) {
        return PBFT_REJECTED;
    }
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RESTORING);
    pbft_slot_begin_view(slot, fields->view);
    PBFT_ASSERT(slot->own_prepare == NULL && slot->own_commit == NULL);
    pbft_slot_set_header(slot, replica->n, header);
    slot->is_logged = true;
    const struct pbft_message *body =
        pbft_slot_find_body(slot, &fields->digest);
    if (body != NULL) {
        pbft_slot_set_body(slot, body);
    }
    if (fields->view > replica->view) {
        replica->view = fields->view; /* Its new-view comes later in the log. */
    }
    return PBFT_ACCEPTED;
}

static bool is_of_header(const struct pbft_slot *slot,
                         const struct pbft_prepare *fields)
{
    return slot->header != NULL && slot->view == fields->view &&
           pbft_digest_equal(&slot->header->pre_prepare.digest,
                             &fields->digest);
}

static enum pbft_verdict restore_vote(struct pbft_replica *replica,
                                      struct pbft_slot *slot,
                                      enum pbft_phase phase,
                                      const struct pbft_message *message)
{
    const struct pbft_prepare *fields =
        phase == PBFT_PHASE_PREPARE ? &message->prepare : &message->commit;
    const struct pbft_message **own =
        phase == PBFT_PHASE_PREPARE ? &slot->own_prepare : &slot->own_commit;
    if (message->sender != replica->config.self || *own != NULL) {
        return PBFT_REJECTED;
    }
    if (!is_of_header(slot, fields)) {
        /* Its pre-prepare was dropped from the log, so a stable proof at or
         * above it must follow. Else a record is missing (START looks). */
        if (slot->seq > replica->orphan_seq) {
            replica->orphan_seq = slot->seq;
        }
        return PBFT_ACCEPTED;
    }
    const struct pbft_vote vote = pbft_vote_of(message);
    PBFT_ASSERT(vote.replica == replica->config.self);
    PBFT_ASSERT(slot->seq == fields->seq);
    if (!pbft_set_has(&pbft_slot_ballots(slot, phase)->voters,
                      message->sender)) {
        pbft_slot_add_vote(slot, phase, &fields->digest, &vote);
    }
    pbft_keep(own, message);
    return PBFT_ACCEPTED;
}

/* Its prepares are votes that we have seen: they need not come again. */
static void restore_prepares(struct pbft_slot *slot,
                             const struct pbft_prepared *certificate)
{
    const struct pbft_digest *digest =
        &certificate->pre_prepare->pre_prepare.digest;
    for (uint32_t i = 0; i < certificate->vote_count; i++) {
        const struct pbft_vote *vote = &certificate->votes[i];
        if (!pbft_set_has(&slot->prepares.voters, vote->replica)) {
            pbft_slot_add_vote(slot, PBFT_PHASE_PREPARE, digest, vote);
        }
    }
}

static enum pbft_verdict restore_prepared(struct pbft_slot *slot,
                                          const struct pbft_message *message)
{
    const struct pbft_pre_prepare *header =
        &message->prepared.pre_prepare->pre_prepare;
    if (slot->prepared != NULL &&
        pbft_message_view(slot->prepared) >= header->view) {
        return PBFT_REJECTED;
    }
    pbft_keep(&slot->prepared_body, pbft_slot_find_body(slot, &header->digest));
    pbft_keep(&slot->prepared, message);
    const struct pbft_prepare fields = {header->view, header->seq,
                                        header->digest};
    if (is_of_header(slot, &fields)) {
        restore_prepares(slot, &message->prepared);
        slot->is_prepared = true;
    }
    return PBFT_ACCEPTED;
}

static enum pbft_verdict restore_checkpoint(struct pbft_replica *replica,
                                            struct pbft_slot *slot,
                                            const struct pbft_message *message)
{
    if (message->sender != replica->config.self ||
        slot->own_attestation != NULL ||
        message->attestation.seq != slot->seq) {
        return PBFT_REJECTED;
    }
    pbft_keep(&slot->own_attestation, message);
    pbft_add_attestation(slot, message);
    slot->attestations.matching = 1;
    return PBFT_ACCEPTED;
}

static enum pbft_verdict restore_stable(struct pbft_replica *replica,
                                        const struct pbft_message *message)
{
    const pbft_seq seq = message->stable.attestation.seq;
    if (seq < replica->log.low) {
        return PBFT_ACCEPTED; /* A later one is known already. */
    }
    if (seq > replica->log.low) {
        pbft_slot_log_advance(&replica->log, seq);
    }
    pbft_keep(&replica->stable, message);
    return PBFT_ACCEPTED;
}

static enum pbft_verdict restore_slot(struct pbft_replica *replica,
                                      const struct pbft_record *record)
{
    struct pbft_slot *slot = slot_for(replica, record->seq);
    if (slot == NULL) {
        return PBFT_ACCEPTED; /* Stable already: it binds no more. */
    }
    switch (record->kind) {
    case PBFT_RECORD_BODY:
        pbft_slot_keep_body(slot, record->message);
        return PBFT_ACCEPTED;
    case PBFT_RECORD_PRE_PREPARE:
        return restore_header(replica, slot, record->message);
    case PBFT_RECORD_PREPARE:
        return restore_vote(replica, slot, PBFT_PHASE_PREPARE, record->message);
    case PBFT_RECORD_COMMIT:
        return restore_vote(replica, slot, PBFT_PHASE_COMMIT, record->message);
    case PBFT_RECORD_PREPARED:
        return restore_prepared(slot, record->message);
    case PBFT_RECORD_CHECKPOINT:
        return restore_checkpoint(replica, slot, record->message);
    case PBFT_RECORD_STABLE:
    case PBFT_RECORD_VIEW_CHANGE:
    case PBFT_RECORD_NEW_VIEW:
    case PBFT_RECORD_EVIDENCE:
    case PBFT_RECORD_RECOVERING:
        break;
    }
    return PBFT_REJECTED;
}

/* The message that a kind of record holds. */
static enum pbft_message_type type_of(enum pbft_record_kind kind)
{
    switch (kind) {
    case PBFT_RECORD_PRE_PREPARE:
        return PBFT_MESSAGE_PRE_PREPARE;
    case PBFT_RECORD_BODY:
        return PBFT_MESSAGE_BATCH;
    case PBFT_RECORD_PREPARE:
        return PBFT_MESSAGE_PREPARE;
    case PBFT_RECORD_PREPARED:
        return PBFT_MESSAGE_PREPARED;
    case PBFT_RECORD_COMMIT:
        return PBFT_MESSAGE_COMMIT;
    case PBFT_RECORD_CHECKPOINT:
        return PBFT_MESSAGE_ATTESTATION;
    case PBFT_RECORD_VIEW_CHANGE:
        return PBFT_MESSAGE_VIEW_CHANGE;
    case PBFT_RECORD_NEW_VIEW:
        return PBFT_MESSAGE_NEW_VIEW;
    case PBFT_RECORD_STABLE:
        return PBFT_MESSAGE_STABLE;
    case PBFT_RECORD_EVIDENCE:
        return PBFT_MESSAGE_EVIDENCE;
    case PBFT_RECORD_RECOVERING:
        return PBFT_MESSAGE_REQUEST;
    }
    return PBFT_MESSAGE_STATUS; /* No record has this type. */
}

enum pbft_verdict pbft_on_restore(struct pbft_replica *replica,
                                  const struct pbft_record *record)
{
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RESTORING);
    if (record->message->type != type_of(record->kind)) {
        return PBFT_REJECTED;
    }
    replica->is_fresh = false;
    pbft_mark(PBFT_MARK_RECORD_RESTORED);
    switch (record->kind) {
    case PBFT_RECORD_STABLE:
        return restore_stable(replica, record->message);
    case PBFT_RECORD_VIEW_CHANGE:
    case PBFT_RECORD_NEW_VIEW:
        return pbft_restore_view(replica, record);
    case PBFT_RECORD_EVIDENCE:
        return pbft_restore_evidence(replica, record->message);
    case PBFT_RECORD_RECOVERING:
        return pbft_restore_recovering(replica, record->message);
    case PBFT_RECORD_PRE_PREPARE:
    case PBFT_RECORD_BODY:
    case PBFT_RECORD_PREPARE:
    case PBFT_RECORD_PREPARED:
    case PBFT_RECORD_COMMIT:
    case PBFT_RECORD_CHECKPOINT:
        break;
    }
    if (record->seq == 0) {
        return PBFT_REJECTED;
    }
    const enum pbft_verdict verdict = restore_slot(replica, record);
    pbft_witness_message(replica, record->message);
    return verdict;
}

/* What the slots of the current view come to. */
static void count_slots(struct pbft_replica *replica)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    replica->missing_bodies = 0;
    replica->highest_seq = 0;
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot->header != NULL && slot->view < replica->view) {
            pbft_slot_begin_view(slot, replica->view);
        }
        if (slot->header != NULL) {
            PBFT_ASSERT(slot->view == replica->view);
            replica->highest_seq = seq;
            replica->missing_bodies += !pbft_slot_has_body(slot);
        }
    }
}

/* The window was moved by a proof, and no vote hangs in the air. */
static bool is_log_complete(const struct pbft_replica *replica)
{
    if (replica->orphan_seq > replica->log.low) {
        return false;
    }
    return pbft_message_seq(replica->stable) == replica->log.low;
}

void pbft_on_start(struct pbft_replica *replica, bool is_log_lost)
{
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RESTORING);
    replica->stage = PBFT_STAGE_RUNNING;
    pbft_start_view(replica);
    count_slots(replica);
    if (replica->attested < replica->log.low) {
        replica->attested = replica->log.low;
    }
    PBFT_ASSERT(replica->executed == replica->committed);
    PBFT_ASSERT(replica->highest_seq == 0 ||
                pbft_slot_log_has(&replica->log, replica->highest_seq));
    replica->low_at_start = replica->log.low;
    pbft_accept_reproposed(replica);
    replica->next_seq = replica->highest_seq + 1;
    if (replica->next_seq < pbft_next_after_new_view(replica)) {
        replica->next_seq = pbft_next_after_new_view(replica);
    }
    replica->body_peer = pbft_is_primary(replica)
                             ? (replica->config.self + 1) % replica->n
                             : pbft_primary(replica);
    pbft_start_recovery(replica, is_log_lost || !is_log_complete(replica));
    replica->may_vote = replica->n == 1 && !pbft_is_recovering(replica);
    struct pbft_slot *slot =
        pbft_slot_log_at(&replica->log, replica->applied.seq);
    if (replica->applied.seq > 0) {
        pbft_remember_executed(replica, &replica->applied);
    }
    if (slot != NULL) {
        pbft_attest(replica, slot, &replica->applied);
    }
    pbft_arm_periodic(replica);
    /* A STATUS from before this start answers nothing (design: P14): the clock
     * gives each start another number. */
    replica->question = replica->wall > 0 ? replica->wall : 1;
    if (replica->n > 1) {
        pbft_send_question(replica);
    }
    pbft_advance_all(replica);
    pbft_deliver(replica);
}
