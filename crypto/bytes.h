/* SPDX-License-Identifier: Apache-2.0 */
/* Integers into fixed layouts. Private to crypto/. */
#ifndef CRYPTO_BYTES_H
#define CRYPTO_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define U32_SIZE 4
#define U64_SIZE 8

/* Writes the `size` (at most 8) low bytes of `value`, big-endian. */
static inline void put_big_endian(uint8_t *out, size_t size, uint64_t value)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

#endif /* CRYPTO_BYTES_H */
