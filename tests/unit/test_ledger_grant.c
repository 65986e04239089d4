/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_GRANT: what it states, of whom, under which policy, by whom: every
 * rule, met and broken. */
#include "tests/support/ledger_consents.h"

/* ---- statements, documents, times ---------------------------------------- */

CHANGE(no_scope)
{
    (void)world;
    GRANT(body)->scope = SALUS__V1__CONSENT_GRANT__SCOPE__SCOPE_UNSPECIFIED;
}

CHANGE(unknown_scope)
{
    (void)world;
    GRANT(body)->scope = (Salus__V1__ConsentGrant__Scope)5;
}

CHANGE(no_mode)
{
    (void)world;
    GRANT(body)->mode = SALUS__V1__CONSENT_GRANT__MODE__MODE_UNSPECIFIED;
}

CHANGE(no_base)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DECISION_UNSPECIFIED;
}

CHANGE(no_root)
{
    (void)world;
    GRANT(body)->root = NULL;
}

CHANGE(not_given)
{
    (void)world;
    GRANT(body)->given_at_ms = 0;
}

CHANGE(no_category)
{
    (void)world;
    GRANT(body)->category = 0;
}

CHANGE(unknown_category)
{
    (void)world;
    GRANT(body)->category = 999;
}

CHANGE(no_evidence)
{
    (void)world;
    GRANT(body)->evidence_commit.len = 0;
}

CHANGE(plain_hash)
{
    static uint8_t sha256_of_nothing[32] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    (void)world;
    GRANT(body)->evidence_commit.data = sha256_of_nothing;
}

CHANGE(with_source)
{
    world_fill(world, some_bytes[0], 32);
    GRANT(body)->source_commit = (ProtobufCBinaryData){32, some_bytes[0]};
}

CHANGE(short_source)
{
    with_source(world, body);
    GRANT(body)->source_commit.len = 31;
}

CHANGE(given_at_the_bound)
{
    GRANT(body)->given_at_ms = world->now_ms + WORLD_TIME_BOUND_MS;
}

CHANGE(given_beyond_the_bound)
{
    GRANT(body)->given_at_ms = world->now_ms + WORLD_TIME_BOUND_MS + 1;
}

CHANGE(period_of_the_past)
{
    GRANT(body)->given_at_ms = 1000;
    GRANT(body)->period_to_ms = world->now_ms - 1;
}

CHANGE(period_backwards)
{
    GRANT(body)->period_from_ms = world->now_ms + 10;
    GRANT(body)->period_to_ms = world->now_ms + 10;
}

CHANGE(ends_before_it_was_given)
{
    GRANT(body)->period_to_ms = GRANT(body)->given_at_ms;
    (void)world;
}

CHANGE(to_the_end_of_time)
{
    (void)world;
    GRANT(body)->period_to_ms = UINT64_MAX;
}

/* ---- ids, subject, policy ------------------------------------------------ */

CHANGE(text_as_id)
{
    (void)world;
    memcpy(GRANT(body)->consent.data, "consent-of-meyer", 16);
}

CHANGE(short_id)
{
    (void)world;
    GRANT(body)->consent.len = 8;
}

CHANGE(subject_of_another)
{
    memcpy(GRANT(body)->subject.data, world->stranger, 32);
}

CHANGE(unknown_subject)
{
    world_fill(world, GRANT(body)->subject.data, 32);
}

CHANGE(short_subject)
{
    (void)world;
    GRANT(body)->subject.len = 16;
}

CHANGE(unknown_policy)
{
    world_fill(world, GRANT(body)->policy.data, 16);
}

CHANGE(other_policy_version)
{
    (void)world;
    GRANT(body)->policy_version = 2;
}

CHANGE(no_policy)
{
    (void)world;
    GRANT(body)->policy.len = 0;
}

/* ---- research, recipients, performer, mode ------------------------------- */

CHANGE(research_for_treatment)
{
    (void)world;
    GRANT(body)->scope = SALUS__V1__CONSENT_GRANT__SCOPE__RESEARCH;
}

CHANGE(research)
{
    research_for_treatment(world, body);
    set_purposes(body, CODES_PURPOSE_HRESCH, 0);
}

CHANGE(research_for_a_kind_of_research)
{
    research_for_treatment(world, body);
    set_purposes(body, 64, 0); /* CLINTRCHPC */
}

CHANGE(research_by_trial_in_treatment)
{
    research_for_treatment(world, body);
    set_purposes(body, 2, 0); /* CLINTRL is a child of TREAT, not research. */
}

CHANGE(research_without_purposes)
{
    research_for_treatment(world, body);
    ROOT(body)->n_purposes = 0;
}

CHANGE(research_denied_wholly)
{
    research_without_purposes(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
}

CHANGE(research_in_an_exception)
{
    static uint32_t research_code = CODES_PURPOSE_HRESCH;
    research_for_treatment(world, body);
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].purposes = &research_code;
    some_selectors[0].n_purposes = 1;
}

CHANGE(part2_without_recipients)
{
    (void)world;
    GRANT(body)->category = 30;
}

CHANGE(part2_with_recipients)
{
    actor_institution(world, body);
    GRANT(body)->category = 30;
}

