/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas ask before they keep or deliver a key envelope: is there a
 * grant, and does it still hold? */
#include "tests/support/ledger_access.h"

static enum pbft_status find(struct world *world, const uint8_t *record,
                             uint32_t version, enum who from,
                             struct ledger_envelope *out)
{
    struct ledger_envelope_name name = {.version = version};
    memcpy(name.record, record, sizeof name.record);
    memcpy(name.recipient_key, world->parties[CLINIC].encryption_id.bytes,
           sizeof name.recipient_key);
    memset(out, 0, sizeof *out);
    return ledger_find_envelope(ledger_kv_memory_vtable(world->memory), &name,
                                &world->parties[from].institution, out);
}

/* The clinic has been granted a record. */
static void grant_one(struct world *world, uint8_t *record, uint8_t *consent,
                      struct asked *asked)
{
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    ask_for(world, asked, record);
    EXPECT(ask(world, asked), LEDGER_OK);
    EXPECT(grant_key(world, record, 1, asked->id), LEDGER_OK);
}

static void test_grant_is_found_with_its_parties(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct ledger_envelope found;
    grant_one(world, record, consent, &asked);
    assert_int_equal(find(world, record, 1, HOSPITAL, &found), PBFT_OK);
    EXPECT(found.code, LEDGER_OK);
    assert_true(found.is_from_custodian);
    assert_memory_equal(&found.custodian, &world->parties[HOSPITAL].institution,
                        sizeof found.custodian);
    assert_memory_equal(&found.recipient, &world->parties[CLINIC].institution,
                        sizeof found.recipient);
    assert_int_equal(find(world, record, 1, LABORATORY, &found), PBFT_OK);
    assert_false(found.is_from_custodian);
    assert_int_equal(find(world, record, 2, HOSPITAL, &found), PBFT_NOT_FOUND);
    record[0] ^= 1;
    assert_int_equal(find(world, record, 1, HOSPITAL, &found), PBFT_NOT_FOUND);
}

static void test_withdrawn_consent_ends_it(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct ledger_envelope found;
    grant_one(world, record, consent, &asked);
    struct transaction revoke = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    assert_int_equal(find(world, record, 1, HOSPITAL, &found), PBFT_OK);
    EXPECT(found.code, LEDGER_NO_DECISION);
}

static void test_time_ends_it(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct ledger_envelope found;
    grant_one(world, record, consent, &asked);
    act_wait(world, (uint64_t)400 * 86400000u);
    assert_int_equal(find(world, record, 1, HOSPITAL, &found), PBFT_OK);
    EXPECT(found.code, LEDGER_DECISION_EXPIRED);
}

static void test_retracted_record_ends_it(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct ledger_envelope found;
    Salus__V1__RecordRetract in = SALUS__V1__RECORD_RETRACT__INIT;
    grant_one(world, record, consent, &asked);
    in.record = field_of(record, 16);
    in.expected_version = 1;
    in.reason = SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_RETRACT, &in.base),
           LEDGER_OK);
    assert_int_equal(find(world, record, 1, HOSPITAL, &found), PBFT_OK);
    EXPECT(found.code, LEDGER_REC_STATE);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grant_is_found_with_its_parties),
        TEST(test_withdrawn_consent_ends_it),
        TEST(test_time_ends_it),
        TEST(test_retracted_record_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
