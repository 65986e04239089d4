/* SPDX-License-Identifier: Apache-2.0 */
/* What a custodian decides holds from then on: a disclosure is judged by what
 * was decided at its own time. */
#include "tests/support/ledger_access.h"

#define LABORATORY_CLASS 5u
#define IMAGING_CLASS 6u

static int setup(void **state)
{
    *state = world_create();
    return 0;
}

/* All or nothing of one target; by a court's order if `by_law`; `left`: what
 * remains of a scope, or NULL. */
struct decided {
    bool is_permit;
    bool by_law;
    Salus__V1__Selector *left;
};

static void decide_now(struct world *world, const struct asked *asked,
                       const struct decided *decided)
{
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    in.request = field_of(asked->id, 16);
    in.reason = CODES_REASON_AS_COMPUTED;
    in.granted = decided->is_permit;
    in.residual = decided->left;
    if (decided->left != NULL) {
        in.outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL;
    } else {
        in.outcome = decided->is_permit
                         ? SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL
                         : SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL;
    }
    if (decided->by_law) {
        in.basis = CODES_BASIS_COURT_ORDER;
        in.document_commit = field_of(asked->document, 32);
    }
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_ACCESS_DECISION, &in.base),
           LEDGER_OK);
}

static const struct decided deny = {.is_permit = false};
static const struct decided permit = {.is_permit = true};
static const struct decided court = {.is_permit = true, .by_law = true};

/* The clinic asked for a record of the patient, who consents or not. */
static void ask_for_record(struct world *world, struct asked *out,
                           bool is_permitted)
{
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t record[LEDGER_ID_SIZE];
    act_anchor(world, CODES_CONF_N, record);
    if (is_permitted) {
        act_grant(world, consent);
    }
    ask_for(world, out, record);
    EXPECT(ask(world, out), LEDGER_OK);
    world->now_ms += 1000;
}

static const Salus__V1__Accounting *
account(struct world *world, enum _Salus__V1__AccountingQuery__View view,
        struct wire_arena *arena)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    ProtobufCBinaryData subject = field_of(world->subject, 32);
    in.subjects = &subject;
    in.n_subjects = 1;
    in.view = view;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    return act_ask(world, HOSPITAL, &query, arena)->accounting;
}

/* ---- narrower ------------------------------------------------------------ */

static void test_what_went_out_before_a_denial(void **state)
{
    struct world *world = *state;
    struct asked asked;
    ask_for_record(world, &asked, true);
    const uint64_t sent_ms = world->now_ms;
    world->now_ms += 1000;
    const uint64_t denied_ms = world->now_ms;
    decide_now(world, &asked, &deny);
    world->now_ms += 1000;
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_OK);
    EXPECT(tell_under(world, &asked, denied_ms - 1), LEDGER_OK);
    EXPECT(tell_under(world, &asked, denied_ms), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, world->now_ms), LEDGER_DECISION_SCOPE);
}

/* What was left of a scope, step by step. */
static void test_what_was_left_then(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint32_t classes[] = {LABORATORY_CLASS, IMAGING_CLASS};
    Salus__V1__Selector both = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Selector one = SALUS__V1__SELECTOR__INIT;
    uint64_t since_ms[4];
    struct asked asked;
    both.classes = classes;
    both.n_classes = 2;
    one.classes = classes;
    one.n_classes = 1;
    const struct decided steps[] = {
        {.is_permit = true, .left = &both},
        {.is_permit = true, .left = &one},
        {.is_permit = false},
    };
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    since_ms[0] = world->now_ms;
    for (size_t i = 0; i < 3; i++) {
        world->now_ms += 1000;
        since_ms[i + 1] = world->now_ms;
        decide_now(world, &asked, &steps[i]);
    }
    world->now_ms += 1000;
    /* What holds at each time of laboratory, imaging and the rest. */
    const bool held[4][3] = {{true, true, true},
                             {true, true, false},
                             {true, false, false},
                             {false, false, false}};
    const uint32_t asks[] = {LABORATORY_CLASS, IMAGING_CLASS,
                             CODES_CLASS_OTHER};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            struct told told;
            tell_of(world, &told, asked.id);
            told.classes[0] = asks[j];
            EXPECT(tell_at(world, &told, since_ms[i] + 500),
                   held[i][j] ? LEDGER_OK : LEDGER_DECISION_SCOPE);
        }
    }
}

