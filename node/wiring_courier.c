/* SPDX-License-Identifier: Apache-2.0 */
/* The store of key envelopes and the thread that delivers them. */
#include "node/wiring.h"

enum pbft_status wiring_open_courier(struct node *node,
                                     const struct node_setup *setup,
                                     struct salus_reason *reason)
{
    struct envelopes *store = NULL;
    enum pbft_status status =
        envelopes_open(setup->data_dir, setup->storage.sync,
                       &node->identity->domain, &store, reason);
    if (status != PBFT_OK) {
        return status;
    }
    if (envelopes_damaged(store) > 0) {
        journal(JOURNAL_WARNING, "envelopes-damaged", "erased=%u",
                (unsigned)envelopes_damaged(store));
    }
    node->courier = courier_create(node, store);
    return PBFT_OK;
}
