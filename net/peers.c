/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the channels between replicas, and keeping them alive. */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/peers_private.h"

#define TICK_MS 500
#define PATIENCE_MAX_MS 300000 /* Between two dials that are made anew. */

void net_peers_config_defaults(struct net_peers_config *config)
{
    memset(config, 0, sizeof(*config));
    config->frame_bytes_max = 16u * 1024 * 1024;
    config->outbox_bytes_max = 64u * 1024 * 1024;
    config->outbox_messages_max = 4096;
    config->connections_max = 4;
    config->silence_ms = 10000;
    config->handshake_timeout_ms = 5000;
    config->reconnect_min_ms = 50;
    config->reconnect_max_ms = 1000;
}

static void take_default(uint32_t *value, uint32_t by_default)
{
    if (*value == 0) {
        *value = by_default;
    }
}

static void fill_defaults(struct net_peers_config *config)
{
    struct net_peers_config defaults;

    net_peers_config_defaults(&defaults);
    take_default(&config->frame_bytes_max, defaults.frame_bytes_max);
    take_default(&config->outbox_bytes_max, defaults.outbox_bytes_max);
    take_default(&config->outbox_messages_max, defaults.outbox_messages_max);
    take_default(&config->connections_max, defaults.connections_max);
    take_default(&config->silence_ms, defaults.silence_ms);
    take_default(&config->handshake_timeout_ms, defaults.handshake_timeout_ms);
    take_default(&config->reconnect_min_ms, defaults.reconnect_min_ms);
    take_default(&config->reconnect_max_ms, defaults.reconnect_max_ms);
}

/* ---- pipes --------------------------------------------------------------- */

/* A connection was made to us: by whom? */
static void on_accept(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_peers *peers = context;
    struct net_problem problem = {{0}};
    uint32_t member = NET_NOBODY;

    if (event == NNG_PIPE_EV_REM_POST) {
        (void)pthread_mutex_lock(&peers->lock);
        endpoint_pipes_remove(&peers->pipes, (uint32_t)nng_pipe_id(pipe));
        (void)pthread_mutex_unlock(&peers->lock);
        return;
    }
    if (event != NNG_PIPE_EV_ADD_PRE) {
        return;
    }
    if (peers->config.security == NET_TLS) {
        member = tls_peer_of(peers->members, (uint32_t)nng_pipe_id(pipe),
                             TLS_REPLICA, &problem);
    }
    (void)pthread_mutex_lock(&peers->lock);
    bool good = peers->config.security != NET_TLS || member != NET_NOBODY;
    if (!good) {
        peers->totals.strangers++;
        peers->totals.last = problem;
    } else if (member != NET_NOBODY &&
               endpoint_pipes_count(&peers->pipes, member) >=
                   peers->config.connections_max) {
        good = false;
    } else {
        good = endpoint_pipes_add(&peers->pipes, pipe, member) != NULL;
    }
    (void)pthread_mutex_unlock(&peers->lock);
    if (!good) {
        (void)nng_pipe_close(pipe);
    }
}

/* Our connection to a peer came up or broke. */
static void on_dialed(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct peer *peer = context;
    struct net_peers *peers = peer->outbox.peers;
    uint32_t id = (uint32_t)nng_pipe_id(pipe);

    (void)pthread_mutex_lock(&peers->lock);
    if (event == NNG_PIPE_EV_ADD_POST) {
        peer->pipe = id;
        peer->stats.connects++;
        peer->heard_ms = endpoint_now_ms();
        peer->patience_ms =
            2 * (pbft_time_ms)peers->config.handshake_timeout_ms;
    } else if (event == NNG_PIPE_EV_REM_POST && peer->pipe == id) {
        peer->pipe = 0;
        peer->dialed_ms = endpoint_now_ms();
        peer->stats.messages_dropped += outbox_clear(&peer->outbox);
    }
    (void)pthread_mutex_unlock(&peers->lock);
}

/* ---- receiving ----------------------------------------------------------- */

static void read_next(struct reading *reading)
{
    nng_recv_aio(reading->peers->pull, reading->aio);
}

/* Who sent it. Trims the claim of plain TCP. */
static pbft_replica_id sender_of(struct net_peers *peers, nng_msg *message,
                                 uint32_t pipe)
{
    pbft_replica_id from = NET_NOBODY;

    (void)pthread_mutex_lock(&peers->lock);
    struct endpoint_pipe *item = endpoint_pipes_find(&peers->pipes, pipe);
    if (item != NULL) {
        from = item->member;
        if (peers->config.security != NET_TLS &&
            nng_msg_trim_u32(message, &from) != 0) {
            from = NET_NOBODY;
        }
        item->member = from;
        item->heard_ms = endpoint_now_ms();
    }
    if (from < peers->config.member_count && from != peers->config.self) {
        struct peer *peer = &peers->peers[from];
        peer->heard_ms = endpoint_now_ms();
        peer->stats.messages_received++;
        peer->stats.bytes_received += nng_msg_len(message);
    } else {
        from = NET_NOBODY;
    }
    (void)pthread_mutex_unlock(&peers->lock);
    return from;
}

