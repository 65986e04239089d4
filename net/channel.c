/* SPDX-License-Identifier: Apache-2.0 */
/* Many calls over one connection: req0 in raw mode, call numbers of our own. */
#include "net/channel.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "net/endpoint.h"

#define CALL_INDEX_BITS 16
#define CALLS_LIMIT (1u << CALL_INDEX_BITS)
#define NUMBER_MASK 0x7fffffffu
#define NUMBER_IS_LAST 0x80000000u /* Ends the backtrace of req0. */
#define TICK_MS 100

struct pending {
    bool is_used;
    uint32_t generation;
    uint64_t token;
    pbft_time_ms deadline_ms;
};

struct net_channel {
    struct net_channel_config
        config; /* Pointers in it are not valid any more. */
    struct endpoint_dial dial;
    nng_socket socket;
    nng_dialer dialer;
    bool is_open;
    nng_aio *aio;

    pthread_mutex_t lock;
    struct pending *pending;
    uint32_t next_index;
    uint32_t pipe; /* 0: not connected. */
    pbft_time_ms dialed_ms;
    pbft_time_ms patience_ms; /* Then the dial is made anew. */
    bool closing;
};

#define PATIENCE_MAX_MS 60000

void net_channel_config_defaults(struct net_channel_config *config)
{
    memset(config, 0, sizeof(*config));
    config->frame_bytes_max = 16u * 1024 * 1024;
    config->calls_max = 1024;
    config->handshake_timeout_ms = 5000;
    config->reconnect_min_ms = 20;
    config->reconnect_max_ms = 1000;
}

static uint32_t number_of(const struct net_channel *channel, uint32_t index)
{
    return (channel->pending[index].generation << CALL_INDEX_BITS | index) &
           NUMBER_MASK;
}

/* Ends call `index`; lock held. */
static uint64_t end_call(struct net_channel *channel, uint32_t index)
{
    channel->pending[index].is_used = false;
    channel->pending[index].generation++;
    return channel->pending[index].token;
}

/* Ends all calls that `is_over` says, one at a time, telling each. */
static void end_calls(struct net_channel *channel, enum pbft_status status,
                      pbft_time_ms before_ms)
{
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        uint64_t token = 0;
        bool ended = false;
        (void)pthread_mutex_lock(&channel->lock);
        if (channel->pending[i].is_used &&
            channel->pending[i].deadline_ms <= before_ms) {
            token = end_call(channel, i);
            ended = true;
        }
        (void)pthread_mutex_unlock(&channel->lock);
        if (ended) {
            channel->config.on_reply(channel->config.context, token, status,
                                     NULL);
        }
    }
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_channel *channel = context;
    uint32_t id = (uint32_t)nng_pipe_id(pipe);
    bool came = false;
    bool went = false;

    (void)pthread_mutex_lock(&channel->lock);
    if (event == NNG_PIPE_EV_ADD_POST) {
        channel->pipe = id;
        channel->patience_ms =
            2 * (pbft_time_ms)channel->config.handshake_timeout_ms;
        came = true;
    } else if (event == NNG_PIPE_EV_REM_POST && channel->pipe == id) {
        channel->pipe = 0;
        channel->dialed_ms = endpoint_now_ms();
        went = true;
    }
    bool closing = channel->closing;
    (void)pthread_mutex_unlock(&channel->lock);
    if (closing) {
        return;
    }
    if (went) {
        end_calls(channel, PBFT_UNREACHABLE, PBFT_TIME_NEVER);
    }
    if ((came || went) && channel->config.on_state != NULL) {
        channel->config.on_state(channel->config.context, came);
    }
}

/* The call that a reply belongs to; false if it was given up. */
static bool match(struct net_channel *channel, nng_msg *message,
                  uint64_t *token)
{
    uint32_t number = 0;
    bool good = false;

    if (nng_msg_header_trim_u32(message, &number) != 0) {
        return false;
    }
    uint32_t index = number & (CALLS_LIMIT - 1);
    (void)pthread_mutex_lock(&channel->lock);
    if (index < channel->config.calls_max && channel->pending[index].is_used &&
        number_of(channel, index) == (number & NUMBER_MASK)) {
        *token = end_call(channel, index);
        good = true;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return good;
}

static void on_read(void *context)
{
    struct net_channel *channel = context;
    int result = nng_aio_result(channel->aio);
    uint64_t token = 0;

    if (result == NNG_ECLOSED || result == NNG_ECANCELED) {
        return;
    }
    if (result == 0) {
        nng_msg *message = nng_aio_get_msg(channel->aio);
        if (match(channel, message, &token)) {
            struct pbft_buffer *buffer = endpoint_wrap(message);
            channel->config.on_reply(channel->config.context, token,
                                     buffer != NULL ? PBFT_OK : PBFT_NO_MEMORY,
                                     buffer);
        } else {
            nng_msg_free(message);
        }
    }
    nng_recv_aio(channel->socket, channel->aio);
}

/* ---- calling ------------------------------------------------------------- */

/* A free place for a call; lock held. CALLS_LIMIT if there is none. */
static uint32_t find_place(struct net_channel *channel)
{
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        uint32_t index = (channel->next_index + i) % channel->config.calls_max;
        if (!channel->pending[index].is_used) {
            channel->next_index = index + 1;
            return index;
        }
    }
    return CALLS_LIMIT;
}

