/* SPDX-License-Identifier: Apache-2.0 */
/* Resources other than consents, and what stands around them: one change each
 * that must not go unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/fhir.h"

#define TEXT_SIZE 1024
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define CONCEPT(system, code) "{\"coding\":[" CODING(system, code) "]}"

/* The resource at `index` of the text. */
struct sample {
    const char *text;
    size_t index;
    enum fhir_class class_of;
    const char *reason; /* Stands among the reasons. */
    const char *path;   /* Of what decided. */
};

static bool is_judged_so(const struct sample *sample)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    char reasons[TEXT_SIZE];
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    const struct pbft_bytes bytes = {(const uint8_t *)sample->text,
                                     strlen(sample->text)};

    assert_int_equal(fhir_file_open_bytes(&file, "sample", bytes), PBFT_OK);
    assert_true(sample->index < fhir_file_count(file));
    assert_int_equal(fhir_item_load(&item, file, sample->index, &options),
                     PBFT_OK);
    const struct fhir_report *report = fhir_item_report(item);
    fhir_report_reasons(report, reasons, sizeof reasons);
    bool is_right = fhir_item_class(item) == sample->class_of &&
                    strstr(reasons, sample->reason) != NULL &&
                    strcmp(fhir_report_path(report), sample->path) == 0;
    if (!is_right) {
        print_error("%s\n  wanted %s: %s at %s\n  found  %s: %s at %s\n",
                    sample->text, fhir_class_name(sample->class_of),
                    sample->reason, sample->path,
                    fhir_class_name(fhir_item_class(item)), reasons,
                    fhir_report_path(report));
    }
    fhir_item_free(item);
    fhir_file_close(file);
    return is_right;
}

