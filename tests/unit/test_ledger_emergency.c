/* SPDX-License-Identifier: Apache-2.0 */
/* Emergencies: who may declare one, what it opens, that it is reviewed, and
 * what time does if not. */
#include "tests/support/ledger_emergencies.h"

static int setup(void **state)
{
    *state = make_world(UNLESS_DENIED);
    return 0;
}

static void test_only_clinicians_declare(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint8_t nobody[LEDGER_ID_SIZE];
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, nobody);
    break_for(world, &broken);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_BREAK_GLASS, &broken.in.base),
           LEDGER_BG_ROLE);
    EXPECT(
        act_as(world, CLINIC, nobody, TRANSACTION_BREAK_GLASS, &broken.in.base),
        LEDGER_BG_ROLE);
    broken.in.window_ms = DAY_MS + 1;
    EXPECT(declare(world, &broken), LEDGER_BG_WINDOW);
    broken.in.window_ms = HOUR_MS;
    broken.in.reason = CODES_REASON_CONTRACT;
    EXPECT(declare(world, &broken), LEDGER_UNKNOWN_CODE);
    broken.in.reason = CODES_REASON_LIFE_THREAT;
    broken.in.purpose = CODES_PURPOSE_TREAT;
    EXPECT(declare(world, &broken), LEDGER_FIELD_FORM);
    broken.in.purpose = CODES_PURPOSE_BTG;
    broken.in.subject = field_of(broken.id, 16);
    EXPECT(declare(world, &broken), LEDGER_FIELD_FORM);
    broken.in.subject = field_of(world->subject, 32);
    EXPECT(declare(world, &broken), LEDGER_OK);
    EXPECT(declare(world, &broken), LEDGER_BG_EXISTS);
}

static void test_explicit_deny_is_heard(void **state)
{
    struct world *world = *state;
    struct broken broken;
    struct world_ids ids;
    struct transaction deny = world_grant(world, &ids);
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    ids.purposes[0] = CODES_PURPOSE_TREAT; /* Above BTG: not by name. */
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    deny = world_grant(world, &ids);
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    ids.purposes[0] = CODES_PURPOSE_BTG;
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_BG_FORBIDDEN);
    struct world *never = make_world(NEVER);
    break_for(never, &broken);
    EXPECT(declare(never, &broken), LEDGER_BG_FORBIDDEN);
    world_destroy(never);
    struct world *always = make_world(ALWAYS);
    break_for(always, &broken);
    EXPECT(declare(always, &broken), LEDGER_OK);
    world_destroy(always);
}

static void test_emergency_opens_records_for_its_window(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint8_t record[LEDGER_ID_SIZE];
    struct told told;
    act_anchor(world, CODES_CONF_V, record);
    break_for(world, &broken);
    EXPECT(grant_under(world, record, &broken), LEDGER_NO_DECISION);
    EXPECT(declare(world, &broken), LEDGER_OK);
    EXPECT(grant_under(world, record, &broken), LEDGER_OK);
    tell_of(world, &told, NULL);
    told.in.break_glass = field_of(broken.id, 16);
    told.in.purpose = CODES_PURPOSE_BTG;
    EXPECT(tell(world, &told), LEDGER_OK);
    world->now_ms += HOUR_MS;
    EXPECT(grant_under(world, record, &broken), LEDGER_NO_DECISION);
    tell_of(world, &told, NULL);
    told.in.break_glass = field_of(broken.id, 16);
    told.in.purpose = CODES_PURPOSE_BTG;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
}

static void test_nobody_reviews_his_own(void **state)
{
    struct world *world = *state;
    struct broken broken;
    const uint32_t both[] = {CODES_ROLE_DOCTOR, CODES_ROLE_PRIVACY_OFFICER};
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t stranger[LEDGER_ID_SIZE];
    act_register(world, CLINIC, both, 2, world->outsider);
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, stranger);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_BG_STATE);
    world->now_ms += HOUR_MS;
    EXPECT(review(world, CLINIC, world->outsider, &broken), LEDGER_SELF_REVIEW);
    EXPECT(review(world, HOSPITAL, world->doctor, &broken),
           LEDGER_PRIVACY_ROLE);
    EXPECT(review(world, HOSPITAL, stranger, &broken), LEDGER_PRIVACY_ROLE);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_OK);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_BG_STATE);
}

