/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of messages in front of one asynchronous send. */
#include "net/outbox.h"

#include <pthread.h>
#include <stdlib.h>

#include <nng/nng.h>

#include "consensus/assert.h"

struct net_outbox {
    nng_socket socket;
    nng_aio *aio;
    struct net_outbox_limits limits;
    pthread_mutex_t lock; /* Guards the rest. */
    nng_msg **ring;       /* limits.messages_max places. */
    uint32_t head;
    uint32_t count;
    size_t bytes; /* In the ring. */
    bool is_up;
    bool is_sending; /* The aio has a message. */
    struct net_outbox_stats stats;
};

static nng_msg *pop(struct net_outbox *outbox)
{
    PBFT_ASSERT(outbox->count > 0);
    nng_msg *message = outbox->ring[outbox->head];
    outbox->head = (outbox->head + 1) % outbox->limits.messages_max;
    outbox->count--;
    outbox->bytes -= nng_msg_len(message);
    return message;
}

static void send_now(struct net_outbox *outbox, nng_msg *message)
{
    nng_aio_set_msg(outbox->aio, message);
    nng_send_aio(outbox->socket, outbox->aio);
}

/* A send has ended; the next one begins. */
static void on_sent(void *context)
{
    struct net_outbox *outbox = context;
    nng_msg *next = NULL;
    int error = nng_aio_result(outbox->aio);
    if (error != 0) {
        nng_msg_free(nng_aio_get_msg(outbox->aio));
        nng_aio_set_msg(outbox->aio, NULL);
    }
    (void)pthread_mutex_lock(&outbox->lock);
    if (error != 0) {
        outbox->stats.messages_dropped++;
    }
    if (error == 0 && outbox->count > 0) {
        next = pop(outbox);
        outbox->stats.messages_sent++;
        outbox->stats.bytes_sent += nng_msg_len(next);
    } else {
        outbox->is_sending = false;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    if (next != NULL) {
        send_now(outbox, next);
    }
}

enum pbft_status net_outbox_create(struct net_outbox **out, uint32_t socket_id,
                                   const struct net_outbox_limits *limits)
{
    PBFT_ASSERT(limits->messages_max > 0);
    struct net_outbox *outbox = calloc(1, sizeof *outbox);
    if (outbox == NULL) {
        return PBFT_NO_MEMORY;
    }
    outbox->socket.id = socket_id;
    outbox->limits = *limits;
    (void)pthread_mutex_init(&outbox->lock, NULL);
    outbox->ring = calloc(limits->messages_max, sizeof *outbox->ring);
    if (outbox->ring == NULL ||
        nng_aio_alloc(&outbox->aio, on_sent, outbox) != 0) {
        net_outbox_destroy(outbox);
        return PBFT_NO_MEMORY;
    }
    nng_aio_set_timeout(outbox->aio, NNG_DURATION_INFINITE);
    *out = outbox;
    return PBFT_OK;
}

static void drop_all(struct net_outbox *outbox)
{
    while (outbox->count > 0) {
        nng_msg_free(pop(outbox));
        outbox->stats.messages_dropped++;
    }
}

void net_outbox_destroy(struct net_outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    if (outbox->aio != NULL) {
        nng_aio_stop(outbox->aio);
        nng_aio_free(outbox->aio);
    }
    if (outbox->ring != NULL) {
        drop_all(outbox);
        free(outbox->ring);
    }
    (void)pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

void net_outbox_set(struct net_outbox *outbox, enum net_outbox_state state)
{
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->is_up = state == NET_OUTBOX_UP;
    if (!outbox->is_up) {
        drop_all(outbox);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
}

static enum pbft_status admit(const struct net_outbox *outbox, size_t size)
{
    if (!outbox->is_up) {
        return PBFT_UNREACHABLE;
    }
    if (outbox->count == outbox->limits.messages_max ||
        (outbox->count > 0 &&
         outbox->bytes + size > outbox->limits.bytes_max)) {
        return PBFT_LIMIT;
    }
    return PBFT_OK;
}

enum pbft_status net_outbox_push(struct net_outbox *outbox, nng_msg *message)
{
    size_t size = nng_msg_len(message);
    nng_msg *now = NULL;
    (void)pthread_mutex_lock(&outbox->lock);
    enum pbft_status status = admit(outbox, size);
    if (status != PBFT_OK) {
        outbox->stats.messages_dropped++;
    } else if (!outbox->is_sending) {
        outbox->is_sending = true;
        outbox->stats.messages_sent++;
        outbox->stats.bytes_sent += size;
        now = message;
    } else {
        uint32_t tail =
            (outbox->head + outbox->count) % outbox->limits.messages_max;
        outbox->ring[tail] = message;
        outbox->count++;
        outbox->bytes += size;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    if (status != PBFT_OK) {
        nng_msg_free(message);
    } else if (now != NULL) {
        send_now(outbox, now);
    }
    return status;
}

void net_outbox_stats(struct net_outbox *outbox, struct net_outbox_stats *out)
{
    (void)pthread_mutex_lock(&outbox->lock);
    *out = outbox->stats;
    (void)pthread_mutex_unlock(&outbox->lock);
}
