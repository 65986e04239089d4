/* SPDX-License-Identifier: Apache-2.0 */
/* Member files: names, addresses, keys, possession, fingerprints. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proto/codec_limits.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"
#include "tests/support/sample_genesis.h"

static struct salus_member member;
static struct salus_reason reason;

/* The member was spoiled in one place: it is refused for that. */
static void expect_refusal(const char *expected)
{
    memset(&reason, 0, sizeof reason);
    assert_int_equal(member_check(&member, &reason), PBFT_INVALID_CONFIG);
    assert_string_equal(reason.text, expected);
    sample_member(&member, 1);
}

static void test_member_names(void **state)
{
    (void)state;
    assert_true(member_name_is_valid("a"));
    assert_true(member_name_is_valid("st-anna-2"));
    assert_true(member_name_is_valid("abcdefghijklmnopqrstuvwxyz-01234"));
    assert_false(member_name_is_valid("abcdefghijklmnopqrstuvwxyz-012345"));
    assert_false(member_name_is_valid(""));
    assert_false(member_name_is_valid("St-Anna"));
    assert_false(member_name_is_valid("st anna"));
    assert_false(member_name_is_valid("st_anna"));
    assert_false(member_name_is_valid("../x"));
}

static void test_member_addresses(void **state)
{
    (void)state;
    static const char *const valid[] = {
        "localhost:1",          "127.0.0.1:65535",  "replica.example.org:7400",
        "[::1]:7400",           "[fd00::1:2]:7400", "a-b.c:80",
        "[::ffff:10.0.0.1]:80", "EXAMPLE.org:443",
    };
    static const char *const wrong[] = {
        "",
        ":80",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:080",
        "host:-1",
        "host:+80",
        "host: 80",
        "host:80 ",
        "-a:80",
        "a-:80",
        "a..b:80",
        ".a:80",
        "a.:80",
        "300.0.0.1:80",
        "1.2.3:80",
        "::1:80",
        "[]:80",
        "[:1]:80",
        "[::g]:80",
        "[::1:80",
        "a_b:80",
        "a/b:80",
        "host:99999999999999999999",
        "tcp://host:80",
    };
    char large[400];
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        assert_true(member_address_is_valid(valid[i]));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(member_address_is_valid(wrong[i]));
    }
    memset(large, 'a', sizeof large);
    memcpy(large + 300, ":80", 4);
    assert_false(member_address_is_valid(large));
    memcpy(large + 64, ":80", 4); /* A label has 63 characters. */
    assert_false(member_address_is_valid(large));
    memcpy(large + 63, ":80", 4);
    assert_true(member_address_is_valid(large));
}

static void test_member_rules(void **state)
{
    (void)state;
    assert_int_equal(member_check(&member, &reason), PBFT_OK);
    member.name[0] = 'H';
    expect_refusal("member: name is not [a-z0-9-]{1,32}");
    memset(&member.institution, 0, sizeof member.institution);
    expect_refusal("member hospital-1: the institution id is zero");
    member.legal_name[0] = '\0';
    expect_refusal("member hospital-1: legal_name is not one line of 1 to 128 "
                   "bytes");
    member.legal_name[3] = '\n';
    expect_refusal("member hospital-1: legal_name is not one line of 1 to 128 "
                   "bytes");
    memcpy(member.country, "de", 3);
    expect_refusal("member hospital-1: country is not two capital letters");
    member.roles[1] = 1;
    expect_refusal("member hospital-1: roles are not ascending codes from 1");
    member.roles[0] = 0;
    expect_refusal("member hospital-1: roles are not ascending codes from 1");
    member.role_count = MEMBER_ROLES_MAX + 1;
    expect_refusal("member hospital-1: more than 16 roles");
    member.tls_ca_size = MEMBER_TLS_CA_MAX + 1;
    expect_refusal("member hospital-1: tls_ca is larger than 4096 bytes");
}

static void test_member_keys_and_addresses(void **state)
{
    (void)state;
    member.submit_key_count = MEMBER_SUBMIT_KEYS_MAX + 1;
    expect_refusal("member hospital-1: more than 16 submit keys");
    memset(&member.submit_keys[0], 0, sizeof member.submit_keys[0]);
    expect_refusal("member hospital-1: a submit key is zero");
    member.submit_keys[1] = member.submit_keys[0];
    member.submit_key_count = 2;
    expect_refusal("member hospital-1: a submit key stands there twice");
    member.submit_keys[0] = member.replica_key;
    expect_refusal("member hospital-1: the replica key is a submit key too");
    memset(&member.replica_key, 0, sizeof member.replica_key);
    expect_refusal("member hospital-1: the replica key is zero");
    member.peer_address[0] = '\0';
    expect_refusal("member hospital-1: peer_address is not host:port");
    memcpy(member.client_address, "x", 2);
    expect_refusal("member hospital-1: client_address is not host:port");
    memcpy(member.client_address, member.peer_address,
           sizeof member.client_address);
    expect_refusal(
        "member hospital-1: peer_address and client_address are the same");
    member.tls_ca_size = 0;
    expect_refusal("member hospital-1: no tls_ca");
    member.has_replica = false;
    expect_refusal("member hospital-1: an address, but no replica key");
    member.has_replica = false;
    member.submit_key_count = 0;
    expect_refusal("member hospital-1: neither a replica key nor a submit key");
}

