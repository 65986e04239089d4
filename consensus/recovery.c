/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back after promises were lost (TOCS'02 4; design: P14).
 *
 * A replica that may have forgotten votes is silent. It catches up by certified
 * blocks until it has executed what Q - 1 peers had when they answered; then it
 * asks for its next incarnation by an ordered request. Whatever the old one
 * promised is at or below the bound that follows from the block of that
 * request; the new one speaks above it alone, when it is stable. The argument
 * is in docs/protocol.md.
 */
#include "consensus/preimage.h"
#include "consensus/replica.h"

static const struct pbft_incarnation *
incarnation_of(const struct pbft_replica *replica, pbft_replica_id id)
{
    PBFT_ASSERT(id < replica->n);
    return &replica->incarnations.of[id];
}

pbft_seq pbft_bound_of(const struct pbft_replica *replica, pbft_replica_id id)
{
    return pbft_incarnation_bound(incarnation_of(replica, id),
                                  replica->config.window,
                                  replica->config.checkpoint_interval);
}

bool pbft_is_recovering(const struct pbft_replica *replica)
{
    return replica->recovery.is_active ||
           replica->log.low < pbft_bound_of(replica, replica->config.self);
}

bool pbft_is_void(const struct pbft_replica *replica,
                  const struct pbft_message *message)
{
    return message->incarnation <
           incarnation_of(replica, message->sender)->number;
}

bool pbft_counts_at(const struct pbft_replica *replica,
                    const struct pbft_message *message, pbft_seq seq)
{
    const uint64_t number = incarnation_of(replica, message->sender)->number;
    return seq > pbft_bound_of(replica, message->sender)
               ? message->incarnation == number
               : message->incarnation < number;
}

/* A mark in the log, of what will be asked for: durable before the request is
 * sent, or before a restart could take this replica for a sound one. */
static void put_mark(struct pbft_replica *replica, uint64_t target)
{
    struct pbft_recovery *recovery = &replica->recovery;
    const struct pbft_recover recover = {replica->config.self, target};
    struct pbft_message *mark =
        pbft_recover_create(replica->domain, replica->keyring, &recover,
                            replica->wall > 0 ? replica->wall : 1);
    PBFT_ASSERT(mark != NULL); /* Out of memory: stop. */
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RUNNING);
    pbft_message_sign(replica->domain, mark);
    pbft_keep(&recovery->mark, mark);
    recovery->target = target;
    pbft_log_record(replica, PBFT_RECORD_RECOVERING, 0, mark);
    pbft_message_unref(mark);
}

void pbft_begin_recovery(struct pbft_replica *replica)
{
    PBFT_ASSERT(!replica->recovery.is_active);
    replica->recovery.is_active = true;
    pbft_mark(PBFT_MARK_RECOVERY_BEGUN);
    replica->may_vote = false;
    replica->is_fresh = false;
    put_mark(replica, PBFT_INCARNATION_UNKNOWN);
}

enum pbft_verdict pbft_restore_recovering(struct pbft_replica *replica,
                                          const struct pbft_message *mark)
{
    struct pbft_recover recover;
    if (!pbft_recover_parse(replica->keyring, &mark->request, &recover) ||
        recover.replica != replica->config.self) {
        return PBFT_REJECTED;
    }
    pbft_keep(&replica->recovery.mark, mark);
    replica->recovery.target = recover.incarnation;
    return PBFT_ACCEPTED;
}

bool pbft_knows_incarnations(const struct pbft_replica *replica)
{
    return replica->executed >= replica->log.low;
}

static pbft_seq highest_bound(const struct pbft_replica *replica)
{
    pbft_seq highest = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const pbft_seq bound = pbft_bound_of(replica, id);
        highest = bound > highest ? bound : highest;
    }
    return highest;
}

/* The own RECOVER was executed: what was lost is void, and asked for no more.
 */
