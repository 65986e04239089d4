/* SPDX-License-Identifier: Apache-2.0 */
/* HPKE against RFC 9180 A.2 and all its published vectors of our suite; X25519
 * and ChaCha20-Poly1305 against Wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/hex.h"
#include "crypto/hpke.h"
#include "crypto/init.h"
#include "crypto/random.h"
#include "tests/support/vectors.h"

static const struct pbft_bytes nothing = {NULL, 0};

static struct pbft_bytes bytes_of(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static void from_hex(uint8_t *out, size_t size, const char *text)
{
    assert_int_equal(hex_decode(out, size, text), PBFT_OK);
}

static void assert_hex(const uint8_t *bytes, size_t size, const char *expected)
{
    char text[1024];
    assert_true(2 * size < sizeof text);
    hex_encode(text, (struct pbft_bytes){bytes, size});
    assert_string_equal(text, expected);
}

/* RFC 9180 A.2.1: base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305. */
static void test_hpke_rfc9180_a2(void **state)
{
    const struct pbft_bytes info = bytes_of("Ode on a Grecian Urn");
    const struct pbft_bytes plain = bytes_of("Beauty is truth, truth beauty");
    static const char *const ciphertexts[] = {
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c"
        "62ce81883d2dd1b51a28",
        "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e852853"
        "37cc95ba5f59992dc98c"};
    uint8_t ephemeral[HPKE_KEY_SIZE];
    uint8_t secret[HPKE_KEY_SIZE];
    uint8_t recipient[HPKE_KEY_SIZE];
    uint8_t enc[HPKE_ENC_SIZE];
    uint8_t input_key[32];
    uint8_t out[64];
    struct hpke_context sender;
    struct hpke_context receiver;
    (void)state;

    from_hex(input_key, 32,
             "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1"
             "df");
    hpke_derive_key(secret, recipient,
                    (struct pbft_bytes){input_key, sizeof input_key});
    assert_hex(secret, 32,
               "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0"
               "fb");
    from_hex(ephemeral, 32,
             "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd3816"
             "00");
    assert_int_equal(
        hpke_sender_with_ephemeral(&sender, enc, recipient, info, ephemeral),
        PBFT_OK);
    assert_hex(enc, 32,
               "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac"
               "4a");
    assert_int_equal(hpke_receiver(&receiver, enc, secret, info), PBFT_OK);
    assert_memory_equal(sender.key, receiver.key, sizeof sender.key);
    assert_hex(sender.key, 32,
               "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c"
               "91");
    assert_hex(sender.base_nonce, 12, "5c4d98150661b848853b547f");
    for (size_t i = 0; i < 2; i++) {
        uint8_t opened[64];
        char aad[] = "Count-0";
        aad[6] = (char)('0' + i);
        assert_int_equal(hpke_context_seal(&sender, out, bytes_of(aad), plain),
                         PBFT_OK);
        assert_hex(out, plain.size + HPKE_TAG_SIZE, ciphertexts[i]);
        assert_int_equal(
            hpke_context_open(
                &receiver, opened, bytes_of(aad),
                (struct pbft_bytes){out, plain.size + HPKE_TAG_SIZE}),
            PBFT_OK);
        assert_memory_equal(opened, plain.data, plain.size);
    }
    assert_int_equal(
        hpke_context_export(&sender, out, 32, bytes_of("TestContext")),
        PBFT_OK);
    assert_hex(out, 32,
               "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e"
               "53");
}

static void check_encryptions(const json_t *vector,
                              struct hpke_context *context)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(vector, "encryptions"), index, item)
    {
        uint8_t out[256];
        struct pbft_bytes aad = support_hex(item, "aad");
        struct pbft_bytes plain = support_hex(item, "pt");
        struct pbft_bytes expected = support_hex(item, "ct");
        assert_int_equal(hpke_context_seal(context, out, aad, plain), PBFT_OK);
        assert_int_equal(expected.size, plain.size + HPKE_TAG_SIZE);
        assert_memory_equal(out, expected.data, expected.size);
        support_hex_free(aad);
        support_hex_free(plain);
        support_hex_free(expected);
    }
    json_array_foreach(json_object_get(vector, "exports"), index, item)
    {
        uint8_t out[64];
        struct pbft_bytes exporter = support_hex(item, "exporter_context");
        struct pbft_bytes expected = support_hex(item, "exported_value");
        assert_true(expected.size <= sizeof out);
        assert_int_equal(
            hpke_context_export(context, out, expected.size, exporter),
            PBFT_OK);
        assert_memory_equal(out, expected.data, expected.size);
        support_hex_free(exporter);
        support_hex_free(expected);
    }
}

