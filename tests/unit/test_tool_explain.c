/* SPDX-License-Identifier: Apache-2.0 */
/* What --explain shows of each type of resource, what is rehearsed for it
 * without a consortium, and which files of a folder are read. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/fhir_explain.h"
#include "client/fhir_files.h"
#include "client/fhir_rehearsal.h"
#include "client/import.h"
#include "crypto/init.h"
#include "tests/support/folder.h"

#define PATH_SIZE (SUPPORT_PATH_MAX + 64)
#define STEPS_MAX 8
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define CODE(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define CODED(system, code) "{\"coding\":[" CODE(system, code) "]}"

static const char consent[] =
    "{\"resourceType\":\"Consent\",\"id\":\"c\",\"status\":\"active\","
    "\"extension\":[{\"url\":\"urn:salus:mode\",\"valueCode\":\"verbal\"},"
    "{\"url\":\"urn:other\",\"valueString\":\"words\"}],"
    "\"text\":{\"status\":\"generated\",\"div\":\"<div/>\"},"
    "\"scope\":" CODED(
        HL7 "consentscope",
        "patient-privacy") ","
                           "\"category\":[" CODED(
                               "http://loinc.org",
                               "59284-0") "],"
                                          "\"patient\":{\"reference\":"
                                          "\"Patient/p\",\"display\":\"N\"},"
                                          "\"dateTime\":\"2025-03-01\","
                                          "\"performer\":[{\"reference\":"
                                          "\"Patient/p\"}],"
                                          "\"sourceAttachment\":{\"title\":"
                                          "\"form\"},"
                                          "\"policy\":[{\"uri\":\"urn:example:"
                                          "policy\"}],"
                                          "\"provision\":{\"type\":\"permit\","
                                          "\"purpose\":[" CODE(
                                              HL7 "v3-ActReason",
                                              "TREAT") "],"
                                                       "\"securityLabel\":"
                                                       "[" CODE(HL7
                                                                "v3-ActCode",
                                                                "PSY") "]}}";

static const char document[] =
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d\",\"status\":"
    "\"current\",\"subject\":{\"reference\":\"Patient/p\"},\"description\":"
    "\"words\",\"extension\":[{\"url\":\"urn:other\",\"valueString\":\"w\"}],"
    "\"securityLabel\":[" CODED(HL7 "v3-Confidentiality",
                                "R") "],"
                                     "\"content\":[{\"attachment\":{"
                                     "\"contentType\":\"text/plain\",\"data\":"
                                     "\"aGVsbG8=\"}}]}";

/* A number of the ledger leaves, one of somewhere else does not. */
#define RELATED_TO(system)                                                     \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d\",\"status\":"         \
    "\"current\",\"content\":[{\"attachment\":{\"data\":\"aGVsbG8=\"}}],"      \
    "\"context\":{\"related\":[{\"identifier\":{\"system\":\"" system          \
    "\",\"value\":\"data/1\"}}]}}"

#define AUDIT(type, more)                                                      \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"" type "\",\"recorded\":"       \
    "\"2025-03-01T10:00:00Z\",\"outcome\":\"0\",\"type\":" CODE(               \
        "http://dicom.nema.org/resources/ontology/DCM",                        \
        type) "," more "\"source\":{\"observer\":{\"reference\":\"Device/"     \
              "1\"}},\"entity\":["                                             \
              "{\"what\":{\"reference\":\"Patient/"                            \
              "p\"},\"role\":{\"system\":\"" HL7                               \
              "object-role\",\"code\":\"1\"}},{\"what\":{\"reference\":"       \
              "\"Observation/1\"},\"description\":\"words\"}]}"
#define AGENT(type, more)                                                      \
    "{\"type\":" CODED("http://dicom.nema.org/resources/ontology/DCM",         \
                       type) ",\"who\":{\"reference\":\"Practitioner/" type    \
                             "\"},\"network\":{"                               \
                             "\"address\":\"h\"}," more "}"
#define PURPOSE(code)                                                          \
    "\"purposeOfEvent\":[" CODED(HL7 "v3-ActReason", code) "],"

#define POLICIES                                                               \
    "\"requestor\":true,\"policy\":[\"http://p\","                             \
    "\"urn:salus:request:00112233445566778899aabbccddeeff\"]"

static const char disclosure[] = AUDIT(
    "110106",
    "\"subtype\":[" CODE(HL7 "iso-21089-lifecycle", "disclose") "]," PURPOSE(
        "TREAT") "\"agent\":[" AGENT("110153",
                                     "\"requestor\":false") "," AGENT("110152",
                                                                      POLICIES) "],");

static const char emergency[] = AUDIT(
    "110113",
    PURPOSE("BTG") "\"extension\":[{\"url\":\"urn:salus:"
                   "reason\",\"valueCode\":\"disaster\"}],"
                   "\"agent\":[" AGENT("110153", "\"requestor\":true") "],");

static const char provenance[] =
    "{\"resourceType\":\"Provenance\",\"id\":\"v\",\"recorded\":"
    "\"2025-03-01T10:00:00Z\",\"target\":[{\"reference\":\"Consent/c\"}],"
    "\"agent\":[{\"who\":{\"reference\":\"Practitioner/1\"}}]}";

