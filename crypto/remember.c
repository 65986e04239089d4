/* SPDX-License-Identifier: Apache-2.0 */
/* Good signatures are remembered by a digest of all that was verified; a bad
 * one never is. */
#include "crypto/remember.h"

#include <string.h>

static void remember_digest(const void *context, struct pbft_digest *out,
                            const struct pbft_bytes *parts, size_t part_count)
{
    const struct crypto_remember *remember = context;
    remember->inner->digest(remember->inner->context, out, parts, part_count);
}

static void remember_sign(const void *context, struct pbft_signature *out,
                          struct pbft_bytes preimage)
{
    const struct crypto_remember *remember = context;
    remember->inner->sign(remember->inner->context, out, preimage);
}

static bool knows(struct crypto_remember *remember,
                  const struct pbft_digest *digest)
{
    bool is_known = false;
    (void)pthread_mutex_lock(&remember->lock);
    for (uint32_t i = 0; i < remember->count && !is_known; i++) {
        is_known = memcmp(&remember->good[i], digest, sizeof *digest) == 0;
    }
    (void)pthread_mutex_unlock(&remember->lock);
    return is_known;
}

static void add(struct crypto_remember *remember,
                const struct pbft_digest *digest)
{
    (void)pthread_mutex_lock(&remember->lock);
    remember->good[remember->next] = *digest;
    remember->next = (remember->next + 1) % REMEMBER_SIGNATURES_MAX;
    if (remember->count < REMEMBER_SIGNATURES_MAX) {
        remember->count++;
    }
    (void)pthread_mutex_unlock(&remember->lock);
}

static bool remember_verify(const void *context,
                            const struct pbft_public_key *key,
                            struct pbft_bytes preimage,
                            const struct pbft_signature *signature)
{
    struct crypto_remember *remember = (struct crypto_remember *)context;
    const struct pbft_crypto *inner = remember->inner;
    /* The first two are of fixed size: there is one way to read them. */
    const struct pbft_bytes parts[] = {
        {key->bytes, sizeof key->bytes},
        {signature->bytes, sizeof signature->bytes},
        preimage};
    struct pbft_digest digest;
    inner->digest(inner->context, &digest, parts, 3);
    if (knows(remember, &digest)) {
        return true;
    }
    if (!inner->verify(inner->context, key, preimage, signature)) {
        return false;
    }
    add(remember, &digest);
    return true;
}

void crypto_remember_init(struct crypto_remember *remember,
                          const struct pbft_crypto *inner)
{
    memset(remember, 0, sizeof *remember);
    remember->inner = inner;
    remember->vtable = (struct pbft_crypto){.context = remember,
                                            .digest = remember_digest,
                                            .sign = remember_sign,
                                            .verify = remember_verify};
    (void)pthread_mutex_init(&remember->lock, NULL);
}

void crypto_remember_deinit(struct crypto_remember *remember)
{
    (void)pthread_mutex_destroy(&remember->lock);
}

const struct pbft_crypto *
crypto_remember_vtable(const struct crypto_remember *remember)
{
    return &remember->vtable;
}
