/* SPDX-License-Identifier: Apache-2.0 */
/* Why did the glass break? The rule, the consents of then, who denied it by
 * name, and the review. */
#include "tests/support/ledger_emergencies.h"

#define NEW_POLICY "urn:example:policy:new"
#define IMPLIED_BREAK_GLASS 3u

static struct wire_arena arena;

static int setup(void **state)
{
    wire_arena_init(&arena, 16u * 1024 * 1024);
    *state = make_world(UNLESS_DENIED);
    return 0;
}

static int teardown(void **state)
{
    wire_arena_deinit(&arena);
    return world_teardown(state);
}

static const Salus__V1__Answer *
ask_why(struct world *world, const uint8_t *request, const uint8_t *emergency)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery in = SALUS__V1__EXPLAIN_QUERY__INIT;
    if (request != NULL) {
        in.request = field_of(request, 16);
    }
    if (emergency != NULL) {
        in.break_glass = field_of(emergency, 16);
    }
    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &in;
    wire_arena_reset(&arena);
    return world_ask(world, HOSPITAL, &query, &arena);
}

static const Salus__V1__EmergencyState *why(struct world *world,
                                            const struct broken *broken)
{
    const Salus__V1__Answer *answer = ask_why(world, broken->id, NULL);
    EXPECT(answer->code, LEDGER_OK);
    assert_int_equal(answer->kind_case, SALUS__V1__ANSWER__KIND_EMERGENCY);
    return answer->emergency;
}

static void expect_rule(const Salus__V1__EmergencyState *state,
                        Salus__V1__EmergencyRule rule, uint64_t opened,
                        size_t voices)
{
    assert_int_equal(state->rule, rule);
    assert_int_equal(state->opened, opened);
    assert_int_equal(state->n_voices, voices);
}

/* A root of one purpose; its id goes to `out`. */
static void consent_of(struct world *world, enum transaction_decision decision,
                       uint32_t purpose, uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.base_decision = decision;
    ids.purposes[0] = purpose;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

static void end_consent(struct world *world, const uint8_t *consent)
{
    struct transaction in = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void declare_as(struct world *world, struct broken *out,
                       uint32_t purpose)
{
    break_for(world, out);
    out->in.purpose = purpose;
    EXPECT(declare(world, out), LEDGER_OK);
}

/* ---- the rule ------------------------------------------------------------ */

static void test_nobody_denied(void **state)
{
    struct world *world = *state;
    struct broken broken;
    declare_as(world, &broken, CODES_PURPOSE_ETREAT);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 0);
    assert_int_equal(told->override,
                     SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNLESS_DENIED);
    assert_memory_equal(told->policy.data, world->policy.policy, 16);
    assert_int_equal(told->policy_version, 1);
    assert_memory_equal(told->institution.data,
                        world->parties[CLINIC].institution.bytes, 16);
    assert_memory_equal(told->declarer.data, world->outsider, 16);
    assert_memory_equal(told->subject.data, world->subject, 32);
    assert_int_equal(told->purpose, CODES_PURPOSE_ETREAT);
    assert_int_equal(told->n_records, 0);
    assert_int_equal(told->state,
                     SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_OPEN);
    assert_int_equal(told->reviewed_seq, 0);
}

/* Of two records one is denied by name: that consent is named, and the one that
 * denies treatment, above it, is told apart from it. */
static void test_who_denied_by_name(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    uint8_t treatment[LEDGER_ID_SIZE];
    uint8_t records[2][LEDGER_ID_SIZE];
    ProtobufCBinaryData list[2];
    act_anchor(world, CODES_CONF_N, records[0]);
    act_anchor(world, CODES_CONF_N, records[1]);
    if (memcmp(records[0], records[1], LEDGER_ID_SIZE) > 0) {
        uint8_t first[LEDGER_ID_SIZE];
        memcpy(first, records[1], sizeof first);
        memcpy(records[1], records[0], sizeof first);
        memcpy(records[0], first, sizeof first);
    }
    consent_of(world, TRANSACTION_DENY, CODES_PURPOSE_TREAT, treatment);
    struct transaction in = world_grant(world, &ids);
    const struct transaction_data_ref ref = {.meaning = TRANSACTION_INSTANCE,
                                             .id = bytes_of(records[1], 16)};
    ids.purposes[0] = CODES_PURPOSE_BTG;
    in.consent_grant.base_decision = TRANSACTION_DENY;
    in.consent_grant.root.data = &ref;
    in.consent_grant.root.data_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    break_for(world, &broken);
    list[0] = field_of(records[0], 16);
    list[1] = field_of(records[1], 16);
    broken.in.records = list;
    broken.in.n_records = 2;
    EXPECT(declare(world, &broken), LEDGER_OK);

    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 2);
    assert_int_equal(told->named, 2);
    assert_int_equal(told->n_records, 2);
    assert_memory_equal(told->records[1].data, records[1], 16);
    assert_memory_equal(told->voices[0]->consent.data, treatment, 16);
    assert_int_equal(told->voices[0]->denied, 3);
    assert_int_equal(told->voices[0]->named, 0);
    assert_memory_equal(told->voices[1]->consent.data, ids.id, 16);
    assert_int_equal(told->voices[1]->denied, 2);
    assert_int_equal(told->voices[1]->named, 2);
    assert_int_equal(told->voices[1]->selector, 0);
    assert_int_equal(told->voices[1]->matched->purposes[0], CODES_PURPOSE_BTG);
}

