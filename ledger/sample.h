/* SPDX-License-Identifier: Apache-2.0 */
/* Record anchors for measurements, of a wanted size. What pads them is what
 * real ones have: a longer location, blinded tags, related records.
 */
#ifndef LEDGER_SAMPLE_H
#define LEDGER_SAMPLE_H

#include "ledger/limits.h"
#include "ledger/transaction.h"

/* What a RECORD_ANCHOR needs at least, and can be padded to. */
#define SAMPLE_PAYLOAD_MIN 184
#define SAMPLE_PAYLOAD_MAX 1024

#define SAMPLE_LOCATION_NAME 26
#define SAMPLE_TAGS 16
#define SAMPLE_RELATED_MAX 16

/* All that is random in one; the caller fills it, ledger/ has no randomness.
 * The first id is that of the record. */
struct sample_noise {
    uint8_t digests[3][LEDGER_COMMIT_SIZE];
    uint8_t name[SAMPLE_LOCATION_NAME];
    uint8_t ids[1 + SAMPLE_TAGS + SAMPLE_RELATED_MAX][LEDGER_ID_SIZE];
};

/* How many bytes of it an anchor of that size needs, from the first on. */
size_t sample_noise_size(uint32_t payload);

/* False: an id reads as text, as one in 2^64 or so does; fill it again. */
bool sample_noise_is_usable(const struct sample_noise *noise, uint32_t payload);

/* An encoded Transaction whose RecordAnchor has about `payload` bytes; the
 * caller frees `out->data`. `recipient`: key id of its one envelope. */
PBFT_MUST_USE enum pbft_status
sample_anchor(struct transaction_bytes *out,
              const struct transaction_envelope *envelope,
              const uint8_t recipient[LEDGER_ID_SIZE], uint32_t payload,
              const struct sample_noise *noise);

#endif /* LEDGER_SAMPLE_H */
