/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries as bytes (delivery.proto), and what a receipt signs. */
#ifndef NODE_DELIVERY_CODEC_H
#define NODE_DELIVERY_CODEC_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "salus/v1/delivery.pb-c.h"
#include "storage/envelopes.h"

/* Values are those of DeliveryCode. */
enum delivery_code {
    DELIVERY_OK = 0,
    DELIVERY_MALFORMED = 1,
    DELIVERY_NO_GRANT = 2,
    DELIVERY_WRONG_COMMIT = 3,
    DELIVERY_ENDED = 4,
    DELIVERY_FOREIGN = 5,
    DELIVERY_NOT_HERE = 6,
    DELIVERY_QUOTA = 7,
    DELIVERY_STORE = 8,
    DELIVERY_UNKNOWN = 9,
};
/* A word for the journal. */
const char *delivery_code_name(enum delivery_code code);

enum delivery_kind { DELIVERY_ENVELOPE, DELIVERY_RECEIPT, DELIVERY_REFUSAL };

/* One message between replicas. */
struct delivery_message {
    enum delivery_kind kind;
    struct envelope_name name;
    struct envelope_secret secret;  /* ENVELOPE. */
    struct pbft_digest wrap_commit; /* The other two. */
    enum delivery_code code;        /* REFUSAL. */
    pbft_replica_id receiver;       /* RECEIPT. */
    struct pbft_signature receipt;  /* RECEIPT. */
};

/* Appends; the buffer has room for WIRE_DELIVERY_BYTES_MAX. */
PBFT_MUST_USE enum pbft_status
delivery_encode(struct wire_buffer *out,
                const struct delivery_message *message);
/* Resets and uses `arena`. MALFORMED and the like. */
PBFT_MUST_USE enum pbft_status delivery_decode(struct delivery_message *out,
                                               struct wire_arena *arena,
                                               struct pbft_bytes bytes);

/* ---- parts, for the calls of clients ------------------------------------- */

bool delivery_take_name(struct envelope_name *out,
                        const Salus__V1__EnvelopeName *in);
bool delivery_take_envelope(struct envelope_name *name,
                            struct envelope_secret *secret,
                            const Salus__V1__KeyEnvelope *in);
/* Point into their arguments. */
void delivery_fill_name(Salus__V1__EnvelopeName *out,
                        const struct envelope_name *name);
void delivery_fill_envelope(Salus__V1__KeyEnvelope *out,
                            Salus__V1__EnvelopeName *name_out,
                            const struct envelope_name *name,
                            const struct envelope_secret *secret);
void delivery_fill_receipt(Salus__V1__DeliveryReceipt *out,
                           Salus__V1__EnvelopeName *name_out,
                           const struct envelope_head *head);

/* ---- receipts ------------------------------------------------------------ */

#define DELIVERY_PREIMAGE_SIZE                                                 \
    (16 + PBFT_DIGEST_SIZE + ENVELOPE_ID_SIZE + 4 + ENVELOPE_ID_SIZE +         \
     PBFT_DIGEST_SIZE + 4)

void delivery_receipt_preimage(uint8_t out[DELIVERY_PREIMAGE_SIZE],
                               const struct pbft_digest *cluster,
                               const struct envelope_name *name,
                               const struct pbft_digest *wrap_commit,
                               pbft_replica_id receiver);

#endif /* NODE_DELIVERY_CODEC_H */
