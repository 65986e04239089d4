/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica shows of itself: outputs, deadlines, reports, invariants. */
#include "consensus/replica.h"

const struct pbft_output *pbft_output(const struct pbft_replica *replica)
{
    return &replica->output.view;
}

void pbft_output_clear(struct pbft_replica *replica)
{
    pbft_output_reset(&replica->output);
}

pbft_time_ms pbft_deadline(const struct pbft_replica *replica)
{
    return pbft_timers_earliest(&replica->timers);
}

pbft_time_ms pbft_timer_deadline(const struct pbft_replica *replica,
                                 enum pbft_timer timer)
{
    return pbft_timers_deadline(&replica->timers, timer);
}

static size_t memory_of(const struct pbft_message *message)
{
    return message == NULL ? 0 : pbft_message_memory(message);
}

/* Bodies are shared by most of a slot's messages: counted once. */
static size_t slot_memory(const struct pbft_slot *slot)
{
    return memory_of(slot->body) + memory_of(slot->header) +
           memory_of(slot->own_prepare) + memory_of(slot->own_commit) +
           memory_of(slot->prepared) + memory_of(slot->own_attestation) +
           (slot->prepared_body == slot->body
                ? 0
                : memory_of(slot->prepared_body)) +
           (slot->body == NULL ? memory_of(slot->committed) : 0);
}

/* What changing views holds; a message in two places counts twice. */
static size_t view_change_memory(const struct pbft_replica *replica)
{
    const struct pbft_view_changes *changes = &replica->changes;
    size_t bytes = memory_of(changes->pending);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        bytes += memory_of(changes->collected[id]) +
                 memory_of(changes->ahead[id]) + memory_of(changes->found[id]) +
                 memory_of(changes->entered[id]);
    }
    return bytes;
}

size_t pbft_replica_buffered_bytes(const struct pbft_replica *replica)
{
    size_t bytes = replica->requests.byte_shares.total;
    for (uint32_t i = 0; i < replica->log.window; i++) {
        bytes += slot_memory(&replica->log.slots[i]);
    }
    for (uint32_t i = 0; i < PBFT_FETCH_BLOCKS_MAX; i++) {
        bytes += memory_of(replica->sync.blocks[i]);
    }
    for (uint32_t i = 0; i < PBFT_SYNC_HANDED_MAX; i++) {
        bytes += memory_of(replica->sync.handed[i]);
    }
    return bytes + view_change_memory(replica);
}

static enum pbft_condition condition_of(const struct pbft_replica *replica)
{
    if (pbft_is_recovering(replica)) {
        return PBFT_CONDITION_RECOVERING;
    }
    if (!replica->may_vote) {
        return PBFT_CONDITION_STARTING;
    }
    if (!replica->view_active) {
        return PBFT_CONDITION_VIEW_CHANGE;
    }
    return replica->sync.is_active ? PBFT_CONDITION_SYNCING
                                   : PBFT_CONDITION_NORMAL;
}

void pbft_replica_report(const struct pbft_replica *replica,
                         struct pbft_report *out)
{
    *out = (struct pbft_report){
        .condition = condition_of(replica),
        .view = replica->view,
        .view_active = replica->view_active,
        .primary = pbft_primary(replica),
        .stable = replica->log.low,
        .high = pbft_slot_log_high(&replica->log),
        .committed = replica->committed,
        .executed = replica->executed,
        .ledger_root = replica->ledger_root,
        .behind = replica->behind,
        .pending_requests = replica->requests.count,
        .pending_bytes = replica->requests.byte_shares.total,
        .syncing = replica->sync.is_active,
        .attested = replica->attested,
        .may_vote = replica->may_vote,
        .incarnation = replica->incarnations.of[replica->config.self].number,
        .recovery_seq = replica->may_vote || replica->recovery.is_active
                            ? 0
                            : pbft_bound_of(replica, replica->config.self),
        .diverged = replica->diverged,
        .accused = replica->witness.accused,
        .evidence_count = replica->witness.evidence_count,
    };
}

bool pbft_replica_slot(const struct pbft_replica *replica, pbft_seq seq,
                       struct pbft_slot_report *out)
{
    const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
    if (slot == NULL) {
        return false;
    }
    *out = (struct pbft_slot_report){
        .has_pre_prepare = slot->header != NULL,
        .has_body = pbft_slot_has_body(slot),
        .prepared = slot->is_prepared,
        .committed = slot->committed != NULL,
        .view = slot->view,
        .prepare_count = slot->prepares.matching,
        .commit_count = slot->commits.matching,
    };
    if (slot->header != NULL) {
        out->digest = slot->header->pre_prepare.digest;
    }
    return true;
}

