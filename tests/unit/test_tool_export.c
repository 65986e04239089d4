/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR out: import, export, and import again give the same transaction, for the
 * project's examples and for data that nobody here wrote; and what an export
 * may not give away. */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/support/export_fixture.h"
#include "tests/support/support.h"
#include "vault/care.h"

#define PATH_SIZE 1024
#define FILES_MAX 512
#define LINE_SIZE 4096

/* ---- many files ---------------------------------------------------------- */

static int compare_files(const void *left, const void *right)
{
    return strcmp(left, right);
}

static size_t list_folder(char (*paths)[PATH_SIZE], size_t count,
                          const char *folder)
{
    DIR *handle = opendir(folder);

    assert_non_null(handle);
    for (struct dirent *entry = readdir(handle); entry != NULL;
         entry = readdir(handle)) {
        if (strstr(entry->d_name, "json") != NULL && count < FILES_MAX) {
            (void)snprintf(paths[count++], PATH_SIZE, "%.700s/%.255s", folder,
                           entry->d_name);
        }
    }
    (void)closedir(handle);
    qsort(paths, count, PATH_SIZE, compare_files);
    return count;
}

/* All of one rank, then all of the next. */
static void import_files(struct export_world *world, char (*paths)[PATH_SIZE],
                         size_t count, const char *attachments)
{
    for (int rank = FHIR_RANK_PARTICIPANT; rank <= FHIR_RANK_OTHER; rank++) {
        for (size_t i = 0; i < count; i++) {
            struct fhir_file *file = NULL;
            assert_int_equal(fhir_file_open(&file, paths[i]), PBFT_OK);
            export_import_file(world, file, (enum fhir_rank)rank,
                               (enum fhir_rank)rank, attachments);
            fhir_file_close(file);
        }
    }
}

static const char *class_of_text(const char *text)
{
    struct fhir_options options = {.zone_minutes = 0};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    const char *name = fhir_class_name(fhir_item_class(item));
    fhir_item_free(item);
    fhir_file_close(file);
    return name;
}

/* Each body gives a resource that validates and becomes the body again, and the
 * same text the next time. */
static void expect_all_same(struct export_world *world)
{
    struct fhir_exporter *exporter = export_open(world, false);

    for (size_t i = 0; i < world->count; i++) {
        struct fhir_report report;
        char reasons[LINE_SIZE];
        char *text = export_text(exporter, world->bodies[i], &report);
        if (text == NULL) {
            fhir_report_reasons(&report, reasons, sizeof reasons);
            print_error("body %zu: %s: %s\n", i, fhir_report_path(&report),
                        reasons);
            fail();
        }
        assert_string_not_equal(class_of_text(text), "REJECT");
        export_expect_same(world, world->bodies[i], text);
        char *again = export_text(exporter, world->bodies[i], &report);
        assert_string_equal(text, again);
        free(again);
        free(text);
    }
    fhir_exporter_destroy(exporter);
}

static void test_examples_come_back_as_they_went(void **state)
{
    static char paths[FILES_MAX][PATH_SIZE];
    struct export_world *world = *state;
    char folder[PATH_SIZE];

    (void)snprintf(folder, sizeof folder, "%s/examples/fhir",
                   support_source_dir());
    size_t count = list_folder(paths, 0, folder);
    import_files(world, paths, count, folder);
    print_message("%zu files, %zu transactions with a resource\n", count,
                  world->count);
    assert_true(world->count >= 18);
    expect_all_same(world);
}

static void test_foreign_data_come_back_as_they_went(void **state)
{
    static const char *const folders[] = {"fhir/hl7-r4-spec", "fhir/ihe-balp",
                                          "fhir/ihe-pcf", "fhir/mii-torch",
                                          "fhir/synthea-bulk"};
    static char paths[FILES_MAX][PATH_SIZE];
    struct export_world *world = *state;
    char folder[PATH_SIZE];
    struct stat info;
    size_t count = 0;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        support_shared_path(folder, sizeof folder, folders[i]);
        if (stat(folder, &info) != 0) {
            print_message("SKIPPED: no data in %s (SALUS_SHARED_DATA)\n",
                          folder);
            skip();
        }
        count = list_folder(paths, count, folder);
    }
    import_files(world, paths, count, NULL);
    print_message("%zu files, %zu transactions with a resource\n", count,
                  world->count);
    assert_true(world->count >= 30);
    expect_all_same(world);
}

