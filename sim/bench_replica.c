/* SPDX-License-Identifier: Apache-2.0 */
/* One replica: what each task costs, and what comes of it. Costs of
 * cryptography are those that the production code asks for: it is counted. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "proto/codec.h"
#include "sim/bench_world.h"

#define WALL_START_US UINT64_C(1767225600000000)
#define NS_PER_MS 1000000
#define REPLY_BYTES_PER_VOTE 80

size_t bench_message_bytes(struct bench_world *world,
                           const struct pbft_message *message)
{
    size_t before = world->wire.size;
    enum pbft_status status =
        wire_message_encode(message, WIRE_BODY_INCLUDE, &world->wire);
    PBFT_ASSERT(status == PBFT_OK);
    size_t size = world->wire.size - before;
    world->wire.size = before;
    return size;
}

/* What the cryptography of the last calls costs. */
uint64_t bench_take_counts(struct bench_replica *replica)
{
    const struct bench_world *world = replica->world;
    const struct bench_counts *counts = &replica->counts;
    uint64_t ns = bench_cost(world, COST_SIGN, counts->signatures) +
                  bench_cost(world, COST_VERIFY, counts->verifications) +
                  bench_cost(world, COST_DIGEST_BYTE, counts->digest_bytes);
    replica->counts = (struct bench_counts){0};
    return ns;
}

/* ---- checking ------------------------------------------------------------ */

static uint64_t begin_verify(struct bench_replica *replica,
                             const struct bench_task *task)
{
    struct bench_world *world = replica->world;
    const struct bench_envelope *envelope = task->envelope;
    uint64_t ns = 0;
    for (uint32_t i = 0; i < envelope->count; i++) {
        enum pbft_status status = pbft_verify(
            &replica->verifier, envelope->from, envelope->messages[i]);
        PBFT_ASSERT(status == PBFT_OK);
        ns += bench_cost(world, COST_MESSAGE, 1);
    }
    /* Decoding hashes the content; it is counted here, being shared. */
    return ns + bench_cost(world, COST_DIGEST_BYTE, envelope->bytes) +
           bench_take_counts(replica);
}

/* ---- the protocol thread ------------------------------------------------- */

static struct pbft_event event_at(const struct bench_world *world,
                                  enum pbft_event_type type)
{
    return (struct pbft_event){.type = type,
                               .now = world->now_ns / NS_PER_MS,
                               .wall = WALL_START_US + world->now_ns / 1000};
}

/* False: the driver waits for the log. */
static bool step(struct bench_replica *replica, const struct pbft_event *event,
                 enum pbft_verdict *verdict)
{
    *verdict = pbft_driver_step(replica->driver, event);
    if (*verdict == PBFT_BUSY) {
        pbft_driver_flush(replica->driver);
        *verdict = pbft_driver_step(replica->driver, event);
    }
    return *verdict != PBFT_BUSY;
}

/* Steps over the messages of the envelope that are left. */
static bool step_messages(struct bench_replica *replica,
                          struct bench_task *task)
{
    struct bench_envelope *envelope = task->envelope;
    struct pbft_event event = event_at(replica->world, PBFT_EVENT_RECEIVE);
    enum pbft_verdict verdict;
    while (task->number < envelope->count) {
        event.message = envelope->messages[task->number];
        if (!step(replica, &event, &verdict)) {
            return false;
        }
        if (verdict == PBFT_QUEUE_FULL &&
            envelope->from == PBFT_SENDER_CLIENT) {
            bench_load_refused(replica, event.message);
        }
        task->number++;
    }
    return true;
}

static bool step_once(struct bench_replica *replica, struct bench_task *task)
{
    enum pbft_verdict verdict;
    struct pbft_event event = event_at(replica->world, PBFT_EVENT_EXECUTED);
    if (task->kind == TASK_EXECUTED) {
        event.executed = task->executed;
        return step(replica, &event, &verdict);
    }
    event.type = PBFT_EVENT_TIMEOUT;
    event.timer = PBFT_TIMER_COUNT;
    return pbft_deadline(pbft_driver_replica(replica->driver)) > event.now ||
           step(replica, &event, &verdict);
}

static uint64_t begin_protocol(struct bench_replica *replica,
                               struct bench_task *task)
{
    const struct bench_stage *stage = &replica->stages[STAGE_PROTOCOL];
    uint64_t steps = 1;
    bool is_taken = true;
    if (task->kind == TASK_DURABLE) {
        pbft_driver_durable(replica->driver, task->number);
    } else if (task->kind == TASK_MESSAGES) {
        uint64_t before = task->number;
        is_taken = step_messages(replica, task);
        steps = task->number - before;
    } else {
        is_taken = step_once(replica, task);
    }
    task->is_refused = !is_taken;
    if (stage->first == NULL || !is_taken) {
        pbft_driver_flush(replica->driver);
    }
    return bench_cost(replica->world, COST_MESSAGE, steps) +
           bench_take_counts(replica);
}

