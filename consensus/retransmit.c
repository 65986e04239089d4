/* SPDX-License-Identifier: Apache-2.0 */
/* STATUS, and what it makes the others send again (TOCS'02 5.2; design: P9,
 * P14). The transport may lose anything; this is the only road back. */
#include "consensus/replica.h"

/* Memory of the messages that one STATUS may make us send. */
#define RESEND_BYTES_MAX (8u * 1024u * 1024u)
/* Requests relayed at once: each institution owns a timer, so one of each. */
#define RELAY_MAX PBFT_INSTITUTIONS_MAX
#define BITS_PER_WORD 64
/* Questions of one peer that are answered in a resend interval: each costs a
 * window of its votes. */
#define ANSWERS_MAX 4u

/* What is being sent again to whom. */
struct resend {
    struct pbft_replica *replica;
    pbft_replica_id to;
    bool is_urgent; /* Also what is so young that it may be on its way. */
    uint32_t messages_left;
    size_t bytes_left;
};

static void put_again(struct resend *job, const struct pbft_message *message)
{
    if (message == NULL || job->messages_left == 0) {
        return;
    }
    const size_t bytes = pbft_message_memory(message);
    PBFT_ASSERT(job->messages_left <= PBFT_RESEND_MESSAGES_MAX);
    PBFT_ASSERT(job->bytes_left <= RESEND_BYTES_MAX);
    if (bytes > job->bytes_left) {
        job->messages_left = 0; /* In order, or not at all. */
        return;
    }
    job->bytes_left -= bytes;
    job->messages_left--;
    pbft_send_to(job->replica, job->to, message);
}

static bool is_old_enough(const struct resend *job, pbft_time_ms since)
{
    PBFT_ASSERT(since <= job->replica->now);
    return job->is_urgent ||
           job->replica->now - since >= job->replica->config.resend_interval_ms;
}

static bool has_prepared(const struct pbft_status_report *status, pbft_seq seq)
{
    PBFT_ASSERT(seq > status->executed);
    const pbft_seq bit = seq - status->executed - 1;
    return bit / BITS_PER_WORD < status->prepared_words &&
           (status->prepared_bits[bit / BITS_PER_WORD] >>
            (bit % BITS_PER_WORD)) &
               1;
}

static void resend_slot(struct resend *job,
                        const struct pbft_status_report *status,
                        struct pbft_slot *slot)
{
    if (slot->header == NULL || !is_old_enough(job, slot->accepted_at)) {
        return;
    }
    PBFT_ASSERT(slot->view == job->replica->view);
    PBFT_ASSERT(slot->is_logged || slot->own_commit == NULL);
    if (!has_prepared(status, slot->seq)) {
        if (!pbft_is_primary(job->replica)) {
            put_again(job, slot->own_prepare);
        } else if (pbft_slot_has_body(slot)) {
            put_again(job, pbft_slot_proposal(slot));
        }
    }
    put_again(job, slot->own_commit);
    /* The other commits may come from nobody: their senders are dead, or lie,
     * or have left the view. */
    put_again(job, slot->committed);
}

static pbft_seq max_seq(pbft_seq a, pbft_seq b)
{
    return a > b ? a : b;
}

static pbft_seq min_seq(pbft_seq a, pbft_seq b)
{
    return a < b ? a : b;
}

/* What the peer has no place for would be refused, and stand in the way of the
 * blocks that it asks for: nothing beyond its window. */
static pbft_seq reach_of(const struct pbft_replica *replica,
                         const struct pbft_status_report *status)
{
    const pbft_seq window = replica->config.window;
    return status->stable > UINT64_MAX - window ? UINT64_MAX
                                                : status->stable + window;
}

static void resend_slots(struct resend *job,
                         const struct pbft_status_report *status)
{
    const struct pbft_replica *replica = job->replica;
    if (status->view != replica->view || !status->view_active ||
        !replica->view_active) {
        return;
    }
    const pbft_seq last =
        min_seq(replica->highest_seq, reach_of(replica, status));
    pbft_seq seq = max_seq(max_seq(status->executed, status->committed_above),
                           replica->log.low);
    while (job->messages_left > 0 && seq < last) {
        seq++;
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot == NULL) {
            return;
        }
        resend_slot(job, status, slot);
    }
}

