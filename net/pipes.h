/* SPDX-License-Identifier: Apache-2.0 */
/* The accepted connections, by NNG's pipe id, with the member at the other end.
 * Bounded; not thread-safe. Internal to net/. */
#ifndef NET_PIPES_H
#define NET_PIPES_H

#include "net/net.h"

/* Address and port of the other end. */
struct net_endpoint {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d. */
    uint16_t port;
};

struct net_pipe {
    uint32_t id; /* 0: this place is free. */
    uint32_t owner;
    struct net_endpoint remote;
    pbft_time_ms opened;
};

struct net_pipes;

struct net_pipes *net_pipes_create(uint32_t pipes_max); /* NULL: no memory. */
void net_pipes_destroy(struct net_pipes *pipes);

/* Asserts that there is room and that the id is new. */
void net_pipes_add(struct net_pipes *pipes, const struct net_pipe *pipe);
bool net_pipes_remove(struct net_pipes *pipes, uint32_t id);
/* NULL if there is none. Valid until the next change. */
const struct net_pipe *net_pipes_find(const struct net_pipes *pipes,
                                      uint32_t id);
bool net_pipes_is_full(const struct net_pipes *pipes);
uint32_t net_pipes_count(const struct net_pipes *pipes);
uint32_t net_pipes_count_of(const struct net_pipes *pipes, uint32_t owner);
bool net_pipes_has_remote(const struct net_pipes *pipes,
                          const struct net_endpoint *remote);
/* The next pipe at or after place `*place`, which moves on; NULL: no more. */
const struct net_pipe *net_pipes_next(const struct net_pipes *pipes,
                                      uint32_t *place);

#endif /* NET_PIPES_H */
