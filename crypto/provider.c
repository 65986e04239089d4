/* SPDX-License-Identifier: Apache-2.0 */
/* The core's vtable over digest.h and sign.h, and the own key in guarded
 * memory. */
#include "crypto/provider.h"

#include "consensus/assert.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

#include <stdlib.h>

struct crypto_provider {
    struct pbft_crypto vtable;
    struct pbft_public_key public_key;
    struct sign_secret *secret; /* Guarded; NULL: there is no own key. */
};

static void provider_digest(const void *context, struct pbft_digest *out,
                            const struct pbft_bytes *parts, size_t part_count)
{
    (void)context;
    digest_blake2b_parts(out, parts, part_count);
}

static void provider_sign(const void *context, struct pbft_signature *out,
                          struct pbft_bytes preimage)
{
    const struct crypto_provider *provider = context;
    PBFT_ASSERT(provider != NULL);
    PBFT_ASSERT(provider->secret != NULL);
    sign_message(out, provider->secret, preimage);
}

static bool provider_verify(const void *context,
                            const struct pbft_public_key *key,
                            struct pbft_bytes preimage,
                            const struct pbft_signature *signature)
{
    (void)context;
    return sign_verify(key, preimage, signature);
}

enum pbft_status crypto_provider_create(struct crypto_provider **out,
                                        const uint8_t seed[SIGN_SEED_SIZE])
{
    struct crypto_provider *provider = calloc(1, sizeof *provider);
    *out = NULL;
    if (provider == NULL) {
        return PBFT_NO_MEMORY;
    }
    provider->vtable = (struct pbft_crypto){
        .context = provider,
        .digest = provider_digest,
        .sign = provider_sign,
        .verify = provider_verify,
    };
    if (seed != NULL) {
        provider->secret = secret_alloc(sizeof *provider->secret);
        if (provider->secret == NULL) {
            free(provider);
            return PBFT_NO_MEMORY;
        }
        sign_from_seed(provider->secret, &provider->public_key, seed);
        secret_protect(provider->secret);
    }
    *out = provider;
    return PBFT_OK;
}

void crypto_provider_destroy(struct crypto_provider *provider)
{
    if (provider != NULL) {
        secret_free(provider->secret);
        free(provider);
    }
}

const struct pbft_crypto *
crypto_provider_vtable(const struct crypto_provider *provider)
{
    return &provider->vtable;
}

const struct pbft_public_key *
crypto_provider_public_key(const struct crypto_provider *provider)
{
    return &provider->public_key;
}

const struct pbft_crypto *crypto_provider_verify_only(void)
{
    static const struct pbft_crypto vtable = {
        .context = NULL,
        .digest = provider_digest,
        .sign = provider_sign,
        .verify = provider_verify,
    };
    return &vtable;
}
