/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps and what travels beside them: bound to record, version and key; and the
 * salt of the record is not given away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/wrap.h"

static struct seal_identity identity_of(uint32_t version)
{
    struct seal_identity identity = {.version = version};
    memset(identity.chain.bytes, 1, sizeof identity.chain.bytes);
    memset(identity.record, 2, sizeof identity.record);
    return identity;
}

static void test_details_open_with_the_data_key_alone(void **state)
{
    const struct seal_identity identity = identity_of(1);
    const struct seal_identity other = identity_of(2);
    uint8_t key[SEAL_KEY_SIZE] = {9};
    uint8_t sealed[WRAP_DETAILS_SIZE];
    struct wrap_details in;
    struct wrap_details out;
    (void)state;
    memset(&in, 7, sizeof in);
    assert_int_equal(wrap_details_seal(sealed, key, &identity, &in), PBFT_OK);
    assert_int_equal(wrap_details_open(&out, key, &identity, sealed), PBFT_OK);
    assert_memory_equal(&in, &out, sizeof in);
    assert_int_equal(wrap_details_open(&out, key, &other, sealed),
                     PBFT_BAD_SIGNATURE);
    sealed[60] ^= 1;
    assert_int_equal(wrap_details_open(&out, key, &identity, sealed),
                     PBFT_BAD_SIGNATURE);
    sealed[60] ^= 1;
    key[0] ^= 1;
    assert_int_equal(wrap_details_open(&out, key, &identity, sealed),
                     PBFT_BAD_SIGNATURE);
}

/* Neither passes for the other, though one key seals both. */
static void test_details_are_no_content(void **state)
{
    const struct seal_identity identity = identity_of(1);
    const uint8_t key[SEAL_KEY_SIZE] = {9};
    uint8_t content[WRAP_DETAILS_PLAIN_SIZE] = {0};
    uint8_t sealed[WRAP_DETAILS_SIZE];
    uint8_t plain[WRAP_DETAILS_SIZE];
    struct wrap_details details;
    size_t size = 0;
    (void)state;
    memset(&details, 7, sizeof details);
    assert_int_equal(seal_bytes(sealed, key, &identity,
                                (struct pbft_bytes){content, sizeof content}),
                     PBFT_OK);
    assert_int_equal(wrap_details_open(&details, key, &identity, sealed),
                     PBFT_BAD_SIGNATURE);
    assert_int_equal(wrap_details_seal(sealed, key, &identity, &details),
                     PBFT_OK);
    assert_int_equal(
        seal_open_bytes(plain, &size, key, &identity,
                        (struct pbft_bytes){sealed, sizeof sealed}),
        PBFT_BAD_SIGNATURE);
}

static void test_commitment_of_a_wrap(void **state)
{
    const uint8_t record_salt[COMMIT_SALT_SIZE] = {1};
    const uint8_t key_id[WRAP_KEY_ID_SIZE] = {2};
    const uint8_t other_id[WRAP_KEY_ID_SIZE] = {3};
    const uint8_t wrap[WRAP_SIZE] = {4};
    uint8_t salt[COMMIT_SALT_SIZE];
    uint8_t other[COMMIT_SALT_SIZE];
    struct pbft_digest commit;
    struct pbft_digest expected;
    (void)state;
    wrap_salt(salt, record_salt, key_id);
    wrap_salt(other, record_salt, other_id);
    assert_memory_not_equal(salt, record_salt, sizeof salt);
    assert_memory_not_equal(salt, other, sizeof salt);
    commit_sha256(&expected, COMMIT_DOMAIN_WRAP_SALT, record_salt,
                  (struct pbft_bytes){key_id, sizeof key_id});
    assert_memory_equal(salt, expected.bytes, sizeof salt);
    wrap_commit(&commit, salt, wrap);
    commit_sha256(&expected, COMMIT_DOMAIN_WRAP, salt,
                  (struct pbft_bytes){wrap, sizeof wrap});
    assert_memory_equal(&commit, &expected, sizeof commit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_details_open_with_the_data_key_alone),
        cmocka_unit_test(test_details_are_no_content),
        cmocka_unit_test(test_commitment_of_a_wrap),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
