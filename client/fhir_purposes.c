/* SPDX-License-Identifier: Apache-2.0 */
/* --purpose 'SYSTEM|CODE=NUMBER': what the consortium has published. */
#include <string.h>

#include "client/tool_fhir.h"
#include "ledger/codes.h"
#include "ledger/forms.h"

/* As CODETABLE_PUBLISH takes it, and nothing that the program knows already: a
 * code of its own table keeps its meaning. */
static bool is_published(const struct vault_purpose *purpose)
{
    return forms_is_uri(purpose->system) && forms_is_code(purpose->code) &&
           codes_find(CODES_PURPOSE, purpose->system, purpose->code) == NULL;
}

static bool take(char *out, size_t capacity, const char *begin, const char *end)
{
    size_t size = (size_t)(end - begin);

    if (size >= capacity) {
        return false;
    }
    memcpy(out, begin, size);
    out[size] = 0;
    return true;
}

/* Codes hold neither '|' nor '='; a system may. */
static bool parse(struct vault_purpose *out, const char **number,
                  const char *text)
{
    const char *equals = strrchr(text, '=');
    const char *bar = NULL;

    memset(out, 0, sizeof *out);
    for (const char *at = text; equals != NULL && at < equals; at++) {
        bar = *at == '|' ? at : bar;
    }
    if (bar == NULL) {
        return false;
    }
    *number = equals + 1;
    return take(out->system, sizeof out->system, text, bar) &&
           take(out->code, sizeof out->code, bar + 1, equals) &&
           is_published(out);
}

static bool read_one(struct fhir_call *call, const char *text)
{
    struct vault_purpose purpose;
    const char *digits = NULL;
    uint64_t number = 0;

    if (!parse(&purpose, &digits, text)) {
        (void)tool_bad_usage(
            &tool_fhir,
            "--purpose %s: it is SYSTEM|CODE=NUMBER, a code that the "
            "program does not know, and its number on the ledger, from %d",
            text, CODES_ADDED_MIN);
        return false;
    }
    if (!tool_number(&tool_fhir, "the number of --purpose", digits,
                     CODES_ADDED_MIN, CODES_ID_MAX, &number)) {
        return false;
    }
    purpose.id = (uint32_t)number;
    enum pbft_status status = vault_purposes_add(&call->published, &purpose);
    if (status == PBFT_TOO_LARGE) {
        (void)tool_bad_usage(&tool_fhir, "--purpose: at most %d of them",
                             VAULT_PURPOSES_MAX);
    } else if (status != PBFT_OK) {
        (void)tool_bad_usage(&tool_fhir,
                             "--purpose %s: a number has one code, and a "
                             "code one number",
                             text);
    }
    return status == PBFT_OK;
}

bool fhir_purposes_read(struct fhir_call *call)
{
    for (size_t i = 0; i < call->purposes.count; i++) {
        if (!read_one(call, call->purposes.items[i])) {
            return false;
        }
    }
    return true;
}