static void end_if_granted(struct pbft_replica *replica)
{
    struct pbft_recovery *recovery = &replica->recovery;
    if (recovery->mark != NULL &&
        incarnation_of(replica, replica->config.self)->number >=
            recovery->target) {
        recovery->is_active = false;
        recovery->target = 0;
        pbft_keep(&recovery->mark, NULL);
    }
}

void pbft_start_recovery(struct pbft_replica *replica, bool is_log_lost)
{
    struct pbft_recovery *recovery = &replica->recovery;
    recovery->owed = highest_bound(replica);
    recovery->owed_since = replica->now;
    end_if_granted(replica);
    if (is_log_lost) {
        pbft_begin_recovery(replica);
    } else if (recovery->mark != NULL) {
        recovery->is_active = true;
    }
    PBFT_ASSERT(recovery->is_active == (recovery->mark != NULL));
}

bool pbft_is_answered(const struct pbft_replica *replica)
{
    return pbft_set_count(&replica->answered) + 1 >= replica->quorum;
}

/* We have executed, by certificates, what Q - 1 peers had executed when they
 * answered; a claim that nothing proves is never reached, and not needed. An
 * honest one among them had executed the checkpoint on which the last vote of
 * the lost log stood: whatever is ordered from now on lies above it. */
static bool has_caught_up(const struct pbft_replica *replica)
{
    uint32_t reached = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        reached += pbft_set_has(&replica->answered, id) &&
                   replica->recovery.claims[id] <= replica->executed;
    }
    return reached + 1 >= replica->quorum && pbft_knows_incarnations(replica);
}

/* Liars may be among the first Q - 1 who answered, with claims that nothing can
 * reach: then the others are asked as long as they have not answered. */
bool pbft_needs_answers(const struct pbft_replica *replica)
{
    const bool must_catch_up = replica->is_fresh || replica->recovery.is_active;
    return !replica->may_vote &&
           (!pbft_is_answered(replica) ||
            (must_catch_up && !has_caught_up(replica) &&
             pbft_set_count(&replica->answered) + 1 < replica->n));
}

void pbft_try_voting(struct pbft_replica *replica)
{
    if (replica->may_vote || replica->stage != PBFT_STAGE_RUNNING ||
        pbft_is_recovering(replica) || !pbft_is_answered(replica) ||
        !pbft_knows_incarnations(replica)) {
        return;
    }
    if (replica->is_fresh && !has_caught_up(replica)) {
        return; /* What it lived through before shows in the certificates. */
    }
    if (replica->is_fresh) {
        /* Born among others without a history. The genesis state in the log
         * tells this life from one whose disk was lost. */
        pbft_log_record(replica, PBFT_RECORD_STABLE, 0, replica->stable);
        replica->is_fresh = false;
    }
    replica->may_vote = true;
    replica->progress_at = replica->now;
    pbft_mark(PBFT_MARK_VOTES_AFTER_START);
    pbft_attest_late(replica);
    pbft_ask_again(replica);
    pbft_advance_all(replica);
    pbft_continue_view_change(replica);
}

/* Q - 1 peers have told what they hold from us: now we know all that we ever
 * promised, since one of any Q - 1 has seen it. A STATUS that answers nothing,
 * or the question of an earlier start, tells nothing. */
void pbft_note_answer(struct pbft_replica *replica, pbft_replica_id peer,
                      const struct pbft_status_report *status)
{
    if (replica->may_vote || status->question != replica->question ||
        pbft_set_has(&replica->answered, peer)) {
        return;
    }
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RUNNING);
    PBFT_ASSERT(peer != replica->config.self);
    pbft_set_add(&replica->answered, peer);
    replica->recovery.claims[peer] = status->executed;
    pbft_try_voting(replica);
    pbft_continue_recovery(replica);
}

