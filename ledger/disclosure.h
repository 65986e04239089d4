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
    struct schema_access access;       /* If it stands on a decision, ... */
    struct schema_held held;           /* ... what that gave then. */
    struct schema_emergency emergency; /* If on an emergency. */
    bool is_leaf;         /* Of a batch: what it says was told in time. */
    bool is_past_unknown; /* A leaf; what was decided or consented to then
                           * cannot be told. */
    bool is_covered;
};

/* What it stands on exists and covers it, or it says itself that not;
 * disclosure_cover.c. NO_DECISION, BG_STATE, DECISION_SCOPE. */
enum ledger_code disclosure_cover(struct telling *telling);

/* The same of one that stands on a decision; disclosure_decision.c. `held` is
 * then known. */
bool disclosure_decision_covers(struct telling *telling);

/* Records by themselves, or everything of what was told. */
struct disclosure_targets {
    struct decide_target rows[LEDGER_TARGETS_MAX];
    size_t count;
};
void disclosure_add_record(struct telling *telling,
                           struct disclosure_targets *out,
                           const ProtobufCBinaryData *record);
void disclosure_add_told(const struct telling *telling,
                         struct disclosure_targets *out,
                         uint32_t confidentiality);
/* What was told fits into the targets that are open: if they are records, no
 * more items than those, of their classes. */
bool disclosure_fits(const struct telling *telling,
                     const struct disclosure_targets *targets, uint64_t open);

bool disclosure_went_to(const struct telling *telling,
                        const struct pbft_institution *institution);
bool disclosure_is_about(const struct telling *telling, const uint8_t *subject);
bool disclosure_has_classes(const Salus__V1__Disclosure *in,
                            const uint32_t *classes, size_t count);
bool disclosure_within(uint64_t from, uint64_t to, uint64_t outer_from,
                       uint64_t outer_to);
/* The person who received, where one is named; else the requester stays. */
void disclosure_ask_for_recipient(struct telling *telling,
                                  struct decide_requester *who);
/* A leaf was told in time, by its root, and cannot be told otherwise: where
 * nobody knows any more what the consents of then were, it is not refused to
 * the patient's accounting. It stands by everything else that covers it. */
uint64_t disclosure_open_to_leaf(struct telling *telling,
                                 const uint8_t *subject, uint64_t then_ms,
                                 uint64_t all);

/* To the source itself, or to an institution that acts for patients: what the
 * patient asked for reached him. Else it went where he asked, as is told. */
bool disclosure_went_to_patient(const struct telling *telling);

/* Judges; `is_covered` and what it stands on are then known. */
enum ledger_code disclosure_judge(struct telling *telling);
/* Writes it and its index. `payload` is kept for the accounting. */
void disclosure_write(struct telling *telling);

#endif /* LEDGER_DISCLOSURE_H */
