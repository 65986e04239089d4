/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a consent names, and those who ask without saying who they are. */
#include "tests/support/ledger_access.h"

#define NURSE 2u

/* Permits treatment to everybody but one actor. */
static void permit_but(struct world *world,
                       const struct transaction_actor *actor)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    const struct transaction_exception not_him = {
        .type = TRANSACTION_DENY,
        .selector = {.actors = actor, .actor_count = 1}};
    in.consent_grant.exceptions = &not_him;
    in.consent_grant.exception_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

/* Does the clinic get the record in the name of `participant`, or of nobody? */
static bool gets(struct world *world, const uint8_t *participant)
{
    struct asked asked;
    struct wire_arena arena;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ask_for(world, &asked, world->record);
    const struct act act = {.who = CLINIC, .participant = participant};
    EXPECT(act_do(world, &act, TRANSACTION_ACCESS_REQUEST, &asked.in.base),
           LEDGER_OK);
    bool granted = explain(world, asked.id, &arena)->granted == 1;
    EXPECT(grant_key(world, world->record, 1, asked.id),
           granted ? LEDGER_OK : LEDGER_NO_DECISION);
    wire_arena_deinit(&arena);
    return granted;
}

static int setup(void **state)
{
    struct world *world = world_create();
    act_register_in(world, CLINIC, CODES_ROLE_DOCTOR, world->outsider);
    act_anchor(world, CODES_CONF_N, world->record);
    *state = world;
    return 0;
}

static void test_deny_of_a_person_is_not_avoided(void **state)
{
    struct world *world = *state;
    uint8_t colleague[LEDGER_ID_SIZE];
    const struct transaction_actor he = {.kind = TRANSACTION_ACTOR_PARTICIPANT,
                                         .id = bytes_of(world->outsider, 16)};
    act_register_in(world, CLINIC, NURSE, colleague);
    permit_but(world, &he);
    assert_false(gets(world, world->outsider));
    assert_true(gets(world, colleague));
    assert_false(gets(world, NULL)); /* It may be he. */
}

static void test_deny_of_somebody_elsewhere_is_none(void **state)
{
    struct world *world = *state;
    const struct transaction_actor he = {.kind = TRANSACTION_ACTOR_PARTICIPANT,
                                         .id = bytes_of(world->doctor, 16)};
    permit_but(world, &he);
    assert_true(gets(world, world->outsider));
    assert_true(gets(world, NULL));
}

static void test_deny_of_a_role_is_not_avoided(void **state)
{
    struct world *world = *state;
    const struct transaction_actor nurses = {.kind = TRANSACTION_ACTOR_ROLE,
                                             .role = NURSE};
    permit_but(world, &nurses);
    assert_true(gets(world, world->outsider));
    assert_false(gets(world, NULL));
}

static void test_deny_of_a_group_is_not_avoided(void **state)
{
    struct world *world = *state;
    uint8_t colleague[LEDGER_ID_SIZE];
    struct world_ids ids;
    struct transaction group = world_participant(world, &ids);
    act_register_in(world, CLINIC, NURSE, colleague);
    group.participant_register.kind = TRANSACTION_GROUP;
    group.participant_register.members =
        (struct transaction_ids){world->outsider, 1};
    EXPECT(world_submit(world, CLINIC, &group), LEDGER_OK);
    const struct transaction_actor ward = {.kind = TRANSACTION_ACTOR_GROUP,
                                           .id = bytes_of(ids.id, 16)};
    permit_but(world, &ward);
    assert_false(gets(world, world->outsider));
    assert_true(gets(world, colleague));
    assert_false(gets(world, NULL));
}

/* "Who may" says of the institution that it may, but for some. */
static void test_who_may_tells_of_the_others(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    const uint8_t *clinic = world->parties[CLINIC].institution.bytes;
    const struct transaction_actor he = {.kind = TRANSACTION_ACTOR_PARTICIPANT,
                                         .id = bytes_of(world->outsider, 16)};
    permit_but(world, &he);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    who.subject = field_of(world->subject, 32);
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    const Salus__V1__WhoMay *rows =
        world_ask(world, HOSPITAL, &query, &arena)->who_may;
    assert_int_equal(rows->n_rows, WHO_COUNT + 1);
    for (size_t i = 0; i < rows->n_rows; i++) {
        const Salus__V1__WhoMay__Row *row = rows->rows[i];
        bool his = memcmp(row->institution.data, clinic, 16) == 0;
        assert_int_equal(row->permitted, row->participant.len == 0);
        assert_int_equal(row->narrowed, his && row->participant.len == 0);
    }
    wire_arena_reset(&arena);
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    what.institution = field_of(clinic, 16);
    const Salus__V1__WhatMay *seen =
        world_ask(world, HOSPITAL, &query, &arena)->what_may;
    assert_int_equal(seen->n_rows, 1);
    assert_true(seen->rows[0]->narrowed);
    wire_arena_deinit(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_deny_of_a_person_is_not_avoided),
        TEST(test_deny_of_somebody_elsewhere_is_none),
        TEST(test_deny_of_a_role_is_not_avoided),
        TEST(test_deny_of_a_group_is_not_avoided),
        TEST(test_who_may_tells_of_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
