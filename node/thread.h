/* SPDX-License-Identifier: Apache-2.0 */
/* Names of threads, as top, gdb and perf show them, and their CPU time. */
#ifndef NODE_THREAD_H
#define NODE_THREAD_H

#include <stddef.h>
#include <stdint.h>

#define THREAD_NAME_SIZE 16 /* Of the kernel, with its NUL. */
#define THREAD_NAMES_MAX 32 /* What is beyond is counted under the last. */

/* All threads of one name. */
struct thread_time {
    char name[THREAD_NAME_SIZE];
    uint32_t count;
    uint64_t cpu_us; /* User and system time since start. */
};

/* Names the calling thread; what is longer than 15 characters is cut. */
void thread_name(const char *name);

/* Those of this process, in the order in which the kernel lists them. Returns
 * how many names there are; 0 where there is no /proc. */
size_t thread_times(struct thread_time out[THREAD_NAMES_MAX]);

#endif /* NODE_THREAD_H */
