/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9180, composed from X25519 and ChaCha20-Poly1305 (libsodium) and HKDF
 * (mbedTLS). Section numbers are those of the RFC. */
#include "crypto/hpke.h"

#include "consensus/assert.h"
#include "crypto/bytes.h"
#include "crypto/kdf.h"

#include <sodium.h>
#include <string.h>

#define NONCE_SIZE 12
#define LABEL_MAX 32         /* The longest label has 14 characters. */
#define LABELED_INFO_MAX 512 /* "HPKE-v1", suite, label and what we add. */

static_assert(HPKE_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES,
              "the header states the size of tags");

static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t hpke_suite[] = {'H',  'P',  'K',  'E',  0x00,
                                     0x20, 0x00, 0x01, 0x00, 0x03};

static const struct pbft_bytes kem = {kem_suite, sizeof kem_suite};
static const struct pbft_bytes hpke = {hpke_suite, sizeof hpke_suite};
static const struct pbft_bytes nothing = {NULL, 0};

/* A short byte string that is put together from parts. */
struct label {
    uint8_t bytes[LABELED_INFO_MAX];
    size_t size;
};

static void label_add(struct label *label, const void *data, size_t size)
{
    PBFT_ASSERT(size <= sizeof label->bytes - label->size);
    if (size > 0) {
        memcpy(label->bytes + label->size, data, size);
        label->size += size;
    }
}

/* Section 4: LabeledExtract(salt, label, ikm). Only the input key can be long,
 * so it is hashed in pieces by a keyed state of HMAC-SHA256. */
static void labeled_extract(uint8_t out[KDF_HASH_SIZE], struct pbft_bytes suite,
                            struct pbft_bytes salt, const char *name,
                            struct pbft_bytes input_key)
{
    static const uint8_t zeros[KDF_HASH_SIZE] = {0};
    crypto_auth_hmacsha256_state state;
    struct label label = {.size = 0};

