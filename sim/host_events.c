/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches a host, and the four vtables through which its driver acts. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

/* A timer that cannot fire is tried again after so long. */
#define STUCK_MS 10

void host_on_packet(struct host *host, const struct sim_packet *packet)
{
    struct sim *sim = host->sim;
    if (host->state != HOST_UP) {
        trace_add(&sim->trace, &(struct trace_line){
                                   .time_us = sim->now_us,
                                   .host = host,
                                   .where = host->name,
                                   .what = "lose",
                                   .from = sim_actor_name(sim, packet->from),
                                   .message = packet->message,
                                   .note = "not up"});
        return;
    }
    if (actor_is_client(packet->from)) {
        if (host->behavior == HOST_ADVERSARY &&
            !adversary_receive(host, packet->message)) {
            return;
        }
        host_on_request(host, packet->from - SIM_HOSTS_MAX, packet->message);
        return;
    }
    pbft_replica_id channel = sim->hosts[packet->from]->id;
    uint64_t checks = host->check_count;
    enum pbft_status status =
        pbft_verify(&host->verifier, channel, packet->message);
    audit_verified(sim, host, packet->message, host->check_count - checks);
    if (status != PBFT_OK) {
        trace_add(&sim->trace,
                  &(struct trace_line){.time_us = sim->now_us,
                                       .host = host,
                                       .where = host->name,
                                       .what = "refuse",
                                       .from = sim->hosts[packet->from]->name,
                                       .message = packet->message,
                                       .note = pbft_status_text(status)});
        return;
    }
    if (host->behavior == HOST_PUPPET &&
        sim->observer.on_puppet_packet != NULL) {
        sim->observer.on_puppet_packet(sim->observer.context, host, packet);
    }
    if (host->behavior == HOST_ADVERSARY &&
        !adversary_receive(host, packet->message)) {
        return;
    }
    audit_receive(sim, host, channel, packet->message);
    if (host_is_answered(host, packet->message)) {
        return; /* Relayed by somebody who has not heard of it. */
    }
    host_push(host, (struct host_input){.type = PBFT_EVENT_RECEIVE,
                                        .message = packet->message});
    host_work(host);
}

void host_on_synced(struct host *host, pbft_ticket ticket)
{
    struct sim *sim = host->sim;
    bool is_good = ticket != 0 && disk_sync(&host->disk, ticket);
    trace_add(&sim->trace,
              &(struct trace_line){.time_us = sim->now_us,
                                   .host = host,
                                   .where = host->name,
                                   .what = "sync",
                                   .from = "-",
                                   .number = ticket,
                                   .note = is_good ? "durable" : "failed"});
    if (!is_good) {
        host->has_disk_failed = true;
        host->state = HOST_HALTED;
        pbft_driver_failed(host->driver);
        return;
    }
    pbft_driver_durable(host->driver, ticket);
    host_work(host);
}

void host_on_executed(struct host *host)
{
    struct sim *sim = host->sim;
    struct service_outcome outcome;
    PBFT_ASSERT(host->is_executing && host->commit_count > 0);
    const struct pbft_message *committed = host->commits[0];
    host->commit_count--;
    memmove(host->commits, host->commits + 1,
            host->commit_count * sizeof host->commits[0]);
    sim->settings.service->execute(host->service, committed, &outcome);
    audit_executed(sim, host, committed, &outcome);
    sim_learn(sim, host, committed);
    host_remember_block(host, committed, &outcome);
    if (!disk_write_block(&host->disk, committed, &outcome.executed)) {
        /* As with a record: nothing more is said. */
        host->has_write_failed = true;
        host->has_disk_failed = true;
        host->state = HOST_HALTED;
        pbft_driver_failed(host->driver);
    }
    pbft_message_unref(committed);
    host->is_executing = host->commit_count > 0;
    if (host->is_executing) {
        sim_schedule(sim, SIM_EVENT_EXECUTED, host->index, host->life,
                     sim->settings.execute_us);
    }
    if (host->state == HOST_UP) {
        host_push(host, (struct host_input){.type = PBFT_EVENT_EXECUTED,
                                            .executed = outcome.executed});
        host_work(host);
    }
}

void host_on_flush(struct host *host)
{
    host->is_flush_scheduled = false;
    pbft_driver_flush(host->driver);
    if (host->inbox_count > 0) {
        host_work(host); /* What was refused as busy. */
    }
}