static void test_member_without_replica(void **state)
{
    (void)state;
    member.has_replica = false;
    member.peer_address[0] = '\0';
    member.client_address[0] = '\0';
    member.tls_ca_size = 0;
    member.has_encryption_key = false;
    assert_int_equal(member_check(&member, &reason), PBFT_OK);
    assert_ptr_equal(member_key(&member), &member.submit_keys[0]);
}

static void test_member_round_trip(void **state)
{
    (void)state;
    struct wire_buffer bytes;
    struct salus_member decoded;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    sample_possess(&member, 1);

    assert_int_equal(member_encode(&member, &bytes), PBFT_OK);
    assert_int_equal(
        member_decode(wire_buffer_bytes(&bytes), &decoded, &reason), PBFT_OK);

    assert_string_equal(decoded.name, member.name);
    assert_string_equal(decoded.legal_name, member.legal_name);
    assert_memory_equal(&decoded.possession, &member.possession,
                        sizeof member.possession);
    assert_memory_equal(decoded.tls_ca, member.tls_ca, member.tls_ca_size);
    assert_int_equal(member_possession_check(sample_crypto(), &decoded),
                     PBFT_OK);
    wire_buffer_deinit(&bytes);
}

static void spoil(Salus__V1__Member *message, const char *expected,
                  enum pbft_status status)
{
    struct wire_buffer bytes;
    struct salus_member decoded;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    assert_int_equal(wire_pack(&message->base, &bytes), PBFT_OK);
    assert_int_equal(
        member_decode(wire_buffer_bytes(&bytes), &decoded, &reason), status);
    assert_string_equal(reason.text, expected);
    wire_buffer_deinit(&bytes);
}

static void test_member_wrong_lengths(void **state)
{
    (void)state;
    uint8_t bytes[100] = {1};
    Salus__V1__Member message = SALUS__V1__MEMBER__INIT;
    message.version = 2;
    spoil(&message, "member: version 2 is not supported", PBFT_VERSION);
    message.version = 1;
    message.name = (char *)(uintptr_t) "abcdefghijklmnopqrstuvwxyz-0123456";
    spoil(&message, "member : name is longer than 32 bytes", PBFT_MALFORMED);
    message.name = (char *)(uintptr_t) "st-anna";
    message.institution = (ProtobufCBinaryData){15, bytes};
    spoil(&message, "member st-anna: the institution id is not 16 bytes",
          PBFT_MALFORMED);
    message.institution.len = 16;
    message.replica_key = (ProtobufCBinaryData){33, bytes};
    spoil(&message, "member st-anna: the replica key is not 32 bytes",
          PBFT_MALFORMED);
    message.replica_key.len = 32;
    message.possession = (ProtobufCBinaryData){63, bytes};
    spoil(&message, "member st-anna: the possession signature is not 64 bytes",
          PBFT_MALFORMED);
}

static void test_member_possession_covers_everything(void **state)
{
    (void)state;
    const struct pbft_crypto *crypto = sample_crypto();
    assert_int_equal(member_possession_check(crypto, &member),
                     PBFT_BAD_SIGNATURE);
    sample_possess(&member, 1);
    assert_int_equal(member_possession_check(crypto, &member), PBFT_OK);
    member.client_address[10]++;
    assert_int_equal(member_possession_check(crypto, &member),
                     PBFT_BAD_SIGNATURE);
    sample_possess(&member, 2); /* By somebody else's key. */
    assert_int_equal(member_possession_check(crypto, &member),
                     PBFT_BAD_SIGNATURE);
}

static void test_member_fingerprint(void **state)
{
    (void)state;
    struct pbft_digest one;
    struct pbft_digest two;
    struct pbft_digest counted;
    char text[MEMBER_FINGERPRINT_TEXT_SIZE];
    assert_int_equal(member_fingerprint(sample_crypto(), &member, &one),
                     PBFT_OK);
    member.submit_keys[0].bytes[31] ^= 1;
    assert_int_equal(member_fingerprint(sample_crypto(), &member, &two),
                     PBFT_OK);
    assert_memory_not_equal(&one, &two, sizeof one);
    for (size_t i = 0; i < sizeof counted.bytes; i++) {
        counted.bytes[i] = (uint8_t)(17 * i);
    }
    member_fingerprint_text(&counted, text);
    assert_string_equal(text, "0011 2233 4455 6677 8899 aabb ccdd eeff");
}

static int set_up(void **state)
{
    (void)state;
    sample_member(&member, 1);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(test_member_names),
        TEST(test_member_addresses),
        TEST(test_member_rules),
        TEST(test_member_keys_and_addresses),
        TEST(test_member_without_replica),
        TEST(test_member_round_trip),
        TEST(test_member_wrong_lengths),
        TEST(test_member_possession_covers_everything),
        TEST(test_member_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
