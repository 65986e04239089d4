/* SPDX-License-Identifier: Apache-2.0 */
/* HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * ChaCha20-Poly1305: wraps a record's data key for one recipient
 * (docs/api.md, 4b). The wrap of 32 bytes takes 80: enc, ciphertext, tag. */
#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

#include "consensus/status.h"
#include "consensus/types.h"

#define HPKE_KEY_SIZE 32 /* X25519, public and secret. */
#define HPKE_ENC_SIZE 32
#define HPKE_TAG_SIZE 16
#define HPKE_OVERHEAD (HPKE_ENC_SIZE + HPKE_TAG_SIZE)

/* A new key of a recipient. Wipe the secret. */
void hpke_generate(uint8_t secret[HPKE_KEY_SIZE],
                   uint8_t public_key[HPKE_KEY_SIZE]);
void hpke_public_key(uint8_t public_key[HPKE_KEY_SIZE],
                     const uint8_t secret[HPKE_KEY_SIZE]);
/* X25519 (RFC 7748) by itself. INVALID_ARGUMENT if the result is zero, which a
 * point of small order gives. */
PBFT_MUST_USE enum pbft_status
hpke_agree(uint8_t out[HPKE_KEY_SIZE], const uint8_t secret[HPKE_KEY_SIZE],
           const uint8_t public_key[HPKE_KEY_SIZE]);
/* RFC 9180 7.1.3. */
void hpke_derive_key(uint8_t secret[HPKE_KEY_SIZE],
                     uint8_t public_key[HPKE_KEY_SIZE],
                     struct pbft_bytes input_key);

/* Single shot, empty AAD allowed. Writes enc and ciphertext:
 * plaintext.size + HPKE_OVERHEAD bytes.
 * INVALID_ARGUMENT if the recipient's key is a point of small order. */
PBFT_MUST_USE enum pbft_status hpke_seal(uint8_t *out,
                                         const uint8_t recipient[HPKE_KEY_SIZE],
                                         struct pbft_bytes info,
                                         struct pbft_bytes aad,
                                         struct pbft_bytes plaintext);
/* Writes sealed.size - HPKE_OVERHEAD bytes. MALFORMED if too short or with a
 * small-order enc; BAD_SIGNATURE if anything else is wrong. */
PBFT_MUST_USE enum pbft_status hpke_open(uint8_t *out,
                                         const uint8_t secret[HPKE_KEY_SIZE],
                                         struct pbft_bytes info,
                                         struct pbft_bytes aad,
                                         struct pbft_bytes sealed);

/* ---- contexts: several messages under one enc --------------------------- */

struct hpke_context {
    uint8_t key[32];
    uint8_t base_nonce[12];
    uint8_t exporter_secret[32];
    uint64_t sequence;
};

PBFT_MUST_USE enum pbft_status
hpke_sender(struct hpke_context *context, uint8_t enc[HPKE_ENC_SIZE],
            const uint8_t recipient[HPKE_KEY_SIZE], struct pbft_bytes info);
/* With a given ephemeral secret: for known-answer tests only. */
PBFT_MUST_USE enum pbft_status hpke_sender_with_ephemeral(
    struct hpke_context *context, uint8_t enc[HPKE_ENC_SIZE],
    const uint8_t recipient[HPKE_KEY_SIZE], struct pbft_bytes info,
    const uint8_t ephemeral[HPKE_KEY_SIZE]);
PBFT_MUST_USE enum pbft_status
hpke_receiver(struct hpke_context *context, const uint8_t enc[HPKE_ENC_SIZE],
              const uint8_t secret[HPKE_KEY_SIZE], struct pbft_bytes info);
/* Ciphertext and tag: plaintext.size + HPKE_TAG_SIZE bytes. LIMIT when the
 * sequence is used up. */
PBFT_MUST_USE enum pbft_status hpke_context_seal(struct hpke_context *context,
                                                 uint8_t *out,
                                                 struct pbft_bytes aad,
                                                 struct pbft_bytes plaintext);
/* The sequence advances only on success. */
PBFT_MUST_USE enum pbft_status hpke_context_open(struct hpke_context *context,
                                                 uint8_t *out,
                                                 struct pbft_bytes aad,
                                                 struct pbft_bytes ciphertext);
PBFT_MUST_USE enum pbft_status
hpke_context_export(const struct hpke_context *context, uint8_t *out,
                    size_t out_size, struct pbft_bytes exporter_context);
void hpke_context_wipe(struct hpke_context *context);

#endif /* CRYPTO_HPKE_H */
