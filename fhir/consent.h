/* SPDX-License-Identifier: Apache-2.0 */
/* A FHIR R4 Consent, judged by the import law: what the ledger can hold of it
 * exactly. Needs neither vault nor replica. For fhir/ only. */
#ifndef FHIR_CONSENT_H
#define FHIR_CONSENT_H

#include "fhir/elements.h"
#include "ledger/transaction.h"

/* R4 names patient, performers and organizations without a bound. */
#define FHIR_ORGANIZATIONS_MAX 16

struct fhir_label {
    const char *system;
    const char *code;
};

struct fhir_data {
    enum transaction_meaning meaning;
    struct fhir_reference reference;
};

/* A provision in words of the ledger; references are not resolved. */
struct fhir_selector {
    uint32_t decision; /* enum transaction_decision; 0: not said. */
    struct fhir_reference actors[LEDGER_ACTORS_MAX];
    size_t actor_count;
    uint32_t purposes[LEDGER_CODES_MAX];
    size_t purpose_count;
    bool purpose_unknown;
    uint32_t actions[LEDGER_CODES_MAX];
    size_t action_count;
    uint32_t confidentiality[LEDGER_CODES_MAX];
    size_t confidentiality_count;
    struct fhir_label labels[LEDGER_TAGS_MAX];
    size_t label_count;
    uint32_t classes[LEDGER_CODES_MAX];
    size_t class_count;
    struct fhir_period data_period;
    struct fhir_data data[LEDGER_DATA_REFS_MAX];
    size_t data_count;
};

struct fhir_consent {
    bool is_withdrawal; /* Status inactive. */
    uint32_t scope;     /* enum transaction_scope; 0: not known. */
    uint32_t category;  /* Of CATEGORY. */
    const char *policy_uri;
    bool has_given;
    struct fhir_interval given;
    struct fhir_period period;
    struct fhir_selector *root; /* NULL: no provision. */
    struct fhir_selector *exceptions;
    size_t exception_count;
    struct fhir_reference patient;
    bool by_subject;
    struct fhir_reference delegate; /* If it is not by the subject. */
    struct fhir_reference organizations[FHIR_ORGANIZATIONS_MAX];
    size_t organization_count;
    struct fhir_reference source; /* sourceReference; or absent. */
    /* How it was given (enum transaction_mode), as an extension says; 0: it
     * does not. */
    uint32_t mode;
};

/* Fills `out` as far as it can, and the report with everything that stands in
 * the way. */
void fhir_consent_read(const struct fhir_reader *reader,
                       struct fhir_consent *out,
                       const struct fhir_node *resource);

/* Has the provision no field by which it selects, understood or not? */
bool fhir_states_nothing(const struct fhir_node *provision);

/* A purpose of the program's table, or one that was published; 0: neither
 * (consent_demands.c). */
uint32_t fhir_purpose_id(const struct fhir_reader *reader,
                         const struct fhir_coding *coding);

/* What the parts must say together (consent_demands.c). */
void fhir_consent_check(const struct fhir_reader *reader,
                        const struct fhir_consent *consent,
                        const struct fhir_node *resource);

/* The provision and its exceptions (provision.c). */
void fhir_provision_read(const struct fhir_reader *reader,
                         struct fhir_consent *out,
                         const struct fhir_node *provision);

/* States what an exception inherits, where the ledger would read it in another
 * way than the root meant it (provision_inherit.c). */
void fhir_provision_inherit(const struct fhir_reader *reader,
                            struct fhir_selector *own,
                            const struct fhir_selector *root,
                            const struct fhir_node *node);

#endif /* FHIR_CONSENT_H */
