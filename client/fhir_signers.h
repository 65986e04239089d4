/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of signers as the command line names them: REFERENCE=FILE. */
#ifndef CLIENT_FHIR_SIGNERS_H
#define CLIENT_FHIR_SIGNERS_H

#include "client/tool_options.h"
#include "fhir/plan.h"
#include "proto/reason.h"

#define FHIR_SIGNERS_MAX 64

/* Owned: fhir_signers_free() in any case. */
struct fhir_signers {
    struct fhir_signer rows[FHIR_SIGNERS_MAX];
    struct signer_key *keys[FHIR_SIGNERS_MAX];
    char *references[FHIR_SIGNERS_MAX];
    size_t count;
};

PBFT_MUST_USE enum pbft_status fhir_signers_load(struct fhir_signers *out,
                                                 const struct tool_list *list,
                                                 struct salus_reason *reason);
void fhir_signers_free(struct fhir_signers *signers);

#endif /* CLIENT_FHIR_SIGNERS_H */
