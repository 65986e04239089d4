/* SPDX-License-Identifier: Apache-2.0 */
/* One block: its time, its requests in order, its roots, one batch of writes.
 */
#include <string.h>

#include "consensus/assert.h"
#include "ledger/client_table.h"
#include "ledger/execution.h"
#include "ledger/obligations.h"
#include "ledger/fields.h"
#include "ledger/foresight.h"
#include "ledger/request.h"
#include "ledger/state.h"

#define US_PER_MS 1000u

/* P12: never before the block before, whatever a primary proposed. */
static pbft_wall_us executed_time(const struct ledger *ledger,
                                  const struct ledger_block *block)
{
    pbft_wall_us previous = ledger->position.time;
    pbft_wall_us next = previous < UINT64_MAX ? previous + 1 : previous;
    if (block->is_null || block->proposed_time < next) {
        return next;
    }
    return block->proposed_time;
}

static enum ledger_code code_of_split(enum pbft_status status, size_t count)
{
    if (status != PBFT_TOO_LARGE) {
        return LEDGER_NON_CANONICAL;
    }
    return count == LEDGER_REQUEST_TRANSACTIONS_MAX ? LEDGER_TOO_MANY
                                                    : LEDGER_SIZE;
}

/* The transactions of a request; ledger->split holds them. */
static enum ledger_code split_payload(struct ledger *ledger,
                                      struct pbft_bytes payload, size_t *count)
{
    enum pbft_status status = transaction_list_split(
        ledger->split, LEDGER_REQUEST_TRANSACTIONS_MAX, count, payload);
    if (status != PBFT_OK) {
        return code_of_split(status, *count);
    }
    for (size_t i = 0; i < *count; i++) {
        if (ledger->split[i].size < LEDGER_TRANSACTION_MIN) {
            return LEDGER_SIZE;
        }
    }
    return LEDGER_OK;
}

static void execute_transactions(struct ledger *ledger, struct execution *x,
                                 size_t count, struct results_request *out)
{
    struct results_transaction *results =
        overlay_room(&ledger->overlay, count * sizeof *results);
    for (size_t i = 0; i < count; i++) {
        x->place.index = (uint32_t)i;
        execution_run(x, ledger->split[i], &results[i]);
    }
    out->transactions = results;
    out->transaction_count = (uint32_t)count;
}

/* The slot is used up even if nothing in the request can be read. */
static void execute_request(struct ledger *ledger, struct execution *x,
                            struct results_request *out)
{
    const struct ledger_request *request = x->request;
    size_t count = 0;
    struct client_slot slot = request_slot(&ledger->constants, request);
    const struct schema_request here = {x->seq, x->place.request_index,
                                        x->place.time};
    *out = (struct results_request){.digest = request->digest};
    enum ledger_code code =
        request_check_key(x->overlay, request, &x->key_id, &x->institution);
    if (code == LEDGER_OK) {
        code = client_table_check(x->overlay, &slot, &out->first);
    }
    if (code == LEDGER_OK) {
        client_table_take(x->overlay, &slot, &here);
        code = split_payload(ledger, request->payload, &count);
    }
    if (code == LEDGER_OK && count > 0) {
        execute_transactions(ledger, x, count, out);
    }
    out->code = (uint32_t)code;
}

static void count_results(struct ledger_block_result *out)
{
    for (uint32_t i = 0; i < out->block.request_count; i++) {
        const struct results_request *request = &out->block.requests[i];
        out->refused_count += request->code != LEDGER_OK;
        out->transaction_count += request->transaction_count;
        for (uint32_t j = 0; j < request->transaction_count; j++) {
            out->refused_count += request->transactions[j].code != LEDGER_OK;
        }
    }
}

static void execute_requests(struct ledger *ledger,
                             const struct ledger_block *block,
                             struct ledger_block_result *out)
{
    struct results_request *results =
        overlay_room(&ledger->overlay, block->request_count * sizeof *results);
    struct schema_policy policy;
    state_governing_policy(&ledger->overlay, &policy);
    struct execution x = {
        .overlay = &ledger->overlay,
        .constants = &ledger->constants,
        .policy = &policy,
        .scratch = &ledger->scratch,
        .stored = &ledger->stored,
        .seq = block->seq,
        .now_ms = out->block.time / US_PER_MS,
        .place = {.time = out->block.time},
    };
    for (uint32_t i = 0; i < block->request_count; i++) {
        x.request = &block->requests[i];
        x.place.request_index = i;
        execute_request(ledger, &x, &results[i]);
    }
    out->block.requests = results;
    out->block.request_count = block->request_count;
    count_results(out);
}

/* What the next block builds on. */
static void advance(const struct ledger *ledger,
                    const struct ledger_block_result *result,
                    struct schema_position *next, struct pbft_digest *root)
{
    struct pbft_digest leaf;
    *next = ledger->position;
    next->seq = result->block.seq;
    next->time = result->block.time;
    next->transactions += result->transaction_count;
    results_block_leaf(&leaf, &result->block, &result->results_root);
    merkle_accumulator_append(&next->blocks, &leaf);
    merkle_accumulator_root(&next->blocks, root);
    next->ledger_root = *root;
}

/* What time has done since the block before. */
static void sweep(struct overlay *overlay, struct ledger_block_result *out)
{
    size_t mark = overlay_mark(overlay);
    obligations_sweep(overlay, out->block.time / US_PER_MS);
    out->block.is_swept = overlay_mark(overlay) > mark;
    if (out->block.is_swept) {
        overlay_digest(overlay, mark, &out->block.sweep_digest);
    }
}

/* When a height was: for questions about the past. */
static void remember_time(struct overlay *overlay,
                          const struct results_block *block)
{
    struct schema_key key;
    uint8_t time[FIELD_U64_SIZE];
    field_put_u64(time, block->time);
    schema_key_height(&key, block->seq);
    overlay_put(overlay, &key, (struct pbft_bytes){time, sizeof time});
}

enum pbft_status ledger_execute(struct ledger *ledger,
                                const struct ledger_block *block,
                                struct ledger_block_result *out)
{
    struct schema_position next;
    struct overlay *overlay = &ledger->overlay;
    if (block->seq != ledger->position.seq + 1 ||
        block->request_count > PBFT_BATCH_REQUESTS_MAX ||
        (block->is_null && block->request_count > 0)) {
        return PBFT_INVALID_ARGUMENT;
    }
    *out = (struct ledger_block_result){
        .block = {.seq = block->seq,
                  .time = executed_time(ledger, block),
                  .block_digest = block->block_digest},
    };
    overlay_begin(overlay, &block->block_digest);
    overlay->seq = block->seq;
    foresight_read(ledger, block);
    sweep(overlay, out);
    execute_requests(ledger, block, out);
    results_root(&out->results_root, &out->block);
    advance(ledger, out, &next, &out->ledger_root);
    state_put_position(overlay, &next);
    remember_time(overlay, &out->block);
    if (overlay->status != PBFT_OK) {
        return overlay->status;
    }
    enum pbft_status status = overlay_apply(overlay);
    if (status == PBFT_OK) {
        ledger->position = next;
    }
    return status;
}