/* ---- the log --------------------------------------------------------------
 */

static void write_log(struct bench_replica *replica)
{
    if (!replica->is_log_busy && replica->log_ticket != 0) {
        struct bench_task *task = bench_task_new(TASK_LOG);
        replica->is_log_busy = true;
        bench_stage_push(replica->world, &replica->stages[STAGE_LOG], task);
    }
}

/* Takes everything that waits: one synced write for a burst. */
static uint64_t begin_log(struct bench_replica *replica,
                          struct bench_task *task)
{
    struct bench_world *world = replica->world;
    uint64_t bytes = replica->log_bytes;
    task->number = replica->log_ticket;
    task->device_ns = bench_cost(world, COST_SYNC, 1) +
                      bench_cost(world, COST_SYNC_BYTE, bytes);
    replica->log_ticket = 0;
    replica->log_bytes = 0;
    return bench_cost(world, COST_LOG, 1) + bench_cost(world, COST_BYTE, bytes);
}

static void end_log(struct bench_replica *replica,
                    const struct bench_task *task)
{
    struct bench_world *world = replica->world;
    uint64_t done_ns = world->now_ns + task->device_ns;
    if (world->settings->is_shared) { /* One disk serves all, one by one. */
        uint64_t free_ns = world->disk_free_ns;
        done_ns = (free_ns > world->now_ns ? free_ns : world->now_ns) +
                  task->device_ns;
        world->disk_free_ns = done_ns;
    }
    replica->disk_ns += task->device_ns;
    bench_schedule(world, EVENT_SYNCED, replica->id, task->number, NULL,
                   done_ns);
}

void bench_on_synced(struct bench_replica *replica, pbft_ticket ticket)
{
    struct bench_task *task = bench_task_new(TASK_DURABLE);
    struct bench_stage *stage = &replica->stages[STAGE_PROTOCOL];
    replica->syncs++;
    replica->is_log_busy = false;
    task->number = ticket;
    write_log(replica);
    bench_stage_push_front(replica->world, stage, task);
    task = replica->stalled_first;
    replica->stalled_first = NULL;
    replica->stalled_last = NULL;
    while (task != NULL) {
        struct bench_task *next = task->next;
        bench_stage_push(replica->world, stage, task);
        task = next;
    }
}

void bench_on_timer(struct bench_replica *replica)
{
    replica->timer_ns = UINT64_MAX;
    bench_stage_push(replica->world, &replica->stages[STAGE_PROTOCOL],
                     bench_task_new(TASK_TIMER));
}

/* The driver tells changes only. */
static void rearm(struct bench_replica *replica)
{
    struct bench_world *world = replica->world;
    uint64_t next = pbft_deadline(pbft_driver_replica(replica->driver));
    uint64_t soonest = world->now_ns / NS_PER_MS + 1;
    next = next < soonest ? soonest : next;
    if (next < UINT64_MAX / NS_PER_MS && next * NS_PER_MS < replica->timer_ns) {
        replica->timer_ns = next * NS_PER_MS;
        bench_schedule(world, EVENT_TIMER, replica->id, replica->timer_ns, NULL,
                       replica->timer_ns);
    }
}

/* ---- blocks ---------------------------------------------------------------
 */

static const struct pbft_batch *batch_of(const struct pbft_message *committed)
{
    return &committed->committed.pre_prepare->pre_prepare.body->batch;
}

static uint64_t begin_execute(const struct bench_replica *replica,
                              const struct bench_task *task)
{
    const struct bench_world *world = replica->world;
    const struct pbft_batch *batch = batch_of(task->message);
    uint64_t transactions =
        (uint64_t)batch->request_count * world->settings->per_request;
    return bench_cost(world, COST_BLOCK, 1) +
           bench_cost(world, COST_TRANSACTION, transactions);
}

static void end_execute(struct bench_replica *replica, struct bench_task *task)
{
    struct bench_task *next = bench_task_new(TASK_EXECUTED);
    const struct pbft_pre_prepare *header =
        &task->message->committed.pre_prepare->pre_prepare;
    const struct pbft_message **place =
        &replica->blocks[header->seq % BENCH_RING_SIZE];
    pbft_message_unref(*place);
    *place = pbft_message_ref(task->message);
    next->executed =
        (struct pbft_attestation){.seq = header->seq,
                                  .block_time = batch_of(task->message)->time,
                                  .block_digest = header->digest,
                                  .results_root = header->digest,
                                  .ledger_root = header->digest};
    replica->blocks_executed++;
    bench_stage_push(replica->world, &replica->stages[STAGE_PROTOCOL], next);
}

