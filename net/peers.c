/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the channels between replicas, and watches over them. */
#include "net/peers_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>

#include "consensus/assert.h"
#include "net/common.h"

void net_peers_config_defaults(struct net_peers_config *config)
{
    memset(config, 0, sizeof *config);
    config->frame_bytes_max = 16u * 1024u * 1024u; /* WIRE_FRAME_BYTES_MAX */
    config->outbox_bytes_max = 16u * 1024u * 1024u;
    config->outbox_messages_max = 1024;
    config->connections_max = 4; /* A new one may come before the old dies. */
    config->silence_ms = 15000;
    config->handshake_timeout_ms = 5000;
    config->reconnect_min_ms = 100;
    config->reconnect_max_ms = 2000;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
    return value != 0 ? value : standard;
}

static void fill_in(struct net_peers_config *config)
{
    struct net_peers_config defaults;
    net_peers_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = or_default(config->field, defaults.field)
    NET_FILL(frame_bytes_max);
    NET_FILL(outbox_bytes_max);
    NET_FILL(outbox_messages_max);
    NET_FILL(connections_max);
    NET_FILL(silence_ms);
    NET_FILL(handshake_timeout_ms);
    NET_FILL(reconnect_min_ms);
    NET_FILL(reconnect_max_ms);
#undef NET_FILL
}

static void tick(void *context, pbft_time_ms now)
{
    struct net_peers *peers = context;
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        if (i != peers->config.self) {
            net_dial_tick(&peers->dials[i], now);
        }
    }
    net_door_tick(peers->door, now);
    net_peers_resume(peers); /* In case the receiver forgot to. */
}

/* ---- opening and closing ------------------------------------------------- */

static enum pbft_status check(const struct net_peers_config *config,
                              struct net_problem *problem)
{
    if (config->member_count == 0 || config->member_count > PBFT_REPLICAS_MAX ||
        config->self >= config->member_count || config->receive == NULL) {
        net_problem_set(problem, "replica %u of %u cannot be", config->self,
                        config->member_count);
        return PBFT_INVALID_CONFIG;
    }
    if (config->security != NET_TLS) {
        return PBFT_OK;
    }
    char name[TLS_NAME_SIZE];
    const struct net_member *self = &config->members[config->self];
    net_role_name(name, NET_ROLE_REPLICA, self->name);
    return tls_check_own(&config->own, self->tls_ca, name, problem);
}

static enum pbft_status open_door(struct net_peers *peers,
                                  struct net_problem *problem)
{
    const struct net_peers_config *config = &peers->config;
    nng_socket socket;
    int error = nng_pull0_open(&socket);
    if (error == 0) {
        peers->pull_id = (uint32_t)nng_socket_id(socket);
        error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ,
                                    (size_t)config->frame_bytes_max +
                                        NET_CLAIM_SIZE);
    }
    if (error != 0) {
        return net_status_of(error);
    }
    struct net_door_config door = {
        .socket_id = peers->pull_id,
        .members = peers->members,
        .role = NET_ROLE_REPLICA,
        .self = config->self,
        .own = config->own,
        .listen_address = config->listen_address,
        .security = config->security,
        .connections_max = config->connections_max * peers->count,
        .connections_per_owner_max = config->connections_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
    };
    return net_door_open(&peers->door, &door, problem);
}

static enum pbft_status open_all(struct net_peers *peers,
                                 struct net_problem *problem)
{
    const struct net_peers_config *config = &peers->config;
    enum pbft_status status = net_members_create(
        &peers->members, config->members, config->member_count, problem);
    if (status == PBFT_OK) {
        status = net_reads_create(peers);
    }
    if (status == PBFT_OK) {
        status = open_door(peers, problem);
    }
    if (status == PBFT_OK) {
        net_reads_start(peers);
    }
    for (pbft_replica_id i = 0; i < peers->count && status == PBFT_OK; i++) {
        if (i != config->self) {
            status = net_dial_open(&peers->dials[i], peers, i, config, problem);
        }
    }
    if (status == PBFT_OK) {
        peers->monitor = net_monitor_start(tick, peers);
        status = peers->monitor == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    return status;
}

static struct net_peers *allocate(const struct net_peers_config *config)
{
    struct net_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) {
        return NULL;
    }
    peers->dials = calloc(config->member_count, sizeof *peers->dials);
    if (peers->dials == NULL) {
        free(peers);
        return NULL;
    }
    peers->config = *config;
    fill_in(&peers->config);
    peers->count = config->member_count;
    peers->opened = net_now_ms();
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        (void)pthread_mutex_init(&peers->dials[i].lock, NULL);
        atomic_init(&peers->dials[i].last_received, peers->opened);
    }
    (void)pthread_mutex_init(&peers->lock, NULL);
    return peers;
}

