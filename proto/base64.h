/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 4, strict: padded, no other characters, unused bits 0.
 */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "consensus/types.h"

/* Four characters for each three bytes begun. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_SIZE(bytes.size) characters, no NUL. */
void base64_encode(struct pbft_bytes bytes, char *out);

/* Writes at most text.size / 4 * 3 bytes and returns how many; -1 if `text` is
 * not the encoding of anything. Padding only in the last group. */
ptrdiff_t base64_decode(struct pbft_bytes text, uint8_t *out);

#endif /* PROTO_BASE64_H */
