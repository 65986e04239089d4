/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that holds secrets, by libsodium. */
#include "crypto/secret.h"

#include "consensus/assert.h"

#include <sodium.h>

void secret_wipe(void *memory, size_t size)
{
    if (size > 0) {
        sodium_memzero(memory, size);
    }
}

bool secret_equal(const void *left, const void *right, size_t size)
{
    return sodium_memcmp(left, right, size) == 0;
}

void *secret_alloc(size_t size)
{
    return sodium_malloc(size);
}

void secret_protect(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    /* Fails only where the system has no page protection; nothing is lost. */
    (void)sodium_mprotect_readonly(memory);
}

void secret_free(void *memory)
{
    sodium_free(memory); /* Makes it writable again, wipes, frees. */
}