/* ---- what is given away -------------------------------------------------- */

#define PATIENT                                                                \
    "{\"resourceType\":\"Patient\",\"id\":\"p-1\",\"identifier\":[{"           \
    "\"system\":\"urn:oid:2.999\",\"value\":\"MRN-4711\"}]}"
#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define CONSENT(id, provision)                                                 \
    "{\"resourceType\":\"Consent\",\"id\":\"" id                               \
    "\",\"status\":\"active\",\"scope\":{\"coding\":[" CODING(                 \
        HL7 "consentscope",                                                    \
        "patient-privacy") "]},\"category\":[{\"coding\":"                     \
                           "[" CODING("http://loinc.org",                      \
                                      "59284-0") "]}],"                        \
                                                 "\"patie"                     \
                                                 "nt\":{"                      \
                                                 "\"refer"                     \
                                                 "ence\":"                     \
                                                 "\"Patie"                     \
                                                 "nt/"                         \
                                                 "p-1\"},"                     \
                                                 "\"dateT"                     \
                                                 "ime\":"                      \
                                                 "\"2025-"                     \
                                                 "03-"                         \
                                                 "01\","                       \
                                                 "\"perfo"                     \
                                                 "rmer\":"                     \
                                                 "[{"                          \
                                                 "\"refer"                     \
                                                 "ence\":"                     \
                                                 "\"Patie"                     \
                                                 "nt/"                         \
                                                 "p-1\"}]"                     \
                                                 ",\"sour"                     \
                                                 "ceAttac"                     \
                                                 "hment\""                     \
                                                 ":{"                          \
                                                 "\"title"                     \
                                                 "\":"                         \
                                                 "\"Huckl"                     \
                                                 "eberry"                      \
                                                 "\"},"                        \
                                                 "\"polic"                     \
                                                 "y\":[{"                      \
                                                 "\"uri\""                     \
                                                 ":"                           \
                                                 "\"urn:"                      \
                                                 "x:y\"}]"                     \
                                                 ",\"prov"                     \
                                                 "ision\""                     \
                                                 ":" provision "}"
#define DENIES_HIV                                                             \
    "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\","                  \
    "\"securityLabel\":[" CODING(HL7 "v3-ActCode", "HIV") "]}]}"

static void test_redacted_exports_say_no_name_and_no_label(void **state)
{
    static const char *const secrets[] = {"Patient/", "p-1",    "MRN",
                                          "HIV",      "secret", "Huckleberry"};
    struct export_world *world = *state;
    struct fhir_report report;

    export_import_text(world, PATIENT);
    export_import_text(world, CONSENT("secret-1", DENIES_HIV));
    assert_int_equal(world->count, 1);
    struct fhir_exporter *exporter = export_open(world, true);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_null(strstr(text, secrets[i]));
    }
    assert_non_null(strstr(text, "REDACTED"));
    assert_non_null(strstr(text, "urn:salus:tag"));
    /* And still it denies the same. */
    export_expect_same(world, world->bodies[0], text);
    free(text);
    fhir_exporter_destroy(exporter);
}

/* ---- versions ------------------------------------------------------------ */

#define VERSION(content, more)                                                 \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\",\"status\":"       \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"content\":[{"   \
    "\"attachment\":{\"data\":\"" content "\"}}]" more "}"
#define OF_DOCUMENT(type, meaning)                                             \
    "{\"type\":\"permit\",\"provision\":[{\"type\":\"" type                    \
    "\",\"data\":[{\"meaning\":\"" meaning                                     \
    "\",\"reference\":{\"reference\":\"DocumentReference/d-1\"}}]}]}"

