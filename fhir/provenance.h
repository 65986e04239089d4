/* SPDX-License-Identifier: Apache-2.0 */
/* A Provenance: what it is about, and whether its signatures have a form that
 * can be checked. For fhir/ only. */
#ifndef FHIR_PROVENANCE_H
#define FHIR_PROVENANCE_H

#include "fhir/elements.h"
#include "fhir/jws.h"

#define FHIR_TARGETS_MAX 256
#define FHIR_SIGNATURES_MAX 16

/* One that can be checked, if there is a key of `who` and the target is at
 * hand. */
struct fhir_signature {
    struct fhir_reference who; /* Or absent. */
    int64_t when_s;
    const char *path; /* Of its data. */
    struct fhir_jws jws;
    enum fhir_canonical canonical;
    bool can_be_checked;
};

struct fhir_provenance {
    struct fhir_reference *targets;
    size_t target_count;
    struct fhir_signature *signatures;
    size_t signature_count;
};

void fhir_provenance_read(const struct fhir_reader *reader,
                          struct fhir_provenance *out,
                          const struct fhir_node *resource);

#endif /* FHIR_PROVENANCE_H */
