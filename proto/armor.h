/* SPDX-License-Identifier: Apache-2.0 */
/* Files that people exchange, as text:
 *
 *   -----BEGIN SALUS GENESIS-----
 *   base64 of the protobuf bytes, 64 columns a line
 *   -----END SALUS GENESIS-----
 *
 * Reading is strict: one object a file, no text around it, lines full but the
 * last, canonical base64. Line ends may be CR LF, since mail programs do that.
 */
#ifndef PROTO_ARMOR_H
#define PROTO_ARMOR_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/buffer.h"
#include "proto/reason.h"

enum armor_kind {
    ARMOR_GENESIS = 1,
    ARMOR_MEMBER = 2,
    ARMOR_PRIVATE_KEY = 3,
    ARMOR_RECEIPT = 4,
    ARMOR_EVIDENCE = 5,
    ARMOR_ENVELOPE = 6,
    ARMOR_QUERY_PROOF = 7,
    ARMOR_KIND_LAST = ARMOR_QUERY_PROOF,
};

/* "GENESIS", "PRIVATE KEY", ... */
const char *armor_kind_name(enum armor_kind kind);

/* The kind whose first line `text` begins with; 0: none. The rest is not looked
 * at. */
enum armor_kind armor_kind_of(struct pbft_bytes text);

/* Appends the armored text of `bytes`, final newline included. */
PBFT_MUST_USE enum pbft_status armor_encode(enum armor_kind kind,
                                            struct pbft_bytes bytes,
                                            struct wire_buffer *text);

/* Appends the bytes that `text` holds. On PBFT_MALFORMED or PBFT_TOO_LARGE
 * `reason` says what is wrong and in which line, and the buffer is wiped. */
PBFT_MUST_USE enum pbft_status armor_decode(enum armor_kind kind,
                                            struct pbft_bytes text,
                                            struct wire_buffer *bytes,
                                            struct salus_reason *reason);

#endif /* PROTO_ARMOR_H */
