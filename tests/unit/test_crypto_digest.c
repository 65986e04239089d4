/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, commitments, HKDF and HMAC: known answers, and pieces against the
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/kdf.h"
#include "tests/support/vectors.h"

static struct pbft_bytes bytes_of(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static void assert_digest(const struct pbft_digest *digest, const char *hex)
{
    char text[2 * PBFT_DIGEST_SIZE + 1];
    hex_encode(text, (struct pbft_bytes){digest->bytes, PBFT_DIGEST_SIZE});
    assert_string_equal(text, hex);
}

/* BLAKE2b-256 of RFC 7693's "abc"; the empty string as b2sum -l 256 has it. */
static void test_digest_blake2b(void **state)
{
    struct pbft_digest digest;
    (void)state;
    digest_blake2b(&digest, bytes_of("abc"));
    assert_digest(&digest,
                  "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262"
                  "c8c068d52319");
    digest_blake2b(&digest, (struct pbft_bytes){NULL, 0});
    assert_digest(&digest,
                  "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab"
                  "45cdf12fe3a8");
}

/* FIPS 180-4, B.1 and B.2. */
static void test_digest_sha256(void **state)
{
    struct pbft_digest digest;
    (void)state;
    digest_sha256(&digest, bytes_of("abc"));
    assert_digest(&digest,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
                  "ff61f20015ad");
    digest_sha256(&digest,
                  bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
                           "mnopnopq"));
    assert_digest(&digest,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ec"
                  "edd419db06c1");
}

static void test_digest_pieces_equal_whole(void **state)
{
    uint8_t data[1000];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t cut = 0; cut <= sizeof data; cut += 37) {
        const struct pbft_bytes parts[] = {
            {data, cut}, {NULL, 0}, {data + cut, sizeof data - cut}};
        for (int kind = DIGEST_BLAKE2B; kind <= DIGEST_SHA256; kind++) {
            struct digest_stream stream;
            struct digest_stream moved;
            struct pbft_digest whole;
            struct pbft_digest joined;
            struct pbft_digest streamed;
            digest_init(&stream, (enum digest_kind)kind);
            digest_update(&stream, parts[0]);
            moved = stream; /* The state is plain bytes. */
            digest_update(&moved, parts[2]);
            digest_final(&moved, &streamed);
            if (kind == DIGEST_BLAKE2B) {
                digest_blake2b(&whole, (struct pbft_bytes){data, sizeof data});
                digest_blake2b_parts(&joined, parts, 3);
            } else {
                digest_sha256(&whole, (struct pbft_bytes){data, sizeof data});
                digest_sha256_parts(&joined, parts, 3);
            }
            assert_memory_equal(&whole, &joined, sizeof whole);
            assert_memory_equal(&whole, &streamed, sizeof whole);
        }
    }
}

/* Two implementations: what comes at once may be computed by the processor's
 * own instructions, what comes in pieces is by libsodium. */
static void test_digest_sha256_both_ways(void **state)
{
    uint8_t data[300];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * i + 7);
    }
    for (size_t size = 0; size <= sizeof data; size++) {
        struct digest_stream stream;
        struct pbft_digest by_library;
        struct pbft_digest whole;
        digest_init(&stream, DIGEST_SHA256);
        digest_update(&stream, (struct pbft_bytes){data, size});
        digest_final(&stream, &by_library);
        digest_sha256(&whole, (struct pbft_bytes){data, size});
        assert_memory_equal(&whole, &by_library, sizeof whole);
        for (size_t cut = 0; cut <= size; cut += 1 + size / 7) {
            const struct pbft_bytes parts[] = {
                {data, cut}, {NULL, 0}, {data + cut, size - cut}};
            digest_sha256_parts(&whole, parts, 3);
            assert_memory_equal(&whole, &by_library, sizeof whole);
        }
    }
}

static void test_commit_is_domain_salt_content(void **state)
{
    uint8_t salt[COMMIT_SALT_SIZE];
    struct pbft_digest digest;
    struct pbft_digest other;
    struct digest_stream stream;
    (void)state;
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = (uint8_t)i;
    }
    commit_sha256(&digest, COMMIT_DOMAIN_RECORD, salt, bytes_of("content"));
    /* Computed with Python's hashlib. */
    assert_digest(
        &digest,
        "14bf7c9b68af12f10b2dcee3f53136ff43f56a3d1e24a49739d129ce4b60f664");

    commit_sha256_init(&stream, COMMIT_DOMAIN_RECORD, salt);
    digest_update(&stream, bytes_of("con"));
    digest_update(&stream, bytes_of("tent"));
    digest_final(&stream, &other);
    assert_memory_equal(&digest, &other, sizeof digest);

    commit_sha256(&other, COMMIT_DOMAIN_EVIDENCE, salt, bytes_of("content"));
    assert_memory_not_equal(&digest, &other, sizeof digest);
    salt[31] ^= 1;
    commit_sha256(&other, COMMIT_DOMAIN_RECORD, salt, bytes_of("content"));
    assert_memory_not_equal(&digest, &other, sizeof digest);
}