/* The own clients' requests of a block that is proven. */
static void push_replies(struct bench_replica *replica, pbft_seq seq)
{
    const struct pbft_message *block = replica->blocks[seq % BENCH_RING_SIZE];
    if (block == NULL || pbft_message_seq(block) != seq) {
        return;
    }
    const struct pbft_batch *batch = batch_of(block);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        if (memcmp(&request->client, &replica->client.signer.key,
                   sizeof request->client) == 0) {
            struct bench_task *reply = bench_task_new(TASK_REPLY);
            reply->number = request->sequence;
            bench_stage_push(replica->world, &replica->stages[STAGE_SEND],
                             reply);
        }
    }
}

/* ---- all tasks ------------------------------------------------------------
 */

void bench_apply_deferred(struct bench_replica *replica)
{
    struct bench_world *world = replica->world;
    struct bench_task *task = replica->deferred_first;
    replica->deferred_first = NULL;
    replica->deferred_last = NULL;
    while (task != NULL) {
        struct bench_task *next = task->next;
        if (task->kind == TASK_LOG) {
            replica->log_ticket = task->number;
            replica->log_bytes += task->bytes;
            bench_task_free(task);
            write_log(replica);
        } else if (task->kind == TASK_EXECUTE) {
            bench_stage_push(world, &replica->stages[STAGE_EXECUTE], task);
        } else if (task->kind == TASK_SEND) {
            bench_stage_push(world, &replica->stages[STAGE_SEND], task);
        } else {
            push_replies(replica, task->number);
            bench_task_free(task);
        }
        task = next;
    }
}

uint64_t bench_begin(struct bench_world *world, struct bench_task *task)
{
    struct bench_replica *replica = task->stage->replica;
    uint64_t votes = pbft_faults_max(world->settings->replicas) + 1;
    switch (task->kind) {
    case TASK_SUBMIT:
        return bench_cost(world, COST_CLIENT_REQUEST, 1) +
               bench_cost(world, COST_CLIENT_TRANSACTION,
                          world->settings->per_request);
    case TASK_ACCEPT:
        return bench_cost(world, COST_VERIFY, votes);
    case TASK_GATEWAY:
        return bench_cost(world, COST_REQUEST, 1) +
               bench_cost(world, COST_BYTE, task->envelope->bytes);
    case TASK_RECEIVE:
        return bench_cost(world, COST_ENVELOPE, 1) +
               bench_cost(world, COST_BYTE, task->envelope->bytes);
    case TASK_VERIFY:
        return begin_verify(replica, task);
    case TASK_LOG:
        return begin_log(replica, task);
    case TASK_EXECUTE:
        return begin_execute(replica, task);
    case TASK_SEND:
        return task->cost_ns;
    case TASK_REPLY:
        return bench_cost(world, COST_ENVELOPE, 1) +
               bench_cost(world, COST_BYTE, votes * REPLY_BYTES_PER_VOTE);
    default:
        return begin_protocol(replica, task);
    }
}

static void pass_on(struct bench_world *world, struct bench_replica *replica,
                    struct bench_task *task, enum bench_task_kind kind,
                    enum bench_stage_kind stage)
{
    struct bench_task *next = bench_task_new(kind);
    next->envelope = task->envelope;
    task->envelope = NULL;
    bench_stage_push(world, &replica->stages[stage], next);
}

static void end_protocol(struct bench_replica *replica, struct bench_task *task)
{
    bench_apply_deferred(replica);
    if (task->is_refused) {
        struct bench_task *again = bench_task_new(task->kind);
        again->envelope = task->envelope;
        again->number = task->number;
        again->executed = task->executed;
        task->envelope = NULL;
        if (replica->stalled_last == NULL) {
            replica->stalled_first = again;
        } else {
            replica->stalled_last->next = again;
        }
        replica->stalled_last = again;
    }
    if (task->kind == TASK_TIMER) {
        rearm(replica);
    }
}

void bench_end(struct bench_world *world, struct bench_task *task)
{
    struct bench_replica *replica = task->stage->replica;
    if (task->kind == TASK_SUBMIT) {
        bench_load_submit(replica, task);
    } else if (task->kind == TASK_ACCEPT) {
        bench_load_accept(replica, task->number);
    } else if (task->kind == TASK_GATEWAY || task->kind == TASK_RECEIVE) {
        pass_on(world, replica, task, TASK_VERIFY, STAGE_VERIFY);
    } else if (task->kind == TASK_VERIFY) {
        pass_on(world, replica, task, TASK_MESSAGES, STAGE_PROTOCOL);
    } else if (task->kind == TASK_LOG) {
        end_log(replica, task);
    } else if (task->kind == TASK_EXECUTE) {
        end_execute(replica, task);
    } else if (task->kind == TASK_SEND) {
        for (uint32_t i = 0; i < task->envelope_count; i++) {
            bench_send(world, task->envelopes[i]);
        }
        task->envelope_count = 0;
    } else if (task->kind == TASK_REPLY) {
        struct bench_task *accept = bench_task_new(TASK_ACCEPT);
        accept->number = task->number;
        bench_stage_push(world, &replica->stages[STAGE_LOAD], accept);
    } else {
        end_protocol(replica, task);
    }
    bench_task_free(task);
}
