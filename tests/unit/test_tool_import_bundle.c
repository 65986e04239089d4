/* SPDX-License-Identifier: Apache-2.0 */
/* References by fullUrl: in its Bundle one means the entry that has it, whoever
 * had the same one in another Bundle. */
#include "tests/support/import_fixture.h"
#include "vault/care.h"
#include "vault/entries.h"

#define U "urn:uuid:00000000-0000-4000-8000-000000000001"
#define V "urn:uuid:00000000-0000-4000-8000-000000000002"
#define BUNDLE(entries)                                                        \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries \
    "]}"
#define AT(url, resource) "{\"fullUrl\":\"" url "\",\"resource\":" resource "}"
#define ENTRY(resource) "{\"resource\":" resource "}"
#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\"}"
/* Of one without an id the number says who that is. */
#define BEARER(type, number)                                                   \
    "{\"resourceType\":\"" type "\",\"identifier\":[{\"system\":\"urn:mrn\","  \
    "\"value\":\"" number "\"}]}"
#define OF(name) "{\"reference\":\"" name "\"}"
#define CONSENT(id, patient, provision)                                        \
    "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\","   \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":" OF(                                       \
        patient) ",\"dateTime\":"                                              \
                 "\"2025-03-01\",\"performer\":[" OF(                          \
                     patient) "],\"sourceAttachment\":{"                       \
                              "\"title\":\"x\"},\"policy\":[{\"uri\":"         \
                              "\"" POLICY_URI "\"}],\"provision\":{\"type\":"  \
                              "\"permit\"" provision "}}"
#define ACTOR(reference)                                                       \
    ",\"actor\":[{\"role\":{\"coding\":[{\"system\":"                          \
    "\"http://terminology.hl7.org/CodeSystem/v3-ParticipationType\",\"code\":" \
    "\"IRCP\"}]},\"reference\":" OF(reference) "}]"
#define DOCUMENT(head, patient, content, more)                                 \
    "{\"resourceType\":\"DocumentReference\"," head "\"status\":\"current\","  \
    "\"subject\":" OF(patient) ",\"content\":[{\"attachment\":{\"data\":"      \
                               "\"" content "\"}}]" more "}"
#define APPENDS(url)                                                           \
    ",\"relatesTo\":[{\"code\":\"appends\",\"target\":" OF(url) "}]"

/* ---- what was submitted -------------------------------------------------- */

static struct {
    uint8_t subject[VAULT_HANDLE_SIZE]; /* Of the last consent or document. */
    uint8_t institution[VAULT_ID_SIZE]; /* Of the last consent's actor. */
} seen;

static void look(void *context, const struct import_event *event)
{
    struct wire_arena arena;

    (void)context;
    if (event->steps == NULL) {
        return;
    }
    wire_arena_init(&arena, 1u << 20);
    const Salus__V1__TransactionBody *body = fixture_body(event, &arena);
    if (event->type == TRANSACTION_CONSENT_GRANT) {
        const Salus__V1__ConsentGrant *grant = body->consent_grant;
        memcpy(seen.subject, grant->subject.data, sizeof seen.subject);
        if (grant->root->n_actors > 0) {
            memcpy(seen.institution, grant->root->actors[0]->id.data,
                   sizeof seen.institution);
        }
    } else if (event->type == TRANSACTION_RECORD_ANCHOR) {
        const Salus__V1__RecordAnchor *anchor = body->record_anchor;
        memcpy(seen.subject, anchor->subject.data, sizeof seen.subject);
    }
    wire_arena_deinit(&arena);
}

static void import_text(struct import_world *fixture, const char *text)
{
    memset(&seen, 0, sizeof seen);
    fixture->look = look;
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
}

static void expect_event(const struct import_world *fixture, size_t at,
                         const char *type, enum import_outcome outcome)
{
    assert_true(at < fixture->event_count);
    assert_string_equal(fixture->events[at].type_name, type);
    assert_int_equal(fixture->events[at].outcome, outcome);
}