/* A name means the first version here, the newest there. */
static void test_versions_come_back_as_they_went(void **state)
{
    static const char *const texts[] = {
        PATIENT,
        VERSION("b25l", ""),
        CONSENT("c-1", OF_DOCUMENT("deny", "instance")),
        CONSENT("c-2", OF_DOCUMENT("permit", "instance")),
        VERSION("dHdv", ",\"securityLabel\":[{\"coding\":[" CODING(
                            HL7 "v3-Confidentiality", "R") "]}]"),
        CONSENT("c-3", OF_DOCUMENT("deny", "instance")),
        CONSENT("c-4", OF_DOCUMENT("permit", "instance")),
        CONSENT("c-5", OF_DOCUMENT("deny", "related")),
        VERSION("dGhyZWU=", ""),
        "{\"resourceType\":\"DocumentReference\",\"id\":\"d-2\",\"status\":"
        "\"current\",\"content\":[{\"attachment\":{\"data\":\"eA==\"}}],"
        "\"relatesTo\":[{\"code\":\"appends\",\"target\":{\"reference\":"
        "\"DocumentReference/d-1\"}}]}"};
    struct export_world *world = *state;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        export_import_text(world, texts[i]);
    }
    assert_int_equal(world->count, 9);
    expect_all_same(world);
}

#define PERSON(id) "{\"resourceType\":\"Practitioner\",\"id\":\"" id "\"}"

/* All of several authors are said again, and a rule on one as it was. */
static void test_authors_come_back_as_they_went(void **state)
{
    static const char *const texts[] = {
        PATIENT, PERSON("dr-1"), PERSON("dr-2"),
        VERSION("b25l",
                ",\"author\":[{\"reference\":\"Organization/own\"},{"
                "\"reference\":\"Practitioner/dr-1\"},{\"reference\":"
                "\"Practitioner/dr-2\"},{\"reference\":\"Patient/p-1\"}],"
                "\"context\":{\"encounter\":[{\"reference\":"
                "\"Encounter/e-1\"}]}"),
        CONSENT("c-1", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\","
                       "\"data\":[{\"meaning\":\"authoredby\",\"reference\":{"
                       "\"reference\":\"Practitioner/dr-2\"}}]}]}")};
    struct export_world *world = *state;
    struct fhir_report report;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        export_import_text(world, texts[i]);
    }
    assert_int_equal(world->count, 2);
    expect_all_same(world);
    struct fhir_exporter *exporter = export_open(world, false);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_non_null(strstr(text, "\"author\":[{\"reference\":\"Practitioner/"
                                 "dr-1\"},{\"reference\":\"Practitioner/dr-2\"}"
                                 ",{\"reference\":\"Patient/p-1\"}]"));
    free(text);
    text = export_text(exporter, world->bodies[1], &report);
    assert_null(strstr(text, "\"related\""));
    free(text);
    fhir_exporter_destroy(exporter);
}

#define GROUP                                                                  \
    "{\"resourceType\":\"Group\",\"id\":\"g-1\",\"type\":\"practitioner\","    \
    "\"actual\":true,\"member\":[{\"entity\":{\"reference\":"                  \
    "\"Practitioner/dr-1\"}}]}"

/* A group that writes with others is no document that this one appends. */
static void test_group_comes_back_as_an_author(void **state)
{
    static const char *const texts[] = {
        PATIENT, PERSON("dr-1"), GROUP,
        VERSION("b25l", ",\"author\":[{\"reference\":\"Practitioner/dr-1\"},{"
                        "\"reference\":\"Group/g-1\"}]"),
        VERSION("dHdv", ",\"author\":[{\"reference\":\"Group/g-1\"},{"
                        "\"reference\":\"Practitioner/dr-1\"}]")};
    struct export_world *world = *state;
    struct fhir_report report;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        export_import_text(world, texts[i]);
    }
    assert_int_equal(world->count, 2);
    expect_all_same(world);
    for (size_t i = 0; i < world->count; i++) {
        struct fhir_exporter *exporter = export_open(world, false);
        char *text = export_text(exporter, world->bodies[i], &report);
        assert_non_null(strstr(text, "{\"reference\":\"Group/g-1\"}"));
        assert_int_equal(strstr(text, "appends") != NULL, i == 1);
        free(text);
        fhir_exporter_destroy(exporter);
    }
}

/* Which of two related ids without a name is that of a document nobody can say.
 * Behind one who is known as an author it is an author's. */
