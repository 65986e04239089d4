/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a connection, and what it sends. */
#include "net/link_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>

#include "consensus/assert.h"
#include "net/budget.h"
#include "net/common.h"

bool link_take(struct net_link *link, size_t bytes)
{
    return net_budget_take(link->config.budget, link->owner, bytes);
}

void link_give(struct net_link *link, size_t bytes)
{
    net_budget_give(link->config.budget, link->owner, bytes);
}

/* ---- sending ------------------------------------------------------------- */

/* Lock held, and the stream is not closed: NNG 1.5.2 never ends an operation on
 * TCP that begins after that. */
static void send_rest(struct net_link *link)
{
    nng_iov iov = {
        .iov_buf = link->out.data + link->out_done,
        .iov_len = link->out.size - link->out_done,
    };
    (void)nng_aio_set_iov(link->send_aio, 1, &iov);
    nng_stream_send(link->stream, link->send_aio);
}

static struct net_frame pop(struct net_link *link)
{
    PBFT_ASSERT(link->ring_count > 0);
    struct net_frame frame = link->ring[link->ring_head];
    link->ring_head = (link->ring_head + 1) % link->config.outbox_messages_max;
    link->ring_count--;
    link->ring_bytes -= frame.size;
    return frame;
}

/* Small frames that wait go out together, as one TLS record. Lock held. */
static void gather(struct net_link *link)
{
    size_t total = link->out.size;
    uint32_t count = 0;
    while (count < link->ring_count) {
        uint32_t place =
            (link->ring_head + count) % link->config.outbox_messages_max;
        if (total + link->ring[place].size > LINK_STAGE_SIZE) {
            break;
        }
        total += link->ring[place].size;
        count++;
    }
    uint8_t *data = count > 0 ? realloc(link->out.data, total) : NULL;
    if (data == NULL) {
        return; /* Nothing to gather, or no memory: one by one. */
    }
    link->out.data = data;
    for (uint32_t i = 0; i < count; i++) {
        struct net_frame frame = pop(link);
        memcpy(data + link->out.size, frame.data, frame.size);
        link->out.size += frame.size;
        free(frame.data);
    }
    link->messages_sent += count;
}

/* Takes the next frames to send; false if there are none. Lock held. */
static bool take_next(struct net_link *link)
{
    if (link->phase != LINK_READY || link->ring_count == 0) {
        link->sending_since = 0;
        return false;
    }
    link->out = pop(link);
    link->out_done = 0;
    link->messages_sent++;
    gather(link);
    link->out_counted = link->out.size;
    link->bytes_sent += link->out.size;
    link->sending_since = net_now_ms();
    return true;
}

static void drop_sent(struct net_link *link)
{
    free(link->out.data);
    link->out = (struct net_frame){NULL, 0};
    link_give(link, link->out_counted);
    link->out_counted = 0;
}

static void on_sent(void *context)
{
    struct net_link *link = context;
    int error = nng_aio_result(link->send_aio);
    size_t count = error == 0 ? nng_aio_count(link->send_aio) : 0;
    (void)pthread_mutex_lock(&link->lock);
    link->out_done += count;
    bool goes_on = error == 0 && link->phase != LINK_CLOSING &&
                   link->out_done < link->out.size;
    if (!goes_on) {
        drop_sent(link);
        goes_on = error == 0 && take_next(link);
    }
    link->is_sending = goes_on;
    if (goes_on) {
        send_rest(link);
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (error != 0) {
        net_link_close(link);
    } else if (!goes_on) {
        link_settle(link);
    }
}

static bool make_frame(struct net_frame *out, const struct pbft_bytes *parts,
                       size_t count, size_t payload)
{
    out->size = LINK_LENGTH_SIZE + payload;
    out->data = malloc(out->size);
    if (out->data == NULL) {
        return false;
    }
    for (size_t i = 0; i < LINK_LENGTH_SIZE; i++) {
        out->data[i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
    }
    size_t used = LINK_LENGTH_SIZE;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0) {
            memcpy(out->data + used, parts[i].data, parts[i].size);
            used += parts[i].size;
        }
    }
    return true;
}

/* Lock held. */
static enum pbft_status enqueue(struct net_link *link,
                                const struct net_frame *frame)
{
    if (link->phase != LINK_READY) {
        return PBFT_UNREACHABLE;
    }
    uint32_t limit = link->config.outbox_messages_max;
    if (link->ring_count == limit ||
        (link->ring_count > 0 &&
         link->ring_bytes + frame->size > link->config.outbox_bytes_max)) {
        return PBFT_LIMIT;
    }
    if (!link_take(link, frame->size)) {
        return PBFT_LIMIT;
    }
    link->ring[(link->ring_head + link->ring_count) % limit] = *frame;
    link->ring_count++;
    link->ring_bytes += frame->size;
    return PBFT_OK;
}

