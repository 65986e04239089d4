/* SPDX-License-Identifier: Apache-2.0 */
/* What consents and their exceptions speak of: every rule, met and broken. */
#include "tests/support/ledger_consents.h"

static Salus__V1__Selector__DataRef some_refs[LEDGER_DATA_REFS_MAX + 1];
static Salus__V1__Selector__DataRef *ref_list[LEDGER_DATA_REFS_MAX + 1];

/* ---- selectors ----------------------------------------------------------- */

CHANGE(actor_unknown_institution)
{
    uint8_t id[16];
    world_fill(world, id, sizeof id);
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION, id);
}

CHANGE(actor_participant)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT,
              world->outsider);
}

CHANGE(actor_group)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__GROUP, world->team);
}

CHANGE(actor_group_is_a_person)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__GROUP, world->doctor);
}

CHANGE(actor_person_is_a_group)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT, world->team);
}

CHANGE(actor_role)
{
    (void)world;
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ROLE, NULL);
    some_actors[0].role = 1;
}

CHANGE(actor_unknown_role)
{
    actor_role(world, body);
    some_actors[0].role = 999;
}

CHANGE(actor_role_with_id)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ROLE, world->doctor);
    some_actors[0].role = 1;
}

CHANGE(actor_person_with_role)
{
    actor_participant(world, body);
    some_actors[0].role = 1;
}

CHANGE(actor_without_kind)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ACTOR_UNSPECIFIED,
              world->doctor);
}

CHANGE(too_many_actors)
{
    actor_institution(world, body);
    for (size_t i = 0; i <= LEDGER_ACTORS_MAX; i++) {
        actor_list[i] = &some_actors[0];
    }
    set_actors(body, LEDGER_ACTORS_MAX + 1);
}

CHANGE(all_purposes)
{
    (void)world;
    ROOT(body)->n_purposes = 0;
}

CHANGE(unknown_purpose)
{
    (void)world;
    set_purposes(body, 9, 0);
}

CHANGE(purposes_descend)
{
    (void)world;
    set_purposes(body, 20, 1);
}

CHANGE(unknown_action)
{
    (void)world;
    some_codes[0] = 6;
    ROOT(body)->actions = some_codes;
    ROOT(body)->n_actions = 1;
}

CHANGE(unknown_confidentiality)
{
    (void)world;
    some_codes[0] = 7;
    ROOT(body)->confidentiality = some_codes;
    ROOT(body)->n_confidentiality = 1;
}

CHANGE(unknown_class)
{
    (void)world;
    some_codes[0] = 4711;
    ROOT(body)->classes = some_codes;
    ROOT(body)->n_classes = 1;
}

CHANGE(too_many_purposes)
{
    (void)world;
    for (uint32_t i = 0; i <= LEDGER_CODES_MAX; i++) {
        some_codes[i] = i + 1;
    }
    ROOT(body)->purposes = some_codes;
    ROOT(body)->n_purposes = LEDGER_CODES_MAX + 1;
}

CHANGE(sixteen_tags)
{
    set_tags(world, body, 16);
}

CHANGE(seventeen_tags)
{
    set_tags(world, body, 17);
}

CHANGE(clear_tag)
{
    set_tags(world, body, 1);
    memcpy(some_bytes[0], "HIV\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

CHANGE(short_tag)
{
    set_tags(world, body, 1);
    some_ids[0].len = 4;
}

CHANGE(tag_twice)
{
    set_tags(world, body, 2);
    memcpy(some_bytes[1], some_bytes[0], 16);
}

CHANGE(data_period_backwards)
{
    (void)world;
    ROOT(body)->data_from_ms = 20;
    ROOT(body)->data_to_ms = 10;
}

static void set_refs(struct world *world, Salus__V1__TransactionBody *body,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 16);
        salus__v1__selector__data_ref__init(&some_refs[i]);
        some_refs[i].meaning = SALUS__V1__SELECTOR__DATA_REF__MEANING__INSTANCE;
        some_refs[i].id = (ProtobufCBinaryData){16, some_bytes[i]};
        ref_list[i] = &some_refs[i];
    }
    ROOT(body)->data = ref_list;
    ROOT(body)->n_data = count;
}

