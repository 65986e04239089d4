/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed contents: sizes around the segment, every kind of damage, and the
 * cipher beneath against Wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/gcm.h>

#include "crypto/init.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "tests/support/vectors.h"

#define SEGMENT SEAL_SEGMENT_SIZE
#define SEALED_SEGMENT (SEAL_SEGMENT_SIZE + SEAL_TAG_SIZE)
#define CONTENT_MAX (3 * SEGMENT + 1)

static uint8_t content[CONTENT_MAX];
static uint8_t sealed[CONTENT_MAX + 1024];
static uint8_t opened[CONTENT_MAX + 1024];
static uint8_t key[SEAL_KEY_SIZE];
static struct seal_identity identity;

static int setup(void **state)
{
    (void)state;
    random_fill(content, sizeof content);
    random_fill(key, sizeof key);
    random_fill(&identity.chain, sizeof identity.chain);
    random_fill(identity.record, sizeof identity.record);
    identity.version = 1;
    return 0;
}

static size_t seal(size_t size)
{
    assert_int_equal(
        seal_bytes(sealed, key, &identity, (struct pbft_bytes){content, size}),
        PBFT_OK);
    return (size_t)seal_size(size);
}

static enum pbft_status open_again(size_t sealed_size)
{
    size_t size = 0;
    return seal_open_bytes(opened, &size, key, &identity,
                           (struct pbft_bytes){sealed, sealed_size});
}

static void test_seal_round_trip(void **state)
{
    static const size_t sizes[] = {
        0,           1,           100,         SEGMENT - 1,
        SEGMENT,     SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 1,
        CONTENT_MAX,
    };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = 0;
        size_t sealed_size = seal(sizes[i]);
        assert_int_equal(
            seal_open_bytes(opened, &size, key, &identity,
                            (struct pbft_bytes){sealed, sealed_size}),
            PBFT_OK);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(opened, content, size);
    }
}

static void test_seal_size_is_exact(void **state)
{
    (void)state;
    assert_int_equal(seal_size(0), SEAL_HEADER_SIZE + SEAL_TAG_SIZE);
    assert_int_equal(seal_size(SEGMENT), SEAL_HEADER_SIZE + SEALED_SEGMENT);
    assert_int_equal(seal_size(SEGMENT + 1),
                     SEAL_HEADER_SIZE + SEALED_SEGMENT + 1 + SEAL_TAG_SIZE);
}

/* The same content under the same key twice: nothing repeats. */
static void test_seal_twice_differs(void **state)
{
    static uint8_t first[256];
    (void)state;
    size_t size = seal(100);
    memcpy(first, sealed, size);
    (void)seal(100);
    assert_memory_not_equal(first + 9, sealed + 9, 32);
    assert_memory_not_equal(first + SEAL_HEADER_SIZE, sealed + SEAL_HEADER_SIZE,
                            100);
}

static void test_seal_wrong_key_or_identity(void **state)
{
    (void)state;
    size_t size = seal(1000);
    key[0] ^= 1;
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    key[0] ^= 1;
    identity.version = 2;
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    identity.version = 1;
    identity.record[15] ^= 1;
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    identity.record[15] ^= 1;
    identity.chain.bytes[0] ^= 1;
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    identity.chain.bytes[0] ^= 1;
    assert_int_equal(open_again(size), PBFT_OK);
}

static void test_seal_changed_byte(void **state)
{
    (void)state;
    size_t size = seal(300);
    for (size_t i = 0; i < size; i++) {
        sealed[i] ^= 1;
        enum pbft_status status = open_again(size);
        assert_int_equal(status, i < 8    ? PBFT_MALFORMED
                                 : i == 8 ? PBFT_VERSION
                                          : PBFT_BAD_SIGNATURE);
        sealed[i] ^= 1;
    }
}

/* At any length, segment borders above all. */
static void test_seal_truncated(void **state)
{
    static const size_t cuts[] = {
        0,
        1,
        SEAL_HEADER_SIZE - 1,
        SEAL_HEADER_SIZE,
        SEAL_HEADER_SIZE + 1,
        SEAL_HEADER_SIZE + SEAL_TAG_SIZE,
        SEAL_HEADER_SIZE + SEALED_SEGMENT - 1,
        SEAL_HEADER_SIZE + SEALED_SEGMENT,
        SEAL_HEADER_SIZE + SEALED_SEGMENT + 1,
        SEAL_HEADER_SIZE + 2 * SEALED_SEGMENT,
        SEAL_HEADER_SIZE + 2 * SEALED_SEGMENT + SEAL_TAG_SIZE,
    };
    (void)state;
    size_t size = seal(CONTENT_MAX);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_int_equal(open_again(cuts[i]), cuts[i] < SEAL_HEADER_SIZE
                                                  ? PBFT_MALFORMED
                                                  : PBFT_BAD_SIGNATURE);
    }
    assert_int_equal(open_again(size - 1), PBFT_BAD_SIGNATURE);
    assert_int_equal(open_again(size), PBFT_OK);
}

