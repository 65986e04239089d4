/* SPDX-License-Identifier: Apache-2.0 */
/* What imported resources refer to: documents by name and by id of the ledger,
 * visits, other data, and who acts for a patient. */
#include "tests/support/import_fixture.h"
#include "tests/support/ledger_access.h"
#include "client/fhir_files.h"
#include "crypto/hex.h"
#include "tests/support/support.h"
#include "vault/care.h"
#include "vault/older.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"
#define DOCUMENT(id, content, more)                                            \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"" id "\",\"status\":"    \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"content\":[{"   \
    "\"attachment\":{\"data\":\"" content "\"}}]" more "}"
#define RELATES(code, target)                                                  \
    ",\"relatesTo\":[{\"code\":\"" code "\",\"target\":" target "}]"
#define BY_NAME "{\"reference\":\"DocumentReference/d-1\"}"
#define CONSENT(id, performer, provision)                                      \
    "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\","   \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":\"" performer   \
    "\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{\"uri\":"        \
    "\"" POLICY_URI "\"}],\"provision\":" provision "}"
#define DATA(meaning, reference)                                               \
    "\"data\":[{\"meaning\":\"" meaning "\",\"reference\":" reference "}]"
#define ALL_BUT(data)                                                          \
    CONSENT("c-1", "Patient/p-1",                                              \
            "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," data     \
            "}]}")
#define ONLY(data)                                                             \
    CONSENT("c-1", "Patient/p-1", "{\"type\":\"permit\"," data "}")

static const struct recorded *import_one(struct import_world *fixture,
                                         const char *text)
{
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 1);
    return &fixture->events[0];
}

static void expect_done(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->code, 0);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
}

static int setup(void **state)
{
    int result = fixture_setup(state);

    expect_done(*state, PATIENT);
    return result;
}

/* May the clinic have what the name means now? */
static bool is_open(struct import_world *fixture, const char *name)
{
    struct vault_record record;
    struct wire_arena arena;
    struct asked asked;

    assert_int_equal(vault_find_record(fixture->options.vault, &record, name),
                     PBFT_OK);
    ask_for(fixture->world, &asked, record.id);
    assert_int_equal(ask(fixture->world, &asked), LEDGER_OK);
    wire_arena_init(&arena, 8u << 20);
    bool granted = explain(fixture->world, asked.id, &arena)->granted;
    wire_arena_deinit(&arena);
    return granted;
}

/* ---- versions by id of the ledger ---------------------------------------- */

#define BY_ID_SIZE 512

/* What the name means now, as an export refers to it. */
static void refer_by_id(struct import_world *fixture, char out[BY_ID_SIZE],
                        const char *name)
{
    struct vault_record record;
    char cluster[2 * SALUS_DIGEST_SIZE + 1];
    char id[2 * VAULT_ID_SIZE + 1];

    assert_int_equal(vault_find_record(fixture->options.vault, &record, name),
                     PBFT_OK);
    hex_encode(id, bytes_of(record.id, sizeof record.id));
    hex_encode(cluster, bytes_of(fixture->port.cluster, SALUS_DIGEST_SIZE));
    (void)snprintf(out, BY_ID_SIZE,
                   "{\"type\":\"DocumentReference\",\"identifier\":{"
                   "\"system\":\"urn:salus:%s\",\"value\":\"data/%s\"}}",
                   cluster, id);
}

/* The format has one %s: the reference. */
static void import_by_id(struct import_world *fixture, const char *format,
                         const char *reference)
{
    char text[4096];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int size = snprintf(text, sizeof text, format, reference);
#pragma GCC diagnostic pop
    assert_true(size > 0 && (size_t)size < sizeof text);
    expect_done(fixture, text);
}

/* The ledger has the deny at the first version, and finds the others by their
 * relation to that: whatever name they are imported with. */
static void test_deny_is_not_escaped_by_an_id_of_the_ledger(void **state)
{
    struct import_world *fixture = *state;
    char second[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, ALL_BUT(DATA("instance", BY_NAME)));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    refer_by_id(fixture, second, "DocumentReference/d-1");
    expect_done(fixture, DOCUMENT("d-2", "YQ==", RELATES("replaces", BY_NAME)));
    assert_false(is_open(fixture, "DocumentReference/d-2"));
    import_by_id(fixture, DOCUMENT("d-3", "Yg==", RELATES("replaces", "%s")),
                 second);
    assert_false(is_open(fixture, "DocumentReference/d-3"));
    import_by_id(fixture, DOCUMENT("d-4", "Yw==", RELATES("appends", "%s")),
                 second);
    assert_false(is_open(fixture, "DocumentReference/d-4"));
    expect_done(fixture, DOCUMENT("d-5", "ZA==", ""));
    assert_true(is_open(fixture, "DocumentReference/d-5"));
}

