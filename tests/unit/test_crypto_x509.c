/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: what the tool issues passes, and each way in which another one
 * can be wrong is told apart. ECDSA beneath against Wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <mbedtls/pk.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/x509.h"
#include "tests/support/vectors.h"

#define NOW INT64_C(1790000000) /* In 2026. */
#define YEAR INT64_C(31536000)

static const struct x509_validity ten_years = {NOW - 60, NOW + 10 * YEAR};
static struct x509_certificate ca;
static struct x509_key ca_key;
static struct x509_certificate other_ca;
static struct x509_key other_ca_key;
static struct x509_certificate replica;
static struct x509_key replica_key;
static struct salus_reason reason;

static int make_all(void **state)
{
    const struct x509_issuer issuer = {&ca, &ca_key};
    (void)state;
    assert_int_equal(
        x509_ca_create(&ca, &ca_key, "st-anna", &ten_years, &reason), PBFT_OK);
    /* The same name, another key. */
    assert_int_equal(x509_ca_create(&other_ca, &other_ca_key, "st-anna",
                                    &ten_years, &reason),
                     PBFT_OK);
    assert_int_equal(x509_issue(&replica, &replica_key, &issuer,
                                "replica.st-anna", &ten_years, &reason),
                     PBFT_OK);
    return 0;
}

static struct x509_expectation expectation(void)
{
    return (struct x509_expectation){.ca = &ca,
                                     .key = &replica_key,
                                     .dns_name = "replica.st-anna",
                                     .now_s = NOW};
}

static void test_x509_names(void **state)
{
    char name[X509_NAME_MAX];
    (void)state;
    assert_int_equal(x509_name(name, X509_REPLICA, "st-anna"), PBFT_OK);
    assert_string_equal(name, "replica.st-anna");
    assert_int_equal(x509_name(name, X509_CLIENT, "a"), PBFT_OK);
    assert_string_equal(name, "client.a");
    assert_int_equal(x509_name(name, X509_CLIENT, ""), PBFT_INVALID_ARGUMENT);
    assert_int_equal(x509_name(name, X509_CLIENT, "St"), PBFT_INVALID_ARGUMENT);
    assert_int_equal(x509_name(name, X509_CLIENT, "a,O=x"),
                     PBFT_INVALID_ARGUMENT);
    assert_int_equal(
        x509_name(name, X509_CLIENT, "123456789012345678901234567890123"),
        PBFT_INVALID_ARGUMENT);
}

static void test_x509_issued_certificate_passes(void **state)
{
    char name[X509_NAME_MAX];
    struct x509_validity validity;
    struct x509_expectation expected = expectation();
    (void)state;
    assert_int_equal(x509_check(&replica, &expected, &reason), PBFT_OK);
    assert_int_equal(x509_check_ca(&ca, NOW, &reason), PBFT_OK);
    assert_int_equal(x509_dns_name(name, &replica), PBFT_OK);
    assert_string_equal(name, "replica.st-anna");
    assert_int_equal(x509_validity_of(&validity, &replica), PBFT_OK);
    assert_int_equal(validity.from_s, ten_years.from_s);
    assert_int_equal(validity.to_s, ten_years.to_s);
    assert_int_equal(x509_dns_name(name, &ca), PBFT_NOT_FOUND);
}

/* Dates at the ends of months and in leap years survive the round trip. */
static void test_x509_dates(void **state)
{
    static const int64_t starts[] = {
        0,          951782399,  /* 2000-02-28T23:59:59 */
        951868799,              /* 2000-02-29 */
        1709251199, 1735689599, /* 2024: leap day, last second */
        2208988800,             /* 2040 */
        4107542399,             /* 2100-02-28, no leap year */
    };
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct x509_certificate certificate;
        struct x509_key key;
        struct x509_validity got;
        const struct x509_validity validity = {starts[i], starts[i] + YEAR};
        assert_int_equal(
            x509_ca_create(&certificate, &key, "a", &validity, &reason),
            PBFT_OK);
        assert_int_equal(x509_validity_of(&got, &certificate), PBFT_OK);
        assert_int_equal(got.from_s, validity.from_s);
        assert_int_equal(got.to_s, validity.to_s);
    }
    struct x509_certificate certificate;
    struct x509_key key;
    const struct x509_validity backwards = {NOW, NOW - 1};
    assert_int_equal(
        x509_ca_create(&certificate, &key, "a", &backwards, &reason),
        PBFT_INVALID_ARGUMENT);
}

