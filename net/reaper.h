/* SPDX-License-Identifier: Apache-2.0 */
/* Closes connections to a listening port that never become a pipe.
 *
 * NNG 1.5.2 keeps a TLS connection whose other end says nothing for ever, out
 * of the reach of its API. So the process looks through its own descriptors for
 * sockets of that local port without a pipe, and shuts down those that it has
 * seen for too long; NNG then notices the end of file. By the way it switches
 * on TCP keepalive, with times that NNG has no option for, so that connections
 * of vanished hosts end. Internal to net/.
 */
#ifndef NET_REAPER_H
#define NET_REAPER_H

#include "net/pipes.h"

/* Unfinished connections that are watched at a time; more are shut down at
 * once, the newest first. */
#define NET_REAPER_WATCHED_MAX 512

struct net_reaper;

struct net_reaper *net_reaper_create(uint16_t port, pbft_time_ms patience_ms);
void net_reaper_destroy(struct net_reaper *reaper);

/* One look. `has_pipe` says whether a remote end is that of a pipe. Returns how
 * many connections were shut down. */
uint32_t net_reaper_look(struct net_reaper *reaper, pbft_time_ms now,
                         bool (*has_pipe)(void *context,
                                          const struct net_endpoint *remote),
                         void *context);

struct sockaddr;
/* False if it is neither IPv4 nor IPv6. */
bool net_endpoint_of(struct net_endpoint *out, const struct sockaddr *address);

#endif /* NET_REAPER_H */
