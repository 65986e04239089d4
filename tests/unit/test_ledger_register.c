/* SPDX-License-Identifier: Apache-2.0 */
/* PARTICIPANT_REGISTER and SUBJECT_REGISTER: every rule, met and broken. */
#include "tests/support/ledger_fixture.h"

#define PART(body) ((body)->participant_register)
#define SUBJ(body) ((body)->subject_register->subjects[0])

static uint32_t some_codes[LEDGER_CODES_MAX + 1];
static ProtobufCBinaryData some_ids[LEDGER_GROUP_MEMBERS_MAX + 1];
static uint8_t some_bytes[LEDGER_GROUP_MEMBERS_MAX + 1][32];

/* Ascending random ids of 16 bytes. */
static ProtobufCBinaryData *ascending(struct world *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], sizeof some_bytes[i]);
        some_bytes[i][0] = (uint8_t)(0x80 + i / 256);
        some_bytes[i][1] = (uint8_t)i;
        some_ids[i] = (ProtobufCBinaryData){LEDGER_ID_SIZE, some_bytes[i]};
    }
    return some_ids;
}

static void short_id(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    PART(body)->participant.len = 15;
}

static void text_id(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    memcpy(PART(body)->participant.data, "Dr. Hans Meyer\0\0", 16);
}

static void zero_id(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    memset(PART(body)->participant.data, 0, 16);
}

static void used_id(struct world *world, Salus__V1__TransactionBody *body)
{
    memcpy(PART(body)->participant.data, world->doctor, 16);
}

static void used_id_of_another(struct world *world,
                               Salus__V1__TransactionBody *body)
{
    memcpy(PART(body)->participant.data, world->outsider, 16);
}

static void no_kind(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    PART(body)->kind = SALUS__V1__PARTICIPANT_REGISTER__KIND__KIND_UNSPECIFIED;
}

static void unknown_kind(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    PART(body)->kind = (Salus__V1__ParticipantRegister__Kind)8;
}

static void two_roles(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    some_codes[0] = 1;
    some_codes[1] = 20;
    PART(body)->roles = some_codes;
    PART(body)->n_roles = 2;
}

static void unknown_role(struct world *world, Salus__V1__TransactionBody *body)
{
    two_roles(world, body);
    some_codes[1] = 9999;
}

static void roles_descend(struct world *world, Salus__V1__TransactionBody *body)
{
    two_roles(world, body);
    some_codes[0] = 20;
    some_codes[1] = 1;
}

static void role_twice(struct world *world, Salus__V1__TransactionBody *body)
{
    two_roles(world, body);
    some_codes[1] = 1;
}

static void nine_roles(struct world *world, Salus__V1__TransactionBody *body)
{
    two_roles(world, body);
    for (uint32_t i = 0; i < 9; i++) {
        some_codes[i] = i + 1;
    }
    PART(body)->n_roles = 9;
}

static void good_period(struct world *world, Salus__V1__TransactionBody *body)
{
    PART(body)->valid_from_ms = world->now_ms - 10;
    PART(body)->valid_to_ms = world->now_ms + 10;
}

static void period_backwards(struct world *world,
                             Salus__V1__TransactionBody *body)
{
    PART(body)->valid_from_ms = world->now_ms + 10;
    PART(body)->valid_to_ms = world->now_ms + 10;
}

static void period_is_over(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    PART(body)->valid_from_ms = 1;
    PART(body)->valid_to_ms = world->now_ms;
}

static void set_credential(struct world *world,
                           Salus__V1__TransactionBody *body, size_t size)
{
    world_fill(world, some_bytes[0], 32);
    PART(body)->credential_commit = (ProtobufCBinaryData){size, some_bytes[0]};
}

static void good_credential(struct world *world,
                            Salus__V1__TransactionBody *body)
{
    set_credential(world, body, 32);
}

static void short_credential(struct world *world,
                             Salus__V1__TransactionBody *body)
{
    set_credential(world, body, 20);
}

static void text_credential(struct world *world,
                            Salus__V1__TransactionBody *body)
{
    set_credential(world, body, 32);
    memset(some_bytes[0], 'A', 32);
}

static void make_group(Salus__V1__TransactionBody *body,
                       ProtobufCBinaryData *members, size_t count)
{
    PART(body)->kind = SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP;
    PART(body)->members = members;
    PART(body)->n_members = count;
}

static void group_without_members(struct world *world,
                                  Salus__V1__TransactionBody *body)
{
    (void)world;
    make_group(body, some_ids, 0);
}

static void members_without_group(struct world *world,
                                  Salus__V1__TransactionBody *body)
{
    some_ids[0] = (ProtobufCBinaryData){16, world->doctor};
    make_group(body, some_ids, 1);
    PART(body)->kind = SALUS__V1__PARTICIPANT_REGISTER__KIND__UNIT;
}

