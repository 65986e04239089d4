/* SPDX-License-Identifier: Apache-2.0 */
/* What net/channel.c and net/channel_call.c share. */
#ifndef NET_CHANNEL_PRIVATE_H
#define NET_CHANNEL_PRIVATE_H

#include <pthread.h>

#include "net/channel.h"
#include "net/common.h"
#include "net/members.h"
#include "net/outbox.h"

#define CHANNEL_READS 2
/* Numbers of calls have 31 bits on the wire, the highest bit ends the header:
 * the place of the call in the low ones, a running number above. */
#define CALL_INDEX_BITS 12
#define CALL_INDEX_MASK ((1u << CALL_INDEX_BITS) - 1)
#define CALL_NUMBER_MASK 0x7fffffffu
#define CALL_END_BIT 0x80000000u

struct nng_aio;

struct channel_call {
    bool is_open;
    uint32_t number; /* Of 31 bits. */
    uint64_t token;
    pbft_time_ms deadline;
};

struct net_channel {
    struct net_channel_config
        config;                 /* Pointers in it are not valid any more. */
    struct net_members *member; /* The one behind the replica. */
    char url[NET_URL_MAX];
    struct tls_config *tls; /* NULL: plain TCP. */
    uint32_t socket_id;     /* 0: none. */
    struct net_outbox *outbox;
    struct channel_read {
        struct net_channel *channel;
        struct nng_aio *aio;
    } reads[CHANNEL_READS];
    uint32_t dialer_id; /* Of whoever ticks. */
    pbft_time_ms dialer_since;
    pthread_mutex_t lock; /* Guards the rest. */
    uint32_t pipe_id;     /* 0: not connected. */
    bool is_closing;
    uint32_t next_index;
    uint32_t runs; /* Upper bits of the next number. */
    struct channel_call *calls;
    struct net_problem problem;
};

/* ---- channel_call.c ------------------------------------------------------ */

/* Ends the calls whose deadline is at or before `now`, or, for another status
 * than TIMED_OUT, all. */
void channel_end_calls(struct net_channel *channel, pbft_time_ms now,
                       enum pbft_status status);
PBFT_MUST_USE enum pbft_status channel_start_reads(struct net_channel *channel);
/* After the socket was closed. */
void channel_stop_reads(struct net_channel *channel);

#endif /* NET_CHANNEL_PRIVATE_H */
