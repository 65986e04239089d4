/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of a client to one replica: dial, watch, close. */
#include "net/channel_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>

#define CHANNEL_TICK_MS 250
/* As in peers_dial.c: a dial that the kernel alone cannot end. */
#define CHANNEL_DIAL_PATIENCE_MS 20000

void net_channel_config_defaults(struct net_channel_config *config)
{
    memset(config, 0, sizeof *config);
    config->frame_bytes_max = 16u * 1024u * 1024u;
    config->calls_max = 1024;
    config->handshake_timeout_ms = 5000;
    config->reconnect_min_ms = 100;
    config->reconnect_max_ms = 2000;
}

static void fill_in(struct net_channel_config *config)
{
    struct net_channel_config defaults;
    net_channel_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = config->field != 0 ? config->field : defaults.field
    NET_FILL(frame_bytes_max);
    NET_FILL(calls_max);
    NET_FILL(handshake_timeout_ms);
    NET_FILL(reconnect_min_ms);
    NET_FILL(reconnect_max_ms);
#undef NET_FILL
    if (config->calls_max > CALL_INDEX_MASK) {
        config->calls_max = CALL_INDEX_MASK;
    }
}

/* ---- the connection ------------------------------------------------------ */

static void note(struct net_channel *channel, const char *text)
{
    (void)pthread_mutex_lock(&channel->lock);
    net_problem_set(&channel->problem, "%s", text);
    (void)pthread_mutex_unlock(&channel->lock);
}

static void on_arrival(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_channel *channel = context;
    struct tls_identity identity;
    (void)event;
    if (channel->tls != NULL &&
        (!tls_pipe_identity((uint32_t)nng_pipe_id(pipe), &identity) ||
         net_members_find(channel->member, NET_ROLE_REPLICA, &identity) != 0)) {
        note(channel, "the replica has the certificate of another one");
        (void)nng_pipe_close(pipe);
    }
}

static void on_connected(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_channel *channel = context;
    (void)event;
    net_outbox_set(channel->outbox, NET_OUTBOX_UP);
    (void)pthread_mutex_lock(&channel->lock);
    channel->pipe_id = (uint32_t)nng_pipe_id(pipe);
    channel->problem.text[0] = '\0';
    (void)pthread_mutex_unlock(&channel->lock);
    if (channel->config.on_state != NULL) {
        channel->config.on_state(channel->config.context, true);
    }
}

static void on_disconnected(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_channel *channel = context;
    (void)event;
    (void)pthread_mutex_lock(&channel->lock);
    bool was_ours = channel->pipe_id == (uint32_t)nng_pipe_id(pipe);
    if (was_ours) {
        channel->pipe_id = 0;
    }
    bool is_closing = channel->is_closing;
    (void)pthread_mutex_unlock(&channel->lock);
    if (!was_ours) {
        return;
    }
    net_outbox_set(channel->outbox, NET_OUTBOX_DOWN);
    channel_end_calls(channel, 0, is_closing ? PBFT_CLOSED : PBFT_UNREACHABLE);
    if (!is_closing && channel->config.on_state != NULL) {
        channel->config.on_state(channel->config.context, false);
    }
}

static int start_dialer(struct net_channel *channel, pbft_time_ms now)
{
    channel->dialer_since = now;
    nng_socket socket = {channel->socket_id};
    nng_dialer dialer;
    int error = nng_dialer_create(&dialer, socket, channel->url);
    if (error != 0) {
        return error;
    }
    if (channel->tls != NULL) {
        error = nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG,
                                   tls_config_handle(channel->tls));
    }
    if (error == 0) {
        error = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    }
    if (error != 0) {
        (void)nng_dialer_close(dialer);
        return error;
    }
    channel->dialer_id = (uint32_t)nng_dialer_id(dialer);
    return 0;
}

pbft_time_ms net_channel_tick(struct net_channel *channel, pbft_time_ms now_ms)
{
    channel_end_calls(channel, now_ms, PBFT_TIMED_OUT);
    if (net_channel_is_connected(channel)) {
        channel->dialer_since = now_ms;
        return now_ms + CHANNEL_TICK_MS;
    }
    pbft_time_ms waits_since =
        channel->tls != NULL ? tls_config_dialing_since(channel->tls) : 0;
    bool hangs = (waits_since != 0 &&
                  now_ms >= waits_since + channel->config.handshake_timeout_ms);
    if (hangs || now_ms >= channel->dialer_since + CHANNEL_DIAL_PATIENCE_MS) {
        note(channel, "the replica accepts connections but does not answer");
        nng_dialer dialer = {channel->dialer_id};
        (void)nng_dialer_close(dialer);
        (void)start_dialer(channel, now_ms); /* Else at the next patience. */
    }
    return now_ms + CHANNEL_TICK_MS;
}