static void expect_rejected(const struct import_world *fixture, size_t at,
                            const char *type, const char *path)
{
    expect_event(fixture, at, type, IMPORT_REJECTED);
    assert_string_equal(fixture->events[at].path, path);
}

static void expect_subject(const struct import_world *fixture, const char *name)
{
    struct vault_subject subject;

    assert_int_equal(vault_find_subject(fixture->options.vault, &subject, name),
                     PBFT_OK);
    assert_memory_equal(seen.subject, subject.handle, sizeof seen.subject);
}

/* ---- with ids ------------------------------------------------------------ */

/* The Patient is rejected: nor is what names him that of the one before. */
static void test_reused_url_gives_no_consent_of_another(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture,
                BUNDLE(AT(U, PATIENT("p-7")) "," ENTRY(CONSENT("c-7", U, ""))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient/p-7");
    import_text(
        fixture,
        BUNDLE(AT(U, PATIENT("p-8")) "," ENTRY(CONSENT("c-8", U, "")) "," ENTRY(
            DOCUMENT("\"id\":\"d-8\",", U, "b25l", ""))));
    expect_rejected(fixture, 0, "Patient", "entry[0].resource.identifier");
    expect_rejected(fixture, 1, "DocumentReference",
                    "entry[2].resource.subject");
    expect_rejected(fixture, 2, "Consent", "entry[1].resource.patient");
    assert_int_equal(fixture->summary.transactions, 0);
}

/* Byte for byte what was imported before: known, and himself. */
static void test_known_patient_is_himself_under_any_url(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BUNDLE(AT(U, PATIENT("p-7"))));
    import_text(fixture, PATIENT("p-8"));
    import_text(
        fixture,
        BUNDLE(AT(U, PATIENT("p-8")) "," ENTRY(CONSENT("c-8", U, "")) "," ENTRY(
            DOCUMENT("\"id\":\"d-8\",", U, "b25l", ""))));
    expect_event(fixture, 0, "Patient", IMPORT_KNOWN);
    expect_event(fixture, 1, "DocumentReference", IMPORT_ON_LEDGER);
    expect_event(fixture, 2, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient/p-8");
    /* And again nothing new. */
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 3);
}

/* Two share it: it means neither, nor who had it before. */
static void test_url_of_two_means_nobody(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BUNDLE(AT(U, PATIENT("p-7"))));
    import_text(
        fixture,
        BUNDLE(AT(U, PATIENT("p-8")) "," AT(U, PATIENT("p-9")) "," ENTRY(
            CONSENT("c-8", U "/_history/2", ""))));
    expect_rejected(fixture, 0, "Consent", "entry[2].resource.patient");
}

/* A trial registers whom it does not know; not him who had the fullUrl. */
static void test_trial_registers_the_patient_of_the_bundle(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.register_unknown = true;
    import_text(fixture, BUNDLE(AT(U, PATIENT("p-7"))));
    import_text(fixture,
                BUNDLE(AT(U, PATIENT("p-8")) "," ENTRY(CONSENT("c-8", U, ""))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient/p-8");
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "9")) "," ENTRY(
                             CONSENT("c-9", U, ""))));
    expect_rejected(fixture, 1, "Consent", "entry[1].resource.patient");
}

/* Members are named as references say it, also where an entry has that one. */
static void test_member_is_found_by_its_address(void **state)
{
#define LAKESIDE "https://h/Organization/lakeside"
    struct import_world *fixture = *state;
    const struct party *clinic = &fixture->world->parties[CLINIC];

    fixture->options.members[0] = (struct import_member){
        .reference = LAKESIDE, .institution = clinic->institution};
    fixture->options.member_count = 1;
    import_text(fixture, PATIENT("p-7"));
    import_text(
        fixture,
        BUNDLE(
            AT(LAKESIDE,
               "{\"resourceType\":\"Organization\","
               "\"id\":\"lakeside\"}") "," ENTRY(CONSENT("c-7", "Patient/p-7",
                                                         ACTOR(LAKESIDE)))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    assert_memory_equal(seen.institution, clinic->institution.bytes,
                        sizeof seen.institution);
}

/* ---- without ids --------------------------------------------------------- */

static void test_rejected_bearer_is_nobody(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                             CONSENT("c-7", U, ""))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient?identifier=urn:mrn|7");
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "8")) "," ENTRY(
                             CONSENT("c-8", U, ""))));
    expect_rejected(fixture, 0, "Patient", "entry[0].resource.identifier");
    expect_rejected(fixture, 1, "Consent", "entry[1].resource.patient");
}

