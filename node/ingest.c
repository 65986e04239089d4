/* SPDX-License-Identifier: Apache-2.0 */
/* From an envelope of a peer to verified messages in the inbox. */
#include <inttypes.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/node_private.h"
#include "proto/codec.h"

enum net_disposition node_receive(void *context, pbft_replica_id peer,
                                  struct pbft_buffer *buffer)
{
    struct node *node = context;
    const struct verifier_job job = {
        .lane = VERIFIER_ENVELOPES, .from = peer, .buffer = buffer};
    switch (verifier_pool_put(node->pool, &job)) {
    case PBFT_OK:
        return NET_TAKEN;
    case PBFT_LIMIT:
        return NET_LATER;
    default: /* Stopping. */
        pbft_buffer_unref(buffer);
        return NET_TAKEN;
    }
}

/* A peer may send what is wrong as often as it likes; it gets a few lines. */
void node_note_refused(struct node *node, pbft_replica_id peer,
                       const char *what, const char *reason)
{
    uint64_t suppressed = 0;
    (void)pthread_mutex_lock(&node->journal_lock);
    bool allowed =
        journal_allows(&node->peer[peer].refused, clock_now_ms(), &suppressed);
    (void)pthread_mutex_unlock(&node->journal_lock);
    if (allowed) {
        journal(JOURNAL_WARNING, "refused",
                "peer=%" PRIu32 " what=%s reason=\"%s\" suppressed=%" PRIu64,
                peer, what, reason, suppressed);
    }
}

static void note_refused(struct node *node, pbft_replica_id peer,
                         const char *what, enum pbft_status status)
{
    node_note_refused(node, peer, what, pbft_status_text(status));
}

static void note_report(struct node *node, const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_STATUS) {
        atomic_store(&node->peer[message->sender].executed,
                     message->status.executed);
    }
}

/* Of one envelope, verified. */
struct handful {
    const struct pbft_message *messages[NODE_HANDED_OVER_MAX];
    size_t count;
};

/* False: the inbox is closed. */
static bool hand_over(struct node *node, struct handful *handful)
{
    const size_t count = handful->count;
    handful->count = 0;
    return count == 0 ||
           inbox_put_many(node->inbox, handful->messages, count) == PBFT_OK;
}

/* A proposal a whole window beyond ours, which the core would refuse as outside
 * the watermarks. Whoever is that far behind must not spend his time on the
 * signatures of the present, or he falls back further while he catches up. */
bool node_is_out_of_reach(const struct node *node,
                          const struct pbft_message *message)
{
    const uint64_t high = atomic_load(&node->high);
    return message->type == PBFT_MESSAGE_PRE_PREPARE && high > 0 &&
           pbft_message_seq(message) > high &&
           pbft_message_seq(message) - high > node->verifier.window;
}

/* NULL: it is not for the core. */
static const struct pbft_message *read_message(struct node *node,
                                               pbft_replica_id peer,
                                               struct pbft_bytes bytes,
                                               struct pbft_buffer *backing)
{
    const struct pbft_message *message = NULL;
    enum pbft_status status =
        wire_message_decode(&node->identity->domain, bytes, backing, &message);
    if (status != PBFT_OK) {
        note_refused(node, peer, "message", status);
        return NULL;
    }
    if (node_is_out_of_reach(node, message)) {
        pbft_message_unref(message);
        return NULL;
    }
    status = pbft_verify(&node->verifier, peer, message);
    if (status != PBFT_OK) {
        note_refused(node, peer, pbft_message_type_name(message->type), status);
        pbft_message_unref(message);
        return NULL;
    }
    if (node_was_executed(node, message)) {
        /* Whoever relays it has not heard: ordering it again is waste. Another
         * one of the same number is ordered, and fails: it is in no block, so
         * he would wait for it until he deposed us. */
        pbft_message_unref(message);
        return NULL;
    }
    note_report(node, message);
    return message;
}

/* False: the inbox is closed. */
static bool read_messages(struct node *node, const struct verifier_job *job,
                          struct wire_envelope *envelope)
{
    struct pbft_bytes bytes;
    struct handful handful = {.count = 0};
    while (wire_envelope_next(envelope, &bytes)) {
        const struct pbft_message *message =
            read_message(node, job->from, bytes, job->buffer);
        if (message != NULL) {
            handful.messages[handful.count++] = message;
        }
        if (handful.count == NODE_HANDED_OVER_MAX &&
            !hand_over(node, &handful)) {
            return false;
        }
    }
    return hand_over(node, &handful);
}

void node_read_envelope(struct node *node, const struct verifier_job *job)
{
    struct wire_envelope envelope;
    PBFT_ASSERT(job->from < node->identity->replica_count);
    enum pbft_status status = wire_envelope_decode(
        &node->identity->cluster, pbft_buffer_bytes(job->buffer), &envelope);
    if (status == PBFT_OK && envelope.sender != job->from) {
        status = PBFT_NOT_MEMBER;
    }
    if (status != PBFT_OK) {
        note_refused(node, job->from, "envelope", status);
        return;
    }
    if (!read_messages(node, job, &envelope)) {
        return;
    }
    struct pbft_bytes bytes;
    while (wire_envelope_next_delivery(&envelope, &bytes)) {
        /* What finds no room is sent again. */
        status = courier_put_delivery(node->courier, job->from, bytes);
        if (status != PBFT_OK) {
            note_refused(node, job->from, "delivery", status);
        }
    }
}