/* Declared as ETREAT, a deny of that name is one too. */
static void test_deny_of_what_is_declared_is_by_name(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint8_t consent[LEDGER_ID_SIZE];
    consent_of(world, TRANSACTION_DENY, CODES_PURPOSE_ETREAT, consent);
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 1);
    assert_int_equal(told->voices[0]->denied, 1);
    assert_int_equal(told->voices[0]->named, 0);
    end_consent(world, consent);
    act_wait(world, 1);
    declare_as(world, &broken, CODES_PURPOSE_ETREAT);
    expect_rule(why(world, &broken),
                SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 0);
}

static void test_each_override_is_told(void **state)
{
    struct broken broken;
    uint8_t consent[LEDGER_ID_SIZE];
    struct world *always = make_world(ALWAYS);
    (void)state;
    consent_of(always, TRANSACTION_DENY, CODES_PURPOSE_BTG, consent);
    declare_as(always, &broken, CODES_PURPOSE_BTG);
    const Salus__V1__EmergencyState *told = why(always, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_ALWAYS, 1, 1);
    assert_int_equal(told->named, 1);
    assert_int_equal(told->voices[0]->named, 1);
    world_destroy(always);

    struct world *never = make_world(NEVER);
    struct world_ids ids;
    static const uint32_t all[] = {CODES_CONF_V};
    struct transaction in = world_grant(never, &ids);
    in.consent_grant.root.confidentiality = (struct transaction_codes){all, 1};
    EXPECT(world_submit(never, HOSPITAL, &in), LEDGER_OK);
    declare_as(never, &broken, CODES_PURPOSE_BTG);
    expect_rule(why(never, &broken),
                SALUS__V1__EMERGENCY_RULE__EMERGENCY_PERMITTED, 1, 1);
    world_destroy(never);
}

static void test_what_policy_implies_is_told(void **state)
{
    struct world *world = make_world_of(IMPLIED_BREAK_GLASS, NEVER);
    struct broken broken;
    uint8_t record[LEDGER_ID_SIZE];
    ProtobufCBinaryData list;
    (void)state;
    act_anchor(world, CODES_CONF_N, record);
    list = field_of(record, 16);
    break_for(world, &broken);
    broken.in.records = &list;
    broken.in.n_records = 1;
    EXPECT(declare(world, &broken), LEDGER_OK);
    expect_rule(why(world, &broken),
                SALUS__V1__EMERGENCY_RULE__EMERGENCY_IMPLIED, 1, 0);
    world_destroy(world);
}

/* ---- then, not now ------------------------------------------------------- */

/* The consents of then, though they have changed more often since than a late
 * disclosure could look back over. */
static void test_consents_are_those_of_then(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct broken late;
    uint8_t first[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    consent_of(world, TRANSACTION_PERMIT, CODES_PURPOSE_TREAT, first);
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    const uint64_t then_ms = world->now_ms;
    act_wait(world, 1000);
    end_consent(world, first);
    for (int i = 0; i < LEDGER_CHANGES_BACK_MAX + 1; i++) {
        act_wait(world, 1);
        consent_of(world, TRANSACTION_DENY, CODES_PURPOSE_BTG, consent);
        end_consent(world, consent);
    }
    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 1);
    assert_memory_equal(told->voices[0]->consent.data, first, 16);
    assert_int_equal(told->then_ms, then_ms);
    assert_int_equal(told->named, 0);
    /* Told late: by the consents of when it was opened. */
    act_wait(world, 1000);
    break_for(world, &late);
    const struct act act = {.who = CLINIC,
                            .participant = world->outsider,
                            .event_ms = world->now_ms - 500};
    EXPECT(act_do(world, &act, TRANSACTION_BREAK_GLASS, &late.in.base),
           LEDGER_OK);
    consent_of(world, TRANSACTION_DENY, CODES_PURPOSE_BTG, consent);
    told = why(world, &late);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 0);
    assert_int_equal(told->then_ms, act.event_ms);
}