/* Somebody had it as another kind of resource: a reference does not say which
 * is meant. */
static void test_url_of_two_kinds_means_none(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BUNDLE(AT(U, PATIENT("p-7"))));
    import_text(fixture, BUNDLE(AT(U, BEARER("Practitioner", "8")) "," ENTRY(
                             CONSENT("c-8", U, ""))));
    expect_event(fixture, 0, "Practitioner", IMPORT_ON_LEDGER);
    expect_rejected(fixture, 1, "Consent", "entry[1].resource.patient");
    import_text(fixture, PATIENT("p-9"));
    import_text(fixture, BUNDLE(AT(V, BEARER("Practitioner", "9")) "," ENTRY(
                             CONSENT("c-9", "Patient/p-9", ACTOR(V)))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    import_text(fixture, BUNDLE(AT(V, BEARER("Patient", "10")) "," ENTRY(
                             CONSENT("c-10", "Patient/p-9", ACTOR(V)))));
    expect_rejected(fixture, 1, "Consent",
                    "entry[1].resource.provision.actor[0].reference");
}

/* He is then a participant too, and it is still he. */
static void test_bearer_who_acts_is_found_again(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, PATIENT("p-9"));
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                             CONSENT("c-9", "Patient/p-9", ACTOR(U)))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                             CONSENT("c-7", U, ""))));
    expect_event(fixture, 0, "Patient", IMPORT_KNOWN);
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient?identifier=urn:mrn|7");
}

/* Else a Bundle could give anybody the name of one who is imported later, or
 * his number. */
static void test_url_is_no_name_of_another(void **state)
{
    struct import_world *fixture = *state;
    struct vault_subject subject;

    import_text(fixture,
                BUNDLE(AT("Patient/p-8", BEARER("Patient", "7")) "," AT(
                    "Patient?identifier=urn:mrn|8",
                    PATIENT("p-7")) "," AT("Patient/p-9", PATIENT("p-9"))));
    assert_int_equal(fixture->summary.outcomes[IMPORT_REJECTED], 2);
    assert_int_equal(
        vault_find_subject(fixture->options.vault, &subject, "Patient/p-9"),
        PBFT_OK);
    assert_int_equal(
        vault_find_subject(fixture->options.vault, &subject, "Patient/p-8"),
        PBFT_NOT_FOUND);
}

/* A reference by identifier is none by fullUrl. */
static void test_identifier_is_no_url(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BEARER("Patient", "8"));
    import_text(
        fixture,
        BUNDLE(AT("Patient?identifier=urn:mrn|8", PATIENT("p-7")) "," ENTRY(
            "{\"resourceType\":\"DocumentReference\",\"id\":\"d-8\","
            "\"status\":\"current\",\"subject\":{\"type\":"
            "\"Patient\",\"identifier\":{\"system\":\"urn:mrn\","
            "\"value\":\"8\"}},\"content\":[{\"attachment\":{"
            "\"data\":\"b25l\"}}]}")));
    expect_event(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient?identifier=urn:mrn|8");
}

/* Known by his bytes, and the fullUrl is somebody else's. */
static void test_known_bearer_is_not_whose_url_it_is(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7"))));
    import_text(fixture, BEARER("Patient", "8"));
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "8")) "," ENTRY(
                             CONSENT("c-8", U, ""))));
    /* Another has been imported under that name since. */
    expect_event(fixture, 0, "Patient", IMPORT_REPLACED);
    expect_rejected(fixture, 1, "Consent", "entry[1].resource.patient");
    /* It is his. */
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                             CONSENT("c-7", U, ""))));
    expect_event(fixture, 0, "Patient", IMPORT_KNOWN);
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient?identifier=urn:mrn|7");
}

