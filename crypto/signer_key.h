/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of those who sign documents elsewhere, out of PEM files, and the
 * signature algorithms of JOSE (RFC 7518, RFC 8037). mbedTLS and libsodium do
 * the work. */
#ifndef CRYPTO_SIGNER_KEY_H
#define CRYPTO_SIGNER_KEY_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

struct signer_key;

/* A certificate, or a public key: RSA of 2048 to 4096 bits, P-256, P-384 or
 * Ed25519. `pem` ends with a zero. MALFORMED with a reason. */
PBFT_MUST_USE enum pbft_status signer_key_parse(struct signer_key **out,
                                                const char *pem,
                                                struct salus_reason *reason);
void signer_key_free(struct signer_key *key); /* Or NULL. */

/* Of a certificate: is it valid then? Seconds since 1970 UTC. */
bool signer_key_is_valid_at(const struct signer_key *key, int64_t at_s);

/* RS256 .. RS512, PS256 .. PS512, ES256, ES384, EdDSA: is it one of these? */
bool signer_algorithm_is_known(const char *name);

/* INVALID_ARGUMENT: the algorithm is not known, or not of this kind of key;
 * BAD_SIGNATURE. */
PBFT_MUST_USE enum pbft_status signer_key_verify(const struct signer_key *key,
                                                 const char *algorithm,
                                                 struct pbft_bytes message,
                                                 struct pbft_bytes signature);

#endif /* CRYPTO_SIGNER_KEY_H */
