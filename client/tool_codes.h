/* SPDX-License-Identifier: Apache-2.0 */
/* Codes by their names: which table a field of a message takes them from. */
#ifndef CLIENT_TOOL_CODES_H
#define CLIENT_TOOL_CODES_H

#include <stdbool.h>
#include <stddef.h>

#include "ledger/codes.h"

/* Names for a list in an error: as many as fit a line. */
#define TOOL_NAMES_SIZE 176

/* What the names of a field are. */
struct tool_names {
    enum codes_table table;   /* 0: `words`. */
    uint32_t flags;           /* Only entries with one of them; 0: all. */
    const char *const *words; /* Ends with NULL; the first means 1. */
};

/* Of a field that holds codes or numbers with names; false: of no other. */
bool tool_names_of(struct tool_names *out, const char *message,
                   const char *field);
/* 0: there is no such name. */
uint32_t tool_names_find(const struct tool_names *names, const char *name);
/* One more; false: ", ..." instead, and none after it. */
bool tool_names_add(char list[TOOL_NAMES_SIZE], const char *one);
/* "TREAT, CLINTRL, COC, ...": what does not fit is left out. */
void tool_names_list(const struct tool_names *names, char out[TOOL_NAMES_SIZE]);

#endif /* CLIENT_TOOL_CODES_H */
