/* SPDX-License-Identifier: Apache-2.0 */
/* Provenance has no transaction: its targets must be known, and it stays. */
#include <string.h>

#include "fhir/planner.h"

/* Is there anything of that name? */
static bool is_in_vault(struct planner *planner, const char *name)
{
    static const enum vault_kind kinds[] = {VAULT_RECORD,  VAULT_CONSENT,
                                            VAULT_EVENT,   VAULT_CONTEXT,
                                            VAULT_SUBJECT, VAULT_PARTICIPANT};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vault_blob blob;
        enum pbft_status status =
            vault_get(planner->options->vault, &blob, kinds[i],
                      (struct pbft_bytes){(const uint8_t *)name, strlen(name)});
        vault_blob_free(&blob);
        if (status != PBFT_NOT_FOUND) {
            return planner_check(planner, status);
        }
    }
    return false;
}

void plan_provenance(struct planner *planner)
{
    const struct fhir_provenance *provenance = &planner->item->provenance;

    for (size_t i = 0; i < provenance->target_count; i++) {
        const struct fhir_reference *target = &provenance->targets[i];
        if (!is_in_vault(planner, target->name) && planner->status == PBFT_OK) {
            planner_find(planner, FHIR_UNRESOLVED, target->path);
        }
    }
}
