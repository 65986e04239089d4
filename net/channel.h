/* SPDX-License-Identifier: Apache-2.0 */
/* A client's connection to one replica: many calls in flight at once.
 *
 * Speaks NNG's req0 protocol, with call numbers of its own: a call that is
 * given up is merely forgotten. Connects and reconnects in the background, also
 * when two calls in a row were given up and nothing came meanwhile. All calls
 * are safe from any thread.
 */
#ifndef NET_CHANNEL_H
#define NET_CHANNEL_H

#include "net/net.h"

struct net_channel;

struct net_channel_config {
    const char *address;             /* host:port of the replica. */
    const struct net_member *member; /* Whose replica it is; copied. */
    struct net_credentials own;      /* For "client.<name>". */
    enum net_security security;
    uint32_t caller; /* Plain TCP only: the index that we claim. */

    /* Limits; 0 takes the default of net_channel_config_defaults(). */
    uint32_t frame_bytes_max;
    uint32_t calls_max; /* In flight. */
    uint32_t handshake_timeout_ms;
    uint32_t reconnect_min_ms;
    uint32_t reconnect_max_ms;

    void *context;
    /* The fate of a call, exactly once per net_channel_call() that returned
     * PBFT_OK. PBFT_OK: `reply` is given away. TIMED_OUT, UNREACHABLE (the
     * connection broke; the call may have been carried out), CLOSED: `reply`
     * is NULL. Must not block nor close the channel. */
    void (*on_reply)(void *context, uint64_t token, enum pbft_status status,
                     struct pbft_buffer *reply);
    /* The connection came up or broke. May be NULL. Must not block. */
    void (*on_state)(void *context, bool connected);
};

void net_channel_config_defaults(struct net_channel_config *config);

PBFT_MUST_USE enum pbft_status
net_channel_open(const struct net_channel_config *config,
                 struct net_channel **out, struct net_problem *problem);

/* Calls in flight end as PBFT_CLOSED. Returns when no callback runs any more.
 * NULL is fine. */
void net_channel_close(struct net_channel *channel);

/* Sends a call (`bytes` are copied) that is given up at `deadline_ms` of the
 * monotonic clock. UNREACHABLE: not connected; LIMIT: too many in flight;
 * TOO_LARGE: in none of these cases on_reply() follows. */
PBFT_MUST_USE enum pbft_status net_channel_call(struct net_channel *channel,
                                                uint64_t token,
                                                struct pbft_bytes bytes,
                                                pbft_time_ms deadline_ms);

/* Gives up calls whose deadline has passed, and dials. To be called now and
 * then, from one thread; returns when it wants to be called again. */
pbft_time_ms net_channel_tick(struct net_channel *channel, pbft_time_ms now_ms);

bool net_channel_is_connected(struct net_channel *channel);
/* Why the last dial failed; empty if it did not. */
void net_channel_problem(struct net_channel *channel,
                         struct net_problem *problem);

#endif /* NET_CHANNEL_H */