static struct fhir_file *open_text(const char *text)
{
    struct fhir_file *file = NULL;
    const struct pbft_bytes bytes = {(const uint8_t *)text, strlen(text)};

    assert_int_equal(fhir_file_open_bytes(&file, "x", bytes), PBFT_OK);
    return file;
}

static struct fhir_item *load(const struct fhir_file *file, size_t index)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    struct fhir_item *item = NULL;

    assert_int_equal(fhir_item_load(&item, file, index, &options), PBFT_OK);
    return item;
}

/* ---- elements ------------------------------------------------------------ */

/* Is the path listed with that fate? Different ones may meet at one path. */
static bool has_fate(const json_t *elements, const char *path, const char *fate)
{
    size_t index = 0;
    const json_t *one = NULL;

    json_array_foreach(elements, index, one)
    {
        const char *there = json_string_value(json_object_get(one, "path"));
        const char *is = json_string_value(json_object_get(one, "fate"));
        if (strcmp(there, path) == 0 && strcmp(is, fate) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_values(const json_t *json)
{
    size_t count = 0;
    size_t index = 0;
    const char *key = NULL;
    json_t *one = NULL;

    if (json_is_array(json)) {
        json_array_foreach(json, index, one) count += count_values(one);
        return count;
    }
    if (json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, key, one) count +=
            count_values(one);
        return count;
    }
    return 1;
}

struct wanted {
    const char *path;
    const char *fate;
};

static void expect(const char *text, enum fhir_class class_of,
                   const struct wanted *wanted, size_t count)
{
    struct fhir_file *file = open_text(text);
    struct fhir_item *item = load(file, 0);
    const struct fhir_explanation explanation = {.item = item};
    json_t *json = json_object();
    json_t *whole = json_loads(text, 0, NULL);

    assert_int_equal(fhir_item_class(item), class_of);
    fhir_explain_json(json, &explanation);
    const json_t *elements = json_object_get(json, "elements");
    for (size_t i = 0; i < count; i++) {
        if (!has_fate(elements, wanted[i].path, wanted[i].fate)) {
            fail_msg("%s is not %s", wanted[i].path, wanted[i].fate);
        }
    }
    /* Nothing is left out but the type, and what repeats right away. */
    assert_true(json_array_size(elements) > 3);
    assert_true(json_array_size(elements) < count_values(whole));
    json_decref(whole);
    json_decref(json);
    fhir_item_free(item);
    fhir_file_close(file);
}

static void test_every_element_has_its_fate(void **state)
{
    static const struct wanted of_consent[] = {
        {"extension(urn:salus:mode).valueCode", "to ledger"},
        {"extension.valueString", "sealed"},
        {"text.div", "sealed"},
        {"patient.display", "sealed"},
        {"patient.reference", "to ledger"},
        {"sourceAttachment.title", "sealed"},
        {"provision.securityLabel.code", "to ledger"},
        {"id", "in vault"}};
    static const struct wanted of_document[] = {
        {"content.attachment.data", "sealed"},
        {"content.attachment.contentType", "dropped"},
        {"description", "dropped"},
        {"extension.valueString", "dropped"},
        {"securityLabel.coding.code", "to ledger"}};
    static const struct wanted of_ledger_number[] = {
        {"context.related.identifier.value", "to ledger"}};
    static const struct wanted of_number[] = {
        {"context.related.identifier.value", "dropped"}};
    static const struct wanted of_disclosure[] = {
        {"recorded", "to ledger"},
        {"agent.who.reference", "sealed"},    /* The source: who submits. */
        {"agent.who.reference", "to ledger"}, /* The recipient. */
        {"agent.policy", "to ledger"},
        {"agent.policy", "sealed"},
        {"agent.network.address", "sealed"},
        {"entity.description", "sealed"},
        {"purposeOfEvent.coding.code", "to ledger"}};
    static const struct wanted of_emergency[] = {
        {"extension(urn:salus:reason).valueCode", "to ledger"},
        {"agent.who.reference", "to ledger"}};
    static const struct wanted of_provenance[] = {
        {"target.reference", "dropped"}, {"recorded", "dropped"}};

    (void)state;
    expect(consent, FHIR_ENFORCEABLE, of_consent, 8);
    expect(document, FHIR_ENFORCEABLE, of_document, 5);
    expect(RELATED_TO("urn:salus:00"), FHIR_ENFORCEABLE, of_ledger_number, 1);
    expect(RELATED_TO("urn:oid:2.999"), FHIR_ENFORCEABLE, of_number, 1);
    expect(disclosure, FHIR_ENFORCEABLE, of_disclosure, 8);
    expect(emergency, FHIR_ENFORCEABLE, of_emergency, 2);
    expect(provenance, FHIR_LOCAL, of_provenance, 2);
}

/* ---- transactions -------------------------------------------------------- */

/* Types of the transactions of a resource, the last one its own. */
static size_t rehearse(struct fhir_rehearsal *rehearsal, const char *text,
                       uint32_t types[STEPS_MAX])
{
    struct vault_journal *journal = calloc(1, sizeof *journal);
    struct fhir_file *file = open_text(text);
    struct fhir_item *item = load(file, 0);
    json_t *json = json_object();

    assert_non_null(journal);
    assert_int_equal(fhir_rehearsal_plan(rehearsal, journal, item), PBFT_OK);
    const struct fhir_explanation explanation = {.item = item,
                                                 .steps = journal};
    fhir_explain_json(json, &explanation);
    size_t count = journal->step_count;
    assert_int_equal(json_array_size(json_object_get(json, "transactions")),
                     count);
    assert_true(count <= STEPS_MAX);
    for (size_t i = 0; i < count; i++) {
        types[i] = journal->steps[i].type;
    }
    json_decref(json);
    fhir_item_free(item);
    fhir_file_close(file);
    vault_journal_free(journal);
    free(journal);
    return count;
}

static void test_dry_run_rehearses(void **state)
{
    const struct fhir_plan_options options = {.mode = TRANSACTION_WET_INK,
                                              .self_report = true,
                                              .emergency_window_ms =
                                                  IMPORT_EMERGENCY_MS};
    struct fhir_rehearsal *rehearsal = NULL;
    struct salus_reason reason = {""};
    uint32_t types[STEPS_MAX];

    (void)state;
    assert_int_equal(fhir_rehearsal_begin(&rehearsal, &options, &reason),
                     PBFT_OK);
    /* The patient is made up once. */
    assert_int_equal(rehearse(rehearsal, consent, types), 2);
    assert_int_equal(types[0], TRANSACTION_SUBJECT_REGISTER);
    assert_int_equal(types[1], TRANSACTION_CONSENT_GRANT);
    assert_int_equal(rehearse(rehearsal, document, types), 1);
    assert_int_equal(types[0], TRANSACTION_RECORD_ANCHOR);
    size_t count = rehearse(rehearsal, disclosure, types);
    assert_true(count > 0);
    assert_int_equal(types[count - 1], TRANSACTION_DISCLOSURE);
    count = rehearse(rehearsal, emergency, types);
    assert_true(count > 0);
    assert_int_equal(types[count - 1], TRANSACTION_BREAK_GLASS);
    assert_int_equal(rehearse(rehearsal, provenance, types), 0);
    fhir_rehearsal_end(rehearsal);
}

static size_t entries_of(const char *folder)
{
    size_t count = 0;
    DIR *handle = opendir(folder);

    assert_non_null(handle);
    while (readdir(handle) != NULL) {
        count++;
    }
    assert_int_equal(closedir(handle), 0);
    return count - 2; /* Itself, and what it is in. */
}

/* Nothing of the vault stays, not even its folder. */
static void test_rehearsal_leaves_nothing(void **state)
{
    const struct fhir_plan_options options = {.mode = TRANSACTION_WET_INK};
    struct fhir_rehearsal *rehearsal = NULL;
    char folder[SUPPORT_PATH_MAX];
    char path[PATH_SIZE];
    uint32_t types[STEPS_MAX];

    (void)state;
    support_folder_create(folder);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    assert_int_equal(fhir_rehearsal_begin(&rehearsal, &options, NULL), PBFT_OK);
    assert_int_equal(rehearse(rehearsal, document, types), 2);
    fhir_rehearsal_end(rehearsal);
    assert_int_equal(entries_of(folder), 0);
    (void)snprintf(path, sizeof path, "%s/none", folder);
    assert_int_equal(setenv("TMPDIR", path, 1), 0);
    assert_int_equal(fhir_rehearsal_begin(&rehearsal, &options, NULL), PBFT_IO);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    support_folder_remove(folder);
}

/* ---- files --------------------------------------------------------------- */

static size_t skipped_count;

static void count_skipped(const char *path)
{
    assert_non_null(strstr(path, "README"));
    skipped_count++;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_folders_skip_what_is_no_json(void **state)
{
    struct fhir_files files = {NULL, 0, 0};
    char folder[SUPPORT_PATH_MAX];
    char path[PATH_SIZE];

    (void)state;
    support_folder_create(folder);
    write_file(folder, "README.md", "# Files\n");
    write_file(folder, "README", "");
    write_file(folder, "broken.json", "# no JSON, but it says so\n");
    write_file(folder, "queue.NDJSON", "");
    write_file(folder, "export.fhir", "\n  {\"resourceType\":\"Patient\"}");
    skipped_count = 0;
    assert_int_equal(fhir_files_add(&files, folder, count_skipped, NULL),
                     PBFT_OK);
    assert_int_equal(files.count, 3);
    assert_int_equal(skipped_count, 2);
    /* One that is named is read, whatever it is. */
    (void)snprintf(path, sizeof path, "%s/README.md", folder);
    assert_int_equal(fhir_files_add(&files, path, count_skipped, NULL),
                     PBFT_OK);
    assert_int_equal(files.count, 4);
    fhir_files_free(&files);
    support_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_element_has_its_fate),
        cmocka_unit_test(test_dry_run_rehearses),
        cmocka_unit_test(test_rehearsal_leaves_nothing),
        cmocka_unit_test(test_folders_skip_what_is_no_json),
    };

    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
