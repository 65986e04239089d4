/* SPDX-License-Identifier: Apache-2.0 */
/* What net/link.c and net/link_read.c share. */
#ifndef NET_LINK_PRIVATE_H
#define NET_LINK_PRIVATE_H

#include <pthread.h>

#include "net/link.h"

/* A TLS record carries so much at most. */
#define LINK_STAGE_SIZE 16384u
#define LINK_GREETING_SIZE 8u
#define LINK_LENGTH_SIZE 8u

struct nng_aio;

enum link_phase { LINK_GREETING, LINK_READY, LINK_CLOSING };

struct net_link {
    struct net_link_config config;
    struct nng_stream *stream;
    struct nng_aio *send_aio;
    struct nng_aio *receive_aio;
    pbft_time_ms created;

    /* Of whoever sends: `is_sending` says that somebody does. */
    struct net_frame out;
    size_t out_done;
    size_t out_counted; /* Of it: what is taken from the budget. */

    /* Of whoever receives: `is_receiving`. */
    uint8_t stage[LINK_STAGE_SIZE]; /* Received, not looked at: */
    size_t stage_at;                /* from here */
    size_t stage_size;              /* so many bytes. */
    bool is_greeted;
    bool has_body;   /* A frame of body_size is being received, */
    bool is_partial; /* and others see since when. */
    uint8_t *body;
    size_t body_size;
    size_t body_done;
    size_t body_capacity;
    bool reads_body; /* The receive in progress goes to the body. */

    pthread_mutex_t lock; /* Guards the rest. */
    pthread_cond_t changed;
    enum link_phase phase;
    bool is_sending;
    bool is_receiving;
    bool is_closing_stream; /* Somebody is inside nng_stream_close(). */
    bool is_cut;            /* net_link_check() found it so. */
    bool is_told;           /* on_closed() is being, or was, called. */
    bool is_over;           /* It has returned. */
    uint32_t holds;
    bool is_admitted;
    uint32_t owner;         /* Stays as it is from the first frame on. */
    struct net_frame *ring; /* config.outbox_messages_max places. */
    uint32_t ring_head;
    uint32_t ring_count;
    size_t ring_bytes;
    bool has_held;
    struct net_frame held; /* Offered, not taken. */
    uint64_t resumes;
    pbft_time_ms sending_since;
    pbft_time_ms receiving_since;
    uint64_t messages_sent;
    uint64_t bytes_sent;
};

/* Bytes of frames out of the budget, and back into it. */
PBFT_MUST_USE bool link_take(struct net_link *link, size_t bytes);
void link_give(struct net_link *link, size_t bytes);
/* Calls on_closed() if it is time. Lock not held. */
void link_settle(struct net_link *link);

/* ---- link_read.c: is_receiving is set ------------------------------------ */

void link_receive(struct net_link *link);
void link_on_received(void *link);

#endif /* NET_LINK_PRIVATE_H */
