/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk gives back, what state transfer brings, and what a replica may
 * say that has lost its promises. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

/* Every so many checkpoints whole snapshots are compared. */
#define SNAPSHOT_INTERVAL 8
/* Entering a view writes body, header, prepare, prepared and commit of each
 * slot; evidence, proofs and marks come on top. */
#define RECORDS_PER_SLOT 6
#define RECORDS_BESIDE_SLOTS 128

/* Where the one history has the request, if at or below `seq`; else 0. */
static pbft_seq place_of(const struct sim *sim, uint32_t client,
                         uint64_t sequence, pbft_seq seq)
{
    const struct table_entry *effect =
        audit_find(sim, FACT_EFFECT, client, sequence, 0);
    pbft_seq place = effect == NULL ? 0 : effect->bits >> 16;
    return place <= seq ? place : 0;
}

/* The table of clients is that of the history up to the last block. */
static void check_client_table(struct sim *sim, const struct host *host)
{
    const struct service_kind *service = sim->settings.service;
    for (uint32_t c = 0; c < sim->client_count; c++) {
        for (uint64_t s = 1; s <= sim->clients[c]->request_count; s++) {
            pbft_seq expected = place_of(sim, c, s, host->block_count);
            if (service->find(host->service, c, s) != expected) {
                audit_fail(sim, "S31", host,
                           "its client table has not request %" PRIu64
                           " of %s at seq %" PRIu64,
                           s, sim->clients[c]->name, expected);
            }
        }
    }
}

static void check_transferred(struct sim *sim, const struct host *host,
                              const struct pbft_report *report)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    if (own->was_syncing && !report->syncing) {
        check_client_table(sim, host);
    }
    own->was_syncing = report->syncing;
}

static void check_restarted(struct sim *sim, const struct host *host)
{
    if (host_is_honest(host)) {
        check_client_table(sim, host);
    }
}

const struct audit_rule audit_transferred = {
    .name = "S31",
    .says = "after a restart or a transfer the client table is complete",
    .on_start = check_restarted,
    .on_state = check_transferred,
};

static void check_height(struct sim *sim, const struct host *host,
                         const struct pbft_report *report)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    if (own->height_life == host->life && report->executed < own->height) {
        audit_fail(sim, "S32", host,
                   "its executed seq falls from %" PRIu64 " to %" PRIu64,
                   own->height, report->executed);
    }
    own->height_life = host->life;
    own->height = report->executed;
}

const struct audit_rule audit_height = {
    .name = "S32",
    .says = "catching up never takes back what was executed",
    .on_state = check_height,
};

static void check_restored(struct sim *sim, const struct host *host,
                           const struct pbft_record *record)
{
    pbft_view view = record->kind == PBFT_RECORD_BODY ? 0 : record->view;
    if (!audit_is_durable(sim, host, record->kind, view, record->seq,
                          trace_digest_of(record->message))) {
        audit_fail(sim, "S34", host,
                   "reads a %s record of view %" PRIu64 " seq %" PRIu64
                   " that was never written",
                   pbft_record_kind_name(record->kind), record->view,
                   record->seq);
    }
}

const struct audit_rule audit_restored_rule = {
    .name = "S34",
    .says = "a record that is used is one that was written",
    .on_restored = check_restored,
};

static void check_snapshot(struct sim *sim, const struct host *host,
                           const struct pbft_message *committed,
                           const struct service_outcome *outcome)
{
    pbft_seq seq = outcome->executed.seq;
    uint64_t state = audit_fold(&outcome->executed.ledger_root);
    (void)committed;
    if (seq %
            (SNAPSHOT_INTERVAL * (uint64_t)host->config.checkpoint_interval) !=
        0) {
        return;
    }
    for (uint32_t c = 0; c < sim->client_count; c++) {
        for (uint64_t s = 1; s <= sim->clients[c]->request_count; s++) {
            pbft_seq place = sim->settings.service->find(host->service, c, s);
            /* One that is unknown counts for nothing: it may be new. */
            state += place * (s * UINT64_C(0x9e3779b97f4a7c15) + c);
        }
    }
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_SNAPSHOT, 0, seq, 0, &is_new);
    if (is_new) {
        entry->bits = state;
    } else if (entry->bits != state) {
        audit_fail(sim, "S35", host, "its snapshot at seq %" PRIu64 " differs",
                   seq);
    }
}

const struct audit_rule audit_snapshot = {
    .name = "S35",
    .says = "equal checkpoints are equal snapshots (every eighth)",
    .on_executed = check_snapshot,
};

/* What its log must hold, or it has forgotten a vote. */
static bool is_on_disk(const struct sim *sim, const struct host *host,
                       const struct audit_vote *vote)
{
    enum pbft_record_kind kind = vote->type == PBFT_MESSAGE_COMMIT
                                     ? PBFT_RECORD_PREPARED
                                     : PBFT_RECORD_PRE_PREPARE;
    return audit_is_durable(sim, host, kind, vote->view, vote->seq,
                            &vote->digest);
}

