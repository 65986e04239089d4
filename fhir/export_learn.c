/* SPDX-License-Identifier: Apache-2.0 */
/* What an imported Consent calls those whom it names: institutions, data and
 * others that are not in the vault's journal. */
#include "fhir/exporting.h"

static void learn_participant(struct exporting *exporting,
                              const struct fhir_reference *reference)
{
    struct vault *vault = exporting->exporter->options.vault;
    struct vault_participant found;

    if (reference->name == NULL ||
        vault_find_participant(vault, &found, reference->name) != PBFT_OK) {
        return;
    }
    export_learn(exporting,
                 found.kind == VAULT_IS_INSTITUTION ? FHIR_LEDGER_INSTITUTION
                 : found.kind == TRANSACTION_GROUP  ? FHIR_LEDGER_GROUP
                                                    : FHIR_LEDGER_PARTICIPANT,
                 found.id, reference->name);
}

static void learn_data(struct exporting *exporting,
                       const struct fhir_reference *reference)
{
    struct vault *vault = exporting->exporter->options.vault;
    struct vault_context context;

    /* Records are in the journal. */
    if (reference->name != NULL &&
        vault_find_context(vault, &context, reference->name) == PBFT_OK) {
        export_learn(exporting, FHIR_LEDGER_DATA, context.id, reference->name);
    }
}

static void learn_selector(struct exporting *exporting,
                           const struct fhir_selector *selector)
{
    for (size_t i = 0; i < selector->actor_count; i++) {
        learn_participant(exporting, &selector->actors[i]);
    }
    for (size_t i = 0; i < selector->data_count; i++) {
        learn_participant(exporting, &selector->data[i].reference);
        learn_data(exporting, &selector->data[i].reference);
    }
}

void export_learn_consent(struct exporting *exporting,
                          const struct fhir_consent *consent)
{
    if (consent->root != NULL) {
        learn_selector(exporting, consent->root);
    }
    for (size_t i = 0; i < consent->exception_count; i++) {
        learn_selector(exporting, &consent->exceptions[i]);
    }
    learn_participant(exporting, &consent->delegate);
    for (size_t i = 0; i < consent->organization_count; i++) {
        learn_participant(exporting, &consent->organizations[i]);
    }
}
