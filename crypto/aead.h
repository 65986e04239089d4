/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticated encryption of one small thing under a random nonce:
 * XChaCha20-Poly1305, whose 24-byte nonce may be random for ever. For rows of
 * the vault and the like; record contents use crypto/seal.h. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "consensus/status.h"
#include "consensus/types.h"

#define AEAD_KEY_SIZE 32
#define AEAD_OVERHEAD (24 + 16) /* Nonce before, tag after. */

/* Writes plaintext.size + AEAD_OVERHEAD bytes. `out` and plaintext must not
 * overlap. */
void aead_seal(uint8_t *out, const uint8_t key[AEAD_KEY_SIZE],
               struct pbft_bytes aad, struct pbft_bytes plaintext);

/* Writes sealed.size - AEAD_OVERHEAD bytes. MALFORMED if it is too short,
 * BAD_SIGNATURE if key, aad or bytes are wrong; then `out` is all zero. */
PBFT_MUST_USE enum pbft_status aead_open(uint8_t *out,
                                         const uint8_t key[AEAD_KEY_SIZE],
                                         struct pbft_bytes aad,
                                         struct pbft_bytes sealed);

#endif /* CRYPTO_AEAD_H */
