/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom() through libsodium, which aborts if the system has none. */
#include "crypto/random.h"

#include "consensus/assert.h"

#include <sodium.h>

void random_fill(void *out, size_t size)
{
    randombytes_buf(out, size);
}

uint32_t random_below(uint32_t bound)
{
    PBFT_ASSERT(bound > 0);
    return randombytes_uniform(bound);
}
