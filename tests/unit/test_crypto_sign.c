/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519: RFC 8032, Wycheproof, the twelve cases of speccheck, the provider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/assert.h"
#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/provider.h"
#include "crypto/sign.h"
#include "tests/support/vectors.h"

static void from_hex(uint8_t *out, size_t size, const char *text)
{
    assert_int_equal(hex_decode(out, size, text), PBFT_OK);
}

/* RFC 8032, 7.1, tests 1 and 3. */
static void test_sign_rfc8032(void **state)
{
    static const struct {
        const char *seed, *public_key, *message, *signature;
    } cases[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb88"
         "21590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
         "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9"
         "b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t seed[SIGN_SEED_SIZE];
        uint8_t message[4];
        size_t size = 0;
        struct sign_secret secret;
        struct pbft_public_key expected_key;
        struct pbft_public_key key;
        struct pbft_signature expected;
        struct pbft_signature signature;
        from_hex(seed, sizeof seed, cases[i].seed);
        from_hex(expected_key.bytes, 32, cases[i].public_key);
        from_hex(expected.bytes, 64, cases[i].signature);
        assert_int_equal(
            hex_decode_any(message, sizeof message, &size, cases[i].message),
            PBFT_OK);

        sign_from_seed(&secret, &key, seed);
        sign_message(&signature, &secret, (struct pbft_bytes){message, size});

        assert_memory_equal(&key, &expected_key, sizeof key);
        assert_memory_equal(&signature, &expected, sizeof signature);
        assert_true(sign_is_valid_key(&key));
        assert_true(
            sign_verify(&key, (struct pbft_bytes){message, size}, &signature));
        signature.bytes[5] ^= 1;
        assert_false(
            sign_verify(&key, (struct pbft_bytes){message, size}, &signature));
    }
}

/* 2^255 - 19 + k is another encoding of y = k: refused before anything else. */
static void test_sign_refuses_other_encodings(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 19; k++) {
        for (unsigned sign = 0; sign < 2; sign++) {
            struct pbft_public_key key;
            struct pbft_signature signature = {{0}};
            memset(key.bytes, 0xff, sizeof key.bytes);
            key.bytes[0] = (uint8_t)(0xed + k);
            key.bytes[31] = (uint8_t)(0x7f | sign << 7);
            memcpy(signature.bytes, key.bytes, sizeof key.bytes);
            assert_false(sign_is_valid_key(&key));
            assert_false(
                sign_verify(&key, (struct pbft_bytes){NULL, 0}, &signature));
        }
    }
}

static void test_sign_wycheproof(void **state)
{
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root = support_vectors("crypto/wycheproof_ed25519_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        struct pbft_bytes key_bytes =
            support_hex(json_object_get(group, "publicKey"), "pk");
        struct pbft_public_key key;
        assert_int_equal(key_bytes.size, sizeof key.bytes);
        memcpy(key.bytes, key_bytes.data, sizeof key.bytes);
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct pbft_bytes message = support_hex(test, "msg");
            struct pbft_bytes bytes = support_hex(test, "sig");
            bool is_valid = strcmp(support_text(test, "result"), "valid") == 0;
            bool verdict = false; /* Another length never gets so far. */
            if (bytes.size == PBFT_SIGNATURE_SIZE) {
                struct pbft_signature signature;
                memcpy(signature.bytes, bytes.data, sizeof signature.bytes);
                verdict = sign_verify(&key, message, &signature);
            }
            assert_int_equal(verdict, is_valid);
            support_hex_free(message);
            support_hex_free(bytes);
        }
        support_hex_free(key_bytes);
    }
    json_decref(root);
}

/* One verdict each, on every replica and in every build (crypto/sign.h). */
static void test_sign_speccheck(void **state)
{
    static const struct {
        bool accepted;
        const char *why;
    } verdicts[] = {
        {false, "A and R of small order, S = 0"},
        {false, "A of small order"},
        {false, "R of small order"},
        {true, "A and R of mixed order, both equations hold"},
        {false, "only the equation with the cofactor holds"},
        {false, "only the equation with the cofactor holds, k not reduced"},
        {false, "S >= L"},
        {false, "S far above L"},
        {false, "R of small order and not canonical"},
        {false, "R of small order and not canonical, k over another encoding"},
        {false, "A of small order and not canonical"},
        {false, "A of small order and not canonical, k over another encoding"},
    };
    size_t index;
    json_t *test;
    json_t *root = support_vectors("crypto/ed25519_speccheck_cases.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    assert_int_equal(json_array_size(root),
                     sizeof verdicts / sizeof verdicts[0]);
    json_array_foreach(root, index, test)
    {
        struct pbft_public_key key;
        struct pbft_signature signature;
        struct pbft_bytes message = support_hex(test, "message");
        from_hex(key.bytes, 32, support_text(test, "pub_key"));
        from_hex(signature.bytes, 64, support_text(test, "signature"));
        bool verdict = sign_verify(&key, message, &signature);
        print_message("speccheck %2zu: %s (%s)\n", index,
                      verdict ? "accepted" : "refused", verdicts[index].why);
        assert_int_equal(verdict, verdicts[index].accepted);
        support_hex_free(message);
    }
    json_decref(root);
}

static void test_provider_signs_and_verifies(void **state)
{
    uint8_t seed[SIGN_SEED_SIZE];
    struct pbft_public_key key;
    struct crypto_provider *provider = NULL;
    struct pbft_signature signature;
    const struct pbft_bytes message = {(const uint8_t *)"vote", 4};
    const struct pbft_bytes other = {(const uint8_t *)"note", 4};
    (void)state;
    sign_generate(seed, &key);
    assert_int_equal(crypto_provider_create(&provider, seed), PBFT_OK);
    const struct pbft_crypto *crypto = crypto_provider_vtable(provider);
    const struct pbft_crypto *verifier = crypto_provider_verify_only();

    crypto->sign(crypto->context, &signature, message);

    assert_memory_equal(crypto_provider_public_key(provider), &key, sizeof key);
    assert_true(crypto->verify(crypto->context, &key, message, &signature));
    assert_true(verifier->verify(verifier->context, &key, message, &signature));
    assert_false(verifier->verify(verifier->context, &key, other, &signature));
    struct pbft_digest expected;
    struct pbft_digest digest;
    digest_blake2b(&expected, message);
    verifier->digest(verifier->context, &digest, &message, 1);
    assert_memory_equal(&digest, &expected, sizeof digest);
    crypto_provider_destroy(provider);
}

static jmp_buf asserted;
static void note_assertion(const char *file, int line, const char *expression)
{
    (void)file;
    (void)line;
    (void)expression;
    longjmp(asserted, 1);
}

static void test_provider_without_key_does_not_sign(void **state)
{
    struct pbft_signature signature;
    const struct pbft_crypto *crypto = crypto_provider_verify_only();
    volatile bool did_assert = false;
    (void)state;
    pbft_assert_set_hook(note_assertion);
    if (setjmp(asserted) == 0) {
        crypto->sign(crypto->context, &signature, (struct pbft_bytes){NULL, 0});
    } else {
        did_assert = true;
    }
    pbft_assert_set_hook(NULL);
    assert_true(did_assert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_rfc8032),
        cmocka_unit_test(test_sign_refuses_other_encodings),
        cmocka_unit_test(test_sign_wycheproof),
        cmocka_unit_test(test_sign_speccheck),
        cmocka_unit_test(test_provider_signs_and_verifies),
        cmocka_unit_test(test_provider_without_key_does_not_sign),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