struct new_policy {
    const char *uri;
    uint32_t version;
    uint32_t override;
    bool governing;
};

/* Comes into force with the next block but one. */
static void bring_in(struct world *world, const struct new_policy *policy)
{
    Salus__V1__PolicyPublish in = SALUS__V1__POLICY_PUBLISH__INIT;
    Salus__V1__PolicyActivate on = SALUS__V1__POLICY_ACTIVATE__INIT;
    struct ledger_position now;
    struct transaction_id16 id;
    uint8_t digest[32];
    transaction_policy_id(
        &id, bytes_of((const uint8_t *)policy->uri, strlen(policy->uri)));
    world_fill(world, digest, sizeof digest);
    in.policy = field_of(id.bytes, 16);
    in.version = policy->version;
    in.uri = (char *)(uintptr_t)policy->uri;
    in.sha256 = field_of(digest, 32);
    in.implicit_consent = 4;
    in.break_glass_override = policy->override;
    in.break_glass_window_ms = HOUR_MS;
    in.break_glass_review_ms = DAY_MS;
    in.late_after_ms = DAY_MS;
    in.decision_ttl_ms = DAY_MS;
    EXPECT(act_govern(world, TRANSACTION_POLICY_PUBLISH, &in.base), LEDGER_OK);
    ledger_position(world->ledger, &now);
    on.policy = field_of(id.bytes, 16);
    on.version = policy->version;
    on.governing = policy->governing;
    on.effective_seq = now.seq + 2;
    EXPECT(act_govern(world, TRANSACTION_POLICY_ACTIVATE, &on.base), LEDGER_OK);
    act_wait(world, 1);
}

/* A version of the new policy begins to govern. */
static void govern_by(struct world *world, uint32_t version, uint32_t override)
{
    const struct new_policy policy = {NEW_POLICY, version, override, true};
    bring_in(world, &policy);
}

static void test_policy_is_that_of_then(void **state)
{
    struct world *world = *state;
    struct broken old;
    struct broken new;
    declare_as(world, &old, CODES_PURPOSE_BTG);
    govern_by(world, 1, ALWAYS);
    declare_as(world, &new, CODES_PURPOSE_BTG);
    const Salus__V1__EmergencyState *told = why(world, &old);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 0);
    assert_memory_equal(told->policy.data, world->policy.policy, 16);
    told = why(world, &new);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_ALWAYS, 1, 0);
    assert_int_equal(told->policy_version, 1);
    /* Two policies later nobody knows which one governed. */
    govern_by(world, 2, NEVER);
    told = why(world, &old);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_UNTOLD, 0, 0);
    assert_int_equal(told->override,
                     SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNSPECIFIED);
    assert_int_equal(told->policy.len, 0);
    expect_rule(why(world, &new), SALUS__V1__EMERGENCY_RULE__EMERGENCY_ALWAYS,
                1, 0);
}

/* Where the genesis has no policy, the strict default governs until one comes:
 * consents opened it then, not what is allowed since. */
static void test_before_any_policy_the_strict_one_governed(void **state)
{
    static const struct new_policy first = {POLICY_URI, 1, ALWAYS, false};
    struct world *world = world_create_empty(7);
    struct broken broken;
    uint8_t consent[LEDGER_ID_SIZE];
    (void)state;
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world->genesis.policy_count = 0;
    world_open(world, &world->memory, &world->ledger);
    world_register_subjects(world);
    act_register_in(world, CLINIC, CODES_ROLE_DOCTOR, world->outsider);
    bring_in(world, &first);
    consent_of(world, TRANSACTION_PERMIT, CODES_PURPOSE_TREAT, consent);
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    govern_by(world, 1, ALWAYS);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_PERMITTED, 1, 1);
    assert_int_equal(told->override,
                     SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_NEVER);
    assert_int_equal(told->policy.len, 0);
    world_destroy(world);
}