bool net_channel_is_connected(struct net_channel *channel)
{
    (void)pthread_mutex_lock(&channel->lock);
    bool is_connected = channel->pipe_id != 0;
    (void)pthread_mutex_unlock(&channel->lock);
    return is_connected;
}

void net_channel_problem(struct net_channel *channel,
                         struct net_problem *problem)
{
    struct net_problem last;
    uint64_t failures =
        channel->tls != NULL ? tls_config_failures(channel->tls, &last) : 0;
    (void)pthread_mutex_lock(&channel->lock);
    *problem = channel->problem;
    bool is_connected = channel->pipe_id != 0;
    (void)pthread_mutex_unlock(&channel->lock);
    if (!is_connected && problem->text[0] == '\0') {
        net_problem_set(problem, "%s",
                        failures > 0 ? last.text : "no connection");
    }
}

/* ---- opening and closing ------------------------------------------------- */

static int set_up_socket(struct net_channel *channel)
{
    const struct net_channel_config *config = &channel->config;
    nng_duration low = (nng_duration)config->reconnect_min_ms;
    nng_duration high = (nng_duration)config->reconnect_max_ms;
    nng_socket socket;
    int error = nng_req0_open_raw(&socket);
    if (error != 0) {
        return error;
    }
    channel->socket_id = (uint32_t)nng_socket_id(socket);
    if ((error = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, low)) != 0 ||
        (error = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, high)) != 0 ||
        (error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ,
                                     (size_t)config->frame_bytes_max +
                                         sizeof(uint32_t))) != 0 ||
        (error = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_arrival,
                                 channel)) != 0 ||
        (error = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, on_connected,
                                 channel)) != 0) {
        return error;
    }
    return nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, on_disconnected,
                           channel);
}

static enum pbft_status make_tls(struct net_channel *channel,
                                 const struct net_channel_config *config,
                                 struct net_problem *problem)
{
    char name[TLS_NAME_SIZE];
    struct pbft_bytes ca = net_members_ca(channel->member, 0);
    net_role_name(name, NET_ROLE_REPLICA, net_members_name(channel->member, 0));
    struct tls_setup setup = {
        .role = TLS_DIAL,
        .own = config->own,
        .trusted = &ca,
        .trusted_count = 1,
        .server_name = name,
    };
    return tls_config_create(&channel->tls, &setup, problem);
}

static enum pbft_status open_all(struct net_channel *channel,
                                 struct net_problem *problem)
{
    const struct net_channel_config *config = &channel->config;
    struct net_outbox_limits limits = {
        .messages_max = config->calls_max,
        .bytes_max = config->frame_bytes_max,
    };
    channel->calls = calloc(config->calls_max, sizeof *channel->calls);
    enum pbft_status status =
        channel->calls == NULL
            ? PBFT_NO_MEMORY
            : net_members_create(&channel->member, config->member, 1, problem);
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = make_tls(channel, config, problem);
    }
    if (status == PBFT_OK) {
        status = net_status_of(set_up_socket(channel));
    }
    if (status == PBFT_OK) {
        status =
            net_outbox_create(&channel->outbox, channel->socket_id, &limits);
    }
    if (status == PBFT_OK) {
        status = channel_start_reads(channel);
    }
    if (status == PBFT_OK) {
        int error = start_dialer(channel, net_now_ms());
        if (error != 0) {
            net_problem_set(problem, "cannot dial %s: %s", config->address,
                            nng_strerror(error));
        }
        status = net_status_of(error);
    }
    return status;
}

enum pbft_status net_channel_open(const struct net_channel_config *config,
                                  struct net_channel **out,
                                  struct net_problem *problem)
{
    char url[NET_URL_MAX];
    enum pbft_status status =
        net_url(url, config->address, config->security, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        return PBFT_NO_MEMORY;
    }
    channel->config = *config;
    fill_in(&channel->config);
    memcpy(channel->url, url, sizeof url);
    (void)pthread_mutex_init(&channel->lock, NULL);
    status = open_all(channel, problem);
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
    channel->is_closing = true;
    (void)pthread_mutex_unlock(&channel->lock);
    if (channel->socket_id != 0) {
        nng_socket socket = {channel->socket_id};
        (void)nng_close(socket);
    }
    channel_stop_reads(channel);
    if (channel->calls != NULL) {
        channel_end_calls(channel, 0, PBFT_CLOSED);
    }
    net_outbox_destroy(channel->outbox);
    tls_config_destroy(channel->tls);
    net_members_destroy(channel->member);
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel->calls);
    free(channel);
}
