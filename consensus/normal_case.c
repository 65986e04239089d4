/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-prepare, prepare, commit (OSDI'99 4.2), with signed votes (design: P2).
 *
 * pbft_advance_slot() is the one place where votes are cast. It may be called
 * at any time and does what is due: so votes that come before the pre-prepare,
 * bodies that come after it, and a restart all take the same road.
 */
#include "consensus/config.h"
#include "consensus/replica.h"

static struct pbft_prepare vote_fields(const struct pbft_slot *slot)
{
    const struct pbft_pre_prepare *header = &slot->header->pre_prepare;
    return (struct pbft_prepare){header->view, header->seq, header->digest};
}

/* Logs the own vote, counts it at once, sends it to all. The record comes
 * before the send in the output: that is what makes a crash safe. */
static const struct pbft_message *cast_vote(struct pbft_replica *replica,
                                            struct pbft_slot *slot,
                                            enum pbft_phase phase)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    const struct pbft_prepare fields = vote_fields(slot);
    const bool is_prepare = phase == PBFT_PHASE_PREPARE;
    const struct pbft_message *vote =
        pbft_signed(replica, pbft_vote_create(is_prepare ? PBFT_MESSAGE_PREPARE
                                                         : PBFT_MESSAGE_COMMIT,
                                              &origin, &fields));
    const struct pbft_vote ballot = pbft_vote_of(vote);
    PBFT_ASSERT(replica->may_vote && replica->view_active);
    PBFT_ASSERT(fields.view == replica->view);
    PBFT_ASSERT(pbft_slot_log_has(&replica->log, fields.seq));
    pbft_log_record(replica,
                    is_prepare ? PBFT_RECORD_PREPARE : PBFT_RECORD_COMMIT,
                    slot->seq, vote);
    pbft_slot_add_vote(slot, phase, &fields.digest, &ballot);
    pbft_send_all(replica, vote);
    return vote;
}

/* A pre-prepare is durable before anything says that it was accepted. */
static void log_proposal(struct pbft_replica *replica, struct pbft_slot *slot)
{
    PBFT_ASSERT(pbft_slot_has_body(slot));
    if (!slot->is_logged) {
        pbft_log_record(replica, PBFT_RECORD_BODY, slot->seq, slot->body);
        pbft_log_record(replica, PBFT_RECORD_PRE_PREPARE, slot->seq,
                        slot->header);
        slot->is_logged = true;
    }
}

/* OSDI'99 4.2: prepared(m, v, n, i) is the pre-prepare and 2f prepares from
 * different backups that match it; here Q - 1 (design: P1). */
static void conclude_prepared(struct pbft_replica *replica,
                              struct pbft_slot *slot)
{
    const struct pbft_certifier certifier = pbft_own_certifier(replica);
    const struct pbft_message *certificate =
        pbft_certify_prepared(&certifier, slot, replica->quorum - 1);
    PBFT_ASSERT(slot->prepared == NULL ||
                pbft_message_view(slot->prepared) < slot->view);
    pbft_keep(&slot->prepared, certificate);
    pbft_keep(&slot->prepared_body, slot->body);
    pbft_message_unref(certificate);
    slot->is_prepared = true;
    pbft_log_record(replica, PBFT_RECORD_PREPARED, slot->seq, slot->prepared);
}

/* OSDI'99 4.2: committed-local is prepared and 2f + 1 commits, own included;
 * here Q. */
static void conclude_committed(struct pbft_replica *replica,
                               struct pbft_slot *slot)
{
    const struct pbft_certifier certifier = pbft_own_certifier(replica);
    const struct pbft_message *certificate =
        pbft_certify_committed(&certifier, slot, replica->quorum);
    PBFT_ASSERT(slot->committed == NULL);
    slot->committed = certificate;
    pbft_monitor_committed(replica, slot);
    if (slot->seq == replica->committed + 1) {
        pbft_deliver(replica);
    }
}

