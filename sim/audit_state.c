/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica's own state must keep: views, watermarks, durability. */
#include <inttypes.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_vote(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_PREPARE ||
           type == PBFT_MESSAGE_COMMIT;
}

/* By replica id: what a restart must not undo. */
static void check_view_sent(struct sim *sim, const struct host *host,
                            const struct pbft_message *message)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->id];
    if (message->sender != host->id) {
        return;
    }
    pbft_view view = pbft_message_view(message);
    if (is_vote(message->type)) {
        if (view < replica->view_changed) {
            audit_fail(sim, "S17", host,
                       "votes in view %" PRIu64
                       " after its view-change for view %" PRIu64,
                       view, replica->view_changed);
        }
        if (view > replica->view_spoken) {
            replica->view_spoken = view;
        }
    } else if (message->type == PBFT_MESSAGE_VIEW_CHANGE &&
               view > replica->view_changed) {
        replica->view_changed = view;
    }
}

/* Who lost its promises may be in any view as long as it says nothing; and its
 * next incarnation is not bound by them (design: P14). */
static void check_view_state(struct sim *sim, const struct host *host,
                             const struct pbft_report *report)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->id];
    uint64_t incarnation = host->incarnations.of[host->id].number;
    if (incarnation > replica->incarnation) {
        replica->incarnation = incarnation;
        replica->view_spoken = 0;
        replica->view_changed = 0;
    }
    if (!report->may_vote &&
        (host->has_lost_data || host->disk_generation > 0)) {
        return;
    }
    if (report->view < replica->view_spoken ||
        report->view < replica->view_changed) {
        audit_fail(sim, "S17", host,
                   "is in view %" PRIu64 " but spoke in view %" PRIu64,
                   report->view,
                   replica->view_spoken > replica->view_changed
                       ? replica->view_spoken
                       : replica->view_changed);
    }
}

const struct audit_rule audit_view_monotone = {
    .name = "S17",
    .says = "views never go back; no vote below a view-change that was sent",
    .on_send = check_view_sent,
    .on_state = check_view_state,
};

/* Attestations of `seq` that were sent, plus the own one of `host`. */
static uint32_t count_attestations(const struct sim *sim,
                                   const struct host *host, pbft_seq seq)
{
    const struct table_entry *truth = audit_find(sim, FACT_EXECUTED, 0, seq, 0);
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct table_entry *entry =
            audit_find(sim, FACT_ATTESTATION, id, 0, seq);
        bool is_equal =
            entry != NULL && truth != NULL &&
            memcmp(&entry->digest, &truth->digest, sizeof entry->digest) == 0;
        count +=
            is_equal || id == host->id || pbft_set_has(&sim->byzantine, id);
    }
    return count;
}

static void check_watermarks(struct sim *sim, const struct host *host,
                             const struct pbft_report *report)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->index];
    if (replica->life != host->life) {
        replica->life = host->life;
        replica->stable = 0;
    }
    if (report->stable == replica->stable) {
        return;
    }
    if (report->stable < replica->stable) {
        audit_fail(sim, "S18", host,
                   "low watermark falls from %" PRIu64 " to %" PRIu64,
                   replica->stable, report->stable);
    } else if (count_attestations(sim, host, report->stable) <
               audit_quorum(sim->settings.n)) {
        audit_fail(sim, "S18", host,
                   "seq %" PRIu64 " is stable without a quorum",
                   report->stable);
    }
    replica->stable = report->stable;
}

static void check_window(struct sim *sim, const struct host *host,
                         const struct pbft_message *message)
{
    struct pbft_report report;
    if (!is_vote(message->type) || message->sender != host->id) {
        return;
    }
    pbft_replica_report(host_replica(host), &report);
    if (pbft_message_seq(message) > report.high) {
        audit_fail(sim, "S18", host,
                   "%s for seq %" PRIu64 " above the high watermark %" PRIu64,
                   pbft_message_type_name(message->type),
                   pbft_message_seq(message), report.high);
    }
}

static void note_low_at_start(struct sim *sim, const struct host *host)
{
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    sim->auditor.replicas[host->index].logged_low = report.stable;
}

/* When a vote leaves, the window may have moved on; but the log has votes and
 * stable checkpoints in the order in which they happened, unless a crash made
 * holes. */
static void check_logged(struct sim *sim, const struct host *host,
                         const struct disk_record *record,
                         const struct pbft_message *message)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    (void)message;
    if (host->state != HOST_UP) {
        return;
    }
    bool is_in_view = record->kind == PBFT_RECORD_PRE_PREPARE ||
                      record->kind == PBFT_RECORD_PREPARE ||
                      record->kind == PBFT_RECORD_COMMIT;
    if (record->kind == PBFT_RECORD_STABLE) {
        /* One of seq 0 says that a replica was born, whatever it holds. */
        own->logged_low =
            record->seq > own->logged_low ? record->seq : own->logged_low;
    } else if (is_in_view && host_is_honest(host) &&
               (record->seq <= own->logged_low ||
                record->seq - own->logged_low > host->config.window)) {
        audit_fail(sim, "S18", host,
                   "%s record for seq %" PRIu64 " outside of %" PRIu64
                   "..%" PRIu64,
                   pbft_record_kind_name(record->kind), record->seq,
                   own->logged_low + 1, own->logged_low + host->config.window);
    }
}