static void test_forgotten_author_is_no_document(void **state)
{
    static const char *const texts[] = {
        PATIENT,
        PERSON("dr-1"),
        PERSON("dr-2"),
        "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}",
        VERSION("b25l", ",\"author\":[{\"reference\":\"Practitioner/dr-1\"},{"
                        "\"reference\":\"Patient/p-2\"}]"),
        VERSION("dHdv", ",\"author\":[{\"reference\":\"Practitioner/dr-1\"},{"
                        "\"reference\":\"Practitioner/dr-2\"},{"
                        "\"reference\":\"Patient/p-2\"}]")};
    struct export_world *world = *state;
    struct vault_forgotten forgotten;
    struct fhir_report report;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        export_import_text(world, texts[i]);
    }
    assert_int_equal(world->count, 2);
    assert_int_equal(
        vault_forget_subject(world->vault, &forgotten, "Patient/p-2", false),
        PBFT_OK);
    expect_all_same(world);
    struct fhir_exporter *exporter = export_open(world, false);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_null(strstr(text, "appends"));
    assert_non_null(strstr(text, "\"related\":[{\"identifier\":{\"system\":"));
    assert_non_null(strstr(text, "\"value\":\"data/"));
    free(text);
    text = export_text(exporter, world->bodies[1], &report);
    assert_null(strstr(text, "\"related\""));
    assert_non_null(strstr(text, "{\"reference\":\"Practitioner/dr-2\"},{"
                                 "\"type\":\"Practitioner\",\"identifier\""));
    assert_non_null(strstr(text, "\"value\":\"participant/"));
    free(text);
    fhir_exporter_destroy(exporter);
}

/* What was replaced has an id of its own: imported, it must end nothing that
 * stands under the name. */
static void test_replaced_consent_has_another_id(void **state)
{
    struct export_world *world = *state;
    struct fhir_report report;

    export_import_text(world, PATIENT);
    export_import_text(world, CONSENT("c-1", "{\"type\":\"permit\"}"));
    export_import_text(world, CONSENT("c-1", "{\"type\":\"deny\"}"));
    assert_int_equal(world->count, 2);
    struct fhir_exporter *exporter = export_open(world, false);
    struct fhir_export_source source = {
        .body = world->bodies[0], .seq = 17, .withdrawn = true};
    char *text = NULL;
    assert_int_equal(fhir_export(exporter, &text, &report, &source), PBFT_OK);
    assert_non_null(text);
    assert_null(strstr(text, "\"id\":\"c-1\""));
    assert_non_null(strstr(text, "\"status\":\"inactive\""));
    free(text);
    text = export_text(exporter, world->bodies[1], &report);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"id\":\"c-1\""));
    free(text);
    fhir_exporter_destroy(exporter);
}

/* ---- audit events -------------------------------------------------------- */

#define REASON(code) "[{\"coding\":[" CODING(HL7 "v3-ActReason", code) "]}]"
#define EVENT(id, type, subtype, period, purpose, agent)                       \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"" id "\",\"type\":" CODING(     \
        "http://dicom.nema.org/resources/ontology/DCM",                        \
        type) ",\"subtype\":[" subtype "],\"action\":\"R\"," period            \
              "\"recorded\":\"2025-03-01T10:00:00Z\",\"outcome\":\"0\","       \
              "\"purposeOfEvent\":" REASON(                                    \
                  purpose) ",\"agent\":[" agent                                \
                           "],\"source\":{\"observer\":{\"display\":\"x\"}},"  \
                           "\"entity\":[{"                                     \
                           "\"what\":{\"reference\":\"Patient/"                \
                           "p-1\"},\"role\":{"                                 \
                           "\"code\":\"1\"}},{\"what\":{\"reference\":"        \
                           "\"DiagnosticReport/"                               \
                           "r-9\"},\"role\":{\"code\":\"3\"}}]}"
#define DISCLOSE CODING(HL7 "iso-21089-lifecycle", "disclose")
#define BY_PROGRAM                                                             \
    DISCLOSE "," CODING("http://hl7.org/fhir/restful-interaction", "search")
#define TO(who, policy)                                                        \
    "{\"type\":{\"coding\":[" CODING(                                          \
        "http://dicom.nema.org/resources/ontology/DCM",                        \
        "110152") "]},\"who\":{\"reference\":\"" who                           \
                  "\"},\"requestor\":false" policy "}"
#define ASKED(who) "{\"who\":{\"reference\":\"" who "\"},\"requestor\":true}"
#define ON_REQUEST                                                             \
    ",\"policy\":[\"urn:salus:request:00112233445566778899aabbccddeeff\"]"
#define IN_EMERGENCY                                                           \
    ",\"policy\":[\"urn:salus:emergency:00112233445566778899aabbccddeeff\"]"

