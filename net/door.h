/* SPDX-License-Identifier: Apache-2.0 */
/* A listening port and who may come in by it: identifies each connection at the
 * door, refuses strangers and crowds, remembers who sits behind which pipe, and
 * has unfinished connections closed. Internal to net/.
 */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "net/members.h"
#include "net/pipes.h"

struct net_door;

struct net_door_config {
    uint32_t socket_id;                /* NNG's; open, without a listener. */
    const struct net_members *members; /* Kept. */
    enum net_role role;                /* Who may come in. */
    uint32_t self;                     /* Never comes in. NET_NOBODY: may. */
    struct net_credentials own;
    const char *listen_address;
    enum net_security security;
    uint32_t connections_max;
    uint32_t connections_per_owner_max;
    uint32_t handshake_timeout_ms;
};

/* Listens from now on. On failure `*out` may be set: close the socket, then
 * destroy it. */
PBFT_MUST_USE enum pbft_status
net_door_open(struct net_door **out, const struct net_door_config *config,
              struct net_problem *problem);
/* After the socket was closed. NULL is fine. */
void net_door_destroy(struct net_door *door);

uint16_t net_door_port(const struct net_door *door);

/* Who is behind a pipe; NET_NOBODY if it has gone. With plain TCP, where nobody
 * knows, the `claim` is believed if there is such a member. */
uint32_t net_door_owner(struct net_door *door, uint32_t pipe_id,
                        uint32_t claim);
bool net_door_has(struct net_door *door, uint32_t owner);
/* Closes the owner's connections that are at least `age_ms` old. */
void net_door_close_owner(struct net_door *door, uint32_t owner,
                          pbft_time_ms now, pbft_time_ms age_ms);
/* Reaps; every second will do. */
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