/* ---- wider, by law ------------------------------------------------------- */

/* What was denied stays so, whatever a court orders afterwards. */
static void test_law_does_not_reach_back(void **state)
{
    struct world *world = *state;
    struct asked asked;
    ask_for_record(world, &asked, false);
    const uint64_t sent_ms = world->now_ms;
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_DECISION_SCOPE);
    world->now_ms += 3600000;
    const uint64_t decided_ms = world->now_ms;
    decide_now(world, &asked, &court);
    world->now_ms += 1000;
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, decided_ms - WORLD_TIME_BOUND_MS - 1),
           LEDGER_DECISION_SCOPE);
    /* Clocks differ. */
    EXPECT(tell_under(world, &asked, decided_ms - WORLD_TIME_BOUND_MS),
           LEDGER_OK);
    EXPECT(tell_under(world, &asked, world->now_ms), LEDGER_OK);
    /* What the order gave is not lost either. */
    const uint64_t ordered_ms = world->now_ms;
    world->now_ms += 1000;
    decide_now(world, &asked, &deny);
    world->now_ms += WORLD_TIME_BOUND_MS;
    EXPECT(tell_under(world, &asked, ordered_ms), LEDGER_OK);
    EXPECT(tell_under(world, &asked, world->now_ms), LEDGER_DECISION_SCOPE);
}

/* The ground is that of its time. */
static void test_ground_is_that_of_then(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    struct asked asked;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ask_for_record(world, &asked, true);
    const uint64_t sent_ms = world->now_ms;
    world->now_ms += WORLD_TIME_BOUND_MS;
    decide_now(world, &asked, &court);
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_OK);
    EXPECT(tell_under(world, &asked, world->now_ms), LEDGER_OK);
    const Salus__V1__Accounting *all =
        account(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL, &arena);
    assert_int_equal(all->n_rows, 2);
    assert_int_equal(all->rows[0]->basis, CODES_BASIS_CONSENT);
    assert_int_equal(all->rows[1]->basis, CODES_BASIS_COURT_ORDER);
    all = account(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA, &arena);
    assert_int_equal(all->n_rows, 1);
    wire_arena_deinit(&arena);
}

/* ---- nobody knows any more ----------------------------------------------- */

static uint32_t open_told(struct world *world, struct told *told,
                          const uint8_t *batch, uint64_t event_ms)
{
    Salus__V1__DisclosureOpen in = SALUS__V1__DISCLOSURE_OPEN__INIT;
    in.batch = field_of(batch, 16);
    in.event_time_ms = event_ms;
    in.disclosure = &told->in;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &in.base);
}

static void tell_by_root(struct world *world, const struct told *told,
                         uint8_t batch[LEDGER_ID_SIZE], uint64_t event_ms)
{
    struct pbft_digest root;
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    world_fill(world, batch, LEDGER_ID_SIZE);
    told_leaf(&root, told, event_ms);
    in.batch = field_of(batch, 16);
    in.root = field_of(root.bytes, 32);
    in.leaf_count = 1;
    in.from_ms = event_ms;
    in.to_ms = event_ms + 1;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base),
           LEDGER_OK);
}