static void test_audit_events_come_back_as_they_went(void **state)
{
    static const char *const events[] = {
        EVENT("a1", "110106", DISCLOSE, "", "TREAT",
              TO("Organization/own", ON_REQUEST)),
        EVENT("a2", "110106", BY_PROGRAM, "", "ETREAT",
              TO("Practitioner/x", IN_EMERGENCY)),
        EVENT("a3", "110106", DISCLOSE, "", "PATRQT",
              TO("Practitioner/x", "") "," ASKED("Patient/p-1")),
        EVENT("a4", "110106", DISCLOSE, "", "HPAYMT",
              TO("Organization/own", "")),
        EVENT("a5", "110113", DISCLOSE, "", "BTG", ASKED("Practitioner/x")),
        EVENT("a6", "110113", CODING("urn:x", "y"), "", "BTG",
              ASKED("Practitioner/x")),
        EVENT("a7", "110113", CODING("urn:x", "y"),
              "\"period\":{\"start\":\"2025-04-01T10:00:00Z\",\"end\":"
              "\"2025-04-01T10:30:00.250Z\"},",
              "ETREAT", ASKED("Practitioner/z"))};
    struct export_world *world = *state;
    struct fhir_report report;

    export_import_text(world, PATIENT);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        export_import_text(world, events[i]);
    }
    /* a5 tells a disclosure under a type of its own: it is rejected. */
    assert_int_equal(world->count, 6);
    expect_all_same(world);
    /* What was disclosed is in the vault's words; an emergency is not. */
    struct fhir_exporter *exporter = export_open(world, true);
    assert_null(export_text(exporter, world->bodies[0], &report));
    assert_int_equal(report.findings[0].kind, FHIR_EXPORT_WITHHELD);
    char *text = export_text(exporter, world->bodies[5], &report);
    assert_non_null(text);
    assert_null(strstr(text, "Practitioner/z"));
    export_expect_same(world, world->bodies[5], text);
    free(text);
    fhir_exporter_destroy(exporter);
}

#define ON_CONSENT                                                             \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"b2\",\"type\":" CODING(         \
        "http://dicom.nema.org/resources/ontology/DCM",                        \
        "110106") ",\"subtype\":[" DISCLOSE                                    \
                  "],\"recorded\":\"2025-03-01T10:00:00Z\",\"outcome\":"       \
                  "\"0\",\"purposeOfEvent\":" REASON(                          \
                      "TREAT") ",\"agent\":[" TO("Organization/own",           \
                                                 "") "],\"source\":{"          \
                                                     "\"observer\":{"          \
                                                     "\"display\":\"x\"}},"    \
                                                     "\"entity\":[{\"what\":{" \
                                                     "\"reference\":"          \
                                                     "\"Patient/"              \
                                                     "p-1\"},\"role\":{"       \
                                                     "\"code\":\"1\"}},{"      \
                                                     "\"what\":{"              \
                                                     "\"reference\":"          \
                                                     "\"DiagnosticReport/"     \
                                                     "r-9\"},\"role\":{"       \
                                                     "\"code\":\"3\"}},{"      \
                                                     "\"what\":{"              \
                                                     "\"reference\":"          \
                                                     "\"Consent/"              \
                                                     "c-1\"},\"type\":{"       \
                                                     "\"code\":\"Consent\""    \
                                                     "}}]}"

/* A law with the commitment to its document, whoever said them; and the consent
 * that is the ground of a violation. */
static void test_grounds_come_back_as_they_went(void **state)
{
    static const uint8_t order[] = "By order of the court";
    struct export_world *world = *state;

    export_import_text(world, PATIENT);
    export_import_text(
        world, CONSENT("c-1", "{\"type\":\"permit\",\"purpose\":[" CODING(
                                  HL7 "v3-ActReason", "TREAT") "]}"));
    export_import_text(
        world, EVENT("b1", "110106", DISCLOSE, "", "HLEGAL",
                     TO("Organization/own",
                        ",\"policy\":[\"urn:salus:legal-basis:court-order\","
                        "\"urn:salus:document:00112233445566778899aabbccddeeff"
                        "00112233445566778899aabbccddee01\"]")));
    export_import_text(world, ON_CONSENT);
    world->plan.basis_document = (struct pbft_bytes){order, sizeof order - 1};
    export_import_text(world, EVENT("b3", "110106", DISCLOSE, "", "PUBHLTH",
                                    TO("Organization/own", "")));
    world->plan.recipient = "Practitioner/x";
    export_import_text(world,
                       EVENT("b4", "110106", DISCLOSE, "", "PUBHLTH",
                             "{\"type\":{\"coding\":[" CODING(
                                 "http://dicom.nema.org/resources/ontology/DCM",
                                 "110152") "]},\"who\":{\"display\":\"x\"}}"));
    assert_int_equal(world->count, 5);
    expect_all_same(world);
}

