/* SPDX-License-Identifier: Apache-2.0 */
/* The way to one peer: a push0 socket with one dialer, watched.
 *
 * NNG redials by itself when a dial fails, but not when the other end accepts
 * the connection and then says nothing to our TLS (nor to a SYN). Then only a
 * fresh dialer helps.
 */
#include "net/peers_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/supplemental/tls/tls.h>

#include "net/common.h"

/* A dial without any TCP connection is left to the kernel for so long, then for
 * twice as long, and so on: a host that is down must not cost dialers. */
#define DIAL_PATIENCE_MS 20000
#define DIAL_PATIENCE_MAX_MS 160000

static void on_arrival(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_dial *dial = context;
    struct tls_identity identity;
    (void)event;
    if (dial->tls == NULL) {
        return;
    }
    bool is_peer = tls_pipe_identity((uint32_t)nng_pipe_id(pipe), &identity) &&
                   net_members_find(dial->peers->members, NET_ROLE_REPLICA,
                                    &identity) == dial->peer;
    if (!is_peer) {
        (void)pthread_mutex_lock(&dial->lock);
        dial->strangers++;
        (void)pthread_mutex_unlock(&dial->lock);
        (void)nng_pipe_close(pipe);
    }
}

static void on_connected(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_dial *dial = context;
    (void)event;
    (void)pthread_mutex_lock(&dial->lock);
    dial->pipe_id = (uint32_t)nng_pipe_id(pipe);
    dial->pipe_since = net_now_ms();
    dial->connects++;
    (void)pthread_mutex_unlock(&dial->lock);
    net_outbox_set(dial->outbox, NET_OUTBOX_UP);
}

static void on_disconnected(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_dial *dial = context;
    (void)event;
    (void)pthread_mutex_lock(&dial->lock);
    bool was_ours = dial->pipe_id == (uint32_t)nng_pipe_id(pipe);
    if (was_ours) {
        dial->pipe_id = 0;
        dial->pipe_since = net_now_ms();
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (was_ours) {
        net_outbox_set(dial->outbox, NET_OUTBOX_DOWN);
    }
}

/* ---- opening ------------------------------------------------------------- */

/* Begins to dial, in the background. */
static int start_dialer(struct net_dial *dial)
{
    nng_socket socket = {dial->socket_id};
    nng_dialer dialer;
    int error = nng_dialer_create(&dialer, socket, dial->url);
    if (error != 0) {
        return error;
    }
    if (dial->tls != NULL) {
        error = nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG,
                                   tls_config_handle(dial->tls));
    }
    if (error == 0) {
        error = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    }
    if (error != 0) {
        (void)nng_dialer_close(dialer);
        return error;
    }
    dial->dialer_id = (uint32_t)nng_dialer_id(dialer);
    dial->dialer_since = net_now_ms();
    return 0;
}

static int set_up_socket(struct net_dial *dial,
                         const struct net_peers_config *config)
{
    nng_socket socket;
    int error = nng_push0_open(&socket);
    if (error != 0) {
        return error;
    }
    dial->socket_id = (uint32_t)nng_socket_id(socket);
    nng_duration low = (nng_duration)config->reconnect_min_ms;
    nng_duration high = (nng_duration)config->reconnect_max_ms;
    if ((error = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, low)) != 0 ||
        (error = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, high)) != 0 ||
        (error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ,
                                     config->frame_bytes_max)) != 0 ||
        (error = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_arrival,
                                 dial)) != 0 ||
        (error = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, on_connected,
                                 dial)) != 0) {
        return error;
    }
    return nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, on_disconnected, dial);
}

static enum pbft_status make_tls(struct net_dial *dial,
                                 const struct net_peers_config *config,
                                 struct net_problem *problem)
{
    char name[TLS_NAME_SIZE];
    struct pbft_bytes ca = net_members_ca(dial->peers->members, dial->peer);
    net_role_name(name, NET_ROLE_REPLICA,
                  net_members_name(dial->peers->members, dial->peer));
    struct tls_setup setup = {
        .role = TLS_DIAL,
        .own = config->own,
        .trusted = &ca, /* No other CA can vouch for this peer. */
        .trusted_count = 1,
        .server_name = name,
    };
    return tls_config_create(&dial->tls, &setup, problem);
}

