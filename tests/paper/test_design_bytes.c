/* SPDX-License-Identifier: Apache-2.0 */
/* P3 and P19: decisions about bytes, which the real crypto and the codec keep.
 */
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/provider.h"
#include "crypto/sign.h"
#include "consensus/record.h"
#include "proto/codec.h"
#include "tests/paper/paper.h"

static const struct pbft_bytes vote = {(const uint8_t *)"vote", 4};

/* S + L stands for the same number as S. */
static void add_group_order(struct pbft_signature *signature)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
                                      0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
                                      0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += signature->bytes[32 + i] + (unsigned)order[i];
        signature->bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
}

/* P3: a signature has one form. Whoever saw a good one cannot make a second one
 * of it that other replicas might take for another message. */
static void test_design_p3_a_signature_has_one_form(void **state)
{
    uint8_t seed[SIGN_SEED_SIZE];
    struct pbft_public_key key;
    struct sign_secret secret;
    struct pbft_signature signature;
    const struct pbft_crypto *crypto = crypto_provider_verify_only();
    (void)state;
    for (uint8_t i = 0; i < 16; i++) {
        memset(seed, i, sizeof seed);
        sign_from_seed(&secret, &key, seed);
        sign_message(&signature, &secret, vote);
        assert_true(crypto->verify(crypto->context, &key, vote, &signature));
        add_group_order(&signature);
        assert_false(crypto->verify(crypto->context, &key, vote, &signature));
    }
}

/* P3: a key of small order would verify one signature for many messages: here
 * R is the neutral point and S is 0, which solves the equation for the neutral
 * key and any message, and for some messages with the others. */
static void test_design_p3_keys_of_small_order_are_refused(void **state)
{
    static const char *const small[] = {
        /* Of order 1, 2, 4 and 4. */
        "01000000000000000000000000000000"
        "00000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffff7f",
        "00000000000000000000000000000000"
        "00000000000000000000000000000000",
        "00000000000000000000000000000000"
        "00000000000000000000000000000080",
    };
    const struct pbft_signature neutral = {{1}};
    const struct pbft_crypto *crypto = crypto_provider_verify_only();
    (void)state;
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct pbft_public_key key;
        assert_int_equal(hex_decode(key.bytes, sizeof key.bytes, small[i]),
                         PBFT_OK);
        assert_false(sign_is_valid_key(&key));
        for (uint8_t text = 0; text < 64; text++) {
            const struct pbft_bytes message = {&text, 1};
            assert_false(
                crypto->verify(crypto->context, &key, message, &neutral));
        }
    }
}

