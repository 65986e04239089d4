/* SPDX-License-Identifier: Apache-2.0 */
/* What is told late: after the review of its emergency, or when nobody knows
 * any more which consents stood. */
#include "tests/support/ledger_emergencies.h"

#define JUSTIFIED SALUS__V1__BREAK_GLASS_REVIEW__FINDING__JUSTIFIED

static int setup(void **state)
{
    *state = make_world(UNLESS_DENIED);
    return 0;
}

static uint32_t tell_late(struct world *world, const struct broken *broken,
                          uint64_t event_ms)
{
    const struct act act = {.who = HOSPITAL, .event_ms = event_ms};
    struct told told;
    tell_of(world, &told, NULL);
    told.in.break_glass = field_of(broken->id, 16);
    told.in.purpose = CODES_PURPOSE_BTG;
    return act_do(world, &act, TRANSACTION_DISCLOSURE, &told.in.base);
}

/* How many rows the patient's accounting has under HIPAA. */
static size_t count_accountable(struct world *world, struct wire_arena *arena)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    ProtobufCBinaryData subject = field_of(world->subject, 32);
    in.subjects = &subject;
    in.n_subjects = 1;
    in.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    return act_ask(world, HOSPITAL, &query, arena)->accounting->n_rows;
}

/* ---- after the review ---------------------------------------------------- */

/* The clinic reviews; the hospital tells afterwards. */
static void review_then_tell(struct world *world, const uint8_t *officer,
                             struct broken *broken)
{
    const uint64_t start_ms = world->now_ms;
    break_for(world, broken);
    EXPECT(declare(world, broken), LEDGER_OK);
    world->now_ms += HOUR_MS;
    EXPECT(review_as(world, CLINIC, officer, broken, JUSTIFIED), LEDGER_OK);
    EXPECT(tell_late(world, broken, start_ms + 5000), LEDGER_OK);
}

static void test_reopened_review_is_never_overdue(void **state)
{
    struct world *world = *state;
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t stranger[LEDGER_ID_SIZE];
    struct broken broken;
    struct wire_arena arena;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, stranger);
    review_then_tell(world, officer, &broken);
    act_wait(world, 8 * (uint64_t)DAY_MS);
    const Salus__V1__BreakGlassList *list = emergencies(world, 0, &arena);
    assert_int_equal(list->overdue, 0);
    assert_int_equal(list->delinquent, 0);
    assert_false(list->rows[0]->overdue);
    assert_int_equal(list->rows[0]->state,
                     SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_OPEN);
    /* It is still to do, by its own officer. */
    const Salus__V1__Obligations *left = duties(world, &arena, 0);
    assert_int_equal(left->n_rows, 1);
    assert_int_equal(left->rows[0]->kind, SALUS__V1__OBLIGATIONS__KIND__REVIEW);
    EXPECT(review_as(world, HOSPITAL, stranger, &broken, JUSTIFIED),
           LEDGER_PRIVACY_ROLE);
    EXPECT(review_as(world, CLINIC, officer, &broken, JUSTIFIED), LEDGER_OK);
    assert_int_equal(duties(world, &arena, 0)->n_rows, 0);
    wire_arena_deinit(&arena);
}

/* What no review will see the patient does. */
static void test_review_is_reopened_once(void **state)
{
    struct world *world = *state;
    uint8_t officer[LEDGER_ID_SIZE];
    struct broken broken;
    struct wire_arena arena;
    const uint64_t start_ms = world->now_ms;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    review_then_tell(world, officer, &broken);
    EXPECT(tell_late(world, &broken, start_ms + 6000), LEDGER_OK);
    EXPECT(review_as(world, CLINIC, officer, &broken, JUSTIFIED), LEDGER_OK);
    assert_int_equal(count_accountable(world, &arena), 0);
    EXPECT(tell_late(world, &broken, start_ms + 7000), LEDGER_OK);
    EXPECT(review_as(world, CLINIC, officer, &broken, JUSTIFIED),
           LEDGER_BG_STATE);
    assert_int_equal(duties(world, &arena, 0)->n_rows, 0);
    const Salus__V1__BreakGlassList *list = emergencies(world, 0, &arena);
    assert_int_equal(list->rows[0]->disclosures, 3);
    assert_int_equal(list->rows[0]->state,
                     SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_REVIEWED);
    assert_int_equal(count_accountable(world, &arena), 1);
    wire_arena_deinit(&arena);
}

/* ---- after the consents of its time -------------------------------------- */

