/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF-SHA256 (RFC 5869) and HMAC-SHA256 (RFC 2104). */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include "consensus/status.h"
#include "consensus/types.h"

#define KDF_HASH_SIZE 32
#define KDF_OUTPUT_MAX ((size_t)255 * KDF_HASH_SIZE)

void kdf_hmac_sha256(uint8_t out[KDF_HASH_SIZE], struct pbft_bytes key,
                     struct pbft_bytes message);

/* Extract and expand. TOO_LARGE above KDF_OUTPUT_MAX. */
PBFT_MUST_USE enum pbft_status kdf_hkdf(uint8_t *out, size_t out_size,
                                        struct pbft_bytes salt,
                                        struct pbft_bytes input_key,
                                        struct pbft_bytes info);
void kdf_extract(uint8_t out[KDF_HASH_SIZE], struct pbft_bytes salt,
                 struct pbft_bytes input_key);
PBFT_MUST_USE enum pbft_status
kdf_expand(uint8_t *out, size_t out_size,
           const uint8_t pseudo_random_key[KDF_HASH_SIZE],
           struct pbft_bytes info);

#endif /* CRYPTO_KDF_H */
