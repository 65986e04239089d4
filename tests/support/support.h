/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests find their files. */
#ifndef TESTS_SUPPORT_SUPPORT_H
#define TESTS_SUPPORT_SUPPORT_H

#include <stddef.h>

/* The root of the source tree: $SALUS_SOURCE_DIR, else the current folder. */
const char *support_source_dir(void);

/* Where `name` of the shared test data would be: in $SALUS_SHARED_DATA, else
 * beside the source tree. Too long a path is cut, and not found. */
void support_shared_path(char *out, size_t size, const char *name);

#endif /* TESTS_SUPPORT_SUPPORT_H */
