/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to one peer: a bounded queue of our own, one message at a time in
 * the hands of NNG, whose own queue counts messages and not bytes. */
#include <stdlib.h>

#include "net/peers_private.h"

/* Takes the next message off the queue; NULL if there is none. Lock held. */
static nng_msg *take(struct outbox *outbox)
{
    struct outgoing *first = outbox->first;

    if (first == NULL) {
        return NULL;
    }
    nng_msg *message = first->message;
    outbox->first = first->next;
    if (outbox->first == NULL) {
        outbox->last = NULL;
    }
    outbox->bytes -= first->size;
    outbox->count--;
    outbox->sending_size = first->size;
    free(first);
    return message;
}

void outbox_send_next(struct peer *peer)
{
    struct outbox *outbox = &peer->outbox;
    struct net_peers *peers = outbox->peers;
    nng_msg *message = NULL;

    (void)pthread_mutex_lock(&peers->lock);
    if (!outbox->sending && !peers->closing) {
        message = take(outbox);
        outbox->sending = message != NULL;
    }
    (void)pthread_mutex_unlock(&peers->lock);
    if (message != NULL) {
        nng_aio_set_msg(outbox->aio, message);
        nng_send_aio(peer->socket, outbox->aio);
    }
}

static void on_sent(void *context)
{
    struct peer *peer = context;
    struct outbox *outbox = &peer->outbox;
    bool good = nng_aio_result(outbox->aio) == 0;

    if (!good) {
        nng_msg_free(nng_aio_get_msg(outbox->aio));
        nng_aio_set_msg(outbox->aio, NULL);
    }
    (void)pthread_mutex_lock(&outbox->peers->lock);
    outbox->sending = false;
    if (good) {
        peer->stats.messages_sent++;
        peer->stats.bytes_sent += outbox->sending_size;
    } else {
        peer->stats.messages_dropped++;
    }
    (void)pthread_mutex_unlock(&outbox->peers->lock);
    outbox_send_next(peer);
}

enum pbft_status outbox_init(struct outbox *outbox, struct net_peers *peers)
{
    struct peer *peer = (struct peer *)(void *)outbox; /* Its first member. */

    outbox->peers = peers;
    return nng_aio_alloc(&outbox->aio, on_sent, peer) == 0 ? PBFT_OK
                                                           : PBFT_NO_MEMORY;
}

uint32_t outbox_clear(struct outbox *outbox)
{
    uint32_t dropped = 0;

    for (nng_msg *message = take(outbox); message != NULL;
         message = take(outbox)) {
        nng_msg_free(message);
        dropped++;
    }
    return dropped;
}

void outbox_deinit(struct outbox *outbox)
{
    if (outbox->aio != NULL) {
        nng_aio_stop(outbox->aio);
        nng_aio_free(outbox->aio);
    }
    (void)outbox_clear(outbox);
}

/* With plain TCP the message begins with who we say we are. */
static nng_msg *make_message(const struct net_peers *peers,
                             struct pbft_bytes bytes)
{
    nng_msg *message = NULL;

    if (nng_msg_alloc(&message, 0) != 0) {
        return NULL;
    }
    if ((peers->config.security != NET_TLS &&
         nng_msg_append_u32(message, peers->config.self) != 0) ||
        nng_msg_append(message, bytes.data, bytes.size) != 0) {
        nng_msg_free(message);
        return NULL;
    }
    return message;
}

/* Lock held. */
static enum pbft_status enqueue(struct peer *peer, struct outgoing *outgoing)
{
    struct outbox *outbox = &peer->outbox;
    const struct net_peers_config *config = &outbox->peers->config;

    if (peer->pipe == 0) {
        return PBFT_UNREACHABLE;
    }
    if (outbox->count >= config->outbox_messages_max ||
        outbox->bytes + outgoing->size > config->outbox_bytes_max) {
        return PBFT_LIMIT;
    }
    if (outbox->last == NULL) {
        outbox->first = outgoing;
    } else {
        outbox->last->next = outgoing;
    }
    outbox->last = outgoing;
    outbox->count++;
    outbox->bytes += outgoing->size;
    return PBFT_OK;
}

enum pbft_status net_peers_send(struct net_peers *peers, pbft_replica_id to,
                                struct pbft_bytes bytes)
{
    struct peer *peer = &peers->peers[to];
    struct outgoing *outgoing = NULL;
    enum pbft_status status = PBFT_NO_MEMORY;

    if (bytes.size > peers->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    outgoing = calloc(1, sizeof(*outgoing));
    if (outgoing != NULL) {
        outgoing->message = make_message(peers, bytes);
        outgoing->size = bytes.size;
    }
    if (outgoing != NULL && outgoing->message != NULL) {
        (void)pthread_mutex_lock(&peers->lock);
        status = enqueue(peer, outgoing);
        peer->stats.messages_dropped += status != PBFT_OK;
        (void)pthread_mutex_unlock(&peers->lock);
    }
    if (status != PBFT_OK) {
        if (outgoing != NULL && outgoing->message != NULL) {
            nng_msg_free(outgoing->message);
        }
        free(outgoing);
        return status;
    }
    outbox_send_next(peer);
    return PBFT_OK;
}
