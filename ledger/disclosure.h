/* SPDX-License-Identifier: Apache-2.0 */
/* One disclosure, told at once or opened from a batch. Private to ledger/. */
#ifndef LEDGER_DISCLOSURE_H
#define LEDGER_DISCLOSURE_H

#include "ledger/access.h"

/* A disclosure at the time at which it happened. */
struct telling {
    struct execution *x;
    const Salus__V1__Disclosure *in;
    uint64_t event_ms;
    struct schema_access access;       /* If it stands on a decision. */
    struct schema_emergency emergency; /* If on an emergency. */
    bool is_leaf;         /* Of a batch: what it says was told in time. */
    bool is_past_unknown; /* A leaf; the consents of then cannot be told. */
    bool is_covered;
};

/* What it stands on exists and covers it, or it says itself that not;
 * disclosure_cover.c. NO_DECISION, BG_STATE, DECISION_SCOPE. */
enum ledger_code disclosure_cover(struct telling *telling);

/* To the source itself, or to an institution that acts for patients: what the
 * patient asked for reached him. Else it went where he asked, as is told. */
bool disclosure_went_to_patient(const struct telling *telling);

/* Judges; `is_covered` and what it stands on are then known. */
enum ledger_code disclosure_judge(struct telling *telling);
/* Writes it and its index. `payload` is kept for the accounting. */
void disclosure_write(struct telling *telling);

#endif /* LEDGER_DISCLOSURE_H */