enum pbft_status net_peers_open(const struct net_peers_config *config,
                                struct net_peers **out,
                                struct net_problem *problem)
{
    enum pbft_status status = check(config, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_peers *peers = allocate(config);
    if (peers == NULL) {
        return PBFT_NO_MEMORY;
    }
    status = open_all(peers, problem);
    if (status != PBFT_OK) {
        net_peers_close(peers);
        return status;
    }
    *out = peers;
    return PBFT_OK;
}

void net_peers_close(struct net_peers *peers)
{
    if (peers == NULL) {
        return;
    }
    net_monitor_stop(peers->monitor);
    (void)pthread_mutex_lock(&peers->lock);
    peers->is_stopping = true;
    (void)pthread_mutex_unlock(&peers->lock);
    if (peers->pull_id != 0) {
        nng_socket socket = {peers->pull_id};
        (void)nng_close(socket);
    }
    net_reads_destroy(peers);
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        net_dial_close(&peers->dials[i]);
        (void)pthread_mutex_destroy(&peers->dials[i].lock);
    }
    net_door_destroy(peers->door);
    net_members_destroy(peers->members);
    (void)pthread_mutex_destroy(&peers->lock);
    free(peers->dials);
    free(peers);
}

/* ---- while they are open ------------------------------------------------- */

static nng_msg *make_message(const struct net_peers *peers,
                             struct pbft_bytes bytes)
{
    nng_msg *message = NULL;
    bool claims = peers->config.security != NET_TLS;
    size_t front = claims ? NET_CLAIM_SIZE : 0;
    if (nng_msg_alloc(&message, front + bytes.size) != 0) {
        return NULL;
    }
    uint8_t *body = nng_msg_body(message);
    if (claims) {
        net_claim_write(body, peers->config.self);
    }
    if (bytes.size > 0) {
        memcpy(body + front, bytes.data, bytes.size);
    }
    return message;
}

enum pbft_status net_peers_send(struct net_peers *peers, pbft_replica_id to,
                                struct pbft_bytes bytes)
{
    PBFT_ASSERT(to < peers->count);
    PBFT_ASSERT(to != peers->config.self);
    if (bytes.size > peers->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    nng_msg *message = make_message(peers, bytes);
    if (message == NULL) {
        return PBFT_NO_MEMORY;
    }
    return net_outbox_push(peers->dials[to].outbox, message);
}

uint16_t net_peers_port(const struct net_peers *peers)
{
    return net_door_port(peers->door);
}

void net_peers_stats(struct net_peers *peers, pbft_replica_id peer,
                     struct net_peer_stats *out)
{
    PBFT_ASSERT(peer < peers->count);
    memset(out, 0, sizeof *out);
    if (peer == peers->config.self) {
        return;
    }
    struct net_dial *dial = &peers->dials[peer];
    struct net_outbox_stats sent;
    net_outbox_stats(dial->outbox, &sent);
    (void)pthread_mutex_lock(&dial->lock);
    out->connected = dial->pipe_id != 0;
    out->connects = dial->connects;
    out->redials = dial->redials;
    (void)pthread_mutex_unlock(&dial->lock);
    out->heard = net_door_has(peers->door, peer);
    pbft_time_ms now = net_now_ms();
    pbft_time_ms last = atomic_load(&dial->last_received);
    out->silent_ms = now > last ? now - last : 0;
    out->messages_sent = sent.messages_sent;
    out->bytes_sent = sent.bytes_sent;
    out->messages_dropped = sent.messages_dropped;
    out->messages_received = atomic_load(&dial->messages_received);
    out->bytes_received = atomic_load(&dial->bytes_received);
}

void net_peers_totals(struct net_peers *peers, struct net_peers_totals *out)
{
    struct net_door_stats door;
    net_door_stats(peers->door, &door);
    out->strangers = door.strangers + door.crowded;
    out->reaped = door.reaped;
    out->last = door.last;
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        struct net_dial *dial = &peers->dials[i];
        if (dial->tls == NULL) {
            continue;
        }
        struct net_problem last;
        uint64_t failures = tls_config_failures(dial->tls, &last);
        (void)pthread_mutex_lock(&dial->lock);
        out->strangers += dial->strangers;
        (void)pthread_mutex_unlock(&dial->lock);
        if (failures > 0 && out->last.text[0] == '\0') {
            out->last = last;
        }
    }
}
