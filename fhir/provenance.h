/* SPDX-License-Identifier: Apache-2.0 */
/* A Provenance: what it is about, and whether its signatures have a form that
 * can be checked. For fhir/ only. */
#ifndef FHIR_PROVENANCE_H
#define FHIR_PROVENANCE_H

#include "fhir/elements.h"

#define FHIR_TARGETS_MAX 256

struct fhir_provenance {
    struct fhir_reference *targets;
    size_t target_count;
};

void fhir_provenance_read(const struct fhir_reader *reader,
                          struct fhir_provenance *out,
                          const struct fhir_node *resource);

#endif /* FHIR_PROVENANCE_H */
