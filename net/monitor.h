/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does something several times a second. Internal to net/. */
#ifndef NET_MONITOR_H
#define NET_MONITOR_H

#include "net/net.h"

#define NET_MONITOR_INTERVAL_MS 100

struct net_monitor;

/* Calls `tick` from a thread of its own. NULL if there is no memory. */
struct net_monitor *
net_monitor_start(void (*tick)(void *context, pbft_time_ms now), void *context);
/* Returns when the thread has ended. NULL is fine. */
void net_monitor_stop(struct net_monitor *monitor);

#endif /* NET_MONITOR_H */
