/* SPDX-License-Identifier: Apache-2.0 */
/* The replica: creation, dispatch of events, getters. The protocol is in the
 * files named after its parts. */
#include "consensus/replica.h"

#include <stdlib.h>

#include "consensus/config.h"
#include "consensus/preimage.h"

bool pbft_is_primary(const struct pbft_replica *replica)
{
    return pbft_primary(replica) == replica->config.self;
}

pbft_replica_id pbft_primary(const struct pbft_replica *replica)
{
    return pbft_primary_of(replica->view, replica->n);
}

struct pbft_origin pbft_own_origin(const struct pbft_replica *replica)
{
    const pbft_replica_id self = replica->config.self;
    return (struct pbft_origin){
        .sender = self,
        .incarnation = replica->incarnations.of[self].number,
        .epoch = replica->keyring->epoch,
    };
}

struct pbft_certifier pbft_own_certifier(const struct pbft_replica *replica)
{
    return (struct pbft_certifier){.self = replica->config.self,
                                   .epoch = replica->keyring->epoch,
                                   .replica_count = replica->n};
}

const struct pbft_message *pbft_signed(const struct pbft_replica *replica,
                                       struct pbft_message *message)
{
    PBFT_ASSERT(message != NULL); /* Out of memory: stop. */
    PBFT_ASSERT(message->sender == replica->config.self);
    pbft_message_sign(replica->domain, message);
    return message;
}

struct pbft_vote pbft_vote_of(const struct pbft_message *message)
{
    return (struct pbft_vote){.replica = message->sender,
                              .incarnation = message->incarnation,
                              .signature = message->signature};
}

void pbft_log_record(struct pbft_replica *replica, enum pbft_record_kind kind,
                     pbft_seq seq, const struct pbft_message *message)
{
    const struct pbft_record record = {.kind = kind,
                                       .view = pbft_message_view(message),
                                       .seq = seq,
                                       .message = message};
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RUNNING);
    pbft_output_record(&replica->output, &record);
}

void pbft_send_to(struct pbft_replica *replica, pbft_replica_id to,
                  const struct pbft_message *message)
{
    const struct pbft_replica_set one = pbft_set_one(to);
    PBFT_ASSERT(to < replica->n);
    PBFT_ASSERT(to != replica->config.self);
    pbft_output_send(&replica->output, &one, message);
}

void pbft_send_all(struct pbft_replica *replica,
                   const struct pbft_message *message)
{
    PBFT_ASSERT(!pbft_set_has(&replica->others, replica->config.self));
    pbft_output_send(&replica->output, &replica->others, message);
}

static bool allocate(struct pbft_replica *replica)
{
    const struct pbft_config *config = &replica->config;
    /* At seq 0 the genesis state is stable without proof. */
    const struct pbft_attestation genesis = {0};
    replica->batch = calloc(config->batch_requests_max, sizeof *replica->batch);
    replica->changes.choice =
        calloc(config->window, sizeof *replica->changes.choice);
    replica->recent = calloc(config->window, sizeof *replica->recent);
    replica->verified = pbft_verified_create();
    replica->null_batch = pbft_batch_create(replica->domain, 0, NULL, 0);
    replica->stable = pbft_stable_create(config->self, replica->keyring->epoch,
                                         &genesis, NULL, 0);
    return replica->batch != NULL && replica->changes.choice != NULL &&
           replica->recent != NULL && replica->null_batch != NULL &&
           replica->stable != NULL && replica->verified != NULL &&
           pbft_slot_log_init(&replica->log, config->window, replica->n) &&
           pbft_witness_init(&replica->witness, config->window, replica->n) &&
           pbft_output_init(&replica->output, config->window) &&
           pbft_requests_init(&replica->requests, config->pending_requests_max,
                              config->pending_institution_max,
                              config->pending_bytes_max,
                              config->request_timeout_ms);
}

struct pbft_replica *pbft_replica_create(const struct pbft_config *config,
                                         const struct pbft_domain *domain,
                                         const struct pbft_keyring *keyring,
                                         const char **reason)
{
    const char *broken = pbft_config_check(config, keyring);
    struct pbft_replica *replica = NULL;
    if (broken == NULL) {
        replica = calloc(1, sizeof *replica);
        broken = "out of memory";
    }
    if (replica != NULL) {
        replica->config = *config;
        replica->domain = domain;
        replica->keyring = keyring;
        replica->n = keyring->replica_count;
        replica->quorum = pbft_quorum(replica->n);
        replica->weak = pbft_weak_quorum(replica->n);
        replica->others = pbft_set_others(replica->n, config->self);
        replica->next_seq = 1;
        pbft_timers_init(&replica->timers);
        if (allocate(replica)) {
            pbft_requests_reserve(&replica->requests, replica->n);
        } else {
            pbft_replica_destroy(replica);
            replica = NULL;
        }
    }
    if (reason != NULL) {
        *reason = replica == NULL ? broken : NULL;
    }
    return replica;
}

