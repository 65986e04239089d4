/* SPDX-License-Identifier: Apache-2.0 */
/* A file beside the replica's key that says: this replica has had a data
 * folder. A folder that is empty nevertheless has been lost, and must not be
 * taken for a new one (design: P14).
 */
#ifndef NODE_STARTED_H
#define NODE_STARTED_H

#include <stdbool.h>
#include <stddef.h>

/* The name of the file: `key` and a suffix. False if it does not fit. */
bool started_path(const char *key, char *out, size_t capacity);
bool started_is_marked(const char *path);
/* Durable when it returns true. False: the place cannot be written to. */
bool started_mark(const char *path);

#endif /* NODE_STARTED_H */
