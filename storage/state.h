/* SPDX-License-Identifier: Apache-2.0 */
/* ledger/kv.h on the families that are the ledger's (docs/storage.md).
 *
 * The live state gathers the writes of a block until storage_block_write() puts
 * them down together with the block. Views show what was written, to any
 * thread.
 */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include "ledger/kv.h"
#include "storage/storage.h"

struct storage_state;

/* The live state: for the thread that executes. Until
 * storage_state_gather() each `apply` is one synced write: for the genesis
 * state. NULL if memory is short. */
struct storage_state *storage_state_create(struct storage *storage);
void storage_state_destroy(struct storage_state *state); /* Or NULL. */

/* From now on `apply` holds its writes back for storage_block_write(). Reading
 * between the two is a mistake in this program, and asserted. */
void storage_state_gather(struct storage_state *state);

/* Valid as long as the state. */
const struct ledger_kv *storage_state_kv(struct storage_state *state);

enum storage_view_kind {
    STORAGE_VIEW_SNAPSHOT, /* Everything as of one block. */
    STORAGE_VIEW_NEWEST,   /* Each read by itself; for hints. */
};

struct storage_view;

/* Any thread. Any number of threads may read it at once. Never NULL. */
struct storage_view *storage_view_open(struct storage *storage,
                                       enum storage_view_kind kind);
void storage_view_close(struct storage_view *view); /* Or NULL. */

/* `apply` is NULL. Valid as long as the view. */
const struct ledger_kv *storage_view_kv(struct storage_view *view);

#endif /* STORAGE_STATE_H */