static void test_x509_wrong_name(void **state)
{
    struct x509_expectation expected = expectation();
    (void)state;
    expected.dns_name = "replica.st-bert";
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "\"replica.st-anna\""));
    /* No prefix, no suffix, no other role. */
    expected.dns_name = "replica.st-ann";
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_WRONG_IDENTITY);
    expected.dns_name = "client.st-anna";
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_WRONG_IDENTITY);
}

static void test_x509_other_ca(void **state)
{
    struct x509_expectation expected = expectation();
    (void)state;
    expected.ca = &other_ca;
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_BAD_CERTIFICATE);
    assert_non_null(strstr(reason.text, "not issued by this CA"));
    /* An end certificate is no CA, a CA no end certificate. */
    expected.ca = &replica;
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_BAD_CERTIFICATE);
    expected.ca = &ca;
    assert_int_equal(x509_check(&ca, &expected, &reason), PBFT_BAD_CERTIFICATE);
    assert_int_equal(x509_check_ca(&replica, NOW, &reason),
                     PBFT_BAD_CERTIFICATE);
}

static void test_x509_wrong_key(void **state)
{
    struct x509_expectation expected = expectation();
    (void)state;
    expected.key = &ca_key;
    assert_int_equal(x509_check(&replica, &expected, &reason),
                     PBFT_WRONG_IDENTITY);
    struct x509_certificate certificate;
    struct x509_key key;
    const struct x509_issuer mixed = {&ca, &other_ca_key};
    assert_int_equal(x509_issue(&certificate, &key, &mixed, "client.st-anna",
                                &ten_years, &reason),
                     PBFT_WRONG_IDENTITY);
}

static void test_x509_expired_and_early(void **state)
{
    struct x509_expectation expected = expectation();
    (void)state;
    expected.now_s = ten_years.to_s + 1;
    assert_int_equal(x509_check(&replica, &expected, &reason), PBFT_TIMED_OUT);
    assert_non_null(strstr(reason.text, "expired on 20"));
    expected.now_s = ten_years.from_s - 1;
    assert_int_equal(x509_check(&replica, &expected, &reason), PBFT_TIMED_OUT);
    assert_int_equal(x509_check_ca(&ca, ten_years.to_s + 1, &reason),
                     PBFT_TIMED_OUT);
}

/* A flipped bit anywhere never passes; nothing crashes. */
static void test_x509_damaged(void **state)
{
    struct x509_expectation expected = expectation();
    (void)state;
    for (size_t i = 0; i < replica.size; i++) {
        struct x509_certificate copy = replica;
        copy.der[i] ^= 1;
        assert_int_not_equal(x509_check(&copy, &expected, NULL), PBFT_OK);
    }
    for (size_t size = 0; size < replica.size; size++) {
        struct x509_certificate copy = replica;
        copy.size = size;
        assert_int_equal(x509_check(&copy, &expected, NULL), PBFT_MALFORMED);
    }
    struct x509_certificate longer = replica;
    longer.der[longer.size++] = 0;
    assert_int_equal(x509_check(&longer, &expected, NULL), PBFT_MALFORMED);
}