void pbft_advance_slot(struct pbft_replica *replica, struct pbft_slot *slot)
{
    if (replica->stage != PBFT_STAGE_RUNNING || !replica->view_active ||
        slot->header == NULL || !pbft_slot_has_body(slot)) {
        return;
    }
    PBFT_ASSERT(slot->view == replica->view);
    const bool is_primary = pbft_is_primary(replica);
    log_proposal(replica, slot);
    if (replica->may_vote && !is_primary && slot->own_prepare == NULL) {
        slot->own_prepare = cast_vote(replica, slot, PBFT_PHASE_PREPARE);
    }
    if (!slot->is_prepared && slot->prepares.matching + 1 >= replica->quorum) {
        conclude_prepared(replica, slot);
    }
    if (replica->may_vote && slot->is_prepared && slot->own_commit == NULL) {
        slot->own_commit = cast_vote(replica, slot, PBFT_PHASE_COMMIT);
    }
    if (slot->is_prepared && slot->committed == NULL &&
        slot->commits.matching >= replica->quorum) {
        conclude_committed(replica, slot);
    }
}

void pbft_advance_all(struct pbft_replica *replica)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        pbft_advance_slot(replica, pbft_slot_log_at(&replica->log, seq));
    }
    PBFT_ASSERT(high == pbft_slot_log_high(&replica->log));
}

void pbft_deliver_block(struct pbft_replica *replica,
                        const struct pbft_message *committed)
{
    const struct pbft_message *pre_prepare = committed->committed.pre_prepare;
    const struct pbft_message *body = pre_prepare->pre_prepare.body;
    PBFT_ASSERT(committed->type == PBFT_MESSAGE_COMMITTED);
    PBFT_ASSERT(pre_prepare->pre_prepare.seq == replica->committed + 1);
    PBFT_ASSERT(body != NULL);
    replica->committed++;
    replica->progress_at = replica->now;
    pbft_output_commit(&replica->output, replica->committed, committed);
    if (body->batch.request_count > 0 && replica->view_active) {
        pbft_note_progress(replica);
    }
    pbft_requests_remove_all(&replica->requests, &body->batch, replica->now);
}

void pbft_deliver(struct pbft_replica *replica)
{
    for (;;) {
        const struct pbft_slot *slot =
            pbft_slot_log_at(&replica->log, replica->committed + 1);
        if (slot == NULL || slot->committed == NULL) {
            return;
        }
        pbft_deliver_block(replica, slot->committed);
    }
}

/* What only the state and the clock can tell of a batch (design: P12, P17).
 * The order of times is not judged here. */
static bool is_acceptable(const struct pbft_replica *replica,
                          const struct pbft_slot *slot,
                          const struct pbft_batch *batch)
{
    if (!pbft_config_allows_batch(&replica->config, batch->request_count,
                                  batch->bytes)) {
        return false;
    }
    if (slot->is_reproposed || batch->time == 0) {
        return true;
    }
    const pbft_wall_us distance = batch->time > replica->wall
                                      ? batch->time - replica->wall
                                      : replica->wall - batch->time;
    return distance <= replica->config.time_bound_us;
}

static void take_body(struct pbft_replica *replica, struct pbft_slot *slot,
                      const struct pbft_message *body)
{
    pbft_slot_set_body(slot, body);
    pbft_monitor_proposed(replica, &body->batch);
    for (uint32_t i = 0; i < body->batch.request_count; i++) {
        pbft_requests_take(&replica->requests,
                           &body->batch.requests[i]->request.digest);
    }
}

static const struct pbft_message *header_of(const struct pbft_message *message)
{
    if (message->pre_prepare.body == NULL) {
        return pbft_message_ref(message);
    }
    const struct pbft_message *header =
        pbft_pre_prepare_with_body(message, NULL);
    PBFT_ASSERT(header != NULL); /* Out of memory: stop. */
    return header;
}

