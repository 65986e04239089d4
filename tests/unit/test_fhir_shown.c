/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons show codes that somebody published, and nothing that may be a name or
 * number of a patient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/fhir.h"

#define TEXT_SIZE 2048
#define NAME "zirbelnussAnna"
#define NUMBER "mrn4711"

/* Every place of a consent that a reason quotes: %s stands for a code. */
static const char *const places[] = {
    "\"status\":\"%s\"",
    "\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"%s\"}]}",
    "\"%s\":1",
    "\"meta\":{\"%s\":1}",
    "\"patient\":{\"reference\":\"Patient/1\",\"%s\":1}",
    "\"provision\":{\"type\":\"%s\"}",
    "\"provision\":{\"type\":\"permit\",\"purpose\":[{\"code\":\"%s\"}]}",
    "\"provision\":{\"type\":\"deny\",\"purpose\":[{\"code\":\"%s\"}]}",
    "\"provision\":{\"type\":\"deny\",\"class\":[{\"code\":\"%s\"}]}",
    "\"provision\":{\"type\":\"deny\",\"code\":[{\"coding\":[{\"code\":\"%s\""
    "}]}]}",
    "\"provision\":{\"type\":\"deny\",\"securityLabel\":[{\"code\":\"%s\"}]}",
    "\"provision\":{\"type\":\"deny\",\"action\":[{\"coding\":[{\"code\":\"%s"
    "\"}]}]}",
    "\"provision\":{\"type\":\"deny\",\"actor\":[{\"role\":{\"coding\":[{"
    "\"code\":\"%s\"}]}}]}",
    "\"provision\":{\"type\":\"deny\",\"data\":[{\"meaning\":\"%s\"}]}",
};

static void judge(const char *text, char reasons[TEXT_SIZE],
                  char path[TEXT_SIZE])
{
    static const struct fhir_options options = {.zone_minutes = 0};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test.json",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    fhir_report_reasons(fhir_item_report(item), reasons, TEXT_SIZE);
    (void)snprintf(path, TEXT_SIZE, "%s %s", fhir_item_type(item),
                   fhir_report_path(fhir_item_report(item)));
    fhir_item_free(item);
    fhir_file_close(file);
}

static void write_place(char out[TEXT_SIZE], const char *place,
                        const char *code)
{
    const char *at = strstr(place, "%s");

    assert_non_null(at);
    (void)snprintf(out, TEXT_SIZE,
                   "{\"resourceType\":\"Consent\",\"id\":\"c\",%.*s%s%s}",
                   (int)(at - place), place, code, at + 2);
}

static void test_unknown_codes_are_not_shown(void **state)
{
    static const char *const codes[] = {"ZirbelnussAnna", "MRN4711", NUMBER};
    char text[TEXT_SIZE];
    char reasons[TEXT_SIZE];
    char path[TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++) {
            write_place(text, places[i], codes[k]);
            judge(text, reasons, path);
            assert_string_not_equal(reasons, "-");
            assert_null(strstr(reasons, codes[k]));
            assert_null(strstr(path, codes[k]));
        }
    }
    judge("{\"resourceType\":\"" NAME "\"}", reasons, path);
    assert_null(strstr(reasons, NAME));
    assert_null(strstr(path, NAME));
    judge("{\"resourceType\":\"Bundle\",\"type\":\"" NAME "\",\"entry\":[]}",
          reasons, path);
    assert_null(strstr(reasons, NAME));
    judge("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"" NUMBER "\":1}",
          reasons, path);
    assert_null(strstr(reasons, NUMBER));
    assert_null(strstr(path, NUMBER));
}

/* Of the tables all are found, wherever they stand in them. */
static void test_known_codes_are_shown(void **state)
{
    static const char *const codes[] = {
        "ADM",    "ALY",         "Account", "VRF",   "VisionPrescription",
        "WIT",    "active",      "FooBar",  "CST",   "PRCP",
        "AUT",    "OPTIN",       "OPTOUT",  "TREAT", "use",
        "update", "Observation", "HIV",     "R",     "document",
        "draft",  "history"};

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (!fhir_code_is_shown(codes[i])) {
            fail_msg("%s", codes[i]);
        }
    }
    assert_false(fhir_code_is_shown(""));
    assert_false(fhir_code_is_shown("Anna"));
    assert_false(fhir_code_is_shown("zzz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_codes_are_not_shown),
        cmocka_unit_test(test_known_codes_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