static void good_group(struct world *world, Salus__V1__TransactionBody *body)
{
    bool first = memcmp(world->doctor, world->guardian, 16) < 0;
    some_ids[first ? 0 : 1] = (ProtobufCBinaryData){16, world->doctor};
    some_ids[first ? 1 : 0] = (ProtobufCBinaryData){16, world->guardian};
    make_group(body, some_ids, 2);
}

static void group_descends(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    good_group(world, body);
    ProtobufCBinaryData first = some_ids[0];
    some_ids[0] = some_ids[1];
    some_ids[1] = first;
}

static void foreign_member(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    some_ids[0] = (ProtobufCBinaryData){16, world->outsider};
    make_group(body, some_ids, 1);
}

static void unknown_member(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    make_group(body, ascending(world, 1), 1);
}

static void group_in_group(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    some_ids[0] = (ProtobufCBinaryData){16, world->team};
    make_group(body, some_ids, 1);
}

static uint8_t ward[LEDGER_ID_SIZE]; /* A unit of the hospital. */

static void unit_in_group(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    some_ids[0] = (ProtobufCBinaryData){sizeof ward, ward};
    make_group(body, some_ids, 1);
}

static void too_large_group(struct world *world,
                            Salus__V1__TransactionBody *body)
{
    make_group(body, ascending(world, LEDGER_GROUP_MEMBERS_MAX + 1),
               LEDGER_GROUP_MEMBERS_MAX + 1);
}

static void test_participant_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"short id", short_id, LEDGER_FIELD_FORM},
        {"text as id", text_id, LEDGER_CLEAR_TEXT},
        {"zeros as id", zero_id, LEDGER_CLEAR_TEXT},
        {"used id", used_id, LEDGER_PART_EXISTS},
        {"id of another institution", used_id_of_another, LEDGER_PART_EXISTS},
        {"no kind", no_kind, LEDGER_FIELD_FORM},
        {"unknown kind", unknown_kind, LEDGER_FIELD_FORM},
        {"two roles", two_roles, LEDGER_OK},
        {"unknown role", unknown_role, LEDGER_UNKNOWN_CODE},
        {"roles descend", roles_descend, LEDGER_FIELD_ORDER},
        {"role twice", role_twice, LEDGER_FIELD_ORDER},
        {"nine roles", nine_roles, LEDGER_SIZE},
        {"period", good_period, LEDGER_OK},
        {"period backwards", period_backwards, LEDGER_PERIOD},
        {"period over", period_is_over, LEDGER_PERIOD},
        {"credential", good_credential, LEDGER_OK},
        {"short credential", short_credential, LEDGER_FIELD_FORM},
        {"text credential", text_credential, LEDGER_CLEAR_TEXT},
        {"empty group", group_without_members, LEDGER_FIELD_FORM},
        {"members of a unit", members_without_group, LEDGER_FIELD_FORM},
        {"group", good_group, LEDGER_OK},
        {"group descends", group_descends, LEDGER_FIELD_ORDER},
        {"foreign member", foreign_member, LEDGER_PART_STATE},
        {"unknown member", unknown_member, LEDGER_PART_STATE},
        {"group in group", group_in_group, LEDGER_PART_STATE},
        {"unit in group", unit_in_group, LEDGER_PART_STATE},
        {"too many members", too_large_group, LEDGER_SIZE},
    };
    world_register_one(*state, HOSPITAL, TRANSACTION_UNIT, ward);
    world_run_cases(*state, HOSPITAL, world_participant, cases,
                    sizeof cases / sizeof cases[0]);
}

static void test_any_institution_registers_participants(void **state)
{
    static const struct world_case cases[] = {{"default", NULL, LEDGER_OK}};
    world_run_cases(*state, LABORATORY, world_participant, cases, 1);
}

/* ---- subjects ------------------------------------------------------------ */

static void short_handle(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    SUBJ(body)->handle.len = 16;
}

static void patient_number(struct world *world,
                           Salus__V1__TransactionBody *body)
{
    (void)world;
    memset(SUBJ(body)->handle.data, 0, 32);
    memcpy(SUBJ(body)->handle.data, "MRN-0012345", 11);
}

static void used_handle(struct world *world, Salus__V1__TransactionBody *body)
{
    memcpy(SUBJ(body)->handle.data, world->subject, 32);
}

static void handle_of_another(struct world *world,
                              Salus__V1__TransactionBody *body)
{
    memcpy(SUBJ(body)->handle.data, world->stranger, 32);
}

static void set_agent(struct world *world, Salus__V1__TransactionBody *body,
                      const uint8_t *key, size_t size)
{
    (void)world;
    memcpy(some_bytes[0], key, size);
    SUBJ(body)->agent_key = (ProtobufCBinaryData){size, some_bytes[0]};
}

