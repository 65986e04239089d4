/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the rules of an imported consent reach: members of the consortium,
 * people and their roles. */
#include "crypto/hex.h"
#include "tests/support/import_fixture.h"
#include "tests/support/ledger_acts.h"
#include "vault/care.h"
#include "vault/entries.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"
#define PERSON "{\"resourceType\":\"Practitioner\",\"id\":\"dr-1\"}"
#define COLLEAGUE "{\"resourceType\":\"Practitioner\",\"id\":\"dr-2\"}"
#define CODING(system, code)                                                   \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/" system              \
    "\",\"code\":\"" code "\"}"
#define CODE(code)                                                             \
    ",\"code\":[{\"coding\":[" CODING("practitioner-role", code) "]}]"
#define ROLE_OF(id, person, more)                                              \
    "{\"resourceType\":\"PractitionerRole\",\"id\":\"" id                      \
    "\",\"practitioner\":{\"reference\":\"Practitioner/" person "\"}" more "}"
#define ORGANIZATION "{\"resourceType\":\"Organization\",\"id\":\"lakeside\"}"
#define DOCUMENT_BY(author)                                                    \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\",\"status\":"       \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"author\":[{"    \
    "\"reference\":\"" author                                                  \
    "\"}],\"content\":[{\"attachment\":{\"data\":\"c2lnbmVk\"}}]}"
#define CONSENT_AS(version, provision)                                         \
    CONSENT_BY(version, "Patient/p-1", provision)
#define CONSENT_BY(version, performer, provision)                              \
    CONSENT_FROM(version, "{\"reference\":\"" performer "\"}", provision)
#define CONSENT_FROM(version, performer, provision)                            \
    "{\"resourceType\":\"Consent\",\"id\":\"c-1\",\"meta\":{\"versionId\":\""  \
    "" version "\"},\"status\":\"active\",\"scope\":{\"coding\":[" CODING(     \
        "consentscope",                                                        \
        "patient-privacy") "]},\"category\":[{\"text\":\"x\"}],"               \
                           "\"patient\":{\"reference\":\"Patient/p-1\"},"      \
                           "\"dateTime\":\"2025-03-01\",\"performer\":"        \
                           "[" performer                                       \
                           "],\"sourceAttachment\":{\"title\":\"x\"},"         \
                           "\"policy\":[{\"uri\":\"" POLICY_URI                \
                           "\"}],\"provision\":{" provision "}}"
#define CONSENT(provision) CONSENT_AS("1", provision)
#define CONSENT_HELD(version, holders)                                         \
    CONSENT_AS(version, "\"type\":\"permit\"," TREAT                           \
                        "},\"organization\":[" holders "],\"language\":\"x\""  \
                        ",\"text\":{\"id\":\"x\"")
#define TREAT "\"purpose\":[" CODING("v3-ActReason", "TREAT") "]"
#define ACTOR(reference)                                                       \
    "{\"role\":{\"coding\":[" CODING(                                          \
        "v3-ParticipationType", "IRCP") "]},\"reference\":{"                   \
                                        "\"reference\":\"" reference "\"}}"
#define ACTORS(reference) "\"actor\":[" ACTOR(reference) "]"
#define DENY_WITHIN(root, exception)                                           \
    "\"type\":\"permit\"," root                                                \
    ",\"provision\":[{\"type\":\"deny\"," exception "}]"

/* ---- what was seen ------------------------------------------------------- */

#define SEEN_MAX 8

static struct {
    struct wire_arena arena;
    const Salus__V1__TransactionBody *bodies[SEEN_MAX];
    size_t count;
} seen; /* Of the last import. */

static void look(void *context, const struct import_event *event)
{
    (void)context;
    for (uint32_t i = 0; event->steps != NULL && i < event->steps->step_count;
         i++) {
        assert_true(seen.count < SEEN_MAX);
        seen.bodies[seen.count++] =
            fixture_step_body(&event->steps->steps[i], &seen.arena);
    }
}

static const struct recorded *import_one(struct import_world *fixture,
                                         const char *text)
{
    wire_arena_deinit(&seen.arena);
    wire_arena_init(&seen.arena, 1u << 20);
    seen.count = 0;
    fixture->look = look;
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 1);
    return &fixture->events[0];
}

static const Salus__V1__TransactionBody *last_body(void)
{
    assert_true(seen.count > 0);
    return seen.bodies[seen.count - 1];
}

static const Salus__V1__ConsentGrant *import_grant(struct import_world *fixture,
                                                   const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->class_of, FHIR_ENFORCEABLE);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_CONSENT_GRANT);
    return last_body()->consent_grant;
}

static void expect_evidence(struct import_world *fixture, const char *text,
                            const char *path)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->class_of, FHIR_EVIDENCE_ONLY);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_CONSENT_EVIDENCE);
    assert_string_equal(event->path, path);
    assert_int_equal(seen.count, 1);
}

static void expect_rejected(struct import_world *fixture, const char *text,
                            const char *path)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->outcome, IMPORT_REJECTED);
    assert_string_equal(event->path, path);
}

static const Salus__V1__ParticipantUpdate *
import_role(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_PARTICIPANT_UPDATE);
    return last_body()->participant_update;
}

static void find(struct import_world *fixture, struct vault_participant *out,
                 const char *name)
{
    assert_int_equal(vault_find_participant(fixture->options.vault, out, name),
                     PBFT_OK);
}

