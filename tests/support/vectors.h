/* SPDX-License-Identifier: Apache-2.0 */
/* Test vectors nobody here wrote: JSON files in the shared test data. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include "consensus/types.h"

#include <jansson.h>

#define VECTOR_BYTES_MAX (1u << 20)

/* The path of a file in the shared data: $SALUS_SHARED_DATA, else
 * <source>/../shared/data. Says "SKIPPED: ..." and returns NULL if the file is
 * not there. Valid until the next call. */
const char *support_shared_file(const char *name);

/* The parsed file, to be released with json_decref(); NULL and "SKIPPED" if it
 * is not there; fails the test if it cannot be parsed. */
json_t *support_vectors(const char *name);

/* A hexadecimal member of an object as bytes, from malloc; the test fails if
 * there is none. */
struct pbft_bytes support_hex(const json_t *object, const char *name);
void support_hex_free(struct pbft_bytes bytes);

const char *support_text(const json_t *object, const char *name);

#endif /* TESTS_SUPPORT_VECTORS_H */