static void new_agent(struct world *world, Salus__V1__TransactionBody *body)
{
    uint8_t seed[SIGN_SEED_SIZE];
    struct pbft_public_key key;
    world_fill(world, seed, sizeof seed);
    sign_from_seed(NULL, &key, seed);
    set_agent(world, body, key.bytes, sizeof key.bytes);
}

static void agent_of_another_subject(struct world *world,
                                     Salus__V1__TransactionBody *body)
{
    set_agent(world, body, world->agent_key.bytes, 32);
}

static void agent_is_a_client_key(struct world *world,
                                  Salus__V1__TransactionBody *body)
{
    set_agent(world, body, world->parties[CLINIC].submit_key.bytes, 32);
}

static void short_agent(struct world *world, Salus__V1__TransactionBody *body)
{
    set_agent(world, body, world->agent_key.bytes, 31);
}

static void agent_of_small_order(struct world *world,
                                 Salus__V1__TransactionBody *body)
{
    static const uint8_t identity[32] = {1};
    set_agent(world, body, identity, sizeof identity);
}

static void no_subjects(struct world *world, Salus__V1__TransactionBody *body)
{
    (void)world;
    body->subject_register->n_subjects = 0;
}

static Salus__V1__SubjectRegister__Subject many_rows[LEDGER_SUBJECTS_MAX + 1];
static Salus__V1__SubjectRegister__Subject
    *many_subjects[LEDGER_SUBJECTS_MAX + 1];

static void subjects(struct world *world, Salus__V1__TransactionBody *body,
                     size_t count)
{
    (void)ascending(world, count);
    for (size_t i = 0; i < count; i++) {
        salus__v1__subject_register__subject__init(&many_rows[i]);
        many_rows[i].handle = (ProtobufCBinaryData){32, some_bytes[i]};
        many_subjects[i] = &many_rows[i];
    }
    body->subject_register->subjects = many_subjects;
    body->subject_register->n_subjects = count;
}

static void subjects_at_limit(struct world *world,
                              Salus__V1__TransactionBody *body)
{
    subjects(world, body, LEDGER_SUBJECTS_MAX);
}

static void subjects_above_limit(struct world *world,
                                 Salus__V1__TransactionBody *body)
{
    subjects(world, body, LEDGER_SUBJECTS_MAX + 1);
}

static void same_handle_twice(struct world *world,
                              Salus__V1__TransactionBody *body)
{
    subjects(world, body, 3);
    many_rows[2].handle = many_rows[0].handle;
}

static void same_agent_twice(struct world *world,
                             Salus__V1__TransactionBody *body)
{
    static uint8_t key[32];
    subjects(world, body, 2);
    new_agent(world, body);
    memcpy(key, some_bytes[0], sizeof key);
    subjects(world, body, 2);
    many_rows[0].agent_key = (ProtobufCBinaryData){32, key};
    many_rows[1].agent_key = (ProtobufCBinaryData){32, key};
}

static void test_subject_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"short handle", short_handle, LEDGER_FIELD_FORM},
        {"patient number", patient_number, LEDGER_CLEAR_TEXT},
        {"used handle", used_handle, LEDGER_SUBJ_EXISTS},
        {"handle of another", handle_of_another, LEDGER_SUBJ_EXISTS},
        {"agent", new_agent, LEDGER_OK},
        {"agent of another subject", agent_of_another_subject,
         LEDGER_KEY_REUSED},
        {"agent is a client key", agent_is_a_client_key, LEDGER_KEY_REUSED},
        {"short agent key", short_agent, LEDGER_FIELD_FORM},
        {"agent key of small order", agent_of_small_order, LEDGER_FIELD_FORM},
        {"none", no_subjects, LEDGER_FIELD_FORM},
        {"256", subjects_at_limit, LEDGER_OK},
        {"257", subjects_above_limit, LEDGER_SIZE},
        {"same handle twice", same_handle_twice, LEDGER_SUBJ_EXISTS},
        {"same agent twice", same_agent_twice, LEDGER_KEY_REUSED},
    };
    world_run_cases(*state, HOSPITAL, world_subject, cases,
                    sizeof cases / sizeof cases[0]);
}

static void test_only_providers_register_subjects(void **state)
{
    static const struct world_case cases[] = {
        {"research", NULL, LEDGER_ROLE_REQUIRED}};
    world_run_cases(*state, LABORATORY, world_subject, cases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_participant_rules, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(
            test_any_institution_registers_participants, world_setup,
            world_teardown),
        cmocka_unit_test_setup_teardown(test_subject_rules, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_only_providers_register_subjects,
                                        world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