static void on_read(void *context)
{
    struct reading *reading = context;
    struct net_peers *peers = reading->peers;

    if (nng_aio_result(reading->aio) != 0) {
        if (nng_aio_result(reading->aio) != NNG_ECLOSED) {
            read_next(reading);
        }
        return;
    }
    nng_msg *message = nng_aio_get_msg(reading->aio);
    nng_pipe pipe = nng_msg_get_pipe(message);
    pbft_replica_id from =
        sender_of(peers, message, (uint32_t)nng_pipe_id(pipe));
    if (from == NET_NOBODY) {
        nng_msg_free(message);
        (void)nng_pipe_close(pipe);
        read_next(reading);
        return;
    }
    struct pbft_buffer *buffer = endpoint_wrap(message);
    if (buffer != NULL && peers->config.receive(peers->config.context, from,
                                                buffer) == NET_LATER) {
        (void)pthread_mutex_lock(&peers->lock);
        reading->parked = buffer;
        reading->parked_from = from;
        (void)pthread_mutex_unlock(&peers->lock);
        return; /* net_peers_resume() goes on. */
    }
    read_next(reading);
}

void net_peers_resume(struct net_peers *peers)
{
    for (uint32_t i = 0; i < NET_PEERS_READS; i++) {
        struct reading *reading = &peers->readings[i];
        (void)pthread_mutex_lock(&peers->lock);
        struct pbft_buffer *parked = reading->parked;
        reading->parked = NULL;
        (void)pthread_mutex_unlock(&peers->lock);
        if (parked == NULL) {
            continue;
        }
        if (peers->config.receive(peers->config.context, reading->parked_from,
                                  parked) == NET_LATER) {
            (void)pthread_mutex_lock(&peers->lock);
            reading->parked = parked;
            (void)pthread_mutex_unlock(&peers->lock);
        } else {
            read_next(reading);
        }
    }
}

/* ---- keeping alive ------------------------------------------------------- */

/* NNG waits for ever for a handshake with a host that says nothing: a dial that
 * takes too long is given up and made anew. */
static bool hangs(const struct peer *peer, pbft_time_ms now)
{
    return peer->is_open && peer->pipe == 0 &&
           now - peer->dialed_ms > peer->patience_ms;
}

static void tick_peer(struct net_peers *peers, struct peer *peer,
                      pbft_time_ms now)
{
    nng_pipe silent = NNG_PIPE_INITIALIZER;
    nng_dialer old = NNG_DIALER_INITIALIZER;
    bool redial = false;

    (void)pthread_mutex_lock(&peers->lock);
    if (hangs(peer, now)) {
        /* A host that is merely down looks the same: ever more patience. */
        peer->patience_ms = peer->patience_ms < PATIENCE_MAX_MS / 2
                                ? peer->patience_ms * 2
                                : PATIENCE_MAX_MS;
        old = peer->dialer;
        peer->dialed_ms = now;
        peer->stats.redials++;
        redial = true;
    } else if (peer->pipe != 0 &&
               now - peer->heard_ms > peers->config.silence_ms) {
        silent.id = peer->pipe;
    }
    (void)pthread_mutex_unlock(&peers->lock);
    if (silent.id != 0) {
        (void)nng_pipe_close(silent);
    }
    if (redial) {
        nng_dialer fresh = NNG_DIALER_INITIALIZER;
        (void)nng_dialer_close(old);
        if (endpoint_dial(peer->socket, &fresh, &peer->dial) == PBFT_OK) {
            (void)pthread_mutex_lock(&peers->lock);
            peer->dialer = fresh;
            (void)pthread_mutex_unlock(&peers->lock);
        }
    }
}

/* Accepted connections that have been silent for too long. */
static void close_silent_pipes(struct net_peers *peers, pbft_time_ms now)
{
    for (uint32_t i = 0; i < peers->pipes.capacity; i++) {
        nng_pipe silent = NNG_PIPE_INITIALIZER;
        (void)pthread_mutex_lock(&peers->lock);
        const struct endpoint_pipe *item = &peers->pipes.items[i];
        if (item->pipe != 0 &&
            now - item->heard_ms > peers->config.silence_ms) {
            silent.id = item->pipe;
        }
        (void)pthread_mutex_unlock(&peers->lock);
        if (silent.id != 0) {
            (void)nng_pipe_close(silent);
        }
    }
}