/* The batch of a header that came without: known from an earlier view, or the
 * null batch that fills gaps (OSDI'99 4.4). */
static const struct pbft_message *find_body(const struct pbft_replica *replica,
                                            const struct pbft_slot *slot)
{
    const struct pbft_digest *digest = &slot->header->pre_prepare.digest;
    const struct pbft_message *body = pbft_slot_find_body(slot, digest);
    if (body == NULL &&
        pbft_digest_equal(digest, &replica->null_batch->batch.digest)) {
        body = replica->null_batch;
    }
    return body;
}

void pbft_accept(struct pbft_replica *replica, struct pbft_slot *slot,
                 const struct pbft_message *message)
{
    const struct pbft_message *body = message->pre_prepare.body;
    const struct pbft_message *header = header_of(message);
    PBFT_ASSERT(message->pre_prepare.view == replica->view);
    pbft_slot_set_header(slot, replica->n, header);
    pbft_message_unref(header);
    slot->accepted_at = replica->now;
    if (slot->seq > replica->highest_seq) {
        replica->highest_seq = slot->seq;
    }
    if (body == NULL) {
        body = find_body(replica, slot);
    } else {
        pbft_keep(&slot->proposal, message);
    }
    if (body != NULL) {
        take_body(replica, slot, body);
    } else {
        replica->missing_bodies++;
    }
}

/* The header is there, its batch was not: here it comes. */
static enum pbft_verdict complete(struct pbft_replica *replica,
                                  struct pbft_slot *slot,
                                  const struct pbft_message *body)
{
    if (!is_acceptable(replica, slot, &body->batch)) {
        return PBFT_REJECTED;
    }
    PBFT_ASSERT(replica->missing_bodies > 0);
    replica->missing_bodies--;
    take_body(replica, slot, body);
    pbft_advance_slot(replica, slot);
    return PBFT_ACCEPTED;
}

/* A slot that has a header: nothing but its missing batch is news. */
static enum pbft_verdict repeat(struct pbft_replica *replica,
                                struct pbft_slot *slot,
                                const struct pbft_message *message)
{
    const struct pbft_pre_prepare *fields = &message->pre_prepare;
    if (!pbft_digest_equal(&fields->digest,
                           &slot->header->pre_prepare.digest)) {
        pbft_mark(PBFT_MARK_SECOND_PRE_PREPARE);
        return PBFT_CONFLICTING; /* OSDI'99 4.2: the first one stands. */
    }
    if (fields->body == NULL || pbft_slot_has_body(slot)) {
        return PBFT_DUPLICATE;
    }
    return complete(replica, slot, fields->body);
}

static enum pbft_verdict check_view(const struct pbft_replica *replica,
                                    pbft_view view)
{
    if (view < replica->view) {
        return PBFT_OLD_VIEW;
    }
    return view > replica->view ? PBFT_FUTURE_VIEW : PBFT_ACCEPTED;
}

/* What its sender may forget, also when the slot has forgotten it. */
static void keep_last_vote(struct pbft_replica *replica,
                           const struct pbft_message *vote)
{
    const struct pbft_message **last = &replica->peers[vote->sender].last_vote;
    if (*last == NULL || pbft_message_view(*last) < pbft_message_view(vote) ||
        pbft_message_seq(*last) <= pbft_message_seq(vote)) {
        pbft_keep(last, vote);
    }
}

