/* SPDX-License-Identifier: Apache-2.0 */
/* The fake cryptography does what the core relies on. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "sim/fake_crypto.h"

static void test_digest_of_parts_is_that_of_the_whole(void **state)
{
    (void)state;
    uint8_t data[200];
    struct pbft_digest whole;
    memset(data, 0x5a, sizeof data);
    const struct pbft_bytes one = {data, sizeof data};
    fake_digest(&whole, &one, 1);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        const struct pbft_bytes parts[] = {{data, cut},
                                           {data + cut, sizeof data - cut}};
        struct pbft_digest digest;
        fake_digest(&digest, parts, 2);
        assert_memory_equal(&digest, &whole, sizeof digest);
    }
}

static void test_every_bit_and_length_counts(void **state)
{
    (void)state;
    uint8_t data[80] = {0};
    struct pbft_digest seen[80 * 8 + 81];
    size_t count = 0;
    for (size_t size = 0; size <= sizeof data; size++) {
        const struct pbft_bytes part = {data, size};
        fake_digest(&seen[count++], &part, 1);
    }
    for (size_t bit = 0; bit < sizeof data * 8; bit++) {
        const struct pbft_bytes part = {data, sizeof data};
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fake_digest(&seen[count++], &part, 1);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(&seen[i], &seen[j], sizeof seen[i]);
        }
    }
}

static void test_only_the_signer_signs(void **state)
{
    (void)state;
    struct fake_signer alice;
    struct fake_signer bob;
    struct pbft_signature signature;
    const struct pbft_bytes text = {(const uint8_t *)"text", 4};
    const struct pbft_bytes other = {(const uint8_t *)"texT", 4};
    fake_signer_init(&alice, "replica", 0);
    fake_signer_init(&bob, "replica", 1);
    struct pbft_crypto crypto = fake_crypto(&alice);

    crypto.sign(crypto.context, &signature, text);

    assert_true(crypto.verify(crypto.context, &alice.key, text, &signature));
    assert_false(crypto.verify(crypto.context, &bob.key, text, &signature));
    assert_false(crypto.verify(crypto.context, &alice.key, other, &signature));
    signature.bytes[63] ^= 1;
    assert_false(crypto.verify(crypto.context, &alice.key, text, &signature));
}

/* The value itself: equal on every compiler and machine. */
static void test_digest_golden_value(void **state)
{
    (void)state;
    struct pbft_digest digest;
    const struct pbft_bytes text = {(const uint8_t *)"salus", 5};
    static const uint8_t expected[] = {0x53, 0xbc, 0x9e, 0xd8,
                                       0x99, 0xd1, 0xd3, 0xa8};
    fake_digest(&digest, &text, 1);
    assert_memory_equal(&digest, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_of_parts_is_that_of_the_whole),
        cmocka_unit_test(test_every_bit_and_length_counts),
        cmocka_unit_test(test_only_the_signer_signs),
        cmocka_unit_test(test_digest_golden_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
