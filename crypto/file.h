/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, whole: created once and synced, or read under a limit. Secret
 * ones have mode 0600, and a file that others may read is refused. */
#ifndef CRYPTO_FILE_H
#define CRYPTO_FILE_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

enum file_access {
    FILE_PUBLIC = 1, /* Mode 0644, as the umask allows. */
    FILE_SECRET = 2, /* Mode 0600, whatever the umask. */
};

/* Creates `path` and syncs it and its folder. EXISTS: never overwrites.
 * NOT_FOUND: no such folder; PERMISSION, NO_SPACE, IO. A file that could not be
 * written in full is removed again. `reason` may be NULL. */
PBFT_MUST_USE enum pbft_status file_create(const char *path,
                                           enum file_access access,
                                           struct pbft_bytes content,
                                           struct salus_reason *reason);

/* Reads a regular file of at most `capacity` bytes. A secret one must belong to
 * this user or root and be closed to everybody else. NOT_FOUND, PERMISSION,
 * TOO_LARGE, IO. */
PBFT_MUST_USE enum pbft_status file_read(uint8_t *out, size_t capacity,
                                         size_t *size, const char *path,
                                         enum file_access access,
                                         struct salus_reason *reason);

#endif /* CRYPTO_FILE_H */