#define REPLACING(id, before)                                                  \
    DOCUMENT(id, "YQ==",                                                       \
             RELATES("replaces",                                               \
                     "{\"reference\":\"DocumentReference/" before "\"}"))

/* Where each version is a document of its own, the third does not name the
 * first. */
static void test_deny_reaches_what_replaces_a_replacement(void **state)
{
    struct import_world *fixture = *state;
    static const char *const later[] = {
        "DocumentReference/d-2", "DocumentReference/d-3",
        "DocumentReference/d-4", "DocumentReference/d-5"};
    char reference[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, REPLACING("d-2", "d-1"));
    expect_done(fixture, ALL_BUT(DATA("instance", BY_NAME)));
    expect_done(fixture, DOCUMENT("d-2", "dHdv", RELATES("replaces", BY_NAME)));
    expect_done(fixture, REPLACING("d-3", "d-2"));
    refer_by_id(fixture, reference, "DocumentReference/d-3");
    import_by_id(fixture, DOCUMENT("d-4", "Yg==", RELATES("replaces", "%s")),
                 reference);
    expect_done(fixture,
                DOCUMENT("d-5", "Yw==",
                         RELATES("appends",
                                 "{\"reference\":\"DocumentReference/d-3\"}")));
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        assert_false(is_open(fixture, later[i]));
    }
}

/* Nor does it matter which of them the deny names. */
static void test_deny_of_a_replacement_reaches_the_others(void **state)
{
    struct import_world *fixture = *state;

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, REPLACING("d-2", "d-1"));
    expect_done(fixture, REPLACING("d-3", "d-2"));
    expect_done(
        fixture,
        ALL_BUT(DATA("related", "{\"reference\":\"DocumentReference/d-2\"}")));
    expect_done(fixture, REPLACING("d-4", "d-3"));
    assert_false(is_open(fixture, "DocumentReference/d-2"));
    assert_false(is_open(fixture, "DocumentReference/d-4"));
}

/* A permit opens no document that the one it names replaced. */
static void test_permit_of_a_replacement_opens_no_other(void **state)
{
    struct import_world *fixture = *state;
    static const char *const permits[] = {
        ONLY(DATA("dependents", "{\"reference\":\"DocumentReference/d-2\"}")),
        ONLY(DATA("related", "{\"reference\":\"DocumentReference/d-2\"}"))};

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, REPLACING("d-2", "d-1"));
    expect_done(fixture,
                DOCUMENT("d-5", "Yw==",
                         RELATES("appends",
                                 "{\"reference\":\"DocumentReference/d-2\"}")));
    for (size_t i = 0; i < sizeof permits / sizeof permits[0]; i++) {
        expect_done(fixture, permits[i]);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
        assert_true(is_open(fixture, "DocumentReference/d-5"));
    }
}

