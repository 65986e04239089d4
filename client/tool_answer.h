/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to queries as tables for people or JSON for programs: the same for
 * `salus query` and its kin, and for a proof that `salus verify` checks. */
#ifndef CLIENT_TOOL_ANSWER_H
#define CLIENT_TOOL_ANSWER_H

#include <stdbool.h>

#include "ledger/codes.h"
#include "salus/v1/ledger.pb-c.h"

struct json_t;
struct tool_directory;

/* How a column is shown. */
enum tool_column_kind {
    TOOL_COLUMN_TEXT,        /* As it stands: ids, numbers, words. */
    TOOL_COLUMN_TIME_MS,     /* As a time. */
    TOOL_COLUMN_TIME_US,     /* As a time. */
    TOOL_COLUMN_INSTITUTION, /* By its short name. */
    TOOL_COLUMN_CODE,        /* By the code of `table`; lists too. */
    TOOL_COLUMN_RESULT,      /* A ledger code, by its name. */
    TOOL_COLUMN_WORD,        /* What the name of an enum means. */
    TOOL_COLUMN_WHICH,       /* Bits: which records of the request. */
    TOOL_COLUMN_REVIEW,      /* A BreakGlassList.State in a number. */
    TOOL_COLUMN_SELECTOR,    /* Of the consent in the row, if there is one. */
    TOOL_COLUMN_LIST,        /* Of texts, or of objects of texts. */
};

struct tool_column {
    const char *title; /* NULL ends the table. */
    const char *field; /* Of a row, as in ledger.proto. */
    enum tool_column_kind kind;
    enum codes_table table;
};

/* A list in an answer. */
struct tool_list_form {
    const char *name; /* NULL: no list. */
    const char *note; /* A line above it; NULL: none. */
    bool is_outside;  /* Of Answer itself, not of its kind. */
    const struct tool_column *columns;
};

/* How the answer to one kind of question is shown. */
struct tool_answer_form {
    Salus__V1__Answer__KindCase kind;
    const char *name;                 /* Of the kind in Answer. */
    const struct tool_column *fields; /* A line each; NULL: none. */
    const struct tool_column *notes;  /* The same, but below the lists. */
    bool is_paged;                    /* The first list comes in pages. */
    bool has_selectors;               /* Its rows do, in full below it. */
    bool is_addressed; /* Below: name and address of whom it names. */
    struct tool_list_form lists[2];
};

/* Of rows of a directory, below answers that are addressed. */
extern const struct tool_column tool_address_columns[];

/* NULL: it has no kind. */
const struct tool_answer_form *
tool_answer_form(const Salus__V1__Answer *answer);

/* What was printed so far of one answer. */
struct tool_answer_view {
    const struct tool_directory *directory; /* NULL: no names. */
    size_t pages;
    size_t rows;
    struct json_t *named; /* Of answers whose form is_addressed, so far. */
};

/* The selectors that decided, field by field, below the table of consents. */
void tool_answer_selectors(const struct json_t *voices,
                           const struct tool_directory *directory);

/* "TREAT,HPAYMT" of a list of codes, "-" of 0. */
void tool_answer_codes(char *out, size_t size, const struct json_t *value,
                       enum codes_table table);

/* Adds the institutions that the answer names to `ids`, an object: their ids in
 * hexadecimal digits are its keys. */
void tool_answer_named(struct json_t *ids, const Salus__V1__Answer *answer);

/* What the name of an enum of ledger.proto means; a number, that has no name
 * here, as it is; "-": nothing. */
void tool_answer_word(char *out, size_t size, const struct json_t *value);
/* Of bits in a row: "all of 3 records", "1,3 of 4 records", or "yes" for the
 * patient; "1,3" where the row does not say of how many. */
void tool_answer_which(char *out, size_t size, const struct json_t *value,
                       const struct json_t *row);

/* Prints one page as a table. */
void tool_answer_print(struct tool_answer_view *view,
                       const Salus__V1__Answer *answer, bool is_last);
/* Releases what a view that did not come to its last page has kept. */
void tool_answer_view_end(struct tool_answer_view *view);

#endif /* CLIENT_TOOL_ANSWER_H */
