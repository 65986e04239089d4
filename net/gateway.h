/* SPDX-License-Identifier: Apache-2.0 */
/* The port on which a replica serves clients: calls in, replies out.
 *
 * Speaks NNG's rep0 protocol, so that any NNG req0 client in any language can
 * call; many calls of one client may be in flight. All calls are safe from any
 * thread.
 */
#ifndef NET_GATEWAY_H
#define NET_GATEWAY_H

#include "net/net.h"

struct net_gateway;

struct net_gateway_config {
    const struct net_member *members; /* All institutions; addresses unused. */
    uint32_t member_count;            /* 1..PBFT_INSTITUTIONS_MAX. */
    uint32_t self;                    /* Whose replica this is: index. */
    struct net_credentials own;       /* For "replica.<own name>". */
    const char *listen_address;       /* host:port; port 0: any free one. */
    enum net_security security;

    /* Limits; 0 takes the default of net_gateway_config_defaults(). */
    uint32_t frame_bytes_max;
    uint32_t calls_max;            /* In flight, from everybody. */
    uint32_t calls_per_caller_max; /* From one institution: above it a call is
                                      answered with `busy_reply`. */
    uint32_t connections_max;
    uint32_t connections_per_caller_max;
    size_t bytes_max; /* Of calls that come and of replies that nobody takes,
                         from everybody; each has a share: net/fair.h. */
    uint32_t handshake_timeout_ms;
    uint32_t reply_timeout_ms; /* A client that does not take its reply for so
                                  long is disconnected. */

    struct pbft_bytes busy_reply; /* Copied. May be empty. */

    void *context;
    /* A call of the institution members[caller]. Called from several threads
     * at once; must not block. Owns `buffer`; owes exactly one
     * net_gateway_reply() with `call`, now or later. */
    void (*call)(void *context, uint64_t call, uint32_t caller,
                 struct pbft_buffer *buffer);
};

void net_gateway_config_defaults(struct net_gateway_config *config);
/* Each limit that is 0 gets its default. */
void net_gateway_config_complete(struct net_gateway_config *config);

/* Statuses as net_peers_open(). */
PBFT_MUST_USE enum pbft_status
net_gateway_open(const struct net_gateway_config *config,
                 struct net_gateway **out, struct net_problem *problem);

/* Returns when no callback runs any more. Replies to calls that are still in
 * flight must not come after it. NULL is fine. */
void net_gateway_close(struct net_gateway *gateway);

/* Answers a call; `bytes` are copied. The reply is lost if the client has
 * gone. A call that was answered before is ignored. */
void net_gateway_reply(struct net_gateway *gateway, uint64_t call,
                       struct pbft_bytes bytes);

uint16_t net_gateway_port(const struct net_gateway *gateway);

struct net_gateway_stats {
    uint32_t connections;
    uint32_t calls_in_flight;
    uint64_t calls;
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t refused_busy; /* Calls above the limit of their caller. */
    uint64_t strangers;    /* Connections refused for their certificate. */
    uint64_t crowded;      /* Connections refused for their number, or closed
                              for the bytes that they hold. */
    uint64_t reaped;       /* Connections that never finished a handshake. */
    struct net_problem last;
};

void net_gateway_stats(struct net_gateway *gateway,
                       struct net_gateway_stats *out);

#endif /* NET_GATEWAY_H */
