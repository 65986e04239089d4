/* SPDX-License-Identifier: Apache-2.0 */
/* One wrap of an envelope, as replicas carry it to its recipient: KeyEnvelope
 * of delivery.proto. */
#ifndef CLIENT_PARCEL_H
#define CLIENT_PARCEL_H

#include "client/envelope.h"
#include "salus/v1/delivery.pb-c.h"

struct parcel {
    uint8_t record[SEAL_RECORD_SIZE];
    uint32_t version;
    uint8_t recipient_key[WRAP_KEY_ID_SIZE];
    uint8_t salt[COMMIT_SALT_SIZE];
    uint8_t wrap[WRAP_SIZE];
    uint8_t details[WRAP_DETAILS_SIZE];
};

/* Wrap `index` of the envelope, whose data key this is. */
PBFT_MUST_USE enum pbft_status
parcel_make(struct parcel *out, const struct envelope *envelope, size_t index,
            const uint8_t data_key[SEAL_KEY_SIZE]);
/* What the ledger has of it. */
void parcel_commit(struct pbft_digest *out, const struct parcel *parcel);

/* An envelope with this wrap alone. `secret` is that of the key
 * `recipient_key`. BAD_SIGNATURE: not for this key, or changed on the way;
 * MALFORMED. */
PBFT_MUST_USE enum pbft_status parcel_open(struct envelope *out,
                                           const struct parcel *parcel,
                                           const struct pbft_digest *chain,
                                           const uint8_t secret[HPKE_KEY_SIZE]);

/* Messages point into their arguments. */
struct parcel_message {
    Salus__V1__KeyEnvelope envelope;
    Salus__V1__EnvelopeName name;
};
void parcel_fill(struct parcel_message *out, const struct parcel *parcel);
/* False: a field has not its size. */
PBFT_MUST_USE bool parcel_read(struct parcel *out,
                               const Salus__V1__KeyEnvelope *in);

#endif /* CLIENT_PARCEL_H */