/* Blinded with the key of one patient, of another it would match nothing. */
static void test_blinded_labels_are_of_one_patient_only(void **state)
{
    (void)state;
    assert_string_equal(
        class_of_text(
            CONSENT("c", "{\"type\":\"deny\",\"securityLabel\":[" CODING(
                             "urn:salus:tag",
                             "00112233445566778899aabbccddeeff") "]}")),
        "EVIDENCE_ONLY");
}

/* No record has an institution for an author: such a deny would never match. */
static void test_author_must_be_a_participant(void **state)
{
    struct export_world *world = *state;

    export_import_text(world, PATIENT);
    export_import_text(
        world, CONSENT("c-1", "{\"type\":\"permit\",\"provision\":[{\"type\":"
                              "\"deny\",\"data\":[{\"meaning\":\"authoredby\","
                              "\"reference\":{\"reference\":"
                              "\"Organization/own\"}}]}]}"));
    assert_int_equal(world->count, 0);
    assert_int_equal(world->rejected, 1);
}

static void test_evidence_comes_back_in_its_own_words(void **state)
{
    struct export_world *world = *state;
    struct fhir_report report;

    export_import_text(world, PATIENT);
    /* No root type: on file only, and its words are in the vault alone. */
    export_import_text(world,
                       CONSENT("c-3", "{\"period\":{\"start\":\"2025\"}}"));
    assert_int_equal(world->count, 1);
    struct fhir_exporter *exporter = export_open(world, true);
    assert_null(export_text(exporter, world->bodies[0], &report));
    assert_int_equal(report.findings[0].kind, FHIR_EXPORT_WITHHELD);
    assert_string_equal(report.findings[0].path, "evidence_commit");
    fhir_exporter_destroy(exporter);
    exporter = export_open(world, false);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_non_null(text);
    assert_string_equal(class_of_text(text), "EVIDENCE_ONLY");
    free(text);
    fhir_exporter_destroy(exporter);
}

static void test_what_the_vault_forgot_is_refused_by_name(void **state)
{
    struct export_world *world = *state;
    struct vault_forgotten forgotten;
    struct fhir_report report;

    export_import_text(world, PATIENT);
    export_import_text(world, CONSENT("c-1", DENIES_HIV));
    assert_int_equal(
        vault_forget_subject(world->vault, &forgotten, "Patient/p-1", false),
        PBFT_OK);
    struct fhir_exporter *exporter = export_open(world, false);
    assert_null(export_text(exporter, world->bodies[0], &report));
    assert_int_equal(report.findings[0].kind, FHIR_EXPORT_TAG);
    assert_string_equal(report.findings[0].path,
                        "exceptions[0].selector.tags[0]");
    fhir_exporter_destroy(exporter);
}

/* One who is a patient is an author and an actor by the same name. */
static void test_patient_who_acts_comes_back(void **state)
{
    struct export_world *world = *state;
    struct fhir_report report;

    export_import_text(world, "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}");
    export_import_text(
        world, "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\","
               "\"status\":\"current\",\"subject\":{\"reference\":"
               "\"Patient/p-1\"},\"author\":[{\"reference\":\"Patient/p-1\"}],"
               "\"content\":[{\"attachment\":{\"data\":\"c2lnbmVk\"}}]}");
    assert_int_equal(world->count, 1);
    expect_all_same(world);
    struct fhir_exporter *exporter = export_open(world, false);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_non_null(
        strstr(text, "\"author\":[{\"reference\":\"Patient/p-1\"}]"));
    free(text);
    fhir_exporter_destroy(exporter);
}

