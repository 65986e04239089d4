/* SPDX-License-Identifier: Apache-2.0 */
/* consentscope and consent-data-meaning of R4, and modes of our own. */
#include "fhir/consent_words.h"

#include <string.h>

#include "ledger/transaction.h"

static const char *const scope_names[] = {
    NULL, [TRANSACTION_SCOPE_PRIVACY] = "patient-privacy",
    [TRANSACTION_SCOPE_RESEARCH] = "research",
    [TRANSACTION_SCOPE_TREATMENT] = "treatment",
    [TRANSACTION_SCOPE_ADR] = "adr"};
static const char *const decision_names[] = {
    NULL, [TRANSACTION_PERMIT] = "permit", [TRANSACTION_DENY] = "deny"};
static const char *const mode_names[] = {
    NULL, [TRANSACTION_WET_INK] = "wet-ink", [TRANSACTION_ESIGN] = "esign",
    [TRANSACTION_VERBAL_WITNESSED] = "verbal",
    [TRANSACTION_AGENT_KEY] = "agent-key"};
static const char *const meaning_names[] = {
    NULL, [TRANSACTION_INSTANCE] = "instance",
    [TRANSACTION_RELATED] = "related", [TRANSACTION_DEPENDENTS] = "dependents",
    [TRANSACTION_AUTHORED_BY] = "authoredby"};

#define WORDS(names)                                                           \
    {                                                                          \
        names, (uint32_t)(sizeof(names) / sizeof(names)[0])                    \
    }
const struct fhir_words fhir_scopes = WORDS(scope_names);
const struct fhir_words fhir_decisions = WORDS(decision_names);
const struct fhir_words fhir_modes = WORDS(mode_names);
const struct fhir_words fhir_meanings = WORDS(meaning_names);

uint32_t fhir_word_number(const struct fhir_words *words, const char *name)
{
    for (uint32_t i = 1; name != NULL && i < words->count; i++) {
        if (strcmp(words->names[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

const char *fhir_word(const struct fhir_words *words, uint32_t number)
{
    return number < words->count ? words->names[number] : NULL;
}

bool fhir_may_act(const char *type)
{
    static const char *const types[] = {"",
                                        "Device",
                                        "Group",
                                        "CareTeam",
                                        "Organization",
                                        "Patient",
                                        "Practitioner",
                                        "RelatedPerson",
                                        "PractitionerRole"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}