static int setup(void **state)
{
    int result = fixture_setup(state);

    wire_arena_init(&seen.arena, 1u << 20);
    assert_int_equal(import_one(*state, PATIENT)->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(import_one(*state, PERSON)->outcome, IMPORT_ON_LEDGER);
    return result;
}

static int teardown(void **state)
{
    wire_arena_deinit(&seen.arena);
    return fixture_teardown(state);
}

/* ---- members of the consortium ------------------------------------------- */

/* As a unit of the own institution it asks for nothing: the deny of it would
 * hold nobody off. */
static void test_deny_of_no_member_is_evidence(void **state)
{
    struct import_world *fixture = *state;

    assert_int_equal(import_one(fixture, ORGANIZATION)->outcome,
                     IMPORT_ON_LEDGER);
    expect_evidence(
        fixture, CONSENT(DENY_WITHIN(TREAT, ACTORS("Organization/lakeside"))),
        "provision.provision[0].actor[0].reference");
    expect_evidence(
        fixture, CONSENT("\"type\":\"deny\"," ACTORS("Organization/lakeside")),
        "provision.actor[0].reference");
    /* Inherited from a permit, it is a deny all the same. */
    expect_evidence(
        fixture, CONSENT(DENY_WITHIN(ACTORS("Organization/lakeside"), TREAT)),
        "provision.actor[0].reference");
    /* A permit for it is one for nobody, and widens nothing. */
    (void)import_grant(fixture, CONSENT("\"type\":\"permit\"," TREAT ","
                                        "" ACTORS("Organization/lakeside")));
}

static void test_deny_of_a_member_names_the_institution(void **state)
{
    struct import_world *fixture = *state;
    const struct party *clinic = &fixture->world->parties[CLINIC];
    assert_int_equal(import_one(fixture, ORGANIZATION)->outcome,
                     IMPORT_ON_LEDGER);
    expect_evidence(
        fixture, CONSENT(DENY_WITHIN(TREAT, ACTORS("Organization/lakeside"))),
        "provision.provision[0].actor[0].reference");
    /* It may be said later what it is. */
    fixture->options.members[0] =
        (struct import_member){.reference = "Organization/lakeside",
                               .institution = clinic->institution};
    fixture->options.member_count = 1;
    const Salus__V1__ConsentGrant *grant = import_grant(
        fixture,
        CONSENT_AS("2", DENY_WITHIN(TREAT, ACTORS("Organization/lakeside"))));
    const Salus__V1__Selector__Actor *actor =
        grant->exceptions[0]->selector->actors[0];
    assert_int_equal(actor->kind,
                     SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION);
    assert_memory_equal(actor->id.data, clinic->institution.bytes,
                        LEDGER_ID_SIZE);
    /* And who it is does not change any more. */
    fixture->options.members[0].institution =
        fixture->world->parties[HOSPITAL].institution;
    assert_int_equal(fixture_import(fixture), PBFT_EXISTS);
}

static void test_staff_of_a_member_is_not_ours(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.members[0] = (struct import_member){
        .reference = "Organization/clinic",
        .institution = fixture->world->parties[CLINIC].institution};
    fixture->options.member_count = 1;
    expect_rejected(fixture,
                    ROLE_OF("r-1", "dr-1",
                            ",\"organization\":{\"reference\":"
                            "\"Organization/clinic\"}"),
                    "organization");
    (void)import_role(fixture, ROLE_OF("r-1", "dr-1",
                                       ",\"organization\":{\"reference\":"
                                       "\"Organization/own\"}"));
}

/* ---- people and their roles ---------------------------------------------- */

/* A person has one id, whatever name a resource calls them by. */
static void test_role_is_the_person(void **state)
{
    struct import_world *fixture = *state;
    struct vault_participant person;
    struct vault_participant role;

    find(fixture, &person, "Practitioner/dr-1");
    const Salus__V1__ParticipantUpdate *update =
        import_role(fixture, ROLE_OF("r-1", "dr-1", CODE("doctor")));
    assert_memory_equal(update->participant.data, person.id, VAULT_ID_SIZE);
    assert_int_equal(update->n_roles, 1);
    assert_int_equal(update->roles[0], CODES_ROLE_DOCTOR);
    find(fixture, &role, "PractitionerRole/r-1");
    assert_memory_equal(role.id, person.id, VAULT_ID_SIZE);
    /* What was written in the role was written by the person. */
    assert_int_equal(
        import_one(fixture, DOCUMENT_BY("PractitionerRole/r-1"))->outcome,
        IMPORT_ON_LEDGER);
    assert_memory_equal(last_body()->record_anchor->author.data, person.id,
                        VAULT_ID_SIZE);
    const Salus__V1__ConsentGrant *grant = import_grant(
        fixture,
        CONSENT(DENY_WITHIN(TREAT, "\"data\":[{\"meaning\":\"authoredby\","
                                   "\"reference\":{\"reference\":"
                                   "\"Practitioner/dr-1\"}}]")));
    assert_memory_equal(grant->exceptions[0]->selector->data[0]->id.data,
                        person.id, VAULT_ID_SIZE);
    grant = import_grant(
        fixture, CONSENT(DENY_WITHIN(TREAT, ACTORS("Practitioner/dr-1"))));
    assert_memory_equal(grant->exceptions[0]->selector->actors[0]->id.data,
                        person.id, VAULT_ID_SIZE);
}

static void test_role_waits_for_its_practitioner(void **state)
{
    struct import_world *fixture = *state;
    static const char role[] = ROLE_OF("r-2", "dr-2", "");

    expect_rejected(fixture, role, "practitioner");
    /* In whatever order they stand. */
    fixture->file_count = 0;
    fixture_file(fixture, "1.json", role);
    fixture_file(fixture, "2.json", COLLEAGUE);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_string_equal(fixture->events[0].type_name, "Practitioner");
    assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
    assert_string_equal(fixture->events[1].type_name, "PractitionerRole");
    assert_int_equal(fixture->events[1].outcome, IMPORT_ON_LEDGER);
    /* One role of two people there is not. */
    expect_rejected(fixture, ROLE_OF("r-2", "dr-1", ""), "practitioner");
    expect_rejected(fixture,
                    "{\"resourceType\":\"PractitionerRole\",\"id\":\"r-3\","
                    "\"practitioner\":{\"reference\":\"Organization/own\"}}",
                    "practitioner");
    expect_rejected(fixture,
                    "{\"resourceType\":\"PractitionerRole\",\"id\":\"r-3\","
                    "\"practitioner\":{\"display\":\"x\"}}",
                    "practitioner");
}

static void test_person_has_what_all_roles_give(void **state)
{
    struct import_world *fixture = *state;

    (void)import_role(fixture, ROLE_OF("r-1", "dr-1", CODE("doctor")));
    const Salus__V1__ParticipantUpdate *update =
        import_role(fixture, ROLE_OF("r-2", "dr-1", CODE("researcher")));
    assert_int_equal(update->n_roles, 2);
    update = import_role(
        fixture, ROLE_OF("r-2", "dr-1",
                         CODE("researcher") ",\"period\":{\"end\":\"2091\"}"));
    assert_int_equal(update->n_roles, 2);
    assert_true(update->valid_to_ms > 0);
    /* What is over gives nothing, and does not end the rest. */
    update = import_role(
        fixture, ROLE_OF("r-2", "dr-1",
                         CODE("researcher") ",\"period\":{\"end\":\"2011\"}"));
    assert_int_equal(update->n_roles, 1);
    assert_int_equal(update->roles[0], CODES_ROLE_DOCTOR);
    assert_int_equal(update->valid_to_ms, 0);
    /* And nobody whose roles are all over acts any more. */
    update = import_role(
        fixture, ROLE_OF("r-1", "dr-1",
                         CODE("doctor") ",\"period\":{\"end\":\"2012\"}"));
    assert_int_equal(update->n_roles, 0);
    assert_true(update->valid_to_ms > 0);
    assert_true(update->valid_to_ms <
                fixture->world->now_ms + IMPORT_VALID_MS + 60 * 1000);
    /* Not even until then. */
    assert_int_equal(update->valid_from_ms, update->valid_to_ms - 1);
}

#define FIRST_YEAR ",\"period\":{\"start\":\"2089\",\"end\":\"2090\"}"
#define RENEWED ",\"period\":{\"start\":\"2092\"}"

/* A contract that is renewed with a gap is two periods. The ledger is told the
 * one that comes first, in whatever order they come. */
static void test_renewed_role_is_imported(void **state)
{
    struct import_world *fixture = *state;
    const Salus__V1__ParticipantUpdate *told = import_role(
        fixture, ROLE_OF("r-2", "dr-1", CODE("researcher") RENEWED));

    assert_int_equal(told->roles[0], CODES_ROLE_RESEARCHER);
    assert_int_equal(told->valid_to_ms, 0);
    told =
        import_role(fixture, ROLE_OF("r-1", "dr-1", CODE("doctor") FIRST_YEAR));
    const uint64_t from_ms = told->valid_from_ms;
    const uint64_t to_ms = told->valid_to_ms;
    assert_true(from_ms > 0 && from_ms < to_ms);
    assert_int_equal(told->n_roles, 1);
    assert_int_equal(told->roles[0], CODES_ROLE_DOCTOR);
    /* Told again, the one of later changes nothing yet. */
    (void)import_one(fixture, ROLE_OF("r-2", "dr-1", CODE("nurse") RENEWED));
    told = last_body()->participant_update;
    assert_non_null(told);
    assert_int_equal(told->n_roles, 1);
    assert_int_equal(told->roles[0], CODES_ROLE_DOCTOR);
    assert_int_equal(told->valid_from_ms, from_ms);
    assert_int_equal(told->valid_to_ms, to_ms);
}

/* A doctor of today, and a nurse later: until then a doctor as before. */
static void test_role_of_later_ends_none_of_today(void **state)
{
    struct import_world *fixture = *state;

    (void)import_role(fixture, ROLE_OF("r-1", "dr-1", CODE("doctor")));
    (void)import_one(fixture, ROLE_OF("r-2", "dr-1",
                                      CODE("nurse") ",\"period\":{\"start\":"
                                                    "\"2091\"}"));
    const Salus__V1__ParticipantUpdate *told = last_body()->participant_update;
    assert_non_null(told);
    assert_int_equal(told->n_roles, 1);
    assert_int_equal(told->roles[0], CODES_ROLE_DOCTOR);
    assert_int_equal(told->valid_from_ms, 0);
    assert_int_equal(told->valid_to_ms, 0);
}

/* The ledger cannot tell in which of them the person asks. */
static void test_permit_for_one_of_several_roles_is_evidence(void **state)
{
    struct import_world *fixture = *state;
    static const char permit[] = CONSENT("\"type\":\"permit\"," TREAT ","
                                         "" ACTORS("PractitionerRole/r-1"));

    (void)import_role(fixture, ROLE_OF("r-1", "dr-1", CODE("doctor")));
    (void)import_grant(fixture, permit);
    (void)import_role(fixture, ROLE_OF("r-2", "dr-1", CODE("researcher")));
    expect_evidence(fixture,
                    CONSENT_AS("2", "\"type\":\"permit\"," TREAT ","
                                    "" ACTORS("PractitionerRole/r-1")),
                    "provision.actor[0].reference");
    expect_evidence(fixture,
                    CONSENT_AS("3", "\"type\":\"permit\"," TREAT ","
                                    "\"data\":[{\"meaning\":\"authoredby\","
                                    "\"reference\":{\"reference\":"
                                    "\"PractitionerRole/r-2\"}}]"),
                    "provision.data[0].reference");
    /* A deny is one of the person, and a permit for the person is clear. */
    (void)import_grant(
        fixture,
        CONSENT_AS("4", DENY_WITHIN(TREAT, ACTORS("PractitionerRole/r-1"))));
    (void)import_grant(fixture,
                       CONSENT_AS("5", "\"type\":\"permit\"," TREAT ","
                                       "" ACTORS("Practitioner/dr-1")));
}

/* Two names of one person are one member. */
static void test_person_is_named_once(void **state)
{
    struct import_world *fixture = *state;

    (void)import_role(fixture, ROLE_OF("r-1", "dr-1", ""));
    assert_int_equal(
        import_one(fixture,
                   "{\"resourceType\":\"Group\",\"id\":\"g-1\",\"type\":"
                   "\"practitioner\",\"actual\":true,\"member\":[{\"entity\":{"
                   "\"reference\":\"Practitioner/dr-1\"}},{\"entity\":{"
                   "\"reference\":\"PractitionerRole/r-1\"}}]}")
            ->outcome,
        IMPORT_ON_LEDGER);
    assert_int_equal(last_body()->participant_register->n_members, 1);
}

/* ---- who is who ---------------------------------------------------------- */

#define NUMBERED(type, more, numbers)                                          \
    "{\"resourceType\":\"" type "\"" more ",\"identifier\":[" numbers "]}"
#define NUMBER(value) "{\"system\":\"urn:oid:2.999\",\"value\":\"" value "\"}"

/* A child with the number of its mother, a doctor with that of the practice:
 * consents of the one must not open what is the other's. */
static void test_shared_number_makes_nobody_another(void **state)
{
    struct import_world *fixture = *state;
    struct vault_subject mother;
    struct vault_subject child;

    assert_int_equal(
        import_one(fixture, NUMBERED("Patient", ",\"id\":\"m\"", NUMBER("1")))
            ->outcome,
        IMPORT_ON_LEDGER);
    expect_rejected(fixture, NUMBERED("Patient", ",\"id\":\"c\"", NUMBER("1")),
                    "identifier");
    expect_rejected(fixture,
                    NUMBERED("Patient", "", NUMBER("2") "," NUMBER("1")),
                    "identifier");
    assert_int_equal(
        import_one(fixture, NUMBERED("Patient", ",\"id\":\"c\"", NUMBER("2")))
            ->outcome,
        IMPORT_ON_LEDGER);
    assert_int_equal(
        vault_find_subject(fixture->options.vault, &mother, "Patient/m"),
        PBFT_OK);
    assert_int_equal(
        vault_find_subject(fixture->options.vault, &child, "Patient/c"),
        PBFT_OK);
    assert_memory_not_equal(mother.handle, child.handle, sizeof child.handle);
    /* Without an id it is the number that says who that is. */
    assert_int_equal(
        import_one(fixture, NUMBERED("Patient", "", NUMBER("2")))->outcome,
        IMPORT_KNOWN);
    assert_int_equal(import_one(fixture, NUMBERED("Practitioner",
                                                  ",\"id\":\"a\"", NUMBER("1")))
                         ->outcome,
                     IMPORT_ON_LEDGER);
    expect_rejected(fixture,
                    NUMBERED("Practitioner", ",\"id\":\"b\"", NUMBER("1")),
                    "identifier");
}

#define AT_ONE_URL(resource)                                                   \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"        \
    "\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\","           \
    "\"resource\":" resource "}]}"
#define BEARER(type, number)                                                   \
    "{\"resourceType\":\"" type "\",\"identifier\":[{\"system\":\"urn:mrn\","  \
    "\"value\":\"" number "\"}]}"

/* Bundles may use one fullUrl for whom they like: it makes nobody another. */
static void test_shared_url_makes_nobody_another(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_subject patient;
    struct vault_participant before;
    struct vault_participant after;
    struct vault_forgotten forgotten;

    (void)import_one(fixture, AT_ONE_URL(BEARER("Patient", "7")));
    expect_rejected(fixture, AT_ONE_URL(BEARER("Patient", "8")),
                    "entry[0].resource.identifier");
    assert_int_equal(
        vault_find_subject(vault, &patient, "Patient?identifier=urn:mrn|8"),
        PBFT_NOT_FOUND);
    /* A relative, and who is no relative. */
    (void)import_one(fixture, AT_ONE_URL(BEARER("Practitioner", "7")));
    find(fixture, &before, "Practitioner?identifier=urn:mrn|7");
    expect_rejected(fixture,
                    AT_ONE_URL("{\"resourceType\":\"RelatedPerson\","
                               "\"patient\":{\"reference\":\"Patient/p-1\"}}"),
                    "entry[0].resource");
    assert_int_equal(
        vault_forget_subject(vault, &forgotten, "Patient/p-1", false), PBFT_OK);
    find(fixture, &after, "Practitioner?identifier=urn:mrn|7");
    assert_memory_equal(after.id, before.id, VAULT_ID_SIZE);
}

/* Given to a member under its own policy; together with us it is ours too. */
static void test_consent_of_another_holder_is_evidence(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.members[0] = (struct import_member){
        .reference = "Organization/clinic",
        .institution = fixture->world->parties[CLINIC].institution};
    fixture->options.member_count = 1;
    expect_evidence(fixture,
                    CONSENT_HELD("1", "{\"reference\":"
                                      "\"Organization/clinic\"}"),
                    "organization[0]");
    (void)import_grant(fixture, CONSENT_HELD("2", "{\"reference\":"
                                                  "\"Organization/clinic\"},"
                                                  "{\"reference\":"
                                                  "\"Organization/own\"}"));
}

/* Who treats or holds decides for nobody: the ledger would refuse it, and a
 * signed deny would leave no trace. */
static void test_performer_who_acts_for_nobody_is_evidence(void **state)
{
    struct import_world *fixture = *state;
    static const char by_url[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"
        "\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\","
        "\"resource\":" COLLEAGUE "},{\"resource\":" CONSENT_BY(
            "4", "urn:uuid:00000000-0000-4000-8000-000000000001",
            "\"type\":\"deny\"") "}]}";

    expect_evidence(fixture,
                    CONSENT_BY("1", "Practitioner/dr-1", "\"type\":\"deny\""),
                    "performer[0]");
    expect_evidence(fixture,
                    CONSENT_BY("2", "Organization/own", "\"type\":\"deny\""),
                    "performer[0]");
    /* Nor need he be known. */
    expect_evidence(
        fixture, CONSENT_BY("3", "PractitionerRole/r-9", "\"type\":\"deny\""),
        "performer[0]");
    /* Here only the vault can tell. */
    fixture->file_count = 0;
    fixture_file(fixture, "bundle.json", by_url);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 2);
    assert_int_equal(fixture->events[1].class_of, FHIR_EVIDENCE_ONLY);
    assert_int_equal(fixture->events[1].outcome, IMPORT_ON_LEDGER);
    assert_string_equal(fixture->events[1].path,
                        "entry[1].resource.performer[0]");
    assert_int_equal(fixture->events[1].type, TRANSACTION_CONSENT_EVIDENCE);
}

#define RELATIVE(id, patient)                                                  \
    "{\"resourceType\":\"RelatedPerson\",\"id\":\"" id "\",\"patient\":{"      \
    "\"reference\":\"Patient/" patient "\"}}"

/* Nor does who acts for another patient. */
static void test_relative_of_another_decides_nothing(void **state)
{
    struct import_world *fixture = *state;
    struct vault_participant relative;
    struct vault_subject patient;

    (void)import_one(fixture, "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}");
    (void)import_one(fixture, RELATIVE("m-1", "p-1"));
    (void)import_one(fixture, RELATIVE("m-2", "p-2"));
    find(fixture, &relative, "RelatedPerson/m-2");
    assert_int_equal(
        vault_find_subject(fixture->options.vault, &patient, "Patient/p-2"),
        PBFT_OK);
    assert_memory_equal(relative.patient, patient.handle, VAULT_HANDLE_SIZE);
    expect_evidence(fixture,
                    CONSENT_BY("1", "RelatedPerson/m-2", "\"type\":\"permit\""),
                    "performer[0]");
    /* Whether or not that one has acted himself. */
    (void)import_one(fixture, DOCUMENT_BY("Patient/p-2"));
    expect_evidence(fixture,
                    CONSENT_BY("2", "RelatedPerson/m-2", "\"type\":\"deny\""),
                    "performer[0]");
    const Salus__V1__ConsentGrant *grant =
        import_grant(fixture, CONSENT_BY("3", "RelatedPerson/m-1",
                                         "\"type\":\"permit\"," TREAT));
    find(fixture, &relative, "RelatedPerson/m-1");
    assert_memory_equal(grant->delegate.data, relative.id, VAULT_ID_SIZE);
    /* A patient who decides for another is vouched for by the importer. */
    grant = import_grant(
        fixture, CONSENT_BY("4", "Patient/p-2", "\"type\":\"permit\"," TREAT));
    assert_int_equal(grant->performer,
                     SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE);
}

/* One who was registered by being named, as in a trial. */
static void test_relative_of_nobody_decides_nothing(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_participant relative;
    struct vault_subject patient;
    static const uint8_t nobody[VAULT_HANDLE_SIZE];

    fixture->options.register_unknown = true;
    (void)import_grant(fixture, CONSENT("\"type\":\"permit\"," TREAT
                                        "," ACTORS("RelatedPerson/m-1")));
    fixture->options.register_unknown = false;
    find(fixture, &relative, "RelatedPerson/m-1");
    assert_memory_equal(relative.patient, nobody, sizeof nobody);
    expect_rejected(
        fixture,
        CONSENT_BY("2", "RelatedPerson/m-1", "\"type\":\"permit\"," TREAT),
        "performer[0]");
    assert_int_equal(fixture->events[0].class_of, FHIR_REJECT);
    /* Whoever imports him says whose relative he is. */
    assert_int_equal(import_one(fixture, RELATIVE("m-1", "p-1"))->outcome,
                     IMPORT_ON_LEDGER);
    (void)import_grant(fixture, CONSENT_BY("3", "RelatedPerson/m-1",
                                           "\"type\":\"permit\"," TREAT));
    /* In a trial the first consent says it, for good. */
    fixture->options.register_unknown = true;
    (void)import_grant(fixture, CONSENT_BY("4", "RelatedPerson/m-2",
                                           "\"type\":\"permit\"," TREAT));
    find(fixture, &relative, "RelatedPerson/m-2");
    assert_int_equal(vault_find_subject(vault, &patient, "Patient/p-1"),
                     PBFT_OK);
    assert_memory_equal(relative.patient, patient.handle, VAULT_HANDLE_SIZE);
}

/* A patient who acts before he is imported is not forgotten with another one:
 * rules on what he wrote go on to find him. */
static void test_patient_who_acts_in_a_trial_is_nobody_elses(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_participant before;
    struct vault_participant after;
    struct vault_forgotten forgotten;

    fixture->options.register_unknown = true;
    (void)import_grant(
        fixture, CONSENT_BY("1", "Patient/p-9", "\"type\":\"permit\"," TREAT));
    fixture->options.register_unknown = false;
    find(fixture, &before, "Patient/p-9");
    expect_rejected(
        fixture, CONSENT_BY("2", "Patient/p-9", "\"type\":\"permit\"," TREAT),
        "performer[0]");
    (void)import_one(fixture, "{\"resourceType\":\"Patient\",\"id\":\"p-9\"}");
    (void)import_grant(
        fixture, CONSENT_BY("3", "Patient/p-9", "\"type\":\"permit\"," TREAT));
    assert_int_equal(
        vault_forget_subject(vault, &forgotten, "Patient/p-1", false), PBFT_OK);
    find(fixture, &after, "Patient/p-9");
    assert_memory_equal(after.id, before.id, VAULT_ID_SIZE);
}

#define BY_ID                                                                  \
    "{\"type\":\"RelatedPerson\",\"identifier\":{\"system\":"                  \
    "\"urn:salus:%s\",\"value\":\"participant/%s\"}}"

static const char *consent_by_id(struct import_world *fixture, char out[4096],
                                 const uint8_t id[VAULT_ID_SIZE])
{
    static unsigned version = 100;
    char chain[2 * PBFT_DIGEST_SIZE + 1];
    char hex[2 * VAULT_ID_SIZE + 1];

    hex_encode(chain,
               bytes_of(fixture->world->genesis.chain.bytes, PBFT_DIGEST_SIZE));
    hex_encode(hex, bytes_of(id, VAULT_ID_SIZE));
    (void)snprintf(out, 4096,
                   CONSENT_FROM("%u", BY_ID, "\"type\":\"permit\"," TREAT),
                   version++, chain, hex);
    return out;
}

/* An id of the ledger is no way around the vault. */
static void test_relative_by_id_is_the_one_of_the_vault(void **state)
{
    struct import_world *fixture = *state;
    static const uint8_t stranger[VAULT_ID_SIZE] = {0x9e, 0x01};
    struct vault_participant relative;
    char text[4096];

    (void)import_one(fixture, "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}");
    (void)import_one(fixture, RELATIVE("m-1", "p-1"));
    (void)import_one(fixture, RELATIVE("m-2", "p-2"));
    find(fixture, &relative, "RelatedPerson/m-2");
    expect_evidence(fixture, consent_by_id(fixture, text, relative.id),
                    "performer[0]");
    expect_rejected(fixture, consent_by_id(fixture, text, stranger),
                    "performer[0]");
    find(fixture, &relative, "RelatedPerson/m-1");
    const Salus__V1__ConsentGrant *grant =
        import_grant(fixture, consent_by_id(fixture, text, relative.id));
    assert_memory_equal(grant->delegate.data, relative.id, VAULT_ID_SIZE);
}

#define NUMBERED_PATIENT                                                       \
    "{\"resourceType\":\"Patient\",\"id\":\"p-2\",\"identifier\":[{"           \
    "\"system\":\"urn:mrn\",\"value\":\"2\"}]}"
#define BY_NUMBER "Patient?identifier=urn:mrn|2"
#define DENY_AUTHOR(reference)                                                 \
    DENY_WITHIN(TREAT, "\"data\":[{\"meaning\":\"authoredby\",\"reference\":{" \
                       "\"reference\":\"" reference "\"}}]")

/* A patient who writes and is named is one participant, under all his names,
 * made when it is first needed. */
static void test_patient_acts_as_one_participant(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_participant patient;
    struct vault_forgotten forgotten;

    assert_int_equal(import_one(fixture, NUMBERED_PATIENT)->outcome,
                     IMPORT_ON_LEDGER);
    assert_int_equal(seen.count, 1);
    assert_int_equal(import_one(fixture, DOCUMENT_BY("Patient/p-2"))->outcome,
                     IMPORT_ON_LEDGER);
    assert_int_equal(seen.count, 2);
    const Salus__V1__ParticipantRegister *registered =
        seen.bodies[0]->participant_register;
    assert_int_equal(registered->kind, TRANSACTION_PATIENT_AGENT);
    find(fixture, &patient, "Patient/p-2");
    assert_memory_equal(registered->participant.data, patient.id,
                        VAULT_ID_SIZE);
    assert_memory_equal(last_body()->record_anchor->author.data, patient.id,
                        VAULT_ID_SIZE);
    const Salus__V1__ConsentGrant *grant =
        import_grant(fixture, CONSENT(DENY_AUTHOR(BY_NUMBER)));
    assert_int_equal(seen.count, 1);
    assert_memory_equal(grant->exceptions[0]->selector->data[0]->id.data,
                        patient.id, VAULT_ID_SIZE);
    grant =
        import_grant(fixture, CONSENT_AS("2", "\"type\":\"permit\"," TREAT ","
                                              "" ACTORS("Patient/p-2")));
    assert_int_equal(seen.count, 1);
    assert_memory_equal(grant->root->actors[0]->id.data, patient.id,
                        VAULT_ID_SIZE);
    /* A mother for her child, who is a patient of the house herself. */
    grant = import_grant(
        fixture, CONSENT_BY("3", BY_NUMBER, "\"type\":\"permit\"," TREAT));
    assert_int_equal(grant->performer,
                     SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE);
    assert_memory_equal(grant->delegate.data, patient.id, VAULT_ID_SIZE);
    /* One whom nobody knows is none. */
    expect_rejected(fixture, CONSENT_AS("4", DENY_AUTHOR("Patient/p-3")),
                    "provision.provision[0].data[0].reference");
    /* And he is forgotten with what he was as a patient. */
    assert_int_equal(
        vault_forget_subject(vault, &forgotten, "Patient/p-2", false), PBFT_OK);
    assert_int_equal(forgotten.agents, 1);
    assert_int_equal(vault_find_participant(vault, &patient, "Patient/p-2"),
                     PBFT_NOT_FOUND);
}

/* ---- what for ------------------------------------------------------------ */

#define FOO_BAR                                                                \
    "\"purpose\":[{\"system\":\"http://example.org/purposes\",\"code\":"       \
    "\"FooBar\"}]"

/* CODETABLE_PUBLISH: FooBar is 100 on the ledger. */
static void publish_purpose(struct world *world)
{
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry row =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *rows[] = {&row};
    char system[] = "http://example.org/purposes";
    char code[] = "FooBar";

    row.table = CODES_PURPOSE;
    row.id = 100;
    row.system = system;
    row.code = code;
    in.version = CODES_VERSION + 1;
    in.entries = rows;
    in.n_entries = 1;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_OK);
    world->table_version = in.version;
}

