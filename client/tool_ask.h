/* SPDX-License-Identifier: Apache-2.0 */
/* Questions with lists for answers: all pages, as a table for people or as JSON
 * for programs. */
#ifndef CLIENT_TOOL_ASK_H
#define CLIENT_TOOL_ASK_H

#include "client/tool_options.h"
#include "ledger/codes.h"
#include "proto/genesis.h"
#include "salus/v1/ledger.pb-c.h"

/* How a column is shown. */
enum tool_column_kind {
    TOOL_COLUMN_TEXT,        /* As it stands: ids, numbers, words. */
    TOOL_COLUMN_TIME_MS,     /* As a time. */
    TOOL_COLUMN_TIME_US,     /* As a time. */
    TOOL_COLUMN_INSTITUTION, /* By its short name. */
    TOOL_COLUMN_CODE,        /* By the code of `table`; lists too. */
};

struct tool_column {
    const char *title; /* NULL ends the table. */
    const char *field; /* Of a row, as in ledger.proto. */
    enum tool_column_kind kind;
    enum codes_table table;
};

/* What every such command takes. */
struct tool_ask {
    const struct tool_command *command;
    const char *config;
    const char *replica;
    bool json;
    Salus__V1__Query *query;
    ProtobufCBinaryData *cursor; /* Field of the query; NULL: one page. */
    const char *answer;          /* Name of the kind in Answer. */
    const char *rows;            /* Name of its list; NULL: it is one row. */
    const struct tool_column *columns;
};

/* Asks until there are no more pages, and prints. */
int tool_ask(const struct tool_ask *ask);

/* A time of the command line: "2026-11-28", "2026-11-28T10:15:00Z" or
 * milliseconds since 1970; says what is wrong. NULL leaves `out`. */
bool tool_time_read(const struct tool_command *command, const char *text,
                    uint64_t *out_ms);

/* A code of a table by name, else by number; says what is wrong. */
bool tool_code_read(const struct tool_command *command, enum codes_table table,
                    const char *text, uint32_t *out);

/* Hexadecimal digits; says what is wrong. */
bool tool_id_read(const struct tool_command *command, const char *text,
                  uint8_t *out, size_t size);

#endif /* CLIENT_TOOL_ASK_H */
