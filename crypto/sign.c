/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 by libsodium, behind explicit checks of the encodings. */
#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

static_assert(sizeof(struct sign_secret) == crypto_sign_SECRETKEYBYTES,
              "the library's secret key: seed and public key");

void sign_generate(uint8_t seed[SIGN_SEED_SIZE],
                   struct pbft_public_key *public_key)
{
    randombytes_buf(seed, SIGN_SEED_SIZE);
    sign_from_seed(NULL, public_key, seed);
}

void sign_from_seed(struct sign_secret *secret,
                    struct pbft_public_key *public_key,
                    const uint8_t seed[SIGN_SEED_SIZE])
{
    struct sign_secret expanded;
    (void)crypto_sign_seed_keypair(public_key->bytes, expanded.bytes, seed);
    if (secret != NULL) {
        *secret = expanded;
    }
    sodium_memzero(&expanded, sizeof expanded);
}

void sign_message(struct pbft_signature *out, const struct sign_secret *secret,
                  struct pbft_bytes message)
{
    (void)crypto_sign_detached(out->bytes, NULL, message.data, message.size,
                               secret->bytes);
}

/* Is y, the lower 255 bits, below p = 2^255 - 19? Public data: no need for
 * constant time. */
static bool is_canonical_point(const uint8_t bytes[32])
{
    if ((bytes[31] & 0x7f) != 0x7f) {
        return true;
    }
    for (size_t i = 30; i > 0; i--) {
        if (bytes[i] != 0xff) {
            return true;
        }
    }
    return bytes[0] < 0xed;
}

bool sign_verify(const struct pbft_public_key *key, struct pbft_bytes message,
                 const struct pbft_signature *signature)
{
    if (!is_canonical_point(key->bytes) ||
        !is_canonical_point(signature->bytes)) {
        return false;
    }
    /* Refuses S >= L, small-order A and R, and compares encodings of R, so
     * the equation is the one without the cofactor. */
    return crypto_sign_verify_detached(signature->bytes, message.data,
                                       message.size, key->bytes) == 0;
}

bool sign_is_valid_key(const struct pbft_public_key *key)
{
    return is_canonical_point(key->bytes) &&
           crypto_core_ed25519_is_valid_point(key->bytes) == 1;
}
