/* SPDX-License-Identifier: Apache-2.0 */
/* The only clocks of the daemon: monotonic for timers, wall for block time. */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <pthread.h>
#include <time.h>

#include "consensus/types.h"

pbft_time_ms clock_now_ms(void);
pbft_wall_us clock_wall_us(void);

/* A condition that waits by the monotonic clock. */
void clock_condition_init(pthread_cond_t *condition);
/* Waits until `deadline_ms` (PBFT_TIME_NEVER: without end) or a signal. */
void clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          pbft_time_ms deadline_ms);

/* User and system time of the process, its resident memory, and what it caused
 * to be written to disks (0: the kernel does not tell). */
uint64_t clock_cpu_us(void);
/* The same of the calling thread, in nanoseconds. */
uint64_t clock_thread_ns(void);
uint64_t clock_resident_bytes(void);
uint64_t clock_written_bytes(void);

/* Processors that the calling thread may use, of a container those that were
 * given to it; at least 1. */
uint32_t clock_processors(void);
/* Memory that the process may use: of the machine, or of its control group if
 * that has less (a container, a service with MemoryMax); 0: nobody tells. */
uint64_t clock_memory_bytes(void);

#endif /* NODE_CLOCK_H */
