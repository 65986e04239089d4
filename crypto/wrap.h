/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps: the data key of a record's version, encrypted for one recipient
 * (crypto/hpke.h). A wrap opens with the recipient's key alone, and only for
 * that record, version and key (docs/api.md, section 4b). */
#ifndef CRYPTO_WRAP_H
#define CRYPTO_WRAP_H

#include "crypto/digest.h"
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

/* ---- what the ledger and whoever carries a wrap learn -------------------- */

/* The salt of a wrap's commitment comes from the record's salt and the key, and
 * tells nothing of the former: who carries the wrap to its recipient can check
 * the commitment, but not test guesses of the content. */
void wrap_salt(uint8_t out[COMMIT_SALT_SIZE],
               const uint8_t record_salt[COMMIT_SALT_SIZE],
               const uint8_t key_id[WRAP_KEY_ID_SIZE]);
void wrap_commit(struct pbft_digest *out, const uint8_t salt[COMMIT_SALT_SIZE],
                 const uint8_t wrap[WRAP_SIZE]);

/* ---- details: what else the recipient needs ------------------------------ */

/* Travels beside the wrap, encrypted under the data key that is in it. */
struct wrap_details {
    uint8_t salt[COMMIT_SALT_SIZE]; /* Of the record. */
    struct pbft_digest commit;      /* To its content. */
    struct pbft_digest cipher_digest;
};
#define WRAP_DETAILS_PLAIN_SIZE (COMMIT_SALT_SIZE + 2 * PBFT_DIGEST_SIZE)
#define WRAP_DETAILS_SIZE                                                      \
    (SEAL_HEADER_SIZE + WRAP_DETAILS_PLAIN_SIZE + SEAL_TAG_SIZE)

/* A sealed file (crypto/seal.h) whose chain is BLAKE2b-256("salus/details/1"
 * padded to 16 | chain), so that it never passes for the content. */
PBFT_MUST_USE enum pbft_status wrap_details_seal(
    uint8_t out[WRAP_DETAILS_SIZE], const uint8_t data_key[SEAL_KEY_SIZE],
    const struct seal_identity *identity, const struct wrap_details *details);
/* BAD_SIGNATURE, MALFORMED: not of this record and version, or changed. */
PBFT_MUST_USE enum pbft_status
wrap_details_open(struct wrap_details *out,
                  const uint8_t data_key[SEAL_KEY_SIZE],
                  const struct seal_identity *identity,
                  const uint8_t sealed[WRAP_DETAILS_SIZE]);

#endif /* CRYPTO_WRAP_H */