static void test_x509_pem_round_trip(void **state)
{
    char text[X509_PEM_MAX];
    struct x509_certificate certificate;
    struct x509_key key;
    (void)state;
    assert_int_equal(x509_certificate_pem(text, &replica), PBFT_OK);
    assert_int_equal(
        x509_certificate_parse(
            &certificate,
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(certificate.size, replica.size);
    assert_memory_equal(certificate.der, replica.der, replica.size);
    /* DER as well; two certificates in one file not. */
    assert_int_equal(
        x509_certificate_parse(&certificate,
                               (struct pbft_bytes){replica.der, replica.size}),
        PBFT_OK);
    size_t length = strlen(text);
    assert_true(2 * length < sizeof text);
    memcpy(text + length, text, length);
    assert_int_equal(
        x509_certificate_parse(
            &certificate,
            (struct pbft_bytes){(const uint8_t *)text, 2 * length}),
        PBFT_MALFORMED);
    assert_int_equal(x509_key_pem(text, &replica_key), PBFT_OK);
    assert_int_equal(
        x509_key_parse(
            &key, (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(key.size, replica_key.size);
    assert_memory_equal(key.der, replica_key.der, key.size);
    assert_int_equal(
        x509_key_parse(&key, (struct pbft_bytes){replica.der, replica.size}),
        PBFT_MALFORMED);
}

static void test_x509_files(void **state)
{
    char folder[] = "/tmp/salus-x509-XXXXXX";
    char path[64];
    struct x509_key key;
    struct x509_certificate certificate;
    struct stat info;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/tls.key", folder);
    assert_int_equal(x509_key_store(path, &replica_key, &reason), PBFT_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(x509_key_load(&key, path, &reason), PBFT_OK);
    assert_memory_equal(key.der, replica_key.der, key.size);
    assert_int_equal(x509_key_store(path, &replica_key, &reason), PBFT_EXISTS);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(x509_key_load(&key, path, &reason), PBFT_PERMISSION);
    assert_non_null(strstr(reason.text, "mode 0640"));
    assert_non_null(strstr(reason.text, "chmod 600"));
    assert_int_equal(x509_certificate_load(&certificate, path, &reason),
                     PBFT_MALFORMED);
    unlink(path);
    assert_int_equal(x509_certificate_load(&certificate, path, &reason),
                     PBFT_NOT_FOUND);
    assert_int_equal(x509_certificate_store(path, &replica, &reason), PBFT_OK);
    assert_int_equal(x509_certificate_load(&certificate, path, &reason),
                     PBFT_OK);
    struct pbft_digest fingerprint;
    struct pbft_digest expected;
    x509_fingerprint(&fingerprint, &certificate);
    digest_sha256(&expected, (struct pbft_bytes){replica.der, replica.size});
    assert_memory_equal(&fingerprint, &expected, sizeof expected);
    unlink(path);
    rmdir(folder);
}

/* mbedTLS reads some signatures whose DER is not the one and only encoding of
 * (r, s). That is harmless in TLS, which never compares signatures, and our own
 * signatures are Ed25519; no other laxity is tolerated. */
static bool is_encoding_only(const json_t *test)
{
    size_t index;
    json_t *flag;
    json_array_foreach(json_object_get(test, "flags"), index, flag)
    {
        const char *text = json_string_value(flag);
        if (strcmp(text, "MissingZero") != 0 &&
            strcmp(text, "BerEncodedSignature") != 0 &&
            strcmp(text, "InvalidEncoding") != 0) {
            return false;
        }
    }
    return true;
}

static void test_x509_ecdsa_wycheproof(void **state)
{
    size_t index;
    size_t number;
    size_t lenient = 0;
    json_t *group;
    json_t *test;
    json_t *root =
        support_vectors("crypto/wycheproof_ecdsa_secp256r1_sha256_test.json");
    (void)state;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        struct pbft_bytes der = support_hex(group, "publicKeyDer");
        mbedtls_pk_context pk;
        mbedtls_pk_init(&pk);
        assert_int_equal(mbedtls_pk_parse_public_key(&pk, der.data, der.size),
                         0);
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct pbft_bytes message = support_hex(test, "msg");
            struct pbft_bytes signature = support_hex(test, "sig");
            struct pbft_digest digest;
            bool is_valid = strcmp(support_text(test, "result"), "valid") == 0;
            digest_sha256(&digest, message);
            int failed = mbedtls_pk_verify(&pk, MBEDTLS_MD_SHA256, digest.bytes,
                                           sizeof digest.bytes, signature.data,
                                           signature.size);
            if (failed == 0 && !is_valid) {
                lenient += 1;
                assert_true(is_encoding_only(test));
            } else {
                assert_int_equal(failed == 0, is_valid);
            }
            support_hex_free(message);
            support_hex_free(signature);
        }
        mbedtls_pk_free(&pk);
        support_hex_free(der);
    }
    print_message("%zu other encodings of a valid signature read\n", lenient);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x509_names),
        cmocka_unit_test(test_x509_issued_certificate_passes),
        cmocka_unit_test(test_x509_dates),
        cmocka_unit_test(test_x509_wrong_name),
        cmocka_unit_test(test_x509_other_ca),
        cmocka_unit_test(test_x509_wrong_key),
        cmocka_unit_test(test_x509_expired_and_early),
        cmocka_unit_test(test_x509_damaged),
        cmocka_unit_test(test_x509_pem_round_trip),
        cmocka_unit_test(test_x509_files),
        cmocka_unit_test(test_x509_ecdsa_wycheproof),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, make_all, NULL);
}
