/* SPDX-License-Identifier: Apache-2.0 */
/* Sensitivity labels of v3-ActCode, and which is a kind of which. */
#ifndef FHIR_LABELS_H
#define FHIR_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* A label and all labels above it: at most this many. */
#define FHIR_LABEL_ANCESTORS_MAX 6

/* Is it a code of v3-ActInformationSensitivityPolicy? */
bool fhir_label_is_known(const char *code);

/* All of them, one by one; NULL after the last. */
const char *fhir_label_at(size_t index);

/* The label itself and every label above it, each once; 0 if it is not known.
 * Texts are static. */
size_t fhir_label_ancestors(const char *out[FHIR_LABEL_ANCESTORS_MAX],
                            const char *code);

#endif /* FHIR_LABELS_H */
