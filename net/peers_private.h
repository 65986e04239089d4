/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of net_peers, for peers.c and outbox.c. */
#ifndef NET_PEERS_PRIVATE_H
#define NET_PEERS_PRIVATE_H

#include <pthread.h>

#include "net/endpoint.h"
#include "net/peers.h"

/* A message that waits for its turn. */
struct outgoing {
    struct outgoing *next;
    nng_msg *message;
    size_t size;
};

/* What we send to one peer. `lock` of net_peers guards it. */
struct outbox {
    struct net_peers *peers;
    struct outgoing *first;
    struct outgoing *last;
    size_t bytes;
    uint32_t count;
    bool sending; /* The aio is under way. */
    size_t sending_size;
    nng_aio *aio;
};

struct peer {
    struct outbox outbox;
    nng_socket socket;
    nng_dialer dialer;
    struct endpoint_dial dial;
    bool is_open;
    uint32_t pipe; /* 0: not connected. */
    pbft_time_ms dialed_ms;
    pbft_time_ms patience_ms; /* Then the dial is made anew. */
    pbft_time_ms heard_ms;
    struct net_peer_stats stats;
};

/* One receive under way, or a message that the receiver had no room for. */
struct reading {
    struct net_peers *peers;
    nng_aio *aio;
    struct pbft_buffer *parked;
    pbft_replica_id parked_from;
};

struct net_peers {
    struct net_peers_config config; /* Pointers in it are not valid any more. */
    struct tls_members *members;
    struct nng_tls_config *server_config;
    nng_socket pull;
    nng_listener listener;
    bool pull_is_open;
    struct reading readings[NET_PEERS_READS];
    pthread_t ticker;
    bool has_ticker;

    pthread_mutex_t lock;
    pthread_cond_t wake; /* The ticker is to end. */
    bool closing;
    struct peer peers[PBFT_REPLICAS_MAX];
    struct endpoint_pipes pipes;
    struct endpoint_reaper reaper;
    struct net_peers_totals totals;
};

/* outbox.c. `peer` is `&peers->peers[to]`. */
PBFT_MUST_USE enum pbft_status outbox_init(struct outbox *outbox,
                                           struct net_peers *peers);
/* After the socket was closed. */
void outbox_deinit(struct outbox *outbox);
/* Lock held: drops what waits; returns how many. */
uint32_t outbox_clear(struct outbox *outbox);
/* Lock not held. */
void outbox_send_next(struct peer *peer);

#endif /* NET_PEERS_PRIVATE_H */
