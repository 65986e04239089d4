/* SPDX-License-Identifier: Apache-2.0 */
/* mbedTLS calls its ChaCha20-Poly1305 through the dynamic linker, which takes
 * the definitions of the program first: these. */
#include "crypto/tls_aead.h"

#include <string.h>

#include <mbedtls/chachapoly.h>
#include <mbedtls/cipher.h>
#include <sodium.h>

#define KEY_SIZE crypto_aead_chacha20poly1305_ietf_KEYBYTES
#define NONCE_SIZE crypto_aead_chacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_chacha20poly1305_ietf_ABYTES
#define KEY_WORD_FIRST 4 /* Of the ChaCha20 state: constants come before. */
#define KEY_WORDS 8

/* Weak: a static mbedTLS brings its own, which then count. */
#define REPLACES_MBEDTLS __attribute__((weak, visibility("default")))

static _Thread_local unsigned calls; /* Of our functions. */

/* ---- in the place of mbedTLS's functions --------------------------------- */

/* mbedtls_chachapoly_setkey() has put the key there. */
static void take_key(uint8_t key[KEY_SIZE],
                     const mbedtls_chachapoly_context *context)
{
    for (size_t i = 0; i < KEY_WORDS; i++) {
        const uint32_t word = context->chacha20_ctx.state[KEY_WORD_FIRST + i];
        key[4 * i] = (uint8_t)word;
        key[4 * i + 1] = (uint8_t)(word >> 8);
        key[4 * i + 2] = (uint8_t)(word >> 16);
        key[4 * i + 3] = (uint8_t)(word >> 24);
    }
    calls++;
}

REPLACES_MBEDTLS int mbedtls_chachapoly_encrypt_and_tag(
    mbedtls_chachapoly_context *context, size_t size,
    const unsigned char nonce[NONCE_SIZE], const unsigned char *aad,
    size_t aad_size, const unsigned char *in, unsigned char *out,
    unsigned char tag[TAG_SIZE])
{
    uint8_t key[KEY_SIZE];

    take_key(key, context);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        out, tag, NULL, in, size, aad, aad_size, NULL, nonce, key);
    sodium_memzero(key, sizeof(key));
    return 0;
}

REPLACES_MBEDTLS int mbedtls_chachapoly_auth_decrypt(
    mbedtls_chachapoly_context *context, size_t size,
    const unsigned char nonce[NONCE_SIZE], const unsigned char *aad,
    size_t aad_size, const unsigned char tag[TAG_SIZE], const unsigned char *in,
    unsigned char *out)
{
    uint8_t key[KEY_SIZE];

    take_key(key, context);
    /* If the tag is wrong, all of `out` is zero afterwards. */
    int failed = crypto_aead_chacha20poly1305_ietf_decrypt_detached(
        out, NULL, in, size, tag, aad, aad_size, nonce, key);
    sodium_memzero(key, sizeof(key));
    return failed != 0 ? MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED : 0;
}

/* ---- whether all is well ------------------------------------------------- */

static const char plaintext[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one "
    "tip for the future, sunscreen would be it.";
#define PLAINTEXT_SIZE (sizeof(plaintext) - 1)

static const uint8_t nonce[NONCE_SIZE] = {0x07, 0,    0,    0,    0x40, 0x41,
                                          0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
static const uint8_t aad[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                              0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
static const uint8_t sealed[PLAINTEXT_SIZE + TAG_SIZE] = {
    0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb, 0x7b, 0x86, 0xaf, 0xbc,
    0x53, 0xef, 0x7e, 0xc2, 0xa4, 0xad, 0xed, 0x51, 0x29, 0x6e, 0x08, 0xfe,
    0xa9, 0xe2, 0xb5, 0xa7, 0x36, 0xee, 0x62, 0xd6, 0x3d, 0xbe, 0xa4, 0x5e,
    0x8c, 0xa9, 0x67, 0x12, 0x82, 0xfa, 0xfb, 0x69, 0xda, 0x92, 0x72, 0x8b,
    0x1a, 0x71, 0xde, 0x0a, 0x9e, 0x06, 0x0b, 0x29, 0x05, 0xd6, 0xa5, 0xb6,
    0x7e, 0xcd, 0x3b, 0x36, 0x92, 0xdd, 0xbd, 0x7f, 0x2d, 0x77, 0x8b, 0x8c,
    0x98, 0x03, 0xae, 0xe3, 0x28, 0x09, 0x1b, 0x58, 0xfa, 0xb3, 0x24, 0xe4,
    0xfa, 0xd6, 0x75, 0x94, 0x55, 0x85, 0x80, 0x8b, 0x48, 0x31, 0xd7, 0xbc,
    0x3f, 0xf4, 0xde, 0xf0, 0x8e, 0x4b, 0x7a, 0x9d, 0xe5, 0x76, 0xd2, 0x65,
    0x86, 0xce, 0xc6, 0x4b, 0x61, 0x16, 0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09,
    0xe2, 0x6a, 0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91};

/* As the record layer of TLS does it. */
static bool set_up(mbedtls_cipher_context_t *cipher, mbedtls_operation_t what)
{
    uint8_t key[KEY_SIZE];

    for (size_t i = 0; i < KEY_SIZE; i++) {
        key[i] = (uint8_t)(0x80 + i);
    }
    mbedtls_cipher_init(cipher);
    return mbedtls_cipher_setup(cipher,
                                mbedtls_cipher_info_from_type(
                                    MBEDTLS_CIPHER_CHACHA20_POLY1305)) == 0 &&
           mbedtls_cipher_setkey(cipher, key, 8 * KEY_SIZE, what) == 0;
}

static bool encrypts(void)
{
    mbedtls_cipher_context_t cipher;
    uint8_t out[sizeof(sealed)];
    size_t size = 0;

    bool is_right =
        set_up(&cipher, MBEDTLS_ENCRYPT) &&
        mbedtls_cipher_auth_encrypt_ext(&cipher, nonce, NONCE_SIZE, aad,
                                        sizeof(aad), (const uint8_t *)plaintext,
                                        PLAINTEXT_SIZE, out, sizeof(out), &size,
                                        TAG_SIZE) == 0 &&
        size == sizeof(out) && memcmp(out, sealed, sizeof(out)) == 0;
    mbedtls_cipher_free(&cipher);
    return is_right;
}

/* `flip`: changes one bit of the tag, and expects a refusal. */
static bool decrypts(uint8_t flip)
{
    mbedtls_cipher_context_t cipher;
    uint8_t in[sizeof(sealed)];
    uint8_t out[PLAINTEXT_SIZE];
    size_t size = 0;
    int result = -1;

    memcpy(in, sealed, sizeof(in));
    in[sizeof(in) - 1] ^= flip;
    bool is_right = set_up(&cipher, MBEDTLS_DECRYPT);
    if (is_right) {
        result = mbedtls_cipher_auth_decrypt_ext(
            &cipher, nonce, NONCE_SIZE, aad, sizeof(aad), in, sizeof(in), out,
            sizeof(out), &size, TAG_SIZE);
    }
    mbedtls_cipher_free(&cipher);
    if (flip != 0) {
        return result == MBEDTLS_ERR_CIPHER_AUTH_FAILED;
    }
    return result == 0 && size == sizeof(out) &&
           memcmp(out, plaintext, sizeof(out)) == 0;
}

enum pbft_status tls_aead_check(void)
{
    return encrypts() && decrypts(0) && decrypts(1) && decrypts(0x80)
               ? PBFT_OK
               : PBFT_CORRUPT;
}

bool tls_aead_is_ours(void)
{
    const unsigned before = calls;

    return encrypts() && calls != before;
}
