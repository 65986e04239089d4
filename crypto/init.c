/* SPDX-License-Identifier: Apache-2.0 */
/* libsodium chooses its fastest code and opens the random source here. */
#include "crypto/init.h"

#include <sodium.h>

enum pbft_status crypto_init(void)
{
    return sodium_init() < 0 ? PBFT_IO : PBFT_OK;
}
