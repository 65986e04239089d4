/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of clients whose answer waits for a proof.
 *
 * A call waits first by the digest of its request, until that is executed; from
 * then on by the block in which its first result stands. Whoever takes a call
 * out owes the reply, so each is answered once. Any thread.
 */
#ifndef NODE_WAITING_H
#define NODE_WAITING_H

#include "consensus/status.h"
#include "ledger/results.h"

struct waiting_call {
    uint64_t call; /* Of net/gateway.h. */
    pbft_time_ms deadline_ms;
    bool wants_request; /* A lookup: the request goes with the answer. */
    struct results_location at; /* seq 0: not executed yet. */
};

struct waiting;

struct waiting *waiting_create(size_t calls_max);
void waiting_destroy(struct waiting *waiting);

/* PBFT_LIMIT: too many wait already. */
PBFT_MUST_USE enum pbft_status
waiting_add_request(struct waiting *waiting, const struct pbft_digest *request,
                    const struct waiting_call *call);
/* `call->at` says where. */
PBFT_MUST_USE enum pbft_status
waiting_add_located(struct waiting *waiting, const struct waiting_call *call);

/* The request was executed: all calls for it now wait for that block. Returns
 * how many. */
size_t waiting_locate(struct waiting *waiting,
                      const struct pbft_digest *request,
                      const struct results_location *at);

/* A call waits for this block. */
bool waiting_has_block(struct waiting *waiting, pbft_seq seq);
/* Each takes at most `capacity` calls out, and returns how many. */
size_t waiting_take_block(struct waiting *waiting, struct waiting_call *out,
                          size_t capacity, pbft_seq seq);
size_t waiting_take_request(struct waiting *waiting, struct waiting_call *out,
                            size_t capacity, const struct pbft_digest *request);
/* Those whose deadline is not after `now_ms`; PBFT_TIME_NEVER: all. */
size_t waiting_take_expired(struct waiting *waiting, struct waiting_call *out,
                            size_t capacity, pbft_time_ms now_ms);

size_t waiting_count(struct waiting *waiting);

#endif /* NODE_WAITING_H */
