/* SPDX-License-Identifier: Apache-2.0 */
/* The life of consents: superseded, on file as evidence, withdrawn, over. */
#include "tests/support/ledger_consents.h"

static void test_grant_with_agent_key(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.mode = TRANSACTION_AGENT_KEY;
    assert_int_equal(world_submit_with_agent(world, HOSPITAL, &in), LEDGER_OK);
}

static void test_consent_id_is_used_once(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct world_ids other;
    struct transaction first = world_grant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);

    struct transaction second = world_grant(world, &other);
    second.consent_grant.consent = first.consent_grant.consent;
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_CONSENT_EXISTS);
    struct transaction third = world_evidence(world, &other);
    third.consent_evidence.consent = first.consent_grant.consent;
    assert_int_equal(world_submit(world, HOSPITAL, &third),
                     LEDGER_CONSENT_EXISTS);
}

/* ---- supersede ----------------------------------------------------------- */

static void test_supersede_is_atomic(void **state)
{
    struct world *world = *state;
    struct world_ids old;
    struct world_ids fresh;
    struct transaction first = world_grant(world, &old);
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);

    /* A successor that is refused leaves the old one in force. */
    struct transaction second = world_grant(world, &fresh);
    second.consent_grant.supersedes = (struct transaction_ids){old.id, 1};
    second.consent_grant.policy_version = 7;
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_POLICY_INACTIVE);
    second.consent_grant.policy_version = 1;
    assert_int_equal(world_submit(world, HOSPITAL, &second), LEDGER_OK);

    /* Now it is superseded: it cannot be revoked or superseded again. */
    struct transaction revoke = world_revoke(world, old.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
    struct world_ids third_ids;
    struct transaction third = world_grant(world, &third_ids);
    third.consent_grant.supersedes = (struct transaction_ids){old.id, 1};
    assert_int_equal(world_submit(world, HOSPITAL, &third),
                     LEDGER_CONSENT_STATE);
}

static void test_supersede_same_subject_only(void **state)
{
    struct world *world = *state;
    struct world_ids theirs;
    struct world_ids mine;
    struct transaction first = world_grant(world, &theirs);
    first.consent_grant.subject = bytes_of(world->stranger, 32);
    assert_int_equal(world_submit(world, CLINIC, &first), LEDGER_OK);

    struct transaction second = world_grant(world, &mine);
    second.consent_grant.supersedes = (struct transaction_ids){theirs.id, 1};
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_SUPERSEDE_FOREIGN);
}

/* ---- evidence ------------------------------------------------------------ */

CHANGE(evidence_without_commit)
{
    (void)world;
    body->consent_evidence->evidence_commit.len = 0;
}

CHANGE(evidence_unknown_reason)
{
    (void)world;
    body->consent_evidence->reason = 99;
}

CHANGE(evidence_reason_of_a_withdrawal)
{
    (void)world;
    body->consent_evidence->reason = CODES_REASON_WITHDRAWN_BY_SUBJECT;
}

CHANGE(evidence_of_a_stranger)
{
    memcpy(body->consent_evidence->subject.data, world->stranger, 32);
}

CHANGE(evidence_text_id)
{
    (void)world;
    memset(body->consent_evidence->consent.data, 'x', 16);
}

static void test_evidence_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"no commit", evidence_without_commit, LEDGER_FIELD_FORM},
        {"unknown reason", evidence_unknown_reason, LEDGER_UNKNOWN_CODE},
        {"wrong reason", evidence_reason_of_a_withdrawal, LEDGER_UNKNOWN_CODE},
        {"stranger", evidence_of_a_stranger, LEDGER_SUBJ_STATE},
        {"text id", evidence_text_id, LEDGER_CLEAR_TEXT},
    };
    world_run_cases(*state, HOSPITAL, world_evidence, CASES(cases));
    static const struct world_case research[] = {
        {"no provider", NULL, LEDGER_ROLE_REQUIRED}};
    world_run_cases(*state, LABORATORY, world_evidence, CASES(research));
}

