/* SPDX-License-Identifier: Apache-2.0 */
/* What the fhir commands print: a line a resource, for people or as JSON. No
 * line holds an id, name or text of a resource. */
#ifndef CLIENT_FHIR_PRINT_H
#define CLIENT_FHIR_PRINT_H

#include "client/fhir_explain.h"
#include "client/import.h"

/* {"file":..., "class":..., "reason":..., "path":..., ...}; `explanation` may
 * be NULL, here and below. */
void fhir_print_json(const char *file, const struct fhir_item *item,
                     const struct fhir_explanation *explanation);
void fhir_print_row(const char *file, const struct fhir_item *item);
/* "25 resources: 12 enforceable, 4 evidence only, 9 rejected" */
void fhir_print_counts(const size_t classes[FHIR_CLASSES]);

/* The same with what the ledger made of it. */
void fhir_print_event_json(const struct import_event *event,
                           const struct fhir_explanation *explanation);
void fhir_print_event_row(const struct import_event *event);

#endif /* CLIENT_FHIR_PRINT_H */
