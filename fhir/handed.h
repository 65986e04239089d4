/* SPDX-License-Identifier: Apache-2.0 */
/* By which a resource that an export handed out is known when it comes back. */
#ifndef FHIR_HANDED_H
#define FHIR_HANDED_H

#include "fhir/fhir.h"

/* Digest of what the resource says, however it is printed: a name for the
 * journal's entry of the transaction that it came from. Resources that differ
 * in any element, and those of other chains, have another. NO_MEMORY. */
PBFT_MUST_USE enum pbft_status fhir_handed_key(uint8_t out[32],
                                               const struct fhir_item *item,
                                               const struct pbft_digest *chain);

#endif /* FHIR_HANDED_H */
