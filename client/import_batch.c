/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: plans become durable, then are submitted, then settled. */
#include "client/import_batch.h"

#include <stdlib.h>
#include <string.h>

/* A resource of the batch. */
struct slot {
    const char *file;
    struct fhir_item *item; /* Owned. */
    enum import_outcome outcome;
    struct vault_journal *journal; /* Owned; NULL: nothing to submit. */
    struct vault_step last;        /* Known: what was submitted before. */
};

struct import_batch {
    struct import_session *session;
    struct slot slots[IMPORT_BATCH_ITEMS];
    size_t count;
    size_t transactions;
    size_t bytes;
    bool begun;
};

enum pbft_status import_batch_begin(struct import_batch **out,
                                    struct import_session *session)
{
    struct import_batch *batch = calloc(1, sizeof *batch);

    *out = batch;
    if (batch == NULL) {
        return PBFT_NO_MEMORY;
    }
    batch->session = session;
    enum pbft_status status = vault_begin(session->plan.vault);
    batch->begun = status == PBFT_OK;
    return status;
}

bool import_batch_is_full(const struct import_batch *batch)
{
    return batch->count == IMPORT_BATCH_ITEMS ||
           batch->transactions >= IMPORT_BATCH_TRANSACTIONS ||
           batch->bytes >= IMPORT_BATCH_BYTES;
}

void import_batch_end(struct import_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    if (batch->begun) {
        vault_rollback(batch->session->plan.vault);
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct slot *slot = &batch->slots[i];
        fhir_item_free(slot->item);
        if (slot->journal != NULL) {
            vault_journal_free(slot->journal);
            free(slot->journal);
        }
    }
    free(batch);
}

/* ---- planning ------------------------------------------------------------ */

/* The same resource, byte for byte, was imported before, or is in this batch.
 */
static enum pbft_status find_known(struct import_batch *batch,
                                   struct slot *slot, bool *known)
{
    const struct fhir_plan_options *plan = &batch->session->plan;
    uint8_t key[32];

    fhir_plan_key(key, slot->item, &plan->envelope.chain);
    struct vault_journal *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = vault_journal_find(plan->vault, entry, key);
    *known = status == PBFT_OK;
    if (*known && entry->step_count > 0) {
        slot->last = entry->steps[entry->step_count - 1];
        slot->last.body = NULL;
        slot->last.row = NULL;
        slot->last.name = NULL;
        slot->last.previous = NULL;
    }
    vault_journal_free(entry);
    free(entry);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

static enum import_outcome without_steps(const struct fhir_item *item)
{
    switch (fhir_item_class(item)) {
    case FHIR_REJECT:
        return IMPORT_REJECTED;
    case FHIR_LOCAL:
        return IMPORT_LOCAL;
    case FHIR_ENFORCEABLE:
    case FHIR_EVIDENCE_ONLY:
        break;
    }
    return IMPORT_KNOWN;
}

static enum pbft_status plan_slot(struct import_batch *batch, struct slot *slot)
{
    const struct fhir_plan_options *plan = &batch->session->plan;
    struct vault_journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = fhir_plan(journal, slot->item, plan);
    if (status != PBFT_OK || journal->step_count == 0) {
        slot->outcome = without_steps(slot->item);
        vault_journal_free(journal);
        free(journal);
        return status;
    }
    slot->journal = journal;
    slot->outcome = IMPORT_OPEN;
    for (uint32_t i = 0; i < journal->step_count; i++) {
        batch->bytes += journal->steps[i].size;
    }
    batch->transactions += journal->step_count;
    return vault_journal_store(plan->vault, journal);
}

bool import_batch_must_wait(const struct import_batch *batch,
                            const struct fhir_item *item)
{
    const char *name = fhir_item_name(item);

    for (size_t i = 0; name != NULL && i < batch->count; i++) {
        const struct slot *slot = &batch->slots[i];
        const char *other = fhir_item_name(slot->item);
        if (slot->journal != NULL && other != NULL &&
            strcmp(name, other) == 0) {
            return true;
        }
    }
    return false;
}

enum pbft_status import_batch_add(struct import_batch *batch, const char *file,
                                  struct fhir_item *item)
{
    struct slot *slot = &batch->slots[batch->count++];
    bool known = false;

