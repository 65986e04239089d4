/* SPDX-License-Identifier: Apache-2.0 */
/* Which transactions an export is about: those that the vault's journal has,
 * and those that the ledger knows of one patient or consent. */
#ifndef CLIENT_FHIR_GATHER_H
#define CLIENT_FHIR_GATHER_H

#include "client/salus.h"
#include "consensus/types.h"
#include "ledger/transaction.h"
#include "proto/reason.h"
#include "vault/entries.h"

struct fhir_wanted {
    enum transaction_type type;
    struct pbft_digest tx_id;
    uint64_t seq;
    /* A decision that the replicas computed, without its transaction. */
    bool by_request;
    bool has_request; /* By its transaction; which request, is known now. */
    uint8_t consent[VAULT_ID_SIZE]; /* Of a consent; or the request's. */
    bool withdrawn;
    bool has_entry;
    uint8_t entry[32]; /* Key of the journal's, if it has one. */
};

struct fhir_gather {
    struct salus_client *client;
    struct vault *vault;
    bool has_subject;
    uint8_t subject[VAULT_HANDLE_SIZE];
    bool has_consent;
    uint8_t consent[VAULT_ID_SIZE];
    /* What was found: in the order of dependencies, then of the ledger; each
     * once. Consents that others replaced, and documents that were retracted,
     * are counted, not listed: imported elsewhere they would be open again. */
    struct fhir_wanted *items;
    size_t count;
    size_t capacity;
    size_t superseded;
    size_t retracted;
};

PBFT_MUST_USE enum pbft_status fhir_gather_run(struct fhir_gather *gather,
                                               struct salus_reason *reason);
void fhir_gather_free(struct fhir_gather *gather);

/* ---- its parts ----------------------------------------------------------- */

PBFT_MUST_USE enum pbft_status
fhir_gather_add(struct fhir_gather *gather, const struct fhir_wanted *wanted);
/* Adds what the ledger has of the consent or patient. */
PBFT_MUST_USE enum pbft_status
fhir_gather_consents(struct fhir_gather *gather, struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
fhir_gather_disclosures(struct fhir_gather *gather,
                        struct salus_reason *reason);
/* What was decided on access to the patient: on which data went out, and what
 * the own institution may still decide. */
PBFT_MUST_USE enum pbft_status
fhir_gather_decisions(struct fhir_gather *gather, struct salus_reason *reason);
/* What became of a consent. */
PBFT_MUST_USE enum pbft_status fhir_gather_status(struct fhir_gather *gather,
                                                  struct fhir_wanted *wanted,
                                                  bool *superseded,
                                                  struct salus_reason *reason);

#endif /* CLIENT_FHIR_GATHER_H */
