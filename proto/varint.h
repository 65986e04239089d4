/* SPDX-License-Identifier: Apache-2.0 */
/* Base-128 integers of protobuf, shortest form only. Private to proto/.
 */
#ifndef PROTO_VARINT_H
#define PROTO_VARINT_H

#include "consensus/status.h"
#include "consensus/types.h"

#define WIRE_VARINT_SIZE_MAX 10u

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5,
};

/* Reads one at `*position` and moves behind it. PBFT_MALFORMED: cut off, or
 * more than 64 bits. PBFT_NOT_CANONICAL: could be shorter. */
static inline enum pbft_status
wire_varint_read(const uint8_t **position, const uint8_t *end, uint64_t *value)
{
    const uint8_t *at = *position;
    uint64_t result = 0;
    for (unsigned i = 0; i < WIRE_VARINT_SIZE_MAX; i++) {
        if (at == end) {
            return PBFT_MALFORMED;
        }
        uint8_t byte = *at++;
        if (i == WIRE_VARINT_SIZE_MAX - 1 && byte > 1) {
            return PBFT_MALFORMED;
        }
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0) {
                return PBFT_NOT_CANONICAL;
            }
            *position = at;
            *value = result;
            return PBFT_OK;
        }
    }
    return PBFT_MALFORMED;
}

static inline unsigned wire_varint_size(uint64_t value)
{
    unsigned size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

/* Writes at most WIRE_VARINT_SIZE_MAX bytes; returns how many. */
static inline unsigned wire_varint_write(uint8_t *out, uint64_t value)
{
    unsigned size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

#endif /* PROTO_VARINT_H */
