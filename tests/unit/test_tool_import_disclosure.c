/* SPDX-License-Identifier: Apache-2.0 */
/* AuditEvents of disclosures that no request on the ledger asked for: by law,
 * by consent, to recipients of whom the event has only words. What the tool
 * takes the ledger takes, and 45 CFR 164.528 sees it; what it does not take
 * never gets there. */
#include <sys/stat.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "tests/support/import_fixture.h"
#include "tests/support/ledger_acts.h"
#include "tests/support/support.h"
#include "vault/events.h"

#define DCM "http://dicom.nema.org/resources/ontology/DCM"
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\"}"
#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define CONCEPT(system, code) "{\"coding\":[" CODING(system, code) "]}"
#define TO_CLINIC "{\"reference\":\"Organization/clinic\"}"
/* As the examples of IHE BALP have it. */
#define TO_MACHINE "{\"display\":\"myMachine.example.org\"}"
#define BY_PATIENT                                                             \
    ",{\"type\":" CONCEPT(                                                     \
        "http://snomed.info/sct",                                              \
        "429577009") ",\"who\":{\"reference\":\"Patient/p-1\"},\"requestor\":" \
                     "true}"
#define EVENT(id, purpose, who, policies, agents, entities)                                                                                 \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"" id                                                                                         \
    "\",\"type\":" CODING(DCM, "110106") ",\"subtype\":[" CODING(                                                                           \
        HL7 "iso-21089-lifecycle",                                                                                                          \
        "disclose") "," CODING("http://hl7.org/fhir/restful-interaction",                                                                   \
                               "read") "],\"action\":\"R\",\"recorded\":"                                                                   \
                                       "\"2025-03-01T10:00:00.000Z\","                                                                      \
                                       "\"outcome\":\"0\","                                                                                 \
                                       "\"purposeOfEvent\":[" CONCEPT(                                                                      \
                                           HL7 "v3-ActReason",                                                                              \
                                           purpose) "],\"agent\":["                                                                         \
                                                    "{\"type\":" CONCEPT(                                                                   \
                                                        DCM,                                                                                \
                                                        "110153") ","                                                                       \
                                                                  "\"who\":{"                                                               \
                                                                  "\"display"                                                               \
                                                                  "\":\"a "                                                                 \
                                                                  "machine\"}"                                                              \
                                                                  ",\"request"                                                              \
                                                                  "or\":"                                                                   \
                                                                  "false,"                                                                  \
                                                                  "\"network"                                                               \
                                                                  "\":{"                                                                    \
                                                                  "\"address"                                                               \
                                                                  "\":"                                                                     \
                                                                  "\"myDevice"                                                              \
                                                                  ".example."                                                               \
                                                                  "com\","                                                                  \
                                                                  "\"type\":"                                                               \
                                                                  "\"1\""                                                                   \
                                                                  "}" policies                                                              \
                                                                  "},{"                                                                     \
                                                                  "\"type\""                                                                \
                                                                  ":" CONCEPT(                                                              \
                                                                      DCM,                                                                  \
                                                                      "11015"                                                               \
                                                                      "2") ","                                                              \
                                                                           "\"who\":" who                                                   \
                                                                           ","                                                              \
                                                                           "\"requestor\":false}" agents                                    \
                                                                           "]"                                                              \
                                                                           ","                                                              \
                                                                           "\"source\":{\"observer\":{\"display\":"                         \
                                                                           "\"x\"}},\"entity\":[{\"what\":{\"reference\":\"Patient/p-1\"}," \
                                                                           "\"role\":{\"code\":\"1\"}},{\"what\":{\"reference\":"           \
                                                                           "\"DocumentReference/d-1\"},\"role\":{\"code\":\"3\"}}" entities \
                                                                           "]"                                                              \
                                                                           "}"
#define TOLD(id, purpose) EVENT(id, purpose, TO_CLINIC, "", "", "")
#define ON(id, purpose, policies)                                              \
    EVENT(id, purpose, TO_CLINIC, ",\"policy\":[" policies "]", "", "")
