/* SPDX-License-Identifier: Apache-2.0 */
/* What net/gateway.c and net/gateway_call.c share. */
#ifndef NET_GATEWAY_PRIVATE_H
#define NET_GATEWAY_PRIVATE_H

#include <pthread.h>

#include "net/door.h"
#include "net/gateway.h"
#include "net/monitor.h"

struct nng_aio;

enum net_call_state {
    NET_CALL_LISTENING, /* Waits for a call. */
    NET_CALL_OPEN,      /* The node owes the reply. */
    NET_CALL_REPLYING,
    NET_CALL_ENDED, /* The gateway closes. */
};

/* One call at a time, with NNG's context of it. */
struct net_call {
    struct net_gateway *gateway;
    uint32_t index;
    uint32_t context_id;
    struct nng_aio *aio;
    /* Guarded by gateway->lock. */
    enum net_call_state state;
    uint32_t number; /* Of the call in this place; tells old ids. */
    uint32_t caller;
    uint32_t pipe_id;
    pbft_time_ms replying_since;
};

struct net_gateway {
    struct net_gateway_config
        config; /* Pointers in it are not valid any more. */
    struct net_members *members;
    struct net_door *door;
    uint32_t socket_id;
    uint8_t *busy;          /* Copy of config.busy_reply. */
    struct net_call *calls; /* config.calls_max */
    struct net_monitor *monitor;
    pthread_mutex_t lock; /* Guards the rest. */
    bool is_stopping;
    uint32_t open_calls[PBFT_INSTITUTIONS_MAX]; /* By caller. */
    struct net_gateway_stats stats;
};

/* ---- gateway_call.c ------------------------------------------------------ */

PBFT_MUST_USE enum pbft_status net_calls_create(struct net_gateway *gateway);
void net_calls_start(struct net_gateway *gateway);
/* After the socket was closed. */
void net_calls_destroy(struct net_gateway *gateway);
/* Disconnects clients that do not take their replies. */
void net_calls_tick(struct net_gateway *gateway, pbft_time_ms now);

#endif /* NET_GATEWAY_PRIVATE_H */
