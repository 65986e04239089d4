/* SPDX-License-Identifier: Apache-2.0 */
/* From random ids back to the names by which the institution knows them, out of
 * the vault's journal. For fhir/ only. */
#ifndef FHIR_NAMES_H
#define FHIR_NAMES_H

#include "fhir/ledger_name.h"

struct fhir_name_row {
    enum fhir_ledger_kind kind;
    uint8_t id[VAULT_HANDLE_SIZE];
    char *name; /* Owned. */
    size_t order;
};

struct fhir_names {
    struct fhir_name_row *rows;
    size_t count;
    size_t capacity;
    bool is_sorted;
};

/* What the journal tells; fhir_names_free() in any case. */
PBFT_MUST_USE enum pbft_status fhir_names_load(struct fhir_names *names,
                                               struct vault *vault);
void fhir_names_free(struct fhir_names *names);
PBFT_MUST_USE enum pbft_status fhir_names_add(struct fhir_names *names,
                                              enum fhir_ledger_kind kind,
                                              const uint8_t *id,
                                              const char *name);
/* The first that was added for the id; NULL. */
const char *fhir_names_find(struct fhir_names *names,
                            enum fhir_ledger_kind kind, const uint8_t *id);

#endif /* FHIR_NAMES_H */
