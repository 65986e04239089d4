/* SPDX-License-Identifier: Apache-2.0 */
/* The network between replicas, in our hands: each of them reaches each other
 * one through a TCP relay of its own, which can cut, hold up, delay.
 */
#ifndef TESTS_INTEGRATION_TORTURE_PROXY_H
#define TESTS_INTEGRATION_TORTURE_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum proxy_mode {
    PROXY_PASS,
    PROXY_CUT, /* Connections are reset, new ones too. */
    /* Connections stay, nothing comes through, not even the end of one; what
     * was under way arrives when it passes again. New ones hang. */
    PROXY_HOLE,
    PROXY_SLOW /* Everything arrives later. */
};

struct proxy;

/* `targets`: the peer port of each replica. NULL: no ports, or no thread. */
struct proxy *proxy_open(uint32_t replicas, const uint16_t *targets);
void proxy_close(struct proxy *proxy); /* NULL is fine. */

/* Where `from` has to dial to reach `to`. */
uint16_t proxy_port(const struct proxy *proxy, uint32_t from, uint32_t to);

/* What `from` dialed, both directions of it. */
void proxy_set(struct proxy *proxy, uint32_t from, uint32_t to,
               enum proxy_mode mode, uint32_t delay_ms);
/* Everything passes again. */
void proxy_heal(struct proxy *proxy);

#endif /* TESTS_INTEGRATION_TORTURE_PROXY_H */