static void test_evidence_cannot_be_revoked(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction evidence = world_evidence(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
}

/* ---- revoke -------------------------------------------------------------- */

static uint8_t standing[LEDGER_ID_SIZE];

/* Withdraws a consent that was granted just before. */
static struct transaction make_revoke(struct world *world,
                                      struct world_ids *ids)
{
    struct transaction grant = world_grant(world, ids);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    memcpy(standing, ids->id, sizeof standing);
    return world_revoke(world, standing);
}

CHANGE(revoke_unknown)
{
    world_fill(world, body->consent_revoke->consent.data, 16);
}

CHANGE(revoke_short_id)
{
    (void)world;
    body->consent_revoke->consent.len = 15;
}

CHANGE(revoke_reason_of_evidence)
{
    (void)world;
    body->consent_revoke->reason = CODES_REASON_NOT_COMPUTABLE;
}

CHANGE(revoke_unknown_reason)
{
    (void)world;
    body->consent_revoke->reason = 0;
}

CHANGE(revoke_without_time)
{
    (void)world;
    body->consent_revoke->revoked_at_ms = 0;
}

CHANGE(revoke_before_given)
{
    body->consent_revoke->revoked_at_ms = world->now_ms - 1001;
}

CHANGE(revoke_in_future)
{
    body->consent_revoke->revoked_at_ms =
        world->now_ms + WORLD_TIME_BOUND_MS + 1;
}

CHANGE(revoke_with_evidence)
{
    world_fill(world, some_bytes[0], 32);
    body->consent_revoke->evidence_commit =
        (ProtobufCBinaryData){32, some_bytes[0]};
}

CHANGE(revoke_with_short_evidence)
{
    revoke_with_evidence(world, body);
    body->consent_revoke->evidence_commit.len = 5;
}

static void test_revoke_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"unknown", revoke_unknown, LEDGER_CONSENT_STATE},
        {"short id", revoke_short_id, LEDGER_FIELD_FORM},
        {"wrong reason", revoke_reason_of_evidence, LEDGER_UNKNOWN_CODE},
        {"no reason", revoke_unknown_reason, LEDGER_UNKNOWN_CODE},
        {"no time", revoke_without_time, LEDGER_FIELD_FORM},
        {"before given", revoke_before_given, LEDGER_PERIOD},
        {"future", revoke_in_future, LEDGER_EVENT_FUTURE},
        {"evidence", revoke_with_evidence, LEDGER_OK},
        {"short evidence", revoke_with_short_evidence, LEDGER_FIELD_FORM},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world_ids ids;
        struct transaction in = make_revoke(world, &ids);
        assert_int_equal(
            world_submit_changed(world, HOSPITAL, &in, cases[i].change),
            cases[i].code);
    }
}

static void test_revoke_once(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = make_revoke(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_CONSENT_STATE);
}

static void test_revoke_by_whom(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = make_revoke(world, &ids);

    /* Another institution learns no more than of an unknown consent ... */
    assert_int_equal(world_submit(world, CLINIC, &in), LEDGER_CONSENT_STATE);
    /* ... but carries the patient's own withdrawal. */
    assert_int_equal(world_submit_with_agent(world, CLINIC, &in), LEDGER_OK);
}

static void test_revoke_not_by_another_patient(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.subject = bytes_of(world->stranger, 32);
    assert_int_equal(world_submit(world, CLINIC, &grant), LEDGER_OK);
    struct transaction in = world_revoke(world, ids.id);
    assert_int_equal(world_submit_with_agent(world, HOSPITAL, &in),
                     LEDGER_CONSENT_STATE);
}

static void test_expired_consent_is_over(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_to_ms = world->now_ms + 100;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    struct world_ids other;
    struct transaction successor = world_grant(world, &other);
    successor.consent_grant.supersedes = (struct transaction_ids){ids.id, 1};

    world->now_ms += 100; /* The end is exclusive. */
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
    assert_int_equal(world_submit(world, HOSPITAL, &successor),
                     LEDGER_CONSENT_STATE);
}

static void test_consent_can_be_revoked_until_its_end(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_from_ms = world->now_ms + 50;
    grant.consent_grant.period_to_ms = world->now_ms + 100;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    world->now_ms += 99;
    assert_int_equal(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grant_with_agent_key),
        TEST(test_consent_id_is_used_once),
        TEST(test_supersede_is_atomic),
        TEST(test_supersede_same_subject_only),
        TEST(test_evidence_rules),
        TEST(test_evidence_cannot_be_revoked),
        TEST(test_revoke_rules),
        TEST(test_revoke_once),
        TEST(test_revoke_by_whom),
        TEST(test_revoke_not_by_another_patient),
        TEST(test_expired_consent_is_over),
        TEST(test_consent_can_be_revoked_until_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
