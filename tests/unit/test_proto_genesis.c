/* SPDX-License-Identifier: Apache-2.0 */
/* Genesis files: what is written reads the same; each rule is broken once. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/armor.h"
#include "proto/codec_limits.h"
#include "tests/support/random_message.h"
#include "tests/support/sample_genesis.h"

static struct salus_genesis *genesis;
static struct salus_reason reason;
static struct wire_buffer buffer;

static enum pbft_status check(void)
{
    memset(&reason, 0, sizeof reason);
    return genesis_check(sample_crypto(), genesis, &reason);
}

/* The genesis was spoiled in one place: it is refused for that. */
static void expect_refusal(const char *expected)
{
    assert_int_equal(check(), PBFT_INVALID_CONFIG);
    assert_string_equal(reason.text, expected);
    genesis_destroy(genesis);
    genesis = sample_genesis(4);
}

static struct pbft_bytes encode(void)
{
    wire_buffer_reset(&buffer);
    assert_int_equal(genesis_encode(genesis, &buffer), PBFT_OK);
    return wire_buffer_bytes(&buffer);
}

static void test_genesis_round_trip(void **state)
{
    (void)state;
    struct salus_genesis *decoded;
    struct wire_buffer again;
    assert_int_equal(check(), PBFT_OK);
    struct pbft_bytes bytes = encode();

    assert_int_equal(genesis_decode(sample_crypto(), bytes, &decoded, &reason),
                     PBFT_OK);

    assert_int_equal(decoded->member_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_memory_equal(&decoded->members[i], &genesis->members[i],
                            sizeof genesis->members[i]);
    }
    assert_memory_equal(&decoded->policies[0], &genesis->policies[0],
                        sizeof genesis->policies[0]);
    assert_memory_equal(&decoded->parameters, &genesis->parameters,
                        sizeof genesis->parameters);
    assert_string_equal(decoded->name, "trial");
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    assert_int_equal(genesis_encode(decoded, &again), PBFT_OK);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    wire_buffer_deinit(&again);
    genesis_destroy(decoded);
}

static void test_genesis_file(void **state)
{
    (void)state;
    struct wire_buffer text;
    struct salus_genesis *parsed;
    struct pbft_digest cluster;
    struct pbft_digest expected;
    struct pbft_bytes bytes = encode();
    wire_buffer_init(&text, ARMOR_TEXT_BYTES_MAX);
    assert_int_equal(armor_encode(ARMOR_GENESIS, bytes, &text), PBFT_OK);

    assert_int_equal(genesis_parse(sample_crypto(), wire_buffer_bytes(&text),
                                   &parsed, &cluster, &reason),
                     PBFT_OK);

    genesis_cluster_id(sample_crypto(), bytes, &expected);
    assert_memory_equal(&cluster, &expected, sizeof cluster);
    genesis_destroy(parsed);
    text.data[text.size / 2] ^= 1;
    assert_int_not_equal(genesis_parse(sample_crypto(),
                                       wire_buffer_bytes(&text), &parsed,
                                       &cluster, &reason),
                         PBFT_OK);
    assert_null(parsed);
    wire_buffer_deinit(&text);
}

static void test_genesis_head(void **state)
{
    (void)state;
    memcpy(genesis->name, "Trial", 6);
    expect_refusal("genesis: name is not [a-z0-9-]{1,32}");
    genesis->name[0] = '\0';
    expect_refusal("genesis: name is not [a-z0-9-]{1,32}");
    memset(genesis->nonce, 0, sizeof genesis->nonce);
    expect_refusal("genesis: nonce is zero");
    genesis->table_version = 0;
    expect_refusal("genesis: table_version is 0");
}

static void test_genesis_number_of_replicas(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        enum pbft_status expected;
    } cases[] = {{0, PBFT_INVALID_CONFIG},
                 {1, PBFT_OK},
                 {2, PBFT_INVALID_CONFIG},
                 {3, PBFT_INVALID_CONFIG},
                 {4, PBFT_OK},
                 {5, PBFT_OK},
                 {128, PBFT_OK},
                 {129, PBFT_INVALID_CONFIG}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        genesis_destroy(genesis);
        genesis = sample_genesis(cases[i].count);
        assert_int_equal(check(), cases[i].expected);
    }
}

