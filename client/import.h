/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR files to the ledger: judge, plan, journal, submit, settle.
 *
 * What is submitted stands in the vault's journal first, so that an import that
 * was interrupted, at whatever point, is run again and nothing is doubled:
 * import_run() begins by finishing what is open. One import at a time uses a
 * vault.
 */
#ifndef CLIENT_IMPORT_H
#define CLIENT_IMPORT_H

#include "client/salus.h"
#include "fhir/plan.h"
#include "ledger/transaction.h"
#include "proto/reason.h"
#include "vault/purposes.h"

/* Items that are prepared together: one synced write of the vault, and one
 * submission. */
#define IMPORT_BATCH_ITEMS 32
/* A batch ends early at so many transactions, or bytes of them. */
#define IMPORT_BATCH_TRANSACTIONS 512
#define IMPORT_BATCH_BYTES ((size_t)512 * 1024)
/* How long a transaction may wait to be ordered. */
#define IMPORT_VALID_MS ((uint64_t)24 * 60 * 60 * 1000)
/* How long an emergency lasts whose event does not say it. */
#define IMPORT_EMERGENCY_MS ((uint64_t)60 * 60 * 1000)
#define IMPORT_OWN_MAX 16
#define IMPORT_MEMBERS_MAX 128

/* The ledger as the import sees it. */
struct import_port {
    void *context;
    uint8_t cluster[SALUS_DIGEST_SIZE];
    uint8_t institution[SALUS_ID_SIZE];
    uint8_t key_id[SALUS_ID_SIZE]; /* Of the key that signs. */
    /* As salus_submit_many(). */
    enum salus_status (*submit)(void *context, struct salus_result *results,
                                const struct salus_transaction *transactions,
                                size_t count);
    /* The first result of a transaction that was executed before. False: there
     * is none. */
    bool (*lookup)(void *context, struct salus_result *result,
                   const uint8_t tx_id[SALUS_DIGEST_SIZE]);
    /* The newest version of the code tables: asked where published codes are
     * imported, which older ones do not have. */
    enum salus_status (*tables)(void *context, uint32_t *version);
};

/* `client` outlives the port. */
void import_port_of_client(struct import_port *out,
                           struct salus_client *client);

struct import_options {
    struct vault *vault;
    uint8_t custodian_key[PBFT_PUBLIC_KEY_SIZE]; /* X25519, the own public one.
                                                  */
    struct fhir_options fhir;
    enum transaction_mode mode; /* 0: TRANSACTION_WET_INK. */
    bool register_unknown;      /* Trials only: see fhir/plan.h. */
    /* Of audit events; see fhir/plan.h. */
    uint32_t emergency_reason;
    uint64_t emergency_window_ms; /* 0: IMPORT_EMERGENCY_MS. */
    bool self_report;
    uint32_t basis;
    struct pbft_bytes basis_document;
    const char *recipient;
    /* Whose signatures are checked; see fhir/plan.h. */
    const struct fhir_signer *signers;
    size_t signer_count;
    /* References that mean the own institution: "Organization/17". */
    const char *own[IMPORT_OWN_MAX];
    size_t own_count;
    /* References that mean other members of the consortium. */
    struct import_member {
        const char *reference;
        struct pbft_institution institution;
    } members[IMPORT_MEMBERS_MAX];
    size_t member_count;
    struct vault_purposes purposes; /* Published ones, beside the vault's. */
};

enum import_outcome {
    IMPORT_REJECTED,  /* By the import law; the report says why. */
    IMPORT_ON_LEDGER, /* All its transactions were executed. */
    IMPORT_KNOWN,     /* Imported before; nothing was done. */
    IMPORT_REFUSED,   /* By the ledger, with `code`; the vault has forgotten it.
                       */
    IMPORT_OPEN,      /* No proof came in time; the next import goes on. */
    IMPORT_LOCAL,     /* It stays at the institution; the report says why. */
    IMPORT_REPLACED,  /* Imported before, and another version since: nothing was
                         done, what the ledger has is that one. */
};
#define IMPORT_OUTCOMES 7 /* An array by outcome. */
const char *import_outcome_name(enum import_outcome outcome); /* "on ledger" */

struct vault_journal;

/* One resource is done. Everything is borrowed for the call. */
struct import_event {
    const char *file;
    const struct fhir_item *item; /* NULL: finished for an import before. */
    enum fhir_class class_of;
    enum import_outcome outcome;
    uint32_t code;                    /* Ledger code of what was refused; 0. */
    uint8_t tx_id[SALUS_DIGEST_SIZE]; /* Of its own transaction, the last one;
                                         zeros: none. */
    uint32_t type; /* enum transaction_type of it; 0: none. */
    uint64_t seq;  /* Its block. */
    /* Its transactions as submitted, with bodies; NULL: none now. */
    const struct vault_journal *steps;
    size_t number; /* From 1. */
    size_t total;  /* Resources in this import. */
};
typedef void import_progress(void *context, const struct import_event *event);

struct import_summary {
    size_t resources;
    size_t classes[FHIR_CLASSES];     /* By enum fhir_class. */
    size_t outcomes[IMPORT_OUTCOMES]; /* By enum import_outcome. */
    size_t transactions;              /* Executed. */
    size_t resumed; /* Resources that an earlier import left open. */
    /* Replaced ones whose newest version did not come after them: the files do
     * not say what the ledger has. */
    size_t outdated;
};

/* Imports all files: participants first, then patients, documents, consents.
 * Calls `progress` (or NULL) once a resource. Rejections and refusals are
 * results, not failures. Fails if the vault fails, or TIMED_OUT, UNREACHABLE if
 * the ledger cannot be reached: then run it again. */
PBFT_MUST_USE enum pbft_status
import_run(const struct import_port *port, const struct import_options *options,
           const char *const *files, size_t file_count,
           import_progress *progress, void *context,
           struct import_summary *summary, struct salus_reason *reason);

#endif /* CLIENT_IMPORT_H */
