/* SPDX-License-Identifier: Apache-2.0 */
/* To be called once, before anything else of crypto/. */
#ifndef CRYPTO_INIT_H
#define CRYPTO_INIT_H

#include "consensus/status.h"

/* Prepares libsodium and checks that the system has a source of randomness.
 * May be called again, from any thread; then it does nothing. */
PBFT_MUST_USE enum pbft_status crypto_init(void);

#endif /* CRYPTO_INIT_H */
