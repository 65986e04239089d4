/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of the ledger as FHIR R4 resources, for the institution whose
 * vault it is (docs/fhir.md, "Export").
 *
 * Every resource is read again, judged and planned before it is handed out, and
 * the transaction that would come of it is compared with the one it came from,
 * field by field. What differs, or cannot be said, is a finding that names the
 * field, and there is no resource: a restriction is never dropped.
 */
#ifndef FHIR_EXPORT_H
#define FHIR_EXPORT_H

#include "fhir/fhir.h"
#include "ledger/transaction.h"
#include "vault/vault.h"

struct fhir_exporter;
struct Salus__V1__DecisionState;

struct fhir_export_options {
    struct vault *vault;
    struct pbft_digest chain; /* Cluster id. */
    /* Nothing that the vault knows: ids of the ledger instead of references,
     * blinded labels, no contents. For others, with meta.security REDACTED. */
    bool redacted;
    bool without_contents; /* Of documents: url and commitment only. */
};

/* Reads the names of what was imported from the vault. Do not import
 * meanwhile. */
PBFT_MUST_USE enum pbft_status
fhir_exporter_create(struct fhir_exporter **out,
                     const struct fhir_export_options *options);
void fhir_exporter_destroy(struct fhir_exporter *exporter); /* Or NULL. */

/* A transaction that was executed, and what stands about it. */
struct fhir_export_source {
    struct pbft_bytes body; /* Encoded TransactionBody. */
    struct pbft_digest tx_id;
    uint64_t seq;              /* Its block. */
    bool withdrawn;            /* A consent that has ended since. */
    struct pbft_bytes receipt; /* To be put into the resource; or empty. */
    /* Of ACCESS_REQUEST and ACCESS_DECISION: what the ledger says of the
     * request. Of the first the body may be empty, and then tx_id is not used:
     * what the replicas computed, and the custodian left of it, stands here
     * alone. */
    const struct Salus__V1__DecisionState *decision;
    uint64_t block_time_us;  /* Of the custodian's decision. */
    struct pbft_bytes proof; /* QueryProof of `decision`; as the receipt. */
};

/* CONSENT_GRANT, CONSENT_EVIDENCE, RECORD_ANCHOR, DISCLOSURE, BREAK_GLASS: does
 * an import make it, and has it a resource? */
bool fhir_export_knows(enum transaction_type type);

/* Since when it holds what the ledger says of a request, in microseconds since
 * 1970: as it was computed, or since the custodian's latest decision. */
uint64_t fhir_decision_us(const struct Salus__V1__DecisionState *state);

/* One resource in a line, from malloc; the caller frees it. NULL: the report
 * says why. NO_MEMORY, or what failed in the vault. */
PBFT_MUST_USE enum pbft_status
fhir_export(struct fhir_exporter *exporter, char **out,
            struct fhir_report *report,
            const struct fhir_export_source *source);

#endif /* FHIR_EXPORT_H */
