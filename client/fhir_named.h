/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says an export is about. */
#ifndef CLIENT_FHIR_NAMED_H
#define CLIENT_FHIR_NAMED_H

#include "client/fhir_gather.h"
#include "client/tool_fhir.h"

/* --subject, --consent, --decision; `gather` has its vault. False: said why. */
bool fhir_named_take(struct fhir_gather *gather, const struct fhir_call *call);

#endif /* CLIENT_FHIR_NAMED_H */
