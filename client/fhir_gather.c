/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions by the vault's journal, in order, each once. */
#include "client/fhir_gather.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/export.h"
#include "vault/events.h"
#include "vault/journal.h"

void fhir_gather_free(struct fhir_gather *gather)
{
    free(gather->items);
    gather->items = NULL;
    gather->count = 0;
    gather->capacity = 0;
}

enum pbft_status fhir_gather_add(struct fhir_gather *gather,
                                 const struct fhir_wanted *wanted)
{
    if (gather->count == gather->capacity) {
        size_t capacity = gather->capacity == 0 ? 64 : 2 * gather->capacity;
        struct fhir_wanted *items =
            realloc(gather->items, capacity * sizeof *items);
        if (items == NULL) {
            return PBFT_NO_MEMORY;
        }
        gather->items = items;
        gather->capacity = capacity;
    }
    gather->items[gather->count++] = *wanted;
    return PBFT_OK;
}

/* ---- the journal --------------------------------------------------------- */

/* Whose it is; false: the vault has forgotten it. */
static bool subject_of(struct vault *vault, const struct vault_step *step,
                       uint8_t out[VAULT_HANDLE_SIZE])
{
    struct vault_record record;
    struct vault_consent consent;
    struct vault_event event;
    bool found = false;

    if (step->kind == VAULT_RECORD &&
        vault_find_record(vault, &record, step->row) == PBFT_OK) {
        memcpy(out, record.subject, VAULT_HANDLE_SIZE);
        secret_wipe(&record, sizeof record);
        found = true;
    } else if (step->kind == VAULT_CONSENT &&
               vault_find_consent(vault, &consent, step->row) == PBFT_OK) {
        memcpy(out, consent.subject, VAULT_HANDLE_SIZE);
        secret_wipe(&consent, sizeof consent);
        found = true;
    } else if (step->kind == VAULT_EVENT &&
               vault_find_event(vault, &event, NULL, step->row) == PBFT_OK) {
        memcpy(out, event.subject, VAULT_HANDLE_SIZE);
        secret_wipe(&event, sizeof event);
        found = true;
    }
    return found;
}

static bool is_wanted(const struct fhir_gather *gather,
                      const struct vault_step *step)
{
    uint8_t subject[VAULT_HANDLE_SIZE];
    char own_name[VAULT_OWN_NAME_SIZE];

    if (step->code != 0 || step->row == NULL ||
        !fhir_export_knows((enum transaction_type)step->type) ||
        !subject_of(gather->vault, step, subject)) {
        return false;
    }
    if (gather->has_consent) {
        vault_own_name(own_name, gather->consent);
        return step->kind == VAULT_CONSENT && strcmp(step->row, own_name) == 0;
    }
    return !gather->has_subject ||
           memcmp(subject, gather->subject, sizeof subject) == 0;
}

/* A document that an import retracted. */
static bool has_ended(const struct fhir_gather *gather,
                      const struct vault_step *step)
{
    struct vault_record record;
    bool ended =
        step->kind == VAULT_RECORD &&
        vault_find_record(gather->vault, &record, step->row) == PBFT_OK &&
        record.ended;

    secret_wipe(&record, sizeof record);
    return ended;
}

static enum pbft_status add_step(struct fhir_gather *gather,
                                 const struct vault_journal *entry,
                                 const struct vault_step *step)
{
    struct fhir_wanted wanted = {.type = (enum transaction_type)step->type,
                                 .tx_id = step->tx_id,
                                 .seq = step->seq,
                                 .has_entry = true};

    memcpy(wanted.entry, entry->key, sizeof wanted.entry);
    if (!is_wanted(gather, step)) {
        return PBFT_OK;
    }
    if (has_ended(gather, step)) {
        gather->retracted++;
        return PBFT_OK;
    }
    if (step->kind == VAULT_CONSENT && step->row[0] == '#' &&
        hex_decode(wanted.consent, sizeof wanted.consent, step->row + 1) !=
            PBFT_OK) {
        return PBFT_CORRUPT;
    }
    return fhir_gather_add(gather, &wanted);
}

static enum pbft_status read_entry(struct fhir_gather *gather,
                                   struct vault_journal *entry, int64_t id)
{
    enum pbft_status status = vault_journal_get_id(gather->vault, entry, id);