/* Nor does a deny that names a later version by its id miss the others. */
static void test_deny_by_id_reaches_all_versions(void **state)
{
    struct import_world *fixture = *state;
    static const char *const denies[] = {ALL_BUT(DATA("instance", "%s")),
                                         ALL_BUT(DATA("related", "%s")),
                                         ALL_BUT(DATA("dependents", "%s"))};
    char second[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    refer_by_id(fixture, second, "DocumentReference/d-1");
    expect_done(fixture, DOCUMENT("d-1", "dGhyZWU=", ""));
    expect_done(fixture, DOCUMENT("d-2", "YQ==", ""));
    for (size_t i = 0; i < sizeof denies / sizeof denies[0]; i++) {
        import_by_id(fixture, denies[i], second);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
        assert_true(is_open(fixture, "DocumentReference/d-2"));
    }
}

/* A permit opens what it names, and no later version. */
static void test_permit_by_id_opens_one_version(void **state)
{
    struct import_world *fixture = *state;
    static const char *const permits[] = {ONLY(DATA("instance", "%s")),
                                          ONLY(DATA("related", "%s")),
                                          ONLY(DATA("dependents", "%s"))};
    char reference[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    refer_by_id(fixture, reference, "DocumentReference/d-1");
    import_by_id(fixture, permits[0], reference);
    assert_true(is_open(fixture, "DocumentReference/d-1"));
    /* The third has it for the version before. */
    expect_done(fixture, DOCUMENT("d-1", "dGhyZWU=", ""));
    expect_done(fixture, DOCUMENT("d-1", "Zm91cg==", ""));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    for (size_t i = 1; i < sizeof permits / sizeof permits[0]; i++) {
        import_by_id(fixture, permits[i], reference);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
    }
}

/* ---- what documents and consents name besides ---------------------------- */

#define OF_PATIENT(key) ",\"" key "\":{\"reference\":\"Patient/p-1\"}"
#define VISIT(more)                                                            \
    "{\"resourceType\":\"Encounter\",\"id\":\"e-1\",\"status\":"               \
    "\"finished\",\"class\":{\"code\":\"AMB\"}" more "}"
#define MOTHER(more)                                                           \
    "{\"resourceType\":\"RelatedPerson\",\"id\":\"mother\"" more "}"
#define AT_VISIT                                                               \
    ",\"context\":{\"encounter\":[{\"reference\":\"Encounter/e-1\"}]}"
#define BY_MOTHER(id) CONSENT(id, "RelatedPerson/mother", "{\"type\":\"deny\"}")

static void expect_local(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->class_of, FHIR_LOCAL);
    assert_int_equal(event->outcome, IMPORT_LOCAL);
}

static void expect_rejected(struct import_world *fixture, const char *text,
                            const char *path)
{
    const struct recorded *event = import_one(fixture, text);

    assert_string_equal(event->path, path);
    assert_int_equal(event->outcome, IMPORT_REJECTED);
}

/* In whatever order they stand. */
static void test_consents_name_visits_and_relatives(void **state)
{
    struct import_world *fixture = *state;

    fixture->file_count = 0;
    fixture_file(fixture, "1.json", BY_MOTHER("c-7"));
    fixture_file(
        fixture, "2.json",
        CONSENT("c-8", "Patient/p-1",
                "{\"type\":\"deny\"," DATA(
                    "related", "{\"reference\":\"Encounter/e-1\"}") "}"));
    fixture_file(fixture, "3.json", DOCUMENT("d-1", "b25l", AT_VISIT));
    fixture_file(fixture, "4.json", VISIT(OF_PATIENT("subject")));
    fixture_file(fixture, "5.json", MOTHER(OF_PATIENT("patient")));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 5);
    for (size_t i = 0; i < 5; i++) {
        bool is_visit = strcmp(fixture->events[i].type_name, "Encounter") == 0;
        assert_int_equal(fixture->events[i].code, 0);
        assert_int_equal(fixture->events[i].outcome,
                         is_visit ? IMPORT_LOCAL : IMPORT_ON_LEDGER);
    }
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_REGISTER);
    assert_int_equal(fixture->summary.transactions, 4);
}

static void test_deny_of_a_visit_closes_its_documents(void **state)
{
    struct import_world *fixture = *state;

    expect_local(fixture, VISIT(OF_PATIENT("subject")));
    expect_done(fixture, DOCUMENT("d-1", "b25l", AT_VISIT));
    expect_done(fixture, DOCUMENT("d-2", "b25l", ""));
    expect_done(fixture,
                ALL_BUT(DATA("related", "{\"reference\":\"Encounter/e-1\"}")));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    assert_true(is_open(fixture, "DocumentReference/d-2"));
    /* It is the same one whenever it comes again. */
    expect_local(fixture, VISIT(OF_PATIENT("subject") ",\"language\":\"de\""));
    expect_done(fixture, DOCUMENT("d-3", "b25l", AT_VISIT));
    assert_false(is_open(fixture, "DocumentReference/d-3"));
}

/* As a profile of consents has it: deny of one observation. */
static void test_consents_name_other_data(void **state)
{
    struct import_world *fixture = *state;

    expect_rejected(
        fixture,
        ALL_BUT(DATA("instance", "{\"reference\":\"Observation/o-1\"}")),
        "provision.provision[0].data[0].reference");
    expect_local(fixture, "{\"resourceType\":\"Observation\",\"id\":\"o-1\","
                          "\"status\":\"final\"" OF_PATIENT("subject") "}");
    expect_done(fixture, ALL_BUT(DATA("instance",
                                      "{\"reference\":\"Observation/o-1\"}")));
}

