/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: plans become durable, then are submitted, then settled. */
#include "client/import_batch.h"

#include <stdlib.h>
#include <string.h>

/* A resource of the batch. */
struct slot {
    struct fhir_file *file;
    size_t index;           /* In it. */
    struct fhir_item *item; /* Owned. */
    bool owns_url;          /* Known: fhir_plan_owns_url() */
    enum import_outcome outcome;
    struct vault_journal *journal; /* Owned; NULL: nothing to submit. */
    struct vault_step last;        /* Known: what was submitted before. */
    uint32_t refused;              /* Known: the code of what was refused. */
    bool has_versions;             /* The following count. */
    uint8_t newest[32];            /* fhir_plan_version_keys() */
    uint8_t before[32];
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

/* The key of what was imported last under the name of the item. NOT_FOUND. */
static enum pbft_status find_newest(const struct import_batch *batch,
                                    const struct slot *slot, uint8_t out[32])
{
    return slot->has_versions ? import_find_newest(batch->session, out,
                                                   slot->newest, slot->before)
                              : PBFT_NOT_FOUND;
}

/* What was imported after it stands. */
static enum pbft_status find_replaced(const struct import_batch *batch,
                                      struct slot *slot,
                                      const struct vault_journal *entry)
{
    uint8_t newest[32];
    enum pbft_status status = find_newest(batch, slot, newest);

    if (status == PBFT_OK && memcmp(newest, entry->key, sizeof newest) != 0) {
        slot->outcome = IMPORT_REPLACED;
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

static void take_known(struct slot *slot, const struct vault_journal *entry)
{
    slot->refused = import_refusal(entry);
    slot->outcome = slot->refused != 0 ? IMPORT_REFUSED : IMPORT_KNOWN;
    if (entry->step_count > 0) {
        slot->last = entry->steps[entry->step_count - 1];
        slot->last.body = NULL;
        slot->last.row = NULL;
        slot->last.name = NULL;
        slot->last.previous = NULL;
    }
}

/* The same resource was imported before, or is in this batch. */
static enum pbft_status find_known(struct import_batch *batch,
                                   struct slot *slot, bool *known)
{
    struct vault_journal *entry = calloc(1, sizeof *entry);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        import_find_known(batch->session, entry, slot->item);
    *known = status == PBFT_OK;
    if (*known) {
        take_known(slot, entry);
        status = find_replaced(batch, slot, entry);
        if (status == PBFT_OK) {
            status = fhir_plan_owns_url(&slot->owns_url, slot->item, entry,
                                        batch->session->plan.vault);
        }
    }
    vault_journal_free(entry);
    free(entry);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* From now on `entry` is the newest version. */
static enum pbft_status note_newest(const struct import_batch *batch,
                                    const struct slot *slot,
                                    const struct vault_journal *entry)
{
    struct vault *vault = batch->session->plan.vault;
    uint8_t before[32];
    enum pbft_status status = find_newest(batch, slot, before);

    if (status == PBFT_OK) {
        status = vault_journal_point(vault, slot->before, before);
    }
    if (status == PBFT_NOT_FOUND) {
        status = PBFT_OK;
    }
    return status == PBFT_OK && slot->has_versions
               ? vault_journal_point(vault, slot->newest, entry->key)
               : status;
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
    status = vault_journal_store(plan->vault, journal);
    return status == PBFT_OK ? note_newest(batch, slot, journal) : status;
}

bool import_batch_must_wait(const struct import_batch *batch,
                            const struct fhir_item *item)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct slot *slot = &batch->slots[i];
        if (slot->journal != NULL && fhir_item_is_same(slot->item, item)) {
            return true;
        }
    }
    return false;
}

/* It adds nothing, perhaps because of an event in the batch that tells the
 * same: but that one may still be refused. */
static bool rests_on_batch(const struct import_batch *batch,
                           const struct slot *slot)
{
    if (fhir_item_rank(slot->item) != FHIR_RANK_AUDIT ||
        slot->journal != NULL || slot->outcome == IMPORT_REJECTED) {
        return false;
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct slot *other = &batch->slots[i];
        if (other->journal != NULL &&
            fhir_item_rank(other->item) == FHIR_RANK_AUDIT) {
            return true;
        }
    }
    return false;
}

static enum pbft_status note_outdated(struct import_batch *batch,
                                      const struct slot *slot)
{
    if (!slot->has_versions) {
        return PBFT_OK;
    }
    return import_note_outdated(batch->session, slot->newest,
                                slot->outcome == IMPORT_REPLACED);
}

static enum pbft_status judge_slot(struct import_batch *batch,
                                   struct slot *slot, bool *taken)
{
    bool is_local = fhir_item_class(slot->item) == FHIR_LOCAL;
    bool known = false;
    enum pbft_status status = find_known(batch, slot, &known);

    if (status != PBFT_OK || known) {
        return status;
    }
    status = plan_slot(batch, slot);
    if (status == PBFT_OK && slot->outcome != IMPORT_REJECTED) {
        status = fhir_plan_owns_url(&slot->owns_url, slot->item, NULL,
                                    batch->session->plan.vault);
    }
    *taken = status != PBFT_OK || is_local || !rests_on_batch(batch, slot);
    return status;
}

/* From now on a reference by its fullUrl means it, or nothing. */
static void tell_url(const struct slot *slot, bool owns)
{
    fhir_file_set_url(slot->file, slot->index,
                      owns ? FHIR_URL_OWN : FHIR_URL_LOST);
}

enum pbft_status import_batch_add(struct import_batch *batch,
                                  struct fhir_file *file, size_t index,
                                  struct fhir_item *item, bool *taken)
{
    const struct pbft_digest *chain = &batch->session->plan.envelope.chain;
    struct slot *slot = &batch->slots[batch->count];

    *taken = true;
    *slot = (struct slot){.file = file, .index = index, .item = item};
    slot->has_versions =
        fhir_plan_version_keys(slot->newest, slot->before, item, chain);
    if (fhir_item_class(item) == FHIR_REJECT) {
        slot->outcome = IMPORT_REJECTED;
        tell_url(slot, false);
        batch->count++;
        return PBFT_OK;
    }
    enum pbft_status status = judge_slot(batch, slot, taken);
    if (!*taken) {
        return PBFT_OK;
    }
    tell_url(slot, status == PBFT_OK && slot->owns_url);
    batch->count++;
    return status == PBFT_OK ? note_outdated(batch, slot) : status;
}

/* ---- reporting ----------------------------------------------------------- */

static void report(struct import_batch *batch, const struct slot *slot)
{
    struct import_session *session = batch->session;
    const struct vault_journal *journal = slot->journal;
    struct import_event event = {.file = fhir_file_name(slot->file),
                                 .item = slot->item,
                                 .class_of = fhir_item_class(slot->item),
                                 .outcome = slot->outcome,
                                 .steps = journal,
                                 .number = ++session->number,
                                 .total = session->total};
    const struct vault_step *last = &slot->last;

    event.code = slot->refused;
    if (journal != NULL) {
        last = &journal->steps[journal->step_count - 1];
        event.code = import_refusal(journal);
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
        bool refused = import_refusal(slot->journal) != 0;
        slot->outcome = refused ? IMPORT_REFUSED : IMPORT_ON_LEDGER;
        if (refused) {
            tell_url(slot, false);
        }
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
