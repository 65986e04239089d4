/* SPDX-License-Identifier: Apache-2.0 */
/* Serving those who fetch (design: P9, P11): blocks, bodies, checkpoint proofs,
 * messages of view changes. Each peer has a budget. */
#include "consensus/mark.h"
#include "consensus/replica.h"

/* Blocks a peer may fetch in one resend interval: a slow disk and a hostile
 * peer must not starve the others. */
#define SERVE_BUDGET 1024u

static const struct pbft_message *
handed_over(const struct pbft_replica *replica,
            const struct pbft_message *message)
{
    const struct pbft_message *copy =
        pbft_message_handed_over(message, replica->config.self);
    PBFT_ASSERT(copy != NULL); /* Out of memory: stop. */
    return copy;
}

static void hand_over(struct pbft_replica *replica, pbft_replica_id to,
                      const struct pbft_message *message)
{
    const struct pbft_message *copy = handed_over(replica, message);
    pbft_send_to(replica, to, copy);
    pbft_message_unref(copy);
}

static uint32_t take_budget(struct pbft_replica *replica, pbft_replica_id to,
                            pbft_seq wanted)
{
    struct pbft_peer *peer = &replica->peers[to];
    if (peer->serve_until <= replica->now) {
        peer->serve_until =
            pbft_time_after(replica->now, replica->config.resend_interval_ms);
        peer->serve_budget = SERVE_BUDGET;
    }
    uint32_t granted =
        wanted < peer->serve_budget ? (uint32_t)wanted : peer->serve_budget;
    PBFT_ASSERT(granted <= peer->serve_budget);
    PBFT_ASSERT(granted <= SERVE_BUDGET);
    peer->serve_budget -= granted;
    return granted;
}

/* From the log what is there; storage has the blocks before (driver.h). */
static enum pbft_verdict serve_blocks(struct pbft_replica *replica,
                                      pbft_replica_id to,
                                      const struct pbft_fetch *fetch)
{
    if (fetch->seq == 0 || fetch->last < fetch->seq ||
        fetch->last - fetch->seq >= PBFT_FETCH_BLOCKS_MAX) {
        return PBFT_REJECTED;
    }
    pbft_seq count = take_budget(replica, to, fetch->last - fetch->seq + 1);
    struct pbft_serve serve = {.to = to};
    enum pbft_verdict verdict = PBFT_UNEXPECTED;
    for (pbft_seq seq = fetch->seq; count > 0; seq++, count--) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot != NULL && slot->committed != NULL) {
            hand_over(replica, to, slot->committed);
            verdict = PBFT_ACCEPTED;
        } else if (seq <= replica->executed) {
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
    if (body == NULL || take_budget(replica, to, 1) == 0) {
        return PBFT_UNEXPECTED;
    }
    hand_over(replica, to, body);
    return PBFT_ACCEPTED;
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
        take_budget(replica, to, 1) == 0) {
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
        if (replica->log.low == 0 ||
            take_budget(replica, message->sender, 1) == 0) {
            return PBFT_UNEXPECTED;
        }
        hand_over(replica, message->sender, replica->stable);
        return PBFT_ACCEPTED;
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