static const struct vault_purpose foo_bar = {
    .id = 100, .system = "http://example.org/purposes", .code = "FooBar"};

/* It matches nothing until the vault is told what it is on the ledger, and
 * then the vault knows. */
static void test_published_purpose_reaches_the_ledger(void **state)
{
    struct import_world *fixture = *state;
    struct vault_purposes *told = &fixture->options.purposes;

    const Salus__V1__ConsentGrant *grant =
        import_grant(fixture, CONSENT("\"type\":\"permit\"," FOO_BAR));
    assert_true(grant->root->purpose_unknown);
    assert_int_equal(grant->root->n_purposes, 0);
    publish_purpose(fixture->world);
    assert_int_equal(vault_purposes_add(told, &foo_bar), PBFT_OK);
    grant =
        import_grant(fixture, CONSENT_AS("2", "\"type\":\"permit\"," FOO_BAR));
    assert_false(grant->root->purpose_unknown);
    assert_int_equal(grant->root->n_purposes, 1);
    assert_int_equal(grant->root->purposes[0], 100);
    told->count = 0;
    grant = import_grant(fixture, CONSENT_AS("3", DENY_WITHIN(TREAT, FOO_BAR)));
    assert_int_equal(grant->exceptions[0]->selector->purposes[0], 100);
    /* And what it is does not change any more. */
    assert_int_equal(vault_purposes_add(told, &foo_bar), PBFT_OK);
    told->rows[0].id = 101;
    assert_int_equal(fixture_import(fixture), PBFT_EXISTS);
    told->rows[0].id = 100;
    told->rows[0].code[0] = 'B';
    assert_int_equal(fixture_import(fixture), PBFT_EXISTS);
}