static void *tick(void *context)
{
    struct net_peers *peers = context;

    (void)pthread_mutex_lock(&peers->lock);
    while (!peers->closing) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&peers->wake, &peers->lock, &until);
        if (peers->closing) {
            break;
        }
        pbft_time_ms now = endpoint_now_ms();
        peers->totals.reaped +=
            endpoint_reap(&peers->reaper, &peers->pipes, now,
                          peers->config.handshake_timeout_ms);
        (void)pthread_mutex_unlock(&peers->lock);
        for (uint32_t i = 0; i < peers->config.member_count; i++) {
            if (i != peers->config.self) {
                tick_peer(peers, &peers->peers[i], now);
            }
        }
        close_silent_pipes(peers, now);
        (void)pthread_mutex_lock(&peers->lock);
    }
    (void)pthread_mutex_unlock(&peers->lock);
    return NULL;
}

/* ---- opening ------------------------------------------------------------- */

static enum pbft_status open_pull(struct net_peers *peers,
                                  const struct net_peers_config *config,
                                  struct net_problem *problem)
{
    if (nng_pull0_open(&peers->pull) != 0) {
        return PBFT_NO_MEMORY;
    }
    peers->pull_is_open = true;
    for (int event = NNG_PIPE_EV_ADD_PRE; event <= NNG_PIPE_EV_REM_POST;
         event++) {
        if (nng_pipe_notify(peers->pull, (nng_pipe_ev)event, on_accept,
                            peers) != 0) {
            return PBFT_NO_MEMORY;
        }
    }
    /* Before the listener is made, which copies it. */
    if (nng_socket_set_size(peers->pull, NNG_OPT_RECVMAXSZ,
                            config->frame_bytes_max + ENDPOINT_CLAIM_SIZE) !=
        0) {
        return PBFT_IO;
    }
    enum pbft_status status =
        endpoint_listen(peers->pull, &peers->listener, config->listen_address,
                        peers->server_config, problem);
    if (status == PBFT_OK) {
        peers->reaper.port = endpoint_port(peers->listener);
    }
    return status;
}

static enum pbft_status open_readings(struct net_peers *peers)
{
    for (uint32_t i = 0; i < NET_PEERS_READS; i++) {
        peers->readings[i].peers = peers;
        if (nng_aio_alloc(&peers->readings[i].aio, on_read,
                          &peers->readings[i]) != 0) {
            return PBFT_NO_MEMORY;
        }
        read_next(&peers->readings[i]);
    }
    return PBFT_OK;
}

static enum pbft_status open_peer(struct net_peers *peers, uint32_t id,
                                  const struct net_peers_config *config,
                                  struct net_problem *problem)
{
    struct peer *peer = &peers->peers[id];
    const struct net_member *member = &config->members[id];
    enum pbft_status status = PBFT_OK;

    if (member->address == NULL ||
        !endpoint_url(peer->dial.url, config->security, member->address)) {
        return PBFT_INVALID_CONFIG;
    }
    if (config->security == NET_TLS) {
        status = tls_client_config(&peer->dial.config, member, &config->own,
                                   problem);
    }
    if (status == PBFT_OK) {
        status = outbox_init(&peer->outbox, peers);
    }
    if (status != PBFT_OK || nng_push0_open(&peer->socket) != 0) {
        return status != PBFT_OK ? status : PBFT_NO_MEMORY;
    }
    peer->is_open = true;
    peer->dial.reconnect_min_ms = peers->config.reconnect_min_ms;
    peer->dial.reconnect_max_ms = peers->config.reconnect_max_ms;
    peer->dialed_ms = endpoint_now_ms();
    peer->heard_ms = peer->dialed_ms;
    peer->patience_ms = 2 * (pbft_time_ms)peers->config.handshake_timeout_ms;
    (void)nng_pipe_notify(peer->socket, NNG_PIPE_EV_ADD_POST, on_dialed, peer);
    (void)nng_pipe_notify(peer->socket, NNG_PIPE_EV_REM_POST, on_dialed, peer);
    return endpoint_dial(peer->socket, &peer->dialer, &peer->dial);
}

static enum pbft_status prepare(struct net_peers *peers,
                                const struct net_peers_config *config,
                                struct net_problem *problem)
{
    enum pbft_status status = PBFT_OK;