    label_add(&label, "HPKE-v1", 7);
    label_add(&label, suite.data, suite.size);
    label_add(&label, name, strlen(name));
    (void)crypto_auth_hmacsha256_init(&state, salt.size > 0 ? salt.data : zeros,
                                      salt.size > 0 ? salt.size : sizeof zeros);
    (void)crypto_auth_hmacsha256_update(&state, label.bytes, label.size);
    (void)crypto_auth_hmacsha256_update(&state, input_key.data, input_key.size);
    (void)crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

/* Section 4: LabeledExpand(prk, label, info, L). */
static enum pbft_status labeled_expand(uint8_t *out, size_t out_size,
                                       const uint8_t key[KDF_HASH_SIZE],
                                       struct pbft_bytes suite,
                                       const char *name, struct pbft_bytes info)
{
    struct label label = {.size = 0};
    if (out_size > KDF_OUTPUT_MAX) {
        return PBFT_TOO_LARGE;
    }
    const uint8_t length[2] = {(uint8_t)(out_size >> 8), (uint8_t)out_size};

    if (info.size > LABELED_INFO_MAX - LABEL_MAX - 2 * sizeof hpke_suite) {
        return PBFT_TOO_LARGE;
    }
    label_add(&label, length, sizeof length);
    label_add(&label, "HPKE-v1", 7);
    label_add(&label, suite.data, suite.size);
    label_add(&label, name, strlen(name));
    label_add(&label, info.data, info.size);
    return kdf_expand(out, out_size, key,
                      (struct pbft_bytes){label.bytes, label.size});
}

void hpke_generate(uint8_t secret[HPKE_KEY_SIZE],
                   uint8_t public_key[HPKE_KEY_SIZE])
{
    randombytes_buf(secret, HPKE_KEY_SIZE);
    hpke_public_key(public_key, secret);
}

void hpke_public_key(uint8_t public_key[HPKE_KEY_SIZE],
                     const uint8_t secret[HPKE_KEY_SIZE])
{
    (void)crypto_scalarmult_curve25519_base(public_key, secret);
}

enum pbft_status hpke_agree(uint8_t out[HPKE_KEY_SIZE],
                            const uint8_t secret[HPKE_KEY_SIZE],
                            const uint8_t public_key[HPKE_KEY_SIZE])
{
    if (crypto_scalarmult_curve25519(out, secret, public_key) != 0) {
        sodium_memzero(out, HPKE_KEY_SIZE);
        return PBFT_INVALID_ARGUMENT;
    }
    return PBFT_OK;
}

void hpke_derive_key(uint8_t secret[HPKE_KEY_SIZE],
                     uint8_t public_key[HPKE_KEY_SIZE],
                     struct pbft_bytes input_key)
{
    uint8_t key[KDF_HASH_SIZE];
    labeled_extract(key, kem, nothing, "dkp_prk", input_key);
    enum pbft_status status =
        labeled_expand(secret, HPKE_KEY_SIZE, key, kem, "sk", nothing);
    PBFT_ASSERT(status == PBFT_OK);
    sodium_memzero(key, sizeof key);
    hpke_public_key(public_key, secret);
}

/* Section 4.1: ExtractAndExpand(DH(own, peer), enc | recipient). */
static enum pbft_status shared_secret(uint8_t out[KDF_HASH_SIZE],
                                      const uint8_t own[HPKE_KEY_SIZE],
                                      const uint8_t peer[HPKE_KEY_SIZE],
                                      const uint8_t enc[HPKE_ENC_SIZE],
                                      const uint8_t recipient[HPKE_KEY_SIZE])
{
    uint8_t agreed[HPKE_KEY_SIZE];
    uint8_t key[KDF_HASH_SIZE];
    uint8_t kem_context[HPKE_ENC_SIZE + HPKE_KEY_SIZE];

    if (hpke_agree(agreed, own, peer) != PBFT_OK) {
        return PBFT_INVALID_ARGUMENT; /* Section 7.1.4. */
    }
    memcpy(kem_context, enc, HPKE_ENC_SIZE);
    memcpy(kem_context + HPKE_ENC_SIZE, recipient, HPKE_KEY_SIZE);
    labeled_extract(key, kem, nothing, "eae_prk",
                    (struct pbft_bytes){agreed, sizeof agreed});
    enum pbft_status status =
        labeled_expand(out, KDF_HASH_SIZE, key, kem, "shared_secret",
                       (struct pbft_bytes){kem_context, sizeof kem_context});
    sodium_memzero(agreed, sizeof agreed);
    sodium_memzero(key, sizeof key);
    return status;
}

/* Section 5.1: the key schedule of base mode. */
static enum pbft_status key_schedule(struct hpke_context *context,
                                     const uint8_t shared[KDF_HASH_SIZE],
                                     struct pbft_bytes info)
{
    uint8_t schedule[1 + 2 * KDF_HASH_SIZE] = {0}; /* Mode 0: base. */
    uint8_t secret[KDF_HASH_SIZE];
    const struct pbft_bytes bytes = {schedule, sizeof schedule};

    labeled_extract(schedule + 1, hpke, nothing, "psk_id_hash", nothing);
    labeled_extract(schedule + 1 + KDF_HASH_SIZE, hpke, nothing, "info_hash",
                    info);
    labeled_extract(secret, hpke, (struct pbft_bytes){shared, KDF_HASH_SIZE},
                    "secret", nothing);
    enum pbft_status status = labeled_expand(context->key, sizeof context->key,
                                             secret, hpke, "key", bytes);
    if (status == PBFT_OK) {
        status = labeled_expand(context->base_nonce, sizeof context->base_nonce,
                                secret, hpke, "base_nonce", bytes);
    }
    if (status == PBFT_OK) {
        status = labeled_expand(context->exporter_secret,
                                sizeof context->exporter_secret, secret, hpke,
                                "exp", bytes);
    }
    context->sequence = 0;
    sodium_memzero(secret, sizeof secret);
    return status;
}

enum pbft_status hpke_sender_with_ephemeral(
    struct hpke_context *context, uint8_t enc[HPKE_ENC_SIZE],
    const uint8_t recipient[HPKE_KEY_SIZE], struct pbft_bytes info,
    const uint8_t ephemeral[HPKE_KEY_SIZE])
{
    uint8_t shared[KDF_HASH_SIZE];

    hpke_public_key(enc, ephemeral);
    enum pbft_status status =
        shared_secret(shared, ephemeral, recipient, enc, recipient);
    if (status == PBFT_OK) {
        status = key_schedule(context, shared, info);
    }
    sodium_memzero(shared, sizeof shared);
    return status;
}

enum pbft_status hpke_sender(struct hpke_context *context,
                             uint8_t enc[HPKE_ENC_SIZE],
                             const uint8_t recipient[HPKE_KEY_SIZE],
                             struct pbft_bytes info)
{
    uint8_t ephemeral[HPKE_KEY_SIZE];
    randombytes_buf(ephemeral, sizeof ephemeral);
    enum pbft_status status =
        hpke_sender_with_ephemeral(context, enc, recipient, info, ephemeral);
    sodium_memzero(ephemeral, sizeof ephemeral);
    return status;
}

enum pbft_status hpke_receiver(struct hpke_context *context,
                               const uint8_t enc[HPKE_ENC_SIZE],
                               const uint8_t secret[HPKE_KEY_SIZE],
                               struct pbft_bytes info)
{
    uint8_t shared[KDF_HASH_SIZE];
    uint8_t recipient[HPKE_KEY_SIZE];

