/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts of the ledger codes. */
#include "ledger/errors.h"

#include <stddef.h>

struct code_row {
    uint32_t number;
    bool retryable;
    const char *name;
    const char *fhir;
    const char *text;
};

static const struct code_row rows[] = {
#define LEDGER_CODE_ROW(name, number, retry, fhir, text)                       \
    {number, retry, #name, fhir, text},
    LEDGER_CODE_LIST(LEDGER_CODE_ROW)
#undef LEDGER_CODE_ROW
};

static const struct code_row unknown = {UINT32_MAX, false, "LEDGER_?",
                                        "processing", "unknown code"};

static const struct code_row *find(uint32_t code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].number == code) {
            return &rows[i];
        }
    }
    return &unknown;
}

const char *ledger_code_name(uint32_t code)
{
    return find(code)->name + sizeof "LEDGER_" - 1;
}

const char *ledger_code_text(uint32_t code)
{
    return find(code)->text;
}

const char *ledger_code_fhir(uint32_t code)
{
    return find(code)->fhir;
}

bool ledger_code_is_retryable(uint32_t code)
{
    return find(code)->retryable;
}
