/* SPDX-License-Identifier: Apache-2.0 */
/* CareTeam as who acts: a group on the ledger. Permits reach its members while
 * it lasts, denies all of them for good; what a group cannot say is rejected.
 */
#include "tests/support/import_fixture.h"
#include "tests/support/ledger_access.h"
#include "vault/entries.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}\n"
#define PERSON(id) "{\"resourceType\":\"Practitioner\",\"id\":\"" id "\"}\n"
#define RELATIVE                                                               \
    "{\"resourceType\":\"RelatedPerson\",\"id\":\"m-1\",\"patient\":{"         \
    "\"reference\":\"Patient/p-1\"}}\n"
#define ROLE(id, whose, code)                                                  \
    "{\"resourceType\":\"PractitionerRole\",\"id\":\"" id "\","                \
    "\"practitioner\":{\"reference\":\"Practitioner/" whose "\"},\"code\":[{"  \
    "\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"         \
    "practitioner-role\",\"code\":\"" code "\"}]}]}\n"
#define MEMBER(name, more) "{\"member\":{\"reference\":\"" name "\"}" more "}"
#define TEAM(members, more)                                                    \
    "{\"resourceType\":\"CareTeam\",\"id\":\"t-1\",\"subject\":{"              \
    "\"reference\":\"Patient/p-1\"},\"participant\":[" members "]" more "}\n"
#define DOCUMENT                                                               \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\",\"status\":"       \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"content\":[{"   \
    "\"attachment\":{\"data\":\"b25l\"}}]}\n"
#define CONSENT(provision)                                                     \
    "{\"resourceType\":\"Consent\",\"id\":\"c-1\",\"status\":\"active\","      \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":"               \
    "\"Patient/p-1\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{"   \
    "\"uri\":\"" POLICY_URI "\"}],\"provision\":" provision "}\n"
#define ACTOR                                                                  \
    "\"actor\":[{\"role\":{\"coding\":[{\"system\":"                           \
    "\"http://terminology.hl7.org/CodeSystem/v3-ParticipationType\","          \
    "\"code\":\"IRCP\"}]},\"reference\":{\"reference\":\"CareTeam/t-1\"}}]"
#define FOR_TEAM CONSENT("{\"type\":\"permit\"," ACTOR "}")
#define ALL_BUT_TEAM                                                           \
    CONSENT("{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," ACTOR    \
            "}]}")

static void import_text(struct import_world *fixture, const char *text)
{
    fixture->file_count = 0;
    fixture_file(fixture, "next.ndjson", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
}

static void expect_all_done(struct import_world *fixture, const char *text)
{
    import_text(fixture, text);
    for (size_t i = 0; i < fixture->event_count; i++) {
        if (fixture->events[i].outcome != IMPORT_ON_LEDGER) {
            fail_msg("%s: %s at %s", fixture->events[i].type_name,
                     import_outcome_name(fixture->events[i].outcome),
                     fixture->events[i].path);
        }
    }
}

static void expect_rejected(struct import_world *fixture, const char *text,
                            const char *path)
{
    import_text(fixture, text);
    assert_int_equal(fixture->event_count, 1);
    assert_int_equal(fixture->events[0].outcome, IMPORT_REJECTED);
    assert_string_equal(fixture->events[0].path, path);
}

static int setup(void **state)
{
    int result = fixture_setup(state);

    expect_all_done(*state,
                    PATIENT PERSON("dr-1") PERSON("dr-2") DOCUMENT RELATIVE);
    return result;
}

/* May he, of the hospital, have the document now? */
static bool may(struct import_world *fixture, const char *name)
{
    struct vault_participant person;
    struct vault_record record;
    struct vault *vault = fixture->options.vault;
    struct wire_arena arena;
    struct asked asked;

    assert_int_equal(vault_find_participant(vault, &person, name), PBFT_OK);
    assert_int_equal(vault_find_record(vault, &record, "DocumentReference/d-1"),
                     PBFT_OK);
    ask_for(fixture->world, &asked, record.id);
    EXPECT(act_as(fixture->world, HOSPITAL, person.id,
                  TRANSACTION_ACCESS_REQUEST, &asked.in.base),
           LEDGER_OK);
    wire_arena_init(&arena, 8u << 20);
    bool granted = explain(fixture->world, asked.id, &arena)->computed != 0;
    wire_arena_deinit(&arena);
    return granted;
}

static void test_permit_reaches_its_members(void **state)
{
    struct import_world *fixture = *state;

    /* In any order: a team comes after those who belong to it. */
    expect_all_done(fixture,
                    FOR_TEAM TEAM(MEMBER("Practitioner/dr-1", ""),
                                  ",\"status\":\"active\",\"identifier\":[{"
                                  "\"system\":\"urn:x\",\"value\":\"7\"}]"));
    assert_true(may(fixture, "Practitioner/dr-1"));
    assert_false(may(fixture, "Practitioner/dr-2"));
    /* Consents mean who belongs to it now. */
    expect_all_done(fixture, TEAM(MEMBER("Practitioner/dr-2", "") "," MEMBER(
                                      "RelatedPerson/m-1", ""),
                                  ""));
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_UPDATE);
    assert_false(may(fixture, "Practitioner/dr-1"));
    assert_true(may(fixture, "Practitioner/dr-2"));
    assert_true(may(fixture, "RelatedPerson/m-1"));
}