/* Nothing gets an id by being named. */
static void test_what_is_not_imported_is_not_resolved(void **state)
{
    struct import_world *fixture = *state;

    expect_rejected(fixture, DOCUMENT("d-1", "b25l", AT_VISIT),
                    "context.encounter[0]");
    expect_rejected(fixture, BY_MOTHER("c-7"), "performer[0]");
    expect_rejected(fixture,
                    VISIT(",\"subject\":{\"reference\":\"Patient/p-2\"}"),
                    "subject");
    expect_rejected(fixture,
                    MOTHER(",\"patient\":{\"reference\":\"Patient/p-2\"}"),
                    "patient");
    expect_rejected(fixture, MOTHER(""), "patient");
}

/* A relationship has its time, and the ledger is told of it. */
static void test_relative_acts_for_a_time(void **state)
{
    struct import_world *fixture = *state;
    const struct recorded *event;

    expect_done(fixture,
                MOTHER(OF_PATIENT("patient") ",\"period\":{\"end\":\"2091\"}"));
    expect_done(fixture, BY_MOTHER("c-1"));
    expect_done(fixture, MOTHER(OF_PATIENT(
                             "patient") ",\"period\":{\"start\":\"2090\"}"));
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_UPDATE);
    event = import_one(fixture, BY_MOTHER("c-2"));
    assert_int_equal(event->outcome, IMPORT_REFUSED);
    assert_int_equal(event->code, LEDGER_DELEG_STATE);
}

static void test_device_is_a_service(void **state)
{
    struct import_world *fixture = *state;
    struct vault_participant device;
    static const char actor[] =
        "\"actor\":[{\"role\":{\"coding\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/v3-ParticipationType\","
        "\"code\":\"IRCP\"}]},\"reference\":{\"reference\":\"Device/x-1\"}}]";

    expect_done(fixture, "{\"resourceType\":\"Device\",\"id\":\"x-1\","
                         "\"status\":\"active\"}");
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_REGISTER);
    assert_int_equal(
        vault_find_participant(fixture->options.vault, &device, "Device/x-1"),
        PBFT_OK);
    assert_int_equal(device.kind, TRANSACTION_SERVICE);
    import_by_id(fixture, ALL_BUT("%s"), actor);
}

/* ---- several authors ----------------------------------------------------- */

#define PERSON(id) "{\"resourceType\":\"Practitioner\",\"id\":\"" id "\"}"
#define REFERENCE(name) "{\"reference\":\"" name "\"}"
#define AUTHORS(first, second, third)                                          \
    ",\"author\":[" REFERENCE(first) "," REFERENCE(second) "," REFERENCE(      \
        third) "]"
#define DENY_OF(author) ALL_BUT(DATA("authoredby", REFERENCE(author)))
#define PERMIT_OF(author) ONLY(DATA("authoredby", REFERENCE(author)))

static void import_people(struct import_world *fixture)
{
    struct pbft_institution own = fixture->world->parties[HOSPITAL].institution;

    expect_done(fixture, PERSON("dr-1"));
    expect_done(fixture, PERSON("dr-2"));
    expect_done(fixture, PERSON("dr-3"));
    assert_int_equal(
        vault_set_institution(fixture->options.vault, "Organization/own", &own),
        PBFT_OK);
}

/* A rule on an author finds him wherever he stands among them. */
static void test_rules_find_each_of_several_authors(void **state)
{
    struct import_world *fixture = *state;
    static const char *const denies[] = {DENY_OF("Practitioner/dr-1"),
                                         DENY_OF("Practitioner/dr-2")};
    static const char *const permits[] = {PERMIT_OF("Practitioner/dr-1"),
                                          PERMIT_OF("Practitioner/dr-2")};

    import_people(fixture);
    expect_done(fixture,
                DOCUMENT("d-1", "b25l",
                         AUTHORS("Organization/own", "Practitioner/dr-1",
                                 "Practitioner/dr-2")));
    expect_done(fixture,
                DOCUMENT("d-2", "b25l",
                         ",\"author\":[" REFERENCE("Practitioner/dr-3") "]"));
    for (size_t i = 0; i < 2; i++) {
        expect_done(fixture, denies[i]);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
        assert_true(is_open(fixture, "DocumentReference/d-2"));
        expect_done(fixture, permits[i]);
        assert_true(is_open(fixture, "DocumentReference/d-1"));
        assert_false(is_open(fixture, "DocumentReference/d-2"));
    }
    expect_done(fixture, DENY_OF("Practitioner/dr-3"));
    assert_true(is_open(fixture, "DocumentReference/d-1"));
    /* Nobody is left out because he is not known. */
    expect_rejected(fixture,
                    DOCUMENT("d-3", "b25l",
                             AUTHORS("Practitioner/dr-1", "Practitioner/dr-9",
                                     "Practitioner/dr-2")),
                    "author[1]");
}

