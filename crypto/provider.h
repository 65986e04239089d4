/* SPDX-License-Identifier: Apache-2.0 */
/* struct pbft_crypto (consensus/crypto.h) with libsodium. The own secret key
 * lies in guarded, read-only memory until the provider is destroyed. */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H

#include "consensus/crypto.h"
#include "consensus/status.h"
#include "crypto/sign.h"

struct crypto_provider;

/* `seed` may be NULL: the provider then digests and verifies, and signing is
 * an assertion failure. The caller wipes its own copy of the seed. */
PBFT_MUST_USE enum pbft_status
crypto_provider_create(struct crypto_provider **out,
                       const uint8_t seed[SIGN_SEED_SIZE]);
void crypto_provider_destroy(struct crypto_provider *provider); /* Or NULL. */

/* Valid as long as the provider. Its calls are safe from any thread. */
const struct pbft_crypto *
crypto_provider_vtable(const struct crypto_provider *provider);

/* Zero if there is no own key. */
const struct pbft_public_key *
crypto_provider_public_key(const struct crypto_provider *provider);

/* Digest and verify only; needs no creation; constant. */
const struct pbft_crypto *crypto_provider_verify_only(void);

#endif /* CRYPTO_PROVIDER_H */
