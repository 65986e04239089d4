/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032), verified strictly, so that every replica in every build
 * gives the same verdict on every byte string:
 *
 *   - S is canonical (S < L)
 *   - A and R are canonical encodings of points (y < p)
 *   - neither A nor R is of small order
 *   - the equation is checked without multiplying by the cofactor
 *
 * What libsodium leaves open (a non-canonical R is caught by comparing the
 * recomputed encoding) is checked here explicitly and first. The verdict on the
 * twelve cases of ed25519-speccheck: cases 0-2 small order refused; 3 (mixed
 * order A and R, cofactorless holds) accepted; 4-5 (only the cofactored
 * equation holds) refused; 6-7 (S >= L) refused; 8-11 (non-canonical or small
 * order) refused.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "consensus/status.h"
#include "consensus/types.h"

#define SIGN_SEED_SIZE 32

/* A secret key: seed and public key, as the library wants it. Wipe it. */
struct sign_secret {
    uint8_t bytes[64];
};

/* A new random key. */
void sign_generate(uint8_t seed[SIGN_SEED_SIZE],
                   struct pbft_public_key *public_key);

/* The public key, and if `secret` is not NULL the secret one, of a seed. */
void sign_from_seed(struct sign_secret *secret,
                    struct pbft_public_key *public_key,
                    const uint8_t seed[SIGN_SEED_SIZE]);

/* Deterministic; cannot fail. */
void sign_message(struct pbft_signature *out, const struct sign_secret *secret,
                  struct pbft_bytes message);

/* Safe from any thread. */
bool sign_verify(const struct pbft_public_key *key, struct pbft_bytes message,
                 const struct pbft_signature *signature);

/* Is it a key that could ever verify: canonical, on the curve, in the group of
 * prime order? Checked once when a key is admitted. */
bool sign_is_valid_key(const struct pbft_public_key *key);

#endif /* CRYPTO_SIGN_H */
