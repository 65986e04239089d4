/* SPDX-License-Identifier: Apache-2.0 */
/* What a patient's own word closes to an emergency, and that a request which
 * merely names an emergency as its purpose is none. */
#include "tests/support/ledger_emergencies.h"

#define BREAK_GLASS_ONLY 3u

static int setup(void **state)
{
    *state = make_world(UNLESS_DENIED);
    return 0;
}

/* A deny of one purpose as the root of a consent. */
static void deny(struct world *world, uint32_t purpose)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.base_decision = TRANSACTION_DENY;
    ids.purposes[0] = purpose;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static uint32_t declare_for(struct world *world, uint32_t purpose,
                            struct broken *out)
{
    break_for(world, out);
    out->in.purpose = purpose;
    return declare(world, out);
}

static void test_deny_is_heard_whatever_is_declared(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    deny(world, CODES_PURPOSE_BTG);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_BG_FORBIDDEN);
    EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken),
           LEDGER_BG_FORBIDDEN);
    /* Nor does a document that nobody can read drown it. */
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_BG_FORBIDDEN);
    EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken),
           LEDGER_BG_FORBIDDEN);
}

static void test_unreadable_document_does_not_close_glass(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_OK);
    EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken), LEDGER_OK);
}

static void test_deny_of_what_is_declared_is_heard(void **state)
{
    struct world *world = *state;
    struct broken broken;
    deny(world, CODES_PURPOSE_ETREAT);
    EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken),
           LEDGER_BG_FORBIDDEN);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_OK);
}

/* Denies of one consent, in the order in which they are written. */
static uint32_t declare_under(uint32_t root, const uint32_t *exceptions)
{
    struct world *world = make_world(UNLESS_DENIED);
    struct broken broken;
    struct world_ids ids;
    struct transaction_exception list[2];
    struct transaction in = world_grant(world, &ids);
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < 2; i++) {
        list[i].type = TRANSACTION_DENY;
        list[i].selector.purposes =
            (struct transaction_codes){&exceptions[i], 1};
    }
    ids.purposes[0] = root;
    in.consent_grant.base_decision =
        root == CODES_PURPOSE_BTG ? TRANSACTION_DENY : TRANSACTION_PERMIT;
    in.consent_grant.exceptions = list;
    in.consent_grant.exception_count = 2;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    uint32_t code = declare_for(world, CODES_PURPOSE_BTG, &broken);
    world_destroy(world);
    return code;
}

static void test_order_of_denies_does_not_matter(void **state)
{
    static const uint32_t last[] = {CODES_PURPOSE_TREAT, CODES_PURPOSE_BTG};
    static const uint32_t first[] = {CODES_PURPOSE_BTG, CODES_PURPOSE_TREAT};
    static const uint32_t above[] = {CODES_PURPOSE_TREAT, CODES_PURPOSE_ETREAT};
    (void)state;
    EXPECT(declare_under(CODES_PURPOSE_TREAT, last), LEDGER_BG_FORBIDDEN);
    EXPECT(declare_under(CODES_PURPOSE_TREAT, first), LEDGER_BG_FORBIDDEN);
    /* The root that denies it by name beside exceptions that do not. */
    EXPECT(declare_under(CODES_PURPOSE_BTG, above), LEDGER_BG_FORBIDDEN);
    EXPECT(declare_under(CODES_PURPOSE_TREAT, above), LEDGER_OK);
}

/* "Not these notes, not even in an emergency." */
static void deny_one(struct world *world, const uint8_t *record)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    const struct transaction_data_ref ref = {.meaning = TRANSACTION_INSTANCE,
                                             .id = bytes_of(record, 16)};
    ids.purposes[0] = CODES_PURPOSE_BTG;
    in.consent_grant.base_decision = TRANSACTION_DENY;
    in.consent_grant.root.data = &ref;
    in.consent_grant.root.data_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void test_deny_of_some_records_closes_those(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct broken named;
    ProtobufCBinaryData list;
    uint8_t notes[LEDGER_ID_SIZE];
    uint8_t other[LEDGER_ID_SIZE];
    act_anchor(world, CODES_CONF_N, notes);
    act_anchor(world, CODES_CONF_V, other);
    deny_one(world, notes);
    EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken), LEDGER_OK);
    EXPECT(grant_under(world, notes, &broken), LEDGER_NO_DECISION);
    EXPECT(grant_under(world, other, &broken), LEDGER_OK);
    break_for(world, &named);
    named.in.records = &list;
    named.in.n_records = 1;
    list = field_of(notes, 16);
    EXPECT(declare(world, &named), LEDGER_BG_FORBIDDEN);
    list = field_of(other, 16);
    EXPECT(declare(world, &named), LEDGER_OK);
    /* What is denied while glass is broken counts at once. */
    deny_one(world, other);
    EXPECT(grant_under(world, other, &broken), LEDGER_NO_DECISION);
}

