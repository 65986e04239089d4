/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind ledger/codes.h. Private to it. */
#ifndef LEDGER_CODES_TABLES_H
#define LEDGER_CODES_TABLES_H

#include "ledger/codes.h"

struct codes_table_rows {
    const char *name;
    const struct codes_entry *entries; /* Ascending by id. */
    size_t count;
};

/* Indexed by enum codes_table; entry 0 is empty. */
extern const struct codes_table_rows codes_tables[CODES_TABLE_MAX + 1];

#endif /* LEDGER_CODES_TABLES_H */
