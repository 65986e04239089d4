/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in flight, by number, over one raw req0 socket. */
#include "net/channel_private.h"

#include <string.h>

#include <nng/nng.h>

/* Takes a place; the lock is held. NULL: all are taken. */
static struct channel_call *open_call(struct net_channel *channel)
{
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        uint32_t index = (channel->next_index + i) % channel->config.calls_max;
        struct channel_call *call = &channel->calls[index];
        if (!call->is_open) {
            channel->next_index = index + 1;
            channel->runs++;
            call->is_open = true;
            call->number =
                (channel->runs << CALL_INDEX_BITS | index) & CALL_NUMBER_MASK;
            return call;
        }
    }
    return NULL;
}

/* Ends the call of that number; false if there is none (any more). */
static bool end_call(struct net_channel *channel, uint32_t number,
                     uint64_t *token)
{
    uint32_t index = number & CALL_INDEX_MASK;
    bool was_open = false;
    (void)pthread_mutex_lock(&channel->lock);
    if (index < channel->config.calls_max) {
        struct channel_call *call = &channel->calls[index];
        was_open = call->is_open && call->number == number;
        call->is_open = call->is_open && !was_open;
        *token = call->token;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return was_open;
}

void channel_end_calls(struct net_channel *channel, pbft_time_ms now,
                       enum pbft_status status)
{
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        struct channel_call *call = &channel->calls[i];
        (void)pthread_mutex_lock(&channel->lock);
        bool ends = call->is_open &&
                    (status != PBFT_TIMED_OUT || call->deadline <= now);
        call->is_open = call->is_open && !ends;
        uint64_t token = call->token;
        (void)pthread_mutex_unlock(&channel->lock);
        if (ends) {
            channel->config.on_reply(channel->config.context, token, status,
                                     NULL);
        }
    }
}

static void release_message(void *owner)
{
    nng_msg_free(owner);
}

static void on_message(struct net_channel *channel, nng_msg *message)
{
    uint32_t number = 0;
    uint64_t token = 0;
    /* The header that a replica sends back is the number that we sent. */
    if (nng_msg_header_len(message) != sizeof number ||
        nng_msg_header_trim_u32(message, &number) != 0 ||
        !end_call(channel, number & CALL_NUMBER_MASK, &token)) {
        nng_msg_free(message); /* Late, or nonsense. */
        return;
    }
    struct pbft_buffer *reply = pbft_buffer_wrap(
        nng_msg_body(message), nng_msg_len(message), message, release_message);
    if (reply == NULL) {
        nng_msg_free(message);
    }
    channel->config.on_reply(channel->config.context, token,
                             reply != NULL ? PBFT_OK : PBFT_UNREACHABLE, reply);
}

static void receive_next(struct channel_read *read)
{
    nng_socket socket = {read->channel->socket_id};
    nng_recv_aio(socket, read->aio);
}

static void on_received(void *context)
{
    struct channel_read *read = context;
    int error = nng_aio_result(read->aio);
    if (error == NNG_ECLOSED || error == NNG_ECANCELED) {
        return;
    }
    if (error == 0) {
        nng_msg *message = nng_aio_get_msg(read->aio);
        nng_aio_set_msg(read->aio, NULL);
        on_message(read->channel, message);
    }
    receive_next(read);
}

enum pbft_status net_channel_call(struct net_channel *channel, uint64_t token,
                                  struct pbft_bytes bytes,
                                  pbft_time_ms deadline_ms)
{
    bool claims = channel->tls == NULL;
    size_t front = claims ? NET_CLAIM_SIZE : 0;
    nng_msg *message = NULL;
    if (bytes.size > channel->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    if (nng_msg_alloc(&message, front + bytes.size) != 0) {
        return PBFT_NO_MEMORY;
    }
    if (claims) {
        net_claim_write(nng_msg_body(message), channel->config.caller);
    }
    if (bytes.size > 0) {
        memcpy((uint8_t *)nng_msg_body(message) + front, bytes.data,
               bytes.size);
    }
    (void)pthread_mutex_lock(&channel->lock);
    bool is_up = channel->pipe_id != 0 && !channel->is_closing;
    struct channel_call *call = is_up ? open_call(channel) : NULL;
    uint32_t number = 0;
    if (call != NULL) {
        number = call->number;
        call->token = token;
        call->deadline = deadline_ms;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    if (call == NULL ||
        nng_msg_header_append_u32(message, number | CALL_END_BIT) != 0) {
        nng_msg_free(message);
        (void)(call != NULL && end_call(channel, number, &token));
        return is_up ? PBFT_LIMIT : PBFT_UNREACHABLE;
    }
    enum pbft_status status = net_outbox_push(channel->outbox, message);
    if (status != PBFT_OK && !end_call(channel, number, &token)) {
        return PBFT_OK; /* The breaking connection has ended it already. */
    }
    return status;
}

enum pbft_status channel_start_reads(struct net_channel *channel)
{
    for (size_t i = 0; i < CHANNEL_READS; i++) {
        struct channel_read *read = &channel->reads[i];
        read->channel = channel;
        if (nng_aio_alloc(&read->aio, on_received, read) != 0) {
            return PBFT_NO_MEMORY;
        }
        nng_aio_set_timeout(read->aio, NNG_DURATION_INFINITE);
        receive_next(read);
    }
    return PBFT_OK;
}

void channel_stop_reads(struct net_channel *channel)
{
    for (size_t i = 0; i < CHANNEL_READS; i++) {
        if (channel->reads[i].aio != NULL) {
            nng_aio_stop(channel->reads[i].aio);
            nng_aio_free(channel->reads[i].aio);
        }
    }
}
