/* SPDX-License-Identifier: Apache-2.0 */
/* Writing past the file system's cache. Private to storage/. */
#ifndef STORAGE_DIRECT_H
#define STORAGE_DIRECT_H

#include <stdbool.h>

/* Can files of `dir` be written so? False also if nobody can tell (the folder
 * is not there, or its file system has no files without a name). */
bool direct_is_possible(const char *dir);

#endif /* STORAGE_DIRECT_H */
