/* SPDX-License-Identifier: Apache-2.0 */
/* Requests come in; the primary puts them into batches (OSDI'99 4.2, TOCS'02
 * 5.1.4; design: P4). */
#include "consensus/config.h"
#include "consensus/replica.h"

#define DUE_LOOK_MS 60000u
/* A request gathers at most this part of the resend interval, which is within
 * what backups have patience for (monitor.c). */
#define GATHERING_PART 4

/* A request goes to the primary under our own number (verify.h). */
static void relay(struct pbft_replica *replica, pbft_replica_id to,
                  const struct pbft_message *request)
{
    struct pbft_message *copy =
        pbft_message_handed_over(request, replica->config.self);
    PBFT_ASSERT(copy != NULL); /* Out of memory: stop. */
    pbft_send_to(replica, to, copy);
    pbft_message_unref(copy);
}

/* What our clients ask goes to the primary at once. */
static void pass_on(struct pbft_replica *replica,
                    const struct pbft_message *request)
{
    relay(replica, pbft_primary(replica), request);
    if (pbft_monitor_may_tell(replica, request)) {
        pbft_requests_tell(&replica->requests, &request->request.digest,
                           replica->now);
    }
}

enum pbft_verdict pbft_on_request(struct pbft_replica *replica,
                                  const struct pbft_message *message)
{
    const bool is_own = message->sender == PBFT_SENDER_CLIENT;
    const bool is_first = replica->requests.waiting == 0;
    struct pbft_recover recover;
    if (pbft_recover_parse(replica->keyring, &message->request, &recover) &&
        !pbft_recover_is_due(&replica->incarnations, &recover, replica->wall)) {
        return PBFT_REJECTED; /* It would come to nothing (design: P14). */
    }
    enum pbft_verdict verdict =
        pbft_requests_admit(&replica->requests, message, replica->now, is_own);
    if (verdict != PBFT_ACCEPTED) {
        return verdict;
    }
    if (is_first) {
        replica->gathering_since = replica->now;
    }
    if (is_own && !pbft_is_primary(replica)) {
        pass_on(replica, message);
    }
    return PBFT_ACCEPTED;
}

/* Nothing is in flight and an obligation fell due: an empty block moves time
 * (design: P18). Once for each; a service that is not content stays as it is.
 */
static bool owes_block(const struct pbft_replica *replica)
{
    return replica->next_due != 0 && replica->wall >= replica->next_due &&
           replica->next_due != replica->proposed_due &&
           replica->block_time < replica->next_due &&
           replica->next_seq - 1 == replica->committed &&
           replica->executed == replica->committed;
}

static bool can_propose(const struct pbft_replica *replica)
{
    return replica->stage == PBFT_STAGE_RUNNING && replica->may_vote &&
           replica->view_active && pbft_is_primary(replica) &&
           (replica->requests.waiting > 0 || pbft_owes_null(replica) ||
            owes_block(replica)) &&
           replica->next_seq <= pbft_slot_log_high(&replica->log);
}

static bool is_full_batch(const struct pbft_replica *replica)
{
    return replica->requests.waiting >= replica->config.batch_requests_max ||
           replica->requests.waiting_bytes >= replica->config.batch_bytes_max;
}

/* Blocks that were proposed and are not executed here. A block that is agreed
 * on and waits for the executor is no reason to propose the next one: together
 * they would be one, with one round of votes, syncs and proofs. */
static pbft_seq under_way(const struct pbft_replica *replica)
{
    const pbft_seq done = replica->executed < replica->committed
                              ? replica->executed
                              : replica->committed;
    return replica->next_seq - 1 - done;
}

static pbft_time_ms gathering_max(const struct pbft_config *config)
{
    const pbft_time_ms patience = config->request_timeout_ms / 2;
    const pbft_time_ms whole = config->resend_interval_ms < patience
                                   ? config->resend_interval_ms
                                   : patience;
    const pbft_time_ms max = whole / GATHERING_PART;
    return max > config->batch_delay_ms ? max : config->batch_delay_ms;
}

/* Longer with each block that is under way beyond the pipeline, not counting
 * the first: the further behind everything is, the larger the blocks. */
static pbft_time_ms gathering_time(const struct pbft_replica *replica)
{
    const pbft_time_ms max = gathering_max(&replica->config);
    const pbft_seq count = under_way(replica);
    pbft_time_ms time = replica->config.batch_delay_ms;
    for (pbft_seq i = replica->config.pipeline_depth + 1;
         i < count && time > 0 && time < max; i++) {
        time *= 2;
    }
    return time < max ? time : max;
}

