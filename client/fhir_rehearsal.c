/* SPDX-License-Identifier: Apache-2.0 */
/* A vault in a new folder for temporary files, removed with all that is in it.
 */
#include "client/fhir_rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/import.h"
#include "client/replicas.h"
#include "client/tool_clock.h"
#include "crypto/keyfile.h"
#include "ledger/codes.h"
#include "vault/vault.h"

struct fhir_rehearsal {
    char folder[VAULT_PATH_MAX];
    struct vault *vault;
    struct fhir_plan_options plan;
};

void fhir_rehearsal_end(struct fhir_rehearsal *rehearsal)
{
    if (rehearsal == NULL) {
        return;
    }
    vault_close(rehearsal->vault); /* Rolls back. */
    if (rehearsal->folder[0] != 0) {
        replicas_remove_folder(rehearsal->folder);
    }
    free(rehearsal);
}

/* The vault lies in a folder of its own: it makes its folder itself. */
static enum pbft_status make_vault(struct fhir_rehearsal *rehearsal,
                                   struct salus_reason *reason)
{
    const char *base = getenv("TMPDIR");
    char path[VAULT_PATH_MAX + sizeof "/vault"];
    int size =
        snprintf(rehearsal->folder, sizeof rehearsal->folder,
                 "%s/salus-dry-run-XXXXXX", base != NULL ? base : "/tmp");

    if (size < 0 || (size_t)size >= sizeof rehearsal->folder ||
        mkdtemp(rehearsal->folder) == NULL) {
        rehearsal->folder[0] = 0;
        salus_reason_set(reason, "no folder for temporary files can be made");
        return PBFT_IO;
    }
    (void)snprintf(path, sizeof path, "%s/vault", rehearsal->folder);
    enum pbft_status status = vault_create(path, reason);
    if (status == PBFT_OK) {
        status = vault_open(&rehearsal->vault, path, reason);
    }
    return status == PBFT_OK ? vault_begin(rehearsal->vault) : status;
}

static void fill_plan(struct fhir_rehearsal *rehearsal,
                      const struct fhir_plan_options *options)
{
    struct fhir_plan_options *plan = &rehearsal->plan;
    const struct pbft_institution nobody = {{0}};
    struct keyfile key;

    *plan = *options;
    plan->vault = rehearsal->vault;
    plan->register_unknown = true;
    plan->now_ms = tool_wall_ms();
    plan->envelope.not_after_ms = plan->now_ms + IMPORT_VALID_MS;
    plan->envelope.table_version = CODES_VERSION;
    keyfile_generate(&key, KEYFILE_ENCRYPTION, &nobody);
    memcpy(plan->custodian_key, key.public_key.bytes,
           sizeof plan->custodian_key);
    keyfile_wipe(&key);
}

enum pbft_status fhir_rehearsal_begin(struct fhir_rehearsal **out,
                                      const struct fhir_plan_options *options,
                                      struct salus_reason *reason)
{
    struct fhir_rehearsal *rehearsal = calloc(1, sizeof *rehearsal);

    *out = NULL;
    if (rehearsal == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = make_vault(rehearsal, reason);
    if (status != PBFT_OK) {
        fhir_rehearsal_end(rehearsal);
        return status;
    }
    fill_plan(rehearsal, options);
    *out = rehearsal;
    return PBFT_OK;
}

enum pbft_status fhir_rehearsal_plan(struct fhir_rehearsal *rehearsal,
                                     struct vault_journal *out,
                                     struct fhir_item *item)
{
    return fhir_plan(out, item, &rehearsal->plan);
}
