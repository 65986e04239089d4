/* SPDX-License-Identifier: Apache-2.0 */
/* Names instead of numbers, by the comments of ledger.proto. */
#include "client/tool_codes.h"

#include <stdio.h>
#include <string.h>

static const char *const implicit_words[] = {"basic-normal", "all-normal",
                                             "break-glass-only", "deny", NULL};
static const char *const override_words[] = {"never", "unless-denied", "always",
                                             NULL};

struct row {
    const char *message; /* NULL: of every other message. */
    const char *field;
    struct tool_names names;
};

#define CODES(table, flags)                                                    \
    {                                                                          \
        (table), (flags), NULL                                                 \
    }
#define WORDS(words)                                                           \
    {                                                                          \
        (enum codes_table)0, 0, (words)                                        \
    }

/* The first that fits counts. */
static const struct row rows[] = {
    {NULL, "purposes", CODES(CODES_PURPOSE, 0)},
    {NULL, "purpose", CODES(CODES_PURPOSE, 0)},
    {NULL, "no_inherit", CODES(CODES_PURPOSE, 0)},
    {NULL, "confidentiality", CODES(CODES_CONF, 0)},
    {NULL, "confidentiality_max", CODES(CODES_CONF, 0)},
    {NULL, "class_code", CODES(CODES_CLASS, 0)},
    {NULL, "classes", CODES(CODES_CLASS, 0)},
    {NULL, "actions", CODES(CODES_ACTION, 0)},
    {NULL, "action", CODES(CODES_ACTION, 0)},
    {NULL, "basis", CODES(CODES_LEGAL_BASIS, 0)},
    {NULL, "category", CODES(CODES_CATEGORY, 0)},
    {NULL, "recipient_role", CODES(CODES_INSTITUTION_ROLE, 0)},
    {"InstitutionAdmit", "roles", CODES(CODES_INSTITUTION_ROLE, 0)},
    {"InstitutionUpdate", "roles", CODES(CODES_INSTITUTION_ROLE, 0)},
    {NULL, "roles", CODES(CODES_ROLE, 0)},
    {NULL, "role", CODES(CODES_ROLE, 0)},
    {"ConsentEvidence", "reason", CODES(CODES_REASON, CODES_FOR_EVIDENCE)},
    {"ConsentRevoke", "reason", CODES(CODES_REASON, CODES_FOR_REVOKE)},
    {"BreakGlass", "reason", CODES(CODES_REASON, CODES_FOR_EMERGENCY)},
    {"AccessDecision", "reason", CODES(CODES_REASON, CODES_FOR_DECISION)},
    {NULL, "reason", CODES(CODES_REASON, CODES_FOR_GOVERNANCE)},
    {"PolicyPublish", "implicit_consent", WORDS(implicit_words)},
    {"PolicyPublish", "break_glass_override", WORDS(override_words)},
};

bool tool_names_of(struct tool_names *out, const char *message,
                   const char *field)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].field, field) == 0 &&
            (rows[i].message == NULL ||
             strcmp(rows[i].message, message) == 0)) {
            *out = rows[i].names;
            return true;
        }
    }
    return false;
}

static const char *name_at(const struct tool_names *names, size_t index,
                           uint32_t *number)
{
    size_t count = 0;
    if (names->words != NULL) {
        *number = (uint32_t)index + 1;
        return names->words[index];
    }
    const struct codes_entry *entries = codes_entries(names->table, &count);
    if (index >= count) {
        return NULL;
    }
    *number = entries[index].id;
    return names->flags == 0 || (entries[index].flags & names->flags) != 0
               ? entries[index].code
               : "";
}

uint32_t tool_names_find(const struct tool_names *names, const char *name)
{
    uint32_t number = 0;
    const char *one = name_at(names, 0, &number);
    for (size_t i = 0; name[0] != 0 && one != NULL;) {
        if (strcmp(one, name) == 0) {
            return number;
        }
        one = name_at(names, ++i, &number);
    }
    return 0;
}

bool tool_names_add(char list[TOOL_NAMES_SIZE], const char *one)
{
    static const char more[] = ", ...";
    const size_t used = strlen(list);

    if (used + strlen(one) + 2 + sizeof more > TOOL_NAMES_SIZE) {
        memcpy(list + used, more, sizeof more);
        return false;
    }
    (void)snprintf(list + used, TOOL_NAMES_SIZE - used, "%s%s",
                   used > 0 ? ", " : "", one);
    return true;
}

void tool_names_list(const struct tool_names *names, char out[TOOL_NAMES_SIZE])
{
    uint32_t number = 0;
    bool has_room = true;
    const char *one = NULL;

    out[0] = 0;
    for (size_t i = 0; has_room && (one = name_at(names, i, &number)) != NULL;
         i++) {
        has_room = one[0] == 0 || tool_names_add(out, one);
    }
}
