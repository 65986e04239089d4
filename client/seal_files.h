/* SPDX-License-Identifier: Apache-2.0 */
/* A content of any size, sealed or opened in constant memory: from a file or
 * standard input, into a new file or standard output. */
#ifndef CLIENT_SEAL_FILES_H
#define CLIENT_SEAL_FILES_H

#include "client/envelope.h"

/* Seals `from` into `to` ("-": the standard streams) under `out->identity`, and
 * fills in salt, commitment and digest. A new file appears under its name only
 * when it is whole and synced; EXISTS: there is one already. `size` is that of
 * the sealed form. */
PBFT_MUST_USE enum pbft_status
seal_files_seal(struct envelope *out, const uint8_t data_key[SEAL_KEY_SIZE],
                uint64_t *size, const char *from, const char *to,
                struct salus_reason *reason);

/* Opens. BAD_SIGNATURE: changed, cut off, reordered, of another record, or not
 * the content that the envelope is of. Nothing stays in `to` then, unless it is
 * standard output. */
PBFT_MUST_USE enum pbft_status
seal_files_open(const struct envelope *envelope,
                const uint8_t data_key[SEAL_KEY_SIZE], const char *from,
                const char *to, struct salus_reason *reason);

#endif /* CLIENT_SEAL_FILES_H */
