/* SPDX-License-Identifier: Apache-2.0 */
/* What net/peers.c, net/peers_dial.c and net/peers_read.c share. */
#ifndef NET_PEERS_PRIVATE_H
#define NET_PEERS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/door.h"
#include "net/monitor.h"
#include "net/outbox.h"
#include "net/peers.h"
#include "net/tls.h"

struct nng_aio;

/* The dialing side of one peer. */
struct net_dial {
    struct net_peers *peers;
    pbft_replica_id peer;
    uint32_t socket_id; /* 0: none, this is ourselves. */
    uint32_t dialer_id;
    struct tls_config *tls; /* NULL: plain TCP. */
    struct net_outbox *outbox;
    char url[128];
    pbft_time_ms dialer_since; /* Of the monitor thread. */
    pbft_time_ms patience_ms;  /* Doubles with each fresh dialer. */
    pthread_mutex_t lock;      /* Guards the rest. */
    uint32_t pipe_id;          /* 0: not connected. */
    pbft_time_ms pipe_since;   /* Connected, or not, since then. */
    uint64_t connects;
    uint64_t redials;
    uint64_t strangers; /* It was somebody else. */
    atomic_uint_fast64_t last_received;
    atomic_uint_fast64_t messages_received;
    atomic_uint_fast64_t bytes_received;
};

/* One receive in progress. */
struct net_read {
    struct net_peers *peers;
    struct nng_aio *aio;
    struct pbft_buffer *held; /* Guarded by peers->lock: offered, not taken. */
    pbft_replica_id held_from;
};

struct net_peers {
    struct net_peers_config config; /* Pointers in it are not valid any more. */
    struct net_members *members;
    struct net_door *door;
    uint32_t pull_id;
    uint32_t count;
    struct net_dial *dials; /* One per member, ours unused. */
    struct net_read reads[NET_PEERS_READS];
    pbft_time_ms opened;
    struct net_monitor *monitor;
    pthread_mutex_t lock; /* Guards the rest. */
    bool is_stopping;
    uint64_t resumes; /* How often somebody said that there is room. */
};

/* ---- peers_dial.c -------------------------------------------------------- */

PBFT_MUST_USE enum pbft_status
net_dial_open(struct net_dial *dial, struct net_peers *peers,
              pbft_replica_id peer, const struct net_peers_config *config,
              struct net_problem *problem);
void net_dial_close(struct net_dial *dial);
/* Disconnects a silent peer, gives up a hanging dial. */
void net_dial_tick(struct net_dial *dial, pbft_time_ms now);

/* ---- peers_read.c -------------------------------------------------------- */

PBFT_MUST_USE enum pbft_status net_reads_create(struct net_peers *peers);
void net_reads_start(struct net_peers *peers);
/* After the pull socket was closed. */
void net_reads_destroy(struct net_peers *peers);

#endif /* NET_PEERS_PRIVATE_H */
