/* SPDX-License-Identifier: Apache-2.0 */
/* One row per type of transaction: who may submit it, and who carries it out.
 * Private to ledger/. A new family is a row here and a file of rules.
 */
#ifndef LEDGER_FAMILIES_H
#define LEDGER_FAMILIES_H

#include "ledger/execution.h"

struct family {
    enum transaction_type type;
    uint64_t roles; /* Institution roles, any of which suffices; 0: all. */
    bool urgent;    /* May use the urgent lane. */
    /* Judges the payload by the rules of the family and, if all hold, writes.
     */
    enum ledger_code (*execute)(struct execution *x);
};

/* NULL if there is no such type. */
const struct family *family_of(uint32_t type);

enum ledger_code participant_register(struct execution *x);
enum ledger_code subject_register(struct execution *x);
enum ledger_code consent_grant(struct execution *x);
enum ledger_code consent_evidence(struct execution *x);
enum ledger_code consent_revoke(struct execution *x);
enum ledger_code record_anchor(struct execution *x);

#endif /* LEDGER_FAMILIES_H */