static void check(const struct sample *samples, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        wrong += is_judged_so(&samples[i]) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

#define CHECK(samples) check(samples, sizeof samples / sizeof samples[0])
#define OK FHIR_ENFORCEABLE
#define NO FHIR_REJECT

/* ---- bundles ------------------------------------------------------------- */

#define BUNDLE(more, entries)                                                  \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\"" more                \
    ",\"entry\":[" entries "]}"
#define ENTRY(more, id)                                                        \
    "{" more "\"resource\":{\"resourceType\":\"Patient\",\"id\":\"" id "\"}}"
#define URL(url) "\"fullUrl\":\"" url "\","
#define FULL_URL "fullUrl of another resource too, or not that of its id"

/* An OperationOutcome says "Bundle.type", not "Resource.type". */
static void test_broken_bundles_are_bundles(void **state)
{
    static const char *const texts[] = {
        "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{}]}",
        BUNDLE("", "{}"), BUNDLE(",\"odd\":1", "{}")};
    static const struct fhir_options options = {.zone_minutes = 0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct pbft_bytes bytes = {(const uint8_t *)texts[i],
                                         strlen(texts[i])};
        struct fhir_file *file = NULL;
        struct fhir_item *item = NULL;
        assert_int_equal(fhir_file_open_bytes(&file, "x", bytes), PBFT_OK);
        assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
        assert_int_equal(fhir_item_class(item), FHIR_REJECT);
        assert_string_equal(fhir_item_type(item), "Bundle");
        fhir_item_free(item);
        fhir_file_close(file);
    }
}

static void test_nothing_around_a_resource_is_overlooked(void **state)
{
    static const struct sample samples[] = {
        {BUNDLE("", ENTRY("", "a")), 0, OK, "-", "entry[0].resource"},
        {BUNDLE("", ENTRY("\"modifierExtension\":[{\"url\":\"u\"}],", "a")), 0,
         NO, "modifierExtension", "entry[0].modifierExtension"},
        {BUNDLE("",
                ENTRY("\"request\":{\"method\":\"PUT\",\"modifierExtension\":"
                      "[{\"url\":\"u\"}]},",
                      "a")),
         0, NO, "modifierExtension", "entry[0].request.modifierExtension"},
        {BUNDLE(",\"modifierExtension\":[{\"url\":\"u\"}]", ENTRY("", "a")), 0,
         NO, "modifierExtension", "modifierExtension"},
        {BUNDLE("", ENTRY("\"odd\":1,", "a")), 0, NO,
         "element is not known: odd", "entry[0]"},
        {BUNDLE(",\"odd\":1", ENTRY("", "a")), 0, NO,
         "element is not known: odd", "$"},
        {BUNDLE("", ENTRY("\"request\":{\"method\":\"DELETE\"},", "a")), 0, NO,
         "neither creates nor updates", "entry[0].request.method"},
    };

    (void)state;
    CHECK(samples);
}

/* By its fullUrl a reference finds one resource: of two patients that share it,
 * one would get the consents of the other. */
static void test_full_url_names_one_resource(void **state)
{
#define SHARED                                                                 \
    BUNDLE("", ENTRY(URL("urn:uuid:1"), "a") "," ENTRY("", "c") "," ENTRY(     \
                   URL("urn:uuid:1"), "b"))
    static const struct sample samples[] = {
        {SHARED, 0, NO, FULL_URL, "entry[0].fullUrl"},
        {SHARED, 1, OK, "-", "entry[1].resource"},
        {SHARED, 2, NO, FULL_URL, "entry[2].fullUrl"},
        {BUNDLE("", ENTRY(URL("http://h/Patient/8"), "9")), 0, NO, FULL_URL,
         "entry[0].fullUrl"},
        {BUNDLE("", ENTRY("\"fullUrl\":\"\",", "a")), 0, NO, "wrong JSON type",
         "entry[0].fullUrl"},
        /* Two versions of one. */
        {BUNDLE("", ENTRY(URL("http://h/Patient/9"),
                          "9") "," ENTRY(URL("http://h/Patient/9"), "9")),
         1, OK, "-", "entry[1].resource"},
        {BUNDLE("", ENTRY(URL("http://h/a/8"), "9")), 0, OK, "-",
         "entry[0].resource"},
        /* Of two servers. */
        {BUNDLE("", ENTRY(URL("http://h/Patient/9"),
                          "9") "," ENTRY(URL("http://i/Patient/9"), "9")),
         0, NO, FULL_URL, "entry[0].fullUrl"},
        {BUNDLE("", ENTRY(URL("http://h/Patient/9"),
                          "9") "," ENTRY(URL("http://i/Patient/9"), "9")),
         1, NO, FULL_URL, "entry[1].fullUrl"},
    };

    (void)state;
    CHECK(samples);
}

#define LONG_16 "yyyyyyyyyyyyyyyy"
#define LONG_128 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16

/* None that is longer is a reference; one that begins so is a name of the
 * vault's own. */
static void test_full_url_is_one_that_can_be_referred_to(void **state)
{
    static const struct sample samples[] = {
        {BUNDLE("", ENTRY(URL("urn:x:" LONG_128 LONG_128 LONG_128), "9")), 0,
         OK, "-", "entry[0].resource"},
        {BUNDLE("",
                ENTRY(URL("urn:x:" LONG_128 LONG_128 LONG_128 LONG_128), "9")),
         0, NO, "larger than its limit", "entry[0].fullUrl"},
        {BUNDLE("", ENTRY(URL("#9"), "9")), 0, NO, "wrong JSON type or empty",
         "entry[0].fullUrl"},
    };

    (void)state;
    CHECK(samples);
}

#define CONSENT "{\"resourceType\":\"Consent\",\"id\":\"c\"}"
#define ASKED(request, resource)                                               \
    BUNDLE("", "{\"request\":{" request "},\"resource\":" resource "}")
#define CONDITION "condition of a request"
#define EVENT_ALONE "{\"resourceType\":\"AuditEvent\",\"id\":\"e\"}"
#define DOCUMENT_ALONE "{\"resourceType\":\"DocumentReference\",\"id\":\"d\"}"

/* A consent that was withdrawn would be given again, a newer one replaced. */
static void test_conditions_of_requests_are_not_overlooked(void **state)
{
#define SOMEBODY "{\"resourceType\":\"Patient\",\"id\":\"a\"}"
#define PUT(url) "\"method\":\"PUT\",\"url\":\"" url "\""
#define POST(url) "\"method\":\"POST\",\"url\":\"" url "\""
#define NONE_EXISTS ",\"ifNoneExist\":\"identifier=s|v\""
    static const struct sample samples[] = {
        {ASKED(POST("Patient") NONE_EXISTS, SOMEBODY), 0, OK, "-",
         "entry[0].resource"},
        {ASKED(PUT("Patient?identifier=s|v"), SOMEBODY), 0, OK, "-",
         "entry[0].resource"},
        {ASKED(PUT("Patient/a"), SOMEBODY), 0, OK, "-", "entry[0].resource"},
        {ASKED(PUT("https://h/fhir/Patient/a"), SOMEBODY), 0, OK, "-",
         "entry[0].resource"},
        {ASKED(PUT("Patient/b"), SOMEBODY), 0, NO, CONDITION,
         "entry[0].request.url"},
        {ASKED(PUT("Patient/aa"), SOMEBODY), 0, NO, CONDITION,
         "entry[0].request.url"},
        {ASKED(PUT("xPatient/a"), SOMEBODY), 0, NO, CONDITION,
         "entry[0].request.url"},
        {ASKED(PUT("Patient/a") ",\"ifMatch\":\"W/1\"", SOMEBODY), 0, NO,
         CONDITION, "entry[0].request.ifMatch"},
        {ASKED(POST("Consent") NONE_EXISTS, CONSENT), 0, NO, CONDITION,
         "entry[0].request.ifNoneExist"},
        {ASKED(POST("DocumentReference") NONE_EXISTS, DOCUMENT_ALONE), 0, NO,
         CONDITION, "entry[0].request.ifNoneExist"},
        {ASKED(PUT("AuditEvent?entity=x"), EVENT_ALONE), 0, NO, CONDITION,
         "entry[0].request.url"},
        {ASKED(PUT("Consent?identifier=s|v"), CONSENT), 0, NO, CONDITION,
         "entry[0].request.url"},
        {ASKED(PUT("Consent/d"), CONSENT), 0, NO, CONDITION,
         "entry[0].request.url"},
    };

    (void)state;
    CHECK(samples);
}

/* ---- documents ----------------------------------------------------------- */

#define DOCUMENT(more)                                                         \
    "{\"resourceType\":\"DocumentReference\",\"status\":\"current\","          \
    "\"subject\":{\"reference\":\"Patient/a\"},"                               \
    "\"content\":[{\"attachment\":{\"data\":\"eA==\"}}]" more "}"
#define META(coding) DOCUMENT(",\"meta\":{\"security\":[" coding "]}")
#define CONF HL7 "v3-Confidentiality"

/* One that is overlooked makes restricted data normal. */
static void test_confidentiality_is_read_or_refused(void **state)
{
    static const struct sample samples[] = {
        {META(CODING(CONF, "R")), 0, OK, "-", "$"},
        {META(CODING(CONF, "T")), 0, NO, "label is not known",
         "meta.security[0]"},
        {META(CODING("http://hl7.org/fhir/v3/Confidentiality", "R")), 0, NO,
         "label is not known: R", "meta.security[0]"},
        {META(CODING("urn:oid:2.16.840.1.113883.5.25", "V")), 0, NO,
         "label is not known: V", "meta.security[0]"},
        {META("{\"code\":\"R\"}"), 0, NO, "label is not known: R",
         "meta.security[0]"},
        {META(CODING(HL7 "v3-ActReason", "HTEST")), 0, OK, "-", "$"},
        {META("{\"code\":\"reviewed\"}"), 0, OK, "-", "$"},
        {META(CODING(HL7 "v3-ActCode", "HIV")), 0, OK, "-", "$"},
        {META(CODING(HL7 "v3-ActCode", "NOSUCH")), 0, NO, "label is not known",
         "meta.security[0]"},
        {META(CODING("http://hl7.org/fhir/v3/ActCode", "HIV")), 0, NO,
         "label is not known: HIV", "meta.security[0]"},
        {META(CODING("urn:oid:2.16.840.1.113883.5.4", "ETH")), 0, NO,
         "label is not known: ETH", "meta.security[0]"},
        {META("{\"code\":\"HIV\"}"), 0, NO, "label is not known: HIV",
         "meta.security[0]"},
        {META(CODING("urn:salus:tag", "00112233445566778899aabbccddeeff")), 0,
         NO, "label is not known", "meta.security[0]"},
        {DOCUMENT(
             ",\"securityLabel\":[{\"coding\":[" CODING(CONF, "N") "," CODING(
                 "http://hl7.org/fhir/v3/ActCode", "HIV") "]}]"),
         0, NO, "label is not known: HIV", "securityLabel[0].coding[1]"},
        {DOCUMENT(",\"securityLabel\":[{\"coding\":[" CODING(
             HL7 "v3-ActCode", "PSY") "," CODING(HL7 "v3-ActCode",
                                                 "NOSUCH") "]}]"),
         0, NO, "label is not known", "securityLabel[0].coding[1]"},
        {DOCUMENT(",\"securityLabel\":[{\"coding\":[" CODING(
             CONF, "N") "," CODING(CONF, "T") "]}]"),
         0, NO, "label is not known", "securityLabel[0].coding[1]"},
    };

    (void)state;
    CHECK(samples);
}

static void test_parts_of_documents_are_known(void **state)
{
    static const struct sample samples[] = {
        {DOCUMENT(",\"context\":{\"related\":[{\"reference\":"
                  "\"DocumentReference/b\"},{\"identifier\":{\"value\":\"1\"}}"
                  "]}"),
         0, OK, "-", "$"},
        {DOCUMENT(",\"context\":{\"odd\":1}"), 0, NO, "not known",
         "context.odd"},
        {DOCUMENT(",\"context\":{\"period\":{\"id\":\"x\"}}"), 0, NO,
         "wrong JSON type or empty", "context.period"},
        {DOCUMENT(",\"relatesTo\":[{\"code\":\"appends\",\"odd\":1,\"target\":{"
                  "\"reference\":\"DocumentReference/b\"}}]"),
         0, NO, "not known", "relatesTo[0].odd"},
        {DOCUMENT(",\"type\":" CONCEPT("urn:salus:class", "odd")), 0, NO,
         "code is not allowed here", "type"},
    };

    (void)state;
    CHECK(samples);
}

/* ---- groups -------------------------------------------------------------- */

#define GROUP(member)                                                          \
    "{\"resourceType\":\"Group\",\"id\":\"g\",\"type\":\"practitioner\","      \
    "\"actual\":true,\"member\":[{\"entity\":{\"reference\":"                  \
    "\"Practitioner/a\"}" member "}]}"

/* Who left must not stay a member for the form in which it was said. */
static void test_members_of_groups(void **state)
{
    static const struct sample samples[] = {
        {GROUP(",\"inactive\":false"), 0, OK, "-", "$"},
        {GROUP(",\"inactive\":\"true\""), 0, NO, "wrong JSON type",
         "member[0].inactive"},
        {GROUP(",\"inactive\":null"), 0, NO, "wrong JSON type",
         "member[0].inactive"},
        {GROUP(",\"until\":\"2024\""), 0, NO, "not known", "member[0].until"},
    };

    (void)state;
    CHECK(samples);
}

/* ---- devices, relatives, visits ------------------------------------------ */

#define OF(type, more) "{\"resourceType\":\"" type "\",\"id\":\"x\"" more "}"
#define WHOSE(key, type) ",\"" key "\":{\"reference\":\"" type "/a\"}"
#define STATUS(code) ",\"status\":\"" code "\""
#define STAYS "documents and consents may name it"

static void test_what_acts_or_is_named_besides(void **state)
{
    static const struct sample samples[] = {
        {OF("Device", STATUS("active")), 0, OK, "-", "$"},
        {OF("Device", ""), 0, OK, "-", "$"},
        {OF("Device", STATUS("inactive")), 0, NO, "is not active", "status"},
        {OF("Device", STATUS("entered-in-error")), 0, NO, "status", "status"},
        {OF("Device", ",\"odd\":1"), 0, NO, "element is not known", "odd"},
        {OF("RelatedPerson", WHOSE("patient", "Patient")), 0, OK, "-", "$"},
        {OF("RelatedPerson", WHOSE("patient", "Group")), 0, NO,
         "reference to a wrong type", "patient"},
        {OF("RelatedPerson", ""), 0, NO, "required element", "patient"},
        {OF("RelatedPerson", WHOSE("patient", "Patient") ",\"active\":false"),
         0, NO, "is not active", "active"},
        {OF("RelatedPerson", WHOSE("patient", "Patient") ",\"period\":{}"), 0,
         NO, "wrong JSON type or empty", "period"},
        {OF("Encounter", STATUS("finished") WHOSE("subject", "Patient")), 0,
         FHIR_LOCAL, STAYS, "$"},
        {OF("EpisodeOfCare", STATUS("active") WHOSE("patient", "Patient")), 0,
         FHIR_LOCAL, STAYS, "$"},
        {OF("Encounter", WHOSE("subject", "Group")), 0, FHIR_LOCAL, STAYS, "$"},
        {OF("Encounter", STATUS("entered-in-error")), 0, NO, "status",
         "status"},
        {OF("Encounter", ",\"modifierExtension\":[{\"url\":\"u\"}]"), 0, NO,
         "modifierExtension", "modifierExtension"},
        {OF("Encounter", ",\"subject\":{\"reference\":\"#p\"}"), 0, NO,
         "a contained resource", "subject"},
    };

    (void)state;
    CHECK(samples);
}

/* ---- audit events -------------------------------------------------------- */

#define DCM "http://dicom.nema.org/resources/ontology/DCM"
#define EXPORT CODING(DCM, "110106")
#define DISCLOSE CODING(HL7 "iso-21089-lifecycle", "disclose")
#define EVENT(type, subtype, agent, more)                                      \
    "{\"resourceType\":\"AuditEvent\",\"type\":" type ",\"subtype\":" subtype  \
    ",\"recorded\":\"2025-03-01T10:00:00Z\",\"agent\":[{\"type\":" CONCEPT(    \
        DCM, "110152") ",\"who\":{\"reference\":\"Practitioner/a\"}" agent     \
                       "}],\"entity\":[{\"what\":{\"reference\":"              \
                       "\"Patient/a\"},\"role\":{\"code\":\"1\"}},{\"what\":{" \
                       "\"reference\":\"DocumentReference/b\"}}]" more "}"
#define PURPOSE ",\"purposeOfEvent\":[" CONCEPT(HL7 "v3-ActReason", "TREAT") "]"
#define DISCLOSURE(agent, more)                                                \
    EVENT(EXPORT, "[" DISCLOSE "]", agent, PURPOSE more)
#define READ CODING(HL7 "audit-event-type", "rest")
#define READING CODING("http://hl7.org/fhir/restful-interaction", "read")

/* A disclosure that is taken for an internal event is never told. */
static void test_malformed_events_are_not_internal(void **state)
{
    static const struct sample samples[] = {
        {DISCLOSURE("", ""), 0, OK, "-", "$"},
        {EVENT(READ, "[" READING "]", "", ""), 0, FHIR_LOCAL, "stays here",
         "type"},
        {EVENT(CONCEPT(DCM, "110106"), "[" DISCLOSE "]", "", PURPOSE), 0, NO,
         "not known", "type.coding"},
        {EVENT("{\"system\":\"" DCM "\",\"code\":110106}", "[" DISCLOSE "]", "",
               PURPOSE),
         0, NO, "wrong JSON type", "type.code"},
        {EVENT(EXPORT, DISCLOSE, "", PURPOSE), 0, NO, "wrong JSON type",
         "subtype"},
        {EVENT(EXPORT, "[{\"coding\":[" DISCLOSE "]}]", "", PURPOSE), 0, NO,
         "not known", "subtype[0].coding"},
        {EVENT(READ, "[" READING "]", "",
               ",\"purposeOfEvent\":" CONCEPT(HL7 "v3-ActReason", "BTG")),
         0, NO, "wrong JSON type", "purposeOfEvent"},
        /* Emergencies by another name of the code system. */
        {EVENT(READ, "[" READING "]", ",\"requestor\":true",
               ",\"purposeOfEvent\":[" CONCEPT(
                   "http://hl7.org/fhir/v3/ActReason", "BTG") "]"),
         0, NO, "purpose is missing or not known", "purposeOfEvent[0]"},
        {EVENT(READ, "[" READING "]",
               ",\"requestor\":true,\"purposeOfUse\":[{\"coding\":[{\"code\":"
               "\"ETREAT\"}]}]",
               ""),
         0, NO, "purpose is missing or not known", "agent[0].purposeOfUse[0]"},
        /* Disclosures by another name, or of another type. */
        {EVENT(EXPORT,
               "[" CODING("http://hl7.org/fhir/iso-21089-lifecycle",
                          "disclose") "]",
               "", PURPOSE),
         0, NO, "tells of a disclosure", "type"},
        {EVENT(EXPORT, "[{\"system\":\"urn:x\",\"code\":\"Disclosure\"}]", "",
               PURPOSE),
         0, NO, "tells of a disclosure", "type"},
        {EVENT(READ, "[" READING "," DISCLOSE "]", "",
               ",\"purposeOfEvent\":[" CONCEPT(HL7 "v3-ActReason", "BTG") "]"),
         0, NO, "tells of a disclosure", "type"},
        {EVENT(DISCLOSE, "[" READING "]", "", PURPOSE), 0, NO,
         "tells of a disclosure", "type"},
        {EVENT(READ, "[" READING "," DISCLOSE "]", "", ",\"outcome\":\"8\""), 0,
         FHIR_LOCAL, "did not succeed", "outcome"},
        {EVENT(CODING(DCM, "110107"), "[" DISCLOSE "]", "", PURPOSE), 0,
         FHIR_LOCAL, "receipt", "type"},
    };

    (void)state;
    CHECK(samples);
}

static void test_parts_of_events_are_read_or_refused(void **state)
{
    static const struct sample samples[] = {
        {DISCLOSURE("", ",\"outcome\":\"0\""), 0, OK, "-", "$"},
        {DISCLOSURE("", ",\"outcome\":8"), 0, NO, "wrong JSON type", "outcome"},
        {DISCLOSURE("", ",\"outcome\":\"ok\""), 0, NO, "not allowed",
         "outcome"},
        {DISCLOSURE(",\"requestor\":\"true\"", ""), 0, NO, "wrong JSON type",
         "agent[0].requestor"},
        {DISCLOSURE(",\"policy\":\"urn:salus:request:9f3a\"", ""), 0, NO,
         "wrong JSON type", "agent[0].policy"},
        {DISCLOSURE(",\"policy\":[\"urn:salus:Request:9f3a\"]", ""), 0, NO,
         "not the number of one decision", "agent[0].policy[0]"},
        {DISCLOSURE(",\"policy\":[\"http://example.org/law\"]", ""), 0, OK, "-",
         "$"},
    };

    (void)state;
    CHECK(samples);
}

/* ---- texts --------------------------------------------------------------- */

static void test_broken_text_says_where(void **state)
{
    static const struct sample samples[] = {
        {"{\n \"a\": 1,\n \"a\": 2\n}", 0, NO, "twice: line-3-column-4", "$"},
        {"{\n \"a\": 1,,\n}", 0, NO, "not JSON: line-2-column-9", "$"},
        {"\xef\xbb\xbf{}", 0, NO, "byte order mark", "$"},
        /* Of a line of NDJSON the column. */
        {"{\"resourceType\":\"Patient\"}\n{\"a\":,}", 1, NO,
         "not JSON: column-6", "$"},
        /* One value over several lines is no NDJSON. */
        {"{\n \"resourceType\":\"Patient\"\n}\n}", 0, NO,
         "not JSON: line-4-column-1", "$"},
    };

    (void)state;
    CHECK(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_bundles_are_bundles),
        cmocka_unit_test(test_nothing_around_a_resource_is_overlooked),
        cmocka_unit_test(test_full_url_names_one_resource),
        cmocka_unit_test(test_full_url_is_one_that_can_be_referred_to),
        cmocka_unit_test(test_conditions_of_requests_are_not_overlooked),
        cmocka_unit_test(test_confidentiality_is_read_or_refused),
        cmocka_unit_test(test_parts_of_documents_are_known),
        cmocka_unit_test(test_members_of_groups),
        cmocka_unit_test(test_what_acts_or_is_named_besides),
        cmocka_unit_test(test_malformed_events_are_not_internal),
        cmocka_unit_test(test_parts_of_events_are_read_or_refused),
        cmocka_unit_test(test_broken_text_says_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
