/* SPDX-License-Identifier: Apache-2.0 */
/* Whether text is text. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "consensus/types.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms) without NUL.
 */
bool wire_utf8_is_valid(struct pbft_bytes text);

/* The same, and nothing that breaks the line or turns it round: no control
 * characters, those of direction (U+202A.., U+2066..) and the separators
 * U+2028, U+2029 included. */
bool wire_utf8_is_line(struct pbft_bytes text);

#endif /* PROTO_UTF8_H */
