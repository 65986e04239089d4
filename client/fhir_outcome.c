/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as issues of an OperationOutcome (FHIR R4). */
#include "client/fhir_outcome.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_json.h"
#include "ledger/errors.h"

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

/* Of those that are not business rules. */
static const struct {
    enum fhir_finding_kind kind;
    const char *code;
} codes[] = {
    {FHIR_UNREADABLE, "exception"},
    {FHIR_NO_MEMORY, "exception"},
    {FHIR_EMPTY, "structure"},
    {FHIR_NOT_JSON, "structure"},
    {FHIR_BYTE_ORDER_MARK, "structure"},
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
    {FHIR_BUNDLE_CONDITION, "not-supported"},
    {FHIR_BUNDLE_ENTRY, "structure"},
    {FHIR_FULL_URL, "invariant"},
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
    {FHIR_NO_BASIS, "required"},
    {FHIR_NO_DOCUMENT, "required"},
    {FHIR_BASIS_CODE, "code-invalid"},
    {FHIR_BASIS_DIFFERS, "conflict"},
    {FHIR_EXPORT_TYPE, "not-supported"},
    {FHIR_EXPORT_FIELD, "not-supported"},
    {FHIR_EXPORT_CODE, "code-invalid"},
    {FHIR_EXPORT_TIME, "value"},
    {FHIR_EXPORT_VAULT, "not-found"},
    {FHIR_EXPORT_UNPROVEN, "transient"},
    {FHIR_EXPORT_LARGE, "too-long"},
    {FHIR_SIGNATURE, "value"},
    {FHIR_SIGNATURE_ALGORITHM, "not-supported"},
    {FHIR_SIGNATURE_CRITICAL, "not-supported"},
    {FHIR_SIGNATURE_WRONG, "security"},
    {FHIR_SIGNATURE_EXPIRED, "security"},
    {FHIR_PERIOD_ORDER, "invariant"},
    {FHIR_CONTENT_SIZE, "invariant"},
    {FHIR_CONTENT_HASH, "invariant"},
    {FHIR_REFERENCE_TYPE, "invariant"},
    {FHIR_UNRESOLVED, "not-found"},
    {FHIR_UNVOUCHED, "security"},
    {FHIR_NOT_ON_LEDGER, "not-found"},
    {FHIR_ONLY_EVIDENCE, "business-rule"},
    {FHIR_TAKEN, "duplicate"},
    {FHIR_EVENT_CHANGED, "conflict"},
};

const char *fhir_outcome_code(enum fhir_finding_kind kind)
{
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

/* An OperationOutcome in a line; takes over `issues`. */
static void print_issues(const char *place, json_t *issues)
{
    tool_json_print(json_pack("{s:s, s:[{s:s, s:s}], s:o}", "resourceType",
                              "OperationOutcome", "extension", "url",
                              "urn:salus:file", "valueString", place, "issue",
                              issues));
}

static json_t *issues_of(const struct fhir_item *item)
{
    const struct fhir_report *report = fhir_item_report(item);
    json_t *issues = json_array();

    for (size_t i = 0; i < report->count; i++) {
        (void)json_array_append_new(issues,
                                    issue_of(item, &report->findings[i]));
    }
    (void)json_array_append_new(issues, issue_of_class(item));
    return issues;
}

static void place_of(char out[TEXT_SIZE], const char *file,
                     const struct fhir_item *item)
{
    if (item != NULL && fhir_item_line(item) > 0) {
        (void)snprintf(out, TEXT_SIZE, "%.200s:%zu", file,
                       fhir_item_line(item));
    } else {
        (void)snprintf(out, TEXT_SIZE, "%.200s", file);
    }
}

void fhir_outcome_print(const char *file, const struct fhir_item *item)
{
    char place[TEXT_SIZE];

    place_of(place, file, item);
    print_issues(place, issues_of(item));
}

void fhir_outcome_failed(const char *code, const char *text)
{
    tool_json_print(json_pack("{s:s, s:[{s:s, s:s, s:{s:s}}]}", "resourceType",
                              "OperationOutcome", "issue", "severity", "fatal",
                              "code", code, "details", "text", text));
}

/* What the ledger made of it. Its codes have stable names. */
static json_t *issue_of_ledger(const struct import_event *event)
{
    const char *name = ledger_code_name(event->code);

    return json_pack("{s:s, s:s, s:{s:[{s:s, s:s}], s:s}}", "severity", "error",
                     "code", ledger_code_fhir(event->code), "details", "coding",
                     "system", "urn:salus:code", "code", name, "text",
                     ledger_code_text(event->code));
}

static json_t *issue_of_open(void)
{
    return json_pack("{s:s, s:s, s:{s:s}}", "severity", "error", "code",
                     "incomplete", "details", "text",
                     "no proof in time: run the import again");
}

void fhir_outcome_print_event(const struct import_event *event)
{
    char place[TEXT_SIZE];
    json_t *issues =
        event->item != NULL ? issues_of(event->item) : json_array();

    if (event->outcome == IMPORT_REFUSED) {
        (void)json_array_append_new(issues, issue_of_ledger(event));
    } else if (event->outcome == IMPORT_OPEN) {
        (void)json_array_append_new(issues, issue_of_open());
    } else if (event->item == NULL) {
        (void)json_array_append_new(
            issues, json_pack("{s:s, s:s, s:{s:s}}", "severity", "information",
                              "code", "informational", "details", "text",
                              "left open by an earlier import, and finished"));
    }
    place_of(place, event->file != NULL ? event->file : "", event->item);
    print_issues(place, issues);
}

void fhir_outcome_print_export(const char *what,
                               const struct fhir_report *report)
{
    json_t *issues = json_array();
    char text[TEXT_SIZE];
    char where[TEXT_SIZE + FHIR_PATH_MAX];

    for (size_t i = 0; i < report->count; i++) {
        const struct fhir_finding *finding = &report->findings[i];
        fhir_finding_text(finding, text, sizeof text);
        (void)snprintf(where, sizeof where, "%s: %s", what, finding->path);
        (void)json_array_append_new(
            issues, json_pack("{s:s, s:s, s:{s:s}, s:s}", "severity",
                              fhir_outcome_severity(finding->kind), "code",
                              fhir_outcome_code(finding->kind), "details",
                              "text", text, "diagnostics", where));
    }
    tool_json_print(json_pack("{s:s, s:o}", "resourceType", "OperationOutcome",
                              "issue", issues));
}
