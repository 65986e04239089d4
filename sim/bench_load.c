/* SPDX-License-Identifier: Apache-2.0 */
/* The clients: each at the replica of its institution, in an open or a closed
 * loop. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "sim/bench_world.h"

#define NS_PER_SECOND 1e9
/* One way inside an institution. */
#define CLIENT_DELAY_NS 50000
/* A client that is refused tries again. */
#define RETRY_NS 20000000
/* What a transaction is besides its payload: type, identifiers, times. */
#define TRANSACTION_BYTES 90
#define REQUESTS_FIRST 1024

static void schedule_client(struct bench_world *world, uint32_t replica,
                            uint64_t delay_ns)
{
    bench_schedule(world, EVENT_CLIENT, replica, 0, NULL,
                   world->now_ns + delay_ns);
}

/* Open loop: when the next one comes. */
static void schedule_arrival(struct bench_world *world, uint32_t replica)
{
    const struct bench_settings *settings = world->settings;
    double mean = NS_PER_SECOND * settings->replicas * settings->per_request /
                  settings->rate;
    /* In microseconds, to stay inside what is drawn. */
    uint64_t mean_us = (uint64_t)(mean / 1000) + 1;
    mean_us = mean_us < UINT32_MAX ? mean_us : UINT32_MAX;
    schedule_client(world, replica,
                    random_exponential(&world->random, mean_us) * 1000 + 1);
}

void bench_load_start(struct bench_world *world)
{
    const struct bench_settings *settings = world->settings;
    if (settings->rate > 0) {
        for (uint32_t i = 0; i < settings->replicas; i++) {
            schedule_arrival(world, i);
        }
        return;
    }
    for (uint32_t i = 0; i < settings->clients; i++) {
        schedule_client(world, i % settings->replicas,
                        random_below(&world->random, 10000000));
    }
}

void bench_load_on_event(struct bench_world *world, uint32_t index)
{
    struct bench_replica *replica = &world->replicas[index];
    struct bench_task *task = bench_task_new(TASK_SUBMIT);
    if (replica->next_request == replica->request_capacity) {
        replica->request_capacity = replica->request_capacity == 0
                                        ? REQUESTS_FIRST
                                        : 2 * replica->request_capacity;
        replica->requests =
            realloc(replica->requests,
                    replica->request_capacity * sizeof replica->requests[0]);
        PBFT_ASSERT(replica->requests != NULL);
    }
    replica->requests[replica->next_request++] =
        (struct bench_request){.begun_ns = world->now_ns};
    task->number = replica->next_request;
    bench_stage_push(world, &replica->stages[STAGE_LOAD], task);
    if (world->settings->rate > 0) {
        schedule_arrival(world, index);
    }
}

/* The request is made and goes to the gateway. */
void bench_load_submit(struct bench_replica *replica, struct bench_task *task)
{
    struct bench_world *world = replica->world;
    const struct bench_settings *settings = world->settings;
    size_t size =
        (size_t)settings->per_request * (settings->payload + TRANSACTION_BYTES);
    uint8_t *payload = calloc(1, size);
    struct bench_envelope *envelope =
        calloc(1, sizeof *envelope + sizeof envelope->messages[0]);
    PBFT_ASSERT(payload != NULL && envelope != NULL);
    struct pbft_request fields = {.client = replica->client.signer.key,
                                  .session = 1,
                                  .sequence = task->number,
                                  .payload = {payload, size}};
    fields.institution.bytes[0] = (uint8_t)replica->id;
    struct pbft_message *request = pbft_request_create(
        &replica->client_domain, &fields, PBFT_SENDER_CLIENT, NULL);
    PBFT_ASSERT(request != NULL);
    pbft_message_sign(&replica->client_domain, request);
    free(payload);
    replica->counts = (struct bench_counts){0}; /* The client's, not its. */
    envelope->from = PBFT_SENDER_CLIENT;
    envelope->to = replica->id;
    envelope->count = 1;
    envelope->messages[0] = request;
    envelope->bytes = bench_message_bytes(world, request);
    bench_schedule(world, EVENT_RECEIVED, replica->id, 0, envelope,
                   world->now_ns + CLIENT_DELAY_NS);
}

static void note_latency(struct bench_world *world, uint64_t ns)
{
    if (world->latency_count == world->latency_capacity) {
        world->latency_capacity = world->latency_capacity == 0
                                      ? REQUESTS_FIRST
                                      : 2 * world->latency_capacity;
        world->latencies_us =
            realloc(world->latencies_us,
                    world->latency_capacity * sizeof world->latencies_us[0]);
        PBFT_ASSERT(world->latencies_us != NULL);
    }
    uint64_t us = ns / 1000;
    world->latencies_us[world->latency_count++] =
        us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void bench_load_accept(struct bench_replica *replica, uint64_t request)
{
    struct bench_world *world = replica->world;
    struct bench_request *own = &replica->requests[request - 1];
    if (own->is_done) {
        return; /* Its block was proven again. */
    }
    own->is_done = true;
    if (world->is_measuring) {
        world->requests_done++;
        note_latency(world, world->now_ns + CLIENT_DELAY_NS - own->begun_ns);
    }
    if (world->settings->rate <= 0) {
        schedule_client(world, replica->id, CLIENT_DELAY_NS);
    }
}

void bench_load_refused(struct bench_replica *replica,
                        const struct pbft_message *request)
{
    struct bench_world *world = replica->world;
    world->refused += world->is_measuring;
    replica->requests[request->request.sequence - 1].is_done = true;
    if (world->settings->rate <= 0) {
        schedule_client(world, replica->id, RETRY_NS);
    }
}
