/* SPDX-License-Identifier: Apache-2.0 */
/* How many bytes the connections of a door may hold: frames that have not come
 * to their end, and frames that nobody takes. Internal to net/.
 *
 * Each owner can always have a share of them: net/fair.h.
 */
#ifndef NET_BUDGET_H
#define NET_BUDGET_H

#include "net/net.h"

struct net_budget;

/* Owners are numbered from 0; NET_NOBODY has no share. NULL: no memory. */
struct net_budget *net_budget_create(size_t bytes_max, uint32_t owners);
void net_budget_destroy(struct net_budget *budget); /* NULL is fine. */

/* False: it would be too much, and is counted. Any thread. With NULL, or
 * nothing to take, it is always true. */
PBFT_MUST_USE bool net_budget_take(struct net_budget *budget, uint32_t owner,
                                   size_t bytes);
void net_budget_give(struct net_budget *budget, uint32_t owner, size_t bytes);

size_t net_budget_held(struct net_budget *budget);
uint64_t net_budget_refused(struct net_budget *budget);

#endif /* NET_BUDGET_H */
