/* SPDX-License-Identifier: Apache-2.0 */
/* To forget a patient takes nothing from others whose resources name him: what
 * was imported of them is exported as before, and known when it comes again. */
#include "client/fhir_gather.h"
#include "fhir/names.h"
#include "tests/support/import_fixture.h"
#include "vault/care.h"

#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\"}\n"
#define DOCUMENT(id, author)                                                   \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"" id "\",\"status\":"    \
    "\"current\",\"subject\":{\"reference\":\"Patient/child\"},\"author\":[{"  \
    "\"reference\":\"" author "\"}],\"content\":[{\"attachment\":{\"data\":"   \
    "\"b25l\"}}]}\n"
#define CONSENT(version, decision)                                             \
    "{\"resourceType\":\"Consent\",\"id\":\"c-1\",\"meta\":{\"versionId\":"    \
    "\"" version                                                               \
    "\"},\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":"            \
    "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":"         \
    "\"patient-privacy\"}]},\"category\":[{\"text\":\"x\"}],\"patient\":{"     \
    "\"reference\":\"Patient/child\"},\"dateTime\":\"2025-03-01\","            \
    "\"performer\":[{\"reference\":\"Patient/mother\"}],"                      \
    "\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{\"uri\":"             \
    "\"" POLICY_URI "\"}],\"provision\":{\"type\":\"" decision "\"}}\n"

static void import_text(struct import_world *fixture, const char *text)
{
    fixture->file_count = 0;
    fixture_file(fixture, "next.ndjson", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
}

static void expect_one(struct import_world *fixture, const char *text,
                       enum import_outcome outcome)
{
    import_text(fixture, text);
    assert_int_equal(fixture->event_count, 1);
    assert_int_equal(fixture->events[0].outcome, outcome);
}

static size_t count_exported(struct import_world *fixture)
{
    struct fhir_gather gather = {.vault = fixture->options.vault};
    size_t count = 0;

    assert_int_equal(fhir_gather_run(&gather, NULL), PBFT_OK);
    count = gather.count;
    fhir_gather_free(&gather);
    return count;
}

static void forget(struct import_world *fixture, const char *name,
                   struct vault_forgotten *out)
{
    assert_int_equal(
        vault_forget_subject(fixture->options.vault, out, name, false),
        PBFT_OK);
}

/* The mother is registered with the child's resource that first names her. */
static void test_the_childs_documents_stay(void **state)
{
    struct import_world *fixture = *state;
    struct vault_forgotten out;

    import_text(fixture, PATIENT("child") PATIENT("mother"));
    expect_one(fixture, DOCUMENT("d-1", "Patient/mother"), IMPORT_ON_LEDGER);
    assert_int_equal(fixture->summary.transactions, 2);
    assert_int_equal(count_exported(fixture), 1);
    forget(fixture, "Patient/mother", &out);
    assert_int_equal(out.agents, 1);
    assert_int_equal(out.records, 0);
    assert_int_equal(out.journal, 1); /* Her own. */
    assert_int_equal(count_exported(fixture), 1);
    expect_one(fixture, DOCUMENT("d-1", "Patient/mother"), IMPORT_KNOWN);
}

/* A permit of before must not come back over a deny. */
static void test_the_childs_consents_stay_replaced(void **state)
{
    struct import_world *fixture = *state;
    struct vault_forgotten out;

    import_text(fixture, PATIENT("child") PATIENT("mother"));
    expect_one(fixture, CONSENT("1", "permit"), IMPORT_ON_LEDGER);
    expect_one(fixture, CONSENT("2", "deny"), IMPORT_ON_LEDGER);
    expect_one(fixture, CONSENT("1", "permit"), IMPORT_REPLACED);
    forget(fixture, "Patient/mother", &out);
    assert_int_equal(out.consents, 0);
    assert_int_equal(out.journal, 1);
    import_text(fixture, PATIENT("mother"));
    expect_one(fixture, CONSENT("1", "permit"), IMPORT_REPLACED);
    expect_one(fixture, CONSENT("2", "deny"), IMPORT_KNOWN);
}

/* Whom the patient's own resource registered stays, it does not. */
static void test_who_came_with_a_forgotten_document_stays(void **state)
{
    struct import_world *fixture = *state;
    struct vault *vault = fixture->options.vault;
    struct vault_forgotten out;
    struct vault_participant author;
    struct fhir_names names;

    fixture->options.register_unknown = true;
    import_text(fixture, PATIENT("child"));
    expect_one(fixture, DOCUMENT("d-1", "Practitioner/dr"), IMPORT_ON_LEDGER);
    assert_int_equal(fixture->summary.transactions, 2);
    forget(fixture, "Patient/child", &out);
    assert_int_equal(out.records, 1);
    assert_int_equal(out.journal, 2);
    assert_int_equal(count_exported(fixture), 0);
    assert_int_equal(vault_find_participant(vault, &author, "Practitioner/dr"),
                     PBFT_OK);
    assert_int_equal(fhir_names_load(&names, vault), PBFT_OK);
    assert_string_equal(
        fhir_names_find(&names, FHIR_LEDGER_PARTICIPANT, author.id),
        "Practitioner/dr");
    fhir_names_free(&names);
    import_text(fixture, PATIENT("child"));
    expect_one(fixture, DOCUMENT("d-1", "Practitioner/dr"), IMPORT_ON_LEDGER);
    assert_int_equal(fixture->summary.transactions, 1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_childs_documents_stay),
        TEST(test_the_childs_consents_stay_replaced),
        TEST(test_who_came_with_a_forgotten_document_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
