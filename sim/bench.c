/* SPDX-License-Identifier: Apache-2.0 */
/* A whole measurement: warm up, measure, sum up. */
#include "sim/bench.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/bench_world.h"

#define NS_PER_SECOND 1e9
#define COST_UNIT 1024
#define STREAM_BENCH 6
#define EPOCH_FIRST 1
#define WIRE_BYTES_MAX (64u * 1024 * 1024)

void bench_defaults(struct bench_settings *settings, uint32_t replicas)
{
    memset(settings, 0, sizeof *settings);
    settings->replicas = replicas;
    (void)bench_latency_preset(&settings->latency, "lan");
    settings->nic_bits_per_second = 1e9;
    settings->link_bits_per_second = 1e9;
    settings->clients = BENCH_CLIENTS_DEFAULT;
    settings->payload = 256;
    settings->per_request = 64;
    settings->duration_s = 10;
    settings->warm_up_s = 2;
    settings->events_max = 5000000;
    settings->cores = 4;
    settings->seed = 1;
    pbft_config_defaults(&settings->replica);
    cost_defaults(&settings->costs);
}

const char *bench_resource_name(enum bench_resource resource)
{
    static const char *const names[RESOURCE_COUNT] = {
        [STAGE_RECEIVE] = "receive thread",
        [STAGE_VERIFY] = "verify workers",
        [STAGE_PROTOCOL] = "protocol thread",
        [STAGE_LOG] = "log thread",
        [STAGE_EXECUTE] = "executor",
        [STAGE_SEND] = "send thread",
        [RESOURCE_DISK] = "disk",
        [RESOURCE_CORES] = "cores",
        [RESOURCE_NIC_OUT] = "NIC out",
        [RESOURCE_NIC_IN] = "NIC in"};
    return names[resource];
}

const char *bench_bottleneck(const struct bench_result *result, double *share,
                             bool *is_primary)
{
    enum bench_resource worst = RESOURCE_CORES;
    *share = 0;
    *is_primary = true;
    for (unsigned i = 0; i < RESOURCE_COUNT; i++) {
        if (result->primary[i] > *share) {
            worst = (enum bench_resource)i;
            *share = result->primary[i];
            *is_primary = true;
        }
        if (result->backup[i] > *share) {
            worst = (enum bench_resource)i;
            *share = result->backup[i];
            *is_primary = false;
        }
    }
    return bench_resource_name(worst);
}

/* ---- the event loop --------------------------------------------------------
 */

static void dispatch(struct bench_world *world, const struct sim_event *event)
{
    struct bench_replica *replica = &world->replicas[event->target];
    struct bench_envelope *envelope = event->item;
    world->now_ns = event->time_us;
    world->events++;
    switch ((enum bench_event)event->argument) {
    case EVENT_TASK_ENDS:
        bench_task_ended(world, event->item);
        return;
    case EVENT_ARRIVES:
        bench_on_arrival(world, envelope);
        return;
    case EVENT_RECEIVED: {
        struct bench_task *task = bench_task_new(
            envelope->from == PBFT_SENDER_CLIENT ? TASK_GATEWAY : TASK_RECEIVE);
        task->envelope = envelope;
        bench_stage_push(world, &replica->stages[STAGE_RECEIVE], task);
        return;
    }
    case EVENT_SYNCED:
        bench_on_synced(replica, event->number);
        return;
    case EVENT_TIMER:
        if (event->number == replica->timer_ns) {
            bench_on_timer(replica);
        }
        return;
    case EVENT_CLIENT:
        bench_load_on_event(world, event->target);
        return;
    }
}

/* False: the budget of events is used up. */
static bool run_until(struct bench_world *world, double seconds,
                      uint64_t events_max)
{
    uint64_t until_ns = (uint64_t)(seconds * NS_PER_SECOND);
    const struct sim_event *next = sim_queue_peek(&world->queue);
    while (next != NULL && next->time_us <= until_ns) {
        if (world->events >= events_max) {
            return false;
        }
        struct sim_event event = sim_queue_pop(&world->queue);
        dispatch(world, &event);
        next = sim_queue_peek(&world->queue);
    }
    world->now_ns = until_ns;
    return true;
}

/* ---- set up and tear down ---------------------------------------------------
 */

static void world_init(struct bench_world *world,
                       const struct bench_settings *settings)
{
    *world = (struct bench_world){.settings = settings};
    for (unsigned i = 0; i < COST_COUNT; i++) {
        world->cost[i] =
            (uint64_t)(cost_ns(&settings->costs, (enum cost)i) * COST_UNIT);
    }
    double share = settings->costs.value[COST_CORE_SHARE];
    world->slowness = settings->is_shared && share > 0 ? 1 / share : 1;
    sim_queue_init(&world->queue);
    random_init(&world->random, settings->seed, STREAM_BENCH);
    wire_buffer_init(&world->wire, WIRE_BYTES_MAX);
    world->shared_machine.cores = settings->is_shared ? settings->cores : 0;
    world->keyring.epoch = EPOCH_FIRST;
    world->keyring.replica_count = settings->replicas;
    world->replicas = calloc(settings->replicas, sizeof world->replicas[0]);
    PBFT_ASSERT(world->replicas != NULL);
    for (uint32_t i = 0; i < settings->replicas; i++) {
        bench_replica_init(world, i);
    }
    for (uint32_t i = 0; i < settings->replicas; i++) {
        bench_replica_start(&world->replicas[i]);
    }
}

static void drop_event(const struct sim_event *event)
{
    if (event->argument == EVENT_TASK_ENDS) {
        bench_task_free(event->item);
    } else if (event->argument == EVENT_ARRIVES ||
               event->argument == EVENT_RECEIVED) {
        bench_envelope_free(event->item);
    }
}

