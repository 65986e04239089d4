/* SPDX-License-Identifier: Apache-2.0 */
/* struct ledger_kv in memory, for the simulator, tests and benches. Ordered,
 * deterministic, not thread-safe. Out of memory aborts. */
#ifndef LEDGER_KV_MEMORY_H
#define LEDGER_KV_MEMORY_H

#include "ledger/kv.h"

struct ledger_kv_memory;

/* An empty store. */
struct ledger_kv_memory *ledger_kv_memory_create(void);
void ledger_kv_memory_destroy(struct ledger_kv_memory *memory); /* Or NULL. */

/* An independent copy, e.g. what a disk holds at a crash. */
struct ledger_kv_memory *
ledger_kv_memory_clone(const struct ledger_kv_memory *memory);

/* Valid as long as the store. */
const struct ledger_kv *
ledger_kv_memory_vtable(struct ledger_kv_memory *memory);

/* Entries in one space. */
size_t ledger_kv_memory_count(const struct ledger_kv_memory *memory,
                              enum ledger_space space);

/* Of all entries in order: equal stores, equal digests. */
void ledger_kv_memory_digest(const struct ledger_kv_memory *memory,
                             struct pbft_digest *out);

#endif /* LEDGER_KV_MEMORY_H */