#define LAW(code) "\"urn:salus:legal-basis:" code "\""
#define COMMIT                                                                 \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01"
#define WRITING "\"urn:salus:document:" COMMIT "\""
#define REQUEST "\"urn:salus:request:9f3a5d20-0000-4000-8000-00000000000a\""
#define BY_CONSENT(id, reference, more)                                        \
    EVENT(id, "HMARKT", TO_CLINIC, more, "",                                   \
          ",{\"what\":{\"reference\":\"" reference "\"},\"type\":" CODING(     \
              "http://hl7.org/fhir/resource-types", "Consent") "}")
#define CONSENT(id, provision)                                                 \
    "{\"resourceType\":\"Consent\",\"id\":\"" id                               \
    "\",\"status\":\"active\",\"scope\":" CONCEPT(                             \
        HL7 "consentscope",                                                    \
        "patient-privacy") ","                                                 \
                           "\"category\":[{\"text\":\"x\"}],\"patient\":{"     \
                           "\"reference\":"                                    \
                           "\"Patient/"                                        \
                           "p-1\"},\"dateTime\":\"2025-02-01\",\"performer\":" \
                           "[{"                                                \
                           "\"reference\":\"Patient/"                          \
                           "p-1\"}],\"sourceAttachment\":{\"title\":\"x\"},"   \
                           "\"policy\":[{\"uri\":\"" POLICY_URI                \
                           "\"}],\"provision\":{" provision "}}"

static const uint8_t order[] = "By order of the court";
static const struct pbft_bytes order_bytes = {order, sizeof order - 1};

/* ---- what was seen ------------------------------------------------------- */

static struct {
    struct wire_arena arena;
    const Salus__V1__TransactionBody *body; /* The last one. */
} seen;

static void look(void *context, const struct import_event *event)
{
    (void)context;
    for (uint32_t i = 0; event->steps != NULL && i < event->steps->step_count;
         i++) {
        seen.body = fixture_step_body(&event->steps->steps[i], &seen.arena);
    }
}

static const struct recorded *import_one(struct import_world *fixture,
                                         const char *text)
{
    wire_arena_reset(&seen.arena);
    seen.body = NULL;
    fixture->look = look;
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    return &fixture->events[fixture->event_count - 1];
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct import_world *fixture = *state;

    wire_arena_init(&seen.arena, 1u << 20);
    fixture->options.members[0].reference = "Organization/clinic";
    fixture->options.members[0].institution =
        fixture->world->parties[CLINIC].institution;
    fixture->options.member_count = 1;
    assert_int_equal(import_one(fixture, PATIENT("p-1"))->outcome,
                     IMPORT_ON_LEDGER);
    return result;
}

static int teardown(void **state)
{
    wire_arena_deinit(&seen.arena);
    return fixture_teardown(state);
}

static const Salus__V1__Disclosure *
expect_disclosure(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->code, 0);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_DISCLOSURE);
    assert_int_equal(fixture_judge(fixture, 0), FHIR_ENFORCEABLE);
    return seen.body->disclosure;
}

/* By the tool: nothing gets to the ledger, which would refuse it. */
static void expect_rejected(struct import_world *fixture, const char *text,
                            const char *path)
{
    uint64_t before = fixture_executed(fixture);
    const struct recorded *event = import_one(fixture, text);

    assert_string_equal(event->path, path);
    assert_int_equal(event->outcome, IMPORT_REJECTED);
    assert_int_equal(event->class_of, FHIR_REJECT);
    assert_int_equal(fixture_executed(fixture), before);
    assert_int_equal(fixture_judge(fixture, 0), FHIR_REJECT);
}

/* Rows that the patient's accounting has; `last` gets a copy of the last. */
static size_t accounted(struct import_world *fixture,
                        Salus__V1__Accounting__Row *last)
{
    struct vault_subject subject;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    struct wire_arena arena;

    assert_int_equal(
        vault_find_subject(fixture->options.vault, &subject, "Patient/p-1"),
        PBFT_OK);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    ProtobufCBinaryData handle = field_of(subject.handle, 32);
    in.subjects = &handle;
    in.n_subjects = 1;
    in.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    const Salus__V1__Accounting *out =
        act_ask(fixture->world, HOSPITAL, &query, &arena)->accounting;
    size_t count = out->n_rows;
    if (count > 0 && last != NULL) {
        *last = *out->rows[count - 1];
    }
    wire_arena_deinit(&arena);
    return count;
}

