/* SPDX-License-Identifier: Apache-2.0 */
/* The consortium and its event loop. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"

#define STREAM_HOSTS 2
#define CLUSTER_BYTE 0x5a
#define EPOCH_FIRST 1

/* The hook of assertions knows no run. */
static const struct sim *created_last;

struct sim *sim_create(const struct sim_settings *settings, uint64_t seed,
                       FILE *trace_out)
{
    PBFT_ASSERT(settings->n >= 1 && settings->n <= PBFT_REPLICAS_MAX);
    struct sim *sim = calloc(1, sizeof *sim);
    PBFT_ASSERT(sim != NULL);
    sim->settings = *settings;
    sim->seed = seed;
    memset(&sim->cluster, CLUSTER_BYTE, sizeof sim->cluster);
    sim_queue_init(&sim->queue);
    random_init(&sim->random, seed, STREAM_HOSTS);
    network_init(&sim->network, sim, seed);
    sim->network.settings = settings->network;
    auditor_init(&sim->auditor);
    faults_init(&sim->faults, seed);
    adversaries_init(&sim->adversaries, seed);
    hostiles_init(&sim->hostiles, seed);
    trace_init(&sim->trace, trace_out);
    sim->keyring.epoch = EPOCH_FIRST;
    sim->keyring.replica_count = settings->n;
    for (uint32_t i = 0; i < settings->n; i++) {
        char name[HOST_NAME_SIZE];
        (void)snprintf(name, sizeof name, "R%u", i % 1000);
        sim->hosts[i] = calloc(1, sizeof *sim->hosts[i]);
        PBFT_ASSERT(sim->hosts[i] != NULL);
        host_init(sim->hosts[i], sim, i, i, name);
        sim->keyring.keys[i] = sim->hosts[i]->signer.key;
    }
    sim->host_count = settings->n;
    created_last = sim;
    return sim;
}

const struct sim *sim_created_last(void)
{
    return created_last;
}

void sim_assertion_failed(const char *file, int line, const char *expression,
                          struct sim_violation *out)
{
    const struct sim *sim = created_last;
    const struct host *host = sim == NULL ? NULL : sim->acting;
    *out = (struct sim_violation){
        .found = true,
        .is_assertion = true,
        .rule = audit_assertion_rule(file, expression),
        .event = sim == NULL ? 0 : sim->events,
        .time_us = sim == NULL ? 0 : sim->now_us,
    };
    (void)snprintf(out->text, sizeof out->text, "%s%sassertion at %s:%d: %s",
                   host == NULL ? "" : host->name, host == NULL ? "" : ": ",
                   file, line, expression);
}

void sim_destroy(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        host_deinit(sim->hosts[i]);
        free(sim->hosts[i]);
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        client_deinit(sim->clients[i]);
        free(sim->clients[i]);
    }
    if (sim->load != NULL) {
        sim->settings.service->load->destroy(sim->load);
    }
    faults_deinit(&sim->faults);
    adversaries_deinit(&sim->adversaries);
    network_deinit(&sim->network);
    sim_queue_deinit(&sim->queue);
    auditor_deinit(&sim->auditor);
    created_last = created_last == sim ? NULL : created_last;
    free(sim);
}

struct client *sim_add_client(struct sim *sim, const char *name)
{
    PBFT_ASSERT(sim->client_count < SIM_CLIENTS_MAX);
    struct client *client = calloc(1, sizeof *client);
    PBFT_ASSERT(client != NULL);
    client_init(client, sim, sim->client_count, name);
    sim->clients[sim->client_count++] = client;
    return client;
}

static void create_load(struct sim *sim)
{
    const struct service_load *load = sim->settings.service->load;
    struct pbft_institution institutions[SIM_CLIENTS_MAX];
    for (uint32_t i = 0; i < sim->client_count; i++) {
        institutions[i] = sim->clients[i]->institution;
    }
    if (load != NULL) {
        sim->load = load->create(sim->seed, sim->client_count, institutions);
    }
}

void sim_learn(struct sim *sim, const struct host *host,
               const struct pbft_message *committed)
{
    const pbft_seq seq = committed->committed.pre_prepare->pre_prepare.seq;
    if (sim->load != NULL && host_is_honest(host) && seq == sim->learned + 1) {
        sim->learned = seq;
        sim->settings.service->load->learn(sim->load, host->service, committed);
    }
}

void sim_start_hosts(struct sim *sim)
{
    create_load(sim);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        host_start(sim->hosts[i]);
    }
}

struct host *sim_add_twin(struct sim *sim, const struct host *original,
                          const char *name)
{
    PBFT_ASSERT(sim->host_count < SIM_HOSTS_MAX);
    struct host *twin = calloc(1, sizeof *twin);
    PBFT_ASSERT(twin != NULL);
    pbft_set_add(&sim->byzantine, original->id);
    host_init(twin, sim, sim->host_count, original->id, name);
    disk_restore(&twin->disk, disk_image_clone(&original->disk.image));
    sim->hosts[sim->host_count++] = twin;
    host_start(twin);
    return twin;
}

uint64_t sim_now_ms(const struct sim *sim)
{
    return sim->now_us / SIM_MS_US;
}

pbft_wall_us sim_wall(const struct sim *sim, const struct host *host)
{
    int64_t offset = host->wall_offset_us;
    if (host->wall_drift_permille != 0) {
        offset += (int64_t)(sim->now_us - host->wall_drift_from_us) *
                  host->wall_drift_permille / 1000;
    }
    return SIM_WALL_START_US + sim->now_us + (uint64_t)offset;
}

