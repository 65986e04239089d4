/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a host: work, crash. */
#include "sim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

/* What EXECUTED and TIMEOUT events need when messages fill the inbox. */
#define INBOX_RESERVE 256

static bool is_request_known(const void *context,
                             const struct pbft_digest *digest)
{
    const struct host_cache_handle *handle = context;
    uint64_t at = audit_fold(digest) % HOST_CACHE_SIZE;
    return memcmp(&handle->cache->known[at], digest, sizeof *digest) == 0;
}

static void remember_request(const void *context,
                             const struct pbft_digest *digest)
{
    const struct host_cache_handle *handle = context;
    handle->cache->known[audit_fold(digest) % HOST_CACHE_SIZE] = *digest;
}

static void on_durable(void *context, const struct disk_record *record,
                       const struct pbft_message *message)
{
    const struct host *host = context;
    audit_durable(host->sim, host, record, message);
}

void host_init(struct host *host, struct sim *sim, uint32_t index,
               pbft_replica_id id, const char *name)
{
    *host = (struct host){.sim = sim, .index = index, .id = id};
    (void)snprintf(host->name, sizeof host->name, "%s", name);
    sim_signer_init(&host->signer, "replica", id, sim->settings.signatures);
    host->signer.check_count = &host->check_count;
    host->crypto = sim_signer_crypto(&host->signer);
    host->domain =
        (struct pbft_domain){.crypto = &host->crypto, .cluster = sim->cluster};
    host->config = sim->settings.replica;
    host->config.self = id;
    host->cache = calloc(1, sizeof *host->cache);
    host->inbox = malloc(HOST_INBOX_MAX * sizeof host->inbox[0]);
    PBFT_ASSERT(host->cache != NULL && host->inbox != NULL);
    host->cache_handle.cache = host->cache;
    host->verifier =
        (struct pbft_verifier){.domain = &host->domain,
                               .keyring = &sim->keyring,
                               .window = host->config.window,
                               .cache_context = &host->cache_handle,
                               .is_request_known = is_request_known,
                               .remember_request = remember_request};
    disk_init(&host->disk, &host->domain, id);
    host->disk.context = host;
    host->disk.on_durable = on_durable;
    host->sync_us = sim->settings.sync_us;
    host->timer_at_us = UINT64_MAX;
}

static void on_hastened(void *context, const struct sim_event *event,
                        uint64_t time_us)
{
    struct host *host = context;
    if (event->kind == SIM_EVENT_TIMER && event->time_us == host->timer_at_us) {
        host->timer_at_us = time_us;
    }
}

void host_end_pause(struct host *host)
{
    struct sim *sim = host->sim;
    if (host->paused_until_us > sim->now_us) {
        sim_queue_hasten(&sim->queue, host->index, sim->now_us,
                         SIM_PAUSE_STEP_US, on_hastened, host);
    }
    host->paused_until_us = 0;
}

/* Everything that a power loss takes. */
void host_forget(struct host *host)
{
    host_end_pause(host);
    pbft_driver_destroy(host->driver);
    host->driver = NULL;
    host_keep_past(host);
    for (size_t i = 0; i < host->commit_count; i++) {
        pbft_message_unref(host->commits[i]);
    }
    for (; host->inbox_count > 0; host->inbox_count--) {
        pbft_message_unref(host->inbox[host->inbox_first].message);
        host->inbox_first = (host->inbox_first + 1) % HOST_INBOX_MAX;
    }
    host->commit_count = 0;
    host->read_count = 0;
    host->waiter_count = 0;
    host->is_executing = false;
    host->is_flush_scheduled = false;
    host->has_disk_failed = false;
    host->has_write_failed = false;
    host->timer_at_us = UINT64_MAX;
    host->synced_at_us = 0;
    host->life++;
}

void host_deinit(struct host *host)
{
    host_forget(host);
    host_drop_past(host);
    disk_deinit(&host->disk);
    free(host->commits);
    free(host->reads);
    free(host->waiters);
    free(host->inbox);
    free(host->cache);
}

void host_trace_life(const struct host *host, const char *what)
{
    trace_add(&host->sim->trace,
              &(struct trace_line){.time_us = host->sim->now_us,
                                   .host = host,
                                   .where = host->name,
                                   .what = what,
                                   .from = "-",
                                   .number = host->life,
                                   .note = ""});
}

void host_crash(struct host *host, size_t keep, size_t torn)
{
    PBFT_ASSERT(host->state != HOST_DOWN);
    host_forget(host);
    host->state = HOST_DOWN; /* What becomes durable now, it never knew. */
    disk_crash(&host->disk, keep, torn);
    host_trace_life(host, "crash");
}

