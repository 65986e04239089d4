/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: one array, reused as the watermarks move. */
#include "consensus/log.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"

void pbft_keep(const struct pbft_message **place,
               const struct pbft_message *message)
{
    const struct pbft_message *before = *place;
    *place = message == NULL ? NULL : pbft_message_ref(message);
    pbft_message_unref(before);
}

bool pbft_attestation_equal(const struct pbft_attestation *a,
                            const struct pbft_attestation *b)
{
    return a->seq == b->seq && a->block_time == b->block_time &&
           pbft_digest_equal(&a->block_digest, &b->block_digest) &&
           pbft_digest_equal(&a->results_root, &b->results_root) &&
           pbft_digest_equal(&a->ledger_root, &b->ledger_root);
}

/* Slot `index` serves the only seq of the window that leads to it. */
static pbft_seq seq_of_index(const struct pbft_slot_log *log, uint32_t index)
{
    uint32_t first = (uint32_t)((log->low + 1) % log->window);
    uint32_t offset = (index + log->window - first) % log->window;
    return log->low + 1 + offset;
}

bool pbft_slot_log_init(struct pbft_slot_log *log, uint32_t window,
                        uint32_t replica_count)
{
    PBFT_ASSERT(window > 0 && window <= PBFT_WINDOW_MAX);
    PBFT_ASSERT(replica_count > 0 && replica_count <= PBFT_REPLICAS_MAX);
    const size_t cells = (size_t)window * replica_count;
    *log = (struct pbft_slot_log){.window = window,
                                  .replica_count = replica_count};
    log->slots = calloc(window, sizeof *log->slots);
    log->ballots = calloc(2 * cells, sizeof *log->ballots);
    log->attestations = calloc(cells, sizeof *log->attestations);
    if (log->slots == NULL || log->ballots == NULL ||
        log->attestations == NULL) {
        free(log->slots);
        free(log->ballots);
        free(log->attestations);
        *log = (struct pbft_slot_log){0};
        return false;
    }
    for (uint32_t i = 0; i < window; i++) {
        struct pbft_slot *slot = &log->slots[i];
        slot->seq = seq_of_index(log, i);
        slot->prepares.items = log->ballots + (size_t)i * replica_count;
        slot->commits.items = log->ballots + cells + (size_t)i * replica_count;
        slot->attestations.items =
            log->attestations + (size_t)i * replica_count;
    }
    return true;
}

static void reset_ballots(struct pbft_ballots *ballots)
{
    ballots->voters = (struct pbft_replica_set){{0}};
    ballots->matching = 0;
}

void pbft_slot_begin_view(struct pbft_slot *slot, pbft_view view)
{
    pbft_keep(&slot->header, NULL);
    pbft_keep(&slot->proposal, NULL);
    pbft_keep(&slot->own_prepare, NULL);
    pbft_keep(&slot->own_commit, NULL);
    reset_ballots(&slot->prepares);
    reset_ballots(&slot->commits);
    slot->view = view;
    slot->is_logged = false;
    slot->is_reproposed = false;
    slot->is_prepared = false;
    slot->accepted_at = 0;
}

static void clear_slot(struct pbft_slot *slot, pbft_seq seq)
{
    pbft_slot_begin_view(slot, 0);
    pbft_keep(&slot->body, NULL);
    slot->has_older_bodies = false;
    pbft_keep(&slot->prepared, NULL);
    pbft_keep(&slot->prepared_body, NULL);
    pbft_keep(&slot->committed, NULL);
    pbft_keep(&slot->own_attestation, NULL);
    slot->attestations.voters = (struct pbft_replica_set){{0}};
    slot->attestations.matching = 0;
    slot->is_attested = false;
    slot->executed_at = 0;
    slot->seq = seq;
}

void pbft_slot_log_deinit(struct pbft_slot_log *log)
{
    for (uint32_t i = 0; log->slots != NULL && i < log->window; i++) {
        clear_slot(&log->slots[i], 0);
    }
    free(log->slots);
    free(log->ballots);
    free(log->attestations);
    *log = (struct pbft_slot_log){0};
}

struct pbft_slot *pbft_slot_log_at(const struct pbft_slot_log *log,
                                   pbft_seq seq)
{
    if (!pbft_slot_log_has(log, seq)) {
        return NULL;
    }
    struct pbft_slot *slot = &log->slots[seq % log->window];
    PBFT_ASSERT(slot->seq == seq);
    return slot;
}

