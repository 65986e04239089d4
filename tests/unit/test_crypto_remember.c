/* SPDX-License-Identifier: Apache-2.0 */
/* Good signatures are verified once, bad ones every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/provider.h"
#include "crypto/remember.h"

static struct crypto_provider *provider;
static struct crypto_remember remember;
static struct pbft_crypto counting;
static unsigned verified; /* By the inner one. */

static bool count_verify(const void *context, const struct pbft_public_key *key,
                         struct pbft_bytes preimage,
                         const struct pbft_signature *signature)
{
    verified++;
    return crypto_provider_verify_only()->verify(context, key, preimage,
                                                 signature);
}

static int start(void **state)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {7};
    (void)state;
    assert_int_equal(crypto_provider_create(&provider, seed), PBFT_OK);
    counting = *crypto_provider_vtable(provider);
    counting.verify = count_verify;
    crypto_remember_init(&remember, &counting);
    verified = 0;
    return 0;
}

static int clear(void **state)
{
    (void)state;
    crypto_remember_deinit(&remember);
    crypto_provider_destroy(provider);
    return 0;
}

static struct pbft_signature sign(struct pbft_bytes message)
{
    const struct pbft_crypto *crypto = crypto_remember_vtable(&remember);
    struct pbft_signature signature;
    crypto->sign(crypto->context, &signature, message);
    return signature;
}

static bool verify(struct pbft_bytes message,
                   const struct pbft_signature *signature)
{
    const struct pbft_crypto *crypto = crypto_remember_vtable(&remember);
    return crypto->verify(crypto->context, crypto_provider_public_key(provider),
                          message, signature);
}

static void test_good_ones_are_verified_once(void **state)
{
    (void)state;
    uint8_t text[40] = {1};
    const struct pbft_bytes message = {text, sizeof text};
    const struct pbft_signature signature = sign(message);
    for (int i = 0; i < 3; i++) {
        assert_true(verify(message, &signature));
    }
    assert_int_equal(verified, 1);
}

static void test_bad_ones_stay_bad(void **state)
{
    (void)state;
    uint8_t text[40] = {1};
    const struct pbft_bytes message = {text, sizeof text};
    const struct pbft_signature good = sign(message);
    struct pbft_signature bad = good;
    assert_true(verify(message, &good));
    for (size_t i = 0; i < sizeof bad.bytes; i++) {
        bad.bytes[i] ^= 1;
        assert_false(verify(message, &bad));
        assert_false(verify(message, &bad));
        bad.bytes[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] ^= 1;
        assert_false(verify(message, &good));
        text[i] ^= 1;
    }
    assert_false(verify((struct pbft_bytes){text, sizeof text - 1}, &good));
    assert_true(verify(message, &good));
}

static void test_another_key_is_another_question(void **state)
{
    (void)state;
    const struct pbft_crypto *crypto = crypto_remember_vtable(&remember);
    uint8_t text[40] = {1};
    const struct pbft_bytes message = {text, sizeof text};
    const struct pbft_signature signature = sign(message);
    struct pbft_public_key other = *crypto_provider_public_key(provider);
    assert_true(verify(message, &signature));
    other.bytes[3] ^= 1;
    assert_false(crypto->verify(crypto->context, &other, message, &signature));
}

static void test_the_oldest_is_forgotten(void **state)
{
    (void)state;
    struct pbft_signature signatures[REMEMBER_SIGNATURES_MAX + 1];
    for (uint8_t i = 0; i <= REMEMBER_SIGNATURES_MAX; i++) {
        signatures[i] = sign((struct pbft_bytes){&i, 1});
        assert_true(verify((struct pbft_bytes){&i, 1}, &signatures[i]));
    }
    verified = 0;
    for (uint8_t i = REMEMBER_SIGNATURES_MAX; i > 0; i--) {
        assert_true(verify((struct pbft_bytes){&i, 1}, &signatures[i]));
    }
    assert_int_equal(verified, 0);
    uint8_t first = 0;
    assert_true(verify((struct pbft_bytes){&first, 1}, &signatures[0]));
    assert_int_equal(verified, 1);
}

static void test_digests_are_the_inner_ones(void **state)
{
    (void)state;
    const struct pbft_crypto *crypto = crypto_remember_vtable(&remember);
    const struct pbft_bytes part = {(const uint8_t *)"abc", 3};
    struct pbft_digest a, b;
    crypto->digest(crypto->context, &a, &part, 1);
    counting.digest(counting.context, &b, &part, 1);
    assert_memory_equal(&a, &b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good_ones_are_verified_once, start,
                                        clear),
        cmocka_unit_test_setup_teardown(test_bad_ones_stay_bad, start, clear),
        cmocka_unit_test_setup_teardown(test_another_key_is_another_question,
                                        start, clear),
        cmocka_unit_test_setup_teardown(test_the_oldest_is_forgotten, start,
                                        clear),
        cmocka_unit_test_setup_teardown(test_digests_are_the_inner_ones, start,
                                        clear),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