static void test_deny_of_a_label_closes_what_bears_it(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    uint8_t tags[4 * LEDGER_ID_SIZE];
    for (size_t i = 0; i < 4; i++) {
        world_fill(world, tags + 16 * i, 16);
        tags[16 * i] = (uint8_t)(0x80 + i);
    }
    struct transaction anchor = world_anchor(world, &ids);
    anchor.record_anchor.tags = (struct transaction_ids){tags, 4};
    EXPECT(world_submit(world, HOSPITAL, &anchor), LEDGER_OK);
    struct world_ids grant_ids;
    struct transaction in = world_grant(world, &grant_ids);
    const uint32_t btg = CODES_PURPOSE_BTG;
    struct transaction_exception never = {
        .type = TRANSACTION_DENY,
        .selector = {.purposes = {&btg, 1}, .tags = {tags, 1}}};
    in.consent_grant.exceptions = &never;
    in.consent_grant.exception_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_OK);
    EXPECT(grant_under(world, ids.id, &broken), LEDGER_NO_DECISION);
}

/* A deny of BTG within bounds, as an exception. */
static void deny_within(struct world *world,
                        const struct transaction_selector *bounds)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    const uint32_t btg = CODES_PURPOSE_BTG;
    struct transaction_exception never = {.type = TRANSACTION_DENY,
                                          .selector = *bounds};
    never.selector.purposes = (struct transaction_codes){&btg, 1};
    in.consent_grant.exceptions = &never;
    in.consent_grant.exception_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

#define LABORATORY_CLASS 6u

/* A record of the hospital that every bound below hits. */
static void anchor_bounded(struct world *world, uint8_t *record)
{
    struct world_ids ids;
    struct transaction anchor = world_anchor(world, &ids);
    anchor.record_anchor.class_code = LABORATORY_CLASS;
    anchor.record_anchor.confidentiality = CODES_CONF_R;
    anchor.record_anchor.data_from_ms = 10 * (uint64_t)DAY_MS;
    anchor.record_anchor.data_to_ms = 11 * (uint64_t)DAY_MS;
    EXPECT(world_submit(world, HOSPITAL, &anchor), LEDGER_OK);
    memcpy(record, ids.id, LEDGER_ID_SIZE);
}

static uint32_t tell_class(struct world *world, const struct broken *broken,
                           uint32_t class_code, uint64_t day)
{
    struct told told;
    tell_of(world, &told, NULL);
    told.in.break_glass = field_of(broken->id, 16);
    told.in.purpose = CODES_PURPOSE_BTG;
    told.classes[0] = class_code;
    told.in.period_from_ms = day * DAY_MS;
    told.in.period_to_ms = day * DAY_MS + DAY_MS;
    return tell(world, &told);
}

/* "Not my laboratory results", "nothing restricted", "nothing of that day":
 * closes those, however it is said, and nothing else. */
static void test_deny_of_some_data_leaves_the_rest(void **state)
{
    static const uint32_t laboratory = LABORATORY_CLASS;
    static const uint32_t restricted = CODES_CONF_R;
    const struct transaction_selector bounds[] = {
        {.classes = {&laboratory, 1}},
        {.confidentiality = {&restricted, 1}},
        {.data_from_ms = 10 * (uint64_t)DAY_MS,
         .data_to_ms = 11 * (uint64_t)DAY_MS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct world *world = make_world(UNLESS_DENIED);
        struct broken broken;
        struct broken named;
        ProtobufCBinaryData list;
        struct world_ids ids;
        uint8_t closed[LEDGER_ID_SIZE];
        struct transaction open = world_anchor(world, &ids);
        open.record_anchor.data_from_ms = 20 * (uint64_t)DAY_MS;
        open.record_anchor.data_to_ms = 21 * (uint64_t)DAY_MS;
        EXPECT(world_submit(world, HOSPITAL, &open), LEDGER_OK);
        anchor_bounded(world, closed);
        deny_within(world, &bounds[i]);
        EXPECT(declare_for(world, CODES_PURPOSE_ETREAT, &broken), LEDGER_OK);
        EXPECT(grant_under(world, closed, &broken), LEDGER_NO_DECISION);
        EXPECT(grant_under(world, ids.id, &broken), LEDGER_OK);
        break_for(world, &named);
        list = field_of(closed, 16);
        named.in.records = &list;
        named.in.n_records = 1;
        EXPECT(declare(world, &named), LEDGER_BG_FORBIDDEN);
        /* What went out says its class and period; not how confidential. */
        EXPECT(tell_class(world, &broken, LABORATORY_CLASS, 10),
               i == 1 ? LEDGER_OK : LEDGER_DECISION_SCOPE);
        EXPECT(tell_class(world, &broken, CODES_CLASS_OTHER, 20), LEDGER_OK);
        world_destroy(world);
    }
}

/* From the lowest on is everything, as is no bound at all. */
static void test_deny_of_all_confidentiality_closes_glass(void **state)
{
    static const uint32_t lowest = CODES_CONF_U;
    const struct transaction_selector all = {.confidentiality = {&lowest, 1}};
    struct world *world = *state;
    struct broken broken;
    deny_within(world, &all);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_BG_FORBIDDEN);
}

