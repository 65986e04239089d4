/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that executes committed blocks: ledger, then one write.
 */
#ifndef NODE_EXECUTOR_H
#define NODE_EXECUTOR_H

#include "consensus/pbft.h"
#include "ledger/ledger.h"
#include "storage/block.h"
#include "storage/state.h"

struct executor;

struct executor_sink {
    void *context;
    /* Block `executed.seq` is written. `results` is borrowed for the call. */
    void (*executed)(void *context, const struct pbft_attestation *executed,
                     const struct ledger_block_result *results);
    /* Once; nothing more is executed. */
    void (*failed)(void *context, enum pbft_status status);
};

/* A request of consensus/ as the ledger takes it; the payload is borrowed. */
void executor_describe_request(const struct pbft_request *request,
                               struct ledger_request *out);

/* Starts the thread, which owns `ledger` and `state` until it is destroyed.
 * `incarnations`: after the last block; copied. */
struct executor *executor_create(struct storage *storage,
                                 struct storage_state *state,
                                 struct ledger *ledger,
                                 const struct pbft_keyring *keyring,
                                 const struct pbft_incarnations *incarnations,
                                 const struct executor_sink *sink);
/* Executes what is waiting, then ends the thread. NULL is fine. */
void executor_destroy(struct executor *executor);

/* The table after the last block that was reported, or a later one. False, and
 * `out` is not touched: as at the last call. For one thread. */
bool executor_take_incarnations(struct executor *executor,
                                struct pbft_incarnations *out);

/* When the ledger next wants a block, after the last one that was executed; 0:
 * never. Any thread. */
pbft_wall_us executor_next_due(struct executor *executor);

/* Takes a reference; never blocks. Commits come in order of seq, no more than
 * PBFT_WINDOW_MAX are waiting. */
void executor_put(struct executor *executor, const struct pbft_commit *commit);

#endif /* NODE_EXECUTOR_H */