static void test_decisions_too_long_ago(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    struct asked asked;
    struct told leaf;
    uint8_t batch[LEDGER_ID_SIZE];
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ask_for_record(world, &asked, true);
    const uint64_t sent_ms = world->now_ms;
    world->now_ms += 1000;
    tell_of(world, &leaf, asked.id);
    tell_by_root(world, &leaf, batch, sent_ms);
    for (size_t i = 1; i < LEDGER_DECISIONS_KEPT; i++) {
        world->now_ms += WORLD_TIME_BOUND_MS;
        decide_now(world, &asked, &permit);
    }
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_OK);
    const uint64_t last_ms = world->now_ms;
    world->now_ms += WORLD_TIME_BOUND_MS;
    decide_now(world, &asked, &deny);
    EXPECT(tell_under(world, &asked, last_ms), LEDGER_OK);
    EXPECT(tell_under(world, &asked, sent_ms), LEDGER_DECISION_SCOPE);
    assert_int_equal(
        account(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA, &arena)
            ->n_rows,
        0);
    EXPECT(open_told(world, &leaf, batch, sent_ms), LEDGER_OK);
    assert_int_equal(
        account(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA, &arena)
            ->n_rows,
        1);
    wire_arena_deinit(&arena);
}

/* explain lists what held since when, as far back as it is kept. */
static void test_explain_lists_what_held(void **state)
{
    struct world *world = *state;
    struct asked asked;
    struct wire_arena arena;
    uint64_t since_ms[LEDGER_DECISIONS_KEPT + 1];
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ask_for_record(world, &asked, true);
    const Salus__V1__DecisionState *told = explain(world, asked.id, &arena);
    assert_int_equal(told->n_held, 1);
    assert_int_equal(told->held[0]->number, 0);
    assert_int_equal(told->held[0]->granted, 1);
    assert_int_equal(told->held[0]->basis, CODES_BASIS_CONSENT);
    for (size_t i = 1; i <= LEDGER_DECISIONS_KEPT; i++) {
        decide_now(world, &asked, i == 3 ? &court : &deny);
        since_ms[i] = world->now_ms;
        act_wait(world, 1000);
    }
    wire_arena_reset(&arena);
    told = explain(world, asked.id, &arena);
    assert_int_equal(told->decisions, LEDGER_DECISIONS_KEPT);
    assert_int_equal(told->n_held, LEDGER_DECISIONS_KEPT);
    for (size_t i = 0; i < told->n_held; i++) {
        const size_t number = LEDGER_DECISIONS_KEPT - i;
        assert_int_equal(told->held[i]->number, number);
        assert_int_equal(told->held[i]->since_ms, since_ms[number]);
        assert_int_equal(told->held[i]->granted, number == 3);
        assert_null(told->held[i]->residual);
    }
    assert_int_equal(told->held[1]->basis, CODES_BASIS_COURT_ORDER);
    wire_arena_deinit(&arena);
}

/* What each decision left of a patient's data is told with it. */
static void test_explain_tells_what_was_left(void **state)
{
    struct world *world = *state;
    const uint32_t imaging[] = {IMAGING_CLASS};
    Salus__V1__Selector left = SALUS__V1__SELECTOR__INIT;
    const struct decided narrower = {.is_permit = true, .left = &left};
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct wire_arena arena;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    left.classes = (uint32_t *)(uintptr_t)imaging;
    left.n_classes = 1;
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    act_wait(world, 1000);
    decide_now(world, &asked, &narrower);
    act_wait(world, 1000);
    decide_now(world, &asked, &deny);
    const Salus__V1__DecisionState *told = explain(world, asked.id, &arena);
    assert_int_equal(told->n_held, 3);
    assert_null(told->held[0]->residual);
    assert_int_equal(told->held[1]->residual->classes[0], IMAGING_CLASS);
    assert_null(told->held[2]->residual);
    wire_arena_deinit(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_went_out_before_a_denial),
        TEST(test_what_was_left_then),
        TEST(test_law_does_not_reach_back),
        TEST(test_ground_is_that_of_then),
        TEST(test_decisions_too_long_ago),
        TEST(test_explain_lists_what_held),
        TEST(test_explain_tells_what_was_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