static void test_genesis_parameters(void **state)
{
    (void)state;
    struct genesis_parameters *parameters = &genesis->parameters;
    parameters->window = 0;
    expect_refusal("genesis: window is not 1..4096");
    parameters = &genesis->parameters;
    parameters->window = 8192;
    expect_refusal("genesis: window is not 1..4096");
    genesis->parameters.checkpoint_interval = 256;
    expect_refusal(
        "genesis: checkpoint_interval does not divide window at least twice");
    genesis->parameters.checkpoint_interval = 100;
    expect_refusal(
        "genesis: checkpoint_interval does not divide window at least twice");
    genesis->parameters.checkpoint_interval = 0;
    expect_refusal(
        "genesis: checkpoint_interval does not divide window at least twice");
    genesis->parameters.batch_requests_max = 0;
    expect_refusal("genesis: batch_requests_max is not 1..4096");
    genesis->parameters.batch_requests_max = 4097;
    expect_refusal("genesis: batch_requests_max is not 1..4096");
    genesis->parameters.batch_bytes_max = PBFT_REQUEST_BYTES_MAX - 1;
    expect_refusal("genesis: batch_bytes_max is not 1 MiB..4 MiB");
    genesis->parameters.batch_bytes_max = PBFT_BATCH_BYTES_MAX + 1;
    expect_refusal("genesis: batch_bytes_max is not 1 MiB..4 MiB");
    genesis->parameters.time_bound_ms = 0;
    expect_refusal("genesis: time_bound_ms is not 1..3600000");
    genesis->parameters.late_after_ms = 0;
    expect_refusal("genesis: late_after_ms is not 1 ms..31 days");
    genesis->parameters.session_window = 1025;
    expect_refusal("genesis: session_window is not 1..1024");
}

/* A view-change of a full window must fit into one frame. */
static void test_genesis_window_and_replicas(void **state)
{
    (void)state;
    genesis_destroy(genesis);
    genesis = sample_genesis(128);
    genesis->parameters.window = 2048;
    assert_int_equal(check(), PBFT_OK);
    genesis->parameters.window = 4096;
    assert_int_equal(check(), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "a view-change would not fit"));
    genesis_destroy(genesis);
    genesis = sample_genesis(4);
    genesis->parameters.window = 4096;
    assert_int_equal(check(), PBFT_OK);
}

static void test_genesis_order_of_members(void **state)
{
    (void)state;
    struct salus_member first = genesis->members[0];
    genesis->members[0] = genesis->members[1];
    genesis->members[1] = first;
    assert_int_equal(check(), PBFT_INVALID_CONFIG);
    assert_string_equal(reason.text,
                        "genesis: member hospital-0: institution ids do not "
                        "ascend");
    genesis_sort(genesis);
    assert_int_equal(check(), PBFT_OK);
    genesis->members[1].institution = genesis->members[0].institution;
    expect_refusal("genesis: member hospital-1: it is there twice");
}

static void test_genesis_what_members_share(void **state)
{
    (void)state;
    memcpy(genesis->members[2].name, "hospital-0", 11);
    expect_refusal("genesis: members hospital-0 and hospital-0 have the same "
                   "name");
    memcpy(genesis->members[2].peer_address, "127.0.0.1:7500", 15);
    expect_refusal("genesis: members hospital-0 and hospital-2 have the same "
                   "address");
    memset(genesis->members[2].encryption_key, 1, 32);
    expect_refusal("genesis: members hospital-0 and hospital-2 have the same "
                   "encryption key");
    genesis->members[2].submit_keys[0] = genesis->members[1].replica_key;
    assert_int_equal(check(), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "have the same key"));
}

static void test_genesis_policies(void **state)
{
    (void)state;
    genesis->policies[0].uri[0] = 'H';
    expect_refusal("genesis: policy 1: its id is not the digest of its uri");
    genesis->policies[0].uri[0] = '\0';
    expect_refusal("genesis: policy 1: uri is not one line of 1 to 255 bytes");
    genesis->policies[0].version = 0;
    expect_refusal("genesis: policy 1: version is 0");
    genesis->policies[0].implicit_consent = 5;
    expect_refusal("genesis: policy 1: implicit_consent is not 1..4");
    genesis->policies[0].break_glass_override = 0;
    expect_refusal("genesis: policy 1: break_glass_override is not 1..3");
}

