/* SPDX-License-Identifier: Apache-2.0 */
/* Strict decoding of any generated protobuf type.
 *
 * protobuf-c trusts lengths, counts and nesting, keeps unknown fields and
 * accepts many encodings of one message. So the raw bytes are scanned first,
 * against the descriptor of the type: only the canonical encoding passes, and
 * the memory of the unpacked message is known before it is unpacked.
 */
#ifndef PROTO_SCAN_H
#define PROTO_SCAN_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/codec_limits.h"

/* Of <protobuf-c/protobuf-c.h>; generated headers define them in full. */
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

struct wire_scan_result {
    size_t memory;     /* Bytes that unpacking takes at most. */
    uint32_t elements; /* Sub-messages, strings and repeated values. */
    uint32_t nesting;  /* Levels, the root included. */
};

/* Accepts exactly what packing the decoded message would give: fields in
 * ascending order and known, shortest varints, no explicit default, packed
 * scalars, one kind of a oneof, UTF-8 without NUL in strings; and nothing above
 * the limits of codec_limits.h. Errors: PBFT_MALFORMED, PBFT_NOT_CANONICAL,
 * PBFT_TOO_LARGE. */
PBFT_MUST_USE enum pbft_status
wire_scan(const struct ProtobufCMessageDescriptor *type,
          struct pbft_bytes bytes, struct wire_scan_result *result);

/* Scans, then unpacks into `arena`. `*out` is a message of `type`, to be cast
 * to its struct; it lives until the arena is reset, is never freed by itself,
 * and owns copies of all bytes. PBFT_TOO_LARGE also if the arena's cap is too
 * small, PBFT_NO_MEMORY if memory is short. */
PBFT_MUST_USE enum pbft_status
wire_unpack_strict(const struct ProtobufCMessageDescriptor *type,
                   struct pbft_bytes bytes, struct wire_arena *arena,
                   struct ProtobufCMessage **out);

/* Appends the (canonical) encoding of a generated message. PBFT_TOO_LARGE or
 * PBFT_NO_MEMORY; the buffer then is as before. */
PBFT_MUST_USE enum pbft_status wire_pack(const struct ProtobufCMessage *message,
                                         struct wire_buffer *buffer);

#endif /* PROTO_SCAN_H */
