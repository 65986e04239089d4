/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders of a test. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

#define SUPPORT_PATH_MAX 512

/* A new folder under $TMPDIR or /tmp; aborts the test if there can be none. */
void support_folder_create(char path[SUPPORT_PATH_MAX]);
/* Removes the folder and the files in it, two levels deep. */
void support_folder_remove(const char *path);

/* The path of the newest file in `folder` whose name ends in `suffix`; 0 if
 * there is none, else 1. */
int support_folder_newest(char path[SUPPORT_PATH_MAX], const char *folder,
                          const char *suffix);

#endif /* TESTS_SUPPORT_FOLDER_H */
