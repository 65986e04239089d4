/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a consent under one name; for fhir/ only.
 *
 * The name means the newest grant, and evidence only if no grant stands: what
 * cannot be computed replaces nothing on the ledger, so that a withdrawal or
 * the next grant must still find what it ends.
 */
#ifndef FHIR_PLAN_CONSENT_H
#define FHIR_PLAN_CONSENT_H

#include "fhir/planner.h"

/* The version before, if the vault has one. False: a failure was noted. */
bool plan_find_version(struct planner *planner, struct vault_consent *out,
                       bool *found);
/* Is it a grant that is in force, or will be? */
bool plan_still_stands(const struct planner *planner,
                       const struct vault_consent *consent);
/* Seals the received bytes and lets `name` (or NULL: memory is short) mean the
 * new consent. */
bool plan_keep_consent(struct planner *planner,
                       const struct vault_consent *entry, const char *name);

/* The commitment to the form that was signed, as the source names it. */
void plan_commit_form(struct planner *planner, struct pbft_digest *out,
                      const struct vault_consent *entry);
void plan_evidence(struct planner *planner,
                   const struct vault_subject *subject);
void plan_withdrawal(struct planner *planner,
                     const struct vault_subject *subject);

#endif /* FHIR_PLAN_CONSENT_H */
