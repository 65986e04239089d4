/* SPDX-License-Identifier: Apache-2.0 */
/* A struct pbft_crypto that does not verify again the last signatures that were
 * good. Answers about requests of the same block carry the same
 * attestations.
 */
#ifndef CRYPTO_REMEMBER_H
#define CRYPTO_REMEMBER_H

#include <pthread.h>

#include "consensus/crypto.h"

/* Blocks that are being answered at once, times f + 1 of a few members. */
#define REMEMBER_SIGNATURES_MAX 64

struct crypto_remember {
    struct pbft_crypto vtable;
    const struct pbft_crypto *inner;
    pthread_mutex_t lock;
    struct pbft_digest good[REMEMBER_SIGNATURES_MAX]; /* A ring; key, signature
                                                     and message of each. */
    uint32_t count;
    uint32_t next;
};

/* `inner` is borrowed. The struct must not move. */
void crypto_remember_init(struct crypto_remember *remember,
                          const struct pbft_crypto *inner);
void crypto_remember_deinit(struct crypto_remember *remember);

/* Its calls are safe from any thread. */
const struct pbft_crypto *
crypto_remember_vtable(const struct crypto_remember *remember);

#endif /* CRYPTO_REMEMBER_H */