static uint64_t ticks_us(const struct host *host)
{
    uint64_t passed_us = host->sim->now_us - host->ticks_from_us;
    return host->ticks_us +
           passed_us * (uint64_t)(1000 + host->ticks_drift_permille) / 1000;
}

uint64_t host_now_ms(const struct host *host)
{
    return ticks_us(host) / SIM_MS_US;
}

/* When its clock will show this, or has; UINT64_MAX: it stands. */
static uint64_t time_of_ticks(const struct host *host, uint64_t wanted_us)
{
    const uint64_t rate = (uint64_t)(1000 + host->ticks_drift_permille);
    if (wanted_us <= ticks_us(host)) {
        return host->sim->now_us;
    }
    uint64_t left_us = wanted_us - host->ticks_us;
    if (rate == 0 || left_us > UINT64_MAX / 1000 - rate) {
        return UINT64_MAX;
    }
    return host->ticks_from_us + (left_us * 1000 + rate - 1) / rate;
}

void host_bend_ticks(struct host *host, int32_t drift_permille)
{
    host->ticks_us = ticks_us(host);
    host->ticks_from_us = host->sim->now_us;
    host->ticks_drift_permille = drift_permille;
    if (host->state == HOST_UP) {
        host->timer_at_us = UINT64_MAX;
        host_schedule_timer(host, pbft_deadline(host_replica(host)));
    }
}

void host_schedule_timer(struct host *host, uint64_t deadline_ms)
{
    struct sim *sim = host->sim;
    if (deadline_ms >= UINT64_MAX / SIM_MS_US || host->timers_paused) {
        return;
    }
    uint64_t at_us = time_of_ticks(host, deadline_ms * SIM_MS_US);
    if (at_us < host->timer_at_us) {
        host->timer_at_us = at_us;
        sim_schedule(sim, SIM_EVENT_TIMER, host->index, host->life,
                     at_us - sim->now_us);
    }
}

void host_fire(struct host *host, enum pbft_timer timer)
{
    host_push(host,
              (struct host_input){.type = PBFT_EVENT_TIMEOUT, .timer = timer});
    host_work(host);
}

bool host_timer_fires(const struct host *host)
{
    return !host->timers_paused &&
           pbft_deadline(host_replica(host)) <= host_now_ms(host);
}

void host_on_timer(struct host *host, uint64_t time_us)
{
    if (time_us != host->timer_at_us || host->timers_paused) {
        return; /* An earlier one took its place. */
    }
    host->timer_at_us = UINT64_MAX;
    /* What waits already, since the log is behind, will see the time. */
    bool is_stuck = host->inbox_count > 0;
    if (!is_stuck && host_timer_fires(host)) {
        host_fire(host, PBFT_TIMER_COUNT);
    }
    if (host->state != HOST_UP) {
        return;
    }
    /* The driver tells changes only; a busy replica may be due still. */
    uint64_t next = pbft_deadline(host_replica(host));
    uint64_t soonest = host_now_ms(host) + (is_stuck ? STUCK_MS : 1);
    host_schedule_timer(host, next < soonest ? soonest : next);
}

void host_pause_timers(struct host *host, bool is_paused)
{
    host->timers_paused = is_paused;
    if (is_paused) {
        host->timer_at_us = UINT64_MAX;
    } else if (host->state == HOST_UP) {
        host_schedule_timer(host, pbft_deadline(host_replica(host)));
    }
}

/* ---- vtables ------------------------------------------------------------- */

static void log_append(void *context, pbft_ticket ticket,
                       const struct pbft_record *records, size_t count)
{
    struct host *host = context;
    struct sim *sim = host->sim;
    if (host->has_disk_failed || host->has_write_failed) {
        return;
    }
    if (!disk_write_records(&host->disk, ticket, records, count)) {
        host->has_write_failed = true; /* Reported in the order of tickets. */
        ticket = 0;
    }
    uint64_t delay = host->sync_us;
    if (sim->settings.sync_jitter_us > 0) {
        delay += random_exponential(&sim->random, sim->settings.sync_jitter_us);
    }
    uint64_t at_us = sim->now_us + delay;
    if (at_us < host->synced_at_us) {
        at_us = host->synced_at_us; /* In the order of tickets. */
    }
    host->synced_at_us = at_us;
    sim_queue_push(&sim->queue, (struct sim_event){.time_us = at_us,
                                                   .kind = SIM_EVENT_SYNCED,
                                                   .target = host->index,
                                                   .argument = host->life,
                                                   .number = ticket});
}

