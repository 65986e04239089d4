/* SPDX-License-Identifier: Apache-2.0 */
/* Between struct salus_member and the generated type. Private to proto/.
 */
#ifndef PROTO_MEMBER_CODEC_H
#define PROTO_MEMBER_CODEC_H

#include "proto/member.h"
#include "salus/v1/files.pb-c.h"

/* A generated member that borrows from a plain one; in place, not copied. */
struct member_view {
    Salus__V1__Member message;
    ProtobufCBinaryData submit_keys[MEMBER_SUBMIT_KEYS_MAX];
};

void member_view_init(struct member_view *view,
                      const struct salus_member *member);

/* Copies with all lengths checked; no further rules. */
PBFT_MUST_USE enum pbft_status member_from(const Salus__V1__Member *message,
                                           struct salus_member *out,
                                           struct salus_reason *reason);

/* `out` of `size` bytes from a field of exactly that size. */
bool member_copy_exact(void *out, size_t size,
                       const ProtobufCBinaryData *field);
/* A text with its NUL into `size` bytes; false if it does not fit. */
bool member_copy_text(char *out, size_t size, const char *text);

#endif /* PROTO_MEMBER_CODEC_H */
