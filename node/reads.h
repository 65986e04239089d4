/* SPDX-License-Identifier: Apache-2.0 */
/* The record of who reads the ledger here: each query becomes a line of the
 * journal, with the institution that asked and the kind of its question, never
 * whom or what it asked about. Of many in a short time the first have lines of
 * their own and the others one together, which counts them by kind: so nobody
 * fills the disk, and none is left out. Safe from any thread.
 */
#ifndef NODE_READS_H
#define NODE_READS_H

#include "consensus/types.h"

struct reads;
struct salus_genesis;
struct Salus__V1__Query;

/* The genesis outlives it. Never NULL. */
struct reads *reads_create(const struct salus_genesis *genesis);
/* Tells what was not told. NULL is fine. */
void reads_destroy(struct reads *reads);

enum reads_level { READS_LOCAL, READS_CERTIFIED };

/* Member number `caller` asked. NULL: it looked for a receipt. */
void reads_note(struct reads *reads, uint32_t caller, enum reads_level level,
                const struct Salus__V1__Query *query, pbft_time_ms now_ms);
/* How many it asked since the start. */
uint64_t reads_total(struct reads *reads, uint32_t caller);
/* Tells of those without a line of their own, an interval after the first of
 * them. To be called now and then. */
void reads_tell(struct reads *reads, pbft_time_ms now_ms);

#endif /* NODE_READS_H */
