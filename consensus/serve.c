/* SPDX-License-Identifier: Apache-2.0 */
/* Serving those who fetch (design: P9, P11): blocks, bodies, checkpoint proofs,
 * messages of view changes. Each peer has a budget. */
#include "consensus/mark.h"
#include "consensus/replica.h"

/* What a peer may fetch in one resend interval: a slow disk, and a hostile peer
 * that asks for the largest blocks again and again, must not starve the others.
 * In messages, and in bytes: two of the outboxes that net/ has for a peer. */
#define SERVE_MESSAGES_MAX 1024u
#define SERVE_BYTES_MAX (32u * 1024u * 1024u)

static const struct pbft_message *
handed_over(const struct pbft_replica *replica,
            const struct pbft_message *message)
{
    const struct pbft_message *copy =
        pbft_message_handed_over(message, replica->config.self);
    PBFT_ASSERT(copy != NULL); /* Out of memory: stop. */
    return copy;
}

/* False: the peer has had enough for this interval. What is begun is finished:
 * the last message may be larger than what is left. */
static bool may_have(struct pbft_replica *replica, pbft_replica_id to,
                     size_t bytes)
{
    struct pbft_peer *peer = &replica->peers[to];
    if (peer->serve_until <= replica->now) {
        peer->serve_until =
            pbft_time_after(replica->now, replica->config.resend_interval_ms);
        peer->serve_messages_left = SERVE_MESSAGES_MAX;
        peer->serve_bytes_left = SERVE_BYTES_MAX;
    }
    PBFT_ASSERT(peer->serve_messages_left <= SERVE_MESSAGES_MAX);
    PBFT_ASSERT(peer->serve_bytes_left <= SERVE_BYTES_MAX);
    if (peer->serve_messages_left == 0 || peer->serve_bytes_left == 0) {
        return false;
    }
    peer->serve_messages_left--;
    peer->serve_bytes_left -=
        bytes < peer->serve_bytes_left ? bytes : peer->serve_bytes_left;
    return true;
}

static bool hand_over(struct pbft_replica *replica, pbft_replica_id to,
                      const struct pbft_message *message)
{
    if (!may_have(replica, to, pbft_message_memory(message))) {
        return false;
    }
    const struct pbft_message *copy = handed_over(replica, message);
    pbft_send_to(replica, to, copy);
    pbft_message_unref(copy);
    return true;
}

/* From the log what is there; storage has the blocks before (driver.h), and who
 * reads them counts their bytes. */
static enum pbft_verdict serve_blocks(struct pbft_replica *replica,
                                      pbft_replica_id to,
                                      const struct pbft_fetch *fetch)
{
    if (fetch->seq == 0 || fetch->last < fetch->seq ||
        fetch->last - fetch->seq >= PBFT_FETCH_BLOCKS_MAX) {
        return PBFT_REJECTED;
    }
    struct pbft_serve serve = {.to = to};
    enum pbft_verdict verdict = PBFT_UNEXPECTED;
    pbft_seq count = fetch->last - fetch->seq + 1; /* No `seq` beyond 2^64. */
    for (pbft_seq seq = fetch->seq; count > 0; seq++, count--) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot != NULL && slot->committed != NULL) {
            if (!hand_over(replica, to, slot->committed)) {
                break;
            }
            verdict = PBFT_ACCEPTED;
        } else if (seq <= replica->executed) {
            if (!may_have(replica, to, 0)) {
                break;
            }
            serve.first = serve.first == 0 ? seq : serve.first;
            serve.last = seq;
        }
    }
    if (serve.first != 0) {
        pbft_mark(PBFT_MARK_BLOCKS_SERVED);
        pbft_output_serve(&replica->output, &serve);
        verdict = PBFT_ACCEPTED;
    }
    return verdict;
}

static enum pbft_verdict serve_body(struct pbft_replica *replica,
                                    pbft_replica_id to,
                                    const struct pbft_fetch *fetch)
{
    const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, fetch->seq);
    const struct pbft_message *body =
        slot == NULL ? NULL : pbft_slot_find_body(slot, &fetch->digest);
    return body != NULL && hand_over(replica, to, body) ? PBFT_ACCEPTED
                                                        : PBFT_UNEXPECTED;
}

/* What an incarnation said whose log was lost is not on our disk: whoever heard
 * it may repeat it, we do not. */
static bool is_of_lost_log(const struct pbft_replica *replica,
                           const struct pbft_message *message)
{
    return message->sender == replica->config.self &&
           (pbft_is_recovering(replica) || pbft_is_void(replica, message));
}

/* Signed by whoever made it: passed on as it is. */
static enum pbft_verdict serve_view(struct pbft_replica *replica,
                                    pbft_replica_id to,
                                    const struct pbft_message *message)
{
    if (message == NULL || is_of_lost_log(replica, message) ||
        !may_have(replica, to, pbft_message_memory(message))) {
        return PBFT_UNEXPECTED;
    }
    pbft_send_to(replica, to, message);
    return PBFT_ACCEPTED;
}

enum pbft_verdict pbft_on_fetch(struct pbft_replica *replica,
                                const struct pbft_message *message)
{
    const struct pbft_fetch *fetch = &message->fetch;
    switch (fetch->kind) {
    case PBFT_FETCH_BODY:
        return serve_body(replica, message->sender, fetch);
    case PBFT_FETCH_BLOCKS:
        return serve_blocks(replica, message->sender, fetch);
    case PBFT_FETCH_STABLE:
        return replica->log.low > 0 &&
                       hand_over(replica, message->sender, replica->stable)
                   ? PBFT_ACCEPTED
                   : PBFT_UNEXPECTED;
    case PBFT_FETCH_VIEW_CHANGE:
        return serve_view(replica, message->sender,
                          pbft_find_view_change(replica, &fetch->digest));
    case PBFT_FETCH_NEW_VIEW:
        return serve_view(replica, message->sender,
                          replica->view >= fetch->seq ? replica->new_view
                                                      : NULL);
    }
    return PBFT_REJECTED;
}
