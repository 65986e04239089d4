/* SPDX-License-Identifier: Apache-2.0 */
/* Takes committed blocks in order, executes and stores them. */
#include "node/executor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/thread.h"

#define US_PER_MS 1000u

struct executor {
    struct storage *storage;
    struct storage_state *state;
    struct ledger *ledger;
    struct executor_sink sink;
    pthread_t thread;
    const struct pbft_keyring *keyring;
    pthread_mutex_t lock; /* Guards the ring, `stopping`, `published`. */
    pthread_cond_t filled;
    const struct pbft_message *committed[PBFT_WINDOW_MAX]; /* A ring. */
    size_t first;
    size_t count;
    bool stopping;
    struct pbft_incarnations published;
    bool has_published;                    /* And nobody took it yet. */
    struct pbft_incarnations incarnations; /* For the thread alone. */
    atomic_uint_least64_t next_due;
    /* For the thread alone; reused from block to block. */
    struct ledger_request *requests; /* PBFT_BATCH_REQUESTS_MAX of them. */
    uint8_t *results;
    size_t results_capacity;
};

void executor_describe_request(const struct pbft_request *request,
                               struct ledger_request *out)
{
    *out = (struct ledger_request){
        .client = request->client,
        .institution = request->institution,
        .session = request->session,
        .sequence = request->sequence,
        .urgent = request->lane == PBFT_LANE_URGENT,
        .payload = request->payload,
        .digest = request->digest,
    };
}

static void describe_block(struct executor *executor,
                           const struct pbft_pre_prepare *header,
                           struct ledger_block *out)
{
    const struct pbft_batch *batch = &header->body->batch;
    PBFT_ASSERT(batch->request_count <= PBFT_BATCH_REQUESTS_MAX);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        executor_describe_request(&batch->requests[i]->request,
                                  &executor->requests[i]);
    }
    *out = (struct ledger_block){
        .seq = header->seq,
        .proposed_time = batch->time,
        .is_null = batch->time == 0,
        .block_digest = header->digest,
        .requests = executor->requests,
        .request_count = batch->request_count,
    };
}

static struct pbft_bytes encode_results(struct executor *executor,
                                        const struct results_block *block)
{
    size_t size = results_encoded_size(block);
    PBFT_ASSERT(size <= STORAGE_RESULTS_BYTES_MAX);
    if (size > executor->results_capacity) {
        free(executor->results);
        executor->results = malloc(size);
        PBFT_ASSERT(executor->results != NULL);
        executor->results_capacity = size;
    }
    results_encode(executor->results, block);
    return (struct pbft_bytes){executor->results, size};
}

/* Encoded if the block changed it, else empty. */
static struct pbft_bytes update_incarnations(struct executor *executor,
                                             const struct pbft_batch *batch,
                                             pbft_seq seq, pbft_wall_us time,
                                             uint8_t *out)
{
    const uint32_t n = executor->keyring->replica_count;
    if (!pbft_incarnations_execute(&executor->incarnations, executor->keyring,
                                   batch, seq, time)) {
        return (struct pbft_bytes){NULL, 0};
    }
    pbft_incarnations_encode(&executor->incarnations, n, out);
    return (struct pbft_bytes){out, (size_t)n * PBFT_INCARNATION_SIZE};
}

static void publish_incarnations(struct executor *executor)
{
    (void)pthread_mutex_lock(&executor->lock);
    executor->published = executor->incarnations;
    executor->has_published = true;
    (void)pthread_mutex_unlock(&executor->lock);
}