static void check_slot(const struct pbft_replica *replica,
                       const struct pbft_slot *slot)
{
    PBFT_INVARIANT(slot->seq > replica->log.low);
    PBFT_INVARIANT(slot->seq <= pbft_slot_log_high(&replica->log));
    PBFT_INVARIANT(slot->header == NULL || slot->view == replica->view ||
                   replica->stage != PBFT_STAGE_RUNNING);
    PBFT_INVARIANT(slot->header == NULL ||
                   slot->header->pre_prepare.seq == slot->seq);
    /* OSDI'99 4.2: prepared needs the pre-prepare and the votes. */
    PBFT_INVARIANT(!slot->is_prepared || slot->header != NULL);
    PBFT_INVARIANT(!slot->is_prepared ||
                   slot->prepares.matching + 1 >= replica->quorum);
    PBFT_INVARIANT(!slot->is_prepared || slot->prepared != NULL);
    PBFT_INVARIANT(slot->own_commit == NULL || slot->is_prepared);
    PBFT_INVARIANT(slot->prepares.matching <= replica->n);
    PBFT_INVARIANT(slot->commits.matching <= replica->n);
    PBFT_INVARIANT(slot->committed == NULL ||
                   pbft_message_seq(slot->committed) == slot->seq);
    PBFT_INVARIANT(slot->own_attestation == NULL ||
                   slot->attestations.matching >= 1 ||
                   replica->stage != PBFT_STAGE_RUNNING);
}

static void check_output(const struct pbft_replica *replica)
{
    const struct pbft_output *output = &replica->output.view;
    for (size_t i = 0; i < output->send_count; i++) {
        PBFT_INVARIANT(
            !pbft_set_has(&output->sends[i].to, replica->config.self));
    }
    for (size_t i = 0; i < output->commit_count; i++) {
        PBFT_INVARIANT(output->commits[i].seq <= replica->committed);
    }
}

void pbft_replica_check_invariants(const struct pbft_replica *replica)
{
    PBFT_INVARIANT(replica->executed <= replica->committed);
    /* A crash may have lost blocks below a durable proof: then we catch up. */
    PBFT_INVARIANT(replica->log.low <= replica->executed ||
                   replica->log.low == replica->low_at_start ||
                   replica->stage != PBFT_STAGE_RUNNING);
    PBFT_INVARIANT(replica->log.low % replica->config.checkpoint_interval == 0);
    PBFT_INVARIANT(replica->quorum + pbft_faults_max(replica->n) <= replica->n);
    PBFT_INVARIANT(replica->missing_bodies <= replica->log.window);
    PBFT_INVARIANT(!pbft_is_recovering(replica) || !replica->may_vote ||
                   replica->stage != PBFT_STAGE_RUNNING);
    PBFT_INVARIANT(replica->attested <= replica->executed ||
                   replica->attested == replica->log.low);
    for (uint32_t i = 0; i < replica->log.window; i++) {
        check_slot(replica, &replica->log.slots[i]);
    }
    check_output(replica);
    pbft_requests_check_invariants(&replica->requests);
}

const char *pbft_condition_name(enum pbft_condition condition)
{
    switch (condition) {
    case PBFT_CONDITION_RECOVERING:
        return "recovering";
    case PBFT_CONDITION_STARTING:
        return "starting";
    case PBFT_CONDITION_VIEW_CHANGE:
        return "view-change";
    case PBFT_CONDITION_SYNCING:
        return "syncing";
    case PBFT_CONDITION_NORMAL:
        return "normal";
    }
    return "unknown";
}

const char *pbft_verdict_name(enum pbft_verdict verdict)
{
    static const char *const names[] = {
        [PBFT_ACCEPTED] = "accepted",
        [PBFT_DUPLICATE] = "duplicate",
        [PBFT_OLD_VIEW] = "old-view",
        [PBFT_FUTURE_VIEW] = "future-view",
        [PBFT_OUTSIDE_WATERMARKS] = "outside-watermarks",
        [PBFT_NOT_PRIMARY] = "not-primary",
        [PBFT_CONFLICTING] = "conflicting",
        [PBFT_UNEXPECTED] = "unexpected",
        [PBFT_REJECTED] = "rejected",
        [PBFT_QUEUE_FULL] = "queue-full",
        [PBFT_BUSY] = "busy",
    };
    PBFT_ASSERT((size_t)verdict < sizeof names / sizeof names[0]);
    return names[verdict];
}

const char *pbft_record_kind_name(enum pbft_record_kind kind)
{
    switch (kind) {
    case PBFT_RECORD_PRE_PREPARE:
        return "pre-prepare";
    case PBFT_RECORD_BODY:
        return "body";
    case PBFT_RECORD_PREPARE:
        return "prepare";
    case PBFT_RECORD_PREPARED:
        return "prepared";
    case PBFT_RECORD_COMMIT:
        return "commit";
    case PBFT_RECORD_CHECKPOINT:
        return "checkpoint";
    case PBFT_RECORD_VIEW_CHANGE:
        return "view-change";
    case PBFT_RECORD_NEW_VIEW:
        return "new-view";
    case PBFT_RECORD_STABLE:
        return "stable";
    case PBFT_RECORD_EVIDENCE:
        return "evidence";
    case PBFT_RECORD_RECOVERING:
        return "recovering";
    }
    return "unknown";
}

const char *pbft_timer_name(enum pbft_timer timer)
{
    switch (timer) {
    case PBFT_TIMER_REQUEST:
        return "request";
    case PBFT_TIMER_VIEW:
        return "view";
    case PBFT_TIMER_BATCH:
        return "batch";
    case PBFT_TIMER_STATUS:
        return "status";
    case PBFT_TIMER_RESEND:
        return "resend";
    case PBFT_TIMER_HEARTBEAT:
        return "heartbeat";
    case PBFT_TIMER_MONITOR:
        return "monitor";
    case PBFT_TIMER_COUNT:
        return "all";
    }
    return "unknown";
}