/* A grant as an older program kept it, whose deny may name an author alone. */
static void add_older_grant(struct import_world *fixture)
{
    struct vault *vault = fixture->options.vault;
    struct vault_subject patient;
    struct vault_consent consent;
    int64_t ids[2];
    size_t count = 0;

    assert_int_equal(vault_find_subject(vault, &patient, "Patient/p-1"),
                     PBFT_OK);
    vault_draw_consent(&consent);
    consent.kind = VAULT_GRANT;
    consent.finds_authors = false;
    memcpy(consent.subject, patient.handle, sizeof consent.subject);
    assert_int_equal(vault_set_consent(vault, "Consent/c-1", &consent),
                     PBFT_OK);
    assert_int_equal(
        vault_list(vault, ids, 2, &count, VAULT_CONSENT, VAULT_PLAIN), PBFT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(vault_mark_older_rules(vault, ids[0]), PBFT_OK);
}

static void test_older_grants_keep_several_authors_out(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_subject patient;
    struct vault_consent newer;
    bool found = false;
    static const char several[] = DOCUMENT(
        "d-1", "b25l",
        AUTHORS("Practitioner/dr-1", "Practitioner/dr-2", "Practitioner/dr-3"));

    import_people(fixture);
    add_older_grant(fixture);
    expect_rejected(fixture, several, "author");
    /* One whom any rule finds is let in, under two names too. */
    expect_done(fixture,
                DOCUMENT("d-2", "b25l",
                         AUTHORS("Practitioner/dr-1", "Practitioner/dr-1",
                                 "Organization/own")));
    /* Until it is imported again. */
    assert_int_equal(vault_find_consent(vault, &newer, "Consent/c-1"), PBFT_OK);
    uint8_t older[VAULT_ID_SIZE];
    memcpy(older, newer.id, sizeof older);
    vault_draw_consent(&newer);
    newer.kind = VAULT_GRANT;
    assert_int_equal(vault_find_subject(vault, &patient, "Patient/p-1"),
                     PBFT_OK);
    memcpy(newer.subject, patient.handle, sizeof newer.subject);
    assert_int_equal(vault_set_consent(vault, "Consent/c-1", &newer), PBFT_OK);
    assert_int_equal(vault_has_older_rules(vault, &found, patient.handle, 1),
                     PBFT_OK);
    assert_true(found);
    assert_int_equal(vault_note_replaced(vault, &newer, older), PBFT_OK);
    assert_int_equal(vault_has_older_rules(vault, &found, patient.handle, 1),
                     PBFT_OK);
    assert_false(found);
    expect_done(fixture, several);
}

static void expect_resolved(void *context, const struct import_event *event)
{
    const struct fhir_report *report = fhir_item_report(event->item);

    (void)context;
    for (size_t i = 0; i < report->count; i++) {
        assert_int_not_equal(report->findings[i].kind, FHIR_UNRESOLVED);
    }
}

/* What the examples name is among them: nothing is rejected for want of it. */
static void test_examples_name_what_is_there(void **state)
{
    struct import_world *fixture = *state;
    struct fhir_files files = {NULL, 0, 0};
    char folder[SUPPORT_PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s/examples/fhir",
                   support_source_dir());
    assert_int_equal(fhir_files_add(&files, folder, NULL, NULL), PBFT_OK);
    fixture->event_count = 0;
    fixture->look = expect_resolved;
    assert_int_equal(import_run(&fixture->port, &fixture->options,
                                (const char *const *)files.paths, files.count,
                                fixture_progress, fixture, &fixture->summary,
                                &fixture->reason),
                     PBFT_OK);
    fhir_files_free(&files);
    assert_true(fixture->summary.outcomes[IMPORT_ON_LEDGER] > 15);
    assert_int_equal(fixture->summary.outcomes[IMPORT_LOCAL], 2);
}

/* Who knows of the visit or the mother, and has the vault, would know whose the
 * records are. */
static void test_patient_is_forgotten_with_visits_and_relatives(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_forgotten forgotten;
    struct vault_participant mother;
    struct vault_context visit;

    expect_done(fixture, "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}");
    expect_done(fixture, "{\"resourceType\":\"Practitioner\",\"id\":\"dr-1\"}");
    /* Of whom they were said to be at first does not matter. */
    expect_local(fixture,
                 VISIT(",\"subject\":{\"reference\":\"Patient/p-2\"}"));
    expect_done(fixture,
                MOTHER(",\"patient\":{\"reference\":\"Patient/p-2\"}"));
    expect_local(fixture, VISIT(OF_PATIENT("subject")));
    expect_done(fixture, MOTHER(OF_PATIENT("patient")));
    assert_int_equal(
        vault_forget_subject(vault, &forgotten, "Patient/p-2", false), PBFT_OK);
    assert_int_equal(forgotten.contexts + forgotten.agents, 0);
    assert_int_equal(vault_find_context(vault, &visit, "Encounter/e-1"),
                     PBFT_OK);
    assert_int_equal(
        vault_forget_subject(vault, &forgotten, "Patient/p-1", false), PBFT_OK);
    assert_int_equal(forgotten.contexts, 1);
    assert_int_equal(forgotten.agents, 1);
    assert_int_equal(vault_find_context(vault, &visit, "Encounter/e-1"),
                     PBFT_NOT_FOUND);
    assert_int_equal(
        vault_find_participant(vault, &mother, "RelatedPerson/mother"),
        PBFT_NOT_FOUND);
    assert_int_equal(
        vault_find_participant(vault, &mother, "Practitioner/dr-1"), PBFT_OK);
}

/* ---- names that no vault can have ---------------------------------------- */

/* One resource is rejected, and the others are imported: of another patient,
 * too. */
static void expect_one_rejected(struct import_world *fixture, const char *text,
                                const char *path)
{
    fixture->file_count = 0;
    fixture_file(fixture, "1.json",
                 CONSENT("c-1", "Patient/p-1", "{\"type\":\"deny\"}"));
    fixture_file(fixture, "2.json", text);
    fixture_file(fixture, "3.json", DOCUMENT("d-1", "b25l", ""));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 3);
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 2);
    for (size_t i = 0; i < 3; i++) {
        if (fixture->events[i].outcome == IMPORT_REJECTED) {
            assert_string_equal(fixture->events[i].path, path);
        }
    }
}

