/* SPDX-License-Identifier: Apache-2.0 */
/* What was found in a resource, as the OperationOutcome that a FHIR client
 * understands. */
#ifndef CLIENT_FHIR_OUTCOME_H
#define CLIENT_FHIR_OUTCOME_H

#include "client/import.h"
#include "fhir/fhir.h"

/* One line of JSON on standard output. */
void fhir_outcome_print(const char *file, const struct fhir_item *item);
/* The same, with what the ledger made of it. */
void fhir_outcome_print_event(const struct import_event *event);
/* What an export could not say of `what`: "transaction <id>". */
void fhir_outcome_print_export(const char *what,
                               const struct fhir_report *report);
/* The command itself failed: severity fatal, `code` of FHIR's IssueType. */
void fhir_outcome_failed(const char *code, const char *text);

/* "error", "warning", "information"; a code of FHIR's IssueType; and the path
 * from the resource's type: "Consent.provision.actor[0].role". */
#define FHIR_EXPRESSION_MAX (FHIR_PATH_MAX + FHIR_KEY_MAX + 2)
const char *fhir_outcome_severity(enum fhir_finding_kind kind);
const char *fhir_outcome_code(enum fhir_finding_kind kind);
void fhir_outcome_expression(char out[FHIR_EXPRESSION_MAX],
                             const struct fhir_item *item, const char *path);

#endif /* CLIENT_FHIR_OUTCOME_H */
