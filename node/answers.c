/* SPDX-License-Identifier: Apache-2.0 */
/* From executed and proved blocks to the replies that waited for them. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/history.h"
#include "node/limits.h"
#include "node/node_private.h"

#define ANSWERS_AT_ONCE 64

/* All that the answers from one block have in common. */
struct proved_block {
    struct reply_block parts;
    struct results_block *results;
    struct pbft_digest *leaves;
    const struct pbft_message *proof;
    const struct pbft_message *committed; /* Read only for lookups. */
};

static void forget(struct proved_block *block)
{
    pbft_message_unref(block->proof);
    pbft_message_unref(block->committed);
    free(block->leaves);
    free(block->results);
}

static enum pbft_status load_results(struct node *node, pbft_seq seq,
                                     struct proved_block *block)
{
    uint8_t *encoded = NULL;
    size_t size = 0;
    enum pbft_status status =
        storage_results_read(node->storage, seq, &encoded, &size);
    if (status != PBFT_OK) {
        return status;
    }
    status =
        results_decode(&block->results, (struct pbft_bytes){encoded, size});
    free(encoded);
    if (status == PBFT_OK) {
        status = results_request_leaves(&block->leaves, block->results);
    }
    return status;
}

/* On its way to the disk or there: it is put before the replier hears of it, so
 * whoever looks here and then there misses none. */
static enum pbft_status find_proof(struct node *node, pbft_seq seq,
                                   const struct pbft_message **out)
{
    *out = log_writer_proof(node->log_writer, seq);
    return *out != NULL ? PBFT_OK : storage_proof_read(node->storage, seq, out);
}

/* `proof` may be NULL: find it. */
static enum pbft_status load(struct node *node, pbft_seq seq,
                             const struct pbft_message *proof,
                             struct proved_block *block)
{
    *block = (struct proved_block){0};
    enum pbft_status status = PBFT_OK;
    if (proof != NULL) {
        block->proof = pbft_message_ref(proof);
    } else {
        status = find_proof(node, seq, &block->proof);
    }
    if (status == PBFT_OK) {
        status = load_results(node, seq, block);
    }
    if (status != PBFT_OK) {
        forget(block);
        return status;
    }
    block->parts = (struct reply_block){.results = block->results,
                                        .leaves = block->leaves,
                                        .proof = block->proof};
    return PBFT_OK;
}

/* The request as it was signed, for whoever keeps a receipt. */
static const struct pbft_request *
request_of(struct node *node, struct proved_block *block, uint32_t index)
{
    if (block->committed == NULL &&
        storage_block_read(node->storage, block->results->seq,
                           &block->committed) != PBFT_OK) {
        return NULL;
    }
    const struct pbft_batch *batch =
        &block->committed->committed.pre_prepare->pre_prepare.body->batch;
    return index < batch->request_count ? &batch->requests[index]->request
                                        : NULL;
}

static void answer(struct node *node, struct node_scratch *scratch,
                   struct proved_block *block, const struct waiting_call *call)
{
    uint32_t index = call->at.request_index;
    const struct pbft_request *request = NULL;
    enum pbft_status status = PBFT_OK;
    if (call->wants_request) {
        request = request_of(node, block, index);
        status = request != NULL ? PBFT_OK : PBFT_CORRUPT;
    }
    wire_arena_reset(&scratch->arena);
    wire_buffer_reset(&scratch->reply);
    if (status == PBFT_OK) {
        status = index < block->results->request_count
                     ? reply_outcome(&scratch->reply, &scratch->arena,
                                     &block->parts, index, request)
                     : PBFT_CORRUPT;
    }
    if (status != PBFT_OK) {
        journal(JOURNAL_ERROR, "answer-failed", "seq=%llu reason=\"%s\"",
                (unsigned long long)call->at.seq, pbft_status_text(status));
        node_refuse(node, &scratch->reply, call->call, REPLY_STOPPING, 0);
        return;
    }
    net_gateway_reply(node->gateway, call->call,
                      wire_buffer_bytes(&scratch->reply));
}

static bool is_behind_stable(struct node *node, pbft_seq seq)
{
    struct pbft_report report;
    node_report(node, &report);
    return seq <= report.stable;
}

/* The core gathers attestations above the stable checkpoint only. Below it a
 * replica that caught up by whole blocks has no proof and will get none: other
 * replicas have, so the caller should not wait here, but ask them. */
static void refuse_unprovable(struct node *node, struct node_scratch *scratch,
                              pbft_seq seq)
{
    struct waiting_call calls[ANSWERS_AT_ONCE];
    size_t count = ANSWERS_AT_ONCE;
    while (count == ANSWERS_AT_ONCE) {
        count = waiting_take_block(node->waiting, calls, ANSWERS_AT_ONCE, seq);
        for (size_t i = 0; i < count; i++) {
            node_refuse(node, &scratch->reply, calls[i].call, REPLY_SYNCING, 0);
        }
    }
}