static void test_long_full_url_stops_no_import(void **state)
{
    static char text[9000];
    size_t used = (size_t)snprintf(
        text, sizeof text,
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"
        "\"fullUrl\":\"urn:x:");

    memset(text + used, 'y', VAULT_NAME_MAX);
    used += VAULT_NAME_MAX;
    (void)snprintf(text + used, sizeof text - used,
                   "\",\"resource\":{\"resourceType\":\"Patient\",\"id\":"
                   "\"p-2\"}}]}");
    expect_one_rejected(*state, text, "entry[0].fullUrl");
}

/* Of a version nothing is left but its number. */
static void test_reference_without_a_name_stops_no_import(void **state)
{
    expect_one_rejected(*state,
                        DOCUMENT("d-2", "b25l",
                                 ",\"author\":[{\"reference\":"
                                 "\"/_history/1\"}]"),
                        "author[0]");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_deny_is_not_escaped_by_an_id_of_the_ledger),
        T(test_deny_reaches_what_replaces_a_replacement),
        T(test_deny_of_a_replacement_reaches_the_others),
        T(test_permit_of_a_replacement_opens_no_other),
        T(test_deny_by_id_reaches_all_versions),
        T(test_rules_find_each_of_several_authors),
        T(test_older_grants_keep_several_authors_out),
        T(test_permit_by_id_opens_one_version),
        T(test_consents_name_visits_and_relatives),
        T(test_deny_of_a_visit_closes_its_documents),
        T(test_consents_name_other_data),
        T(test_what_is_not_imported_is_not_resolved),
        T(test_relative_acts_for_a_time),
        T(test_device_is_a_service),
        T(test_examples_name_what_is_there),
        T(test_patient_is_forgotten_with_visits_and_relatives),
        T(test_long_full_url_stops_no_import),
        T(test_reference_without_a_name_stops_no_import),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
