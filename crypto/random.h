/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the operating system. Never used by the replicated parts.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `size` bytes. Cannot fail after crypto_init(): a system without
 * randomness aborts the process. Safe from any thread. */
void random_fill(void *out, size_t size);

/* Uniform in 0..bound - 1; `bound` > 0. */
uint32_t random_below(uint32_t bound);

#endif /* CRYPTO_RANDOM_H */
