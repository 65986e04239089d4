/* SPDX-License-Identifier: Apache-2.0 */
/* Consensus messages as bytes, and envelopes of them (docs/wire.md).
 *
 * The bytes are the canonical protobuf encoding of consensus.proto: fields in
 * ascending order, shortest varints, defaults left out. A decoder accepts
 * nothing else, so that equal messages have equal bytes. It trusts no length
 * and no count, does not recurse, and allocates only what passed its limit.
 *
 * All functions may be called from any thread at once, on different buffers.
 */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "consensus/message.h"
#include "consensus/status.h"
#include "proto/buffer.h"
#include "proto/codec_limits.h"

/* Whether the body of a pre-prepare goes along. Log records and blocks store
 * bodies apart. */
enum wire_body { WIRE_BODY_INCLUDE, WIRE_BODY_OMIT };

/* Appends the encoding of `message`. Prepared certificates in a view-change and
 * headers in a new-view go without bodies always. Returns PBFT_INVALID_ARGUMENT
 * if nested messages are of another epoch, PBFT_TOO_LARGE or PBFT_NO_MEMORY;
 * the buffer then is as before. */
PBFT_MUST_USE enum pbft_status
wire_message_encode(const struct pbft_message *message, enum wire_body body,
                    struct wire_buffer *buffer);

/* Decodes one message that fills `bytes` exactly. Digests are computed from
 * the content. On success `*out` holds one reference for the caller.
 *
 * With `backing` (may be NULL) `bytes` must lie in it; payloads of requests
 * then point into it and keep it alive, unless the message is so small a part
 * of the buffer that a copy is the lesser waste.
 *
 * Errors: PBFT_MALFORMED, PBFT_NOT_CANONICAL, PBFT_TOO_LARGE, PBFT_NO_MEMORY.
 * What passed is well-formed, not yet verified: pbft_verify() comes next. */
PBFT_MUST_USE enum pbft_status
wire_message_decode(const struct pbft_domain *domain, struct pbft_bytes bytes,
                    struct pbft_buffer *backing,
                    const struct pbft_message **out);

/* The same for the client.proto parts that carry consensus content. */
PBFT_MUST_USE enum pbft_status
wire_request_decode(const struct pbft_domain *domain, struct pbft_bytes bytes,
                    pbft_replica_id relay, const struct pbft_message **out);

/* The Request alone, as it stands in a Submit call or a receipt. */
PBFT_MUST_USE enum pbft_status
wire_request_encode(const struct pbft_request *request,
                    struct wire_buffer *buffer);

/* Everything one loop turn has to say to one peer. */
struct wire_envelope {
    uint8_t cluster[WIRE_CLUSTER_PREFIX_SIZE];
    pbft_replica_id sender;
    uint32_t message_count;
    struct pbft_bytes rest;       /* Messages not yet taken; into the input. */
    struct pbft_bytes deliveries; /* The same of deliveries. */
};

/* Begins an envelope in an empty buffer; then add the encoded messages. The
 * same bytes may be added to the envelopes of many peers. */
void wire_envelope_begin(struct wire_buffer *buffer,
                         const struct pbft_digest *cluster,
                         pbft_replica_id sender);
/* PBFT_LIMIT: the envelope is full, send it and begin another one; it is as
 * before the call. `count` (in and out) is how many messages it holds. */
PBFT_MUST_USE enum pbft_status wire_envelope_add(struct wire_buffer *buffer,
                                                 struct pbft_bytes message,
                                                 uint32_t *count);

/* The same for an encoded Delivery, behind all messages. */
PBFT_MUST_USE enum pbft_status
wire_envelope_add_delivery(struct wire_buffer *buffer,
                           struct pbft_bytes delivery, uint32_t *count);

/* Checks the whole envelope but not inside its messages. Errors: as
 * wire_message_decode(), PBFT_VERSION, and PBFT_WRONG_IDENTITY if it is meant
 * for another cluster. */
PBFT_MUST_USE enum pbft_status
wire_envelope_decode(const struct pbft_digest *cluster, struct pbft_bytes bytes,
                     struct wire_envelope *out);
/* Takes the next message; false after the last one. */
bool wire_envelope_next(struct wire_envelope *envelope,
                        struct pbft_bytes *message);
bool wire_envelope_next_delivery(struct wire_envelope *envelope,
                                 struct pbft_bytes *delivery);

#endif /* PROTO_CODEC_H */