enum pbft_status net_dial_open(struct net_dial *dial, struct net_peers *peers,
                               pbft_replica_id peer,
                               const struct net_peers_config *config,
                               struct net_problem *problem)
{
    dial->peers = peers;
    dial->peer = peer;
    dial->patience_ms = DIAL_PATIENCE_MS;
    dial->pipe_since = net_now_ms();
    enum pbft_status status = net_url(dial->url, config->members[peer].address,
                                      config->security, problem);
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = make_tls(dial, config, problem);
    }
    if (status != PBFT_OK) {
        return status;
    }
    int error = set_up_socket(dial, config);
    if (error == 0) {
        struct net_outbox_limits limits = {
            .messages_max = config->outbox_messages_max,
            .bytes_max = config->outbox_bytes_max,
        };
        status = net_outbox_create(&dial->outbox, dial->socket_id, &limits);
        if (status != PBFT_OK) {
            return status;
        }
        error = start_dialer(dial);
    }
    if (error != 0) {
        net_problem_set(problem, "cannot dial %s: %s",
                        config->members[peer].address, nng_strerror(error));
    }
    return net_status_of(error);
}

void net_dial_close(struct net_dial *dial)
{
    if (dial->socket_id != 0) {
        nng_socket socket = {dial->socket_id};
        (void)nng_close(socket);
    }
    net_outbox_destroy(dial->outbox);
    tls_config_destroy(dial->tls);
}

/* ---- watching ------------------------------------------------------------ */

static void dial_anew(struct net_dial *dial, pbft_time_ms now)
{
    nng_dialer dialer = {dial->dialer_id};
    (void)nng_dialer_close(dialer);
    (void)pthread_mutex_lock(&dial->lock);
    dial->redials++;
    (void)pthread_mutex_unlock(&dial->lock);
    if (start_dialer(dial) != 0) {
        dial->dialer_since = now; /* Out of memory: try again later. */
        dial->dialer_id = 0;
    }
}

static bool is_hanging(struct net_dial *dial, pbft_time_ms now)
{
    pbft_time_ms waits_since =
        dial->tls != NULL ? tls_config_dialing_since(dial->tls) : 0;
    pbft_time_ms timeout = dial->peers->config.handshake_timeout_ms;
    if (waits_since != 0 && now >= waits_since + timeout) {
        return true;
    }
    if (now >= dial->dialer_since + dial->patience_ms) {
        dial->patience_ms = dial->patience_ms * 2 < DIAL_PATIENCE_MAX_MS
                                ? dial->patience_ms * 2
                                : DIAL_PATIENCE_MAX_MS;
        return true;
    }
    return false;
}

static void disconnect_if_silent(struct net_dial *dial, pbft_time_ms now,
                                 uint32_t pipe_id, pbft_time_ms since)
{
    pbft_time_ms silence = dial->peers->config.silence_ms;
    if (now < atomic_load(&dial->last_received) + silence) {
        return;
    }
    net_door_close_owner(dial->peers->door, dial->peer, now, silence);
    if (pipe_id != 0 && now >= since + silence) {
        nng_pipe pipe = {pipe_id};
        (void)nng_pipe_close(pipe); /* Half-open, perhaps; NNG dials again. */
    }
}

void net_dial_tick(struct net_dial *dial, pbft_time_ms now)
{
    (void)pthread_mutex_lock(&dial->lock);
    uint32_t pipe_id = dial->pipe_id;
    pbft_time_ms since = dial->pipe_since;
    (void)pthread_mutex_unlock(&dial->lock);
    disconnect_if_silent(dial, now, pipe_id, since);
    if (pipe_id != 0) {
        dial->patience_ms = DIAL_PATIENCE_MS;
        dial->dialer_since = now;
    } else if (is_hanging(dial, now)) {
        dial_anew(dial, now);
    }
}
