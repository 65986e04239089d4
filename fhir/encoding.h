/* SPDX-License-Identifier: Apache-2.0 */
/* Two encodings of R4's Attachment: base64 data, and the SHA-1 `hash`. */
#ifndef FHIR_ENCODING_H
#define FHIR_ENCODING_H

#include "consensus/status.h"
#include "consensus/types.h"

#define FHIR_SHA1_SIZE 20

/* Strict RFC 4648: padding required, no stray bits; white space is skipped, as
 * FHIR allows. `out` holds 3 * strlen(text) / 4 + 3 bytes. MALFORMED. */
PBFT_MUST_USE enum pbft_status fhir_base64_decode(uint8_t *out, size_t *size,
                                                  const char *text);

/* With padding; `out` holds 4 * ((size + 2) / 3) + 1 characters. */
void fhir_base64_encode(char *out, struct pbft_bytes bytes);

/* SHA-1, only to check what R4 says of an attachment; nothing else may rest on
 * it. */
void fhir_sha1(uint8_t out[FHIR_SHA1_SIZE], struct pbft_bytes bytes);

#endif /* FHIR_ENCODING_H */