static void test_deny_reaches_its_members(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(fixture,
                    ALL_BUT_TEAM TEAM(MEMBER("Practitioner/dr-1", ""), ""));
    assert_false(may(fixture, "Practitioner/dr-1"));
    assert_true(may(fixture, "Practitioner/dr-2"));
}

/* Over in FHIR, and from now on on the ledger. */
#define ENDED(more)                                                            \
    TEAM(MEMBER("Practitioner/dr-1", ""),                                      \
         ",\"period\":{\"end\":\"2025-04-01\"}" more)

static void wait_for_the_last_moment(struct import_world *fixture)
{
    fixture->world->now_ms += IMPORT_VALID_MS + 2000;
}

/* A team that is over is permitted nothing, */
static void test_permit_ends_with_a_team(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(fixture,
                    FOR_TEAM TEAM(MEMBER("Practitioner/dr-1", ""), ""));
    assert_true(may(fixture, "Practitioner/dr-1"));
    expect_all_done(fixture, ENDED(""));
    assert_false(may(fixture, "Practitioner/dr-1"));
    /* Nor does it come back with what is said of it later. */
    expect_all_done(fixture, ENDED(",\"name\":\"x\""));
    assert_false(may(fixture, "Practitioner/dr-1"));
    wait_for_the_last_moment(fixture);
    assert_false(may(fixture, "Practitioner/dr-1"));
}

/* under whatever name it is known, */
static void test_team_without_an_id_ends(void **state)
{
    struct import_world *fixture = *state;
    static const char head[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"
        "\"fullUrl\":\"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0\","
        "\"resource\":{\"resourceType\":\"CareTeam\",\"participant\":[" MEMBER(
            "Practitioner/dr-1", "") "]";
    char text[1024];

    fixture->file_count = 0;
    (void)snprintf(text, sizeof text, "%s}}]}", head);
    fixture_file(fixture, "first.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
    fixture->file_count = 0;
    (void)snprintf(text, sizeof text,
                   "%s,\"period\":{\"end\":\"2025-04-01\"}}}]}", head);
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_UPDATE);
}

/* and denied as before. */
static void test_deny_outlives_a_team(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(fixture,
                    ALL_BUT_TEAM TEAM(MEMBER("Practitioner/dr-1", ""), ""));
    expect_all_done(fixture, ENDED(""));
    assert_false(may(fixture, "Practitioner/dr-1"));
    wait_for_the_last_moment(fixture);
    assert_false(may(fixture, "Practitioner/dr-1"));
    assert_true(may(fixture, "Practitioner/dr-2"));
}

static void test_what_no_group_can_say_is_rejected(void **state)
{
    static const struct {
        const char *team;
        const char *path;
    } wrong[] = {
        {TEAM("", ""), "participant"},
        {TEAM(MEMBER("Patient/p-1", ""), ""), "participant[0].member"},
        {TEAM(MEMBER("Organization/own", ""), ""), "participant[0].member"},
        {TEAM(MEMBER("CareTeam/t-2", ""), ""), "participant[0].member"},
        {TEAM(MEMBER("Practitioner/dr-9", ""), ""), "participant[0].member"},
        {TEAM("{}", ""), "participant[0].member"},
        {TEAM(MEMBER("Practitioner/dr-1", "") "," MEMBER(
                  "Practitioner/dr-2", ",\"period\":{\"end\":\"2025\"}"),
              ""),
         "participant[1].period"},
        {TEAM(MEMBER("Practitioner/dr-1",
                     ",\"onBehalfOf\":{\"reference\":\"Organization/x\"}"),
              ""),
         "participant[0].onBehalfOf"},
        {TEAM(MEMBER("Practitioner/dr-1", ",\"odd\":1"), ""),
         "participant[0].odd"},
        {TEAM(MEMBER("Practitioner/dr-1", ""), ",\"status\":\"inactive\""),
         "status"},
        {TEAM(MEMBER("Practitioner/dr-1", ""),
              ",\"status\":\"entered-in-error\""),
         "status"},
        {TEAM(MEMBER("Practitioner/dr-1", ""), ",\"odd\":1"), "odd"},
        {TEAM(MEMBER("Practitioner/dr-1", ""),
              ",\"period\":{\"end\":\"2025-04-01\"}"),
         "period"},
    };
    struct import_world *fixture = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        expect_rejected(fixture, wrong[i].team, wrong[i].path);
    }
    /* So nothing that names it is taken for something else. */
    expect_rejected(fixture, FOR_TEAM, "provision.actor[0].reference");
}

