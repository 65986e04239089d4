/* SPDX-License-Identifier: Apache-2.0 */
/* Co-signatures: who may give them, and that they verify. */
#include "tests/support/ledger_fixture.h"

struct signing {
    struct world *world;
    struct world_ids ids;
    struct transaction in;
    struct transaction_bytes body;
};

static void begin(struct signing *signing, struct world *world)
{
    signing->world = world;
    signing->in = world_anchor(world, &signing->ids);
    signing->body = world_build(world, HOSPITAL, &signing->in);
}

static struct pbft_bytes body_of(const struct signing *signing)
{
    return bytes_of(signing->body.data, signing->body.size);
}

static struct transaction_signature by_clinic(const struct signing *signing,
                                              enum transaction_role role)
{
    const struct party *clinic = &signing->world->parties[CLINIC];
    return world_cosign(signing->world, body_of(signing),
                        &clinic->submit_secret, &clinic->submit_id, role);
}

static uint32_t end(struct signing *signing,
                    const struct transaction_signature *signatures,
                    size_t count)
{
    uint32_t code = world_submit_signed(signing->world, HOSPITAL,
                                        body_of(signing), signatures, count);
    free(signing->body.data);
    return code;
}

static void test_valid_cosignature(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature one =
        by_clinic(&signing, TRANSACTION_COSIGN_INST);
    assert_int_equal(end(&signing, &one, 1), LEDGER_OK);
}

static void test_flipped_bit(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature one =
        by_clinic(&signing, TRANSACTION_COSIGN_INST);
    one.signature.bytes[40] ^= 1;
    assert_int_equal(end(&signing, &one, 1), LEDGER_BAD_SIGNATURE);
}

static void test_signature_for_another_role(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature one = by_clinic(&signing, TRANSACTION_DAC);
    one.role = TRANSACTION_COSIGN_INST;
    assert_int_equal(end(&signing, &one, 1), LEDGER_BAD_SIGNATURE);
}

static void test_signature_of_another_transaction(void **state)
{
    struct signing other;
    struct signing signing;
    begin(&other, *state);
    begin(&signing, *state);
    struct transaction_signature one =
        by_clinic(&other, TRANSACTION_COSIGN_INST);
    free(other.body.data);
    assert_int_equal(end(&signing, &one, 1), LEDGER_BAD_SIGNATURE);
}

static void test_own_institution_is_no_cosigner(void **state)
{
    struct signing signing;
    struct world *world = *state;
    begin(&signing, world);
    struct transaction_signature one = world_cosign(
        world, body_of(&signing), &world->parties[HOSPITAL].submit_secret,
        &world->parties[HOSPITAL].submit_id, TRANSACTION_COSIGN_INST);
    assert_int_equal(end(&signing, &one, 1), LEDGER_COSIGNER);
}

static void test_unknown_key(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature one =
        by_clinic(&signing, TRANSACTION_COSIGN_INST);
    one.key_id.bytes[0] ^= 1;
    assert_int_equal(end(&signing, &one, 1), LEDGER_COSIGNER);
}

static void test_key_of_another_purpose(void **state)
{
    struct signing signing;
    struct world *world = *state;
    begin(&signing, world);
    struct transaction_signature agent =
        world_cosign(world, body_of(&signing), &world->agent_secret,
                     &world->agent_id, TRANSACTION_COSIGN_INST);
    assert_int_equal(end(&signing, &agent, 1), LEDGER_COSIGNER);
    begin(&signing, world);
    struct transaction_signature clinic =
        by_clinic(&signing, TRANSACTION_SUBJECT_AGENT);
    assert_int_equal(end(&signing, &clinic, 1), LEDGER_COSIGNER);
}

static void test_roles_without_keys(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature one =
        by_clinic(&signing, TRANSACTION_GUARDIAN);
    assert_int_equal(end(&signing, &one, 1), LEDGER_COSIGNER);
    begin(&signing, *state);
    one = by_clinic(&signing, (enum transaction_role)0);
    assert_int_equal(end(&signing, &one, 1), LEDGER_COSIGNER);
}

static void test_several_ascend(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature two[] = {
        by_clinic(&signing, TRANSACTION_DAC),
        by_clinic(&signing, TRANSACTION_COSIGN_INST),
    };
    assert_int_equal(end(&signing, two, 2), LEDGER_OK); /* Sealing sorts. */
}

static void test_same_one_twice(void **state)
{
    struct signing signing;
    begin(&signing, *state);
    struct transaction_signature two[] = {
        by_clinic(&signing, TRANSACTION_DAC),
        by_clinic(&signing, TRANSACTION_DAC),
    };
    assert_int_equal(end(&signing, two, 2), LEDGER_FIELD_ORDER);
}

/* More than eight, and short fields, which no builder makes. */
static uint32_t submit_wrapper(struct world *world, size_t count,
                               size_t key_size, size_t signature_size)
{
    static uint8_t zeros[64];
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    Salus__V1__Transaction wrapper = SALUS__V1__TRANSACTION__INIT;
    Salus__V1__CoSignature row = SALUS__V1__CO_SIGNATURE__INIT;
    Salus__V1__CoSignature *rows[LEDGER_SIGNATURES_MAX + 1];
    struct wire_buffer buffer;
    row.role = SALUS__V1__CO_SIGNATURE__ROLE__DAC;
    row.key_id = (ProtobufCBinaryData){key_size, zeros};
    row.signature = (ProtobufCBinaryData){signature_size, zeros};
    for (size_t i = 0; i < count; i++) {
        rows[i] = &row;
    }
    wrapper.body = (ProtobufCBinaryData){body.size, body.data};
    wrapper.signatures = rows;
    wrapper.n_signatures = count;
    wire_buffer_init(&buffer, LEDGER_TRANSACTION_MAX);
    assert_int_equal(wire_pack(&wrapper.base, &buffer), PBFT_OK);
    uint32_t code =
        world_submit_transaction(world, HOSPITAL, wire_buffer_bytes(&buffer));
    wire_buffer_deinit(&buffer);
    free(body.data);
    return code;
}

static void test_limits_and_form(void **state)
{
    assert_int_equal(submit_wrapper(*state, LEDGER_SIGNATURES_MAX + 1, 16, 64),
                     LEDGER_SIZE);
    assert_int_equal(submit_wrapper(*state, 1, 15, 64), LEDGER_FIELD_FORM);
    assert_int_equal(submit_wrapper(*state, 1, 16, 63), LEDGER_FIELD_FORM);
    assert_int_equal(submit_wrapper(*state, 1, 16, 64), LEDGER_COSIGNER);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_valid_cosignature),
        TEST(test_flipped_bit),
        TEST(test_signature_for_another_role),
        TEST(test_signature_of_another_transaction),
        TEST(test_own_institution_is_no_cosigner),
        TEST(test_unknown_key),
        TEST(test_key_of_another_purpose),
        TEST(test_roles_without_keys),
        TEST(test_several_ascend),
        TEST(test_same_one_twice),
        TEST(test_limits_and_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
