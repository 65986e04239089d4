/* SPDX-License-Identifier: Apache-2.0 */
/* The states after the last blocks, for certified reads (docs/api.md, 5a):
 * replicas must answer after the same block, whichever of them is ahead.
 *
 * Each state is a snapshot of the store: it costs a few hundred bytes, and
 * keeps RocksDB from dropping what the last blocks replaced. One that was asked
 * lately is kept a little longer, so that the pages of one answer come from one
 * state. All calls are safe from any thread.
 */
#ifndef NODE_HISTORY_H
#define NODE_HISTORY_H

#include "consensus/message.h"
#include "storage/state.h"

struct history;

/* Never NULL. */
struct history *history_create(struct storage *storage);
/* Nothing may be borrowed. NULL is fine. */
void history_destroy(struct history *history);

/* Block `seq` was just written, and no later one: keeps the state after it.
 * Seqs increase. */
void history_add(struct history *history, pbft_seq seq, pbft_time_ms now_ms);

/* Borrowed until history_give_back(). */
struct history_state;

/* The state after block `seq`; 0: the newest. LIMIT: not executed yet;
 * NOT_FOUND: kept no more. `*newest` is set in any case. `caller` is the number
 * of the institution that asks: it keeps NODE_HISTORY_LEASES_EACH states
 * at most, and takes nobody's only one for a second of its own. */
PBFT_MUST_USE enum pbft_status history_borrow(struct history *history,
                                              pbft_seq seq, uint32_t caller,
                                              pbft_time_ms now_ms,
                                              struct history_state **out,
                                              pbft_seq *newest);
void history_give_back(struct history *history, struct history_state *state);

const struct ledger_kv *history_kv(const struct history_state *state);

/* How many states are kept. */
size_t history_count(struct history *history);

#endif /* NODE_HISTORY_H */