void pbft_slot_log_advance(struct pbft_slot_log *log, pbft_seq low)
{
    PBFT_ASSERT(low >= log->low);
    const pbft_seq before = log->low;
    const pbft_seq distance = low - before;
    const pbft_seq count = distance < log->window ? distance : log->window;
    log->low = low;
    for (pbft_seq i = 1; i <= count; i++) {
        uint32_t index = (uint32_t)((before + i) % log->window);
        clear_slot(&log->slots[index], seq_of_index(log, index));
    }
    PBFT_ASSERT(pbft_slot_log_at(log, low + 1)->seq == low + 1);
}

static void count_matching(struct pbft_ballots *ballots, uint32_t replica_count,
                           const struct pbft_digest *digest)
{
    ballots->matching = 0;
    for (pbft_replica_id id = 0; id < replica_count; id++) {
        if (pbft_set_has(&ballots->voters, id) &&
            pbft_digest_equal(&ballots->items[id].digest, digest)) {
            ballots->matching++;
        }
    }
}

void pbft_slot_set_header(struct pbft_slot *slot, uint32_t replica_count,
                          const struct pbft_message *header)
{
    PBFT_ASSERT(slot->header == NULL);
    PBFT_ASSERT(header->type == PBFT_MESSAGE_PRE_PREPARE);
    PBFT_ASSERT(header->pre_prepare.seq == slot->seq);
    PBFT_ASSERT(header->pre_prepare.body == NULL);
    pbft_keep(&slot->header, header);
    slot->view = header->pre_prepare.view;
    count_matching(&slot->prepares, replica_count, &header->pre_prepare.digest);
    count_matching(&slot->commits, replica_count, &header->pre_prepare.digest);
}

void pbft_slot_set_body(struct pbft_slot *slot, const struct pbft_message *body)
{
    PBFT_ASSERT(slot->header != NULL);
    PBFT_ASSERT(body->type == PBFT_MESSAGE_BATCH);
    PBFT_ASSERT(pbft_digest_equal(&body->batch.digest,
                                  &slot->header->pre_prepare.digest));
    pbft_slot_keep_body(slot, body);
}

bool pbft_slot_has_body(const struct pbft_slot *slot)
{
    return slot->header != NULL && slot->body != NULL &&
           pbft_digest_equal(&slot->body->batch.digest,
                             &slot->header->pre_prepare.digest);
}

static bool is_batch(const struct pbft_message *body,
                     const struct pbft_digest *digest)
{
    return body != NULL && pbft_digest_equal(&body->batch.digest, digest);
}

void pbft_slot_keep_body(struct pbft_slot *slot,
                         const struct pbft_message *body)
{
    if (slot->body != NULL && !is_batch(slot->body, &body->batch.digest)) {
        slot->has_older_bodies = true;
    }
    pbft_keep(&slot->body, body);
}

const struct pbft_message *pbft_slot_find_body(const struct pbft_slot *slot,
                                               const struct pbft_digest *digest)
{
    if (is_batch(slot->body, digest)) {
        return slot->body;
    }
    if (is_batch(slot->prepared_body, digest)) {
        return slot->prepared_body;
    }
    if (slot->committed != NULL) {
        const struct pbft_message *block = slot->committed;
        const struct pbft_message *body =
            block->committed.pre_prepare->pre_prepare.body;
        return is_batch(body, digest) ? body : NULL;
    }
    return NULL;
}

const struct pbft_message *pbft_slot_proposal(struct pbft_slot *slot)
{
    PBFT_ASSERT(pbft_slot_has_body(slot));
    if (slot->proposal == NULL) {
        slot->proposal = pbft_pre_prepare_with_body(slot->header, slot->body);
        PBFT_ASSERT(slot->proposal != NULL); /* Out of memory: stop. */
    }
    return slot->proposal;
}

void pbft_slot_add_vote(struct pbft_slot *slot, enum pbft_phase phase,
                        const struct pbft_digest *digest,
                        const struct pbft_vote *vote)
{
    struct pbft_ballots *ballots = pbft_slot_ballots(slot, phase);
    PBFT_ASSERT(vote->replica < PBFT_REPLICAS_MAX);
    PBFT_ASSERT(!pbft_set_has(&ballots->voters, vote->replica));
    pbft_set_add(&ballots->voters, vote->replica);
    ballots->items[vote->replica].digest = *digest;
    ballots->items[vote->replica].vote = *vote;
    if (slot->header != NULL &&
        pbft_digest_equal(digest, &slot->header->pre_prepare.digest)) {
        ballots->matching++;
    }
}
