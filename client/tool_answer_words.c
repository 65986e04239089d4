/* SPDX-License-Identifier: Apache-2.0 */
/* Words for what ledger.proto names, and for bits. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_answer.h"

#define BITS 64u

static const char *const words[][2] = {
    {"CONSENT_ACTIVE", "in force"},
    {"CONSENT_SUPERSEDED", "replaced by another"},
    {"CONSENT_REVOKED", "withdrawn"},
    {"CONSENT_EXPIRED", "its period is over"},
    {"CONSENT_NOT_YET", "its period has not begun"},
    {"CONSENT_ON_FILE", "on file as evidence, not computable"},
    {"CONSENT_NOT_FILED", "not filed then"},
    {"GRANTED", "granted"},
    {"FILED_EVIDENCE", "filed as evidence: indeterminate"},
    {"SETTLED", "settled: indeterminate no longer"},
    {"REVOKED", "withdrawn"},
    {"SUPERSEDED", "replaced"},
    {"EXPIRED", "period over"},
    {"RECORD_ACTIVE", "may be used"},
    {"RECORD_RETRACTED", "retracted"},
    {"RECORD_FROZEN", "frozen: of another patient"},
    {"PERMIT", "permit"},
    {"DENY", "deny"},
    {"RULE_INDETERMINATE", "a document is on file that no machine can read: a "
                           "privacy officer settles it"},
    {"RULE_DENIED", "a consent denies"},
    {"RULE_PERMITTED", "a consent permits, none denies"},
    {"RULE_NO_GRANT", "there are consents, and none permits"},
    {"RULE_IMPLICIT", "there is no consent: what the policy implies"},
    {"RULE_LEGAL_BASIS", "asked by law: the custodian decides"},
    {"OVERRIDE_NEVER", "nothing that consents do not permit"},
    {"OVERRIDE_UNLESS_DENIED", "all that no consent denies by name"},
    {"OVERRIDE_ALWAYS", "everything, whatever consents say"},
    {"EMERGENCY_ALWAYS", "the policy opens whatever consents say"},
    {"EMERGENCY_NOT_DENIED", "no consent denies emergencies by name"},
    {"EMERGENCY_PERMITTED", "a consent permits, none denies"},
    {"EMERGENCY_IMPLIED", "there was no consent: what the policy implies"},
    {"EMERGENCY_CLOSED", "judged again it opens nothing: people, labels or "
                         "consents have changed"},
    {"EMERGENCY_UNTOLD", "it cannot be told any more: the policy or the "
                         "consents of then are not kept"},
    {"JUSTIFIED", "justified"},
    {"NOT_JUSTIFIED", "not justified"},
    {"INSUFFICIENT", "it cannot be told"},
    {"FOLLOW_UP_NONE", "none"},
    {"SANCTION", "sanction"},
    {"BREACH_ASSESSMENT", "a breach is assessed"},
    {"STATE_OPEN", "open"},
    {"STATE_REVIEWED", "reviewed"},
    {"STATE_BREACH", "breach"},
    {"CONSENT_BEGINS", "a consent begins"},
    {"CONSENT_ENDS", "a consent ends"},
    {"DECISION_ENDS", "a decision ends"},
    {"EMERGENCY_ENDS", "the window of an emergency ends"},
    {"INSTITUTION_JOINING", "admitted, not yet active"},
    {"INSTITUTION_ACTIVE", "active"},
    {"INSTITUTION_SUSPENDED", "suspended"},
    {"INSTITUTION_RETIRED", "has left"},
    {"REVIEW", "review of an emergency"},
    {"REVIEW_OVERDUE", "overdue review of an emergency"},
    {"BREACH", "an emergency was not justified"},
};

/* A value that this program has no name for is a number in JSON. */
void tool_answer_word(char *out, size_t size, const json_t *value)
{
    static const char none[] = "UNSPECIFIED";
    const char *name = json_string_value(value);
    const size_t length = name != NULL ? strlen(name) : 0;
    const char *found = name;
    for (size_t i = 0; name != NULL && i < sizeof words / sizeof words[0];
         i++) {
        found = strcmp(words[i][0], name) == 0 ? words[i][1] : found;
    }
    if (length >= sizeof none - 1 &&
        strcmp(name + length - (sizeof none - 1), none) == 0) {
        found = NULL;
    }
    if (json_is_integer(value)) {
        (void)snprintf(out, size, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        return;
    }
    (void)snprintf(out, size, "%s", found != NULL ? found : "-");
}

/* "1-3,5": bit 0 is number 1. */
static void list_bits(char *out, size_t size, uint64_t bits)
{
    out[0] = 0;
    for (unsigned i = 0; i < BITS; i++) {
        unsigned last = i;
        if ((bits >> i & 1) == 0) {
            continue;
        }
        while (last + 1 < BITS && (bits >> (last + 1) & 1) != 0) {
            last++;
        }
        size_t used = strlen(out);
        const char *comma = used > 0 ? "," : "";
        if (last > i) {
            (void)snprintf(out + used, size - used, "%s%u-%u", comma, i + 1,
                           last + 1);
        } else {
            (void)snprintf(out + used, size - used, "%s%u", comma, i + 1);
        }
        i = last;
    }
}

/* As JSON has it: a number, or text where it is too large for one. */
static uint64_t read_bits(const json_t *value)
{
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10)
                                 : (uint64_t)json_integer_value(value);
}

void tool_answer_which(char *out, size_t size, const json_t *value,
                       const json_t *row)
{
    const json_t *records = json_object_get(row, "records");
    const size_t count = json_array_size(records);
    const uint64_t bits = read_bits(value);
    const uint64_t all =
        count >= BITS ? UINT64_MAX : ((uint64_t)1 << count) - 1;
    if (records == NULL && bits != 0) {
        list_bits(out, size, bits);
    } else if (records == NULL) {
        (void)snprintf(out, size, "-");
    } else if (count == 0) {
        (void)snprintf(out, size, "%s", bits != 0 ? "yes" : "no");
    } else if (bits == 0 || bits == all) {
        (void)snprintf(out, size, "%s of %zu records",
                       bits == 0 ? "none" : "all", count);
    } else {
        char list[256];
        list_bits(list, sizeof list, bits);
        (void)snprintf(out, size, "%s of %zu records", list, count);
    }
}
