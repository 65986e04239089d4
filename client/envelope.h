/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope file of a sealed content: everything that opens it, and nothing
 * else. The sealed content may lie anywhere; to erase the envelopes is to erase
 * the content. The ledger gets commitments alone. */
#ifndef CLIENT_ENVELOPE_H
#define CLIENT_ENVELOPE_H

#include "crypto/digest.h"
#include "crypto/seal.h"
#include "crypto/wrap.h"
#include "ledger/limits.h"
#include "proto/reason.h"

#define ENVELOPE_BYTES_MAX ((size_t)16 * 1024)

struct envelope_wrap {
    uint8_t key_id[WRAP_KEY_ID_SIZE];
    uint8_t wrap[WRAP_SIZE];
};

struct envelope {
    struct seal_identity identity;
    uint8_t salt[COMMIT_SALT_SIZE]; /* Of all commitments. */
    struct pbft_digest commit;      /* To the content. */
    struct pbft_digest cipher_digest;
    struct envelope_wrap wraps[LEDGER_ENVELOPES_MAX]; /* By key id. */
    size_t count;
};

/* Adds a recipient, by its X25519 key; a known one is not added again. LIMIT;
 * INVALID_ARGUMENT if it is no good key. */
PBFT_MUST_USE enum pbft_status
envelope_add(struct envelope *envelope, const uint8_t recipient[HPKE_KEY_SIZE],
             const uint8_t data_key[SEAL_KEY_SIZE]);
/* What the ledger knows of a wrap. */
void envelope_wrap_commit(struct pbft_digest *out,
                          const struct envelope *envelope, size_t index);
/* NOT_FOUND: nothing is for this key; BAD_SIGNATURE: damaged. */
PBFT_MUST_USE enum pbft_status
envelope_unwrap(uint8_t data_key[SEAL_KEY_SIZE],
                const struct envelope *envelope,
                const uint8_t secret[HPKE_KEY_SIZE],
                const uint8_t public_key[HPKE_KEY_SIZE]);

/* An armored file of mode 0600, new. */
PBFT_MUST_USE enum pbft_status envelope_store(const char *path,
                                              const struct envelope *envelope,
                                              struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status envelope_load(struct envelope *out,
                                             const char *path,
                                             struct salus_reason *reason);

#endif /* CLIENT_ENVELOPE_H */