/* ---- by law -------------------------------------------------------------- */

static void test_public_health_is_accounted_for(void **state)
{
    struct import_world *fixture = *state;
    Salus__V1__Accounting__Row row;
    struct vault_event event;
    struct pbft_digest commit;

    fixture->options.basis_document = order_bytes;
    const Salus__V1__Disclosure *told =
        expect_disclosure(fixture, TOLD("a-1", "PUBHLTH"));
    assert_int_equal(told->basis, CODES_BASIS_PUBLIC_HEALTH);
    assert_false(told->violation);
    assert_int_equal(vault_find_event(fixture->options.vault, &event, NULL,
                                      "AuditEvent/a-1"),
                     PBFT_OK);
    /* Whoever has file and vault can show what it commits to. */
    commit_sha256(&commit, COMMIT_DOMAIN_EVIDENCE, event.salt, order_bytes);
    assert_int_equal(told->document_commit.len, PBFT_DIGEST_SIZE);
    assert_memory_equal(told->document_commit.data, commit.bytes,
                        PBFT_DIGEST_SIZE);
    assert_int_equal(accounted(fixture, &row), 1);
    assert_int_equal(row.basis, CODES_BASIS_PUBLIC_HEALTH);
    assert_false(row.violation);
    assert_int_equal(import_one(fixture, TOLD("a-1", "PUBHLTH"))->outcome,
                     IMPORT_KNOWN);
    assert_int_equal(accounted(fixture, NULL), 1);
}

static void test_law_needs_its_document(void **state)
{
    struct import_world *fixture = *state;

    expect_rejected(fixture, TOLD("a-1", "PUBHLTH"), "agent");
    expect_rejected(fixture, ON("a-1", "HLEGAL", LAW("court-order")), "agent");
    fixture->options.basis = CODES_BASIS_COURT_ORDER;
    expect_rejected(fixture, TOLD("a-1", "HLEGAL"), "agent");
    /* Not even as a violation: what it claims would be dropped. */
    fixture->options.basis = 0;
    fixture->options.self_report = true;
    expect_rejected(fixture, ON("a-1", "HLEGAL", LAW("court-order")), "agent");
    assert_int_equal(accounted(fixture, NULL), 0);
    /* A purpose alone claims nothing. */
    const Salus__V1__Disclosure *told =
        expect_disclosure(fixture, TOLD("a-1", "PUBHLTH"));
    assert_true(told->violation);
    assert_int_equal(told->basis, 0);
}

static void test_event_names_law_and_document(void **state)
{
    static const struct {
        const char *text;
        uint32_t basis;
    } cases[] = {
        {ON("a-1", "HLEGAL", LAW("court-order") "," WRITING),
         CODES_BASIS_COURT_ORDER},
        {ON("a-2", "TREAT", LAW("required-by-law") ",\"urn:x:y\"," WRITING),
         CODES_BASIS_REQUIRED_BY_LAW},
        {ON("a-3", "PUBHLTH", LAW("required-by-law") "," WRITING),
         CODES_BASIS_REQUIRED_BY_LAW},
        {ON("a-4", "HOPERAT", LAW("public-health") "," WRITING),
         CODES_BASIS_PUBLIC_HEALTH},
        {ON("a-5", "PUBHLTH", WRITING), CODES_BASIS_PUBLIC_HEALTH},
    };
    struct import_world *fixture = *state;
    uint8_t commit[PBFT_DIGEST_SIZE];
    Salus__V1__Accounting__Row row;

    assert_int_equal(hex_decode(commit, sizeof commit, COMMIT), PBFT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Salus__V1__Disclosure *told =
            expect_disclosure(fixture, cases[i].text);
        assert_int_equal(told->basis, cases[i].basis);
        assert_memory_equal(told->document_commit.data, commit, sizeof commit);
        assert_int_equal(accounted(fixture, &row), i + 1);
    }
}