static void test_hpke_published_vectors(void **state)
{
    size_t index;
    size_t used = 0;
    json_t *vector;
    json_t *root = support_vectors("crypto/hpke_rfc9180_base_sha256.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(root, index, vector)
    {
        uint8_t ephemeral[32];
        uint8_t recipient[32];
        uint8_t enc[32];
        struct hpke_context context;
        if (json_integer_value(json_object_get(vector, "kem_id")) != 0x20 ||
            json_integer_value(json_object_get(vector, "kdf_id")) != 1 ||
            json_integer_value(json_object_get(vector, "aead_id")) != 3) {
            continue;
        }
        struct pbft_bytes info = support_hex(vector, "info");
        from_hex(ephemeral, 32, support_text(vector, "skEm"));
        from_hex(recipient, 32, support_text(vector, "pkRm"));
        assert_int_equal(hpke_sender_with_ephemeral(&context, enc, recipient,
                                                    info, ephemeral),
                         PBFT_OK);
        check_encryptions(vector, &context);
        support_hex_free(info);
        used++;
    }
    assert_int_equal(used, 1);
    json_decref(root);
}

static void test_hpke_wraps_a_data_key(void **state)
{
    uint8_t secret[32];
    uint8_t recipient[32];
    uint8_t other_secret[32];
    uint8_t other[32];
    uint8_t key[32];
    uint8_t opened[32];
    uint8_t sealed[32 + HPKE_OVERHEAD];
    const struct pbft_bytes info = bytes_of("salus/wrap/1");
    const struct pbft_bytes whole = {sealed, sizeof sealed};
    (void)state;
    hpke_generate(secret, recipient);
    hpke_generate(other_secret, other);
    random_fill(key, sizeof key);
    assert_int_equal(sizeof sealed, 80); /* As docs/api.md, 4b says. */

    assert_int_equal(hpke_seal(sealed, recipient, info, nothing,
                               (struct pbft_bytes){key, sizeof key}),
                     PBFT_OK);

    assert_int_equal(hpke_open(opened, secret, info, nothing, whole), PBFT_OK);
    assert_memory_equal(opened, key, sizeof key);
    assert_int_equal(hpke_open(opened, other_secret, info, nothing, whole),
                     PBFT_BAD_SIGNATURE);
    assert_int_equal(
        hpke_open(opened, secret, bytes_of("salus/wrap/2"), nothing, whole),
        PBFT_BAD_SIGNATURE);
    assert_int_equal(hpke_open(opened, secret, info, bytes_of("x"), whole),
                     PBFT_BAD_SIGNATURE);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_not_equal(hpke_open(opened, secret, info, nothing, whole),
                             PBFT_OK);
        sealed[i] ^= 1;
    }
    assert_int_equal(hpke_open(opened, secret, info, nothing,
                               (struct pbft_bytes){sealed, HPKE_OVERHEAD - 1}),
                     PBFT_MALFORMED);
}

static void test_hpke_small_order_point(void **state)
{
    uint8_t secret[32];
    uint8_t recipient[32];
    const uint8_t zero[32] = {0};
    uint8_t sealed[HPKE_OVERHEAD] = {0};
    uint8_t out[1];
    (void)state;
    hpke_generate(secret, recipient);
    assert_int_equal(hpke_seal(sealed, zero, nothing, nothing, nothing),
                     PBFT_INVALID_ARGUMENT);
    memset(sealed, 0, sizeof sealed);
    assert_int_equal(hpke_open(out, secret, nothing, nothing,
                               (struct pbft_bytes){sealed, sizeof sealed}),
                     PBFT_MALFORMED);
}