static void test_seal_reordered_repeated_extended(void **state)
{
    static uint8_t swap[SEALED_SEGMENT];
    uint8_t *first = sealed + SEAL_HEADER_SIZE;
    uint8_t *second = first + SEALED_SEGMENT;
    (void)state;
    size_t size = seal(CONTENT_MAX);
    /* Reordered. */
    memcpy(swap, first, sizeof swap);
    memcpy(first, second, sizeof swap);
    memcpy(second, swap, sizeof swap);
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    /* Repeated. */
    memcpy(first, swap, sizeof swap);
    assert_int_equal(open_again(size), PBFT_BAD_SIGNATURE);
    /* Something after the last segment: full or not. */
    size = seal(2 * SEGMENT);
    sealed[size] = 0;
    assert_int_equal(open_again(size + 1), PBFT_BAD_SIGNATURE);
    memcpy(sealed + size, second, SEAL_TAG_SIZE);
    assert_int_equal(open_again(size + SEAL_TAG_SIZE), PBFT_BAD_SIGNATURE);
    size = seal(100);
    assert_int_equal(open_again(size + 16), PBFT_BAD_SIGNATURE);
}

/* A source that gives a byte at a time, and ends that fail. */
struct slow {
    struct pbft_bytes input;
    size_t written;
    size_t fail_after;
};

static enum pbft_status slow_read(void *context, uint8_t *out, size_t capacity,
                                  size_t *size)
{
    struct slow *slow = context;
    *size = 0;
    if (slow->input.size > 0 && capacity > 0) {
        *out = *slow->input.data++;
        slow->input.size--;
        *size = 1;
    }
    return PBFT_OK;
}

static enum pbft_status slow_write(void *context, struct pbft_bytes bytes)
{
    struct slow *slow = context;
    if (slow->written >= slow->fail_after) {
        return PBFT_NO_SPACE;
    }
    memcpy(sealed + slow->written, bytes.data, bytes.size);
    slow->written += bytes.size;
    return PBFT_OK;
}

static void test_seal_stream_small_reads_and_failing_writes(void **state)
{
    struct slow slow = {.input = {content, SEGMENT + 5},
                        .fail_after = SIZE_MAX};
    const struct seal_io io = {&slow, slow_read, slow_write};
    (void)state;
    assert_int_equal(seal_stream(key, &identity, &io), PBFT_OK);
    assert_int_equal(slow.written, seal_size(SEGMENT + 5));
    assert_int_equal(open_again(slow.written), PBFT_OK);
    slow = (struct slow){.input = {content, SEGMENT + 5}, .fail_after = 1};
    assert_int_equal(seal_stream(key, &identity, &io), PBFT_NO_SPACE);
}

static void check_gcm(const json_t *test)
{
    uint8_t out[1024];
    mbedtls_gcm_context gcm;
    struct pbft_bytes bytes = support_hex(test, "key");
    struct pbft_bytes nonce = support_hex(test, "iv");
    struct pbft_bytes aad = support_hex(test, "aad");
    struct pbft_bytes plain = support_hex(test, "msg");
    struct pbft_bytes ciphertext = support_hex(test, "ct");
    struct pbft_bytes tag = support_hex(test, "tag");
    bool is_valid = strcmp(support_text(test, "result"), "valid") == 0;

    assert_true(ciphertext.size <= sizeof out);
    mbedtls_gcm_init(&gcm);
    assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, bytes.data,
                                        (unsigned)(8 * bytes.size)),
                     0);
    int failed = mbedtls_gcm_auth_decrypt(
        &gcm, ciphertext.size, nonce.data, nonce.size, aad.data, aad.size,
        tag.data, tag.size, ciphertext.data, out);
    assert_int_equal(failed == 0, is_valid);
    if (is_valid) {
        assert_memory_equal(out, plain.data, plain.size);
    }
    mbedtls_gcm_free(&gcm);
    support_hex_free(bytes);
    support_hex_free(nonce);
    support_hex_free(aad);
    support_hex_free(plain);
    support_hex_free(ciphertext);
    support_hex_free(tag);
}

static void test_seal_aes_gcm_wycheproof(void **state)
{
    size_t index;
    size_t number;
    json_t *group;
    json_t *test;
    json_t *root = support_vectors("crypto/wycheproof_aes_gcm_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            check_gcm(test);
        }
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_seal_round_trip, setup),
        cmocka_unit_test_setup(test_seal_size_is_exact, setup),
        cmocka_unit_test_setup(test_seal_twice_differs, setup),
        cmocka_unit_test_setup(test_seal_wrong_key_or_identity, setup),
        cmocka_unit_test_setup(test_seal_changed_byte, setup),
        cmocka_unit_test_setup(test_seal_truncated, setup),
        cmocka_unit_test_setup(test_seal_reordered_repeated_extended, setup),
        cmocka_unit_test_setup(test_seal_stream_small_reads_and_failing_writes,
                               setup),
        cmocka_unit_test(test_seal_aes_gcm_wycheproof),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