void pbft_replica_destroy(struct pbft_replica *replica)
{
    if (replica == NULL) {
        return;
    }
    pbft_view_changes_deinit(replica);
    pbft_keep(&replica->null_batch, NULL);
    pbft_keep(&replica->stable, NULL);
    pbft_keep(&replica->stable_ahead, NULL);
    pbft_keep(&replica->own_view_change, NULL);
    pbft_keep(&replica->new_view, NULL);
    pbft_keep(&replica->recovery.mark, NULL);
    for (pbft_replica_id id = 0; id < PBFT_REPLICAS_MAX; id++) {
        pbft_keep(&replica->peers[id].last_vote, NULL);
        pbft_keep(&replica->peers[id].last_view_change, NULL);
    }
    pbft_sync_deinit(&replica->sync);
    pbft_slot_log_deinit(&replica->log);
    pbft_witness_deinit(&replica->witness);
    pbft_requests_deinit(&replica->requests);
    pbft_verified_destroy(replica->verified);
    pbft_output_deinit(&replica->output);
    free(replica->changes.choice);
    free(replica->recent);
    free(replica->batch);
    free(replica);
}

static enum pbft_verdict on_receive(struct pbft_replica *replica,
                                    const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_REQUEST) {
        return pbft_on_request(replica, message);
    }
    if (message->sender == replica->config.self) {
        return message->type == PBFT_MESSAGE_BATCH
                   ? pbft_on_batch(replica, message) /* Read back. */
                   : pbft_on_own_message(replica, message);
    }
    pbft_witness_message(replica, message);
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
        return pbft_on_pre_prepare(replica, message);
    case PBFT_MESSAGE_PREPARE:
        return pbft_on_vote(replica, PBFT_PHASE_PREPARE, message);
    case PBFT_MESSAGE_COMMIT:
        return pbft_on_vote(replica, PBFT_PHASE_COMMIT, message);
    case PBFT_MESSAGE_ATTESTATION:
        return pbft_on_attestation(replica, message);
    case PBFT_MESSAGE_STATUS:
        return pbft_on_status(replica, message);
    case PBFT_MESSAGE_FETCH:
        return pbft_on_fetch(replica, message);
    case PBFT_MESSAGE_BATCH:
        return pbft_on_batch(replica, message);
    case PBFT_MESSAGE_COMMITTED:
        return pbft_on_committed(replica, message);
    case PBFT_MESSAGE_STABLE:
        return pbft_on_stable(replica, message);
    case PBFT_MESSAGE_VIEW_CHANGE:
        return pbft_on_view_change(replica, message);
    case PBFT_MESSAGE_NEW_VIEW:
        return pbft_on_new_view(replica, message);
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_EVIDENCE:
        break; /* Records, not messages. */
    }
    return PBFT_UNEXPECTED;
}

static void on_periodic_status(struct pbft_replica *replica)
{
    /* Progress of others hides no request of ours (P7). */
    pbft_relay_stale(replica, replica->config.request_timeout_ms / 2);
    if (replica->config.monitor_interval_ms > 0) {
        pbft_relay_samples(replica);
    }
    pbft_ask_claimant(replica);
    pbft_send_question(replica);
    pbft_timers_arm(&replica->timers, PBFT_TIMER_STATUS, replica->now,
                    replica->config.status_interval_ms);
}

/* A signed STATUS says that the primary lives, unless its pre-prepares do. */
static void on_heartbeat(struct pbft_replica *replica)
{
    if (pbft_is_primary(replica) && replica->view_active &&
        !replica->has_spoken) {
        pbft_send_status(replica, &replica->others);
    }
    replica->has_spoken = false;
    pbft_timers_arm(&replica->timers, PBFT_TIMER_HEARTBEAT, replica->now,
                    replica->config.heartbeat_interval_ms);
}

void pbft_arm_periodic(struct pbft_replica *replica)
{
    if (replica->n == 1) {
        return; /* Nobody to tell. */
    }
    pbft_timers_arm(&replica->timers, PBFT_TIMER_STATUS, replica->now,
                    replica->config.status_interval_ms);
    if (replica->config.heartbeat_interval_ms > 0) {
        pbft_timers_arm(&replica->timers, PBFT_TIMER_HEARTBEAT, replica->now,
                        replica->config.heartbeat_interval_ms);
    }
    if (replica->config.monitor_interval_ms > 0) {
        pbft_timers_arm(&replica->timers, PBFT_TIMER_MONITOR, replica->now,
                        replica->config.monitor_interval_ms);
    }
}

