/* SPDX-License-Identifier: Apache-2.0 */
/* Names of threads, as top, gdb and perf show them. */
#ifndef NODE_THREAD_H
#define NODE_THREAD_H

/* Names the calling thread; what is longer than 15 characters is cut. */
void thread_name(const char *name);

#endif /* NODE_THREAD_H */
