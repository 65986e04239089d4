/* SPDX-License-Identifier: Apache-2.0 */
/* The way to one replica: dials, checks who answers, dials again when the
 * connection breaks, gives up a host that does not answer. Internal to net/.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/link.h"
#include "net/members.h"

struct net_dial;

struct net_dial_config {
    const struct net_members *members; /* Kept. */
    uint32_t member;                   /* Whose replica must answer. */
    const char *address;
    struct net_credentials own;
    enum net_security security;
    enum net_protocol protocol;
    uint32_t frame_bytes_max;
    uint32_t outbox_messages_max;
    uint32_t outbox_bytes_max;
    uint32_t handshake_timeout_ms;
    uint32_t reconnect_min_ms;
    uint32_t reconnect_max_ms;
    void *context;
    /* In turns; the first is "up". May be NULL. */
    void (*on_state)(void *context, bool connected);
    enum net_disposition (*on_message)(void *context, struct net_frame frame);
};

/* Begins to dial. INVALID_CONFIG, NO_MEMORY, with a problem. */
PBFT_MUST_USE enum pbft_status
net_dial_open(struct net_dial **out, const struct net_dial_config *config,
              struct net_problem *problem);
/* Returns when no callback runs any more. NULL is fine. */
void net_dial_close(struct net_dial *dial);

/* Keeps the deadlines; from one thread, several times a second. `hurries`: a
 * pause between two attempts ends now. */
void net_dial_tick(struct net_dial *dial, pbft_time_ms now, bool hurries);

/* As net_link_send(); UNREACHABLE if there is no connection. */
PBFT_MUST_USE enum pbft_status net_dial_send(struct net_dial *dial,
                                             const struct pbft_bytes *parts,
                                             size_t count);
/* Breaks the connection if it is at least so old; it is dialed again. */
void net_dial_break(struct net_dial *dial, pbft_time_ms now,
                    pbft_time_ms age_ms);

struct net_dial_stats {
    bool connected;
    uint64_t messages_sent;
    uint64_t bytes_sent;
    uint64_t messages_dropped;
    uint64_t connects;
    uint64_t redials;        /* Dials and handshakes that took too long. */
    uint64_t strangers;      /* Somebody else answered. */
    struct net_problem last; /* Why the last dial failed; else empty. */
};
void net_dial_stats(struct net_dial *dial, struct net_dial_stats *out);

#endif /* NET_DIAL_H */
