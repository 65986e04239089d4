/* SPDX-License-Identifier: Apache-2.0 */
/* Private key files: one armored PrivateKey (files.proto) each, mode 0600.
 *
 * Created with O_EXCL and synced, never overwritten. Read only if the file is a
 * regular one, belongs to this user (or root) and nobody else may read it.
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

#define KEYFILE_BYTES_MAX 4096

enum keyfile_kind {
    KEYFILE_REPLICA = 1,    /* Ed25519 */
    KEYFILE_CLIENT = 2,     /* Ed25519 */
    KEYFILE_ENCRYPTION = 3, /* X25519 */
};

struct keyfile {
    enum keyfile_kind kind;
    struct pbft_institution institution;
    uint8_t secret[32]; /* Ed25519 seed or X25519 secret. */
    struct pbft_public_key public_key;
};

/* A new random key in memory. */
void keyfile_generate(struct keyfile *out, enum keyfile_kind kind,
                      const struct pbft_institution *institution);

/* EXISTS if there is a file already; IO and the reason otherwise. `reason` may
 * be NULL. */
PBFT_MUST_USE enum pbft_status keyfile_create(const char *path,
                                              const struct keyfile *key,
                                              struct salus_reason *reason);

/* NOT_FOUND, PERMISSION ("... mode 0644: chmod 600 ..."), MALFORMED, WRONG
 * kind: INVALID_ARGUMENT; a public key that does not belong to the secret:
 * CORRUPT. On failure `out` is wiped. */
PBFT_MUST_USE enum pbft_status keyfile_read(struct keyfile *out,
                                            const char *path,
                                            enum keyfile_kind kind,
                                            struct salus_reason *reason);

void keyfile_wipe(struct keyfile *key);

#endif /* CRYPTO_KEYFILE_H */