/* No tag begins another, so that domain | salt never reads in two ways. */
static void test_commit_domains_are_prefix_free(void **state)
{
    static const char *const domains[] = {
        COMMIT_DOMAIN_RECORD, COMMIT_DOMAIN_EVIDENCE,  COMMIT_DOMAIN_SOURCE,
        COMMIT_DOMAIN_WRAP,   COMMIT_DOMAIN_WRAP_SALT, COMMIT_DOMAIN_CREDENTIAL,
        COMMIT_DOMAIN_ITEM};
    (void)state;
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        for (size_t j = 0; j < sizeof domains / sizeof domains[0]; j++) {
            if (i != j) {
                assert_int_not_equal(
                    strncmp(domains[i], domains[j], strlen(domains[i])), 0);
            }
        }
    }
}

static void test_hex(void **state)
{
    uint8_t bytes[4] = {0};
    size_t size = 0;
    char text[9];
    (void)state;
    assert_int_equal(hex_decode(bytes, 4, "00fFa5B1"), PBFT_OK);
    hex_encode(text, (struct pbft_bytes){bytes, 4});
    assert_string_equal(text, "00ffa5b1");
    assert_int_equal(hex_decode(bytes, 4, "00ffa5b"), PBFT_MALFORMED);
    assert_int_equal(hex_decode(bytes, 4, "00ffa5b1c2"), PBFT_MALFORMED);
    assert_int_equal(hex_decode(bytes, 4, "00ffa5g1"), PBFT_MALFORMED);
    assert_int_equal(hex_decode_any(bytes, 4, &size, ""), PBFT_OK);
    assert_int_equal(size, 0);
    assert_int_equal(hex_decode_any(bytes, 4, &size, "0011223344"),
                     PBFT_TOO_LARGE);
}

/* RFC 5869, test case 1. */
static void test_hkdf_rfc5869(void **state)
{
    uint8_t key[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t out[42];
    uint8_t again[42];
    uint8_t extracted[KDF_HASH_SIZE];
    char text[85];
    (void)state;
    memset(key, 0x0b, sizeof key);
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof info; i++) {
        info[i] = (uint8_t)(0xf0 + i);
    }
    assert_int_equal(kdf_hkdf(out, sizeof out, (struct pbft_bytes){salt, 13},
                              (struct pbft_bytes){key, 22},
                              (struct pbft_bytes){info, 10}),
                     PBFT_OK);
    hex_encode(text, (struct pbft_bytes){out, sizeof out});
    assert_string_equal(text,
                        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d"
                        "56ecc4c5bf34007208d5b887185865");
    kdf_extract(extracted, (struct pbft_bytes){salt, 13},
                (struct pbft_bytes){key, 22});
    assert_int_equal(kdf_expand(again, sizeof again, extracted,
                                (struct pbft_bytes){info, 10}),
                     PBFT_OK);
    assert_memory_equal(out, again, sizeof out);
}

static void test_hkdf_wycheproof(void **state)
{
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root = support_vectors("crypto/wycheproof_hkdf_sha256_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct pbft_bytes key = support_hex(test, "ikm");
            struct pbft_bytes salt = support_hex(test, "salt");
            struct pbft_bytes info = support_hex(test, "info");
            struct pbft_bytes expected = support_hex(test, "okm");
            size_t size =
                (size_t)json_integer_value(json_object_get(test, "size"));
            static uint8_t out[KDF_OUTPUT_MAX + 1];
            enum pbft_status status = kdf_hkdf(out, size, salt, key, info);
            if (strcmp(support_text(test, "result"), "valid") == 0) {
                assert_int_equal(status, PBFT_OK);
                assert_int_equal(expected.size, size);
                assert_memory_equal(out, expected.data, size);
            } else {
                assert_int_equal(status, PBFT_TOO_LARGE);
            }
            support_hex_free(key);
            support_hex_free(salt);
            support_hex_free(info);
            support_hex_free(expected);
        }
    }
    json_decref(root);
}

static void test_hmac_wycheproof(void **state)
{
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root = support_vectors("crypto/wycheproof_hmac_sha256_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct pbft_bytes key = support_hex(test, "key");
            struct pbft_bytes message = support_hex(test, "msg");
            struct pbft_bytes tag = support_hex(test, "tag");
            uint8_t out[KDF_HASH_SIZE];
            kdf_hmac_sha256(out, key, message);
            int is_valid = strcmp(support_text(test, "result"), "valid") == 0;
            assert_int_equal(memcmp(out, tag.data, tag.size) == 0, is_valid);
            support_hex_free(key);
            support_hex_free(message);
            support_hex_free(tag);
        }
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_blake2b),
        cmocka_unit_test(test_digest_sha256),
        cmocka_unit_test(test_digest_pieces_equal_whole),
        cmocka_unit_test(test_digest_sha256_both_ways),
        cmocka_unit_test(test_commit_is_domain_salt_content),
        cmocka_unit_test(test_commit_domains_are_prefix_free),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_hkdf_rfc5869),
        cmocka_unit_test(test_hkdf_wycheproof),
        cmocka_unit_test(test_hmac_wycheproof),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