static void test_genesis_possession(void **state)
{
    (void)state;
    genesis->members[3].possession = genesis->members[2].possession;
    assert_int_equal(check(), PBFT_BAD_SIGNATURE);
    assert_string_equal(reason.text, "genesis: member hospital-3: possession "
                                     "of its key is not proved");
}

static void test_genesis_questions(void **state)
{
    (void)state;
    pbft_replica_id id;
    struct pbft_keyring keyring;
    const struct pbft_institution nobody = {{0}};
    genesis->members[1].has_replica = false;

    assert_int_equal(genesis_replica_count(genesis), 3);
    assert_ptr_equal(genesis_replica(genesis, 1), &genesis->members[2]);
    assert_null(genesis_replica(genesis, 3));
    assert_true(genesis_replica_id(genesis, &genesis->members[3], &id));
    assert_int_equal(id, 2);
    assert_false(genesis_replica_id(genesis, &genesis->members[1], &id));
    assert_ptr_equal(genesis_find(genesis, &genesis->members[2].institution),
                     &genesis->members[2]);
    assert_null(genesis_find(genesis, &nobody));
    assert_ptr_equal(genesis_find_name(genesis, "hospital-3"),
                     &genesis->members[3]);
    assert_null(genesis_find_name(genesis, "hospital"));
    assert_ptr_equal(
        genesis_find_replica_key(genesis, &genesis->members[3].replica_key),
        &genesis->members[3]);
    assert_null(
        genesis_find_replica_key(genesis, &genesis->members[1].replica_key));
    genesis_keyring(genesis, &keyring);
    assert_int_equal(keyring.replica_count, 3);
    assert_int_equal(keyring.epoch, 0);
    assert_memory_equal(&keyring.keys[2], &genesis->members[3].replica_key,
                        sizeof keyring.keys[2]);
}

static void test_genesis_damaged_bytes(void **state)
{
    (void)state;
    struct support_random random = {.state = 31};
    struct pbft_bytes bytes = encode();
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    struct salus_genesis *decoded;
    for (int i = 0; i < 2000; i++) {
        size_t at = support_random_below(&random, bytes.size);
        copy[at] ^= 0x10;
        /* Every member is signed; the rest is name, nonce, parameters. */
        if (genesis_decode(sample_crypto(),
                           (struct pbft_bytes){copy, bytes.size}, &decoded,
                           &reason) == PBFT_OK) {
            genesis_destroy(decoded);
        } else {
            assert_null(decoded);
            assert_true(reason.text[0] != '\0');
        }
        copy[at] ^= 0x10;
    }
    for (size_t size = 0; size < bytes.size; size += 7) {
        assert_int_not_equal(genesis_decode(sample_crypto(),
                                            (struct pbft_bytes){copy, size},
                                            &decoded, &reason),
                             PBFT_OK);
    }
    free(copy);
}

static void test_genesis_limits(void **state)
{
    (void)state;
    assert_null(genesis_create(GENESIS_MEMBERS_MAX + 1, 0));
    assert_null(genesis_create(0, GENESIS_POLICIES_MAX + 1));
    genesis_destroy(NULL);
    genesis->member_count = GENESIS_MEMBERS_MAX + 1;
    wire_buffer_reset(&buffer);
    assert_int_equal(genesis_encode(genesis, &buffer), PBFT_INVALID_ARGUMENT);
    genesis->member_count = 4;
}

static int set_up(void **state)
{
    (void)state;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    genesis = sample_genesis(4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    genesis_destroy(genesis);
    wire_buffer_deinit(&buffer);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_genesis_round_trip),
        TEST(test_genesis_file),
        TEST(test_genesis_head),
        TEST(test_genesis_number_of_replicas),
        TEST(test_genesis_parameters),
        TEST(test_genesis_window_and_replicas),
        TEST(test_genesis_order_of_members),
        TEST(test_genesis_what_members_share),
        TEST(test_genesis_policies),
        TEST(test_genesis_possession),
        TEST(test_genesis_questions),
        TEST(test_genesis_damaged_bytes),
        TEST(test_genesis_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