#define GROUP_OF(member, id)                                                   \
    "{\"resourceType\":\"Group\",\"id\":\"" id "\",\"type\":\"practitioner\"," \
    "\"actual\":true,\"member\":[{\"entity\":{\"reference\":\"" member         \
    "\"}}]}\n"

/* A deny of a group reaches people: a unit, a group or an institution in it
 * would keep nobody off, whatever the reference says it is. */
static void test_members_are_people(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(
        fixture,
        "{\"resourceType\":\"Organization\",\"id\":\"ward\"}\n" GROUP_OF(
            "Practitioner/dr-1", "g-1"));
    expect_rejected(fixture, GROUP_OF("Organization/ward", "g-2"),
                    "member[0].entity");
    expect_rejected(fixture, GROUP_OF("Organization/own", "g-3"),
                    "member[0].entity");
    expect_rejected(fixture, GROUP_OF("Group/g-1", "g-4"), "member[0].entity");
    expect_rejected(fixture,
                    TEAM("{\"member\":{\"reference\":\"Organization/ward\","
                         "\"type\":\"Practitioner\"}}",
                         ""),
                    "participant[0].member");
    /* Nor by a change of what it was. */
    expect_rejected(fixture, GROUP_OF("Organization/ward", "g-1"),
                    "member[0].entity");
}

/* The ledger has the person, in all his roles. */
static void test_member_in_one_of_several_roles(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(fixture, ROLE("r-1", "dr-1", "doctor"));
    expect_all_done(fixture, TEAM(MEMBER("PractitionerRole/r-1", ""), ""));
    expect_all_done(fixture, ROLE("r-2", "dr-1", "nurse"));
    expect_rejected(fixture,
                    TEAM(MEMBER("PractitionerRole/r-1", ""), ",\"name\":\"x\""),
                    "participant[0].member");
}

/* As a group that another institution keeps. */
static void test_team_of_another_institution(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.members[0] = (struct import_member){
        "Organization/clinic", fixture->world->parties[CLINIC].institution};
    fixture->options.member_count = 1;
    expect_rejected(fixture,
                    TEAM(MEMBER("Practitioner/dr-1", ""),
                         ",\"managingOrganization\":[{\"reference\":"
                         "\"Organization/clinic\"}]"),
                    "managingOrganization[0]");
    /* Named by a number alone, as well. */
    fixture->options.members[0].reference =
        "Organization?identifier=urn:x|clinic";
    expect_rejected(
        fixture,
        TEAM(MEMBER("Practitioner/dr-1", ""),
             ",\"managingOrganization\":[{\"type\":\"Organization\","
             "\"identifier\":{\"system\":\"urn:x\",\"value\":\"clinic\"}}]"),
        "managingOrganization[0]");
    expect_rejected(
        fixture,
        "{\"resourceType\":\"PractitionerRole\",\"id\":\"r-7\","
        "\"practitioner\":{\"reference\":\"Practitioner/dr-1\"},"
        "\"organization\":{\"type\":\"Organization\",\"identifier\":{"
        "\"system\":\"urn:x\",\"value\":\"clinic\"}}}",
        "organization");
    expect_all_done(fixture, TEAM(MEMBER("Practitioner/dr-1", ""),
                                  ",\"managingOrganization\":[{\"reference\":"
                                  "\"Organization/own\"}]"));
}

/* No record has a team for an author: a deny would be lost. */
static void test_team_is_no_author(void **state)
{
    struct import_world *fixture = *state;

    expect_all_done(fixture, TEAM(MEMBER("Practitioner/dr-1", ""), ""));
    import_text(fixture,
                CONSENT("{\"type\":\"permit\",\"provision\":[{\"type\":"
                        "\"deny\",\"data\":[{\"meaning\":\"authoredby\","
                        "\"reference\":{\"reference\":\"CareTeam/t-1\"}}]}]}"));
    assert_int_equal(fixture->events[0].class_of, FHIR_EVIDENCE_ONLY);
    assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_permit_reaches_its_members),
        TEST(test_deny_reaches_its_members),
        TEST(test_permit_ends_with_a_team),
        TEST(test_team_without_an_id_ends),
        TEST(test_deny_outlives_a_team),
        TEST(test_what_no_group_can_say_is_rejected),
        TEST(test_members_are_people),
        TEST(test_member_in_one_of_several_roles),
        TEST(test_team_of_another_institution),
        TEST(test_team_is_no_author),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