static void test_odd_bases_are_rejected(void **state)
{
    struct import_world *fixture = *state;
    static const char *const texts[] = {
        ON("a-1", "HLEGAL", LAW("consent") "," WRITING),
        ON("a-1", "HLEGAL", LAW("individual-access") "," WRITING),
        ON("a-1", "HLEGAL", LAW("treatment-payment-operations") "," WRITING),
        ON("a-1", "HLEGAL", LAW("Court-Order") "," WRITING),
        ON("a-1", "HLEGAL", LAW("") "," WRITING),
        ON("a-1", "HLEGAL", "\"urn:salus:legal-basis\"," WRITING),
        ON("a-1", "HLEGAL", "\"URN:SALUS:legal-basis:court-order\"," WRITING),
        ON("a-1", "HLEGAL", "\"urn:salus:document:00ff\"," LAW("court-order")),
    };

    fixture->options.basis_document = order_bytes;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_rejected(fixture, texts[i], "agent[0].policy[0]");
    }
    expect_rejected(
        fixture,
        ON("a-1", "HLEGAL", LAW("court-order") "," LAW("public-health")),
        "agent[0].policy[1]");
    expect_rejected(fixture, ON("a-1", "PUBHLTH", WRITING "," WRITING),
                    "agent[0].policy[1]");
    /* A decision is a ground of its own; a writing shows nothing of it. */
    expect_rejected(
        fixture, ON("a-1", "HLEGAL", REQUEST "," LAW("court-order")), "agent");
    expect_rejected(fixture, ON("a-1", "PUBHLTH", REQUEST "," WRITING),
                    "agent");
    expect_rejected(fixture, ON("a-1", "HLEGAL", WRITING), "agent");
}

/* It would be dropped. */
static void test_emergency_stands_on_no_law(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.emergency_reason = CODES_REASON_LIFE_THREAT;
    expect_rejected(
        fixture,
        "{\"resourceType\":\"AuditEvent\",\"id\":\"a-1\",\"type\":" CODING(
            DCM,
            "110113") ",\"recorded\":\"2025-03-01T10:00:00Z\","
                      "\"outcome\":\"0\",\"purposeOfEvent\":[" CONCEPT(
                          HL7 "v3-ActReason",
                          "BTG") "],\"agent\":[{\"who\":{\"reference\":"
                                 "\"Practitioner/dr-1\"},"
                                 "\"requestor\":true,\"policy\":"
                                 "[" LAW(
                                     "court-order") "]}],"
                                                    "\"entity\":[{\"what\":{"
                                                    "\"reference\":\"Patient/"
                                                    "p-1\"},"
                                                    "\"role\":{\"code\":\"1\"}}"
                                                    "]}",
        "agent[0].policy[0]");
}

static void test_purposes_beside_are_no_ground(void **state)
{
    struct import_world *fixture = *state;
    static const char *const texts[] = {
        TOLD("a-1", "HLEGAL"),   TOLD("a-1", "HCOMPL"), TOLD("a-1", "GOV"),
        TOLD("a-1", "DISASTER"), TOLD("a-1", "THREAT"), TOLD("a-1", "TREAT")};

    fixture->options.basis_document = order_bytes;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_rejected(fixture, texts[i], "agent");
    }
    /* "To provide information as a result of a subpoena": no PurposeOfUse. */
    expect_rejected(fixture, TOLD("a-1", "LEGAL"), "purposeOfEvent[0]");
}

static void test_institution_says_the_law(void **state)
{
    struct import_world *fixture = *state;
    Salus__V1__Accounting__Row row;

    fixture->options.basis = CODES_BASIS_COURT_ORDER;
    fixture->options.basis_document = order_bytes;
    const Salus__V1__Disclosure *told =
        expect_disclosure(fixture, TOLD("a-1", "HLEGAL"));
    assert_int_equal(told->basis, CODES_BASIS_COURT_ORDER);
    assert_int_equal(accounted(fixture, &row), 1);
    assert_int_equal(row.basis, CODES_BASIS_COURT_ORDER);
    /* Only where the event says nothing itself. */
    expect_rejected(fixture, TOLD("a-2", "PUBHLTH"), "purposeOfEvent");
    expect_rejected(fixture,
                    ON("a-2", "HLEGAL", LAW("required-by-law") "," WRITING),
                    "agent");
    expect_rejected(fixture, TOLD("a-2", "BTG"), "agent");
    expect_rejected(fixture, TOLD("a-2", "ETREAT"), "agent");
    const struct recorded *event =
        import_one(fixture, ON("a-2", "HLEGAL", REQUEST));
    assert_int_equal(event->outcome, IMPORT_REFUSED);
    assert_int_equal(event->code, LEDGER_NO_DECISION);
    told = expect_disclosure(
        fixture, EVENT("a-3", "PATRQT", TO_CLINIC, "", BY_PATIENT, ""));
    assert_int_equal(told->basis, CODES_BASIS_INDIVIDUAL);
    assert_int_equal(told->document_commit.len, 0);
}

