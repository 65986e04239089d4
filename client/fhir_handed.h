/* SPDX-License-Identifier: Apache-2.0 */
/* What an export hands out is known to the vault when it comes back: it is
 * noted there as one more name of the journal's entry. */
#ifndef CLIENT_FHIR_HANDED_H
#define CLIENT_FHIR_HANDED_H

#include "client/fhir_gather.h"
#include "vault/vault.h"

struct fhir_handed {
    struct pbft_digest chain;
    struct fhir_handed_pair {
        uint8_t key[32];
        uint8_t journal[32];
    } * pairs; /* From malloc. */
    size_t count;
    size_t capacity;
};

/* The resource that became of a transaction. One that the journal does not have
 * is not noted; nor a consent that has ended: what comes back is a withdrawal.
 */
PBFT_MUST_USE enum pbft_status fhir_handed_add(struct fhir_handed *handed,
                                               const struct fhir_wanted *wanted,
                                               const char *resource);
/* Writes all of it to the vault, or nothing. */
PBFT_MUST_USE enum pbft_status
fhir_handed_keep(const struct fhir_handed *handed, struct vault *vault);
void fhir_handed_free(struct fhir_handed *handed);

#endif /* CLIENT_FHIR_HANDED_H */