CHANGE(most_refs)
{
    set_refs(world, body, LEDGER_DATA_REFS_MAX);
}

CHANGE(too_many_refs)
{
    set_refs(world, body, LEDGER_DATA_REFS_MAX + 1);
}

CHANGE(ref_without_meaning)
{
    set_refs(world, body, 1);
    some_refs[0].meaning =
        SALUS__V1__SELECTOR__DATA_REF__MEANING__MEANING_UNSPECIFIED;
}

CHANGE(ref_in_clear)
{
    set_refs(world, body, 1);
    memcpy(some_bytes[0], "Observation/1234", 16);
}

/* ---- exceptions ---------------------------------------------------------- */

CHANGE(most_exceptions)
{
    (void)world;
    set_exceptions(body, LEDGER_EXCEPTIONS_MAX, SALUS__V1__DECISION__DENY);
}

CHANGE(too_many_exceptions)
{
    (void)world;
    set_exceptions(body, LEDGER_EXCEPTIONS_MAX + 1, SALUS__V1__DECISION__DENY);
}

CHANGE(exception_without_type)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DECISION_UNSPECIFIED);
}

CHANGE(empty_deny)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].n_actions = 0;
}

CHANGE(missing_deny_selector)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_exceptions[0].selector = NULL;
}

CHANGE(empty_permit)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].n_actions = 0;
}

CHANGE(broken_exception)
{
    static uint32_t unknown = 99;
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].actions = &unknown;
}

CHANGE(unknown_purpose_in_permit)
{
    (void)world;
    ROOT(body)->purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_deny)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    ROOT(body)->purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_deny_exception)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_permit_exception)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].purpose_unknown = 1;
}

CHANGE(unknown_purpose_inherited_by_deny)
{
    (void)world;
    ROOT(body)->purpose_unknown = 1;
    ROOT(body)->n_purposes = 0;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].n_purposes = 0;
    some_selectors[0].actors = ROOT(body)->actors;
    some_selectors[0].n_actors = ROOT(body)->n_actors;
}

CHANGE(unknown_purpose_not_inherited)
{
    static uint32_t treat = CODES_PURPOSE_TREAT;
    unknown_purpose_inherited_by_deny(world, body);
    some_selectors[0].purposes = &treat;
    some_selectors[0].n_purposes = 1;
}

static uint8_t ward[LEDGER_ID_SIZE]; /* A unit of the hospital. */

CHANGE(unit_in_permit)
{
    (void)world;
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT, ward);
}

CHANGE(unit_in_deny)
{
    unit_in_permit(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
}

/* The unit as the second of two, in the exception alone. */
static void name_in_exception(struct world *world,
                              Salus__V1__TransactionBody *body)
{
    unit_in_permit(world, body);
    set_actors(body, 0);
    some_actors[1] = some_actors[0];
    memcpy(some_bytes[1], world->doctor, LEDGER_ID_SIZE);
    some_actors[0].id = (ProtobufCBinaryData){LEDGER_ID_SIZE, some_bytes[1]};
    actor_list[0] = &some_actors[0];
    actor_list[1] = &some_actors[1];
    some_selectors[0].actors = actor_list;
    some_selectors[0].n_actors = 2;
}

CHANGE(unit_in_deny_exception)
{
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    name_in_exception(world, body);
}

CHANGE(unit_in_permit_exception)
{
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    name_in_exception(world, body);
}

CHANGE(unit_inherited_by_deny)
{
    unit_in_permit(world, body);
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
}

CHANGE(unit_not_inherited)
{
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    name_in_exception(world, body);
    some_selectors[0].n_actors = 1; /* The doctor alone. */
    actor_list[2] = &some_actors[1];
    ROOT(body)->actors = &actor_list[2];
    ROOT(body)->n_actors = 1;
}

CHANGE(deny_everything)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    ROOT(body)->n_purposes = 0;
}

