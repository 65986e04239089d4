/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the encoder share. Private to proto/.
 */
#ifndef PROTO_CODEC_ENCODE_H
#define PROTO_CODEC_ENCODE_H

#include "proto/codec.h"

/* About as long as most small sub-messages: their length needs no move. */
#define ENCODE_SIZE_SMALL 100u

/* The message cannot be said on the wire. */
void encode_refuse(struct wire_buffer *buffer);

/* A PrePrepare as the sub-message `field`. */
void encode_nested_header(struct wire_buffer *buffer, uint32_t field,
                          const struct pbft_pre_prepare *fields,
                          enum wire_body body);

/* The content of one kind each. `epoch` is that of the whole message. */
void encode_attestation(struct wire_buffer *buffer,
                        const struct pbft_attestation *fields);
void encode_prepared(struct wire_buffer *buffer, pbft_epoch epoch,
                     const struct pbft_prepared *fields, enum wire_body body);
void encode_committed(struct wire_buffer *buffer, pbft_epoch epoch,
                      const struct pbft_committed *fields, enum wire_body body);
void encode_stable(struct wire_buffer *buffer,
                   const struct pbft_stable *fields);
void encode_view_change(struct wire_buffer *buffer, pbft_epoch epoch,
                        const struct pbft_view_change *fields);
void encode_new_view(struct wire_buffer *buffer,
                     const struct pbft_message *message);

/* About how long a certificate of so many votes is. */
size_t encode_votes_size(uint32_t count);

#endif /* PROTO_CODEC_ENCODE_H */