const struct audit_rule audit_watermarks = {
    .name = "S18",
    .says = "the low watermark rises, to proven checkpoints; votes stay inside",
    .on_state = check_watermarks,
    .on_send = check_window,
    .on_durable = check_logged,
    .on_start = note_low_at_start,
};

/* ---- durability before send ---------------------------------------------- */

uint32_t audit_disk(const struct host *host)
{
    return host->index | host->disk_generation << 16;
}

bool audit_is_durable(const struct sim *sim, const struct host *host,
                      enum pbft_record_kind kind, pbft_view view, pbft_seq seq,
                      const struct pbft_digest *content)
{
    return audit_find(sim, FACT_DURABLE, audit_disk(host),
                      view << 4 | (uint64_t)kind,
                      audit_slot(seq, content)) != NULL;
}

static void note_record(struct sim *sim, const struct host *host,
                        enum pbft_record_kind kind, pbft_view view,
                        pbft_seq seq, const struct pbft_digest *content)
{
    audit_fact(sim, FACT_DURABLE, audit_disk(host), view << 4 | (uint64_t)kind,
               audit_slot(seq, content), NULL);
}

static void note_durable(struct sim *sim, const struct host *host,
                         const struct disk_record *record,
                         const struct pbft_message *message)
{
    /* A body is written once for all views. */
    pbft_view view = record->kind == PBFT_RECORD_BODY ? 0 : record->view;
    note_record(sim, host, record->kind, view, record->seq, &record->content);
    /* The seq of a new-view record is where the view begins; the message has
     * none. */
    if (record->kind == PBFT_RECORD_NEW_VIEW) {
        note_record(sim, host, record->kind, view, 0, &record->content);
    }
    /* A new-view holds the headers that it begins with. */
    for (uint32_t i = 0; message->type == PBFT_MESSAGE_NEW_VIEW &&
                         i < message->new_view.pre_prepare_count;
         i++) {
        const struct pbft_pre_prepare *header =
            &message->new_view.pre_prepares[i]->pre_prepare;
        note_record(sim, host, PBFT_RECORD_PRE_PREPARE, header->view,
                    header->seq, &header->digest);
    }
}

/* What must be on disk before a message of each type may leave. */
struct justification {
    enum pbft_message_type type;
    enum pbft_record_kind record;
};

static const struct justification justifications[] = {
    {PBFT_MESSAGE_PRE_PREPARE, PBFT_RECORD_PRE_PREPARE},
    {PBFT_MESSAGE_PRE_PREPARE, PBFT_RECORD_BODY},
    {PBFT_MESSAGE_PREPARE, PBFT_RECORD_PRE_PREPARE},
    {PBFT_MESSAGE_PREPARE, PBFT_RECORD_BODY},
    {PBFT_MESSAGE_COMMIT, PBFT_RECORD_PREPARED},
    {PBFT_MESSAGE_ATTESTATION, PBFT_RECORD_CHECKPOINT},
    {PBFT_MESSAGE_VIEW_CHANGE, PBFT_RECORD_VIEW_CHANGE},
    {PBFT_MESSAGE_NEW_VIEW, PBFT_RECORD_NEW_VIEW},
};

static void check_durable(struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    pbft_seq seq = pbft_message_seq(message);
    if (host->has_disk_failed) {
        audit_fail(sim, "S22", host, "sends its %s after a write failed",
                   pbft_message_type_name(message->type));
        return;
    }
    if (message->sender != host->id ||
        (message->type == PBFT_MESSAGE_ATTESTATION &&
         seq % sim->settings.replica.checkpoint_interval != 0)) {
        return; /* Other attestations can be computed again. */
    }
    struct pbft_digest null_batch;
    pbft_null_digest(&host->domain, &null_batch);
    for (size_t i = 0; i < sizeof justifications / sizeof justifications[0];
         i++) {
        const struct justification *row = &justifications[i];
        if (row->record == PBFT_RECORD_BODY &&
            memcmp(&null_batch, trace_digest_of(message), sizeof null_batch) ==
                0) {
            continue; /* Everybody can make the null batch. */
        }
        pbft_view view =
            row->record == PBFT_RECORD_BODY ? 0 : pbft_message_view(message);
        if (row->type == message->type &&
            !audit_is_durable(sim, host, row->record, view, seq,
                              trace_digest_of(message))) {
            audit_fail(sim, "S22", host,
                       "sends %s view %" PRIu64 " seq %" PRIu64
                       " before its %s record is durable",
                       pbft_message_type_name(message->type), view, seq,
                       pbft_record_kind_name(row->record));
        }
    }
}

const struct audit_rule audit_durability = {
    .name = "S22",
    .says = "what justifies a message is synced before the message leaves",
    .on_durable = note_durable,
    .on_send = check_durable,
};