static void resend_attestation(struct resend *job, pbft_seq seq)
{
    const struct pbft_slot *slot = pbft_slot_log_at(&job->replica->log, seq);
    if (slot != NULL && slot->own_attestation != NULL &&
        is_old_enough(job, slot->executed_at)) {
        put_again(job, slot->own_attestation);
    }
}

/* Of each seq that has no f + 1 yet; of checkpoints also the rest up to Q. */
static void resend_attestations(struct resend *job,
                                const struct pbft_status_report *status)
{
    const struct pbft_replica *replica = job->replica;
    const pbft_seq interval = replica->config.checkpoint_interval;
    const pbft_seq last =
        min_seq(replica->executed, pbft_slot_log_high(&replica->log));
    const pbft_seq first = max_seq(status->stable, replica->log.low);
    PBFT_ASSERT(interval > 0);
    PBFT_ASSERT(last <= replica->executed);
    if (first >= last) {
        return; /* It claims to need none; near 2^64 `seq` would wrap. */
    }
    pbft_seq seq = first - first % interval;
    for (seq += interval; seq <= min_seq(status->attested, last);
         seq += interval) {
        resend_attestation(job, seq);
    }
    seq = max_seq(first, status->attested);
    while (job->messages_left > 0 && seq < last) {
        resend_attestation(job, ++seq);
    }
}

/* False: there was nothing that the peer lacks, or all of it is so young that
 * it may be on its way. */
static bool resend(struct pbft_replica *replica, pbft_replica_id to,
                   const struct pbft_status_report *status)
{
    struct resend job = {.replica = replica,
                         .to = to,
                         .is_urgent = status->reply_wanted,
                         .messages_left = PBFT_RESEND_MESSAGES_MAX,
                         .bytes_left = RESEND_BYTES_MAX};
    if (status->stable < replica->log.low) {
        put_again(&job, replica->stable);
    }
    const bool was_view_sent = pbft_resend_view(replica, to, status);
    if (!pbft_is_recovering(replica)) {
        resend_slots(&job, status);
        resend_attestations(&job, status);
    }
    return was_view_sent || job.messages_left < PBFT_RESEND_MESSAGES_MAX;
}

/* What is prepared above `executed`; returns how many words are in use. */
static uint32_t prepared_bits(const struct pbft_replica *replica,
                              uint64_t bits[PBFT_STATUS_WORDS_MAX])
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    uint32_t words = 0;
    for (pbft_seq seq = max_seq(replica->executed, replica->log.low) + 1;
         seq <= high; seq++) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        const pbft_seq bit = seq - replica->executed - 1;
        if (bit >= PBFT_WINDOW_MAX) {
            break;
        }
        if (slot->is_prepared || slot->committed != NULL) {
            while (words <= bit / BITS_PER_WORD) {
                bits[words++] = 0;
            }
            bits[bit / BITS_PER_WORD] |= UINT64_C(1) << (bit % BITS_PER_WORD);
        }
    }
    return words;
}

/* `question`: 0, or the number of what is asked or answered. */
static void send_status(struct pbft_replica *replica,
                        const struct pbft_replica_set *to, bool reply_wanted,
                        uint64_t question)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    uint64_t bits[PBFT_STATUS_WORDS_MAX];
    const struct pbft_status_report status = {
        .view = replica->view,
        .view_active = replica->view_active,
        .stable = replica->log.low,
        .executed = replica->executed,
        .committed_above = replica->committed,
        .attested = replica->attested,
        .version_min = PBFT_PROTOCOL_VERSION,
        .version_max = PBFT_PROTOCOL_VERSION,
        .reply_wanted = reply_wanted,
        .question = question,
        .prepared_bits = bits,
        .prepared_words = prepared_bits(replica, bits),
    };
    const struct pbft_message *message =
        pbft_signed(replica, pbft_status_create(&origin, &status));
    pbft_output_send(&replica->output, to, message);
    pbft_message_unref(message);
}

void pbft_send_status(struct pbft_replica *replica,
                      const struct pbft_replica_set *to)
{
    send_status(replica, to, false, 0);
}

void pbft_send_question(struct pbft_replica *replica)
{
    const bool is_asking = pbft_needs_answers(replica);
    send_status(replica, &replica->others, is_asking,
                is_asking ? replica->question : 0);
}

