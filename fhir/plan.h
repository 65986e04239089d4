/* SPDX-License-Identifier: Apache-2.0 */
/* From an item to the transactions that put it on the ledger. Random ids,
 * salts and keys are drawn and stored in the vault; contents are sealed there.
 * Nothing that names a patient gets into a transaction.
 */
#ifndef FHIR_PLAN_H
#define FHIR_PLAN_H

#include "crypto/signer_key.h"
#include "fhir/fhir.h"
#include "ledger/transaction.h"
#include "vault/journal.h"

/* Whose signatures can be checked: `reference` as `who` of the signature says
 * it. */
struct fhir_signer {
    const char *reference;
    const struct signer_key *key;
};

struct fhir_plan_options {
    struct vault *vault;
    struct transaction_envelope envelope; /* Chain, institution, key, times. */
    uint8_t custodian_key[PBFT_PUBLIC_KEY_SIZE]; /* X25519, the own one. */
    enum transaction_mode mode; /* How consents are given here. */
    /* For trials: patients, actors and encounters that the vault does not know
     * get random ids instead of a rejection. */
    bool register_unknown;
    /* Of audit events. REASON code of emergencies; 0: they are rejected. */
    uint32_t emergency_reason;
    uint64_t emergency_window_ms; /* Of one that does not say how long. */
    /* Disclosures that stand on nothing are told as violations. */
    bool self_report;
    /* Of disclosures that name no ground: the law, a LEGAL_BASIS code; or 0. Of
     * those that a law is the ground of: the writing that shows it, where they
     * do not name one; or empty. */
    uint32_t basis;
    struct pbft_bytes basis_document;
    /* Of disclosures that do not refer to whoever received them; or NULL. */
    const char *recipient;
    const struct fhir_signer *signers;
    size_t signer_count;
    uint64_t now_ms; /* Since 1970 UTC. */
    /* Only to see what would become of an item: nothing is written but rows of
     * the vault, which the caller rolls back, and what was imported before does
     * not matter. Commitments and wraps mean nothing. */
    bool rehearse;
};

/* The LEGAL_BASIS code of a law on which alone a disclosure can stand:
 * "public-health", "required-by-law", "court-order"; 0: it is none. */
uint32_t fhir_law_of_code(const char *code);

/* Adds to the item's report why an import would reject it whatever the vault
 * knows. For an item that is only judged: fhir_plan() finds the same itself. */
void fhir_judge_plan(struct fhir_item *item,
                     const struct fhir_plan_options *options);

/* What identifies the item for the journal: its name and received bytes. */
void fhir_plan_key(uint8_t out[32], const struct fhir_item *item,
                   const struct pbft_digest *chain);

/* What the versions of an item have in common: names of the journal's entry of
 * the newest, and of the one before, which counts if the newest was refused and
 * is not there. False: it has no name that another version could have. */
bool fhir_plan_version_keys(uint8_t newest[32], uint8_t before[32],
                            const struct fhir_item *item,
                            const struct pbft_digest *chain);

/* Does the vault mean the item by its fullUrl, and nothing else? For one
 * without an id that was imported before as `entry`, or has just been planned:
 * NULL. */
PBFT_MUST_USE enum pbft_status
fhir_plan_owns_url(bool *out, const struct fhir_item *item,
                   const struct vault_journal *entry, struct vault *vault);

/* Fills `out` with the transactions in order, ready for the journal; the caller
 * frees it and stores it in the same vault transaction, which is begun.
 *
 * OK and no steps: either the item is rejected now (its report says why, and
 * the vault is as before), or the vault knows all of it already. Otherwise what
 * failed is the vault's (the caller rolls back) or NO_MEMORY. */
PBFT_MUST_USE enum pbft_status
fhir_plan(struct vault_journal *out, struct fhir_item *item,
          const struct fhir_plan_options *options);

#endif /* FHIR_PLAN_H */
