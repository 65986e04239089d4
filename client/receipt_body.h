/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction within a receipt. */
#ifndef CLIENT_RECEIPT_BODY_H
#define CLIENT_RECEIPT_BODY_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/arena.h"

/* The body, in `arena`, of the transaction that a receipt is about. Proves
 * nothing: see receipt_verify(). MALFORMED. */
PBFT_MUST_USE enum pbft_status receipt_body(struct pbft_bytes *out,
                                            struct wire_arena *arena,
                                            struct pbft_bytes encoded);

#endif /* CLIENT_RECEIPT_BODY_H */