void host_remember_block(struct host *host,
                         const struct pbft_message *committed,
                         const struct service_outcome *outcome)
{
    if (host->block_count == host->block_capacity) {
        host->block_capacity =
            host->block_capacity == 0 ? 64 : 2 * host->block_capacity;
        host->blocks = realloc(host->blocks,
                               host->block_capacity * sizeof host->blocks[0]);
        PBFT_ASSERT(host->blocks != NULL);
    }
    PBFT_ASSERT(outcome->executed.seq == host->block_count + 1);
    (void)pbft_incarnations_execute(
        &host->incarnations, &host->sim->keyring,
        &committed->committed.pre_prepare->pre_prepare.body->batch,
        outcome->executed.seq, outcome->executed.block_time);
    struct host_block *block = &host->blocks[host->block_count++];
    *block = (struct host_block){.committed = pbft_message_ref(committed),
                                 .executed = outcome->executed};
    block->leaves = calloc(outcome->result_count + 1, sizeof block->leaves[0]);
    PBFT_ASSERT(block->leaves != NULL);
    for (uint32_t i = 0; i < outcome->result_count; i++) {
        block->leaves[i] = outcome->results[i].leaf;
    }
}

void host_push(struct host *host, struct host_input input)
{
    bool is_message = input.type == PBFT_EVENT_RECEIVE;
    size_t room = HOST_INBOX_MAX - host->inbox_count;
    if (is_message && room <= INBOX_RESERVE) {
        return; /* The transport may lose (docs/protocol.md, section 5). */
    }
    PBFT_ASSERT(room > 0);
    if (host->inbox_count == 0) {
        host->inbox_first = 0; /* Few of its pages are ever touched. */
    }
    size_t at = (host->inbox_first + host->inbox_count) % HOST_INBOX_MAX;
    host->inbox[at] = input;
    if (input.message != NULL) {
        (void)pbft_message_ref(input.message);
    }
    host->inbox_count++;
}

static struct pbft_event event_of(const struct host *host,
                                  const struct host_input *input)
{
    struct pbft_event event = {.type = input->type,
                               .now = host_now_ms(host),
                               .wall = sim_wall(host->sim, host)};
    if (input->type == PBFT_EVENT_RECEIVE) {
        event.message = input->message;
    } else if (input->type == PBFT_EVENT_EXECUTED) {
        event.executed = input->executed;
        event.incarnations = &host->incarnations;
    } else {
        event.timer = input->timer;
    }
    return event;
}

static const char *sender_name(const struct sim *sim,
                               const struct pbft_message *message)
{
    if (message->sender < sim->settings.n) {
        return sim->hosts[message->sender]->name;
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (message->type == PBFT_MESSAGE_REQUEST &&
            memcmp(&sim->clients[i]->signer.key, &message->request.client,
                   sizeof message->request.client) == 0) {
            return sim->clients[i]->name;
        }
    }
    return "client";
}

static void trace_step(const struct host *host, const struct host_input *input,
                       enum pbft_verdict verdict)
{
    struct sim *sim = host->sim;
    struct trace_line line = {.time_us = sim->now_us,
                              .host = host,
                              .where = host->name,
                              .from = "-",
                              .note = pbft_verdict_name(verdict)};
    if (input->type == PBFT_EVENT_RECEIVE) {
        line.what = "deliver";
        line.message = input->message;
        line.from = sender_name(sim, input->message);
    } else if (input->type == PBFT_EVENT_EXECUTED) {
        line.what = "execute";
        line.number = input->executed.seq;
    } else {
        line.what = "timer";
    }
    trace_add(&sim->trace, &line);
}

static void settle_output(struct host *host)
{
    if (host->sim->settings.flush_us == 0 || host->inbox_count > 0) {
        pbft_driver_flush(host->driver);
    } else if (!host->is_flush_scheduled) {
        host->is_flush_scheduled = true;
        sim_schedule(host->sim, SIM_EVENT_FLUSH, host->index, host->life,
                     host->sim->settings.flush_us);
    }
}

void host_work(struct host *host)
{
    while (host->inbox_count > 0) {
        struct host_input *input = &host->inbox[host->inbox_first];
        struct pbft_event event = event_of(host, input);
        enum pbft_verdict verdict = pbft_driver_step(host->driver, &event);
        if (verdict == PBFT_BUSY) {
            pbft_driver_flush(host->driver);
            verdict = pbft_driver_step(host->driver, &event);
        }
        if (verdict == PBFT_BUSY) {
            break; /* The log is behind, or has failed. */
        }
        trace_step(host, input, verdict);
        if (input->type == PBFT_EVENT_RECEIVE) {
            audit_heard(host->sim, host, input->message);
        }
        host->timeouts += input->type == PBFT_EVENT_TIMEOUT;
        pbft_message_unref(input->message);
        host->inbox_first = (host->inbox_first + 1) % HOST_INBOX_MAX;
        host->inbox_count--;
    }
    settle_output(host);
}

const struct pbft_replica *host_replica(const struct host *host)
{
    return host->driver == NULL ? NULL : pbft_driver_replica(host->driver);
}

bool host_is_honest(const struct host *host)
{
    return host->behavior == HOST_HONEST &&
           (!pbft_set_has(&host->sim->byzantine, host->id) ||
            pbft_set_has(&host->sim->reborn, host->id));
}

const char *host_status_name(const struct host *host,
                             const struct pbft_report *report)
{
    if (host->state == HOST_DOWN) {
        return "down";
    }
    if (host->state == HOST_HALTED) {
        return "halted";
    }
    return pbft_condition_name(report->condition);
}
