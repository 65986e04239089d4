/* SPDX-License-Identifier: Apache-2.0 */
/* What --explain adds to a resource: its transactions, and of each element
 * whether it goes to the ledger, is sealed, stays in the vault, or is dropped.
 */
#ifndef CLIENT_FHIR_EXPLAIN_H
#define CLIENT_FHIR_EXPLAIN_H

#include "fhir/fhir.h"
#include "vault/journal.h"

struct json_t;

/* What there is to explain; either may be NULL. */
struct fhir_explanation {
    const struct fhir_item *item;
    const struct vault_journal *steps; /* The transactions, with bodies. */
};

void fhir_explain_rows(const struct fhir_explanation *from);
/* "transactions": [bodies], "elements": [{"path":..., "fate":...}] */
void fhir_explain_json(struct json_t *json,
                       const struct fhir_explanation *from);

#endif /* CLIENT_FHIR_EXPLAIN_H */
