/* SPDX-License-Identifier: Apache-2.0 */
/* Provenance has no transaction: its targets must be known, its signatures
 * right, and it stays. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "fhir/planner.h"
#include "vault/events.h"
#include "vault/sealed.h"

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

/* ---- signatures ---------------------------------------------------------- */

/* What was received under that name, of consents and events: other resources
 * are not kept as they came. */
static enum pbft_status load_target(struct planner *planner,
                                    struct vault_blob *out, const char *name)
{
    const struct fhir_plan_options *options = planner->options;
    struct vault_consent consent;
    struct vault_event event;
    enum pbft_status status =
        vault_find_consent(options->vault, &consent, name);

    if (status == PBFT_OK) {
        status =
            vault_sealed_read(options->vault, out, &options->envelope.chain,
                              consent.id, consent.data_key);
        secret_wipe(&consent, sizeof consent);
        return status;
    }
    return status == PBFT_NOT_FOUND
               ? vault_find_event(options->vault, &event, out, name)
               : status;
}

static const struct signer_key *key_of(const struct planner *planner,
                                       const struct fhir_reference *who)
{
    const struct fhir_plan_options *options = planner->options;

    for (size_t i = 0; who->said != NULL && i < options->signer_count; i++) {
        if (strcmp(options->signers[i].reference, who->said) == 0) {
            return options->signers[i].key;
        }
    }
    return NULL;
}

static void judge_signature(struct planner *planner,
                            const struct fhir_signature *signature,
                            const struct signer_key *key,
                            struct pbft_bytes target)
{
    char *text = fhir_canonical_text(target, signature->canonical);

    if (text == NULL) {
        planner_find(planner, FHIR_SIGNATURE_UNVERIFIED, signature->path);
        return;
    }
    enum pbft_status status = fhir_jws_verify(
        &signature->jws, key,
        (struct pbft_bytes){(const uint8_t *)text, strlen(text)});
    free(text);
    if (status == PBFT_NO_MEMORY) {
        (void)planner_check(planner, status);
    } else if (status == PBFT_INVALID_ARGUMENT) {
        planner_find(planner, FHIR_SIGNATURE_ALGORITHM, signature->path);
    } else if (status != PBFT_OK) {
        planner_find(planner, FHIR_SIGNATURE_WRONG, signature->path);
    } else if (!signer_key_is_valid_at(key, signature->when_s)) {
        planner_find(planner, FHIR_SIGNATURE_EXPIRED, signature->path);
    } else {
        planner_find(planner, FHIR_SIGNATURE_VERIFIED, signature->path);
    }
}

/* Which bytes several targets together are is not said anywhere. */
static void check_signature(struct planner *planner,
                            const struct fhir_signature *signature)
{
    const struct fhir_provenance *provenance = &planner->item->provenance;
    const struct signer_key *key = key_of(planner, &signature->who);
    struct vault_blob target = {NULL, 0};

    if (!signature->can_be_checked) {
        return;
    }
    enum pbft_status status = PBFT_NOT_FOUND;
    if (key != NULL && provenance->target_count == 1) {
        status = load_target(planner, &target, provenance->targets[0].name);
    }
    if (status == PBFT_OK) {
        judge_signature(planner, signature, key,
                        (struct pbft_bytes){target.data, target.size});
    } else if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_SIGNATURE_UNVERIFIED, signature->path);
    } else {
        (void)planner_check(planner, status);
    }
    vault_blob_free(&target);
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
    for (size_t i = 0;
         i < provenance->signature_count && planner->status == PBFT_OK; i++) {
        check_signature(planner, &provenance->signatures[i]);
    }
}
