/* SPDX-License-Identifier: Apache-2.0 */
/* The import law, rule by rule: a consent that is enforceable, and what one
 * change makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/fhir.h"

#define TEXT_SIZE 8192
#define CODING(system, code)                                                   \
    "{\"coding\":[{\"system\":\"" system "\",\"code\":\"" code "\"}]}"
#define TREAT                                                                  \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\","      \
    "\"code\":\"TREAT\"}"
#define ODD "{\"system\":\"urn:oid:2.999\",\"code\":\"ODD\"}"
#define IRCP                                                                   \
    CODING("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRC" \
                                                                         "P")
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define ACTION HL7 "consentaction"
#define PARTICIPATION HL7 "v3-ParticipationType"
#define SCOPE HL7 "consentscope"
#define ACT_CODE HL7 "v3-ActCode"
#define BOTH(system, one, two)                                                 \
    "{\"coding\":[{\"system\":\"" system "\",\"code\":\"" one "\"},{"          \
    "\"system\":\"" system "\",\"code\":\"" two "\"}]}"
#define LABEL(code)                                                            \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\","        \
    "\"code\":\"" code "\"}"
#define CONF(code)                                                             \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/"                     \
    "v3-Confidentiality\",\"code\":\"" code "\"}"

/* Members of a consent; a case replaces one or adds one. */
struct member {
    const char *key;
    const char *value;
};

static const struct member sound[] = {
    {"resourceType", "\"Consent\""},
    {"id", "\"c-1\""},
    {"status", "\"active\""},
    {"scope", CODING("http://terminology.hl7.org/CodeSystem/consentscope",
                     "patient-privacy")},
    {"category", "[" CODING("http://loinc.org", "59284-0") "]"},
    {"patient", "{\"reference\":\"Patient/p-1\"}"},
    {"dateTime", "\"2025-03-01\""},
    {"performer", "[{\"reference\":\"Patient/p-1\"}]"},
    {"organization", "[{\"reference\":\"Organization/o-1\"}]"},
    {"sourceReference", "{\"reference\":\"DocumentReference/d-1\"}"},
    {"policy", "[{\"uri\":\"urn:example:policy\"}]"},
    {"provision", "{\"type\":\"permit\",\"purpose\":[" TREAT "]}"},
};
#define SOUND_COUNT (sizeof sound / sizeof sound[0])

/* `value` NULL leaves the member out; a second change may follow. */
struct rule {
    struct member change;
    struct member also;
    enum fhir_class class_of;
    const char *reason; /* Stands among the reasons. */
    const char *path;   /* Of what decided. */
};

static const char *changed(const struct rule *rule, const char *key,
                           const char *value)
{
    if (rule->change.key != NULL && strcmp(rule->change.key, key) == 0) {
        return rule->change.value;
    }
    if (rule->also.key != NULL && strcmp(rule->also.key, key) == 0) {
        return rule->also.value;
    }
    return value;
}

