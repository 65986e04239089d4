/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on their way into one NNG socket: a bounded queue and one send at a
 * time. Sending never blocks; while the connection is down, and when the queue
 * is full, messages are dropped and counted. Safe from any thread. Internal to
 * net/.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include "net/net.h"

struct nng_msg;
struct net_outbox;

struct net_outbox_limits {
    uint32_t messages_max;
    uint32_t bytes_max; /* One message of any size fits if it is alone. */
};

PBFT_MUST_USE enum pbft_status
net_outbox_create(struct net_outbox **out, uint32_t socket_id,
                  const struct net_outbox_limits *limits);
/* After the socket was closed. NULL is fine. */
void net_outbox_destroy(struct net_outbox *outbox);

/* The connection is up, or down: what waits is dropped, since it would arrive
 * stale. */
enum net_outbox_state { NET_OUTBOX_DOWN, NET_OUTBOX_UP };
void net_outbox_set(struct net_outbox *outbox, enum net_outbox_state state);

/* Takes over `message` in any case. LIMIT, UNREACHABLE: dropped. */
PBFT_MUST_USE enum pbft_status net_outbox_push(struct net_outbox *outbox,
                                               struct nng_msg *message);

struct net_outbox_stats {
    uint64_t messages_sent; /* Handed to NNG. */
    uint64_t bytes_sent;
    uint64_t messages_dropped;
};
void net_outbox_stats(struct net_outbox *outbox, struct net_outbox_stats *out);

#endif /* NET_OUTBOX_H */
