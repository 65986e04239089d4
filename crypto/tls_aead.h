/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 for the records of mbedTLS, by libsodium: the same bytes in
 * a fifth of the time.
 *
 * mbedTLS lets a build replace this part of it by functions of the same names
 * (MBEDTLS_CHACHAPOLY_ALT). Ours replace those of its shared library when the
 * program is loaded. Where that does not happen, in libsalus.so or with a
 * static mbedTLS, its own functions remain, and everything works as well.
 */
#ifndef CRYPTO_TLS_AEAD_H
#define CRYPTO_TLS_AEAD_H

#include <stdbool.h>

#include "consensus/status.h"
#include "consensus/types.h"

/* Encrypts and decrypts through mbedTLS and compares with RFC 8439 2.8.2.
 * CORRUPT if the bytes are others or a wrong tag is accepted: nothing may go
 * over TLS then. */
PBFT_MUST_USE enum pbft_status tls_aead_check(void);

/* Whether mbedTLS calls our functions. */
bool tls_aead_is_ours(void);

#endif /* CRYPTO_TLS_AEAD_H */