static nng_msg *make_message(const struct net_channel *channel,
                             struct pbft_bytes bytes)
{
    nng_msg *message = NULL;

    if (nng_msg_alloc(&message, 0) != 0) {
        return NULL;
    }
    if ((channel->config.security != NET_TLS &&
         nng_msg_append_u32(message, channel->config.caller) != 0) ||
        nng_msg_append(message, bytes.data, bytes.size) != 0) {
        nng_msg_free(message);
        return NULL;
    }
    return message;
}

/* Registers the call; its number goes into the header. */
static enum pbft_status enter(struct net_channel *channel, uint64_t token,
                              pbft_time_ms deadline_ms, uint32_t *index,
                              uint32_t *number)
{
    enum pbft_status status = PBFT_OK;

    (void)pthread_mutex_lock(&channel->lock);
    if (channel->pipe == 0 || channel->closing) {
        status = PBFT_UNREACHABLE;
    } else if ((*index = find_place(channel)) == CALLS_LIMIT) {
        status = PBFT_LIMIT;
    } else {
        struct pending *pending = &channel->pending[*index];
        pending->is_used = true;
        pending->token = token;
        pending->deadline_ms = deadline_ms;
        *number = number_of(channel, *index);
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return status;
}

/* Takes the call back; false if it has ended meanwhile. */
static bool take_back(struct net_channel *channel, uint32_t index,
                      uint32_t number)
{
    bool was_there = false;

    (void)pthread_mutex_lock(&channel->lock);
    if (channel->pending[index].is_used &&
        number_of(channel, index) == number) {
        (void)end_call(channel, index);
        was_there = true;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return was_there;
}

enum pbft_status net_channel_call(struct net_channel *channel, uint64_t token,
                                  struct pbft_bytes bytes,
                                  pbft_time_ms deadline_ms)
{
    uint32_t index = 0;
    uint32_t number = 0;

    if (bytes.size > channel->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    nng_msg *message = make_message(channel, bytes);
    if (message == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        enter(channel, token, deadline_ms, &index, &number);
    if (status != PBFT_OK) {
        nng_msg_free(message);
        return status;
    }
    if (nng_msg_header_append_u32(message, number | NUMBER_IS_LAST) != 0 ||
        nng_sendmsg(channel->socket, message, NNG_FLAG_NONBLOCK) != 0) {
        nng_msg_free(message);
        /* If it ended meanwhile, on_reply() has been called: all is said. */
        return take_back(channel, index, number) ? PBFT_LIMIT : PBFT_OK;
    }
    return PBFT_OK;
}

static bool should_redial(struct net_channel *channel, pbft_time_ms now_ms,
                          nng_dialer *old)
{
    bool redial = false;

    (void)pthread_mutex_lock(&channel->lock);
    if (channel->pipe == 0 && !channel->closing &&
        now_ms - channel->dialed_ms > channel->patience_ms) {
        channel->patience_ms = channel->patience_ms < PATIENCE_MAX_MS / 2
                                   ? channel->patience_ms * 2
                                   : PATIENCE_MAX_MS;
        channel->dialed_ms = now_ms;
        *old = channel->dialer;
        redial = true;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return redial;
}

pbft_time_ms net_channel_tick(struct net_channel *channel, pbft_time_ms now_ms)
{
    nng_dialer old = NNG_DIALER_INITIALIZER;

    end_calls(channel, PBFT_TIMED_OUT, now_ms);
    if (should_redial(channel, now_ms, &old)) {
        (void)nng_dialer_close(old);
        if (endpoint_dial(channel->socket, &channel->dialer, &channel->dial) !=
            PBFT_OK) {
            return now_ms + TICK_MS; /* Tried again after more patience. */
        }
    }
    return now_ms + TICK_MS;
}

/* ---- opening and closing ------------------------------------------------- */

static enum pbft_status open_socket(struct net_channel *channel)
{
    const struct net_channel_config *config = &channel->config;

    if (nng_req0_open_raw(&channel->socket) != 0) {
        return PBFT_NO_MEMORY;
    }
    channel->is_open = true;
    (void)nng_pipe_notify(channel->socket, NNG_PIPE_EV_ADD_POST, on_pipe,
                          channel);
    (void)nng_pipe_notify(channel->socket, NNG_PIPE_EV_REM_POST, on_pipe,
                          channel);
    if (nng_socket_set_size(channel->socket, NNG_OPT_RECVMAXSZ,
                            config->frame_bytes_max) != 0 ||
        nng_socket_set_int(channel->socket, NNG_OPT_SENDBUF,
                           (int)config->calls_max) != 0 ||
        nng_aio_alloc(&channel->aio, on_read, channel) != 0) {
        return PBFT_IO;
    }
    nng_recv_aio(channel->socket, channel->aio);
    return endpoint_dial(channel->socket, &channel->dialer, &channel->dial);
}

static void fill_defaults(struct net_channel *channel)
{
    struct net_channel_config defaults;
    struct net_channel_config *config = &channel->config;

    net_channel_config_defaults(&defaults);
    if (config->frame_bytes_max == 0) {
        config->frame_bytes_max = defaults.frame_bytes_max;
    }
    if (config->calls_max == 0) {
        config->calls_max = defaults.calls_max;
    }
    if (config->handshake_timeout_ms == 0) {
        config->handshake_timeout_ms = defaults.handshake_timeout_ms;
    }
    if (config->reconnect_min_ms == 0) {
        config->reconnect_min_ms = defaults.reconnect_min_ms;
    }
    if (config->reconnect_max_ms == 0) {
        config->reconnect_max_ms = defaults.reconnect_max_ms;
    }
    channel->dial.reconnect_min_ms = config->reconnect_min_ms;
    channel->dial.reconnect_max_ms = config->reconnect_max_ms;
    channel->dialed_ms = endpoint_now_ms();
    channel->patience_ms = 2 * (pbft_time_ms)config->handshake_timeout_ms;
}

enum pbft_status net_channel_open(const struct net_channel_config *config,
                                  struct net_channel **out,
                                  struct net_problem *problem)
{
    if (config->on_reply == NULL || config->calls_max >= CALLS_LIMIT / 2) {
        return PBFT_INVALID_CONFIG;
    }
    struct net_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL) {
        return PBFT_NO_MEMORY;
    }
    channel->config = *config;
    fill_defaults(channel);
    (void)pthread_mutex_init(&channel->lock, NULL);
    channel->pending =
        calloc(channel->config.calls_max, sizeof(*channel->pending));
    enum pbft_status status =
        channel->pending == NULL ? PBFT_NO_MEMORY : tls_engine_install();
    if (status == PBFT_OK &&
        !endpoint_url(channel->dial.url, config->security, config->address)) {
        status = PBFT_INVALID_CONFIG;
    }
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = tls_client_config(&channel->dial.config, config->member,
                                   &config->own, problem);
    }
    if (status == PBFT_OK) {
        status = open_socket(channel);
    }
    if (status != PBFT_OK) {
        net_channel_close(channel);
        return status;
    }
    *out = channel;
    return PBFT_OK;
}

void net_channel_close(struct net_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&channel->lock);
    channel->closing = true;
    (void)pthread_mutex_unlock(&channel->lock);
    if (channel->is_open) {
        (void)nng_close(channel->socket);
    }
    if (channel->aio != NULL) {
        nng_aio_stop(channel->aio);
        nng_aio_free(channel->aio);
    }
    if (channel->pending != NULL) {
        end_calls(channel, PBFT_CLOSED, PBFT_TIME_NEVER);
    }
    if (channel->dial.config != NULL) {
        tls_config_free(channel->dial.config);
    }
    free(channel->pending);
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel);
}

bool net_channel_is_connected(struct net_channel *channel)
{
    (void)pthread_mutex_lock(&channel->lock);
    bool connected = channel->pipe != 0;
    (void)pthread_mutex_unlock(&channel->lock);
    return connected;
}

void net_channel_problem(struct net_channel *channel,
                         struct net_problem *problem)
{
    memset(problem, 0, sizeof(*problem));
    if (!net_channel_is_connected(channel)) {
        tls_last_problem(problem);
    }
}