/* Where glass gives no more than consents do, it still does not. */
static void test_bounded_deny_under_never(void **state)
{
    static const uint32_t laboratory = LABORATORY_CLASS;
    const struct transaction_selector bound = {.classes = {&laboratory, 1}};
    struct world *world = make_world(NEVER);
    struct broken broken;
    (void)state;
    deny_within(world, &bound);
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_BG_FORBIDDEN);
    world_destroy(world);
}

/* ---- no emergency -------------------------------------------------------- */

static void expect_request(struct world *world, const uint8_t *record,
                           uint32_t purpose, Salus__V1__DecisionRule rule)
{
    struct asked asked;
    struct wire_arena arena;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ask_for(world, &asked, record);
    asked.in.purpose = purpose;
    EXPECT(act_as(world, CLINIC, world->outsider, TRANSACTION_ACCESS_REQUEST,
                  &asked.in.base),
           LEDGER_OK);
    const Salus__V1__DecisionState *state = explain(world, asked.id, &arena);
    bool permitted = rule == SALUS__V1__DECISION_RULE__RULE_PERMITTED;
    assert_int_equal(state->rule, rule);
    assert_int_equal(state->granted, permitted);
    EXPECT(grant_key(world, record, 1, asked.id),
           permitted ? LEDGER_OK : LEDGER_NO_DECISION);
    wire_arena_deinit(&arena);
}

static void test_request_for_an_emergency_is_none(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    /* What is permitted for treatment is for its emergencies. */
    expect_request(world, record, CODES_PURPOSE_BTG,
                   SALUS__V1__DECISION_RULE__RULE_PERMITTED);
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    expect_request(world, record, CODES_PURPOSE_TREAT,
                   SALUS__V1__DECISION_RULE__RULE_INDETERMINATE);
    expect_request(world, record, CODES_PURPOSE_BTG,
                   SALUS__V1__DECISION_RULE__RULE_INDETERMINATE);
}

static void test_break_glass_only_takes_broken_glass(void **state)
{
    struct world *world = make_world_of(BREAK_GLASS_ONLY, NEVER);
    struct broken broken;
    ProtobufCBinaryData list;
    uint8_t record[LEDGER_ID_SIZE];
    (void)state;
    act_anchor(world, CODES_CONF_N, record);
    expect_request(world, record, CODES_PURPOSE_BTG,
                   SALUS__V1__DECISION_RULE__RULE_IMPLICIT);
    /* Nothing is implied above N, and so not for all that there is. */
    EXPECT(declare_for(world, CODES_PURPOSE_BTG, &broken), LEDGER_BG_FORBIDDEN);
    break_for(world, &broken);
    list = field_of(record, 16);
    broken.in.records = &list;
    broken.in.n_records = 1;
    EXPECT(declare(world, &broken), LEDGER_OK);
    EXPECT(grant_under(world, record, &broken), LEDGER_OK);
    world_destroy(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_deny_is_heard_whatever_is_declared),
        TEST(test_unreadable_document_does_not_close_glass),
        TEST(test_deny_of_what_is_declared_is_heard),
        cmocka_unit_test(test_order_of_denies_does_not_matter),
        TEST(test_deny_of_some_records_closes_those),
        TEST(test_deny_of_a_label_closes_what_bears_it),
        cmocka_unit_test(test_deny_of_some_data_leaves_the_rest),
        TEST(test_deny_of_all_confidentiality_closes_glass),
        cmocka_unit_test(test_bounded_deny_under_never),
        TEST(test_request_for_an_emergency_is_none),
        cmocka_unit_test(test_break_glass_only_takes_broken_glass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