/* Where its log begins: what was below is proved and need not be there. */
static pbft_seq stable_on_disk(const struct host *host)
{
    const struct disk_image *image = &host->disk.image;
    pbft_seq stable = 0;
    for (size_t i = 0; i < image->record_count; i++) {
        const struct disk_record *record = &image->records[i];
        if (record->kind == PBFT_RECORD_STABLE && record->seq > stable) {
            stable = record->seq;
        }
    }
    return stable;
}

/* Looked for on each disk that it finds, when it votes there first. One that is
 * missing, even if later ones are there, and it may have voted for anything. */
static void look_for_votes(const struct sim *sim, const struct host *host,
                           struct audit_replica *own)
{
    const pbft_seq stable = stable_on_disk(host);
    own->vote_generation = host->disk_generation;
    for (size_t i = 0; i < own->vote_count; i++) {
        const struct audit_vote *vote = &own->votes[i];
        if (vote->seq > stable && !is_on_disk(sim, host, vote)) {
            own->forgot_seq = own->vote_seq_highest;
            return;
        }
    }
}

static void remember_vote(struct audit_replica *own,
                          const struct audit_vote *vote)
{
    if (own->vote_count == own->vote_capacity) {
        own->vote_capacity =
            own->vote_capacity == 0 ? 64 : 2 * own->vote_capacity;
        own->votes =
            realloc(own->votes, own->vote_capacity * sizeof own->votes[0]);
        PBFT_ASSERT(own->votes != NULL);
    }
    own->votes[own->vote_count++] = *vote;
    if (vote->seq > own->vote_seq_highest) {
        own->vote_seq_highest = vote->seq;
    }
}

/* The same words as before it lost anything: they add nothing to what it
 * promised (check_once() compares them). */
static bool is_repeated(const struct sim *sim, const struct host *host,
                        const struct pbft_message *message)
{
    const enum audit_fact fact =
        message->type == PBFT_MESSAGE_PREPARE  ? FACT_PREPARE
        : message->type == PBFT_MESSAGE_COMMIT ? FACT_COMMIT
                                               : FACT_PRE_PREPARE;
    const struct table_entry *said =
        audit_find(sim, fact, host->id, pbft_message_view(message),
                   pbft_message_seq(message));
    return said != NULL && said->bits < host->disk_generation;
}

static void check_forgetful(struct sim *sim, const struct host *host,
                            const struct pbft_message *message)
{
    struct audit_replica *own = &sim->auditor.replicas[host->id];
    bool is_vote = message->type == PBFT_MESSAGE_PRE_PREPARE ||
                   message->type == PBFT_MESSAGE_PREPARE ||
                   message->type == PBFT_MESSAGE_COMMIT;
    if (!is_vote || message->sender != host->id ||
        is_repeated(sim, host, message)) {
        return;
    }
    if (own->vote_generation != host->disk_generation) {
        look_for_votes(sim, host, own);
    }
    const struct audit_vote vote = {
        .type = message->type,
        .view = pbft_message_view(message),
        .seq = pbft_message_seq(message),
        .digest = *trace_digest_of(message),
    };
    /* What it remembers it may repeat. */
    if (vote.seq <= own->forgot_seq && !is_on_disk(sim, host, &vote)) {
        audit_fail(sim, "S36", host,
                   "votes for seq %" PRIu64 " although it forgot its votes up "
                   "to seq %" PRIu64,
                   vote.seq, own->forgot_seq);
    }
    remember_vote(own, &vote);
}

const struct audit_rule audit_forgetful = {
    .name = "S36",
    .says = "who lost votes votes only above what it may have voted for",
    .on_send = check_forgetful,
};

/* Without progress a log takes the records of a window for each view that is
 * gone through. What the core has done may not be written yet when it is looked
 * at (a replica that was stopped for long goes through several views at once):
 * so views count from the look before the last progress, and two more. */
static void check_growth(struct sim *sim, const struct host *host)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    size_t records = host->disk.image.record_count + host->disk.pending_count;
    if (own->growth_life != host->life) {
        own->growth_seen_view = report.view;
    }
    if (own->growth_life != host->life || own->growth_stable != report.stable ||
        own->growth_seq != report.executed) {
        own->growth_life = host->life;
        own->growth_view = own->growth_seen_view;
        own->growth_stable = report.stable;
        own->growth_seq = report.executed;
        own->growth_records = records;
    }
    own->growth_seen_view = report.view;
    pbft_view views = report.view - own->growth_view + 2;
    size_t of_view =
        (size_t)RECORDS_PER_SLOT * host->config.window + RECORDS_BESIDE_SLOTS;
    if (records > own->growth_records &&
        (records - own->growth_records) / of_view >= views) {
        audit_fail(sim, "R3", host,
                   "its log grew from %zu to %zu records without progress",
                   own->growth_records, records);
    }
}

const struct audit_rule audit_growth = {
    .name = "R3",
    .says = "a log does not grow without bound while there is no progress",
    .on_inspect = check_growth,
};