/* In the order in which they were filed, whatever has ended since. */
static void test_consents_keep_their_order(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint8_t consents[4][LEDGER_ID_SIZE];
    for (int i = 0; i < 4; i++) {
        consent_of(world, TRANSACTION_PERMIT, CODES_PURPOSE_TREAT, consents[i]);
    }
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    act_wait(world, 1000);
    end_consent(world, consents[0]);
    end_consent(world, consents[2]);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    assert_int_equal(told->n_voices, 4);
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(told->voices[i]->consent.data, consents[i], 16);
    }
}

/* "Not my laboratory, not even in an emergency": said by name, of a part. */
static void test_deny_of_a_part_is_by_name(void **state)
{
    static const uint32_t laboratory[] = {5};
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    uint8_t record[LEDGER_ID_SIZE];
    act_anchor(world, CODES_CONF_N, record);
    struct transaction in = world_grant(world, &ids);
    ids.purposes[0] = CODES_PURPOSE_BTG;
    in.consent_grant.base_decision = TRANSACTION_DENY;
    in.consent_grant.root.classes = (struct transaction_codes){laboratory, 1};
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    const struct transaction_data_ref ref = {.meaning = TRANSACTION_INSTANCE,
                                             .id = bytes_of(record, 16)};
    in = world_grant(world, &ids);
    ids.purposes[0] = CODES_PURPOSE_BTG;
    in.consent_grant.base_decision = TRANSACTION_DENY;
    in.consent_grant.root.data = &ref;
    in.consent_grant.root.data_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    declare_as(world, &broken, CODES_PURPOSE_ETREAT);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    expect_rule(told, SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED, 1, 2);
    assert_int_equal(told->named, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told->voices[i]->named, 0);
        assert_int_equal(told->voices[i]->named_part, 1);
    }
    assert_int_equal(told->voices[1]->narrowed, 1);
}

/* ---- the review, and which emergency ------------------------------------- */

static void test_review_is_told(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint8_t officer[LEDGER_ID_SIZE];
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    act_wait(world, HOUR_MS);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_OK);
    const uint64_t seq = world->last.block.seq;
    act_wait(world, 1);
    const Salus__V1__EmergencyState *told = why(world, &broken);
    assert_int_equal(told->state,
                     SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_BREACH);
    assert_memory_equal(told->reviewer.data, officer, 16);
    assert_int_equal(told->finding,
                     SALUS__V1__BREAK_GLASS_REVIEW__FINDING__NOT_JUSTIFIED);
    assert_int_equal(told->reviewed_seq, seq);
    assert_false(told->overdue);
}

static void test_decision_and_emergency_of_one_id(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct asked asked;
    uint8_t nobody[LEDGER_ID_SIZE];
    world_fill(world, nobody, sizeof nobody);
    declare_as(world, &broken, CODES_PURPOSE_BTG);
    ask_for(world, &asked, NULL);
    memcpy(asked.id, broken.id, sizeof asked.id);
    EXPECT(ask(world, &asked), LEDGER_OK);
    assert_int_equal(ask_why(world, broken.id, NULL)->kind_case,
                     SALUS__V1__ANSWER__KIND_DECISION);
    assert_int_equal(ask_why(world, NULL, broken.id)->kind_case,
                     SALUS__V1__ANSWER__KIND_EMERGENCY);
    EXPECT(ask_why(world, broken.id, broken.id)->code, LEDGER_QUERY_FORM);
    EXPECT(ask_why(world, NULL, NULL)->code, LEDGER_QUERY_FORM);
    EXPECT(ask_why(world, nobody, NULL)->code, LEDGER_NOT_FOUND);
    EXPECT(ask_why(world, NULL, nobody)->code, LEDGER_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_denied),
        TEST(test_who_denied_by_name),
        TEST(test_deny_of_what_is_declared_is_by_name),
        TEST(test_each_override_is_told),
        TEST(test_what_policy_implies_is_told),
        TEST(test_consents_are_those_of_then),
        TEST(test_policy_is_that_of_then),
        TEST(test_before_any_policy_the_strict_one_governed),
        TEST(test_consents_keep_their_order),
        TEST(test_deny_of_a_part_is_by_name),
        TEST(test_review_is_told),
        TEST(test_decision_and_emergency_of_one_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