/* A peer that starts again at once is answered at once, but not for ever. */
static bool take_answer(const struct pbft_replica *replica,
                        struct pbft_peer *peer)
{
    if (replica->now >= peer->answers_until) {
        peer->answers_until =
            pbft_time_after(replica->now, replica->config.resend_interval_ms);
        peer->answers_left = ANSWERS_MAX;
    }
    if (peer->answers_left == 0) {
        return false;
    }
    PBFT_ASSERT(peer->answers_left <= ANSWERS_MAX);
    peer->answers_left--;
    return true;
}

enum pbft_verdict pbft_on_status(struct pbft_replica *replica,
                                 const struct pbft_message *message)
{
    const struct pbft_status_report *status = &message->status;
    struct pbft_peer *peer = &replica->peers[message->sender];
    const struct pbft_replica_set to = pbft_set_one(message->sender);
    peer->view = status->view;
    peer->view_active = status->view_active;
    peer->stable = status->stable;
    pbft_adopt_waiting(replica);
    pbft_monitor_heard(replica, message->sender);
    pbft_note_executed(replica, message->sender, status->executed);
    if (status->reply_wanted) {
        if (!take_answer(replica, peer)) {
            return PBFT_DUPLICATE; /* Asked and answered. */
        }
        pbft_echo_all(replica, message->sender);
        if (status->stable < replica->log.low) {
            pbft_send_to(replica, message->sender, replica->stable);
        }
        send_status(replica, &to, false, status->question);
    } else {
        pbft_note_answer(replica, message->sender, status);
        if (replica->now < peer->resend_after) {
            return PBFT_ACCEPTED;
        }
    }
    /* A STATUS that came a little too early must not use up the interval: the
     * next one would find nothing sent, and the loss would outlast the view. */
    if (resend(replica, message->sender, status)) {
        peer->resend_after =
            pbft_time_after(replica->now, replica->config.resend_interval_ms);
    }
    return PBFT_ACCEPTED;
}

/* Those of our clients go to all: then every replica guards them with a timer
 * (OSDI'99 4.1). Those that others relayed go to the primary, lest a relay that
 * came after the commit waits here for ever and deposes it. */
static void relay_one(struct pbft_replica *replica,
                      const struct pbft_pending *item)
{
    const struct pbft_message *copy =
        pbft_message_handed_over(item->message, replica->config.self);
    PBFT_ASSERT(copy != NULL); /* Out of memory: stop. */
    if (item->is_own) {
        pbft_send_all(replica, copy);
        pbft_requests_share(&replica->requests, &copy->request.digest);
    } else if (!pbft_is_primary(replica)) {
        pbft_send_to(replica, pbft_primary(replica), copy);
    }
    if (pbft_monitor_may_tell(replica, copy)) {
        pbft_requests_tell(&replica->requests, &copy->request.digest,
                           replica->now);
    }
    pbft_message_unref(copy);
}

/* Of n replicas that stall together each relays to n: again and again only with
 * growing pauses, up to the timeout for which whoever hears of it would wait
 * anyway (design: P7). */
void pbft_relay_stale(struct pbft_replica *replica, pbft_time_ms age_ms)
{
    const struct pbft_pending *stale[RELAY_MAX];
    const uint32_t count = pbft_requests_stale(&replica->requests, replica->now,
                                               age_ms, stale, RELAY_MAX);
    PBFT_ASSERT(count <= RELAY_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (replica->now < stale[i]->relay_after) {
            continue;
        }
        pbft_requests_relayed(&replica->requests, stale[i], replica->now,
                              replica->config.resend_interval_ms,
                              replica->config.request_timeout_ms);
        relay_one(replica, stale[i]);
    }
}

void pbft_relay_samples(struct pbft_replica *replica)
{
    const struct pbft_pending *lying[PBFT_INSTITUTIONS_MAX];
    const uint32_t count = pbft_requests_lying(
        &replica->requests, replica->now, replica->config.resend_interval_ms,
        lying, PBFT_INSTITUTIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        relay_one(replica, lying[i]);
    }
}

void pbft_on_stall(struct pbft_replica *replica)
{
    PBFT_ASSERT(replica->n > 1);
    pbft_mark(PBFT_MARK_STALLED);
    pbft_sync_on_stall(replica);
    do {
        replica->body_peer = (replica->body_peer + 1) % replica->n;
    } while (replica->body_peer == replica->config.self);
    pbft_fetch_bodies(replica);
    pbft_fetch_sources(replica);
    pbft_resend_view_change(replica);
    pbft_continue_recovery(replica);
    pbft_relay_stale(replica, replica->config.resend_interval_ms);
    pbft_send_question(replica);
}
