/* SPDX-License-Identifier: Apache-2.0 */
/* Encounters and other data of a patient, which documents and consents name:
 * each has a random id in the vault, and no transaction. */
#include <string.h>

#include "crypto/secret.h"
#include "fhir/plan_party.h"

/* `*out` is NULL if nobody says whose it is. False: a finding or failure was
 * noted. A trial registers nobody for that. */
static bool find_patient(struct planner *planner, struct vault_subject *subject,
                         const uint8_t **out)
{
    const struct fhir_reference *patient = &planner->item->party.patient;

    *out = NULL;
    if (patient->name == NULL) {
        return true;
    }
    enum pbft_status status =
        planner_find_subject(planner, subject, patient->name);
    if (status == PBFT_NOT_FOUND) {
        if (!planner->options->register_unknown) {
            planner_find(planner, FHIR_UNRESOLVED, patient->path);
        }
        return planner->options->register_unknown;
    }
    *out = subject->handle;
    return planner_check(planner, status);
}

void plan_context(struct planner *planner)
{
    struct vault *vault = planner->options->vault;
    const struct plan_names names = plan_names_of(planner->item);
    const uint8_t *handle = NULL;
    struct vault_subject subject;
    struct vault_context context;

    if (!find_patient(planner, &subject, &handle)) {
        return;
    }
    bool is_new = plan_is_new(planner, VAULT_CONTEXT, &names);
    if (planner_is_sound(planner) &&
        planner_check(planner, vault_set_context(vault, &context,
                                                 names.items[0], handle)) &&
        is_new) {
        plan_alias_all(planner, VAULT_CONTEXT, &names, names.items[0]);
    }
    secret_wipe(&subject, sizeof subject);
}
