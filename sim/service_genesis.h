/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sim/service_*.c. */
#ifndef SIM_SERVICE_GENESIS_H
#define SIM_SERVICE_GENESIS_H

#include "consensus/message.h"
#include "ledger/ledger.h"

/* Of all clients of the run, in their order. */
struct service_clients {
    uint32_t count;
    const struct pbft_public_key *keys;
    const struct pbft_institution *institutions;
};

/* Never NULL. On an empty store. */
struct ledger *service_genesis(const struct ledger_kv *kv,
                               const struct pbft_domain *domain,
                               const struct service_clients *clients);

#endif /* SIM_SERVICE_GENESIS_H */