static void test_grant_selectors(void **state)
{
    static const struct world_case cases[] = {
        {"institution", actor_institution, LEDGER_OK},
        {"unknown institution", actor_unknown_institution,
         LEDGER_ACTOR_UNKNOWN},
        {"participant elsewhere", actor_participant, LEDGER_OK},
        {"group", actor_group, LEDGER_OK},
        {"person as group", actor_group_is_a_person, LEDGER_ACTOR_UNKNOWN},
        {"group as person", actor_person_is_a_group, LEDGER_ACTOR_UNKNOWN},
        {"role", actor_role, LEDGER_OK},
        {"unknown role", actor_unknown_role, LEDGER_UNKNOWN_CODE},
        {"role with id", actor_role_with_id, LEDGER_FIELD_FORM},
        {"person with role", actor_person_with_role, LEDGER_FIELD_FORM},
        {"no kind", actor_without_kind, LEDGER_SELECTOR},
        {"17 actors", too_many_actors, LEDGER_SIZE},
        {"all purposes", all_purposes, LEDGER_OK},
        {"unknown purpose", unknown_purpose, LEDGER_UNKNOWN_CODE},
        {"purposes descend", purposes_descend, LEDGER_FIELD_ORDER},
        {"unknown action", unknown_action, LEDGER_UNKNOWN_CODE},
        {"unknown conf", unknown_confidentiality, LEDGER_UNKNOWN_CODE},
        {"unknown class", unknown_class, LEDGER_UNKNOWN_CODE},
        {"65 purposes", too_many_purposes, LEDGER_SIZE},
        {"16 tags", sixteen_tags, LEDGER_OK},
        {"17 tags", seventeen_tags, LEDGER_SIZE},
        {"clear tag", clear_tag, LEDGER_CLEAR_TEXT},
        {"short tag", short_tag, LEDGER_FIELD_FORM},
        {"tag twice", tag_twice, LEDGER_FIELD_ORDER},
        {"data period", data_period_backwards, LEDGER_PERIOD},
        {"32 references", most_refs, LEDGER_OK},
        {"33 references", too_many_refs, LEDGER_SIZE},
        {"no meaning", ref_without_meaning, LEDGER_SELECTOR},
        {"reference in clear", ref_in_clear, LEDGER_CLEAR_TEXT},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_exceptions(void **state)
{
    static const struct world_case cases[] = {
        {"16 exceptions", most_exceptions, LEDGER_OK},
        {"17 exceptions", too_many_exceptions, LEDGER_SIZE},
        {"no type", exception_without_type, LEDGER_FIELD_FORM},
        {"empty deny", empty_deny, LEDGER_SELECTOR_EMPTY_DENY},
        {"missing deny", missing_deny_selector, LEDGER_SELECTOR_EMPTY_DENY},
        {"empty permit", empty_permit, LEDGER_SELECTOR},
        {"unknown code inside", broken_exception, LEDGER_UNKNOWN_CODE},
        {"unknown purpose in permit", unknown_purpose_in_permit, LEDGER_OK},
        {"unknown purpose in deny", unknown_purpose_in_deny,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"in a deny exception", unknown_purpose_in_deny_exception,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"in a permit exception", unknown_purpose_in_permit_exception,
         LEDGER_OK},
        {"inherited by a deny", unknown_purpose_inherited_by_deny,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"not inherited", unknown_purpose_not_inherited, LEDGER_OK},
        {"deny everything", deny_everything, LEDGER_OK},
        {"unit in permit", unit_in_permit, LEDGER_OK},
        {"unit in deny", unit_in_deny, LEDGER_SELECTOR_UNKNOWN_DENY},
        {"unit in a deny exception", unit_in_deny_exception,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"unit in a permit exception", unit_in_permit_exception, LEDGER_OK},
        {"unit inherited by a deny", unit_inherited_by_deny,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"unit not inherited", unit_not_inherited, LEDGER_OK},
    };
    world_register_one(*state, HOSPITAL, TRANSACTION_UNIT, ward);
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grant_selectors),
        TEST(test_grant_exceptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
