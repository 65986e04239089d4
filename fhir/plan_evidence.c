/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_EVIDENCE and CONSENT_REVOKE, and what a consent's name means. */
#include "fhir/plan_consent.h"

#include <string.h>

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "vault/sealed.h"

/* ---- versions ------------------------------------------------------------ */

bool plan_find_version(struct planner *planner, struct vault_consent *out,
                       bool *found)
{
    const char *name = planner_item_name(planner);
    enum pbft_status status =
        name == NULL ? PBFT_NO_MEMORY
                     : vault_find_consent(planner->options->vault, out, name);

    *found = status == PBFT_OK;
    return status == PBFT_NOT_FOUND || planner_check(planner, status);
}

bool plan_still_stands(const struct planner *planner,
                       const struct vault_consent *consent)
{
    return consent->kind == VAULT_GRANT &&
           (consent->period_to_ms == 0 ||
            consent->period_to_ms > planner->options->now_ms);
}

bool plan_keep_consent(struct planner *planner,
                       const struct vault_consent *entry, const char *name)
{
    const struct fhir_plan_options *options = planner->options;

    if (name == NULL || !planner_is_sound(planner)) {
        return false;
    }
    if (options->rehearse) {
        return true;
    }
    return planner_check(planner,
                         vault_set_consent(options->vault, name, entry)) &&
           planner_check(planner,
                         vault_sealed_write(options->vault, NULL, NULL,
                                            &options->envelope.chain, entry->id,
                                            entry->data_key,
                                            fhir_item_bytes(planner->item)));
}

/* ---- the signed form ------------------------------------------------------
 */

/* The signed form: the document that the source names, as it was anchored. */
void plan_commit_form(struct planner *planner, struct pbft_digest *out,
                      const struct vault_consent *entry)
{
    const struct fhir_reference *source = &planner->item->consent.source;
    const struct pbft_digest *chain = &planner->options->envelope.chain;
    struct vault *vault = planner->options->vault;
    struct pbft_bytes received = fhir_item_bytes(planner->item);
    struct vault_record record;
    struct vault_blob content;

    enum pbft_status status =
        source->name == NULL ? PBFT_NOT_FOUND
                             : vault_find_record(vault, &record, source->name);
    if (status == PBFT_NOT_FOUND &&
        (source->name == NULL || planner->options->register_unknown)) {
        /* Also for trials: the consent itself stands for its form. */
        commit_sha256(out, COMMIT_DOMAIN_EVIDENCE, entry->evidence_salt,
                      received);
        return;
    }
    if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_UNRESOLVED, source->path);
        return;
    }
    if (!planner_check(planner, status) ||
        !planner_check(planner,
                       vault_sealed_read(vault, &content, chain, record.id,
                                         record.data_key))) {
        return;
    }
    commit_sha256(out, COMMIT_DOMAIN_EVIDENCE, entry->evidence_salt,
                  (struct pbft_bytes){content.data, content.size});
    vault_blob_free(&content);
    secret_wipe(&record, sizeof record);
}

/* ---- evidence only, withdrawals ------------------------------------------ */

void plan_evidence(struct planner *planner, const struct vault_subject *subject)
{
    struct vault_consent previous;
    struct vault_consent entry;
    struct pbft_digest evidence;
    char own_name[VAULT_OWN_NAME_SIZE];
    bool has_previous = false;

    if (!plan_find_version(planner, &previous, &has_previous)) {
        return;
    }
    vault_draw_consent(&entry);
    entry.kind = VAULT_EVIDENCE;
    memcpy(entry.subject, subject->handle, sizeof entry.subject);
    commit_sha256(&evidence, COMMIT_DOMAIN_EVIDENCE, entry.evidence_salt,
                  fhir_item_bytes(planner->item));
    /* A grant that stands keeps the name: nothing has ended it yet. */
    vault_own_name(own_name, entry.id);
    bool is_beside = has_previous && plan_still_stands(planner, &previous);
    if (!plan_keep_consent(planner, &entry,
                           is_beside ? own_name : planner_item_name(planner))) {
        return;
    }
    struct transaction transaction = {
        .type = TRANSACTION_CONSENT_EVIDENCE,
        .consent_evidence = {
            .consent = {entry.id, sizeof entry.id},
            .subject = {subject->handle, sizeof subject->handle},
            .evidence_commit = {evidence.bytes, sizeof evidence.bytes},
            .reason = planner->item->report.evidence_reason}};
    (void)planner_add_version(planner, &transaction, VAULT_CONSENT, entry.id,
                              has_previous && !is_beside ? previous.id : NULL);
    secret_wipe(&previous, sizeof previous);
    secret_wipe(&entry, sizeof entry);
}

void plan_withdrawal(struct planner *planner,
                     const struct vault_subject *subject)
{
    struct vault_consent known;
    char own_name[VAULT_OWN_NAME_SIZE];
    bool found = false;

    if (!plan_find_version(planner, &known, &found)) {
        return;
    }
    if (!found ||
        memcmp(known.subject, subject->handle, sizeof known.subject) != 0) {
        planner_find(planner, FHIR_NOT_ON_LEDGER, "id");
        return;
    }
    if (known.kind == VAULT_EVIDENCE) {
        planner_find(planner, FHIR_ONLY_EVIDENCE, "id");
        return;
    }
    if (known.kind == VAULT_WITHDRAWN) {
        return; /* Done before. */
    }
    struct transaction transaction = {
        .type = TRANSACTION_CONSENT_REVOKE,
        .consent_revoke = {.consent = {known.id, sizeof known.id},
                           .reason = CODES_REASON_WITHDRAWN_BY_SUBJECT,
                           .revoked_at_ms = planner->options->now_ms}};
    vault_own_name(own_name, known.id);
    if (planner_add_row(planner, &transaction, VAULT_CONSENT, own_name)) {
        planner->out->steps[planner->out->step_count - 1].ends = true;
    }
}
