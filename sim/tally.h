/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the transactions of a run: by type, by code, and what time has
 * done by itself.
 */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include <stdint.h>
#include <stdio.h>

#include "ledger/errors.h"
#include "ledger/transaction.h"

#define TALLY_TYPE_FIRST TRANSACTION_PARTICIPANT_REGISTER
#define TALLY_TYPE_LAST TRANSACTION_ACCOUNTING_SUSPEND
#define TALLY_TYPES (TALLY_TYPE_LAST - TALLY_TYPE_FIRST + 1)
#define TALLY_CODES_MAX 128

/* What the sweep before a block finds due. */
enum tally_due {
    TALLY_DUE_CONSENT_ENDS,
    TALLY_DUE_DECISION_ENDS,
    TALLY_DUE_REVIEW_OVERDUE,
    TALLY_DUE_EMERGENCY_ENDS,
    TALLY_DUE_CONSENT_BEGINS,
    TALLY_DUE_COUNT,
};

/* Of one run: it goes through a pipe. */
struct tally {
    uint32_t done[TALLY_TYPES];
    uint32_t refused[TALLY_TYPES];
    uint32_t codes[TALLY_CODES_MAX]; /* In the order of errors.h. */
    uint32_t due[TALLY_DUE_COUNT];
};

void tally_count(struct tally *tally, enum transaction_type type,
                 uint32_t code);

/* Of many runs. */
struct tally_sums {
    uint64_t done[TALLY_TYPES];
    uint64_t refused[TALLY_TYPES];
    uint64_t codes[TALLY_CODES_MAX];
    uint64_t due[TALLY_DUE_COUNT];
};

void tally_add(struct tally_sums *sums, const struct tally *tally);
/* A table for people, a row for each type. */
void tally_print(const struct tally_sums *sums, FILE *out);
/* Members of a JSON object, the last one without a comma behind it. */
void tally_print_json(const struct tally_sums *sums, FILE *out);

#endif /* SIM_TALLY_H */