static void test_hpke_x25519_wycheproof(void **state)
{
    static const uint8_t zero[32] = {0};
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root = support_vectors("crypto/wycheproof_x25519_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            uint8_t public_key[32];
            uint8_t secret[32];
            uint8_t expected[32];
            uint8_t out[32];
            from_hex(public_key, 32, support_text(test, "public"));
            from_hex(secret, 32, support_text(test, "private"));
            from_hex(expected, 32, support_text(test, "shared"));
            enum pbft_status status = hpke_agree(out, secret, public_key);
            /* "acceptable" ones may be refused; we refuse the zero ones. */
            if (memcmp(expected, zero, sizeof zero) == 0) {
                assert_int_equal(status, PBFT_INVALID_ARGUMENT);
            } else {
                assert_int_equal(status, PBFT_OK);
                assert_memory_equal(out, expected, sizeof out);
            }
        }
    }
    json_decref(root);
}

static void check_chacha(const json_t *test)
{
    uint8_t out[4096];
    struct hpke_context context = {.sequence = 0};
    struct pbft_bytes nonce = support_hex(test, "iv");
    struct pbft_bytes aad = support_hex(test, "aad");
    struct pbft_bytes plain = support_hex(test, "msg");
    struct pbft_bytes ciphertext = support_hex(test, "ct");
    struct pbft_bytes tag = support_hex(test, "tag");
    bool is_valid = strcmp(support_text(test, "result"), "valid") == 0;
    uint8_t joined[4096];

    from_hex(context.key, 32, support_text(test, "key"));
    if (nonce.size == sizeof context.base_nonce) {
        memcpy(context.base_nonce, nonce.data, nonce.size);
        assert_true(ciphertext.size + tag.size <= sizeof joined);
        memcpy(joined, ciphertext.data, ciphertext.size);
        memcpy(joined + ciphertext.size, tag.data, tag.size);
        const struct pbft_bytes sealed = {joined, ciphertext.size + tag.size};
        enum pbft_status status = hpke_context_open(&context, out, aad, sealed);
        assert_int_equal(status == PBFT_OK, is_valid);
        if (is_valid) {
            assert_memory_equal(out, plain.data, plain.size);
            context.sequence = 0;
            assert_int_equal(hpke_context_seal(&context, out, aad, plain),
                             PBFT_OK);
            assert_memory_equal(out, joined, sealed.size);
        }
    } else {
        assert_false(is_valid);
    }
    support_hex_free(nonce);
    support_hex_free(aad);
    support_hex_free(plain);
    support_hex_free(ciphertext);
    support_hex_free(tag);
}

static void test_hpke_chacha20_poly1305_wycheproof(void **state)
{
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root =
        support_vectors("crypto/wycheproof_chacha20_poly1305_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            check_chacha(test);
        }
    }
    json_decref(root);
}

static void test_aead_round_trip_and_tampering(void **state)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t sealed[5 + AEAD_OVERHEAD];
    uint8_t opened[5];
    const uint8_t zeros[5] = {0};
    const struct pbft_bytes whole = {sealed, sizeof sealed};
    (void)state;
    random_fill(key, sizeof key);
    aead_seal(sealed, key, bytes_of("row 7"), bytes_of("hello"));
    assert_int_equal(aead_open(opened, key, bytes_of("row 7"), whole), PBFT_OK);
    assert_memory_equal(opened, "hello", 5);
    assert_int_equal(aead_open(opened, key, bytes_of("row 8"), whole),
                     PBFT_BAD_SIGNATURE);
    assert_memory_equal(opened, zeros, sizeof zeros);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 0x80;
        assert_int_equal(aead_open(opened, key, bytes_of("row 7"), whole),
                         PBFT_BAD_SIGNATURE);
        sealed[i] ^= 0x80;
    }
    assert_int_equal(aead_open(opened, key, nothing,
                               (struct pbft_bytes){sealed, AEAD_OVERHEAD - 1}),
                     PBFT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hpke_rfc9180_a2),
        cmocka_unit_test(test_hpke_published_vectors),
        cmocka_unit_test(test_hpke_wraps_a_data_key),
        cmocka_unit_test(test_hpke_small_order_point),
        cmocka_unit_test(test_hpke_x25519_wycheproof),
        cmocka_unit_test(test_hpke_chacha20_poly1305_wycheproof),
        cmocka_unit_test(test_aead_round_trip_and_tampering),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
