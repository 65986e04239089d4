/* SPDX-License-Identifier: Apache-2.0 */
/* A host starts: judges its log, replays blocks and records, speaks. */
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/host.h"
#include "sim/sim.h"

/* The service computes every durable block again. */
static void replay_blocks(struct host *host)
{
    const struct disk_image *image = &host->disk.image;
    for (size_t i = 0; i < image->block_count; i++) {
        const struct disk_block *stored = &image->blocks[i];
        struct service_outcome outcome;
        host->sim->settings.service->execute(host->service, stored->committed,
                                             &outcome);
        host_remember_block(host, stored->committed, &outcome);
        if (stored->proof != NULL) {
            host->blocks[i].proof = pbft_message_ref(stored->proof);
        }
        if (memcmp(&outcome.executed.ledger_root, &stored->executed.ledger_root,
                   sizeof(struct pbft_digest)) != 0) {
            audit_fail(host->sim, "S3", host,
                       "block %zu came out differently after a restart", i + 1);
        }
    }
}

static void step_at_start(struct host *host, struct pbft_event event)
{
    event.now = host_now_ms(host);
    event.wall = sim_wall(host->sim, host);
    enum pbft_verdict verdict = pbft_driver_step(host->driver, &event);
    PBFT_ASSERT(verdict != PBFT_BUSY);
    if (verdict != PBFT_ACCEPTED) {
        audit_fail(host->sim, "S34", host, "a durable record was refused: %s",
                   pbft_verdict_name(verdict));
    }
}

static void on_record(void *context, const struct pbft_record *record)
{
    const struct host *host = context;
    audit_restored(host->sim, host, record);
    step_at_start(context, (struct pbft_event){.type = PBFT_EVENT_RESTORE,
                                               .record = *record});
}

static struct pbft_attestation last_executed(const struct host *host)
{
    return host->block_count == 0
               ? (struct pbft_attestation){.seq = 0}
               : host->blocks[host->block_count - 1].executed;
}

static enum pbft_log_verdict restore(struct host *host)
{
    const char *reason = "memory is short";
    struct pbft_replica *replica = pbft_replica_create(
        &host->config, &host->domain, &host->sim->keyring, &reason);
    if (replica == NULL) {
        (void)fprintf(stderr, "salus-sim: replica refused: %s\n", reason);
    }
    PBFT_ASSERT(replica != NULL);
    host_make_driver(host, replica);
    step_at_start(host,
                  (struct pbft_event){.type = PBFT_EVENT_APPLIED,
                                      .executed = last_executed(host),
                                      .incarnations = &host->incarnations});
    return disk_replay(&host->disk, on_record, host);
}

/* Promises may be missing: the log is damaged, or was set aside before, or the
 * disk is not the one that this replica has used. */
static bool is_log_lost(struct host *host, enum pbft_log_verdict verdict)
{
    struct disk_image *image = &host->disk.image;
    if (verdict == PBFT_LOG_DAMAGED) {
        disk_set_log_aside(&host->disk);
        audit_disk_replaced(host->sim, host);
    }
    const bool is_lost =
        image->is_log_lost || (host->has_started && !image->is_formatted);
    image->is_formatted = true;
    image->is_log_lost = is_lost; /* Until the first record is durable. */
    host->has_started = true;
    return is_lost;
}

/* Blocks that nobody can prove yet are attested again. */
static void attest_unproved(struct host *host)
{
    size_t first = 0;
    if (host->block_count > host->config.window) {
        first = host->block_count - host->config.window;
    }
    while (first < host->block_count && host->blocks[first].proof != NULL) {
        first++;
    }
    for (size_t i = first; i + 1 < host->block_count; i++) {
        host_push(host,
                  (struct host_input){.type = PBFT_EVENT_EXECUTED,
                                      .executed = host->blocks[i].executed});
    }
}

void host_start(struct host *host)
{
    struct sim *sim = host->sim;
    struct pbft_public_key keys[SIM_CLIENTS_MAX];
    struct pbft_institution institutions[SIM_CLIENTS_MAX];
    PBFT_ASSERT(host->state == HOST_DOWN);
    for (uint32_t i = 0; i < sim->client_count; i++) {
        keys[i] = sim->clients[i]->signer.key;
        institutions[i] = sim->clients[i]->institution;
    }
    host->life++;
    sim->acting = host;
    if (host->disk.image.damaged_block != 0 || host->disk.is_unreadable) {
        /* The executed state cannot be read: the daemon ends. */
        host->state = HOST_HALTED;
        host_trace_life(host, "halt");
        return;
    }
    if (!host_resume_past(host)) {
        host->service = sim->settings.service->create(
            &host->domain, sim->client_count, keys, institutions);
        replay_blocks(host);
    }
    const bool is_lost = is_log_lost(host, restore(host));
    if (host->is_disk_changed && !is_lost) {
        audit_unbind(sim, host);
    }
    host->is_disk_changed = false;
    host->state = HOST_UP;
    host_trace_life(host, "start");
    audit_start(sim, host);
    step_at_start(host, (struct pbft_event){.type = PBFT_EVENT_START,
                                            .is_log_lost = is_lost});
    attest_unproved(host);
    host_work(host);
}