struct leaf {
    struct told told;
    uint8_t batch[LEDGER_ID_SIZE];
    uint64_t event_ms;
};

/* A batch of one: what happened now. */
static void tell_by_root_since(struct world *world, struct leaf *leaf,
                               uint64_t from_ms)
{
    struct pbft_digest root;
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    leaf->event_ms = world->now_ms;
    told_leaf(&root, &leaf->told, leaf->event_ms);
    world_fill(world, leaf->batch, sizeof leaf->batch);
    world->now_ms += 1000;
    in.batch = field_of(leaf->batch, 16);
    in.root = field_of(root.bytes, 32);
    in.leaf_count = 1;
    in.from_ms = from_ms;
    in.to_ms = leaf->event_ms + 1;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base),
           LEDGER_OK);
}

static void tell_by_root(struct world *world, struct leaf *leaf)
{
    tell_by_root_since(world, leaf, world->now_ms);
}

static uint32_t open_leaf(struct world *world, struct leaf *leaf)
{
    Salus__V1__DisclosureOpen in = SALUS__V1__DISCLOSURE_OPEN__INIT;
    in.batch = field_of(leaf->batch, 16);
    in.event_time_ms = leaf->event_ms;
    in.disclosure = &leaf->told.in;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &in.base);
}

/* More changes of consents than can be told back. */
static void forget_past(struct world *world)
{
    uint8_t other[LEDGER_ID_SIZE];
    for (size_t i = 0; i <= LEDGER_CHANGES_BACK_MAX; i++) {
        world->now_ms += 100;
        act_grant(world, other);
        struct transaction in = world_revoke(world, other);
        EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    }
}

static void test_leaf_of_an_unknown_past_opens(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t record[LEDGER_ID_SIZE];
    struct wire_arena arena;
    struct asked asked;
    struct leaf leaves[4];
    struct broken broken;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    for (size_t i = 0; i < 4; i++) {
        tell_of(world, &leaves[i].told, i < 3 ? asked.id : NULL);
    }
    leaves[1].told.in.item_count = 2; /* Of one record. */
    leaves[3].told.in.break_glass = field_of(broken.id, 16);
    leaves[3].told.in.purpose = CODES_PURPOSE_BTG;
    for (size_t i = 0; i < 4; i++) {
        tell_by_root(world, &leaves[i]);
    }
    EXPECT(open_leaf(world, &leaves[2]), LEDGER_OK);
    assert_int_equal(count_accountable(world, &arena), 0);
    forget_past(world);
    EXPECT(open_leaf(world, &leaves[0]), LEDGER_OK);
    assert_int_equal(count_accountable(world, &arena), 1);
    /* The rest of what covers it is known, and judged. */
    EXPECT(open_leaf(world, &leaves[1]), LEDGER_DECISION_SCOPE);
    EXPECT(open_leaf(world, &leaves[3]), LEDGER_OK);
    assert_int_equal(count_accountable(world, &arena), 2);
    /* Told by itself it can say that it was not covered. */
    tell_of(world, &leaves[0].told, asked.id);
    const struct act late = {.who = HOSPITAL, .event_ms = leaves[0].event_ms};
    EXPECT(
        act_do(world, &late, TRANSACTION_DISCLOSURE, &leaves[0].told.in.base),
        LEDGER_DECISION_SCOPE);
    wire_arena_deinit(&arena);
}

/* ---- when it happened ---------------------------------------------------- */

/* Only the time that the root holds opens a leaf. */
static void test_leaf_holds_its_time(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t record[LEDGER_ID_SIZE];
    struct asked asked;
    struct leaf leaf;
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    world->now_ms += 1000;
    const uint64_t permitted_ms = world->now_ms;
    world->now_ms += 1000;
    struct transaction in = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    world->now_ms += 60000;
    tell_of(world, &leaf.told, asked.id);
    tell_by_root_since(world, &leaf, 1);
    const uint64_t event_ms = leaf.event_ms;
    const uint64_t others[] = {1, permitted_ms, event_ms - 1};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        leaf.event_ms = others[i];
        EXPECT(open_leaf(world, &leaf), LEDGER_PROOF_INVALID);
    }
    leaf.event_ms = event_ms;
    EXPECT(open_leaf(world, &leaf), LEDGER_DECISION_SCOPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reopened_review_is_never_overdue),
        TEST(test_review_is_reopened_once),
        TEST(test_leaf_of_an_unknown_past_opens),
        TEST(test_leaf_holds_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
