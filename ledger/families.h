/* SPDX-License-Identifier: Apache-2.0 */
/* One row per type of transaction: who may submit it, and who carries it out.
 * Private to ledger/. A new family is a row here and a file of rules.
 */
#ifndef LEDGER_FAMILIES_H
#define LEDGER_FAMILIES_H

#include "ledger/execution.h"

struct family {
    enum transaction_type type;
    uint64_t roles;  /* Institution roles, any of which suffices; 0: all. */
    bool urgent;     /* May use the urgent lane. */
    bool governance; /* Many may co-sign. */
    /* What it makes under an id that must be new and never gets free again, so
     * that it cannot succeed twice: the first field of its payload. Or NULL. */
    const struct thing *makes;
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
enum ledger_code institution_admit(struct execution *x);
enum ledger_code institution_update(struct execution *x);
enum ledger_code institution_suspend(struct execution *x);
enum ledger_code institution_retire(struct execution *x);
enum ledger_code key_rotate(struct execution *x);
enum ledger_code key_revoke(struct execution *x);
enum ledger_code participant_update(struct execution *x);
enum ledger_code participant_revoke(struct execution *x);
enum ledger_code policy_publish(struct execution *x);
enum ledger_code policy_activate(struct execution *x);
enum ledger_code codetable_publish(struct execution *x);
enum ledger_code subject_settle(struct execution *x);
enum ledger_code record_anchor_batch(struct execution *x);
enum ledger_code record_open(struct execution *x);
enum ledger_code record_amend(struct execution *x);
enum ledger_code record_retract(struct execution *x);
enum ledger_code key_grant(struct execution *x);
enum ledger_code rekey(struct execution *x);
enum ledger_code access_request(struct execution *x);
enum ledger_code access_decision(struct execution *x);
enum ledger_code disclosure(struct execution *x);
enum ledger_code disclosure_batch(struct execution *x);
enum ledger_code disclosure_open(struct execution *x);
enum ledger_code break_glass(struct execution *x);
enum ledger_code break_glass_review(struct execution *x);
enum ledger_code accounting_suspend(struct execution *x);

#endif /* LEDGER_FAMILIES_H */
