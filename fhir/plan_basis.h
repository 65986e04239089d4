/* SPDX-License-Identifier: Apache-2.0 */
/* What a disclosure stands on, and who received it; for fhir/ only. */
#ifndef FHIR_PLAN_BASIS_H
#define FHIR_PLAN_BASIS_H

#include "fhir/planner.h"
#include "vault/events.h"

struct plan_basis {
    uint32_t code; /* LEGAL_BASIS; 0: what the event names, or nothing. */
    bool is_violation;
    bool has_document;
    struct pbft_digest document; /* Commitment to the writing. */
};

/* Findings of the item say what is missing. */
void plan_basis_find(struct planner *planner, struct plan_basis *out,
                     const struct vault_subject *subject,
                     const struct vault_event *event);
/* As the event refers to him, or as the options say. False: a finding or
 * failure was noted. */
bool plan_basis_recipient(struct planner *planner,
                          struct vault_participant *out);

#endif /* FHIR_PLAN_BASIS_H */