    peers->pipes.capacity =
        config->member_count * peers->config.connections_max;
    peers->pipes.items =
        calloc(peers->pipes.capacity, sizeof(*peers->pipes.items));
    if (peers->pipes.items == NULL) {
        return PBFT_NO_MEMORY;
    }
    status = tls_engine_install();
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = tls_members_create(&peers->members, config->members,
                                    config->member_count, problem);
        if (status == PBFT_OK) {
            status = tls_check_own(peers->members, config->self, TLS_REPLICA,
                                   &config->own, problem);
        }
        if (status == PBFT_OK) {
            status = tls_server_config(&peers->server_config, peers->members,
                                       &config->own, problem);
        }
    }
    return status;
}

static enum pbft_status open_all(struct net_peers *peers,
                                 const struct net_peers_config *config,
                                 struct net_problem *problem)
{
    enum pbft_status status = prepare(peers, config, problem);

    if (status == PBFT_OK) {
        status = open_pull(peers, config, problem);
    }
    if (status == PBFT_OK) {
        status = open_readings(peers);
    }
    for (uint32_t i = 0; status == PBFT_OK && i < config->member_count; i++) {
        if (i != config->self) {
            status = open_peer(peers, i, config, problem);
        }
    }
    if (status == PBFT_OK) {
        peers->has_ticker =
            pthread_create(&peers->ticker, NULL, tick, peers) == 0;
        status = peers->has_ticker ? PBFT_OK : PBFT_NO_MEMORY;
    }
    return status;
}

enum pbft_status net_peers_open(const struct net_peers_config *config,
                                struct net_peers **out,
                                struct net_problem *problem)
{
    pthread_condattr_t monotonic;

    if (config->member_count == 0 || config->member_count > PBFT_REPLICAS_MAX ||
        config->self >= config->member_count || config->receive == NULL) {
        return PBFT_INVALID_CONFIG;
    }
    struct net_peers *peers = calloc(1, sizeof(*peers));
    if (peers == NULL) {
        return PBFT_NO_MEMORY;
    }
    peers->config = *config;
    fill_defaults(&peers->config);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&peers->lock, NULL);
    (void)pthread_cond_init(&peers->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    enum pbft_status status = open_all(peers, config, problem);
    if (status != PBFT_OK) {
        net_peers_close(peers);
        return status;
    }
    *out = peers;
    return PBFT_OK;
}

static void close_peer(struct peer *peer)
{
    if (peer->is_open) {
        (void)nng_close(peer->socket);
    }
    outbox_deinit(&peer->outbox);
    if (peer->dial.config != NULL) {
        tls_config_free(peer->dial.config);
    }
}

void net_peers_close(struct net_peers *peers)
{
    if (peers == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&peers->lock);
    peers->closing = true;
    (void)pthread_cond_signal(&peers->wake);
    (void)pthread_mutex_unlock(&peers->lock);
    if (peers->has_ticker) {
        (void)pthread_join(peers->ticker, NULL);
    }
    if (peers->pull_is_open) {
        (void)nng_close(peers->pull);
    }
    for (uint32_t i = 0; i < NET_PEERS_READS; i++) {
        if (peers->readings[i].aio != NULL) {
            nng_aio_stop(peers->readings[i].aio);
            nng_aio_free(peers->readings[i].aio);
        }
        pbft_buffer_unref(peers->readings[i].parked);
    }
    for (uint32_t i = 0; i < peers->config.member_count; i++) {
        close_peer(&peers->peers[i]);
    }
    if (peers->server_config != NULL) {
        tls_config_free(peers->server_config);
    }
    tls_members_destroy(peers->members);
    free(peers->pipes.items);
    (void)pthread_cond_destroy(&peers->wake);
    (void)pthread_mutex_destroy(&peers->lock);
    free(peers);
}

/* ---- what is going on ---------------------------------------------------- */

uint16_t net_peers_port(const struct net_peers *peers)
{
    return peers->reaper.port;
}

void net_peers_stats(struct net_peers *peers, pbft_replica_id id,
                     struct net_peer_stats *out)
{
    const struct peer *peer = &peers->peers[id];

    (void)pthread_mutex_lock(&peers->lock);
    *out = peer->stats;
    out->connected = peer->pipe != 0;
    out->heard = endpoint_pipes_count(&peers->pipes, id) > 0;
    if (id != peers->config.self) {
        out->silent_ms = endpoint_now_ms() - peer->heard_ms;
    }
    (void)pthread_mutex_unlock(&peers->lock);
}

void net_peers_totals(struct net_peers *peers, struct net_peers_totals *out)
{
    (void)pthread_mutex_lock(&peers->lock);
    *out = peers->totals;
    (void)pthread_mutex_unlock(&peers->lock);
    if (out->last.text[0] == '\0') {
        tls_last_problem(&out->last);
    }
}
