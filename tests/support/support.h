/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests find their files. */
#ifndef TESTS_SUPPORT_SUPPORT_H
#define TESTS_SUPPORT_SUPPORT_H

/* The root of the source tree: $SALUS_SOURCE_DIR, else the current folder. */
const char *support_source_dir(void);

#endif /* TESTS_SUPPORT_SUPPORT_H */
