/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of functions through which the driver of a replica acts. What it
 * asks for is deferred until the time of the step is over. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/bench_world.h"

void bench_defer(struct bench_replica *replica, struct bench_task *task)
{
    task->next = NULL;
    if (replica->deferred_last == NULL) {
        replica->deferred_first = task;
    } else {
        replica->deferred_last->next = task;
    }
    replica->deferred_last = task;
}

static void log_append(void *context, pbft_ticket ticket,
                       const struct pbft_record *records, size_t count)
{
    struct bench_replica *replica = context;
    struct bench_task *task = bench_task_new(TASK_LOG);
    task->number = ticket;
    for (size_t i = 0; i < count; i++) {
        task->bytes += bench_message_bytes(replica->world, records[i].message);
    }
    bench_defer(replica, task);
}

static void log_truncate(void *context, pbft_seq stable_seq)
{
    (void)context; /* Dropping old records costs next to nothing. */
    (void)stable_seq;
}

/* All messages of the turn for one receiver; NULL: there are none. */
static struct bench_envelope *gather(const struct bench_replica *replica,
                                     pbft_replica_id to,
                                     const struct pbft_send *sends,
                                     const size_t *bytes, size_t count)
{
    struct bench_envelope *envelope = NULL;
    uint32_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        wanted += pbft_set_has(&sends[i].to, to);
    }
    if (wanted == 0) {
        return NULL;
    }
    envelope =
        calloc(1, sizeof *envelope + wanted * sizeof envelope->messages[0]);
    PBFT_ASSERT(envelope != NULL);
    envelope->from = replica->id;
    envelope->to = to;
    for (size_t i = 0; i < count; i++) {
        if (pbft_set_has(&sends[i].to, to)) {
            envelope->messages[envelope->count++] =
                pbft_message_ref(sends[i].message);
            envelope->bytes += bytes[i];
        }
    }
    return envelope;
}

static void transport_send(void *context, const struct pbft_send *sends,
                           size_t count)
{
    struct bench_replica *replica = context;
    struct bench_world *world = replica->world;
    uint32_t n = world->settings->replicas;
    size_t *bytes = calloc(count + 1, sizeof bytes[0]);
    struct bench_task *task = bench_task_new(TASK_SEND);
    task->envelopes = calloc(n, sizeof task->envelopes[0]);
    PBFT_ASSERT(bytes != NULL && task->envelopes != NULL);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = bench_message_bytes(world, sends[i].message);
        task->cost_ns += bench_cost(world, COST_MESSAGE, 1);
    }
    for (pbft_replica_id id = 0; id < n; id++) {
        struct bench_envelope *envelope =
            id == replica->id ? NULL : gather(replica, id, sends, bytes, count);
        if (envelope != NULL) {
            task->envelopes[task->envelope_count++] = envelope;
            task->cost_ns += bench_cost(world, COST_ENVELOPE, 1) +
                             bench_cost(world, COST_BYTE, envelope->bytes);
        }
    }
    free(bytes);
    bench_defer(replica, task);
}

static void service_execute(void *context, const struct pbft_commit *commit)
{
    struct bench_task *task = bench_task_new(TASK_EXECUTE);
    task->message = pbft_message_ref(commit->committed);
    bench_defer(context, task);
}

static void service_attested(void *context,
                             const struct pbft_attested *attested)
{
    struct bench_task *task = bench_task_new(TASK_REPLY);
    task->number = attested->seq;
    bench_defer(context, task);
}

static void service_serve(void *context, const struct pbft_serve *serve)
{
    (void)context; /* Nobody is ever so far behind: nothing is lost. */
    (void)serve;
}

static void service_read_body(void *context, const struct pbft_body_read *read)
{
    (void)context; /* All are honest: no place has two batches. */
    (void)read;
}

static void timer_arm(void *context, pbft_time_ms deadline)
{
    struct bench_replica *replica = context;
    struct bench_world *world = replica->world;
    if (deadline >= UINT64_MAX / 1000000) {
        return;
    }
    uint64_t at = deadline * 1000000;
    at = at < world->now_ns ? world->now_ns : at;
    if (at < replica->timer_ns) {
        replica->timer_ns = at;
        bench_schedule(world, EVENT_TIMER, replica->id, at, NULL, at);
    }
}

void bench_make_driver(struct bench_replica *replica, struct pbft_replica *core)
{
    const struct pbft_log log = {replica, log_append, log_truncate};
    const struct pbft_transport transport = {replica, transport_send};
    const struct pbft_service service = {.context = replica,
                                         .execute = service_execute,
                                         .attested = service_attested,
                                         .serve = service_serve,
                                         .read_body = service_read_body};
    const struct pbft_timer_service timer = {replica, timer_arm};
    replica->driver =
        pbft_driver_create(core, &log, &transport, &service, &timer);
    PBFT_ASSERT(replica->driver != NULL);
}
