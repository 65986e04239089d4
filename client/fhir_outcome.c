/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as issues of an OperationOutcome (FHIR R4). */
#include "client/fhir_outcome.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_json.h"

#define TEXT_SIZE 256

const char *fhir_outcome_severity(enum fhir_finding_kind kind)
{
    switch (fhir_finding_weight(kind)) {
    case FHIR_FATAL:
        return "error";
    case FHIR_UNCERTAIN:
        return "warning";
    case FHIR_APART:
    case FHIR_NOTE:
        break;
    }
    return "information";
}

const char *fhir_outcome_code(enum fhir_finding_kind kind)
{
    static const struct {
        enum fhir_finding_kind kind;
        const char *code;
    } codes[] = {
        {FHIR_UNREADABLE, "exception"},
        {FHIR_NO_MEMORY, "exception"},
        {FHIR_EMPTY, "structure"},
        {FHIR_NOT_JSON, "structure"},
        {FHIR_NOT_UTF8, "structure"},
        {FHIR_DUPLICATE_KEY, "structure"},
        {FHIR_TOO_DEEP, "too-long"},
        {FHIR_TOO_LARGE, "too-long"},
        {FHIR_MANY, "too-long"},
        {FHIR_NO_RESOURCE_TYPE, "structure"},
        {FHIR_RESOURCE_TYPE, "not-supported"},
        {FHIR_BUNDLE_TYPE, "not-supported"},
        {FHIR_BUNDLE_TRANSACTION, "not-supported"},
        {FHIR_BUNDLE_METHOD, "not-supported"},
        {FHIR_BUNDLE_ENTRY, "structure"},
        {FHIR_MODIFIER, "extension"},
        {FHIR_EXTENSION, "extension"},
        {FHIR_IMPLICIT_RULES, "not-supported"},
        {FHIR_UNKNOWN_ELEMENT, "structure"},
        {FHIR_WRONG_TYPE, "structure"},
        {FHIR_MISSING, "required"},
        {FHIR_NO_PATIENT, "required"},
        {FHIR_NO_RECIPIENT, "required"},
        {FHIR_NO_ITEMS, "required"},
        {FHIR_NO_DECLARER, "required"},
        {FHIR_NO_CONTENT, "required"},
        {FHIR_BAD_CODE, "code-invalid"},
        {FHIR_EVENT_PURPOSE, "code-invalid"},
        {FHIR_LABEL, "code-invalid"},
        {FHIR_BAD_DATE, "value"},
        {FHIR_BAD_BASE64, "value"},
        {FHIR_BAD_REFERENCE, "value"},
        {FHIR_POLICY_FORM, "value"},
        {FHIR_SIGNATURE, "value"},
        {FHIR_PERIOD_ORDER, "invariant"},
        {FHIR_CONTENT_SIZE, "invariant"},
        {FHIR_CONTENT_HASH, "invariant"},
        {FHIR_REFERENCE_TYPE, "invariant"},
        {FHIR_UNRESOLVED, "not-found"},
        {FHIR_NOT_ON_LEDGER, "not-found"},
        {FHIR_TAKEN, "duplicate"},
        {FHIR_EVENT_CHANGED, "conflict"},
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].kind == kind) {
            return codes[i].code;
        }
    }
    return fhir_finding_weight(kind) == FHIR_FATAL ||
                   fhir_finding_weight(kind) == FHIR_UNCERTAIN
               ? "business-rule"
               : "informational";
}

void fhir_outcome_expression(char out[FHIR_EXPRESSION_MAX],
                             const struct fhir_item *item, const char *path)
{
    /* Entries say where they stand in their Bundle. */
    const char *type =
        strncmp(path, "entry", 5) == 0 ? "Bundle" : fhir_item_type(item);

    if (type[0] == 0) {
        type = "Resource";
    }
    if (strcmp(path, "$") == 0) {
        (void)snprintf(out, FHIR_EXPRESSION_MAX, "%s", type);
    } else {
        (void)snprintf(out, FHIR_EXPRESSION_MAX, "%s.%s", type, path);
    }
}

static json_t *issue_of(const struct fhir_item *item,
                        const struct fhir_finding *finding)
{
    char text[TEXT_SIZE];
    char expression[FHIR_EXPRESSION_MAX];

    fhir_finding_text(finding, text, sizeof text);
    fhir_outcome_expression(expression, item, finding->path);
    return json_pack("{s:s, s:s, s:{s:s}, s:[s]}", "severity",
                     fhir_outcome_severity(finding->kind), "code",
                     fhir_outcome_code(finding->kind), "details", "text", text,
                     "expression", expression);
}

/* There is always an issue: R4 demands one. */
static json_t *issue_of_class(const struct fhir_item *item)
{
    char expression[FHIR_EXPRESSION_MAX];

    fhir_outcome_expression(expression, item, "$");
    return json_pack("{s:s, s:s, s:{s:s}, s:[s]}", "severity", "information",
                     "code", "informational", "details", "text",
                     fhir_class_name(fhir_item_class(item)), "expression",
                     expression);
}

void fhir_outcome_print(const char *file, const struct fhir_item *item)
{
    const struct fhir_report *report = fhir_item_report(item);
    json_t *issues = json_array();
    char place[TEXT_SIZE];

    for (size_t i = 0; i < report->count; i++) {
        (void)json_array_append_new(issues,
                                    issue_of(item, &report->findings[i]));
    }
    (void)json_array_append_new(issues, issue_of_class(item));
    if (fhir_item_line(item) > 0) {
        (void)snprintf(place, sizeof place, "%.200s:%zu", file,
                       fhir_item_line(item));
    } else {
        (void)snprintf(place, sizeof place, "%.200s", file);
    }
    tool_json_print(json_pack("{s:s, s:[{s:s, s:s}], s:o}", "resourceType",
                              "OperationOutcome", "extension", "url",
                              "urn:salus:file", "valueString", place, "issue",
                              issues));
}
