/* SPDX-License-Identifier: Apache-2.0 */
/* A listening port and who may come in by it: identifies each connection at the
 * door, refuses strangers and crowds, closes those that do not finish their
 * handshake. Internal to net/.
 */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "net/link.h"
#include "net/members.h"

/* Connections in their handshake at a time. When there are more the oldest one
 * of the address that has most of them is closed: a flood pushes itself out,
 * and not a handshake over a line of 300 ms that comes from elsewhere. */
#define NET_DOOR_PENDING_MAX 128

struct net_door;

struct net_door_config {
    const struct net_members *members; /* Kept. */
    enum net_role role;                /* Who may come in. */
    uint32_t self;                     /* Never comes in. NET_NOBODY: may. */
    struct net_credentials own;
    const char *listen_address;
    enum net_security security;
    enum net_protocol protocol;
    uint32_t frame_bytes_max;
    uint32_t outbox_messages_max;
    uint32_t outbox_bytes_max;
    size_t bytes_max; /* That all connections hold (net/budget.h); 0: any. */
    uint32_t connections_max;
    uint32_t connections_per_owner_max;
    uint32_t handshake_timeout_ms;
    void *context;
    /* From the member `owner`; with plain TCP NET_NOBODY. */
    enum net_disposition (*on_message)(void *context, struct net_link *link,
                                       uint32_t owner, struct net_frame frame);
};

/* Listens. LOCKED: the port is in use. */
PBFT_MUST_USE enum pbft_status
net_door_open(struct net_door **out, const struct net_door_config *config,
              struct net_problem *problem);
/* Returns when no callback runs and nobody holds a link any more. NULL is fine.
 */
void net_door_close(struct net_door *door);

uint16_t net_door_port(const struct net_door *door);
bool net_door_has(struct net_door *door, uint32_t owner);
/* Closes the owner's connections that are at least `age_ms` old. */
void net_door_close_owner(struct net_door *door, uint32_t owner,
                          pbft_time_ms now, pbft_time_ms age_ms);
/* Closes connections that have been sending one frame for so long, or receiving
 * one for a minute. */
void net_door_close_stuck(struct net_door *door, pbft_time_ms now,
                          pbft_time_ms age_ms);
/* Offers again what was answered NET_LATER. */
void net_door_resume(struct net_door *door);
/* Several times a second, from one thread. */
void net_door_tick(struct net_door *door, pbft_time_ms now);

struct net_door_stats {
    uint32_t connections;
    uint64_t strangers;
    uint64_t crowded;
    uint64_t reaped;
    struct net_problem last;
};
void net_door_stats(struct net_door *door, struct net_door_stats *out);

#endif /* NET_DOOR_H */
