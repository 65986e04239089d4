/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as OperationOutcome: every kind has a severity and a code of FHIR's
 * IssueType, and expressions begin with the type of the resource. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/fhir_outcome.h"

/* Those of R4's IssueType that are used. */
static const char *const issue_types[] = {
    "structure",     "required",      "value",     "invariant",
    "not-supported", "duplicate",     "not-found", "too-long",
    "code-invalid",  "extension",     "conflict",  "business-rule",
    "exception",     "informational", "security",  "transient"};

static bool is_issue_type(const char *code)
{
    for (size_t i = 0; i < sizeof issue_types / sizeof issue_types[0]; i++) {
        if (strcmp(issue_types[i], code) == 0) {
            return true;
        }
    }
    return false;
}

static void test_every_kind_has_severity_and_code(void **state)
{
    (void)state;
    for (int kind = FHIR_UNREADABLE; kind <= FHIR_WITHDRAWAL; kind++) {
        enum fhir_finding_kind finding = (enum fhir_finding_kind)kind;
        const char *severity = fhir_outcome_severity(finding);
        bool is_error = fhir_finding_weight(finding) == FHIR_FATAL;
        assert_int_equal(strcmp(severity, "error") == 0, is_error);
        assert_true(is_issue_type(fhir_outcome_code(finding)));
    }
    assert_string_equal(fhir_outcome_code(FHIR_MISSING), "required");
    assert_string_equal(fhir_outcome_code(FHIR_UNRESOLVED), "not-found");
    assert_string_equal(fhir_outcome_severity(FHIR_NO_DATE), "warning");
}

static void expect_expression(const char *text, size_t index,
                              const char *wanted)
{
    char expression[FHIR_EXPRESSION_MAX];
    struct fhir_options options = {.zone_minutes = 0};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "x",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, index, &options), PBFT_OK);
    const struct fhir_report *report = fhir_item_report(item);
    assert_true(report->count > 0);
    fhir_outcome_expression(expression, item, report->findings[0].path);
    assert_string_equal(expression, wanted);
    fhir_item_free(item);
    fhir_file_close(file);
}

static void test_expressions_begin_with_the_type(void **state)
{
    (void)state;
    expect_expression("{\"resourceType\":\"Patient\",\"active\":false}", 0,
                      "Patient.active");
    expect_expression("{\"resourceType\":\"Bundle\",\"type\":\"batch\","
                      "\"entry\":[{\"resource\":{\"resourceType\":"
                      "\"Patient\",\"active\":false}}]}",
                      0, "Bundle.entry[0].resource.active");
    expect_expression("[", 0, "Resource");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_has_severity_and_code),
        cmocka_unit_test(test_expressions_begin_with_the_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
