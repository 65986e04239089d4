/* SPDX-License-Identifier: Apache-2.0 */
/* References to documents, encounters and other data. */
#include <string.h>

#include "crypto/secret.h"
#include "fhir/ledger_name.h"
#include "fhir/planner.h"

static void take_id(struct planner_data *out, const uint8_t id[VAULT_ID_SIZE])
{
    memcpy(out->id, id, sizeof out->id);
    memcpy(out->first, id, sizeof out->first);
    memcpy(out->root, id, sizeof out->root);
}

/* A rehearsal is about what the transaction says: it adds nothing. */
static void take_record(const struct planner *planner, struct planner_data *out,
                        const struct vault_record *record)
{
    out->is_document = true;
    memcpy(out->id, record->id, sizeof out->id);
    memcpy(out->first, record->first, sizeof out->first);
    memcpy(out->root, planner->options->rehearse ? record->first : record->root,
           sizeof out->root);
}

/* One that the vault does not know is what it says. */
static bool take_ledger_data(struct planner *planner, struct planner_data *out,
                             const struct fhir_ledger_name *id)
{
    char own_name[VAULT_OWN_NAME_SIZE];
    struct vault_record record;

    out->is_version = true;
    take_id(out, id->id);
    if (planner->options->rehearse) {
        return true;
    }
    vault_own_name(own_name, id->id);
    enum pbft_status status =
        vault_find_record(planner->options->vault, &record, own_name);
    if (status == PBFT_OK) {
        take_record(planner, out, &record);
        secret_wipe(&record, sizeof record);
    }
    return status == PBFT_NOT_FOUND || planner_check(planner, status);
}

static bool take_context(struct planner *planner, struct planner_data *out,
                         const struct fhir_reference *reference)
{
    struct vault *vault = planner->options->vault;
    struct vault_context context;
    enum pbft_status status =
        vault_find_context(vault, &context, reference->name);

    if (status == PBFT_NOT_FOUND && planner_may_register(planner, reference)) {
        status = vault_set_context(vault, &context, reference->name, NULL);
    }
    if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_UNRESOLVED, reference->path);
        return false;
    }
    take_id(out, context.id);
    return planner_check(planner, status);
}

bool planner_data(struct planner *planner, struct planner_data *out,
                  const struct fhir_reference *reference)
{
    struct vault_record record;
    struct fhir_ledger_name id;

    memset(out, 0, sizeof *out);
    if (planner_ledger_name(planner, &id, reference->name)) {
        if (id.kind != FHIR_LEDGER_DATA) {
            planner_find(planner, FHIR_REFERENCE_TYPE, reference->path);
            return false;
        }
        return take_ledger_data(planner, out, &id);
    }
    enum pbft_status status =
        vault_find_record(planner->options->vault, &record, reference->name);
    if (status == PBFT_NOT_FOUND) {
        return take_context(planner, out, reference);
    }
    if (status == PBFT_OK) {
        take_record(planner, out, &record);
        secret_wipe(&record, sizeof record);
    }
    return planner_check(planner, status);
}