enum pbft_verdict pbft_on_pre_prepare(struct pbft_replica *replica,
                                      const struct pbft_message *message)
{
    const struct pbft_pre_prepare *fields = &message->pre_prepare;
    enum pbft_verdict verdict = check_view(replica, fields->view);
    if (verdict != PBFT_ACCEPTED) {
        return verdict;
    }
    if (message->sender != pbft_primary(replica)) {
        return PBFT_NOT_PRIMARY;
    }
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, fields->seq);
    if (slot == NULL || pbft_is_decided(replica, fields->seq)) {
        return PBFT_OUTSIDE_WATERMARKS;
    }
    if (!pbft_counts_at(replica, message, fields->seq)) {
        return PBFT_REJECTED; /* Of another incarnation. */
    }
    if (!replica->view_active) {
        return PBFT_UNEXPECTED;
    }
    if (slot->header != NULL) {
        return repeat(replica, slot, message);
    }
    const struct pbft_message *block = slot->committed;
    if (block != NULL &&
        !pbft_digest_equal(&block->committed.pre_prepare->pre_prepare.digest,
                           &fields->digest)) {
        return PBFT_REJECTED; /* Another batch has this place already. */
    }
    if (fields->body != NULL &&
        !is_acceptable(replica, slot, &fields->body->batch)) {
        return PBFT_REJECTED;
    }
    pbft_accept(replica, slot, message);
    keep_last_vote(replica, slot->header);
    if (!pbft_slot_has_body(slot)) {
        replica->body_peer = message->sender;
        pbft_fetch_body(replica, slot);
    }
    pbft_advance_slot(replica, slot);
    return PBFT_ACCEPTED;
}

void pbft_forget_bodies_below(struct pbft_replica *replica, pbft_seq seq)
{
    PBFT_ASSERT(seq > replica->log.low);
    for (pbft_seq at = replica->log.low + 1;
         replica->missing_bodies > 0 && at <= seq; at++) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, at);
        if (slot == NULL) {
            return; /* The checkpoint lies beyond the window. */
        }
        if (slot->header != NULL && !pbft_slot_has_body(slot)) {
            replica->missing_bodies--;
        }
    }
}

enum pbft_verdict pbft_on_batch(struct pbft_replica *replica,
                                const struct pbft_message *message)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    enum pbft_verdict verdict = PBFT_UNEXPECTED;
    pbft_seq seq = replica->log.low + 1;
    /* The same null or repeated batch may fill several slots. */
    for (; replica->missing_bodies > 0 && seq <= high; seq++) {
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot->header != NULL && !pbft_slot_has_body(slot) &&
            pbft_digest_equal(&slot->header->pre_prepare.digest,
                              &message->batch.digest)) {
            pbft_mark(PBFT_MARK_BODY_AFTER_HEADER);
            verdict = complete(replica, slot, message);
        }
    }
    return verdict;
}

enum pbft_verdict pbft_on_vote(struct pbft_replica *replica,
                               enum pbft_phase phase,
                               const struct pbft_message *message)
{
    const struct pbft_prepare *fields =
        phase == PBFT_PHASE_PREPARE ? &message->prepare : &message->commit;
    enum pbft_verdict verdict = check_view(replica, fields->view);
    if (verdict != PBFT_ACCEPTED) {
        return verdict;
    }
    if (phase == PBFT_PHASE_PREPARE &&
        message->sender == pbft_primary(replica)) {
        return PBFT_REJECTED; /* Its pre-prepare is its vote (design: P2). */
    }
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, fields->seq);
    if (slot == NULL || pbft_is_decided(replica, fields->seq)) {
        return PBFT_OUTSIDE_WATERMARKS;
    }
    if (!pbft_counts_at(replica, message, fields->seq)) {
        return PBFT_REJECTED; /* Of another incarnation of the signer. */
    }
    const struct pbft_ballots *ballots = pbft_slot_ballots(slot, phase);
    if (pbft_set_has(&ballots->voters, message->sender)) {
        if (pbft_digest_equal(&ballots->items[message->sender].digest,
                              &fields->digest)) {
            return PBFT_DUPLICATE;
        }
        pbft_mark(PBFT_MARK_CONFLICTING_VOTE);
        return PBFT_CONFLICTING;
    }
    const struct pbft_vote vote = pbft_vote_of(message);
    pbft_slot_add_vote(slot, phase, &fields->digest, &vote);
    keep_last_vote(replica, message);
    pbft_advance_slot(replica, slot);
    return PBFT_ACCEPTED;
}
