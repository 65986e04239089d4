/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of opening a node, each of which can fail with one clear line.
 * Private to node.c. */
#ifndef NODE_WIRING_H
#define NODE_WIRING_H

#include "node/node_private.h"

PBFT_MUST_USE enum pbft_status
wiring_open_storage(struct node *node, const struct node_setup *setup,
                    struct salus_reason *reason);
/* Writes the genesis state if the store is new. */
PBFT_MUST_USE enum pbft_status wiring_open_ledger(struct node *node,
                                                  struct salus_reason *reason);
/* Queues, tables and the threads behind the protocol thread. */
void wiring_create_queues(struct node *node, const struct node_setup *setup);
PBFT_MUST_USE enum pbft_status wiring_open_peers(struct node *node,
                                                 const struct node_setup *setup,
                                                 struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
wiring_create_driver(struct node *node, const struct node_setup *setup,
                     struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
wiring_open_gateway(struct node *node, const struct node_setup *setup,
                    struct salus_reason *reason);
/* Frees what the steps made, once all threads and channels are closed. */
void wiring_release(struct node *node);

/* Opens the store of key envelopes, which is in the data folder, and begins to
 * deliver; after the peers. */
PBFT_MUST_USE enum pbft_status
wiring_open_courier(struct node *node, const struct node_setup *setup,
                    struct salus_reason *reason);

#endif /* NODE_WIRING_H */