/* ---- to whom ------------------------------------------------------------- */

static void test_recipient_of_whom_there_are_words(void **state)
{
    struct import_world *fixture = *state;
    const char *text = EVENT("a-1", "PATRQT", TO_MACHINE, "", BY_PATIENT, "");

    expect_rejected(fixture, text, "agent[1].who");
    fixture->options.recipient = "Organization/nobody";
    assert_int_equal(import_one(fixture, text)->outcome, IMPORT_REJECTED);
    fixture->options.recipient = "Organization/clinic";
    const Salus__V1__Disclosure *told = expect_disclosure(fixture, text);
    assert_int_equal(told->basis, CODES_BASIS_INDIVIDUAL);
    assert_memory_equal(told->recipient.data,
                        fixture->world->parties[CLINIC].institution.bytes,
                        SALUS_ID_SIZE);
    /* Whom the event does refer to, it is. */
    const struct recorded *event = import_one(
        fixture, EVENT("a-2", "PATRQT", "{\"reference\":\"Organization/x\"}",
                       "", BY_PATIENT, ""));
    assert_int_equal(event->outcome, IMPORT_REJECTED);
    assert_string_equal(event->path, "agent[1].who");
}

/* The examples of IHE BALP as they are published. */
static void test_published_examples_are_imported(void **state)
{
    static const char *const names[] = {
        "fhir/ihe-balp/AuditEvent-ex-auditPrivacyDisclosure-source.json",
        "fhir/ihe-balp/"
        "AuditEvent-ex-auditPrivacyDisclosure-measurereport.json"};
    struct import_world *fixture = *state;
    struct stat info;

    fixture->options.recipient = "Organization/clinic";
    (void)import_one(fixture, PATIENT("ex-patient"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        support_shared_path(fixture->files[0], sizeof fixture->files[0],
                            names[i]);
        if (stat(fixture->files[0], &info) != 0) {
            print_message("SKIPPED: no %s (SALUS_SHARED_DATA)\n",
                          fixture->files[0]);
            skip();
        }
        assert_int_equal(fixture_import(fixture), PBFT_OK);
        assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
        assert_int_equal(fixture->events[0].type, TRANSACTION_DISCLOSURE);
        assert_int_equal(seen.body->disclosure->basis, CODES_BASIS_INDIVIDUAL);
    }
}

/* One who is no member is a unit of one's own, as everywhere. */
static void test_recipient_outside_of_the_consortium(void **state)
{
    struct import_world *fixture = *state;

    assert_int_equal(
        import_one(fixture,
                   "{\"resourceType\":\"Organization\",\"id\":\"health\"}")
            ->outcome,
        IMPORT_ON_LEDGER);
    fixture->options.recipient = "Organization/health";
    fixture->options.basis_document = order_bytes;
    const Salus__V1__Disclosure *told = expect_disclosure(
        fixture, EVENT("a-1", "PUBHLTH", TO_MACHINE, "", "", ""));
    assert_int_equal(told->recipient_participant.len, SALUS_ID_SIZE);
    assert_int_equal(accounted(fixture, NULL), 1);
}

/* ---- by consent ---------------------------------------------------------- */

static void test_consent_is_no_decision(void **state)
{
    struct import_world *fixture = *state;
    Salus__V1__Accounting__Row row;

    assert_int_equal(
        import_one(fixture,
                   CONSENT("c-1", "\"type\":\"permit\",\"purpose\":[" CODING(
                                      HL7 "v3-ActReason", "HMARKT") "]"))
            ->type,
        TRANSACTION_CONSENT_GRANT);
    expect_rejected(fixture, BY_CONSENT("a-1", "Consent/c-1", ""),
                    "entity[2].what");
    fixture->options.self_report = true;
    const Salus__V1__Disclosure *told =
        expect_disclosure(fixture, BY_CONSENT("a-1", "Consent/c-1", ""));
    assert_true(told->violation);
    assert_int_equal(told->basis, CODES_BASIS_CONSENT);
    assert_int_equal(told->item_count, 1);
    assert_int_equal(accounted(fixture, &row), 1);
    assert_int_equal(row.basis, CODES_BASIS_CONSENT);
    assert_true(row.violation);
}

static void test_only_consents_on_file_are_a_ground(void **state)
{
    struct import_world *fixture = *state;
    static const char *const texts[] = {
        BY_CONSENT("a-1", "Consent/c-2", ""), /* Evidence. */
        BY_CONSENT("a-2", "Consent/c-9", ""), /* Of which nobody knows. */
        BY_CONSENT("a-3", "Patient/p-1", ""), BY_CONSENT("a-4", "#inside", "")};

    (void)import_one(fixture,
                     CONSENT("c-2", "\"period\":{\"start\":\"2025\"}"));
    assert_int_equal(fixture->events[0].type, TRANSACTION_CONSENT_EVIDENCE);
    fixture->options.self_report = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const Salus__V1__Disclosure *told =
            expect_disclosure(fixture, texts[i]);
        assert_true(told->violation);
        assert_int_equal(told->basis, 0);
    }
}

