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

/* Copies the files of `from` as they are at this moment into the folder `to`;
 * aborts the test if it cannot. What RocksDB has written by then is in it, as
 * after a crash. */
void support_folder_copy(const char *to, const char *from);

/* The path of the newest file in `folder` whose name ends in `suffix`; 0 if
 * there is none, else 1. */
int support_folder_newest(char path[SUPPORT_PATH_MAX], const char *folder,
                          const char *suffix);

#endif /* TESTS_SUPPORT_FOLDER_H */