/* An id, and later none: the identifiers say that it is the same. */
static void test_known_bearer_is_found_where_he_was(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, BEARER("Patient", "7"));
    import_text(fixture,
                BUNDLE(AT(U, "{\"resourceType\":\"Patient\",\"identifier\":[{"
                             "\"value\":\"7\",\"system\":\"urn:mrn\"}]}")));
    expect_event(fixture, 0, "Patient", IMPORT_KNOWN);
    import_text(fixture, BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                             CONSENT("c-7", U, ""))));
    expect_event(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    expect_subject(fixture, "Patient?identifier=urn:mrn|7");
}

static void test_interrupted_import_finds_the_bearer(void **state)
{
    struct import_world *fixture = *state;

    fixture->file_count = 0;
    fixture_file(
        fixture, "1.json",
        BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(CONSENT("c-7", U, ""))));
    fixture->mood = PORT_LOSES_REPLY;
    assert_int_equal(fixture_import(fixture), PBFT_TIMED_OUT);
    vault_close(fixture->options.vault);
    fixture_open_vault(fixture);
    fixture->mood = PORT_WORKS;
    import_text(fixture,
                BUNDLE(AT(U, BEARER("Patient", "7")) "," ENTRY(
                    CONSENT("c-7", U, "")) "," ENTRY(DOCUMENT("\"id\":\"d-7\",",
                                                              U, "b25l", ""))));
    assert_int_equal(fixture->summary.outcomes[IMPORT_REJECTED], 0);
    expect_subject(fixture, "Patient?identifier=urn:mrn|7");
}

/* What comes later in the file is found when it is imported again, and until
 * then nothing else that had its fullUrl. */
static void test_document_finds_the_one_behind_it(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, PATIENT("p-7"));
    import_text(fixture, BUNDLE(AT(V, DOCUMENT("\"id\":\"d-1\",", "Patient/p-7",
                                               "b25l", ""))));
    expect_event(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
    import_text(
        fixture,
        BUNDLE(AT(U, DOCUMENT("", "Patient/p-7", "dHdv", APPENDS(V))) "," AT(
            V, DOCUMENT("", "Patient/p-7", "dGhyZWU=", ""))));
    expect_rejected(fixture, 0, "DocumentReference",
                    "entry[0].resource.relatesTo[0].target");
    expect_event(fixture, 1, "DocumentReference", IMPORT_ON_LEDGER);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_event(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
    expect_event(fixture, 1, "DocumentReference", IMPORT_KNOWN);
}

/* Nor is it a new version of another patient's, which would be retracted. */
static void test_document_ends_none_of_another(void **state)
{
    struct import_world *fixture = *state;

    import_text(fixture, PATIENT("p-7"));
    import_text(fixture, PATIENT("p-8"));
    import_text(fixture,
                BUNDLE(AT(U, DOCUMENT("", "Patient/p-7", "b25l", ""))));
    expect_event(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
    import_text(fixture,
                BUNDLE(AT(U, DOCUMENT("", "Patient/p-8", "dHdv", ""))));
    expect_rejected(fixture, 0, "DocumentReference", "entry[0].resource");
    import_text(fixture,
                BUNDLE(AT(U, DOCUMENT("", "Patient/p-7", "dHdv", ""))));
    expect_event(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_reused_url_gives_no_consent_of_another),
        T(test_known_patient_is_himself_under_any_url),
        T(test_url_of_two_means_nobody),
        T(test_trial_registers_the_patient_of_the_bundle),
        T(test_member_is_found_by_its_address),
        T(test_rejected_bearer_is_nobody),
        T(test_url_of_two_kinds_means_none),
        T(test_bearer_who_acts_is_found_again),
        T(test_url_is_no_name_of_another),
        T(test_identifier_is_no_url),
        T(test_known_bearer_is_not_whose_url_it_is),
        T(test_known_bearer_is_found_where_he_was),
        T(test_interrupted_import_finds_the_bearer),
        T(test_document_finds_the_one_behind_it),
        T(test_document_ends_none_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