static void log_truncate(void *context, pbft_seq stable_seq)
{
    struct host *host = context;
    disk_write_truncate(&host->disk, stable_seq);
}

static void send_to_id(struct host *host, pbft_replica_id id,
                       const struct pbft_message *message)
{
    struct sim *sim = host->sim;
    if (id != host->index) {
        network_send(&sim->network, host->index, id, message, NULL);
    }
    /* Its twins come behind all originals. */
    for (uint32_t i = sim->settings.n; i < sim->host_count; i++) {
        if (sim->hosts[i]->id == id && i != host->index) {
            network_send(&sim->network, host->index, i, message, NULL);
        }
    }
}

static void transport_send(void *context, const struct pbft_send *sends,
                           size_t count)
{
    struct host *host = context;
    struct sim *sim = host->sim;
    for (size_t i = 0; i < count; i++) {
        const bool is_withheld = host->behavior == HOST_PUPPET;
        if (host->behavior == HOST_ADVERSARY) {
            adversary_send(host, &sends[i]);
            continue;
        }
        if (!is_withheld) {
            audit_note_batch(sim, sends[i].message);
            sim->auditor.to = sends[i].to;
            audit_send(sim, host, sends[i].message);
        }
        if (sim->observer.on_send != NULL) {
            sim->observer.on_send(sim->observer.context, host, &sends[i],
                                  is_withheld);
        }
        if (is_withheld) {
            continue;
        }
        trace_mix(&sim->trace, (uint64_t)sends[i].message->type);
        for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
            if (pbft_set_has(&sends[i].to, id)) {
                send_to_id(host, id, sends[i].message);
            }
        }
    }
}

static void service_execute(void *context, const struct pbft_commit *commit)
{
    struct host *host = context;
    struct sim *sim = host->sim;
    audit_commit(sim, host, commit);
    if (host->commit_count == host->commit_capacity) {
        host->commit_capacity =
            host->commit_capacity == 0 ? 16 : 2 * host->commit_capacity;
        host->commits = realloc(host->commits, host->commit_capacity *
                                                   sizeof host->commits[0]);
        PBFT_ASSERT(host->commits != NULL);
    }
    host->commits[host->commit_count++] = pbft_message_ref(commit->committed);
    if (!host->is_executing) {
        host->is_executing = true;
        sim_schedule(sim, SIM_EVENT_EXECUTED, host->index, host->life,
                     sim->settings.execute_us);
    }
}

static void service_proved(void *context, const struct pbft_attested *attested)
{
    struct host *host = context;
    PBFT_ASSERT(attested->seq >= 1 && attested->seq <= host->block_count);
    struct host_block *block = &host->blocks[attested->seq - 1];
    if (block->proof == NULL) {
        block->proof = pbft_message_ref(attested->proof);
        disk_write_proof(&host->disk, attested->seq, attested->proof);
    }
}

static void service_attested(void *context,
                             const struct pbft_attested *attested)
{
    host_answer_waiters(context, attested->seq);
}

static void service_serve(void *context, const struct pbft_serve *serve)
{
    struct host *host = context;
    for (pbft_seq seq = serve->first;
         seq <= serve->last && seq <= host->block_count; seq++) {
        struct pbft_message *block =
            pbft_message_handed_over(host->blocks[seq - 1].committed, host->id);
        PBFT_ASSERT(block != NULL);
        const struct pbft_send send = {.to = pbft_set_one(serve->to),
                                       .message = block};
        transport_send(host, &send, 1);
        pbft_message_unref(block);
    }
}

static void timer_arm(void *context, pbft_time_ms deadline)
{
    host_schedule_timer(context, deadline);
}

void host_make_driver(struct host *host, struct pbft_replica *replica)
{
    const struct pbft_log log = {host, log_append, log_truncate};
    const struct pbft_transport transport = {host, transport_send};
    const struct pbft_service service = {.context = host,
                                         .execute = service_execute,
                                         .proved = service_proved,
                                         .attested = service_attested,
                                         .serve = service_serve,
                                         .read_body = host_read_body};
    const struct pbft_timer_service timer = {host, timer_arm};
    host->driver =
        pbft_driver_create(replica, &log, &transport, &service, &timer);
    PBFT_ASSERT(host->driver != NULL);
}
