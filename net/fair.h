/* SPDX-License-Identifier: Apache-2.0 */
/* Who finds a place where owners share what there is. Internal to net/.
 *
 * Half of it is divided into equal shares: each owner always finds his, however
 * many others crowd in. The other half is for whoever comes first.
 */
#ifndef NET_FAIR_H
#define NET_FAIR_H

#include <stdbool.h>
#include <stdint.h>

struct net_holdings {
    uint64_t max;
    uint64_t left;        /* Of it, free. */
    const uint64_t *held; /* By owner. */
    uint32_t owners;
};

/* `owner` may have so much more. One that is no owner has no share. */
bool net_fair_admits(const struct net_holdings *holdings, uint32_t owner,
                     uint64_t wanted);

#endif /* NET_FAIR_H */