CHANGE(part2_permit_exception)
{
    part2_without_recipients(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
}

CHANGE(part2_deny)
{
    part2_without_recipients(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
}

CHANGE(no_performer)
{
    (void)world;
    GRANT(body)->performer =
        SALUS__V1__CONSENT_GRANT__PERFORMER__PERFORMER_UNSPECIFIED;
}

CHANGE(subject_with_delegate)
{
    GRANT(body)->delegate = (ProtobufCBinaryData){16, world->guardian};
}

static void set_delegate(Salus__V1__TransactionBody *body, uint8_t *id)
{
    GRANT(body)->performer = SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE;
    GRANT(body)->delegate = (ProtobufCBinaryData){16, id};
}

CHANGE(by_guardian)
{
    set_delegate(body, world->guardian);
}

CHANGE(by_doctor)
{
    set_delegate(body, world->doctor);
}

CHANGE(by_outsider)
{
    set_delegate(body, world->outsider);
}

CHANGE(by_nobody)
{
    set_delegate(body, world->guardian);
    GRANT(body)->delegate.len = 0;
}

CHANGE(agent_key_without_signature)
{
    (void)world;
    GRANT(body)->mode = SALUS__V1__CONSENT_GRANT__MODE__AGENT_KEY;
}

CHANGE(supersedes_unknown)
{
    world_fill(world, some_bytes[0], 16);
    some_ids[0] = (ProtobufCBinaryData){16, some_bytes[0]};
    GRANT(body)->supersedes = some_ids;
    GRANT(body)->n_supersedes = 1;
}

CHANGE(supersedes_nine)
{
    set_tags(world, body, 9);
    ROOT(body)->n_tags = 0;
    GRANT(body)->supersedes = some_ids;
    GRANT(body)->n_supersedes = 9;
}

CHANGE(supersedes_twice)
{
    supersedes_unknown(world, body);
    some_ids[1] = some_ids[0];
    GRANT(body)->n_supersedes = 2;
}

static void test_grant_statements(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"no scope", no_scope, LEDGER_FIELD_FORM},
        {"unknown scope", unknown_scope, LEDGER_FIELD_FORM},
        {"no mode", no_mode, LEDGER_FIELD_FORM},
        {"no base", no_base, LEDGER_FIELD_FORM},
        {"no root", no_root, LEDGER_FIELD_FORM},
        {"not given", not_given, LEDGER_FIELD_FORM},
        {"no category", no_category, LEDGER_UNKNOWN_CODE},
        {"unknown category", unknown_category, LEDGER_UNKNOWN_CODE},
        {"no evidence", no_evidence, LEDGER_FIELD_FORM},
        {"plain hash", plain_hash, LEDGER_PLAIN_HASH},
        {"source", with_source, LEDGER_OK},
        {"short source", short_source, LEDGER_FIELD_FORM},
        {"given at the bound", given_at_the_bound, LEDGER_OK},
        {"given too late", given_beyond_the_bound, LEDGER_EVENT_FUTURE},
        {"past period", period_of_the_past, LEDGER_OK},
        {"period backwards", period_backwards, LEDGER_PERIOD},
        {"ends when given", ends_before_it_was_given, LEDGER_PERIOD},
        {"no end", to_the_end_of_time, LEDGER_OK},
        {"text as id", text_as_id, LEDGER_CLEAR_TEXT},
        {"short id", short_id, LEDGER_FIELD_FORM},
        {"subject of another", subject_of_another, LEDGER_SUBJ_STATE},
        {"unknown subject", unknown_subject, LEDGER_SUBJ_STATE},
        {"short subject", short_subject, LEDGER_FIELD_FORM},
        {"unknown policy", unknown_policy, LEDGER_POLICY_INACTIVE},
        {"policy version", other_policy_version, LEDGER_POLICY_INACTIVE},
        {"no policy", no_policy, LEDGER_FIELD_FORM},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_parties(void **state)
{
    static const struct world_case cases[] = {
        {"research for TREAT", research_for_treatment, LEDGER_SCOPE_PURPOSE},
        {"research", research, LEDGER_OK},
        {"kind of research", research_for_a_kind_of_research, LEDGER_OK},
        {"CLINTRL", research_by_trial_in_treatment, LEDGER_SCOPE_PURPOSE},
        {"no purposes", research_without_purposes, LEDGER_SCOPE_PURPOSE},
        {"denied wholly", research_denied_wholly, LEDGER_OK},
        {"in an exception", research_in_an_exception, LEDGER_OK},
        {"part 2, nobody", part2_without_recipients, LEDGER_RECIPIENT_REQUIRED},
        {"part 2, named", part2_with_recipients, LEDGER_OK},
        {"part 2, exception", part2_permit_exception,
         LEDGER_RECIPIENT_REQUIRED},
        {"part 2, deny", part2_deny, LEDGER_OK},
        {"no performer", no_performer, LEDGER_FIELD_FORM},
        {"delegate of nobody", subject_with_delegate, LEDGER_FIELD_FORM},
        {"guardian", by_guardian, LEDGER_OK},
        {"doctor", by_doctor, LEDGER_DELEG_STATE},
        {"outsider", by_outsider, LEDGER_DELEG_STATE},
        {"no delegate", by_nobody, LEDGER_FIELD_FORM},
        {"agent key unsigned", agent_key_without_signature,
         LEDGER_COSIGN_MISSING},
        {"supersedes unknown", supersedes_unknown, LEDGER_SUPERSEDE_FOREIGN},
        {"supersedes nine", supersedes_nine, LEDGER_SIZE},
        {"supersedes twice", supersedes_twice, LEDGER_FIELD_ORDER},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grant_statements),
        TEST(test_grant_parties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
