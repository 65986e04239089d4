/* SPDX-License-Identifier: Apache-2.0 */
/* The channels between replicas: at most once, may lose, may be late.
 *
 * Each replica listens (as an NNG pull0 socket would) and dials each peer (as a
 * push0 socket would). Sends never block: what does not fit into the peer's
 * outbox is dropped and counted, since the core owns retransmission.
 * Connections are made and repaired in the background; a peer that was silent
 * for too long is disconnected and dialed again, and connections that do not
 * finish their handshake are closed.
 *
 * All calls are safe from any thread. Memory: per peer one outbox of
 * `outbox_bytes_max`, and per connection one message of frame_bytes_max.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "net/net.h"

struct net_peers;

struct net_peers_config {
    pbft_replica_id self;
    const struct net_member *members; /* Replica i is members[i]. */
    uint32_t member_count;            /* 1..PBFT_REPLICAS_MAX. */
    struct net_credentials own;       /* For "replica.<own name>". */
    const char *listen_address;       /* host:port; port 0: any free one. */
    enum net_security security;

    /* Limits; 0 takes the default of net_peers_config_defaults(). */
    uint32_t frame_bytes_max;      /* Of a message; a longer one closes the
                                      connection that it came by. */
    uint32_t outbox_bytes_max;     /* Waiting for one peer. */
    uint32_t outbox_messages_max;  /* The same, counted. */
    uint32_t connections_max;      /* Accepted ones per peer. */
    uint32_t silence_ms;           /* A silent peer is disconnected. */
    uint32_t handshake_timeout_ms; /* Connections that are not ready by then
                                      are closed, or dialed anew. */
    uint32_t reconnect_min_ms;     /* Pause before dialing again, ... */
    uint32_t reconnect_max_ms;     /* ... doubling up to this. */

    void *context;
    /* Called from several threads at once; must not block, nor call into this
     * net_peers but for net_peers_send(). With NET_TAKEN it owns `buffer`. */
    enum net_disposition (*receive)(void *context, pbft_replica_id peer,
                                    struct pbft_buffer *buffer);
};

void net_peers_config_defaults(struct net_peers_config *config);

/* Listens, and begins to dial. Statuses: INVALID_CONFIG (addresses, limits,
 * certificates that do not parse), WRONG_IDENTITY (the own certificate is not
 * that of replica `self`), LOCKED (the port is in use), UNREACHABLE (this
 * machine does not have the address, or not yet), IO, NO_MEMORY.
 * `problem` may be NULL. */
PBFT_MUST_USE enum pbft_status
net_peers_open(const struct net_peers_config *config, struct net_peers **out,
               struct net_problem *problem);

/* Returns when no callback runs any more. Messages not yet sent are lost.
 * NULL is fine. */
void net_peers_close(struct net_peers *peers);

/* Copies `bytes` into the peer's outbox. PBFT_OK: will be sent unless the
 * connection breaks. LIMIT: the outbox is full; UNREACHABLE: no connection: the
 * message was dropped and counted. TOO_LARGE: above frame_bytes_max. */
PBFT_MUST_USE enum pbft_status net_peers_send(struct net_peers *peers,
                                              pbft_replica_id to,
                                              struct pbft_bytes bytes);

/* The receiver has room again: offers it what it answered NET_LATER to. */
void net_peers_resume(struct net_peers *peers);

/* The port that is listened on. */
uint16_t net_peers_port(const struct net_peers *peers);

struct net_peer_stats {
    bool connected;     /* We can send to it. */
    bool heard;         /* It has a connection to us. */
    uint64_t silent_ms; /* Since its last message, or since the start. */
    uint64_t messages_sent;
    uint64_t bytes_sent;
    uint64_t messages_received;
    uint64_t bytes_received;
    uint64_t messages_dropped; /* To it; outbox full or not connected. */
    uint64_t connects;         /* How often the channel to it came up. */
    uint64_t redials;          /* Dials given up by the watchdog. */
    /* Why there is no channel to it, or from it; empty if there are both. */
    struct net_problem problem;
};

/* Zeros for `self`. */
void net_peers_stats(struct net_peers *peers, pbft_replica_id peer,
                     struct net_peer_stats *out);

struct net_peers_totals {
    uint64_t strangers; /* Connections refused for their certificate. */
    uint64_t reaped;    /* Connections that never finished a handshake. */
    /* Text of the last failed handshake or refusal; empty if none. */
    struct net_problem last;
};

void net_peers_totals(struct net_peers *peers, struct net_peers_totals *out);

#endif /* NET_PEERS_H */
