/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptography for simulation and tests: fast, deterministic, not secure.
 *
 * Digests are a 256-bit mix without known collisions. A signature is a digest
 * under a secret that belongs to the public key; only the holder of a struct
 * fake_signer can make one, so that a puppet signs for itself alone. Equal on
 * every compiler and machine.
 */
#ifndef SIM_FAKE_CRYPTO_H
#define SIM_FAKE_CRYPTO_H

#include "consensus/crypto.h"

/* The right to sign with one key. Opaque to whoever does not own it. */
struct fake_signer {
    struct pbft_public_key key;
    struct pbft_digest secret;
};

/* The signer number `number` of the group `group` (replicas, clients, ...). */
void fake_signer_init(struct fake_signer *signer, const char *group,
                      uint64_t number);

/* `signer` is kept by the vtable as its context. */
struct pbft_crypto fake_crypto(const struct fake_signer *signer);

/* The digest alone, for hashes of traces and states. */
void fake_digest(struct pbft_digest *out, const struct pbft_bytes *parts,
                 size_t part_count);

#endif /* SIM_FAKE_CRYPTO_H */
