/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions that an import would make, without a consortium: planned
 * with a vault of its own, which is thrown away. Ids are drawn anew, and who is
 * referred to without being in the files gets a random id as well.
 */
#ifndef CLIENT_FHIR_REHEARSAL_H
#define CLIENT_FHIR_REHEARSAL_H

#include "fhir/plan.h"
#include "proto/reason.h"

struct fhir_rehearsal;

/* `options` says how events and consents are taken; its vault, keys and times
 * are set here. */
PBFT_MUST_USE enum pbft_status
fhir_rehearsal_begin(struct fhir_rehearsal **out,
                     const struct fhir_plan_options *options,
                     struct salus_reason *reason);
/* As fhir_plan(); the caller frees the journal. The item's report may say more
 * afterwards. */
PBFT_MUST_USE enum pbft_status
fhir_rehearsal_plan(struct fhir_rehearsal *rehearsal, struct vault_journal *out,
                    struct fhir_item *item);
void fhir_rehearsal_end(struct fhir_rehearsal *rehearsal); /* Or NULL. */

#endif /* CLIENT_FHIR_REHEARSAL_H */
