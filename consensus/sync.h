/* SPDX-License-Identifier: Apache-2.0 */
/* Catching up by certified blocks, and serving those who do (design: P9, P11).
 * Private to the core. */
#ifndef CONSENSUS_SYNC_H
#define CONSENSUS_SYNC_H

#include "consensus/pbft.h"

/* Blocks handed out for execution and not yet executed, while catching up: the
 * executor's queue stays short and memory bounded. */
#define PBFT_SYNC_BACKLOG_MAX (2u * PBFT_FETCH_BLOCKS_MAX)
/* And those that came before their turn and follow at once. */
#define PBFT_SYNC_HANDED_MAX                                                   \
    (PBFT_SYNC_BACKLOG_MAX + 2u * PBFT_FETCH_BLOCKS_MAX)

/* Catching up by certified blocks (design: P9, P11). */
struct pbft_sync {
    bool is_active;
    pbft_replica_id peer; /* Who was asked last. */
    pbft_seq requested;   /* Blocks up to here were asked for. */
    /* The stretch up to here must be complete then, or the peer is left: one
     * that brings a block now and then is no donor. */
    pbft_seq goal;
    pbft_time_ms deadline;
    pbft_seq begun;        /* Committed when that stretch began, */
    pbft_time_ms begun_at; /* and when that was. */
    pbft_seq gap;          /* What was missing then; 0: not known. */
    /* A donor of which nothing comes for so long is left; each time it happens
     * the next one has twice as long, for the way may be what is slow. */
    pbft_time_ms patience_ms;
    pbft_seq stalled_seq; /* Committed at the last periodic STATUS. */
    /* Blocks that came before their turn: seq is at seq % MAX. */
    const struct pbft_message *blocks[PBFT_FETCH_BLOCKS_MAX];
    /* Beyond the window, handed out and not yet executed: seq is at seq % MAX.
     * The executor holds them too. */
    const struct pbft_message *handed[PBFT_SYNC_HANDED_MAX];
};

struct pbft_replica;
struct pbft_slot;

/* serve.c */
enum pbft_verdict pbft_on_fetch(struct pbft_replica *replica,
                                const struct pbft_message *message);

/* sync.c */
enum pbft_verdict pbft_on_committed(struct pbft_replica *replica,
                                    const struct pbft_message *message);
void pbft_send_fetch(struct pbft_replica *replica, pbft_replica_id to,
                     const struct pbft_fetch *fetch);
/* A peer signed that it has executed `seq`. */
void pbft_note_executed(struct pbft_replica *replica, pbft_replica_id peer,
                        pbft_seq seq);
/* Asks for what is missing, if it is time. */
void pbft_sync_continue(struct pbft_replica *replica);
/* The peer that was asked brought nothing: turn to the next one. */
void pbft_sync_rotate(struct pbft_replica *replica);
/* Nothing was committed for a while: asks for blocks, or another peer if the
 * one that was asked has had its time. */
void pbft_sync_on_stall(struct pbft_replica *replica);
/* Nothing was committed for a STATUS interval, and a single peer claims more:
 * it may be the only honest one that holds the certificates (the others died
 * after they voted, or left the view). Asks one claimant for a stretch; what it
 * answers proves itself, a lie costs one FETCH. */
void pbft_ask_claimant(struct pbft_replica *replica);
/* Asks for the proof of a newer stable checkpoint, if a peer claims one. */
void pbft_fetch_stable(struct pbft_replica *replica);
/* The block beyond the window, now executed; NULL if it had a slot. The caller
 * owns the reference. */
const struct pbft_message *pbft_sync_take_handed(struct pbft_sync *sync,
                                                 pbft_seq seq);
void pbft_sync_deinit(struct pbft_sync *sync);

/* body.c */
/* Looks for the batches of headers that came without. */
void pbft_fetch_bodies(struct pbft_replica *replica);
/* The same for one slot. The others are sought again when RESEND fires. */
void pbft_fetch_body(struct pbft_replica *replica,
                     const struct pbft_slot *slot);

#endif /* CONSENSUS_SYNC_H */
