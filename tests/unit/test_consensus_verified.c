/* SPDX-License-Identifier: Apache-2.0 */
/* A signature that was found valid is not checked again; anything else is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/verified.h"

static uint64_t check_count;

/* A signature is the key's and the message's first byte. */
static bool verify(const void *context, const struct pbft_public_key *key,
                   struct pbft_bytes message,
                   const struct pbft_signature *signature)
{
    (void)context;
    check_count++;
    return signature->bytes[0] == key->bytes[0] &&
           signature->bytes[1] == message.data[0];
}

static void digest(const void *context, struct pbft_digest *out,
                   const struct pbft_bytes *parts, size_t count)
{
    (void)context;
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i].size; k++) {
            sum = (sum ^ parts[i].data[k]) * UINT64_C(1099511628211);
        }
    }
    memset(out, 0, sizeof *out);
    memcpy(out->bytes, &sum, sizeof sum);
}

static const struct pbft_crypto crypto = {.verify = verify, .digest = digest};
static const struct pbft_domain domain = {.crypto = &crypto};

static struct pbft_verified *memory;

static bool check(struct pbft_verified *verified, uint8_t key, uint8_t message,
                  uint8_t signature_of)
{
    const struct pbft_verifier verifier = {.domain = &domain,
                                           .verified = verified};
    const struct pbft_public_key public_key = {{key}};
    const struct pbft_signature signature = {{signature_of, message}};
    struct pbft_preimage preimage = {.bytes = {message}, .size = 1};
    return pbft_is_signed(&verifier, &public_key, &preimage, &signature);
}

static int set_up(void **state)
{
    (void)state;
    check_count = 0;
    memory = pbft_verified_create();
    return memory == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    pbft_verified_destroy(memory);
    return 0;
}

static void test_a_valid_one_is_checked_once(void **state)
{
    (void)state;
    assert_true(check(memory, 1, 7, 1));
    assert_true(check(memory, 1, 7, 1));
    assert_int_equal(check_count, 1);
}

static void test_an_invalid_one_is_never_taken(void **state)
{
    (void)state;
    assert_false(check(memory, 1, 7, 2));
    assert_false(check(memory, 1, 7, 2));
    assert_int_equal(check_count, 2);
}

static void test_key_message_and_signature_all_count(void **state)
{
    (void)state;
    assert_true(check(memory, 1, 7, 1));
    assert_false(check(memory, 2, 7, 1));
    assert_true(check(memory, 1, 8, 1));
    assert_false(check(memory, 1, 7, 9));
    assert_int_equal(check_count, 4);
}

static void test_without_memory_each_is_checked(void **state)
{
    (void)state;
    assert_true(check(NULL, 1, 7, 1));
    assert_true(check(NULL, 1, 7, 1));
    assert_int_equal(check_count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_valid_one_is_checked_once),
        TEST(test_an_invalid_one_is_never_taken),
        TEST(test_key_message_and_signature_all_count),
        TEST(test_without_memory_each_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
