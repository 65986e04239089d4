/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that answers the calls that waited for a proof, tells calls that
 * waited too long, reads bodies back from the log, and sends old blocks to
 * peers that ask. */
#ifndef NODE_REPLIER_H
#define NODE_REPLIER_H

#include "consensus/pbft.h"
#include "consensus/status.h"

struct replier;

/* All are called by the thread of the replier. */
struct replier_work {
    void *context;
    /* `proof` is NULL if replier_put_proof() was given none. */
    void (*proof)(void *context, pbft_seq seq,
                  const struct pbft_message *proof);
    /* Sends one block, of `size` bytes (0: there is none). LIMIT: no room for
     * it now, it is tried again; any other status ends the peer's order. */
    enum pbft_status (*serve)(void *context, pbft_replica_id to, pbft_seq seq,
                              size_t *size);
    void (*read_body)(void *context, const struct pbft_body_read *read);
    void (*sweep)(void *context, pbft_time_ms now_ms);
};

struct replier *replier_create(const struct replier_work *work);
/* Does what is waiting but for blocks to peers and bodies, then ends the
 * thread. */
void replier_destroy(struct replier *replier); /* NULL is fine. */

/* Takes a reference to the proof (NULL: look whether there is one). Waits if
 * NODE_PROOFS_WAITING_MAX are waiting: a replica that cannot answer must not
 * run ahead of that. */
void replier_put_proof(struct replier *replier,
                       const struct pbft_attested *attested);
/* One order per peer: one that goes on where the last one ends is added to it,
 * any other one takes its place, for the peer has asked anew. No peer gets more
 * than NODE_SERVE_BYTES_MAX, and one block, in an interval. Needs serve->to <
 * PBFT_REPLICAS_MAX. */
void replier_put_serve(struct replier *replier, const struct pbft_serve *serve);

/* Drops it if NODE_READS_WAITING_MAX are waiting. */
void replier_put_read(struct replier *replier,
                      const struct pbft_body_read *read);

#endif /* NODE_REPLIER_H */