static void answer_block(struct node *node, struct node_scratch *scratch,
                         pbft_seq seq, const struct pbft_message *proof)
{
    struct waiting_call calls[ANSWERS_AT_ONCE];
    struct proved_block block;
    if (!waiting_has_block(node->waiting, seq)) {
        return;
    }
    enum pbft_status status = load(node, seq, proof, &block);
    if (status == PBFT_NOT_FOUND) {
        if (!is_behind_stable(node, seq)) {
            return; /* Whoever gets the proof answers. */
        }
        /* A proof is put before its block is reported behind the checkpoint:
         * it may have been since the first look, but not any more. */
        status = load(node, seq, proof, &block);
    }
    if (status == PBFT_NOT_FOUND) {
        refuse_unprovable(node, scratch, seq);
        return;
    }
    if (status != PBFT_OK) {
        journal(JOURNAL_ERROR, "block-unreadable", "seq=%llu reason=\"%s\"",
                (unsigned long long)seq, pbft_status_text(status));
        return;
    }
    size_t count = ANSWERS_AT_ONCE;
    while (count == ANSWERS_AT_ONCE) {
        count = waiting_take_block(node->waiting, calls, ANSWERS_AT_ONCE, seq);
        for (size_t i = 0; i < count; i++) {
            answer(node, scratch, &block, &calls[i]);
        }
    }
    forget(&block);
}

void node_answer_block(struct node *node, struct node_scratch *scratch,
                       pbft_seq seq)
{
    answer_block(node, scratch, seq, NULL);
}

void node_on_proof(void *context, pbft_seq seq,
                   const struct pbft_message *proof)
{
    struct node *node = context;
    answer_block(node, &node->replier_scratch, seq, proof);
}

enum pbft_status node_on_serve(void *context, pbft_replica_id to, pbft_seq seq,
                               size_t *size)
{
    struct node *node = context;
    const struct pbft_message *committed = NULL;
    enum pbft_status status =
        storage_block_read(node->storage, seq, &committed);
    if (status == PBFT_OK) {
        status = transport_send_one(node->transport, to, committed);
        *size = pbft_message_memory(committed);
        pbft_message_unref(committed);
    }
    return status;
}

/* Never waits for the inbox: the protocol thread, which empties it, may be
 * waiting for this one. */
void node_on_read_body(void *context, const struct pbft_body_read *read)
{
    struct node *node = context;
    const struct pbft_message *body = NULL;
    enum pbft_status status =
        storage_body_read(node->storage, read->seq, &read->digest, &body);
    if (status == PBFT_NOT_FOUND) {
        return; /* Truncated meanwhile, or never voted for. */
    }
    if (status != PBFT_OK) {
        node_fail(node, status, "reading a body");
        return;
    }
    const struct pbft_message *own =
        pbft_message_handed_over(body, node->identity->self);
    PBFT_ASSERT(own != NULL); /* Out of memory: stop. */
    pbft_message_unref(body);
    if (inbox_try_put(node->inbox, own) == PBFT_LIMIT) {
        pbft_message_unref(own);
    }
}

void node_on_sweep(void *context, pbft_time_ms now_ms)
{
    struct node *node = context;
    struct waiting_call calls[ANSWERS_AT_ONCE];
    size_t count = ANSWERS_AT_ONCE;
    while (count == ANSWERS_AT_ONCE) {
        count =
            waiting_take_expired(node->waiting, calls, ANSWERS_AT_ONCE, now_ms);
        for (size_t i = 0; i < count; i++) {
            node_refuse(node, &node->replier_scratch.reply, calls[i].call,
                        REPLY_TIMED_OUT, 0);
        }
    }
}

/* A duplicate waits for the block of its first result; the proof of that one
 * may be stored already, so the replier is asked to look. It is also asked
 * where no proof will come by itself. */
static void locate(struct node *node, pbft_seq seq, uint32_t index,
                   const struct results_request *request)
{
    struct results_location at = {.seq = seq, .request_index = index};
    if (request->first.seq != 0) {
        at = request->first;
    }
    if (waiting_locate(node->waiting, &request->digest, &at) > 0 &&
        (at.seq != seq || is_behind_stable(node, seq))) {
        const struct pbft_attested look = {.seq = at.seq, .proof = NULL};
        replier_put_proof(node->replier, &look);
    }
}

/* What comes late because we catch up says nothing of our clock. */
static void check_clock(struct node *node, pbft_wall_us block_time)
{
    struct pbft_report report;
    node_report(node, &report);
    if (report.condition == PBFT_CONDITION_NORMAL) {
        atomic_store(&node->clock_off,
                     clock_check_note(&node->clock_check, block_time,
                                      clock_wall_us(), clock_now_ms()));
    }
}

void node_on_executed(void *context, const struct pbft_attestation *executed,
                      const struct ledger_block_result *results)
{
    struct node *node = context;
    history_add(node->history, executed->seq, clock_now_ms());
    atomic_fetch_add(&node->transactions, results->transaction_count);
    atomic_store(&node->block_time, executed->block_time);
    if (results->block.request_count > 0) { /* Else its time is none. */
        check_clock(node, executed->block_time);
    }
    /* Before the core hears of the block: what it is fed after that is late. */
    for (uint32_t i = 0; i < results->block.request_count; i++) {
        request_cache_add(node->executed, &results->block.requests[i].digest);
    }
    if (waiting_count(node->waiting) > 0) {
        for (uint32_t i = 0; i < results->block.request_count; i++) {
            locate(node, executed->seq, i, &results->block.requests[i]);
        }
    }
    inbox_put_executed(node->inbox, executed);
}

void node_refuse_all_waiting(struct node *node)
{
    struct waiting_call calls[ANSWERS_AT_ONCE];
    size_t count = ANSWERS_AT_ONCE;
    while (count == ANSWERS_AT_ONCE) {
        count = waiting_take_expired(node->waiting, calls, ANSWERS_AT_ONCE,
                                     PBFT_TIME_NEVER);
        for (size_t i = 0; i < count; i++) {
            node_refuse(node, &node->replier_scratch.reply, calls[i].call,
                        REPLY_STOPPING, 0);
        }
    }
}