    hpke_public_key(recipient, secret);
    enum pbft_status status =
        shared_secret(shared, secret, enc, enc, recipient);
    if (status == PBFT_OK) {
        status = key_schedule(context, shared, info);
    } else {
        status = PBFT_MALFORMED; /* Here the point came from outside. */
    }
    sodium_memzero(shared, sizeof shared);
    return status;
}

/* Section 5.2: base nonce xor sequence. */
static void nonce_of(uint8_t nonce[NONCE_SIZE],
                     const struct hpke_context *context)
{
    uint8_t sequence[U64_SIZE];
    put_big_endian(sequence, sizeof sequence, context->sequence);
    memcpy(nonce, context->base_nonce, NONCE_SIZE);
    for (size_t i = 0; i < sizeof sequence; i++) {
        nonce[NONCE_SIZE - sizeof sequence + i] ^= sequence[i];
    }
}

enum pbft_status hpke_context_seal(struct hpke_context *context, uint8_t *out,
                                   struct pbft_bytes aad,
                                   struct pbft_bytes plaintext)
{
    uint8_t nonce[NONCE_SIZE];
    if (context->sequence == UINT64_MAX) {
        return PBFT_LIMIT;
    }
    nonce_of(nonce, context);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(
        out, NULL, plaintext.data, plaintext.size, aad.data, aad.size, NULL,
        nonce, context->key);
    context->sequence++;
    return PBFT_OK;
}

enum pbft_status hpke_context_open(struct hpke_context *context, uint8_t *out,
                                   struct pbft_bytes aad,
                                   struct pbft_bytes ciphertext)
{
    uint8_t nonce[NONCE_SIZE];
    if (ciphertext.size < HPKE_TAG_SIZE) {
        return PBFT_MALFORMED;
    }
    if (context->sequence == UINT64_MAX) {
        return PBFT_LIMIT;
    }
    nonce_of(nonce, context);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            out, NULL, NULL, ciphertext.data, ciphertext.size, aad.data,
            aad.size, nonce, context->key) != 0) {
        return PBFT_BAD_SIGNATURE;
    }
    context->sequence++;
    return PBFT_OK;
}

enum pbft_status hpke_context_export(const struct hpke_context *context,
                                     uint8_t *out, size_t out_size,
                                     struct pbft_bytes exporter_context)
{
    return labeled_expand(out, out_size, context->exporter_secret, hpke, "sec",
                          exporter_context);
}

void hpke_context_wipe(struct hpke_context *context)
{
    sodium_memzero(context, sizeof *context);
}

enum pbft_status hpke_seal(uint8_t *out, const uint8_t recipient[HPKE_KEY_SIZE],
                           struct pbft_bytes info, struct pbft_bytes aad,
                           struct pbft_bytes plaintext)
{
    struct hpke_context context;
    enum pbft_status status = hpke_sender(&context, out, recipient, info);
    if (status == PBFT_OK) {
        status =
            hpke_context_seal(&context, out + HPKE_ENC_SIZE, aad, plaintext);
    }
    hpke_context_wipe(&context);
    return status;
}

enum pbft_status hpke_open(uint8_t *out, const uint8_t secret[HPKE_KEY_SIZE],
                           struct pbft_bytes info, struct pbft_bytes aad,
                           struct pbft_bytes sealed)
{
    struct hpke_context context;
    if (sealed.size < HPKE_OVERHEAD) {
        return PBFT_MALFORMED;
    }
    enum pbft_status status =
        hpke_receiver(&context, sealed.data, secret, info);
    if (status == PBFT_OK) {
        status =
            hpke_context_open(&context, out, aad,
                              (struct pbft_bytes){sealed.data + HPKE_ENC_SIZE,
                                                  sealed.size - HPKE_ENC_SIZE});
    }
    hpke_context_wipe(&context);
    return status;
}