    if (status != PBFT_OK) {
        return status;
    }
    for (uint32_t i = 0; i < entry->step_count && status == PBFT_OK; i++) {
        status = add_step(gather, entry, &entry->steps[i]);
    }
    vault_journal_free(entry);
    return status;
}

static enum pbft_status read_journal(struct fhir_gather *gather)
{
    uint64_t count = 0;
    size_t listed = 0;
    enum pbft_status status =
        vault_count(gather->vault, &count, VAULT_JOURNAL, VAULT_PLAIN);

    if (status != PBFT_OK) {
        return status;
    }
    int64_t *ids = calloc((size_t)count + 1, sizeof *ids);
    struct vault_journal *entry = calloc(1, sizeof *entry);
    status = ids == NULL || entry == NULL
                 ? PBFT_NO_MEMORY
                 : vault_list(gather->vault, ids, (size_t)count, &listed,
                              VAULT_JOURNAL, VAULT_PLAIN);
    for (size_t i = 0; i < listed && status == PBFT_OK; i++) {
        status = read_entry(gather, entry, ids[i]);
    }
    free(entry);
    free(ids);
    return status;
}

/* ---- what became of consents ------------------------------------------- */

static enum pbft_status judge_consents(struct fhir_gather *gather,
                                       struct salus_reason *reason)
{
    size_t kept = 0;
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; i < gather->count && status == PBFT_OK; i++) {
        struct fhir_wanted *wanted = &gather->items[i];
        bool superseded = false;
        if (wanted->type == TRANSACTION_CONSENT_GRANT) {
            status = fhir_gather_status(gather, wanted, &superseded, reason);
        }
        /* One that is asked for by its id is shown, whatever it is. */
        if (superseded && !gather->has_consent) {
            gather->superseded++;
        } else {
            gather->items[kept++] = *wanted;
        }
    }
    gather->count = kept;
    return status;
}

/* ---- order --------------------------------------------------------------- */

static int rank_of(enum transaction_type type)
{
    return type == TRANSACTION_RECORD_ANCHOR ? 0
           : type == TRANSACTION_CONSENT_GRANT ||
                   type == TRANSACTION_CONSENT_EVIDENCE
               ? 1
           : type == TRANSACTION_ACCESS_REQUEST ? 2
                                                : 3;
}

static int compare(const void *left, const void *right)
{
    const struct fhir_wanted *a = left;
    const struct fhir_wanted *b = right;
    int rank = rank_of(a->type) - rank_of(b->type);

    if (rank != 0) {
        return rank;
    }
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    int order = memcmp(a->tx_id.bytes, b->tx_id.bytes, sizeof a->tx_id.bytes);
    /* Decisions are named by their requests alone. */
    return order != 0 || !a->by_request
               ? order
               : memcmp(a->consent, b->consent, sizeof a->consent);
}

static void sort(struct fhir_gather *gather)
{
    size_t kept = 0;

    if (gather->count == 0) {
        return;
    }
    qsort(gather->items, gather->count, sizeof *gather->items, compare);
    for (size_t i = 1; i < gather->count; i++) {
        if (compare(&gather->items[kept], &gather->items[i]) != 0) {
            gather->items[++kept] = gather->items[i];
        } else if (gather->items[i].has_entry) {
            gather->items[kept] = gather->items[i];
        }
    }
    gather->count = kept + 1;
}

enum pbft_status fhir_gather_run(struct fhir_gather *gather,
                                 struct salus_reason *reason)
{
    enum pbft_status status = read_journal(gather);

    if (status != PBFT_OK) {
        salus_reason_set(reason, "the vault's journal cannot be read: %s",
                         pbft_status_text(status));
        return status;
    }
    if (gather->has_consent || gather->has_subject) {
        status = fhir_gather_consents(gather, reason);
    }
    if (status == PBFT_OK && gather->has_subject && !gather->has_consent) {
        status = fhir_gather_disclosures(gather, reason);
    }
    if (status == PBFT_OK && gather->has_subject && !gather->has_consent) {
        status = fhir_gather_decisions(gather, reason);
    }
    if (status == PBFT_OK) {
        sort(gather);
        status = judge_consents(gather, reason);
    }
    return status;
}
