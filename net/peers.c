/* SPDX-License-Identifier: Apache-2.0 */
/* The channels between replicas: one door for all, one dial for each. */
#include "net/peers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "net/common.h"
#include "net/dial.h"
#include "net/door.h"
#include "net/monitor.h"

struct peer {
    struct net_dial *dial;     /* NULL: ourselves. */
    pbft_time_ms hurries_from; /* For the monitor. */
    atomic_uint_fast64_t last_received;
    atomic_uint_fast64_t messages_received;
    atomic_uint_fast64_t bytes_received;
};

struct net_peers {
    struct net_peers_config config; /* Pointers in it are not valid any more. */
    struct net_members *members;
    struct net_door *door;
    struct net_monitor *monitor;
    uint32_t count;
    struct peer *peers;
};

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

static void fill_in(struct net_peers_config *config)
{
    struct net_peers_config defaults;
    net_peers_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = config->field != 0 ? config->field : defaults.field
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

/* ---- receiving ----------------------------------------------------------- */

/* The claim of plain TCP is cut off; what is left points into the frame. */
static bool read_claim(const struct net_peers *peers, struct net_frame frame,
                       uint32_t *from, size_t *offset)
{
    if (peers->config.security != NET_TLS) {
        if (frame.size < NET_CLAIM_SIZE) {
            return false;
        }
        *from = net_claim_read(frame.data);
        *offset = NET_CLAIM_SIZE;
    }
    return *from < peers->count && *from != peers->config.self;
}

static enum net_disposition on_message(void *context, struct net_link *link,
                                       uint32_t owner, struct net_frame frame)
{
    struct net_peers *peers = context;
    uint32_t from = owner;
    size_t offset = 0;
    if (!read_claim(peers, frame, &from, &offset)) {
        free(frame.data);
        net_link_close(link);
        return NET_TAKEN;
    }
    struct peer *peer = &peers->peers[from];
    size_t size = frame.size - offset;
    atomic_store(&peer->last_received, net_now_ms());
    struct net_shared shared;
    if (!net_share(&shared, frame, offset)) {
        free(frame.data); /* Out of memory: as if it was lost. */
        return NET_TAKEN;
    }
    if (peers->config.receive(peers->config.context, from, shared.buffer) ==
        NET_LATER) {
        net_unshare(&shared); /* The frame is as before. */
        return NET_LATER;
    }
    atomic_fetch_add(&peer->messages_received, 1);
    atomic_fetch_add(&peer->bytes_received, size);
    return NET_TAKEN;
}

/* Nothing is sent by the one who pulls. */
static enum net_disposition on_unexpected(void *context, struct net_frame frame)
{
    (void)context;
    free(frame.data);
    return NET_TAKEN;
}

void net_peers_resume(struct net_peers *peers)
{
    net_door_resume(peers->door);
}

/* ---- watching ------------------------------------------------------------ */

/* Who has dialed us is there: it is dialed without the rest of the pause. Once
 * in a longest pause, or one who comes and goes would make us dial all the
 * time.
 */
static bool may_hurry(struct net_peers *peers, pbft_replica_id id,
                      pbft_time_ms now)
{
    struct peer *peer = &peers->peers[id];
    struct net_dial_stats dial;
    net_dial_stats(peer->dial, &dial);
    bool hurries = !dial.connected && now >= peer->hurries_from &&
                   net_door_has(peers->door, id);
    if (hurries) {
        peer->hurries_from = now + peers->config.reconnect_max_ms;
    }
    return hurries;
}

static void watch(struct net_peers *peers, pbft_replica_id id, pbft_time_ms now)
{
    struct peer *peer = &peers->peers[id];
    pbft_time_ms silence = peers->config.silence_ms;
    if (now >= atomic_load(&peer->last_received) + silence) {
        /* Both ways may be half-open; who is alive dials again. */
        net_door_close_owner(peers->door, id, now, silence);
        net_dial_break(peer->dial, now, silence);
    }
    net_dial_tick(peer->dial, now, may_hurry(peers, id, now));
}

static void tick(void *context, pbft_time_ms now)
{
    struct net_peers *peers = context;
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        if (i != peers->config.self) {
            watch(peers, i, now);
        }
    }
    net_door_tick(peers->door, now);
    net_door_resume(peers->door); /* In case the receiver forgot to. */
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
    const struct net_door_config door = {
        .members = peers->members,
        .role = NET_ROLE_REPLICA,
        .self = config->self,
        .own = config->own,
        .listen_address = config->listen_address,
        .security = config->security,
        .protocol = NET_PULL,
        .frame_bytes_max = config->frame_bytes_max + NET_CLAIM_SIZE,
        .outbox_messages_max = 1, /* Nothing goes out by this door. */
        .outbox_bytes_max = 1,
        .connections_max = config->connections_max * peers->count,
        .connections_per_owner_max = config->connections_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
        .context = peers,
        .on_message = on_message,
    };
    return net_door_open(&peers->door, &door, problem);
}

