/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness mode: what must still go on when only a core is healthy.
 *
 * When the faults of a run end, a core of honest replicas is drawn, at least a
 * quorum. Only the core is healed: its members run, their disks and clocks are
 * well, and messages among them arrive. Every other replica keeps what it has,
 * and gets something that never heals; adversaries go on. Everything clients
 * ask for must then be executed by the whole core within a bound.
 */
#ifndef SIM_LIVENESS_H
#define SIM_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct sim;

/* Draws the core, heals it and harms the others. False: there is no quorum of
 * honest replicas whose data is whole, so that nothing may be demanded. */
bool liveness_begin(struct sim *sim);
/* No core yet: all honest replicas that run. */
bool liveness_is_core(const struct sim *sim, const struct host *host);

/* All of the core that may vote are in one active view, but for f at most: one
 * more, and the others would have followed them. */
bool liveness_is_united(const struct sim *sim);
/* Some of it are in another view than most. */
bool liveness_is_apart(const struct sim *sim);

/* How long the core may take, from now on:
 *
 *   (f + 2) T_cap + R T_request + c delta
 *
 * f + 2: the view that is on, or about which the core does not agree, then at
 * most f primaries outside the core, then one of the core. T_cap: what a
 * view-change may wait at most, and a request before it. R T_request: a
 * primary outside the core may let each of the R requests of an institution
 * wait for as long as one may wait, and is never deposed for it. delta: the
 * time within which a message that the core lost comes again and arrives; c
 * counts the steps that may need it: one for each block of a window to fetch,
 * and some for the messages of each view. */
uint64_t liveness_bound_us(const struct sim *sim);

/* Delta: a message that got lost is sent again after so long, and arrives. */
uint64_t liveness_delta_us(const struct sim *sim);

/* How long, at any time from then on, an institution whose request waits may be
 * served nothing while no view of the core changes and nobody of it catches up:
 *
 *   T_client + T_request + c delta, and T_cap more if a view is in doubt: one
 *   of the core is not in it, or no request got on in it. */
uint64_t liveness_floor_us(const struct sim *sim, bool is_view_in_doubt);

/* The invariant that broke when the bound was over: `last` is furthest behind,
 * `is_waiting`: a client has no answer yet. */
const char *liveness_failure(const struct sim *sim, const struct host *last,
                             bool is_waiting);

#endif /* SIM_LIVENESS_H */