enum pbft_status net_link_send(struct net_link *link,
                               const struct pbft_bytes *parts, size_t count)
{
    size_t payload = 0;
    struct net_frame frame;
    for (size_t i = 0; i < count; i++) {
        payload += parts[i].size;
    }
    if (payload > link->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    if (!make_frame(&frame, parts, count, payload)) {
        return PBFT_NO_MEMORY;
    }
    (void)pthread_mutex_lock(&link->lock);
    enum pbft_status status = enqueue(link, &frame);
    if (status == PBFT_OK && !link->is_sending && take_next(link)) {
        link->is_sending = true;
        send_rest(link);
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (status != PBFT_OK) {
        free(frame.data);
    }
    return status;
}

/* ---- closing ------------------------------------------------------------- */

void link_settle(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool tells = link->phase == LINK_CLOSING && !link->is_closing_stream &&
                 !link->is_sending && !link->is_receiving && !link->is_told;
    link->is_told = link->is_told || tells;
    (void)pthread_mutex_unlock(&link->lock);
    if (!tells) {
        return;
    }
    link->config.on_closed(link->config.context, link);
    (void)pthread_mutex_lock(&link->lock);
    link->is_over = true;
    (void)pthread_cond_broadcast(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
}

void net_link_close(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool closes = link->phase != LINK_CLOSING;
    link->phase = LINK_CLOSING;
    link->is_closing_stream = link->is_closing_stream || closes;
    (void)pthread_mutex_unlock(&link->lock);
    if (closes) {
        nng_stream_close(link->stream); /* Ends sending and receiving. */
        (void)pthread_mutex_lock(&link->lock);
        link->is_closing_stream = false;
        (void)pthread_mutex_unlock(&link->lock);
    }
    link_settle(link);
}

void net_link_check(struct net_link *link)
{
    nng_sockaddr peer;
    bool is_cut =
        nng_stream_get_addr(link->stream, NNG_OPT_REMADDR, &peer) != 0;
    (void)pthread_mutex_lock(&link->lock);
    bool closes = is_cut && link->is_cut;
    link->is_cut = is_cut;
    (void)pthread_mutex_unlock(&link->lock);
    if (closes) {
        net_link_close(link);
    }
}

void net_link_hold(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->holds++;
    (void)pthread_mutex_unlock(&link->lock);
}

void net_link_release(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    PBFT_ASSERT(link->holds > 0);
    link->holds--;
    (void)pthread_cond_broadcast(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
}

bool net_link_is_over(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool is_over = link->is_over && link->holds == 0;
    (void)pthread_mutex_unlock(&link->lock);
    return is_over;
}

void net_link_wait_over(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    while (!link->is_over || link->holds > 0) {
        (void)pthread_cond_wait(&link->changed, &link->lock);
    }
    (void)pthread_mutex_unlock(&link->lock);
}

/* ---- creating, destroying, looking --------------------------------------- */

static void release_memory(struct net_link *link)
{
    if (link->send_aio != NULL) {
        nng_aio_free(link->send_aio); /* Waits for its last callback. */
    }
    if (link->receive_aio != NULL) {
        nng_aio_free(link->receive_aio);
    }
    nng_stream_free(link->stream);
    while (link->ring_count > 0) {
        struct net_frame frame = pop(link);
        link_give(link, frame.size);
        free(frame.data);
    }
    free(link->ring);
    drop_sent(link);
    link_give(link, link->body_capacity);
    free(link->body);
    free(link->held.data);
    (void)pthread_cond_destroy(&link->changed);
    (void)pthread_mutex_destroy(&link->lock);
    free(link);
}

void net_link_destroy(struct net_link *link)
{
    PBFT_ASSERT(net_link_is_over(link));
    release_memory(link);
}

static bool make_greeting(struct net_link *link)
{
    const uint8_t greeting[LINK_GREETING_SIZE] = {
        0, 'S', 'P', 0, 0, (uint8_t)link->config.protocol, 0, 0};
    link->out.data = malloc(sizeof greeting);
    if (link->out.data == NULL) {
        return false;
    }
    memcpy(link->out.data, greeting, sizeof greeting);
    link->out.size = sizeof greeting;
    return true;
}

enum pbft_status net_link_create(struct net_link **out,
                                 struct nng_stream *stream,
                                 const struct net_link_config *config)
{
    struct net_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        nng_stream_free(stream);
        return PBFT_NO_MEMORY;
    }
    link->config = *config;
    link->stream = stream;
    link->owner = NET_NOBODY;
    link->created = net_now_ms();
    (void)pthread_mutex_init(&link->lock, NULL);
    (void)pthread_cond_init(&link->changed, NULL);
    link->ring = calloc(config->outbox_messages_max, sizeof *link->ring);
    if (link->ring == NULL || !make_greeting(link) ||
        nng_aio_alloc(&link->send_aio, on_sent, link) != 0 ||
        nng_aio_alloc(&link->receive_aio, link_on_received, link) != 0) {
        release_memory(link);
        return PBFT_NO_MEMORY;
    }
    nng_aio_set_timeout(link->send_aio, NNG_DURATION_INFINITE);
    nng_aio_set_timeout(link->receive_aio, NNG_DURATION_INFINITE);
    (void)nng_stream_set_bool(stream, NNG_OPT_TCP_KEEPALIVE, true);
    link->is_sending = true;
    link->is_receiving = true;
    *out = link;
    return PBFT_OK;
}

void net_link_start(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->is_sending = link->phase != LINK_CLOSING;
    if (link->is_sending) {
        send_rest(link);
    }
    (void)pthread_mutex_unlock(&link->lock);
    link_receive(link); /* Until it ends the link cannot be over. */
}

void net_link_admit(struct net_link *link, uint32_t owner)
{
    (void)pthread_mutex_lock(&link->lock);
    link->is_admitted = true;
    link->owner = owner;
    (void)pthread_mutex_unlock(&link->lock);
}

uint32_t net_link_owner(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    uint32_t owner = link->owner;
    (void)pthread_mutex_unlock(&link->lock);
    return owner;
}

void net_link_state(struct net_link *link, struct net_link_state *out)
{
    (void)pthread_mutex_lock(&link->lock);
    out->is_ready = link->phase == LINK_READY;
    out->is_admitted = out->is_ready && link->is_admitted;
    out->is_closed = link->phase == LINK_CLOSING;
    out->source = link->config.source;
    out->created = link->created;
    out->sending_since = link->sending_since;
    out->receiving_since = link->receiving_since;
    out->messages_sent = link->messages_sent;
    out->bytes_sent = link->bytes_sent;
    (void)pthread_mutex_unlock(&link->lock);
}