static enum pbft_status open_dial(struct net_peers *peers, pbft_replica_id id,
                                  struct net_problem *problem)
{
    const struct net_peers_config *config = &peers->config;
    const struct net_dial_config dial = {
        .members = peers->members,
        .member = id,
        .address = config->members[id].address,
        .own = config->own,
        .security = config->security,
        .protocol = NET_PUSH,
        .frame_bytes_max = config->frame_bytes_max + NET_CLAIM_SIZE,
        .outbox_messages_max = config->outbox_messages_max,
        .outbox_bytes_max = config->outbox_bytes_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
        .reconnect_min_ms = config->reconnect_min_ms,
        .reconnect_max_ms = config->reconnect_max_ms,
        .context = peers,
        .on_message = on_unexpected,
    };
    return net_dial_open(&peers->peers[id].dial, &dial, problem);
}

static enum pbft_status open_all(struct net_peers *peers,
                                 struct net_problem *problem)
{
    const struct net_peers_config *config = &peers->config;
    enum pbft_status status = net_members_create(
        &peers->members, config->members, config->member_count, problem);
    if (status == PBFT_OK) {
        status = open_door(peers, problem);
    }
    for (pbft_replica_id i = 0; i < peers->count && status == PBFT_OK; i++) {
        if (i != config->self) {
            status = open_dial(peers, i, problem);
        }
    }
    if (status == PBFT_OK) {
        peers->monitor = net_monitor_start(tick, peers);
        status = peers->monitor == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    return status;
}

enum pbft_status net_peers_open(const struct net_peers_config *config,
                                struct net_peers **out,
                                struct net_problem *problem)
{
    enum pbft_status status = check(config, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) {
        return PBFT_NO_MEMORY;
    }
    peers->config = *config;
    fill_in(&peers->config);
    peers->count = config->member_count;
    peers->peers = calloc(config->member_count, sizeof *peers->peers);
    if (peers->peers == NULL) {
        free(peers);
        return PBFT_NO_MEMORY;
    }
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        atomic_init(&peers->peers[i].last_received, net_now_ms());
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
    net_door_close(peers->door);
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        net_dial_close(peers->peers[i].dial);
    }
    net_members_destroy(peers->members);
    free(peers->peers);
    free(peers);
}

/* ---- while they are open ------------------------------------------------- */

enum pbft_status net_peers_send(struct net_peers *peers, pbft_replica_id to,
                                struct pbft_bytes bytes)
{
    uint8_t claim[NET_CLAIM_SIZE];
    struct pbft_bytes parts[2] = {{claim, 0}, bytes};
    PBFT_ASSERT(to < peers->count);
    PBFT_ASSERT(to != peers->config.self);
    if (bytes.size > peers->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    if (peers->config.security != NET_TLS) {
        net_claim_write(claim, peers->config.self);
        parts[0].size = sizeof claim;
    }
    return net_dial_send(peers->peers[to].dial, parts, 2);
}

uint16_t net_peers_port(const struct net_peers *peers)
{
    return net_door_port(peers->door);
}

static void explain(struct net_peer_stats *stats,
                    const struct net_dial_stats *dial)
{
    if (!stats->connected) {
        stats->problem = dial->last;
    } else if (!stats->heard) {
        net_problem_set(&stats->problem, "%s",
                        "it answers, but has no connection to us");
    }
}

void net_peers_stats(struct net_peers *peers, pbft_replica_id id,
                     struct net_peer_stats *out)
{
    PBFT_ASSERT(id < peers->count);
    memset(out, 0, sizeof *out);
    if (id == peers->config.self) {
        return;
    }
    struct peer *peer = &peers->peers[id];
    struct net_dial_stats dial;
    net_dial_stats(peer->dial, &dial);
    pbft_time_ms now = net_now_ms();
    pbft_time_ms last = atomic_load(&peer->last_received);
    out->connected = dial.connected;
    out->heard = net_door_has(peers->door, id);
    out->silent_ms = now > last ? now - last : 0;
    out->messages_sent = dial.messages_sent;
    out->bytes_sent = dial.bytes_sent;
    out->messages_received = atomic_load(&peer->messages_received);
    out->bytes_received = atomic_load(&peer->bytes_received);
    out->messages_dropped = dial.messages_dropped;
    out->connects = dial.connects;
    out->redials = dial.redials;
    explain(out, &dial);
}

void net_peers_totals(struct net_peers *peers, struct net_peers_totals *out)
{
    struct net_door_stats door;
    net_door_stats(peers->door, &door);
    out->strangers = door.strangers + door.crowded;
    out->reaped = door.reaped;
    out->last = door.last;
    for (pbft_replica_id i = 0; i < peers->count; i++) {
        if (i != peers->config.self) {
            struct net_dial_stats dial;
            net_dial_stats(peers->peers[i].dial, &dial);
            out->strangers += dial.strangers;
            if (out->last.text[0] == '\0' && dial.strangers > 0) {
                out->last = dial.last;
            }
        }
    }
}
