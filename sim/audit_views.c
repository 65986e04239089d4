/* SPDX-License-Identifier: Apache-2.0 */
/* View changes (OSDI'99 4.4), computed here again from the messages: who may
 * ask for a view, what he must say, and what follows from it. */
#include <inttypes.h>
#include <string.h>

#include "consensus/preimage.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- who may ask for a view ---------------------------------------------- */

static void note_view_change(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_VIEW_CHANGE) {
        return;
    }
    pbft_view view = message->view_change.view;
    struct table_entry *highest = audit_fact(
        sim, FACT_ASKED_HIGHEST, host->index, message->sender, 0, NULL);
    if (view > highest->bits) {
        highest->bits = view;
    }
}

/* Those from whom view-changes for `view` or a later one have come. */
static uint32_t count_ahead(const struct sim *sim, const struct host *host,
                            pbft_view view)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct table_entry *highest =
            audit_find(sim, FACT_ASKED_HIGHEST, host->index, id, 0);
        count += id != host->id && highest != NULL && highest->bits >= view;
    }
    return count;
}

/* It leaves an active view on its own; one that it asked for, after Q went so
 * far; any, after f + 1 have gone so far (OSDI'99 4.5.2). */
static void check_escalation(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_VIEW_CHANGE ||
        message->sender != host->id || host->disk_generation > 0) {
        return; /* Whoever comes back after a loss finds its view otherwise. */
    }
    struct audit_replica *own = &sim->auditor.replicas[host->id];
    pbft_view view = message->view_change.view;
    if (view <= own->asked) {
        return;
    }
    /* What became durable counts, even if a crash kept it from being sent. */
    pbft_view before =
        own->asked_earlier > own->asked && own->asked_earlier < view
            ? own->asked_earlier
            : own->asked;
    own->asked = view;
    if (view == own->asked_durable && own->asked_life != host->life) {
        return; /* It asked in an earlier life, and nobody heard it. */
    }
    bool was_active = own->entered >= before;
    pbft_view left = was_active ? own->entered : before;
    bool is_next = view == left + 1 || view <= left;
    bool may_leave = was_active || count_ahead(sim, host, left) + 1 >=
                                       audit_quorum(sim->settings.n);
    bool may_join =
        count_ahead(sim, host, view) > audit_faulty(sim->settings.n);
    if (!(is_next && may_leave) && !may_join) {
        audit_fail(sim, "S17b", host,
                   "asks for view %" PRIu64 " from view %" PRIu64
                   "; %u others asked for that one, %u for this one",
                   view, left, (unsigned)count_ahead(sim, host, left),
                   (unsigned)count_ahead(sim, host, view));
    }
}

/* A view ends for a reason of its own, a timer, or since so many others left
 * that an honest one is among them: never on the word of one. */
static void check_leaving(struct sim *sim, const struct host *host,
                          const struct pbft_report *report)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    bool has_left = own->left_life == host->life && own->was_active &&
                    !report->view_active && report->view > own->was_view;
    if (has_left && own->timeouts == host->timeouts) {
        uint32_t ahead = count_ahead(sim, host, report->view);
        if (ahead <= audit_faulty(sim->settings.n)) {
            audit_fail(sim, "L9", host,
                       "leaves view %" PRIu64 " for view %" PRIu64
                       " on the word of %u others",
                       own->was_view, report->view, (unsigned)ahead);
        }
    }
    own->left_life = host->life;
    own->was_active = report->view_active;
    own->was_view = report->view;
    own->timeouts = host->timeouts;
}

const struct audit_rule audit_leaving = {
    .name = "L9",
    .says = "a view ends by a timer or by f + 1 others, not by one",
    .on_state = check_leaving,
};

/* What is durable stands after a restart, said or not. */
static void note_own_view(struct sim *sim, const struct host *host,
                          const struct disk_record *record,
                          const struct pbft_message *message)
{
    struct audit_replica *own = &sim->auditor.replicas[host->id];
    (void)message;
    if (record->kind == PBFT_RECORD_NEW_VIEW && record->view > own->entered) {
        own->entered = record->view;
    }
    /* A stable checkpoint writes it again. */
    if (record->kind == PBFT_RECORD_VIEW_CHANGE &&
        record->view != own->asked_durable) {
        own->asked_earlier = own->asked_durable;
        own->asked_durable = record->view;
        own->asked_life = host->life;
    }
}

const struct audit_rule audit_escalation = {
    .name = "S17b",
    .says = "nobody climbs from view to view alone",
    .on_receive = note_view_change,
    .on_send = check_escalation,
    .on_durable = note_own_view,
};

/* ---- what a view-change says --------------------------------------------- */

static void note_prepared(struct sim *sim, const struct host *host,
                          const struct disk_record *record,
                          const struct pbft_message *message)
{
    (void)message;
    if (record->kind != PBFT_RECORD_PREPARED) {
        return;
    }
    bool is_new;
    struct table_entry *top = audit_fact(
        sim, FACT_PREPARED_TOP, audit_disk(host), record->seq, 0, &is_new);
    if (is_new || record->view >= top->bits) {
        top->bits = record->view;
        top->digest = record->content;
    }
}

static const struct pbft_pre_prepare *
claim_at(const struct pbft_view_change *fields, pbft_seq seq)
{
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_pre_prepare *header =
            &fields->prepared[i]->prepared.pre_prepare->pre_prepare;
        if (header->seq == seq) {
            return header;
        }
    }
    return NULL;
}

static void check_truth(struct sim *sim, const struct host *host,
                        const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_VIEW_CHANGE ||
        message->sender != host->id) {
        return;
    }
    const struct pbft_view_change *fields = &message->view_change;
    pbft_seq stable = pbft_message_seq(fields->stable);
    for (pbft_seq seq = stable + 1; seq <= stable + host->config.window;
         seq++) {
        const struct table_entry *top =
            audit_find(sim, FACT_PREPARED_TOP, audit_disk(host), seq, 0);
        const struct pbft_pre_prepare *claim = claim_at(fields, seq);
        if (top == NULL || top->bits >= fields->view) {
            continue; /* Sent again, after the view has begun. */
        }
        if (claim == NULL || claim->view != top->bits ||
            !is_equal(&claim->digest, &top->digest)) {
            audit_fail(sim, "S19", host,
                       "its view-change for view %" PRIu64
                       " does not tell that seq %" PRIu64
                       " was prepared in view %" PRIu64,
                       fields->view, seq, top->bits);
        }
    }
}

const struct audit_rule audit_truth = {
    .name = "S19",
    .says = "a view-change tells the highest certificate held for each seq",
    .on_durable = note_prepared,
    .on_send = check_truth,
};
