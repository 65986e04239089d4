/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that decode and verify what came in, off the protocol thread.
 *
 * Two lanes, envelopes of peers and calls of clients, each bounded by count and
 * bytes; the threads take from them in turn, so that neither starves the other,
 * and in a lane from its sources by the time that each has cost
 * (node/verifier_queue.h).
 */
#ifndef NODE_VERIFIER_POOL_H
#define NODE_VERIFIER_POOL_H

#include "consensus/message.h"
#include "consensus/status.h"

enum verifier_lane { VERIFIER_ENVELOPES, VERIFIER_CALLS, VERIFIER_LANE_COUNT };

struct verifier_job {
    enum verifier_lane lane;
    uint32_t from;              /* Replica, or index of an institution. */
    uint64_t call;              /* CALLS: to be answered. */
    struct pbft_buffer *buffer; /* What came in. */
};

struct verifier_pool_config {
    uint32_t threads;                      /* 1..NODE_VERIFIERS_MAX. */
    uint32_t sources[VERIFIER_LANE_COUNT]; /* `from` is below. */
    size_t jobs_max[VERIFIER_LANE_COUNT];
    size_t bytes_max[VERIFIER_LANE_COUNT];
    void *context;
    /* Called by a thread of the pool, `thread` from 0. The job's buffer is
     * borrowed for the call. May block. */
    void (*work)(void *context, uint32_t thread,
                 const struct verifier_job *job);
    /* A lane that had refused a job has room again. Must not block. */
    void (*room)(void *context, enum verifier_lane lane);
};

struct verifier_pool;

/* Jobs may be put at once; they are done from verifier_pool_start() on. */
struct verifier_pool *
verifier_pool_create(const struct verifier_pool_config *config);
void verifier_pool_start(struct verifier_pool *pool);

/* Takes over the buffer. PBFT_LIMIT: the lane is full, or has enough of this
 * source, PBFT_CLOSED: it is
 * stopping; the caller then keeps the buffer. Never waits; any thread. */
PBFT_MUST_USE enum pbft_status
verifier_pool_put(struct verifier_pool *pool, const struct verifier_job *job);

/* Takes no more jobs, drops those that were not begun, and waits for the
 * threads, if it was started; verifier_pool_put() may still be called. Once. */
void verifier_pool_stop(struct verifier_pool *pool);
/* After verifier_pool_stop(), when nobody puts any more. NULL is fine. */
void verifier_pool_destroy(struct verifier_pool *pool);

#endif /* NODE_VERIFIER_POOL_H */
