/* SPDX-License-Identifier: Apache-2.0 */
/* XChaCha20-Poly1305 by libsodium, the nonce in front. */
#include "crypto/aead.h"

#include <sodium.h>
#include <string.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

static_assert(NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES ==
                  AEAD_OVERHEAD,
              "the header states the overhead");
static_assert(AEAD_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
              "the header states the size of keys");

void aead_seal(uint8_t *out, const uint8_t key[AEAD_KEY_SIZE],
               struct pbft_bytes aad, struct pbft_bytes plaintext)
{
    randombytes_buf(out, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + NONCE_SIZE, NULL, plaintext.data, plaintext.size, aad.data,
        aad.size, NULL, out, key);
}

enum pbft_status aead_open(uint8_t *out, const uint8_t key[AEAD_KEY_SIZE],
                           struct pbft_bytes aad, struct pbft_bytes sealed)
{
    if (sealed.size < AEAD_OVERHEAD) {
        return PBFT_MALFORMED;
    }
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            out, NULL, NULL, sealed.data + NONCE_SIZE, sealed.size - NONCE_SIZE,
            aad.data, aad.size, sealed.data, key) != 0) {
        sodium_memzero(out, sealed.size - AEAD_OVERHEAD);
        return PBFT_BAD_SIGNATURE;
    }
    return PBFT_OK;
}
