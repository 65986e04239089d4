/* SPDX-License-Identifier: Apache-2.0 */
/* How threads that hand each other messages share the processors. */
#ifndef NET_TURNS_H
#define NET_TURNS_H

/* The calling thread, and those that are started from now on, NNG's among them,
 * do not interrupt a running thread when they wake up, but wait for their turn
 * (Linux: SCHED_BATCH). A message passes through half a dozen threads: where
 * all processors are busy, each hand-over would else cost two changes of
 * threads (docs/performance.md). Where one is free nothing changes.
 *
 * Does nothing if whoever started the process has chosen another policy than
 * the usual one, or the system has no such policy. */
void net_take_turns(void);

#endif /* NET_TURNS_H */