static size_t count_kept(struct import_world *fixture)
{
    struct vault_purposes kept;

    assert_int_equal(vault_purposes_load(fixture->options.vault, &kept),
                     PBFT_OK);
    return kept.count;
}

/* A number that was mistyped can be taken back; an import that does nothing
 * keeps none. */
static void test_purpose_is_kept_by_what_is_imported(void **state)
{
    struct import_world *fixture = *state;
    struct vault_purposes *told = &fixture->options.purposes;

    assert_int_equal(vault_purposes_add(told, &foo_bar), PBFT_OK);
    told->rows[0].id = 101;
    fixture->paths[0] = "/nonexistent/consents.json";
    fixture->file_count = 1;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->events[0].outcome, IMPORT_REJECTED);
    assert_int_equal(count_kept(fixture), 0);
    (void)import_one(fixture, PATIENT);
    assert_int_equal(count_kept(fixture), 1);
    told->rows[0].id = 100;
    assert_int_equal(fixture_import(fixture), PBFT_EXISTS);
    assert_non_null(strstr(fixture->reason.text, "salus vault"));
    assert_int_equal(vault_purposes_forget(fixture->options.vault,
                                           "http://example.org/purposes|Foo"),
                     PBFT_NOT_FOUND);
    assert_int_equal(
        vault_purposes_forget(fixture->options.vault,
                              "http://example.org/purposes|FooBar"),
        PBFT_OK);
    assert_int_equal(count_kept(fixture), 0);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(count_kept(fixture), 1);
}

