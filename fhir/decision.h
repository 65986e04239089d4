/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on access, for their export; for fhir/ only. */
#ifndef FHIR_DECISION_H
#define FHIR_DECISION_H

#include "fhir/exporting.h"

/* What was decided, and holds. Bit i: record i; bit 0 of a patient. */
struct fhir_decision {
    const Salus__V1__DecisionState *state;
    const Salus__V1__AccessDecision *own; /* The custodian's; or NULL. */
    uint64_t granted;
    bool is_partial;
    uint64_t computed; /* By the replicas, */
    bool computed_in_part;
    /* What the replicas computed does not hold by itself: the custodian decided
     * since. */
    bool is_overtaken;
};

/* That of the source: of the custodian's transaction what that one says, else
 * what holds of the request. */
struct fhir_decision fhir_decision_read(const struct exporting *exporting);
bool fhir_decision_is_by_law(const Salus__V1__DecisionState *state);
/* Did the custodian decide after that block, or after what was computed? */
bool fhir_decision_is_not_last(const struct fhir_decision *decision,
                               uint64_t seq);
/* On which ground it was decided; if that is not said, on the one that was
 * claimed. A LEGAL_BASIS code. */
uint32_t fhir_decision_basis(const struct fhir_decision *decision);

#endif /* FHIR_DECISION_H */
