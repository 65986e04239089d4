/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as lower-case hexadecimal text and back. */
#ifndef CRYPTO_HEX_H
#define CRYPTO_HEX_H

#include "consensus/status.h"
#include "consensus/types.h"

/* Writes 2 * size digits and a zero; `out` holds 2 * size + 1 characters. */
void hex_encode(char *out, struct pbft_bytes bytes);

/* Reads exactly 2 * size digits of either case; MALFORMED otherwise. */
PBFT_MUST_USE enum pbft_status hex_decode(uint8_t *out, size_t size,
                                          const char *text);

/* Reads any even number of digits, at most 2 * capacity. */
PBFT_MUST_USE enum pbft_status hex_decode_any(uint8_t *out, size_t capacity,
                                              size_t *size, const char *text);

#endif /* CRYPTO_HEX_H */