static void test_overdue_reviews_count(void **state)
{
    struct world *world = *state;
    struct broken broken[5];
    uint8_t stranger[LEDGER_ID_SIZE];
    uint64_t due_ms = 0;
    struct wire_arena arena;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, stranger);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
    for (size_t i = 0; i < 4; i++) {
        break_for(world, &broken[i]);
        EXPECT(declare(world, &broken[i]), LEDGER_OK);
    }
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_int_equal(due_ms, world->now_ms + HOUR_MS);
    const Salus__V1__Obligations *now = duties(world, &arena, 0);
    assert_int_equal(now->n_rows, 8);
    assert_int_equal(now->rows[0]->kind,
                     SALUS__V1__OBLIGATIONS__KIND__EMERGENCY_ENDS);
    assert_int_equal(now->rows[4]->kind, SALUS__V1__OBLIGATIONS__KIND__REVIEW);
    assert_int_equal(now->rows[4]->due_ms, world->now_ms + 7 * DAY_MS);
    act_wait(world, 7 * DAY_MS);
    assert_true(world->last.block.is_swept);
    const Salus__V1__BreakGlassList *rows = emergencies(
        world, SALUS__V1__BREAK_GLASS_QUERY__FILTER__OVERDUE, &arena);
    assert_int_equal(rows->n_rows, 4);
    assert_int_equal(rows->overdue, 4);
    assert_int_equal(duties(world, &arena, 0)->rows[0]->kind,
                     SALUS__V1__OBLIGATIONS__KIND__REVIEW_OVERDUE);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
    /* More than three: somebody has to stand by. */
    break_for(world, &broken[4]);
    EXPECT(declare(world, &broken[4]), LEDGER_BG_WITNESS);
    broken[4].in.witness = field_of(world->outsider, 16);
    EXPECT(declare(world, &broken[4]), LEDGER_BG_WITNESS); /* Himself. */
    uint8_t nurse[LEDGER_ID_SIZE];
    act_register_in(world, CLINIC, 2, nurse);
    broken[4].in.witness = field_of(nurse, 16);
    EXPECT(declare(world, &broken[4]), LEDGER_OK);
    /* Others may review now, and it counts less. */
    EXPECT(review(world, HOSPITAL, stranger, &broken[0]), LEDGER_OK);
    rows = emergencies(world, SALUS__V1__BREAK_GLASS_QUERY__FILTER__BREACHES,
                       &arena);
    assert_int_equal(rows->n_rows, 1);
    assert_int_equal(rows->overdue, 3);
    assert_int_equal(rows->delinquent, 4);
    wire_arena_deinit(&arena);
}

static size_t count_kind(const Salus__V1__Obligations *list,
                         Salus__V1__Obligations__Kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < list->n_rows; i++) {
        count += list->rows[i]->kind == kind ? 1 : 0;
    }
    return count;
}

/* On an idle ledger a block comes when the window ends, so that keys end with
 * it; and whoever asks for a moment hears what is overdue then. */
static void test_idle_ledger_tells_the_truth(void **state)
{
    struct world *world = *state;
    struct broken broken;
    uint64_t due_ms = 0;
    struct wire_arena arena;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    const uint64_t declared_ms = world->now_ms;
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_int_equal(due_ms, declared_ms + HOUR_MS);
    act_wait(world, HOUR_MS);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_int_equal(due_ms, declared_ms + 7 * DAY_MS);
    /* No block comes any more: as if no quorum were left. */
    const Salus__V1__BreakGlassQuery__Filter overdue =
        SALUS__V1__BREAK_GLASS_QUERY__FILTER__OVERDUE;
    assert_int_equal(emergencies(world, overdue, &arena)->n_rows, 0);
    assert_int_equal(emergencies_at(world, overdue, &arena, due_ms - 1)->n_rows,
                     0);
    const Salus__V1__BreakGlassList *rows =
        emergencies_at(world, overdue, &arena, due_ms);
    assert_int_equal(rows->n_rows, 1);
    assert_true(rows->rows[0]->overdue);
    /* A moment before the last block is that of the block. */
    assert_int_equal(emergencies_at(world, overdue, &arena, 1)->n_rows, 0);
    const Salus__V1__Obligations *late = duties(world, &arena, due_ms);
    assert_int_equal(late->n_rows, 1); /* And not once more as what is due. */
    assert_int_equal(
        count_kind(late, SALUS__V1__OBLIGATIONS__KIND__REVIEW_OVERDUE), 1);
    assert_int_equal(count_kind(duties(world, &arena, due_ms - 1),
                                SALUS__V1__OBLIGATIONS__KIND__REVIEW),
                     1);
    wire_arena_deinit(&arena);
}

/* A consent of the future begins by a block of its own, if it still stands. */
static void test_consents_begin_in_time(void **state)
{
    struct world *world = *state;
    struct world_ids ids[2];
    uint64_t due_ms = 0;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    for (size_t i = 0; i < 2; i++) {
        struct transaction grant = world_grant(world, &ids[i]);
        grant.consent_grant.period_from_ms = world->now_ms + (i + 1) * DAY_MS;
        EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    }
    const uint64_t filed_ms = world->now_ms;
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_in_range(due_ms, filed_ms, filed_ms + DAY_MS);
    act_wait(world, DAY_MS);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_in_range(due_ms, filed_ms + DAY_MS, filed_ms + 2 * DAY_MS);
    const struct transaction revoke = {
        .type = TRANSACTION_CONSENT_REVOKE,
        .consent_revoke = {.consent = bytes_of(ids[1].id, 16),
                           .reason = CODES_REASON_WITHDRAWN_BY_SUBJECT,
                           .revoked_at_ms = world->now_ms}};
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
}

static void test_sweep_is_bounded(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    size_t blocks = 0;
    uint64_t due_ms = 0;
    for (size_t i = 0; i < LEDGER_SWEEP_MAX + 20; i++) {
        struct transaction subject = world_subject(world, &ids);
        EXPECT(world_submit(world, HOSPITAL, &subject), LEDGER_OK);
        struct world_ids grant_ids;
        struct transaction grant = world_grant(world, &grant_ids);
        grant.consent_grant.subject = bytes_of(ids.handle, 32);
        grant.consent_grant.period_to_ms = world->now_ms + 1000;
        EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    }
    act_wait(world, 5000);
    while (ledger_next_due(ledger_kv_memory_vtable(world->memory), &due_ms) ==
           PBFT_OK) {
        act_wait(world, 1);
        blocks++;
    }
    assert_int_equal(blocks, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_clinicians_declare),
        TEST(test_explicit_deny_is_heard),
        TEST(test_emergency_opens_records_for_its_window),
        TEST(test_nobody_reviews_his_own),
        TEST(test_overdue_reviews_count),
        TEST(test_idle_ledger_tells_the_truth),
        TEST(test_consents_begin_in_time),
        TEST(test_sweep_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
