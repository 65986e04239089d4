/* SPDX-License-Identifier: Apache-2.0 */
/* How threads that hand each other messages share the processors. */
#ifndef NET_TURNS_H
#define NET_TURNS_H

#include <stdbool.h>

/* True: threads of this process, NNG's among them, do not interrupt a running
 * thread when they wake up, but wait for their turn (Linux: SCHED_BATCH). A
 * message passes through half a dozen threads: where they keep all processors
 * busy, each hand-over would else cost two changes of threads
 * (docs/performance.md). False: as usual, for a machine that others keep busy:
 * there each hand-over would have to wait for them.
 *
 * Threads that begin later do as those that start them. Those to which another
 * policy than these two was given keep it. Nothing happens where policies
 * cannot be chosen. Any thread. */
void net_take_turns(bool wanted);

/* Nobody has chosen a policy for the calling thread. */
bool net_has_usual_policy(void);

#endif /* NET_TURNS_H */
