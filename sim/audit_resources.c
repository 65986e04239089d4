/* SPDX-License-Identifier: Apache-2.0 */
/* R1: a replica holds what its window, its queue and a change of views need,
 * and nothing more. The cap follows from what the run has shown so far, since
 * one for the worst of all runs would hide a hoard in the usual ones. */
#include <inttypes.h>

#include "consensus/sync.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

/* Per slot beside the body: header, own votes, certificates. */
#define SLOT_BYTES 1024u
#define VOTE_BYTES 256u
#define REQUEST_BYTES 64u
/* A message in two places counts twice; what a liar sent to one that lost its
 * disk, and therefore was not looked at. */
#define SLACK_BYTES (32u * 1024u)
/* Per replica: collected, ahead, found, entered. */
#define VIEW_CHANGES_PER_REPLICA 4u
/* Fetched: before their turn, and handed out and not yet executed. */
#define BLOCKS_MAX (PBFT_FETCH_BLOCKS_MAX + PBFT_SYNC_HANDED_MAX)

static void raise(size_t *largest, size_t size)
{
    *largest = size > *largest ? size : *largest;
}

static void note_tip(struct audit_sizes *sizes, pbft_seq seq)
{
    sizes->tip = seq > sizes->tip ? seq : sizes->tip;
}

void audit_note_size(struct sim *sim, const struct pbft_message *message)
{
    struct audit_sizes *sizes = &sim->auditor.sizes;
    size_t memory = pbft_message_memory(message);
    switch (message->type) {
    case PBFT_MESSAGE_REQUEST:
        raise(&sizes->request, memory);
        break;
    case PBFT_MESSAGE_VIEW_CHANGE:
        raise(&sizes->view_change, memory);
        break;
    case PBFT_MESSAGE_NEW_VIEW:
        raise(&sizes->new_view, memory);
        break;
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_COMMITTED:
        raise(&sizes->body, memory);
        break;
    default:
        break;
    }
    note_tip(sizes, pbft_message_seq(message));
}

static void note_sent(struct sim *sim, const struct host *host,
                      const struct pbft_message *message)
{
    (void)host;
    audit_note_size(sim, message);
}

/* A proposal may have become durable, and no one has seen it; a body does not
 * say where it belongs, its record does. */
static void note_restored(struct sim *sim, const struct host *host,
                          const struct pbft_record *record)
{
    (void)host;
    if (record->message != NULL) {
        audit_note_size(sim, record->message);
    }
    note_tip(&sim->auditor.sizes, record->seq);
}

static void note_received(struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    if (message->type == PBFT_MESSAGE_COMMITTED) {
        own->blocks = own->blocks_life == host->life ? own->blocks + 1 : 1;
        own->blocks_life = host->life;
    }
    audit_note_size(sim, message);
}

/* A slot has a body of its view and one that was prepared before; and what was
 * fetched stays until another block takes its place. */
static uint64_t bodies_of(const struct sim *sim, const struct host *host,
                          pbft_seq stable)
{
    const struct audit_replica *own = &sim->auditor.replicas[host->index];
    const pbft_seq tip = sim->auditor.sizes.tip;
    uint64_t slots = tip > stable ? tip - stable : 0;
    uint64_t blocks = own->blocks_life == host->life ? own->blocks : 0;
    if (slots > host->config.window) {
        slots = host->config.window;
    }
    if (blocks > BLOCKS_MAX) {
        blocks = BLOCKS_MAX;
    }
    return 2 * slots + blocks;
}

static void check_buffers(struct sim *sim, const struct host *host)
{
    const struct audit_sizes *sizes = &sim->auditor.sizes;
    const uint64_t n = sim->settings.n;
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    uint64_t bodies = bodies_of(sim, host, report.stable);
    /* What is pending lies twice while a proposal of it is written. */
    uint64_t cap = bodies * (sizes->body + SLOT_BYTES + n * VOTE_BYTES) +
                   2 * (uint64_t)report.pending_requests *
                       (sizes->request + REQUEST_BYTES) +
                   VIEW_CHANGES_PER_REPLICA * n * sizes->view_change +
                   sizes->new_view + SLACK_BYTES;
    size_t bytes = pbft_replica_buffered_bytes(host_replica(host));
    if (bytes > cap) {
        audit_fail(sim, "R1", host,
                   "buffers %zu bytes, the cap is %" PRIu64 " for %" PRIu64
                   " bodies and %u requests",
                   bytes, cap, bodies, report.pending_requests);
    }
}

static void check_queues(struct sim *sim, const struct host *host,
                         const struct pbft_report *report)
{
    if (report->pending_requests > host->config.pending_requests_max) {
        audit_fail(sim, "R1", host, "queues %u requests",
                   (unsigned)report->pending_requests);
    }
    if (report->pending_bytes > host->config.pending_bytes_max) {
        audit_fail(sim, "R1", host, "queues %u bytes of requests",
                   (unsigned)report->pending_bytes);
    }
    if (pbft_driver_waiting(host->driver) > PBFT_DRIVER_OUTPUTS_MAX) {
        audit_fail(sim, "R1", host, "too many outputs wait for the log");
    }
}

const struct audit_rule audit_resources = {
    .name = "R1",
    .says = "buffered bytes and queues stay below their caps",
    .on_send = note_sent,
    .on_receive = note_received,
    .on_restored = note_restored,
    .on_state = check_queues,
    .on_inspect = check_buffers,
};
