/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts and proofs as they come to whoever checks them: armored, as base64
 * alone (a valueBase64Binary of FHIR), or encoded. */
#ifndef CLIENT_VERIFY_FORM_H
#define CLIENT_VERIFY_FORM_H

#include "proto/armor.h"

/* Appends the encoding that is in `content`; the content decides its form. What
 * it encodes, ARMOR_RECEIPT or ARMOR_QUERY_PROOF, is told by its first fields:
 * the rest is for receipt_verify() and proof_verify(). `*kind` 0: neither of
 * them. On MALFORMED or TOO_LARGE `reason` says what is wrong. */
PBFT_MUST_USE enum pbft_status verify_form_read(struct wire_buffer *bytes,
                                                enum armor_kind *kind,
                                                struct pbft_bytes content,
                                                struct salus_reason *reason);

#endif /* CLIENT_VERIFY_FORM_H */