static bool is_sound_key(const char *key)
{
    for (size_t i = 0; i < SOUND_COUNT; i++) {
        if (strcmp(sound[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void append_member(char *out, const char *key, const char *value)
{
    size_t used = strlen(out);

    if (value != NULL) {
        (void)snprintf(out + used, TEXT_SIZE - used, "%s\"%s\":%s",
                       used > 1 ? "," : "", key, value);
    }
}

static void write_consent(char *out, const struct rule *rule)
{
    (void)snprintf(out, TEXT_SIZE, "{");
    for (size_t i = 0; i < SOUND_COUNT; i++) {
        append_member(out, sound[i].key,
                      changed(rule, sound[i].key, sound[i].value));
    }
    const struct member extra[] = {rule->change, rule->also};
    for (size_t i = 0; i < 2; i++) {
        if (extra[i].key != NULL && !is_sound_key(extra[i].key)) {
            append_member(out, extra[i].key, extra[i].value);
        }
    }
    (void)strncat(out, "}", 2);
}

static struct fhir_item *load_text(const char *text)
{
    static const struct fhir_options options = {.zone_minutes = 60};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test.json",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    fhir_file_close(file);
    return item;
}

static void check(const struct rule *rules, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        char text[TEXT_SIZE];
        char reasons[TEXT_SIZE];
        const struct rule *rule = &rules[i];
        write_consent(text, rule);
        struct fhir_item *item = load_text(text);
        const struct fhir_report *report = fhir_item_report(item);
        fhir_report_reasons(report, reasons, sizeof reasons);
        if (fhir_item_class(item) != rule->class_of ||
            strstr(reasons, rule->reason) == NULL ||
            strcmp(fhir_report_path(report), rule->path) != 0) {
            print_error("%s\n  wanted %s: %s at %s\n  found  %s: %s at %s\n",
                        text, fhir_class_name(rule->class_of), rule->reason,
                        rule->path, fhir_class_name(fhir_item_class(item)),
                        reasons, fhir_report_path(report));
            wrong++;
        }
        fhir_item_free(item);
    }
    assert_int_equal(wrong, 0);
}

#define CHECK(rules) check(rules, sizeof rules / sizeof rules[0])

#define OK FHIR_ENFORCEABLE
#define EV FHIR_EVIDENCE_ONLY
#define NO FHIR_REJECT
#define PROVISION(text)                                                        \
    {                                                                          \
        "provision", "{\"type\":\"permit\"," text "}"                          \
    }
#define DENY(text)                                                             \
    {                                                                          \
        "provision", "{\"type\":\"deny\"," text "}"                            \
    }
#define NESTED(text)                                                           \
    {                                                                          \
        "provision", "{\"type\":\"permit\",\"purpose\":[" TREAT                \
                     "],\"provision\":[" text "]}"                             \
    }
#define NONE                                                                   \
    {                                                                          \
        NULL, NULL                                                             \
    }

static void test_sound_consents(void **state)
{
    static const struct rule rules[] = {
        /* The deny of one version is one of all. */
        {DENY("\"data\":[{\"meaning\":\"instance\",\"reference\":{"
              "\"reference\":\"DocumentReference/1/_history/1\"}}]"),
         NONE, OK, "-", "$"},
        {NONE, NONE, OK, "-", "$"},
        {DENY("\"purpose\":[" TREAT "]"), NONE, OK, "-", "$"},
        {{"provision", "{\"type\":\"deny\"}"}, NONE, OK, "-", "$"},
        {PROVISION("\"period\":{\"start\":\"1964\",\"end\":\"2030-02\"}"), NONE,
         OK, "-", "$"},
        {PROVISION("\"actor\":[{\"role\":" IRCP ",\"reference\":{\"reference\":"
                   "\"Practitioner/17\"}}]"),
         NONE, OK, "-", "$"},
        {PROVISION("\"securityLabel\":[" CONF("R") "," LABEL("HIV") "]"), NONE,
         OK, "-", "$"},
        {PROVISION("\"action\":[" CODING(
             "http://terminology.hl7.org/CodeSystem/consentaction",
             "disclose") "]"),
         NONE, OK, "-", "$"},
        {PROVISION("\"class\":[{\"system\":\"urn:salus:class\",\"code\":"
                   "\"laboratory\"}]"),
         NONE, OK, "-", "$"},
        {PROVISION("\"dataPeriod\":{\"start\":\"2024\"}"), NONE, OK, "-", "$"},
        {PROVISION("\"data\":[{\"meaning\":\"dependents\",\"reference\":{"
                   "\"reference\":\"Encounter/1\"}}]"),
         NONE, OK, "-", "$"},
        {NESTED("{\"type\":\"deny\",\"securityLabel\":[" CONF("R") "]}"), NONE,
         OK, "-", "$"},
        /* securityLabel is one field: an exception that states it, however,
         * does not inherit the root's (docs/api.md, 4a). */
        {PROVISION("\"securityLabel\":[" LABEL(
             "PSY") "],\"provision\":[{\"type\":\"permit\",\"securityLabel\":"
                    "[" CONF("R") "]}]"),
         NONE, OK, "-", "$"},
        {PROVISION("\"securityLabel\":[" CONF(
             "N") "],\"provision\":[{\"type\":\"permit\",\"securityLabel\":"
                  "[" LABEL("PSY") "]}]"),
         NONE, OK, "-", "$"},
        {{"performer", "[{\"reference\":\"Practitioner/1\"},{"
                       "\"reference\":\"Patient/p-1\"}]"},
         NONE,
         OK,
         "-",
         "$"},
        {{"performer", "[{\"reference\":\"RelatedPerson/2\"}]"},
         NONE,
         OK,
         "-",
         "$"},
        {{"sourceReference", NULL},
         {"sourceAttachment", "{\"title\":\"form\"}"},
         OK,
         "-",
         "$"},
        {{"extension", "[{\"url\":\"urn:x\",\"valueString\":\"y\"}]"},
         NONE,
         OK,
         "-",
         "$"},
        {{"policyRule",
          CODING("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN")},
         NONE,
         OK,
         "-",
         "$"},
        {{"verification", "[{\"verified\":true}]"}, NONE, OK, "-", "$"},
        {PROVISION("\"purpose\":[" ODD "]"), NONE, OK,
         "purpose outside v3-ActReason", "provision.purpose[0]"},
        {{"status", "\"inactive\""},
         {"provision", NULL},
         OK,
         "withdraws the consent",
         "status"},
    };

    (void)state;
    CHECK(rules);
}

static void test_evidence_only(void **state)
{
    static const struct rule rules[] = {
        {{"provision", NULL}, NONE, EV, "no provision", "provision"},
        {{"provision", "{\"purpose\":[" TREAT "]}"},
         NONE,
         EV,
         "root provision.type absent",
         "provision.type"},
        /* One concept with two codes: taking one would drop the other. */
        {PROVISION("\"action\":[" BOTH(ACTION, "access", "correct") "]"), NONE,
         EV, "action not mappable: access", "provision.action[0]"},
        {PROVISION("\"actor\":[{\"role\":" BOTH(
             PARTICIPATION, "IRCP",
             "PRCP") ","
                     "\"reference\":{\"reference\":\"Practitioner/17\"}}]"),
         NONE, EV, "actor role not IRCP", "provision.actor[0].role"},
        {{"scope", BOTH(SCOPE, "patient-privacy", "research")},
         NONE,
         EV,
         "scope is not known",
         "scope"},
        {{"policyRule", BOTH(ACT_CODE, "OPTIN", "OPTOUT")},
         NONE,
         EV,
         "policyRule OPTOUT contradicts root type permit",
         "policyRule"},
        {PROVISION("\"data\":[{\"meaning\":\"authoredby\",\"reference\":{"
                   "\"reference\":\"Group/1\"}}]"),
         NONE, EV, "author is a group", "provision.data[0].reference"},
        /* Blinded labels are of the patient who is named by handle. */
        {PROVISION("\"securityLabel\":[{\"system\":\"urn:salus:tag\",\"code\":"
                   "\"00112233445566778899aabbccddeeff\"}]"),
         NONE, EV, "securityLabel not mappable", "provision.securityLabel[0]"},
        {PROVISION("\"period\":{\"start\":\"2025\",\"_end\":{\"extension\":[{"
                   "\"url\":\"urn:x\",\"valueCode\":\"unknown\"}]}}"),
         NONE, EV, "extension in a provision", "provision.period._end"},
        {PROVISION("\"purpose\":[{\"system\":\"http://terminology.hl7.org/"
                   "CodeSystem/v3-ActReason\",\"code\":\"TREAT\","
                   "\"extension\":[{\"url\":\"urn:x\",\"valueString\":"
                   "\"only on weekdays\"}]}]"),
         NONE, EV, "extension in a provision",
         "provision.purpose[0].extension"},
        {{"dateTime", NULL}, NONE, EV, "no dateTime", "dateTime"},
        {{"performer", NULL}, NONE, EV, "no performer", "performer"},
        {{"sourceReference", NULL},
         NONE,
         EV,
         "no source evidence",
         "sourceReference"},
        {{"policy", NULL}, NONE, EV, "no policy uri", "policy"},
        {{"policy", "[{\"uri\":\"urn:a\"},{\"uri\":\"urn:b\"}]"},
         NONE,
         EV,
         "more than one policy",
         "policy[1]"},
        {{"performer", "[{\"reference\":\"Practitioner/1\"}]"},
         NONE,
         EV,
         "performer is neither the patient nor one who acts for him",
         "performer[0]"},
        {{"performer", "[{\"reference\":\"PractitionerRole/1\"}]"},
         NONE,
         EV,
         "performer is neither the patient nor one who acts for him",
         "performer[0]"},
        {{"performer", "[{\"type\":\"Organization\",\"identifier\":{"
                       "\"system\":\"urn:x\",\"value\":\"1\"}}]"},
         NONE,
         EV,
         "performer is neither the patient nor one who acts for him",
         "performer[0]"},
        {{"performer", "[{\"reference\":\"RelatedPerson/1\"},{\"reference\":"
                       "\"RelatedPerson/2\"}]"},
         NONE,
         EV,
         "more than one performer",
         "performer"},
        {{"scope", CODING("urn:oid:2.999", "mine")},
         NONE,
         EV,
         "scope is not known",
         "scope"},
        {{"verification", "[{\"verified\":false}]"},
         NONE,
         EV,
         "not verified",
         "verification[0].verified"},
        {PROVISION("\"actor\":[{\"role\":" CODING(
             "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
             "CST") ",\"reference\":{\"reference\":\"Organization/1\"}}]"),
         NONE, EV, "actor role not IRCP: CST", "provision.actor[0].role"},
        {PROVISION("\"actor\":[{\"reference\":{\"reference\":"
                   "\"Organization/1\"}}]"),
         NONE, EV, "actor role not IRCP", "provision.actor[0].role"},
        {PROVISION("\"code\":[" CODING("http://loinc.org", "1-8") "]"), NONE,
         EV, "provision.code not mappable", "provision.code[0]"},
        {PROVISION("\"class\":[{\"system\":\"http://hl7.org/fhir/"
                   "resource-types\",\"code\":\"Observation\"}]"),
         NONE, EV, "finer than the table: Observation", "provision.class[0]"},
        {PROVISION("\"data\":[{\"meaning\":\"instance\",\"reference\":{"
                   "\"reference\":\"DocumentReference/1/_history/1\"}}]"),
         NONE, EV, "permit for one version", "provision.data[0].reference"},
        {PROVISION("\"action\":[" CODING("urn:oid:2.999", "sell") "]"), NONE,
         EV, "action not mappable", "provision.action[0]"},
        {PROVISION("\"securityLabel\":[" LABEL("NOSUCH") "]"), NONE, EV,
         "securityLabel not mappable", "provision.securityLabel[0]"},
        {PROVISION("\"extension\":[{\"url\":\"urn:x\",\"valueCode\":\"y\"}]"),
         NONE, EV, "extension in a provision", "provision.extension"},
        {PROVISION("\"dataPeriod\":{\"start\":\"1950\",\"end\":\"1980\"}"),
         NONE, EV, "date before 1970", "provision.dataPeriod"},
        {PROVISION("\"period\":{\"end\":\"2024-12-31\"}"), NONE, EV,
         "period ends before the consent was given", "provision.period"},
        {NESTED("{\"securityLabel\":[" CONF("R") "]}"), NONE, EV,
         "nested provision.type absent", "provision.provision[0].type"},
        {NESTED("{\"type\":\"deny\"}"), NONE, EV, "restricts nothing",
         "provision.provision[0]"},
        {NESTED("{\"type\":\"deny\",\"purpose\":[" TREAT
                "],\"period\":{\"start\":\"2026\"}}"),
         NONE, EV, "period of a nested provision",
         "provision.provision[0].period"},
        {NESTED("{\"type\":\"deny\",\"purpose\":[" TREAT
                "],\"provision\":[{\"type\":\"permit\"}]}"),
         NONE, EV, "deeper than one level", "provision.provision[0].provision"},
        {PROVISION(
             "\"purpose\":[" ODD
             "],\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" CONF(
                 "R") "]}]"),
         NONE, EV, "deny inherits a purpose", "provision.provision[0]"},
        {{"policyRule",
          CODING("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTOUT")},
         NONE,
         EV,
         "policyRule OPTOUT contradicts root type permit",
         "policyRule"},
        {{"policyRule",
          CODING("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN")},
         DENY("\"purpose\":[" TREAT "]"),
         EV,
         "policyRule OPTIN contradicts root type deny",
         "policyRule"},
        {{"scope", CODING("http://terminology.hl7.org/CodeSystem/consentscope",
                          "research")},
         NONE,
         EV,
         "without a research purpose",
         "provision.purpose"},
        {{"category", "[" CODING("http://terminology.hl7.org/CodeSystem/"
                                 "v3-ActCode",
                                 "42CFRPart2") "]"},
         NONE,
         EV,
         "demands named recipients",
         "provision.actor"},
        {{"policyRule", CODING("http://hl7.org/fhir/v3/ActCode", "OPTOUT")},
         NONE,
         EV,
         "policyRule OPTOUT contradicts root type permit",
         "policyRule"},
        {{"policyRule", "{\"coding\":[{\"code\":\"OPTOUT\"}]}"},
         NONE,
         EV,
         "policyRule OPTOUT contradicts root type permit",
         "policyRule"},
        {PROVISION("\"action\":[" BOTH(ACTION, "access", "use") "]"), NONE, EV,
         "several different codes where one counts", "provision.action[0]"},
    };

    (void)state;
    CHECK(rules);
}

static void test_rejected(void **state)
{
    static const struct rule rules[] = {
        {{"resourceType", NULL}, NONE, NO, "no resourceType", "resourceType"},
        {PROVISION("\"dataPeriod\":{}"), NONE, NO, "wrong JSON type or empty",
         "provision.dataPeriod"},
        {{"resourceType", "\"Account\""},
         NONE,
         NO,
         "resource type Account is not imported",
         "resourceType"},
        {{"resourceType", "\"Xanthippa Zirbelnuss\""},
         NONE,
         NO,
         "resource type (unreadable) is not imported",
         "resourceType"},
        {{"status", NULL}, NONE, NO, "required element is missing", "status"},
        {{"status", "\"draft\""}, NONE, NO, "status draft", "status"},
        {{"status", "\"entered-in-error\""}, NONE, NO, "status", "status"},
        {{"status", "17"}, NONE, NO, "wrong JSON type", "status"},
        {{"scope", NULL}, NONE, NO, "required element", "scope"},
        {{"category", NULL}, NONE, NO, "required element", "category"},
        {{"category", "[]"}, NONE, NO, "wrong JSON type", "category"},
        {{"patient", NULL}, NONE, NO, "required element", "patient"},
        {{"patient", "{\"display\":\"X. Zirbelnuss\"}"},
         NONE,
         NO,
         "reference is missing",
         "patient"},
        {{"patient", "{\"reference\":\"#p\"}"},
         NONE,
         NO,
         "contained",
         "patient"},
        {{"patient", "{\"reference\":\"Group/p\"}"},
         NONE,
         NO,
         "wrong type",
         "patient"},
        {{"patient", "{\"reference\":\"Patient/a b\"}"},
         NONE,
         NO,
         "malformed",
         "patient"},
        {{"patient", "{\"reference\":\"Patient/1\",\"referenced\":\"x\"}"},
         NONE,
         NO,
         "element is not known",
         "patient.referenced"},
        {{"implicitRules", "\"urn:x\""},
         NONE,
         NO,
         "implicitRules",
         "implicitRules"},
        {{"modifierExtension", "[{\"url\":\"urn:x\"}]"},
         NONE,
         NO,
         "modifierExtension",
         "modifierExtension"},
        {{"contained", "[{\"resourceType\":\"Patient\","
                       "\"modifierExtension\":[]}]"},
         NONE,
         NO,
         "modifierExtension",
         "contained[0].modifierExtension"},
        {{"decision", "\"permit\""},
         NONE,
         NO,
         "element is not known",
         "decision"},
        {{"xanthippa zirbelnuss", "1"},
         NONE,
         NO,
         "element is not known",
         "(unreadable)"},
        {PROVISION("\"except\":[]"), NONE, NO, "element is not known",
         "provision.except"},
        {{"provision", "[]"}, NONE, NO, "wrong JSON type", "provision"},
        {{"provision", "{\"type\":\"maybe\"}"},
         NONE,
         NO,
         "code is not allowed here",
         "provision.type"},
        {DENY("\"purpose\":[" ODD "]"), NONE, NO,
         "deny for a purpose outside v3-ActReason", "provision.purpose[0]"},
        {NESTED("{\"type\":\"deny\",\"purpose\":[" ODD "]}"), NONE, NO,
         "deny for a purpose", "provision.provision[0].purpose[0]"},
        {PROVISION("\"purpose\":[{\"system\":\"urn:x\"}]"), NONE, NO,
         "required element", "provision.purpose[0].code"},
        {PROVISION("\"data\":[{\"meaning\":\"all\",\"reference\":{"
                   "\"reference\":\"Encounter/1\"}}]"),
         NONE, NO, "code is not allowed here", "provision.data[0].meaning"},
        {PROVISION("\"actor\":[{\"role\":" IRCP "}]"), NONE, NO,
         "required element", "provision.actor[0].reference"},
        {PROVISION("\"period\":{\"start\":\"2030\",\"end\":\"2020\"}"), NONE,
         NO, "ends before it begins", "provision.period"},
        {PROVISION("\"period\":{\"end\":\"2030-02-30\"}"), NONE, NO,
         "not a valid date", "provision.period.end"},
        {{"dateTime", "\"2025-03-01T24:00:00Z\""},
         NONE,
         NO,
         "not a valid date",
         "dateTime"},
        {{"dateTime", "\"2025-03-01T12:00:00\""},
         NONE,
         NO,
         "not a valid date",
         "dateTime"},
        {{"dateTime", "2025"}, NONE, NO, "wrong JSON type", "dateTime"},
        {{"sourceAttachment", "{\"title\":\"x\"}"},
         NONE,
         NO,
         "element is not known",
         "sourceAttachment"},
        {{"id", "\"a b\""}, NONE, NO, "wrong JSON type", "id"},
        /* Not an open period: something was lost on the way. */
        {PROVISION("\"period\":{\"id\":\"p\"}"), NONE, NO,
         "wrong JSON type or empty", "provision.period"},
        {PROVISION("\"dataPeriod\":{\"id\":\"p\"}"), NONE, NO,
         "wrong JSON type or empty", "provision.dataPeriod"},
        {PROVISION("\"actor\":[{\"role\":" IRCP ",\"reference\":{\"reference\":"
                   "\"Observation/17\"}}]"),
         NONE, NO, "reference to a wrong type", "provision.actor[0].reference"},
    };

    (void)state;
    CHECK(rules);
}

/* Lists that are longer than the ledger can hold are never cut. */
/* What is not understood is not nothing. */
static void test_exception_of_a_fine_class_restricts_something(void **state)
{
    static const struct rule rule = {
        NESTED("{\"type\":\"deny\",\"class\":[{\"system\":"
               "\"http://hl7.org/fhir/resource-types\",\"code\":"
               "\"Observation\"}]}"),
        NONE, EV, "provision.class finer than the table: Observation",
        "provision.provision[0].class[0]"};

    (void)state;
    check(&rule, 1);
    char text[TEXT_SIZE];
    write_consent(text, &rule);
    struct fhir_item *item = load_text(text);
    assert_int_equal(fhir_item_report(item)->count, 1);
    assert_int_equal(fhir_item_report(item)->evidence_reason,
                     CODES_REASON_UNKNOWN_CODE);
    fhir_item_free(item);
}

static void test_too_many_actors_are_not_cut(void **state)
{
    char provision[TEXT_SIZE] = "{\"type\":\"permit\",\"actor\":[";
    struct rule rule = {{"provision", provision},
                        NONE,
                        EV,
                        "more than the ledger can hold",
                        "provision.actor[16]"};

    (void)state;
    for (size_t i = 0; i < 17; i++) {
        char actor[512];
        (void)snprintf(actor, sizeof actor,
                       "%s{\"role\":" IRCP ",\"reference\":{\"reference\":"
                       "\"Practitioner/%zu\"}}",
                       i > 0 ? "," : "", i);
        (void)strncat(provision, actor,
                      sizeof provision - strlen(provision) - 1);
    }
    (void)strncat(provision, "]}", sizeof provision - strlen(provision) - 1);
    check(&rule, 1);
}

static void expect_broken(const char *text, size_t size,
                          enum fhir_finding_kind kind)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(
        fhir_file_open_bytes(&file, "x.json",
                             (struct pbft_bytes){(const uint8_t *)text, size}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    assert_int_equal(fhir_item_class(item), FHIR_REJECT);
    assert_int_equal(fhir_item_report(item)->findings[0].kind, kind);
    fhir_item_free(item);
    fhir_file_close(file);
}

static void test_broken_texts(void **state)
{
    static const struct {
        const char *text;
        enum fhir_finding_kind kind;
    } cases[] = {
        {"", FHIR_EMPTY},
        {"   ", FHIR_NOT_JSON},
        {"{", FHIR_NOT_JSON},
        {"{\"a\":NaN}", FHIR_NOT_JSON},
        {"{\"a\":1e999}", FHIR_NOT_JSON},
        {"{\"a\":1,\"a\":2}", FHIR_DUPLICATE_KEY},
        {"{\"a\":\"\xff\"}", FHIR_NOT_UTF8},
        {"{\"a\":\"\\u0000\"}", FHIR_NOT_JSON},
        {"{\"a\":\"\\ud800\"}", FHIR_NOT_JSON},
        {"[]", FHIR_NO_RESOURCE_TYPE},
        {"<Patient/>", FHIR_NOT_JSON},
        {"{\"resourceType\":\"Bundle\"}", FHIR_MISSING},
        {"{\"resourceType\":\"Bundle\",\"type\":\"collection\"}", FHIR_EMPTY},
        {"{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{}]}",
         FHIR_BUNDLE_TYPE},
        {"{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{},"
         "{}]}",
         FHIR_BUNDLE_TRANSACTION},
        {"{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{"
         "\"request\":{\"method\":\"DELETE\"},\"resource\":{}}]}",
         FHIR_BUNDLE_METHOD},
        {"{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{}]}",
         FHIR_BUNDLE_ENTRY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_broken(cases[i].text, strlen(cases[i].text), cases[i].kind);
    }
}

static void test_depth_and_size_have_limits(void **state)
{
    static char text[FHIR_RESOURCE_BYTES_MAX + 64];
    size_t used = 0;

    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        text[used++] = '[';
    }
    expect_broken(text, used, FHIR_TOO_DEEP);
    memset(text, ' ', sizeof text);
    memcpy(text, "{}", 2);
    memcpy(text + FHIR_RESOURCE_BYTES_MAX, "    ", 4);
    expect_broken(text, FHIR_RESOURCE_BYTES_MAX + 1, FHIR_TOO_LARGE);
    expect_broken(text, FHIR_RESOURCE_BYTES_MAX, FHIR_NO_RESOURCE_TYPE);
}

static void test_ndjson_lines_are_items(void **state)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    static const char text[] = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n\n"
                               "nonsense\n{\"resourceType\":\"Group\"}";
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    (void)state;
    assert_int_equal(
        fhir_file_open_bytes(
            &file, "x",
            (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1}),
        PBFT_OK);
    assert_int_equal(fhir_file_count(file), 3);
    assert_int_equal(fhir_item_load(&item, file, 1, &options), PBFT_OK);
    assert_int_equal(fhir_item_line(item), 3);
    assert_int_equal(fhir_item_class(item), FHIR_REJECT);
    fhir_item_free(item);
    fhir_file_close(file);
}

/* The end of a line is no part of the resource: in whatever way a queue was
 * saved, it is known again. */
static void test_ends_of_lines_are_no_content(void **state)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    static const char line[] = "{\"resourceType\":\"Patient\",\"id\":\"a\"}";
    static const char text[] = "\r\n{\"resourceType\":\"Patient\",\"id\":\"a\"}"
                               "\r\n\r\n{\"resourceType\":\"Patient\","
                               "\"id\":\"a\"}\n";
    struct fhir_file *file = NULL;

    (void)state;
    assert_int_equal(
        fhir_file_open_bytes(
            &file, "x.ndjson",
            (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1}),
        PBFT_OK);
    assert_int_equal(fhir_file_count(file), 2);
    for (size_t i = 0; i < 2; i++) {
        struct fhir_item *item = NULL;
        assert_int_equal(fhir_item_load(&item, file, i, &options), PBFT_OK);
        struct pbft_bytes bytes = fhir_item_bytes(item);
        assert_int_equal(fhir_item_line(item), 2 + 2 * i);
        assert_int_equal(bytes.size, sizeof line - 1);
        assert_memory_equal(bytes.data, line, bytes.size);
        fhir_item_free(item);
    }
    fhir_file_close(file);
}

static void test_bundle_entries_keep_their_bytes(void **state)
{
    static const struct fhir_options options = {.zone_minutes = 0};
    static const char text[] =
        "{\"entry\":[{\"fullUrl\":\"urn:uuid:1\", \"resource\" : "
        "{ \"id\" : \"a}\\\"{\" , \"resourceType\":\"Patient\"} }],"
        "\"type\":\"collection\",\"resourceType\":\"Bundle\"}";
    static const char resource[] =
        "{ \"id\" : \"a}\\\"{\" , \"resourceType\":\"Patient\"}";
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    (void)state;
    assert_int_equal(
        fhir_file_open_bytes(
            &file, "x",
            (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    struct pbft_bytes bytes = fhir_item_bytes(item);
    assert_int_equal(bytes.size, sizeof resource - 1);
    assert_memory_equal(bytes.data, resource, bytes.size);
    assert_string_equal(fhir_report_path(fhir_item_report(item)),
                        "entry[0].resource.id");
    fhir_item_free(item);
    fhir_file_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_consents),
        cmocka_unit_test(test_evidence_only),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_exception_of_a_fine_class_restricts_something),
        cmocka_unit_test(test_too_many_actors_are_not_cut),
        cmocka_unit_test(test_broken_texts),
        cmocka_unit_test(test_depth_and_size_have_limits),
        cmocka_unit_test(test_ndjson_lines_are_items),
        cmocka_unit_test(test_ends_of_lines_are_no_content),
        cmocka_unit_test(test_bundle_entries_keep_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