static void on_timer(struct pbft_replica *replica, enum pbft_timer timer,
                     bool is_forced)
{
    pbft_timers_disarm(&replica->timers, timer);
    if (replica->n == 1 && timer != PBFT_TIMER_BATCH) {
        return;
    }
    switch (timer) {
    case PBFT_TIMER_BATCH:
        replica->batch_is_due = true; /* Proposed at the end of the step. */
        return;
    case PBFT_TIMER_STATUS:
        on_periodic_status(replica);
        return;
    case PBFT_TIMER_RESEND:
        pbft_on_stall(replica);
        return;
    case PBFT_TIMER_HEARTBEAT:
        on_heartbeat(replica);
        return;
    case PBFT_TIMER_REQUEST:
        (void)pbft_on_request_timeout(replica, is_forced);
        return;
    case PBFT_TIMER_VIEW:
        (void)pbft_on_view_timeout(replica);
        return;
    case PBFT_TIMER_MONITOR:
        pbft_on_monitor(replica);
        return;
    case PBFT_TIMER_COUNT:
        return;
    }
}

static enum pbft_verdict on_timeout(struct pbft_replica *replica,
                                    enum pbft_timer timer)
{
    if (replica->stage != PBFT_STAGE_RUNNING) {
        return PBFT_UNEXPECTED;
    }
    if (timer < PBFT_TIMER_COUNT) {
        on_timer(replica, timer, true);
        return PBFT_ACCEPTED;
    }
    enum pbft_verdict verdict = PBFT_UNEXPECTED;
    for (int i = 0; i < PBFT_TIMER_COUNT; i++) {
        if (pbft_timers_is_due(&replica->timers, (enum pbft_timer)i,
                               replica->now)) {
            on_timer(replica, (enum pbft_timer)i, false);
            verdict = PBFT_ACCEPTED;
        }
    }
    return verdict;
}

/* RESEND runs while something is owed to us, and starts anew with progress. */
static void arm_resend(struct pbft_replica *replica)
{
    const bool is_waiting =
        replica->requests.count > 0 || replica->missing_bodies > 0 ||
        replica->highest_seq > replica->committed ||
        replica->behind > replica->committed || !replica->view_active ||
        !replica->may_vote || pbft_owes_null(replica);
    if (!is_waiting || replica->n == 1) {
        pbft_timers_disarm(&replica->timers, PBFT_TIMER_RESEND);
        return;
    }
    if (replica->status_seq != replica->committed ||
        !pbft_timers_is_armed(&replica->timers, PBFT_TIMER_RESEND)) {
        replica->status_seq = replica->committed;
        pbft_timers_arm(&replica->timers, PBFT_TIMER_RESEND, replica->now,
                        replica->config.resend_interval_ms);
    }
}

static void proceed(struct pbft_replica *replica)
{
    if (replica->stage == PBFT_STAGE_RUNNING) {
        if (replica->is_attesting_late && !pbft_is_recovering(replica)) {
            pbft_attest_late(replica);
        }
        pbft_sync_continue(replica);
        pbft_propose(replica);
        arm_resend(replica);
        pbft_arm_request_timer(replica);
        pbft_monitor_look(replica);
    }
}

static enum pbft_verdict dispatch(struct pbft_replica *replica,
                                  const struct pbft_event *event)
{
    const bool is_running = replica->stage == PBFT_STAGE_RUNNING;
    switch (event->type) {
    case PBFT_EVENT_APPLIED:
        pbft_on_applied(replica, &event->executed, event->incarnations);
        replica->next_due = event->next_due;
        replica->block_time = event->executed.block_time;
        replica->ledger_root = event->executed.ledger_root;
        return PBFT_ACCEPTED;
    case PBFT_EVENT_RESTORE:
        return pbft_on_restore(replica, &event->record);
    case PBFT_EVENT_START:
        pbft_on_start(replica, event->is_log_lost);
        return PBFT_ACCEPTED;
    case PBFT_EVENT_RECEIVE:
        return is_running ? on_receive(replica, event->message)
                          : PBFT_UNEXPECTED;
    case PBFT_EVENT_EXECUTED:
        PBFT_ASSERT(is_running);
        if (event->incarnations != NULL) {
            pbft_on_incarnations(replica, event->incarnations);
        }
        pbft_on_executed(replica, &event->executed);
        if (event->executed.seq == replica->executed) {
            replica->next_due = event->next_due;
            replica->block_time = event->executed.block_time;
            replica->ledger_root = event->executed.ledger_root;
        }
        return PBFT_ACCEPTED;
    case PBFT_EVENT_TIMEOUT:
        return on_timeout(replica, event->timer);
    }
    return PBFT_REJECTED;
}

enum pbft_verdict pbft_step(struct pbft_replica *replica,
                            const struct pbft_event *event)
{
    PBFT_ASSERT(event->now >= replica->now);
    if (!pbft_output_has_room(&replica->output)) {
        return PBFT_BUSY;
    }
    replica->now = event->now;
    replica->wall = event->wall;
    enum pbft_verdict verdict = dispatch(replica, event);
    PBFT_ASSERT(verdict != PBFT_BUSY);
    proceed(replica);
    return verdict;
}
