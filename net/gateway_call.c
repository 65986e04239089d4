/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of clients: each place listens, hands its call on, replies, and listens
 * again. A place belongs to NNG while its aio runs, else to whoever changed its
 * state under the lock.
 */
#include "net/gateway_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>

#include "net/common.h"

static void release_message(void *owner)
{
    nng_msg_free(owner);
}

static nng_ctx context_of(const struct net_call *call)
{
    nng_ctx context = {call->context_id};
    return context;
}

static void listen_again(struct net_call *call)
{
    struct net_gateway *gateway = call->gateway;
    (void)pthread_mutex_lock(&gateway->lock);
    call->state = gateway->is_stopping ? NET_CALL_ENDED : NET_CALL_LISTENING;
    bool goes_on = call->state == NET_CALL_LISTENING;
    (void)pthread_mutex_unlock(&gateway->lock);
    if (goes_on) {
        nng_ctx_recv(context_of(call), call->aio);
    }
}

/* The state is REPLYING. */
static void send_reply(struct net_call *call, struct pbft_bytes bytes)
{
    nng_msg *message = NULL;
    if (nng_msg_alloc(&message, bytes.size) != 0) {
        (void)pthread_mutex_lock(&call->gateway->lock);
        call->gateway->open_calls[call->caller]--;
        call->gateway->stats.calls_in_flight--;
        (void)pthread_mutex_unlock(&call->gateway->lock);
        listen_again(call); /* The client gets no reply and tries again. */
        return;
    }
    if (bytes.size > 0) {
        memcpy(nng_msg_body(message), bytes.data, bytes.size);
    }
    nng_aio_set_msg(call->aio, message);
    nng_ctx_send(context_of(call), call->aio);
}

/* Who calls; NET_NOBODY if the message is to be dropped. */
static uint32_t caller_of(struct net_gateway *gateway, nng_msg *message)
{
    uint32_t claim = NET_NOBODY;
    if (gateway->config.security != NET_TLS) {
        if (nng_msg_len(message) < NET_CLAIM_SIZE) {
            return NET_NOBODY;
        }
        claim = net_claim_read(nng_msg_body(message));
        (void)nng_msg_trim(message, NET_CLAIM_SIZE);
    }
    nng_pipe pipe = nng_msg_get_pipe(message);
    return net_door_owner(gateway->door, (uint32_t)nng_pipe_id(pipe), claim);
}

/* Opens the call; false if its caller has too many. */
static bool open_call(struct net_call *call, uint32_t caller, nng_msg *message,
                      uint64_t *id)
{
    struct net_gateway *gateway = call->gateway;
    (void)pthread_mutex_lock(&gateway->lock);
    bool admitted =
        gateway->open_calls[caller] < gateway->config.calls_per_caller_max;
    call->state = admitted ? NET_CALL_OPEN : NET_CALL_REPLYING;
    call->number++;
    call->caller = caller;
    call->pipe_id = (uint32_t)nng_pipe_id(nng_msg_get_pipe(message));
    call->replying_since = net_now_ms();
    gateway->open_calls[caller]++;
    gateway->stats.calls_in_flight++;
    gateway->stats.calls++;
    gateway->stats.refused_busy += admitted ? 0 : 1;
    gateway->stats.bytes_received += nng_msg_len(message);
    *id = (uint64_t)call->number << 32 | call->index;
    (void)pthread_mutex_unlock(&gateway->lock);
    return admitted;
}

static void on_call(struct net_call *call, nng_msg *message)
{
    struct net_gateway *gateway = call->gateway;
    uint64_t id = 0;
    uint32_t caller = caller_of(gateway, message);
    if (caller == NET_NOBODY) {
        nng_msg_free(message);
        listen_again(call);
        return;
    }
    if (!open_call(call, caller, message, &id)) {
        nng_msg_free(message);
        struct pbft_bytes busy = {gateway->busy,
                                  gateway->config.busy_reply.size};
        send_reply(call, busy);
        return;
    }
    struct pbft_buffer *buffer = pbft_buffer_wrap(
        nng_msg_body(message), nng_msg_len(message), message, release_message);
    if (buffer == NULL) {
        nng_msg_free(message);
        struct pbft_bytes nothing = {NULL, 0};
        net_gateway_reply(gateway, id, nothing);
        return;
    }
    gateway->config.call(gateway->config.context, id, caller, buffer);
}

static void on_replied(struct net_call *call, int error)
{
    struct net_gateway *gateway = call->gateway;
    if (error != 0) {
        nng_msg_free(nng_aio_get_msg(call->aio));
        nng_aio_set_msg(call->aio, NULL);
    }
    (void)pthread_mutex_lock(&gateway->lock);
    gateway->open_calls[call->caller]--;
    gateway->stats.calls_in_flight--;
    (void)pthread_mutex_unlock(&gateway->lock);
    listen_again(call);
}

static void on_event(void *context)
{
    struct net_call *call = context;
    int error = nng_aio_result(call->aio);
    (void)pthread_mutex_lock(&call->gateway->lock);
    enum net_call_state state = call->state;
    (void)pthread_mutex_unlock(&call->gateway->lock);
    if (state == NET_CALL_REPLYING) {
        on_replied(call, error);
    } else if (error == 0) {
        nng_msg *message = nng_aio_get_msg(call->aio);
        nng_aio_set_msg(call->aio, NULL);
        on_call(call, message);
    } else if (error != NNG_ECLOSED && error != NNG_ECANCELED) {
        listen_again(call);
    }
}

void net_gateway_reply(struct net_gateway *gateway, uint64_t id,
                       struct pbft_bytes bytes)
{
    uint32_t index = (uint32_t)id;
    if (index >= gateway->config.calls_max) {
        return;
    }
    struct net_call *call = &gateway->calls[index];
    (void)pthread_mutex_lock(&gateway->lock);
    bool is_owed =
        call->state == NET_CALL_OPEN && call->number == (uint32_t)(id >> 32);
    if (is_owed) {
        call->state = NET_CALL_REPLYING;
        call->replying_since = net_now_ms();
        gateway->stats.bytes_sent += bytes.size;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    if (is_owed) {
        send_reply(call, bytes);
    }
}

void net_calls_tick(struct net_gateway *gateway, pbft_time_ms now)
{
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        struct net_call *call = &gateway->calls[i];
        (void)pthread_mutex_lock(&gateway->lock);
        bool is_stuck =
            call->state == NET_CALL_REPLYING && now >= call->replying_since &&
            now - call->replying_since >= gateway->config.reply_timeout_ms;
        nng_pipe pipe = {call->pipe_id};
        (void)pthread_mutex_unlock(&gateway->lock);
        if (is_stuck) {
            (void)nng_pipe_close(pipe); /* Ends the send. */
        }
    }
}

enum pbft_status net_calls_create(struct net_gateway *gateway)
{
    nng_socket socket = {gateway->socket_id};
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        struct net_call *call = &gateway->calls[i];
        nng_ctx context;
        call->gateway = gateway;
        call->index = i;
        if (nng_aio_alloc(&call->aio, on_event, call) != 0 ||
            nng_ctx_open(&context, socket) != 0) {
            return PBFT_NO_MEMORY;
        }
        call->context_id = (uint32_t)nng_ctx_id(context);
        nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    }
    return PBFT_OK;
}

void net_calls_start(struct net_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        listen_again(&gateway->calls[i]);
    }
}

void net_calls_destroy(struct net_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        if (gateway->calls[i].aio != NULL) {
            nng_aio_stop(gateway->calls[i].aio);
            nng_aio_free(gateway->calls[i].aio);
        }
    }
}
