/* SPDX-License-Identifier: Apache-2.0 */
/* libsodium in the place of mbedTLS's ChaCha20-Poly1305: the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/chachapoly.h>

#include "crypto/init.h"
#include "crypto/random.h"
#include "crypto/tls_aead.h"

#define SIZE_MAX_TRIED 600

static void test_known_answer(void **state)
{
    (void)state;
    assert_int_equal(tls_aead_check(), PBFT_OK);
}

/* Else it is slower, and nothing else; but here it is to be fast. */
static void test_mbedtls_calls_ours(void **state)
{
    (void)state;
    assert_true(tls_aead_is_ours());
}

/* mbedTLS itself, piece by piece: these functions nobody replaces. */
static void reference(mbedtls_chachapoly_context *context, const uint8_t *nonce,
                      const uint8_t *aad, size_t aad_size, const uint8_t *in,
                      size_t size, uint8_t *out, uint8_t *tag)
{
    assert_int_equal(
        mbedtls_chachapoly_starts(context, nonce, MBEDTLS_CHACHAPOLY_ENCRYPT),
        0);
    assert_int_equal(mbedtls_chachapoly_update_aad(context, aad, aad_size), 0);
    assert_int_equal(mbedtls_chachapoly_update(context, size, in, out), 0);
    assert_int_equal(mbedtls_chachapoly_finish(context, tag), 0);
}

static void test_every_size_equals_mbedtls_and_comes_back(void **state)
{
    (void)state;
    static uint8_t in[SIZE_MAX_TRIED], out[SIZE_MAX_TRIED],
        ours[SIZE_MAX_TRIED];
    uint8_t key[32], nonce[12], aad[13], tag[16], our_tag[16];
    mbedtls_chachapoly_context context;
    mbedtls_chachapoly_init(&context);
    for (size_t size = 0; size < SIZE_MAX_TRIED; size++) {
        random_fill(key, sizeof(key));
        random_fill(nonce, sizeof(nonce));
        random_fill(aad, sizeof(aad));
        random_fill(in, sizeof(in));
        assert_int_equal(mbedtls_chachapoly_setkey(&context, key), 0);
        reference(&context, nonce, aad, sizeof(aad), in, size, out, tag);

        memcpy(ours, in, size); /* In place, as TLS does it. */
        assert_int_equal(
            mbedtls_chachapoly_encrypt_and_tag(
                &context, size, nonce, aad, sizeof(aad), ours, ours, our_tag),
            0);
        assert_memory_equal(ours, out, size);
        assert_memory_equal(our_tag, tag, sizeof(tag));
        assert_int_equal(mbedtls_chachapoly_auth_decrypt(&context, size, nonce,
                                                         aad, sizeof(aad), tag,
                                                         ours, ours),
                         0);
        assert_memory_equal(ours, in, size);
    }
    mbedtls_chachapoly_free(&context);
}

static void test_whatever_is_changed_is_refused(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, nonce[12] = {2}, aad[13] = {3}, text[40] = {4};
    uint8_t tag[16], out[40];
    uint8_t *const places[] = {nonce, aad, text, tag};
    mbedtls_chachapoly_context context;
    mbedtls_chachapoly_init(&context);
    assert_int_equal(mbedtls_chachapoly_setkey(&context, key), 0);
    assert_int_equal(mbedtls_chachapoly_encrypt_and_tag(&context, sizeof(text),
                                                        nonce, aad, sizeof(aad),
                                                        text, text, tag),
                     0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        memset(out, 0xaa, sizeof(out));
        places[i][7] ^= 0x10;
        assert_int_equal(
            mbedtls_chachapoly_auth_decrypt(&context, sizeof(text), nonce, aad,
                                            sizeof(aad), tag, text, out),
            MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED);
        places[i][7] ^= 0x10;
        for (size_t j = 0; j < sizeof(out); j++) {
            assert_int_equal(out[j], 0);
        }
    }
    mbedtls_chachapoly_free(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_mbedtls_calls_ours),
        cmocka_unit_test(test_every_size_equals_mbedtls_and_comes_back),
        cmocka_unit_test(test_whatever_is_changed_is_refused),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