/* ---- what exceptions inherit --------------------------------------------- */

#define LABEL(system, code) "\"securityLabel\":[" CODING(system, code) "]"
#define NORMAL LABEL("v3-Confidentiality", "N")
#define DATA(meaning)                                                          \
    "\"data\":[{\"meaning\":\"" meaning                                        \
    "\",\"reference\":{\"reference\":\"DocumentReference/d-1\"}}]"

/* Up to N is what the root permits: a deny from N on would leave the rest. */
static void test_deny_reaches_below_the_confidentiality(void **state)
{
    struct import_world *fixture = *state;

    const Salus__V1__ConsentGrant *grant = import_grant(
        fixture,
        CONSENT(DENY_WITHIN(TREAT "," NORMAL, ACTORS("Practitioner/dr-1"))));
    const Salus__V1__Selector *deny = grant->exceptions[0]->selector;
    assert_int_equal(deny->n_confidentiality, 1);
    assert_int_equal(deny->confidentiality[0], CODES_CONF_U);
    assert_int_equal(deny->n_tags, 0);
    /* The sensitivities are of the same element. */
    grant = import_grant(
        fixture,
        CONSENT(DENY_WITHIN(
            TREAT ",\"securityLabel\":[" CODING(
                "v3-Confidentiality", "N") "," CODING("v3-ActCode", "HIV") "]",
            ACTORS("Practitioner/dr-1"))));
    deny = grant->exceptions[0]->selector;
    assert_int_equal(deny->confidentiality[0], CODES_CONF_U);
    assert_int_equal(deny->n_tags, 1);
    assert_memory_equal(deny->tags[0].data, grant->root->tags[0].data,
                        VAULT_TAG_SIZE);
    /* What it states itself stands. */
    grant = import_grant(
        fixture, CONSENT(DENY_WITHIN(TREAT "," NORMAL,
                                     LABEL("v3-Confidentiality", "M"))));
    deny = grant->exceptions[0]->selector;
    assert_int_equal(deny->confidentiality[0], CODES_CONF_M);
    grant = import_grant(
        fixture,
        CONSENT(DENY_WITHIN(TREAT "," NORMAL, LABEL("v3-ActCode", "HIV"))));
    deny = grant->exceptions[0]->selector;
    assert_int_equal(deny->n_confidentiality, 0);
    assert_int_equal(deny->n_tags, 1);
}