void pbft_continue_recovery(struct pbft_replica *replica)
{
    struct pbft_recovery *recovery = &replica->recovery;
    if (!recovery->is_active || replica->n == 1 || !has_caught_up(replica)) {
        return;
    }
    const struct pbft_recover next = {
        replica->config.self,
        incarnation_of(replica, replica->config.self)->number + 1};
    if ((recovery->target == next.incarnation &&
         pbft_requests_has(&replica->requests,
                           &recovery->mark->request.digest)) ||
        !pbft_recover_is_due(&replica->incarnations, &next, replica->wall)) {
        return; /* It is on its way, or must wait for its hour. */
    }
    put_mark(replica, next.incarnation);
    const struct pbft_message *own = pbft_message_handed_over(
        recovery->mark, PBFT_SENDER_CLIENT); /* As if a client of ours asked. */
    PBFT_ASSERT(own != NULL);                /* Out of memory: stop. */
    if (pbft_requests_admit(&replica->requests, own, replica->now, true) ==
        PBFT_ACCEPTED) {
        pbft_send_all(replica, recovery->mark);
    }
    pbft_message_unref(own);
}

/* Older incarnations of `id` ask for no view any more. */
static void drop_void_view_changes(struct pbft_replica *replica,
                                   pbft_replica_id id)
{
    struct pbft_view_changes *changes = &replica->changes;
    struct pbft_peer *peer = &replica->peers[id];
    if (peer->last_view_change != NULL &&
        pbft_is_void(replica, peer->last_view_change)) {
        pbft_keep(&peer->last_view_change, NULL);
    }
    if (changes->ahead[id] != NULL &&
        pbft_is_void(replica, changes->ahead[id])) {
        pbft_keep(&changes->ahead[id], NULL);
    }
    if (changes->collected[id] != NULL &&
        pbft_is_void(replica, changes->collected[id])) {
        PBFT_ASSERT(changes->collected_count > 0);
        changes->collected_count--;
        pbft_keep(&changes->collected[id], NULL);
    }
}

/* A RECOVER that came to nothing, since another one did: the primary orders it
 * no more, so nobody may wait for it. */
static void drop_requests_in_vain(struct pbft_replica *replica)
{
    struct pbft_requests *requests = &replica->requests;
    for (uint32_t i = 0; i < requests->capacity; i++) {
        const struct pbft_message *message = requests->items[i].message;
        struct pbft_recover recover;
        if (message != NULL &&
            pbft_recover_parse(replica->keyring, &message->request, &recover) &&
            recover.incarnation <=
                incarnation_of(replica, recover.replica)->number) {
            const struct pbft_digest digest = message->request.digest;
            pbft_requests_remove(requests, &digest, replica->now);
        }
    }
}

void pbft_on_incarnations(struct pbft_replica *replica,
                          const struct pbft_incarnations *incarnations)
{
    const pbft_replica_id self = replica->config.self;
    const uint64_t before = incarnation_of(replica, self)->number;
    replica->incarnations = *incarnations;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        drop_void_view_changes(replica, id);
    }
    if (incarnation_of(replica, self)->number != before) {
        replica->may_vote = false; /* Until its bound is stable. */
    }
    end_if_granted(replica);
    drop_requests_in_vain(replica);
    replica->recovery.owed = highest_bound(replica);
    replica->recovery.owed_since = replica->now;
}

bool pbft_owes_null(const struct pbft_replica *replica)
{
    return replica->committed < replica->recovery.owed &&
           replica->next_seq <= replica->recovery.owed;
}

/* As long as for a request: after views that did not last that is longer (P7);
 * else a network that once needs more than the request timeout for a batch gets
 * no null batch through in any view. */
pbft_time_ms pbft_owed_deadline(struct pbft_replica *replica)
{
    struct pbft_recovery *recovery = &replica->recovery;
    if (recovery->owed_seq != replica->committed) {
        recovery->owed_seq = replica->committed;
        recovery->owed_since = replica->now;
    }
    return replica->committed < recovery->owed
               ? pbft_time_after(recovery->owed_since,
                                 replica->requests.timeout_ms)
               : PBFT_TIME_NEVER;
}