/* Beside another ground it says nothing, and hides nothing. */
static void test_consent_beside_a_law(void **state)
{
    struct import_world *fixture = *state;

    const Salus__V1__Disclosure *told = expect_disclosure(
        fixture,
        BY_CONSENT("a-1", "#inside",
                   ",\"policy\":[" LAW("court-order") "," WRITING "]"));
    assert_int_equal(told->basis, CODES_BASIS_COURT_ORDER);
    assert_false(told->violation);
}

/* ---- groups -------------------------------------------------------------- */

#define GROUP(member)                                                          \
    "{\"resourceType\":\"Group\",\"id\":\"g-1\",\"type\":\"practitioner\","    \
    "\"actual\":true,\"member\":[{\"entity\":{" member "}}]}"

/* Nothing on the ledger says who works there: a deny of the group would hold
 * nobody off. */
static void test_group_has_no_organization(void **state)
{
    struct import_world *fixture = *state;
    static const char *const texts[] = {
        GROUP("\"reference\":\"Organization/ward\""),
        GROUP(
            "\"reference\":\"urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020100\""),
        GROUP("\"reference\":\"Organization/clinic\"")};

    assert_int_equal(
        import_one(fixture,
                   "{\"resourceType\":\"Bundle\",\"type\":\"collection\","
                   "\"entry\":[{\"fullUrl\":\"urn:uuid:0f0e0d0c-0b0a-4908-8706-"
                   "050403020100\",\"resource\":{\"resourceType\":"
                   "\"Organization\",\"id\":\"ward\"}}]}")
            ->outcome,
        IMPORT_ON_LEDGER);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct recorded *event = import_one(fixture, texts[i]);
        assert_int_equal(event->outcome, IMPORT_REJECTED);
        assert_string_equal(event->path, "member[0].entity");
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_public_health_is_accounted_for),
        T(test_law_needs_its_document),
        T(test_event_names_law_and_document),
        T(test_odd_bases_are_rejected),
        T(test_emergency_stands_on_no_law),
        T(test_purposes_beside_are_no_ground),
        T(test_institution_says_the_law),
        T(test_recipient_of_whom_there_are_words),
        T(test_published_examples_are_imported),
        T(test_recipient_outside_of_the_consortium),
        T(test_consent_is_no_decision),
        T(test_only_consents_on_file_are_a_ground),
        T(test_consent_beside_a_law),
        T(test_group_has_no_organization),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