    *slot = (struct slot){.file = file, .item = item};
    if (fhir_item_class(item) == FHIR_REJECT) {
        slot->outcome = IMPORT_REJECTED;
        return PBFT_OK;
    }
    enum pbft_status status = find_known(batch, slot, &known);
    if (status != PBFT_OK) {
        return status;
    }
    if (known) {
        slot->outcome = IMPORT_KNOWN;
        return PBFT_OK;
    }
    return plan_slot(batch, slot);
}

/* ---- reporting ----------------------------------------------------------- */

static uint32_t first_refusal(const struct vault_journal *journal)
{
    for (uint32_t i = 0; i < journal->step_count; i++) {
        if (journal->steps[i].code != 0) {
            return journal->steps[i].code;
        }
    }
    return 0;
}

static void report(struct import_batch *batch, const struct slot *slot)
{
    struct import_session *session = batch->session;
    const struct vault_journal *journal = slot->journal;
    struct import_event event = {.file = slot->file,
                                 .item = slot->item,
                                 .class_of = fhir_item_class(slot->item),
                                 .outcome = slot->outcome,
                                 .steps = journal,
                                 .number = ++session->number,
                                 .total = session->total};
    const struct vault_step *last = &slot->last;

    if (journal != NULL) {
        last = &journal->steps[journal->step_count - 1];
        event.code = first_refusal(journal);
    }
    memcpy(event.tx_id, last->tx_id.bytes, sizeof event.tx_id);
    event.type = last->type;
    event.seq = last->seq;
    session->summary->classes[event.class_of]++;
    session->summary->outcomes[event.outcome]++;
    if (session->progress != NULL) {
        session->progress(session->context, &event);
    }
}

/* ---- submitting ---------------------------------------------------------- */

static size_t gather(struct import_batch *batch, struct vault_journal **entries)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->slots[i].journal != NULL) {
            entries[count++] = batch->slots[i].journal;
        }
    }
    return count;
}

static void note_results(struct import_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct slot *slot = &batch->slots[i];
        if (slot->journal == NULL) {
            continue;
        }
        bool refused = first_refusal(slot->journal) != 0;
        slot->outcome = refused ? IMPORT_REFUSED : IMPORT_ON_LEDGER;
        for (uint32_t k = 0; k < slot->journal->step_count; k++) {
            batch->session->summary->transactions +=
                slot->journal->steps[k].code == 0;
        }
    }
}

static void report_all(struct import_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        report(batch, &batch->slots[i]);
    }
}

/* All results of a batch become durable together. Latest first: a resource may
 * rest on one before it. */
static enum pbft_status settle(struct import_batch *batch)
{
    struct vault *vault = batch->session->plan.vault;
    enum pbft_status status = vault_begin(vault);

    for (size_t i = batch->count; i > 0 && status == PBFT_OK; i--) {
        struct slot *slot = &batch->slots[i - 1];
        if (slot->journal != NULL) {
            status = vault_journal_settle(vault, slot->journal);
        }
    }
    if (status != PBFT_OK) {
        vault_rollback(vault);
        return status;
    }
    return vault_commit(vault);
}

enum pbft_status import_batch_submit(struct import_batch *batch)
{
    struct vault_journal *entries[IMPORT_BATCH_ITEMS];
    size_t count = gather(batch, entries);

    /* From here on the plans survive a crash. */
    enum pbft_status status = vault_commit(batch->session->plan.vault);
    batch->begun = false;
    if (status != PBFT_OK) {
        return status;
    }
    status = import_submit_steps(batch->session, entries, count, false);
    if (status == PBFT_OK) {
        note_results(batch);
    }
    /* Bodies are gone after settling. */
    report_all(batch);
    return status == PBFT_OK ? settle(batch) : status;
}