/* Adaptive (design: P4): at once while the pipeline has room; then gather. */
static bool should_propose(const struct pbft_replica *replica)
{
    const pbft_time_ms waited = replica->now - replica->gathering_since;
    const bool has_room = under_way(replica) < replica->config.pipeline_depth;
    if (replica->requests.waiting == 0) {
        /* An empty batch is not to grow. */
        return replica->next_seq - 1 - replica->committed <
               replica->config.null_depth;
    }
    return has_room || is_full_batch(replica) || replica->batch_is_due ||
           waited >= gathering_time(replica);
}

/* At least one request, however large, if there is one; then as many as the
 * limits allow: none, not even one without bytes, beside one that is at or
 * beyond them. Whatever it is, it moves time. */
static const struct pbft_message *gather(struct pbft_replica *replica)
{
    uint32_t count = 0;
    size_t bytes = 0;
    while (count < replica->config.batch_requests_max &&
           bytes < replica->config.batch_bytes_max &&
           replica->requests.waiting > 0) {
        const size_t room = replica->config.batch_bytes_max - bytes;
        const struct pbft_message *request = pbft_requests_next(
            &replica->requests, count == 0 ? PBFT_REQUEST_BYTES_MAX : room);
        if (request == NULL) {
            break;
        }
        replica->batch[count++] = request;
        bytes += request->request.payload.size;
    }
    PBFT_ASSERT(pbft_config_allows_batch(&replica->config, count, bytes));
    if (replica->wall >= replica->next_due) {
        replica->proposed_due = replica->next_due;
    }
    /* Time 0 is the null batch alone. */
    const pbft_wall_us time = replica->wall > 0 ? replica->wall : 1;
    const struct pbft_message *body =
        pbft_batch_create(replica->domain, time, replica->batch, count);
    PBFT_ASSERT(body != NULL); /* Out of memory: stop. */
    return body;
}

static void propose_one(struct pbft_replica *replica)
{
    const struct pbft_message *body =
        replica->requests.waiting == 0 && pbft_owes_null(replica)
            ? pbft_message_ref(replica->null_batch)
            : gather(replica);
    const struct pbft_origin origin = pbft_own_origin(replica);
    const pbft_seq seq = replica->next_seq++;
    struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
    const struct pbft_message *proposal = pbft_signed(
        replica, pbft_pre_prepare_create(&origin, replica->view, seq,
                                         &body->batch.digest, body));
    PBFT_ASSERT(slot != NULL);
    PBFT_ASSERT(slot->header == NULL); /* Never two for one place. */
    replica->gathering_since = replica->now;
    replica->batch_is_due = false;
    replica->has_spoken = true;
    pbft_accept(replica, slot, proposal);
    pbft_send_all(replica, proposal);
    pbft_message_unref(proposal);
    pbft_message_unref(body);
    pbft_advance_slot(replica, slot); /* Logs it: records go before sends. */
    PBFT_ASSERT(slot->is_logged || slot->seq <= replica->log.low);
}

/* The timer by which the primary comes back to an obligation. */
static void arm_due(struct pbft_replica *replica)
{
    if (replica->stage != PBFT_STAGE_RUNNING || !pbft_is_primary(replica) ||
        replica->next_due == 0 || replica->next_due == replica->proposed_due ||
        replica->block_time >= replica->next_due ||
        replica->wall >= replica->next_due) {
        return;
    }
    pbft_time_ms delay = (replica->next_due - replica->wall) / 1000 + 1;
    if (delay > DUE_LOOK_MS) {
        delay = DUE_LOOK_MS; /* The wall clock may be set meanwhile. */
    }
    pbft_timers_arm(&replica->timers, PBFT_TIMER_BATCH, replica->now, delay);
}

void pbft_propose(struct pbft_replica *replica)
{
    const pbft_seq low = replica->log.low;
    if (replica->next_seq <= low) {
        replica->next_seq = low + 1;
    }
    if (replica->next_seq <= replica->committed) {
        replica->next_seq = replica->committed + 1;
    }
    pbft_timers_disarm(&replica->timers, PBFT_TIMER_BATCH);
    for (uint32_t i = 0; can_propose(replica) && should_propose(replica); i++) {
        if (i == PBFT_PROPOSALS_PER_STEP_MAX) {
            pbft_timers_set(&replica->timers, PBFT_TIMER_BATCH, replica->now);
            return;
        }
        propose_one(replica);
    }
    replica->batch_is_due = false;
    if (replica->requests.waiting == 0) {
        arm_due(replica);
    } else if (can_propose(replica)) {
        pbft_timers_arm(&replica->timers, PBFT_TIMER_BATCH,
                        replica->gathering_since, gathering_time(replica));
    }
}