static void world_deinit(struct bench_world *world)
{
    while (sim_queue_peek(&world->queue) != NULL) {
        struct sim_event event = sim_queue_pop(&world->queue);
        drop_event(&event);
    }
    for (uint32_t i = 0; i < world->settings->replicas; i++) {
        bench_replica_deinit(&world->replicas[i]);
    }
    sim_queue_deinit(&world->queue);
    wire_buffer_deinit(&world->wire);
    free(world->replicas);
    free(world->latencies_us);
}

/* ---- what came of it
 * ---------------------------------------------------------
 */

/* Counting begins anew when the warm-up is over. */
static void begin_measuring(struct bench_world *world)
{
    for (uint32_t i = 0; i < world->settings->replicas; i++) {
        struct bench_replica *replica = &world->replicas[i];
        for (unsigned s = 0; s < STAGE_COUNT; s++) {
            replica->stages[s].busy_ns = 0;
        }
        replica->own_machine.busy_ns = 0;
        replica->syncs = 0;
        replica->disk_ns = 0;
        replica->nic_out_ns = 0;
        replica->nic_in_ns = 0;
        replica->bytes_sent = 0;
        replica->blocks_executed = 0;
    }
    world->shared_machine.busy_ns = 0;
    world->is_measuring = true;
    world->measured_from_ns = world->now_ns;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void sum_latencies(struct bench_world *world, struct bench_result *out)
{
    static const double parts[] = {0.5, 0.95, 0.99, 0.999};
    if (world->latency_count == 0) {
        return;
    }
    qsort(world->latencies_us, world->latency_count,
          sizeof world->latencies_us[0], compare);
    for (unsigned i = 0; i < 4; i++) {
        size_t at = (size_t)(parts[i] * (double)world->latency_count);
        at = at < world->latency_count ? at : world->latency_count - 1;
        out->latency_ms[i] = world->latencies_us[at] / 1000.0;
    }
}

static uint64_t replica_cpu_ns(const struct bench_replica *replica)
{
    uint64_t ns = 0;
    for (unsigned s = 0; s < STAGE_LOAD; s++) {
        ns += replica->stages[s].busy_ns;
    }
    return ns;
}

static void sum_resources(const struct bench_replica *replica, double ns,
                          double *shares)
{
    const struct bench_machine *machine =
        replica->stages[STAGE_PROTOCOL].machine;
    double busy[RESOURCE_COUNT];
    for (unsigned s = 0; s < STAGE_LOAD; s++) {
        busy[s] = (double)replica->stages[s].busy_ns / replica->stages[s].width;
    }
    busy[RESOURCE_DISK] = (double)replica->disk_ns;
    busy[RESOURCE_CORES] = (double)machine->busy_ns / machine->cores;
    busy[RESOURCE_NIC_OUT] = (double)replica->nic_out_ns;
    busy[RESOURCE_NIC_IN] = (double)replica->nic_in_ns;
    for (unsigned i = 0; i < RESOURCE_COUNT; i++) {
        /* What waits at a NIC was counted when it came. */
        double share = busy[i] < ns ? busy[i] / ns : 1;
        shares[i] = share > shares[i] ? share : shares[i];
    }
}

static void sum_replicas(const struct bench_world *world,
                         struct bench_result *out)
{
    uint32_t n = world->settings->replicas;
    double transactions =
        (double)world->requests_done * world->settings->per_request;
    double cpu = 0;
    double client_cpu = 0;
    double syncs = 0;
    double sent = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct bench_replica *replica = &world->replicas[i];
        struct pbft_report report;
        pbft_replica_report(pbft_driver_replica(replica->driver), &report);
        out->view = report.view > out->view ? report.view : out->view;
        cpu += (double)replica_cpu_ns(replica) / 1000;
        client_cpu += (double)replica->stages[STAGE_LOAD].busy_ns / 1000;
        syncs += (double)replica->syncs;
        sent += (double)replica->bytes_sent;
        sum_resources(replica, out->seconds * NS_PER_SECOND,
                      report.primary == i ? out->primary : out->backup);
    }
    out->transactions_per_second = transactions / out->seconds;
    out->requests_per_second = (double)world->requests_done / out->seconds;
    out->syncs_per_second = syncs / n / out->seconds;
    if (transactions > 0) {
        double blocks = (double)world->replicas[0].blocks_executed;
        out->cpu_us_per_transaction = cpu / transactions;
        out->client_cpu_us_per_transaction = client_cpu / transactions;
        out->sent_bytes_per_transaction = sent / transactions;
        out->transactions_per_block = blocks > 0 ? transactions / blocks : 0;
    }
}

void bench_run(const struct bench_settings *settings, struct bench_result *out)
{
    struct bench_world world;
    PBFT_ASSERT(settings->replicas >= 1 &&
                settings->replicas <= BENCH_REPLICAS_MAX);
    PBFT_ASSERT(settings->cores > 0 && settings->per_request > 0);
    world_init(&world, settings);
    bench_load_start(&world);
    /* The warm-up may use up a third of the budget. */
    bool is_whole =
        run_until(&world, settings->warm_up_s, settings->events_max / 3);
    begin_measuring(&world);
    double from = (double)world.now_ns / NS_PER_SECOND;
    is_whole =
        run_until(&world, from + settings->duration_s, settings->events_max) &&
        is_whole;
    *out = (struct bench_result){
        .events = world.events, .is_cut = !is_whole, .refused = world.refused};
    out->seconds = (double)world.now_ns / NS_PER_SECOND - from;
    if (out->seconds > 0) {
        sum_latencies(&world, out);
        sum_replicas(&world, out);
    }
    world_deinit(&world);
}
