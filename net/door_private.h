/* SPDX-License-Identifier: Apache-2.0 */
/* What net/door.c and net/door_links.c share. */
#ifndef NET_DOOR_PRIVATE_H
#define NET_DOOR_PRIVATE_H

#include <pthread.h>

#include "net/door.h"

struct nng_aio;
struct nng_stream_listener;

struct net_door {
    struct net_door_config config; /* Texts in it are not valid any more. */
    struct tls_config *tls;        /* NULL: plain TCP. */
    struct net_budget *budget;     /* NULL: none. */
    struct nng_stream_listener *listener;
    struct nng_aio *aio;
    uint16_t port;
    pthread_mutex_t lock; /* Guards the rest. */
    struct net_link **links;
    uint32_t link_count;
    uint32_t links_max;
    bool is_closing;
    bool is_accepting; /* NNG waits for a connection. */
    struct net_door_stats stats;
    uint64_t failures_before; /* Handshakes that failed before stats.last. */
};

/* Which links of the list are meant. */
enum door_pick {
    DOOR_PENDING_SINCE, /* Not ready, and as old as that. */
    DOOR_OWNER_SINCE,
    DOOR_STUCK_SINCE,
    DOOR_ALL
};

struct door_picker {
    enum door_pick pick;
    uint32_t owner;
    pbft_time_ms since;
    pbft_time_ms coming_since; /* DOOR_STUCK_SINCE: of a frame that comes in. */
    uint64_t *count; /* Grows with each that is picked; NULL: nobody counts. */
};

struct door_census {
    uint32_t admitted;
    uint32_t of_owner;
};

/* ---- door_links.c -------------------------------------------------------- */

/* The next picked link at or after `*place`, held; NULL at the end. */
struct net_link *door_next(struct net_door *door,
                           const struct door_picker *picker, uint32_t *place);
/* Closes all that are picked. Each is counted before it is closed: who sees
 * that he was hung up on finds himself in the statistics. */
void door_close_picked(struct net_door *door, const struct door_picker *picker);
/* Closes those that broke without a word. */
void door_check(struct net_door *door);
/* Destroys the links that are over. */
void door_bury(struct net_door *door);
/* Of those in their handshake: of the source that has most of them the oldest.
 * NULL: there are few. The lock is held. */
struct net_link *door_crowder(const struct net_door *door);
/* The lock is held. */
void door_count(const struct net_door *door, uint32_t owner,
                struct door_census *out);
/* Those that are admitted; adds them up by owner. Lock held. */
uint32_t door_count_each(const struct net_door *door,
                         uint64_t held[PBFT_INSTITUTIONS_MAX]);

#endif /* NET_DOOR_PRIVATE_H */
