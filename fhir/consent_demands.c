/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a Consent must say together: times, a research purpose,
 * named recipients. */
#include "fhir/consent.h"
#include "vault/purposes.h"

bool fhir_states_nothing(const struct fhir_node *provision)
{
    static const char *const fields[] = {"actor", "action",     "securityLabel",
                                         "class", "dataPeriod", "purpose",
                                         "code",  "data"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fhir_field(provision, fields[i]).json != NULL) {
            return false;
        }
    }
    return true;
}

static void check_times(const struct fhir_reader *reader,
                        const struct fhir_consent *consent,
                        const struct fhir_node *resource)
{
    struct fhir_node provision = fhir_field(resource, "provision");
    struct fhir_node period = fhir_field(&provision, "period");
    struct fhir_node given = fhir_field(resource, "dateTime");

    if (consent->has_given && consent->given.from <= 0) {
        fhir_find(reader->report, FHIR_EARLY_DATE, &given, NULL);
    }
    if (consent->period.has_to && consent->period.to <= 0) {
        fhir_find(reader->report, FHIR_EARLY_DATE, &period, NULL);
    }
    if (consent->has_given && consent->period.has_to &&
        !consent->period.has_from &&
        consent->period.to <= consent->given.from) {
        fhir_find(reader->report, FHIR_OVER_BEFORE, &period, NULL);
    }
}

uint32_t fhir_purpose_id(const struct fhir_reader *reader,
                         const struct fhir_coding *coding)
{
    const struct codes_entry *entry =
        codes_find(CODES_PURPOSE, coding->system, coding->code);

    if (entry != NULL) {
        return entry->id;
    }
    const struct vault_purpose *published =
        vault_purposes_find(reader->purposes, coding->system, coding->code);
    return published != NULL ? published->id : 0;
}

/* Of what was published it is not known here. */
static bool names_research(const struct fhir_selector *selector)
{
    for (size_t i = 0; i < selector->purpose_count; i++) {
        const struct codes_entry *entry =
            codes_by_id(CODES_PURPOSE, selector->purposes[i]);
        if (entry != NULL && (entry->flags & CODES_RESEARCH) != 0) {
            return true;
        }
    }
    return false;
}

/* The ledger's rule: a research consent names a research purpose somewhere, or
 * denies everything. */
static void check_research(const struct fhir_reader *reader,
                           const struct fhir_consent *consent,
                           const struct fhir_node *provision)
{
    const struct fhir_selector *root = consent->root;
    struct fhir_node purpose = fhir_field(provision, "purpose");
    bool denies_all = root->decision == TRANSACTION_DENY &&
                      root->purpose_count == 0 && !root->purpose_unknown;

    if (consent->scope != TRANSACTION_SCOPE_RESEARCH || denies_all ||
        names_research(root)) {
        return;
    }
    for (size_t i = 0; i < consent->exception_count; i++) {
        if (names_research(&consent->exceptions[i])) {
            return;
        }
    }
    fhir_find(reader->report, FHIR_RESEARCH_PURPOSE, &purpose, NULL);
}

/* The ledger's rule: each permit names recipients, or inherits them. */
static void check_recipients(const struct fhir_reader *reader,
                             const struct fhir_consent *consent,
                             const struct fhir_node *provision)
{
    const struct fhir_selector *root = consent->root;
    const struct codes_entry *category =
        codes_by_id(CODES_CATEGORY, consent->category);
    struct fhir_node actor = fhir_field(provision, "actor");
    bool is_open = root->decision == TRANSACTION_PERMIT;

    if (category == NULL || (category->flags & CODES_NAMED_RECIPIENT) == 0 ||
        root->actor_count > 0) {
        return;
    }
    for (size_t i = 0; i < consent->exception_count; i++) {
        const struct fhir_selector *exception = &consent->exceptions[i];
        is_open = is_open || (exception->decision == TRANSACTION_PERMIT &&
                              exception->actor_count == 0);
    }
    if (is_open) {
        fhir_find(reader->report, FHIR_RECIPIENT, &actor, NULL);
    }
}

void fhir_consent_check(const struct fhir_reader *reader,
                        const struct fhir_consent *consent,
                        const struct fhir_node *resource)
{
    struct fhir_node provision = fhir_field(resource, "provision");

    check_times(reader, consent, resource);
    if (consent->root != NULL) {
        check_research(reader, consent, &provision);
        check_recipients(reader, consent, &provision);
    }
}
