/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian integers in and out of fixed layouts. Private to the core. */
#ifndef CONSENSUS_BYTES_H
#define CONSENSUS_BYTES_H

#include <stdint.h>

#define PBFT_U32_SIZE 4
#define PBFT_U64_SIZE 8

static inline void pbft_put_u32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < PBFT_U32_SIZE; i++) {
        out[i] = (uint8_t)(value >> (8 * (PBFT_U32_SIZE - 1 - i)));
    }
}

static inline void pbft_put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < PBFT_U64_SIZE; i++) {
        out[i] = (uint8_t)(value >> (8 * (PBFT_U64_SIZE - 1 - i)));
    }
}

static inline uint32_t pbft_get_u32(const uint8_t *in)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < PBFT_U32_SIZE; i++) {
        value = value << 8 | in[i];
    }
    return value;
}

static inline uint64_t pbft_get_u64(const uint8_t *in)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < PBFT_U64_SIZE; i++) {
        value = value << 8 | in[i];
    }
    return value;
}

#endif /* CONSENSUS_BYTES_H */