/* P3: digests are BLAKE2b-256. */
static void test_design_p3_digests_are_blake2b(void **state)
{
    static const uint8_t of_abc[] = {
        0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
        0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
        0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    const struct pbft_bytes parts[] = {{(const uint8_t *)"a", 1},
                                       {(const uint8_t *)"bc", 2}};
    const struct pbft_crypto *crypto = crypto_provider_verify_only();
    struct pbft_digest digest;
    (void)state;
    crypto->digest(crypto->context, &digest, parts, 2);
    assert_memory_equal(digest.bytes, of_abc, sizeof of_abc);
}

/* P19: an envelope of another version is refused, and not for a reason that
 * depends on what else is in it. */
static void test_design_p19_an_envelope_tells_its_version(void **state)
{
    const struct pbft_digest *chain = &cluster.cast.replicas[0].domain.cluster;
    struct wire_buffer buffer;
    struct wire_envelope envelope;
    (void)state;
    wire_buffer_init(&buffer, 4096);
    wire_envelope_begin(&buffer, chain, 1);
    struct pbft_bytes bytes = wire_buffer_bytes(&buffer);
    assert_int_equal(wire_envelope_decode(chain, bytes, &envelope), PBFT_OK);
    uint8_t other[4096];
    memcpy(other, bytes.data, bytes.size);
    assert_int_equal(other[1], PBFT_PROTOCOL_VERSION);
    other[1]++;
    bytes.data = other;
    assert_int_equal(wire_envelope_decode(chain, bytes, &envelope),
                     PBFT_VERSION);
    bytes.size = 3; /* Of what follows nothing is understood, or read. */
    other[2] = 0xff;
    assert_int_equal(wire_envelope_decode(chain, bytes, &envelope),
                     PBFT_VERSION);
    wire_buffer_deinit(&buffer);
}

/* P19: so does what is signed: the same vote, signed under another version, is
 * no vote. */
static void test_design_p19_signed_bytes_tell_their_version(void **state)
{
    static const size_t version = 16 + 32 + 3; /* Behind tag and cluster. */
    const struct pbft_digest digest = {{1}};
    const struct pbft_crypto *crypto = &cluster.cast.replicas[2].crypto;
    struct pbft_message *prepare =
        cast_vote(&cluster.cast, PBFT_MESSAGE_PREPARE, 2, 0, 1, &digest);
    struct pbft_preimage preimage;
    (void)state;
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 2, prepare), PBFT_OK);
    pbft_message_preimage(&cluster.cast.replicas[2].domain, prepare, &preimage);
    assert_int_equal(preimage.bytes[version], PBFT_PROTOCOL_VERSION);
    preimage.bytes[version]++;
    crypto->sign(crypto->context, &prepare->signature,
                 (struct pbft_bytes){preimage.bytes, preimage.size});
    assert_int_equal(pbft_verify(&cluster.cast.verifier, 2, prepare),
                     PBFT_BAD_SIGNATURE);
    pbft_message_unref(prepare);
}

/* The checksum of a frame without payload of R0, as consensus/record.h says. */
static void renew_checksum(const struct pbft_domain *domain,
                           uint8_t header[PBFT_FRAME_HEADER_SIZE])
{
    static const uint8_t tag[] = "salus/record/1";
    static const uint8_t owner[4] = {0};
    const size_t covered = PBFT_FRAME_HEADER_SIZE - 16;
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {domain->cluster.bytes, PBFT_DIGEST_SIZE},
        {owner, sizeof owner},
        {header, covered},
        {NULL, 0}};
    struct pbft_digest digest;
    domain->crypto->digest(domain->crypto->context, &digest, parts, 5);
    memcpy(header + covered, digest.bytes, 16);
}

/* P19: and a log record: one of another format is not read as one of ours, also
 * if it is whole. */
static void test_design_p19_a_log_record_tells_its_version(void **state)
{
    const struct pbft_domain *domain = &cluster.cast.replicas[0].domain;
    const struct pbft_frame written = {.number = 1,
                                       .kind = PBFT_RECORD_PREPARE};
    uint8_t header[PBFT_FRAME_HEADER_SIZE];
    const struct pbft_bytes bytes = {header, sizeof header};
    struct pbft_frame frame;
    (void)state;
    pbft_frame_write(domain, 0, &written, header);
    header[3]++;
    renew_checksum(domain, header);
    assert_int_equal(pbft_frame_read(domain, 0, bytes, &frame), PBFT_CORRUPT);
    header[3]--;
    assert_int_equal(header[3], '0' + PBFT_PROTOCOL_VERSION);
    renew_checksum(domain, header); /* It was for the version alone. */
    assert_int_equal(pbft_frame_read(domain, 0, bytes, &frame), PBFT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_design_p3_a_signature_has_one_form),
        cmocka_unit_test(test_design_p3_keys_of_small_order_are_refused),
        cmocka_unit_test(test_design_p3_digests_are_blake2b),
        PAPER_TEST(test_design_p19_an_envelope_tells_its_version),
        PAPER_TEST(test_design_p19_signed_bytes_tell_their_version),
        PAPER_TEST(test_design_p19_a_log_record_tells_its_version),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
