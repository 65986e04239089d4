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
    assert_int_equal(rows->n_rows, WHO_COUNT); /* But for the laboratory. */
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

/* ---- who may not even ask ------------------------------------------------ */

/* Permits treatment to one of the clinic and to one of its groups. */
static void permit_both(struct world *world, const uint8_t *person,
                        const uint8_t *group)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    const struct transaction_actor both[] = {
        {.kind = TRANSACTION_ACTOR_PARTICIPANT, .id = bytes_of(person, 16)},
        {.kind = TRANSACTION_ACTOR_GROUP, .id = bytes_of(group, 16)},
    };
    in.consent_grant.root.actors = both;
    in.consent_grant.root.actor_count = 2;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

/* One of the clinic whose validity ends in an hour. */
static void register_for_an_hour(struct world *world, uint8_t *out)
{
    const uint32_t role = NURSE;
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.roles = (struct transaction_codes){&role, 1};
    in.participant_register.valid_to_ms = world->now_ms + 3600000;
    EXPECT(world_submit(world, CLINIC, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

/* A group of one at the clinic. */
static void register_group(struct world *world, const uint8_t *member,
                           uint8_t *out)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.kind = TRANSACTION_GROUP;
    in.participant_register.members = (struct transaction_ids){member, 1};
    EXPECT(world_submit(world, CLINIC, &in), LEDGER_OK);
    memcpy(out, ids.id, LEDGER_ID_SIZE);
}

static void end_of(struct world *world, const uint8_t *participant)
{
    Salus__V1__ParticipantRevoke in = SALUS__V1__PARTICIPANT_REVOKE__INIT;
    in.participant = field_of(participant, 16);
    in.reason = CODES_REASON_CONTRACT;
    EXPECT(act_simple(world, CLINIC, TRANSACTION_PARTICIPANT_REVOKE, &in.base),
           LEDGER_OK);
}

static void suspend_clinic(struct world *world)
{
    Salus__V1__InstitutionSuspend in = SALUS__V1__INSTITUTION_SUSPEND__INIT;
    in.institution = field_of(world->parties[CLINIC].institution.bytes, 16);
    in.reason = CODES_REASON_CONTRACT;
    EXPECT(act_govern(world, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);
}

/* How many participants and groups may, and how many rows there are of the
 * clinic. */
struct may {
    size_t named;
    size_t of_clinic;
};

static struct may who_may(struct world *world, uint64_t at_ms)
{
    struct wire_arena arena;
    struct may may = {.named = 0};
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    who.subject = field_of(world->subject, 32);
    who.at_ms = at_ms;
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    const Salus__V1__WhoMay *rows =
        act_ask(world, HOSPITAL, &query, &arena)->who_may;
    for (size_t i = 0; i < rows->n_rows; i++) {
        const Salus__V1__WhoMay__Row *row = rows->rows[i];
        may.named += row->participant.len > 0 && row->permitted;
        may.of_clinic +=
            memcmp(row->institution.data,
                   world->parties[CLINIC].institution.bytes, 16) == 0;
    }
    wire_arena_deinit(&arena);
    return may;
}

/* Whose data may this one of the clinic see, at that time? */
static uint32_t what_may(struct world *world, const uint8_t *participant,
                         uint64_t at_ms, size_t *count)
{
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    what.institution = field_of(world->parties[CLINIC].institution.bytes, 16);
    if (participant != NULL) {
        what.participant = field_of(participant, 16);
    }
    what.at_ms = at_ms;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    const Salus__V1__Answer *answer =
        world_ask(world, HOSPITAL, &query, &arena);
    const uint32_t code = answer->code;
    *count = code == LEDGER_OK ? answer->what_may->n_rows : 0;
    wire_arena_deinit(&arena);
    return code;
}

static void test_who_may_not_ask_may_not(void **state)
{
    struct world *world = *state;
    uint8_t person[LEDGER_ID_SIZE];
    uint8_t group[LEDGER_ID_SIZE];
    register_for_an_hour(world, person);
    register_group(world, world->outsider, group);
    permit_both(world, person, group);
    assert_int_equal(who_may(world, 0).named, 2);
    assert_int_equal(who_may(world, world->now_ms + 3600001).named, 1);
    end_of(world, group);
    assert_int_equal(who_may(world, 0).named, 1);
    assert_int_equal(who_may(world, 0).of_clinic, 2);
    end_of(world, person);
    assert_int_equal(who_may(world, 0).named, 0);
    assert_int_equal(who_may(world, 0).of_clinic, 1);
}

static void test_nor_may_a_suspended_institution(void **state)
{
    struct world *world = *state;
    uint8_t person[LEDGER_ID_SIZE];
    uint8_t group[LEDGER_ID_SIZE];
    size_t count = 0;
    register_for_an_hour(world, person);
    register_group(world, world->outsider, group);
    permit_both(world, person, group);
    EXPECT(what_may(world, person, 0, &count), LEDGER_OK);
    assert_int_equal(count, 1);
    suspend_clinic(world);
    assert_int_equal(who_may(world, 0).of_clinic, 0);
    EXPECT(what_may(world, person, 0, &count), LEDGER_OK);
    assert_int_equal(count, 0);
    EXPECT(what_may(world, NULL, 0, &count), LEDGER_OK);
    assert_int_equal(count, 0);
}

static void test_what_may_knows_its_people(void **state)
{
    struct world *world = *state;
    uint8_t person[LEDGER_ID_SIZE];
    uint8_t unknown[LEDGER_ID_SIZE];
    size_t count = 0;
    register_for_an_hour(world, person);
    world_fill(world, unknown, sizeof unknown);
    act_grant(world, unknown); /* To everybody. */
    EXPECT(what_may(world, person, 0, &count), LEDGER_OK);
    assert_int_equal(count, 1);
    EXPECT(what_may(world, person, world->now_ms + 3600001, &count), LEDGER_OK);
    assert_int_equal(count, 0);
    EXPECT(what_may(world, world->doctor, 0, &count), LEDGER_NOT_FOUND);
    world_fill(world, unknown, sizeof unknown);
    EXPECT(what_may(world, unknown, 0, &count), LEDGER_NOT_FOUND);
    end_of(world, person);
    EXPECT(what_may(world, person, 0, &count), LEDGER_OK);
    assert_int_equal(count, 0);
}

/* ---- what for ------------------------------------------------------------ */

enum { OF_CLINIC, HIS, OF_RESEARCHER, OF_TEAM, OF_DOCTORS, ASKERS };

/* Who of them may for that purpose, by the query: bits of the enum above. */
static unsigned told_may(struct world *world, uint32_t purpose,
                         const uint8_t *const *ids)
{
    unsigned may = 0;
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    who.subject = field_of(world->subject, 32);
    who.purpose = purpose;
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    const Salus__V1__WhoMay *rows =
        world_ask(world, CLINIC, &query, &arena)->who_may;
    for (size_t i = 0; i < rows->n_rows; i++) {
        const Salus__V1__WhoMay__Row *row = rows->rows[i];
        const uint8_t *id = row->participant.len > 0 ? row->participant.data
                                                     : row->institution.data;
        if (row->role != 0) {
            may |= (unsigned)row->permitted << OF_DOCTORS;
            continue;
        }
        for (unsigned j = 0; j < OF_DOCTORS; j++) {
            may |= (unsigned)(row->permitted && memcmp(id, ids[j], 16) == 0)
                   << j;
        }
    }
    wire_arena_deinit(&arena);
    return may;
}

/* Is there data that the clinic may see for that purpose? */
static bool told_what(struct world *world, uint32_t purpose,
                      const uint8_t *participant)
{
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    what.purpose = purpose;
    what.participant = field_of(participant, participant != NULL ? 16 : 0);
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    bool some = world_ask(world, CLINIC, &query, &arena)->what_may->n_rows > 0;
    wire_arena_deinit(&arena);
    return some;
}

/* The code of a request of the clinic in the name of `participant`. */
static uint32_t asks(struct world *world, uint32_t purpose,
                     const uint8_t *participant)
{
    struct asked asked;
    const struct act act = {.who = CLINIC, .participant = participant};
    ask_for(world, &asked, NULL);
    asked.in.purpose = purpose;
    return act_do(world, &act, TRANSACTION_ACCESS_REQUEST, &asked.in.base);
}

/* Permits all purposes to the clinic, those three of it, and its doctors. */
static void permit_all(struct world *world, const uint8_t *const *ids)
{
    struct world_ids grant_ids;
    struct transaction in = world_grant(world, &grant_ids);
    struct transaction_actor actors[ASKERS] = {
        [OF_CLINIC] = {.kind = TRANSACTION_ACTOR_INSTITUTION},
        [HIS] = {.kind = TRANSACTION_ACTOR_PARTICIPANT},
        [OF_RESEARCHER] = {.kind = TRANSACTION_ACTOR_PARTICIPANT},
        [OF_TEAM] = {.kind = TRANSACTION_ACTOR_GROUP},
        [OF_DOCTORS] = {.kind = TRANSACTION_ACTOR_ROLE,
                        .role = CODES_ROLE_DOCTOR},
    };
    for (size_t i = 0; i < OF_DOCTORS; i++) {
        actors[i].id = bytes_of(ids[i], 16);
    }
    in.consent_grant.root.purposes = (struct transaction_codes){NULL, 0};
    in.consent_grant.root.actors = actors;
    in.consent_grant.root.actor_count = ASKERS;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

/* What a query tells is what a request then gets. */
static void test_queries_know_who_may_ask(void **state)
{
    static const struct {
        uint32_t purpose;
        unsigned may;      /* Of those who may, by the query. */
        uint32_t codes[3]; /* Of requests of nobody, him, the researcher. */
    } rows[] = {
        {CODES_PURPOSE_TREAT,
         1u << OF_CLINIC | 1u << HIS | 1u << OF_TEAM | 1u << OF_DOCTORS,
         {LEDGER_OK, LEDGER_OK, LEDGER_PURPOSE_ROLE}},
        /* Somebody of the clinic may, if he is named. */
        {CODES_PURPOSE_ETREAT,
         1u << OF_CLINIC | 1u << HIS | 1u << OF_TEAM | 1u << OF_DOCTORS,
         {LEDGER_PURPOSE_ROLE, LEDGER_OK, LEDGER_PURPOSE_ROLE}},
        {CODES_PURPOSE_HRESCH,
         (1u << ASKERS) - 1,
         {LEDGER_OK, LEDGER_OK, LEDGER_OK}},
    };
    struct world *world = *state;
    uint8_t researcher[LEDGER_ID_SIZE];
    uint8_t team[LEDGER_ID_SIZE];
    const uint8_t *const ids[] = {
        world->parties[CLINIC].institution.bytes,
        world->outsider,
        researcher,
        team,
    };
    world_register_one(world, CLINIC, TRANSACTION_RESEARCHER, researcher);
    register_group(world, world->outsider, team);
    permit_all(world, ids);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint32_t purpose = rows[i].purpose;
        const unsigned may = rows[i].may;
        assert_int_equal(told_may(world, purpose, ids), may);
        assert_int_equal(told_what(world, purpose, NULL), may & 1);
        assert_true(told_what(world, purpose, world->outsider));
        assert_true(told_what(world, purpose, team));
        assert_int_equal(told_what(world, purpose, researcher),
                         may >> OF_RESEARCHER & 1);
        EXPECT(asks(world, purpose, NULL), rows[i].codes[0]);
        EXPECT(asks(world, purpose, world->outsider), rows[i].codes[1]);
        EXPECT(asks(world, purpose, researcher), rows[i].codes[2]);
    }
}

/* One whose roles do not fit is not told that it may. */
static void test_queries_know_the_roles(void **state)
{
    struct world *world = *state;
    struct asked asked;
    struct wire_arena arena;
    uint8_t id[LEDGER_ID_SIZE];
    const uint8_t *laboratory = world->parties[LABORATORY].institution.bytes;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    act_grant(world, id); /* To everybody, for treatment. */
    ask_for(world, &asked, NULL);
    EXPECT(act_simple(world, LABORATORY, TRANSACTION_ACCESS_REQUEST,
                      &asked.in.base),
           LEDGER_PURPOSE_ROLE);
    assert_int_equal(
        world_ask(world, LABORATORY, &query, &arena)->what_may->n_rows, 0);
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    who.subject = field_of(world->subject, 32);
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    const Salus__V1__WhoMay *rows =
        world_ask(world, LABORATORY, &query, &arena)->who_may;
    assert_int_equal(rows->n_rows, WHO_COUNT - 1);
    for (size_t i = 0; i < rows->n_rows; i++) {
        assert_memory_not_equal(rows->rows[i]->institution.data, laboratory,
                                16);
    }
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
        TEST(test_who_may_not_ask_may_not),
        TEST(test_nor_may_a_suspended_institution),
        TEST(test_what_may_knows_its_people),
        TEST(test_queries_know_who_may_ask),
        TEST(test_queries_know_the_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