#define PERMIT_WITHIN(root, exception)                                         \
    "\"type\":\"deny\"," root                                                  \
    ",\"provision\":[{\"type\":\"permit\"," exception "}]"

/* From R on is denied: a permit up to R would give what nobody spoke of. */
static void test_permit_within_a_confidential_deny_is_evidence(void **state)
{
    struct import_world *fixture = *state;

    expect_evidence(
        fixture,
        CONSENT(PERMIT_WITHIN(TREAT "," LABEL("v3-Confidentiality", "R"),
                              ACTORS("Practitioner/dr-1"))),
        "provision.provision[0]");
    (void)import_grant(
        fixture,
        CONSENT(PERMIT_WITHIN(
            TREAT "," LABEL("v3-Confidentiality", "R"),
            ACTORS("Practitioner/dr-1") "," LABEL("v3-Confidentiality", "R"))));
}

/* The deny of a document is one of its later versions, also if the permit is
 * what names it. */
static void test_inherited_data_are_read_by_the_exception(void **state)
{
    struct import_world *fixture = *state;

    assert_int_equal(
        import_one(fixture, DOCUMENT_BY("Practitioner/dr-1"))->outcome,
        IMPORT_ON_LEDGER);
    const Salus__V1__ConsentGrant *grant = import_grant(
        fixture, CONSENT(DENY_WITHIN(TREAT "," DATA("instance"),
                                     ACTORS("Practitioner/dr-1"))));
    assert_int_equal(grant->root->data[0]->meaning, TRANSACTION_INSTANCE);
    assert_int_equal(grant->exceptions[0]->selector->data[0]->meaning,
                     TRANSACTION_DEPENDENTS);
    grant = import_grant(fixture,
                         CONSENT(PERMIT_WITHIN(TREAT "," DATA("instance"),
                                               ACTORS("Practitioner/dr-1"))));
    assert_int_equal(grant->root->data[0]->meaning, TRANSACTION_DEPENDENTS);
    assert_int_equal(grant->exceptions[0]->selector->data[0]->meaning,
                     TRANSACTION_INSTANCE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_deny_of_no_member_is_evidence),
        T(test_deny_of_a_member_names_the_institution),
        T(test_staff_of_a_member_is_not_ours),
        T(test_role_is_the_person),
        T(test_role_waits_for_its_practitioner),
        T(test_person_has_what_all_roles_give),
        T(test_renewed_role_is_imported),
        T(test_role_of_later_ends_none_of_today),
        T(test_permit_for_one_of_several_roles_is_evidence),
        T(test_person_is_named_once),
        T(test_shared_number_makes_nobody_another),
        T(test_shared_url_makes_nobody_another),
        T(test_consent_of_another_holder_is_evidence),
        T(test_relative_of_another_decides_nothing),
        T(test_relative_of_nobody_decides_nothing),
        T(test_patient_who_acts_in_a_trial_is_nobody_elses),
        T(test_relative_by_id_is_the_one_of_the_vault),
        T(test_patient_acts_as_one_participant),
        T(test_performer_who_acts_for_nobody_is_evidence),
        T(test_published_purpose_reaches_the_ledger),
        T(test_purpose_is_kept_by_what_is_imported),
        T(test_deny_reaches_below_the_confidentiality),
        T(test_permit_within_a_confidential_deny_is_evidence),
        T(test_inherited_data_are_read_by_the_exception),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