bool executor_take_incarnations(struct executor *executor,
                                struct pbft_incarnations *out)
{
    (void)pthread_mutex_lock(&executor->lock);
    bool is_new = executor->has_published;
    if (is_new) {
        *out = executor->published;
        executor->has_published = false;
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return is_new;
}

/* When the ledger next wants a block (P18). One that cannot tell wants none:
 * what is overdue stands in the next block, whenever it comes. What the last
 * block left, since a sweep has an end, wants another at once. */
static void find_due(struct executor *executor)
{
    struct pbft_attestation last;
    storage_applied(executor->storage, &last);
    struct storage_view *view =
        storage_view_open(executor->storage, STORAGE_VIEW_NEWEST);
    uint64_t due_ms = 0;
    const enum pbft_status status =
        ledger_next_due(storage_view_kv(view), &due_ms);
    storage_view_close(view);
    pbft_wall_us due = status == PBFT_OK && due_ms <= UINT64_MAX / US_PER_MS
                           ? due_ms * US_PER_MS
                           : 0;
    if (due != 0 && due <= last.block_time) {
        due = last.block_time + 1;
    }
    atomic_store(&executor->next_due, due);
}

pbft_wall_us executor_next_due(struct executor *executor)
{
    return atomic_load(&executor->next_due);
}

static enum pbft_status execute(struct executor *executor,
                                const struct pbft_message *committed)
{
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    struct ledger_block block;
    struct ledger_block_result result;
    uint8_t incarnations[PBFT_INCARNATIONS_SIZE_MAX];
    PBFT_ASSERT(header->body != NULL);
    describe_block(executor, header, &block);
    enum pbft_status status = ledger_execute(executor->ledger, &block, &result);
    if (status != PBFT_OK) {
        return status;
    }
    const struct storage_block written = {
        .committed = committed,
        .executed = {.seq = block.seq,
                     .block_time = result.block.time,
                     .block_digest = block.block_digest,
                     .results_root = result.results_root,
                     .ledger_root = result.ledger_root},
        .results = encode_results(executor, &result.block),
        .incarnations =
            update_incarnations(executor, &header->body->batch, block.seq,
                                result.block.time, incarnations),
    };
    status = storage_block_write(executor->storage, &written, executor->state);
    if (status == PBFT_OK && written.incarnations.size > 0) {
        publish_incarnations(executor);
    }
    if (status == PBFT_OK) {
        find_due(executor);
        executor->sink.executed(executor->sink.context, &written.executed,
                                &result);
    }
    return status;
}

static const struct pbft_message *next_commit(struct executor *executor)
{
    const struct pbft_message *message = NULL;
    (void)pthread_mutex_lock(&executor->lock);
    while (executor->count == 0 && !executor->stopping) {
        (void)pthread_cond_wait(&executor->filled, &executor->lock);
    }
    if (executor->count > 0) {
        message = executor->committed[executor->first];
        executor->first = (executor->first + 1) % PBFT_WINDOW_MAX;
        executor->count--;
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return message;
}

static void *run(void *context)
{
    struct executor *executor = context;
    enum pbft_status status = PBFT_OK;
    const struct pbft_message *committed;
    thread_name("executor");
    while ((committed = next_commit(executor)) != NULL) {
        if (status == PBFT_OK) {
            status = execute(executor, committed);
            if (status != PBFT_OK) {
                executor->sink.failed(executor->sink.context, status);
            }
        }
        pbft_message_unref(committed);
    }
    return NULL;
}

struct executor *executor_create(struct storage *storage,
                                 struct storage_state *state,
                                 struct ledger *ledger,
                                 const struct pbft_keyring *keyring,
                                 const struct pbft_incarnations *incarnations,
                                 const struct executor_sink *sink)
{
    struct executor *executor = calloc(1, sizeof *executor);
    PBFT_ASSERT(executor != NULL);
    executor->requests =
        calloc(PBFT_BATCH_REQUESTS_MAX, sizeof *executor->requests);
    PBFT_ASSERT(executor->requests != NULL);
    executor->storage = storage;
    executor->state = state;
    executor->ledger = ledger;
    executor->keyring = keyring;
    executor->incarnations = *incarnations;
    executor->sink = *sink;
    find_due(executor);
    (void)pthread_mutex_init(&executor->lock, NULL);
    (void)pthread_cond_init(&executor->filled, NULL);
    int failed = pthread_create(&executor->thread, NULL, run, executor);
    PBFT_ASSERT(failed == 0);
    return executor;
}

void executor_destroy(struct executor *executor)
{
    if (executor == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&executor->lock);
    executor->stopping = true;
    (void)pthread_cond_signal(&executor->filled);
    (void)pthread_mutex_unlock(&executor->lock);
    (void)pthread_join(executor->thread, NULL);
    (void)pthread_mutex_destroy(&executor->lock);
    (void)pthread_cond_destroy(&executor->filled);
    free(executor->requests);
    free(executor->results);
    free(executor);
}

void executor_put(struct executor *executor, const struct pbft_commit *commit)
{
    (void)pthread_mutex_lock(&executor->lock);
    PBFT_ASSERT(executor->count < PBFT_WINDOW_MAX);
    size_t last = (executor->first + executor->count) % PBFT_WINDOW_MAX;
    executor->committed[last] = pbft_message_ref(commit->committed);
    executor->count++;
    (void)pthread_cond_signal(&executor->filled);
    (void)pthread_mutex_unlock(&executor->lock);
}