#define DOCUMENT_WITH(states)                                                  \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\"," states           \
    ",\"subject\":{\"reference\":\"Patient/"                                   \
    "p-1\"},\"content\":[{\"attachment\":{"                                    \
    "\"data\":\"c2lnbmVk\"}}]}"

static void expect_states(struct export_world *world, bool redacted,
                          const char *states)
{
    struct fhir_report report;
    struct fhir_exporter *exporter = export_open(world, redacted);
    char *text =
        export_text(exporter, world->bodies[world->count - 1], &report);

    assert_non_null(strstr(text, states));
    free(text);
    fhir_exporter_destroy(exporter);
}

/* The ledger has no place for it: a document that was superseded, or is not
 * final, must not come back as another. */
static void test_states_of_a_document_come_back(void **state)
{
    struct export_world *world = *state;

    export_import_text(world, DOCUMENT_WITH("\"status\":\"current\""));
    assert_int_equal(world->count, 1);
    expect_all_same(world);
    expect_states(world, false, "\"status\":\"current\",\"type\"");
    export_forget_bodies(world);
    export_import_text(world, DOCUMENT_WITH("\"status\":\"superseded\","
                                            "\"docStatus\":\"preliminary\""));
    assert_int_equal(world->count, 1);
    for (int redacted = 0; redacted < 2; redacted++) {
        expect_states(
            world, redacted != 0,
            "\"status\":\"superseded\",\"docStatus\":\"preliminary\"");
    }
    /* What the vault cannot keep is not imported. */
    assert_string_equal(class_of_text(DOCUMENT_WITH(
                            "\"status\":\"current\",\"docStatus\":\"draft\"")),
                        "REJECT");
    assert_string_equal(class_of_text(DOCUMENT_WITH("\"status\":\"obsolete\"")),
                        "REJECT");
    assert_string_equal(
        class_of_text(DOCUMENT_WITH(
            "\"status\":\"current\",\"docStatus\":\"entered-in-error\"")),
        "REJECT");
}

/* Its number is one of the ledger, its name one of the vault. */
static void test_published_purpose_comes_back(void **state)
{
    static const struct vault_purpose foo_bar = {
        .id = 100, .system = "http://example.org/purposes", .code = "FooBar"};
    struct export_world *world = *state;
    struct fhir_report report;

    assert_int_equal(vault_purposes_add(&world->purposes, &foo_bar), PBFT_OK);
    assert_int_equal(vault_purposes_keep(world->vault, &world->purposes),
                     PBFT_OK);
    export_import_text(
        world, CONSENT("c-1", "{\"type\":\"permit\",\"purpose\":[{\"system\":"
                              "\"http://example.org/purposes\",\"code\":"
                              "\"FooBar\"}]}"));
    assert_int_equal(world->count, 1);
    expect_all_same(world);
    struct fhir_exporter *exporter = export_open(world, false);
    char *text = export_text(exporter, world->bodies[0], &report);
    assert_non_null(strstr(text, "\"code\":\"FooBar\""));
    free(text);
    fhir_exporter_destroy(exporter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_examples_come_back_as_they_went,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(
            test_foreign_data_come_back_as_they_went, export_setup,
            export_teardown),
        cmocka_unit_test_setup_teardown(
            test_redacted_exports_say_no_name_and_no_label, export_setup,
            export_teardown),
        cmocka_unit_test_setup_teardown(test_authors_come_back_as_they_went,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_forgotten_author_is_no_document,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_group_comes_back_as_an_author,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_versions_come_back_as_they_went,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_replaced_consent_has_another_id,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(
            test_audit_events_come_back_as_they_went, export_setup,
            export_teardown),
        cmocka_unit_test_setup_teardown(test_grounds_come_back_as_they_went,
                                        export_setup, export_teardown),
        cmocka_unit_test(test_blinded_labels_are_of_one_patient_only),
        cmocka_unit_test_setup_teardown(test_author_must_be_a_participant,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(
            test_evidence_comes_back_in_its_own_words, export_setup,
            export_teardown),
        cmocka_unit_test_setup_teardown(
            test_what_the_vault_forgot_is_refused_by_name, export_setup,
            export_teardown),
        cmocka_unit_test_setup_teardown(test_states_of_a_document_come_back,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_published_purpose_comes_back,
                                        export_setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_patient_who_acts_comes_back,
                                        export_setup, export_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
