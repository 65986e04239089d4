/* SPDX-License-Identifier: Apache-2.0 */
/* An accounting at work, row by row or folded. Private to ledger/. */
#ifndef LEDGER_QUERY_ACCOUNTING_H
#define LEDGER_QUERY_ACCOUNTING_H

#include "ledger/fields.h"
#include "ledger/query.h"

/* Of a key of the index: time, disclosure. */
#define ACCOUNTING_SUFFIX (FIELD_U64_SIZE + LEDGER_ID_SIZE)
/* Folded: where the fold began (number of the handle, suffix of the row before;
 * zeros: with the first), and how many of its rows were shown. */
#define ACCOUNTING_FOLD_CURSOR (1 + ACCOUNTING_SUFFIX + FIELD_U32_SIZE)

struct accounting {
    struct query *query;
    const Salus__V1__AccountingQuery *in;
    Salus__V1__Accounting__Row **rows;
    size_t count;
    size_t capacity;
    size_t limit;
    bool is_full; /* There was one row more. */
};

/* The page of the index of one handle behind `after`. */
void accounting_read(struct accounting *report, const uint8_t *subject,
                     struct pbft_bytes after, size_t limit,
                     struct query_rows *out);
/* Takes one row of the index. False: it is behind the period, or too much. */
bool accounting_take(struct accounting *report, const struct query_row *from);
/* Answers with rows from..to. */
void accounting_answer(struct accounting *report, size_t from, size_t to,
                       const uint8_t *cursor, size_t cursor_size);

/* query_accounting_fold.c: puts a row into its like, if there is one; else
 * false. */
bool accounting_fold(struct accounting *report,
                     const Salus__V1__Accounting__Row *row);
/* The answer to a question that wants them folded. */
enum ledger_code accounting_folded(struct accounting *report);

#endif /* LEDGER_QUERY_ACCOUNTING_H */
