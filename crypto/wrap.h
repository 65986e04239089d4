/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps: the data key of a record's version, encrypted for one recipient
 * (crypto/hpke.h). A wrap opens with the recipient's key alone, and only for
 * that record, version and key (health-ledger D4). */
#ifndef CRYPTO_WRAP_H
#define CRYPTO_WRAP_H

#include "crypto/hpke.h"
#include "crypto/seal.h"

#define WRAP_SIZE (SEAL_KEY_SIZE + HPKE_OVERHEAD)
#define WRAP_KEY_ID_SIZE 16

/* What a wrap is bound to. `key_id` names the recipient's key on the ledger. */
struct wrap_identity {
    uint8_t record[SEAL_RECORD_SIZE];
    uint32_t version; /* Of the record, from 1. */
    uint8_t key_id[WRAP_KEY_ID_SIZE];
};

/* INVALID_ARGUMENT if the recipient's key is a point of small order. */
PBFT_MUST_USE enum pbft_status wrap_seal(uint8_t out[WRAP_SIZE],
                                         const uint8_t recipient[HPKE_KEY_SIZE],
                                         const struct wrap_identity *identity,
                                         const uint8_t data_key[SEAL_KEY_SIZE]);
/* MALFORMED, BAD_SIGNATURE: it is not for this key, record and version; or
 * changed. `data_key` is wiped then. */
PBFT_MUST_USE enum pbft_status wrap_open(uint8_t data_key[SEAL_KEY_SIZE],
                                         const uint8_t secret[HPKE_KEY_SIZE],
                                         const struct wrap_identity *identity,
                                         const uint8_t wrap[WRAP_SIZE]);

#endif /* CRYPTO_WRAP_H */
