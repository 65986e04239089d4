/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the decoder share. Private to proto/.
 */
#ifndef PROTO_CODEC_DECODE_H
#define PROTO_CODEC_DECODE_H

#include "proto/codec.h"
#include "proto/reader.h"

struct decode_context {
    const struct pbft_domain *domain;
    struct pbft_origin origin;   /* Of the message; nested ones inherit. */
    struct pbft_buffer *backing; /* Payloads point into it; or NULL. */
};

/* Each returns a new message, or NULL and a failed reader. They take all
 * fields of the kind; the caller closes the reader. */
struct pbft_message *decode_request(const struct decode_context *context,
                                    struct wire_reader *reader);
struct pbft_message *decode_batch(const struct decode_context *context,
                                  struct wire_reader *reader);
/* Signed by `origin`. */
struct pbft_message *decode_pre_prepare(const struct decode_context *context,
                                        const struct pbft_origin *origin,
                                        enum wire_body body,
                                        struct wire_reader *reader);
struct pbft_message *decode_attestation(const struct decode_context *context,
                                        struct wire_reader *reader);
struct pbft_message *decode_stable(const struct decode_context *context,
                                   struct wire_reader *reader);
/* `type`: PREPARED or COMMITTED. */
struct pbft_message *decode_certificate(const struct decode_context *context,
                                        enum pbft_message_type type,
                                        enum wire_body body,
                                        struct wire_reader *reader);
struct pbft_message *decode_view_change(const struct decode_context *context,
                                        struct wire_reader *reader);
struct pbft_message *decode_new_view(const struct decode_context *context,
                                     struct wire_reader *reader);

/* Makes a missing sub-message a failure. False if there is none. */
bool decode_open(struct wire_reader *reader, uint32_t field,
                 struct wire_reader *nested);

#endif /* PROTO_CODEC_DECODE_H */