const char *sim_actor_name(const struct sim *sim, uint32_t actor)
{
    return actor_is_client(actor) ? sim->clients[actor - SIM_HOSTS_MAX]->name
                                  : sim->hosts[actor]->name;
}

void sim_schedule(struct sim *sim, enum sim_event_kind kind, uint32_t target,
                  uint64_t argument, uint64_t delay_us)
{
    sim_queue_push(&sim->queue,
                   (struct sim_event){.time_us = sim->now_us + delay_us,
                                      .kind = kind,
                                      .target = target,
                                      .argument = argument});
}

static void deliver(struct sim *sim, struct sim_packet *packet)
{
    packet = network_arrive(&sim->network, packet);
    if (packet == NULL) {
        return;
    }
    /* What reaches a process that is not there is lost. */
    sim->events +=
        actor_is_client(packet->to) || sim->hosts[packet->to]->state == HOST_UP;
    if (sim->observer.on_arrive != NULL) {
        sim->observer.on_arrive(sim->observer.context, packet);
    }
    if (actor_is_client(packet->to)) {
        client_on_packet(sim->clients[packet->to - SIM_HOSTS_MAX], packet);
    } else {
        struct host *host = sim->hosts[packet->to];
        sim->acting = host;
        host_on_packet(host, packet);
        audit_state(sim, host);
    }
    network_finish(&sim->network, packet);
}

/* Events that a host alone sees; those of an older life are stale. */
static void dispatch_to_host(struct sim *sim, const struct sim_event *event)
{
    struct host *host = sim->hosts[event->target];
    if (event->argument != host->life || host->state != HOST_UP) {
        return;
    }
    if (event->kind == SIM_EVENT_TIMER && event->time_us != host->timer_at_us) {
        return;
    }
    /* A timer that was moved meanwhile does not fire. */
    sim->events += event->kind != SIM_EVENT_TIMER || host_timer_fires(host);
    sim->acting = host;
    if (event->kind == SIM_EVENT_FLUSH) {
        host_on_flush(host);
    } else if (event->kind == SIM_EVENT_SYNCED) {
        host_on_synced(host, event->number);
    } else if (event->kind == SIM_EVENT_EXECUTED) {
        host_on_executed(host);
    } else if (event->kind == SIM_EVENT_READ) {
        host_on_read(host);
    } else {
        host_on_timer(host, event->time_us);
    }
    audit_state(sim, host);
}

/* A paused process sees nothing: its events wait until it runs again. */
static bool is_postponed(struct sim *sim, const struct sim_event *event)
{
    if (event->kind > SIM_EVENT_TIMER || actor_is_client(event->target)) {
        return false;
    }
    struct host *host = sim->hosts[event->target];
    if (host->paused_until_us <= sim->now_us) {
        return false;
    }
    struct sim_event later = *event;
    const uint64_t left_us = host->paused_until_us - sim->now_us;
    later.postponed_us = sim->now_us;
    later.time_us =
        left_us < SIM_PAUSE_STEP_US
            ? host->paused_until_us
            : sim->now_us + left_us / SIM_PAUSE_STEP_US * SIM_PAUSE_STEP_US;
    if (event->kind == SIM_EVENT_TIMER && event->time_us == host->timer_at_us) {
        host->timer_at_us = later.time_us;
    }
    sim_queue_push(&sim->queue, later);
    return true;
}

void sim_dispatch(struct sim *sim, const struct sim_event *event)
{
    /* A script that lets only some events happen leaves others late. */
    if (event->time_us > sim->now_us) {
        sim->now_us = event->time_us;
    }
    sim->acting = NULL;
    if (is_postponed(sim, event)) {
        return;
    }
    switch (event->kind) {
    case SIM_EVENT_DELIVER:
        deliver(sim, event->item);
        return;
    case SIM_EVENT_FLUSH:
    case SIM_EVENT_SYNCED:
    case SIM_EVENT_EXECUTED:
    case SIM_EVENT_READ:
    case SIM_EVENT_TIMER:
        dispatch_to_host(sim, event);
        return;
    case SIM_EVENT_CLIENT:
        client_on_event(sim->clients[event->target], event->argument);
        return;
    case SIM_EVENT_FAULT:
        faults_on_event(sim);
        return;
    case SIM_EVENT_HEAL:
        faults_on_heal(sim, event->argument, event->number);
        return;
    case SIM_EVENT_ADVERSARY:
        adversary_on_tick(sim, event->target);
        return;
    case SIM_EVENT_KIND_COUNT:
        return;
    }
}

bool sim_step(struct sim *sim)
{
    if (sim->violation.found || sim_queue_peek(&sim->queue) == NULL) {
        return false;
    }
    struct sim_event event = sim_queue_pop(&sim->queue);
    sim_dispatch(sim, &event);
    return !sim->violation.found;
}

bool sim_is_settled(const struct sim *sim)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < sim->client_count; i++) {
        const struct client *client = sim->clients[i];
        if (!client_is_done(client)) {
            return false;
        }
        highest = client->seq_max > highest ? client->seq_max : highest;
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct host *host = sim->hosts[i];
        if (liveness_is_core(sim, host) && host->block_count > highest) {
            highest = host->block_count;
        }
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct host *host = sim->hosts[i];
        if (liveness_is_core(sim, host) && host->block_count < highest) {
            return false;
        }
    }
    return true;
}
