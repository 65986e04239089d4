/* SPDX-License-Identifier: Apache-2.0 */
/* What the core needs of cryptography: three calls that depend on nothing but
 * their arguments and the own key. crypto/ implements them with libsodium, the
 * simulator with a fake that puppets cannot forge.
 */
#ifndef CONSENSUS_CRYPTO_H
#define CONSENSUS_CRYPTO_H

#include "consensus/types.h"

struct pbft_crypto {
    const void *context;
    /* BLAKE2b-256 of the concatenated parts. */
    void (*digest)(const void *context, struct pbft_digest *out,
                   const struct pbft_bytes *parts, size_t part_count);
    /* Signs with the own key; cannot fail. */
    void (*sign)(const void *context, struct pbft_signature *out,
                 struct pbft_bytes preimage);
    /* Strict Ed25519: canonical S, no small-order points. Safe from any thread.
     */
    bool (*verify)(const void *context, const struct pbft_public_key *key,
                   struct pbft_bytes preimage,
                   const struct pbft_signature *signature);
};

/* What ties each digest and signature to one cluster and protocol version. */
struct pbft_domain {
    const struct pbft_crypto *crypto; /* Kept; outlives all messages. */
    struct pbft_digest cluster;       /* Digest of the genesis file. */
};

#endif /* CONSENSUS_CRYPTO_H */
