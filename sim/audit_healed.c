/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness once a core is healthy for good (liveness.h). That it does all its
 * work in time is judged where the run ends (run.c); here: how it gets there.
 */
#include <inttypes.h>

#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_judged(const struct sim *sim, const struct host *host)
{
    return sim->auditor.is_healed && liveness_is_core(sim, host);
}

/* Whoever is not of the core may be silent, slow or lying. */
static uint32_t count_outsiders(const struct sim *sim)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        count += !liveness_is_core(sim, sim->hosts[id]);
    }
    return count;
}

/* Where the core is, or wants to be. */
static pbft_view highest_view(const struct sim *sim)
{
    pbft_view highest = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct host *host = sim->hosts[id];
        struct pbft_report report;
        if (host->state != HOST_UP || !host_is_honest(host)) {
            continue;
        }
        pbft_replica_report(host_replica(host), &report);
        highest = report.view > highest ? report.view : highest;
    }
    return highest;
}

/* A disk that heals is fast from then on; but a sync that began while it
 * stalled takes what it takes, and all later ones come after it. */
static void note_stalled(struct sim *sim)
{
    struct auditor *auditor = &sim->auditor;
    auditor->stalled_us = 0;
    auditor->stalled_count = 0;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct host *host = sim->hosts[i];
        if (!liveness_is_core(sim, host) || host->synced_at_us <= sim->now_us) {
            continue;
        }
        uint64_t left_us = host->synced_at_us - sim->now_us;
        auditor->stalled_count++;
        if (left_us > auditor->stalled_us) {
            auditor->stalled_us = left_us;
        }
    }
}

/* Who recovers is silent until its RECOVER is ordered and its bound is stable
 * (design: P14): as good as an outsider until then. */
static uint32_t count_silent(const struct sim *sim)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct host *host = sim->hosts[id];
        struct pbft_report report;
        if (host->state != HOST_UP || !liveness_is_core(sim, host)) {
            continue;
        }
        pbft_replica_report(host_replica(host), &report);
        count += report.condition == PBFT_CONDITION_RECOVERING;
    }
    return count;
}

void audit_healed(struct sim *sim)
{
    sim->auditor.is_healed = !sim->is_excused;
    note_stalled(sim);
    sim->auditor.silent_count = count_silent(sim);
    audit_floor_begin(sim);
    sim->auditor.view_good = highest_view(sim);
}

/* ---- L2 ------------------------------------------------------------------ */

static void note_good_view(struct sim *sim, const struct host *host,
                           const struct pbft_commit *commit)
{
    pbft_view view = commit->committed->committed.pre_prepare->pre_prepare.view;
    (void)host;
    if (view > sim->auditor.view_good) {
        sim->auditor.view_good = view;
    }
}

/* Who may lead a view that fails. */
static uint32_t count_mute(const struct sim *sim)
{
    return count_outsiders(sim) + sim->auditor.silent_count;
}

/* Whose sync is under way since before the heal is silent, and soon takes no
 * input either (PBFT_BUSY). With f outsiders beside it only Q - 1 are left: no
 * NEW-VIEW comes, whoever is primary, while an outsider has only to ask for
 * some later view to make them Q that want another one, which lets the timers
 * run. So views fail until the sync is done; but each takes twice as long as
 * the one before (OSDI'99 4.5.2), the first the base, up to the maximum: only
 * so many fit into that time. Those who are left must all go along for there to
 * be a next view, thus each of them counts each failure. */
static uint64_t stalled_views_max(const struct sim *sim)
{
    const struct pbft_config *config = &sim->settings.replica;
    uint64_t most_us = config->view_change_timeout_max_ms * SIM_MS_US;
    uint64_t view_us = config->view_change_timeout_ms * SIM_MS_US;
    uint64_t left_us = sim->auditor.stalled_us;
    uint64_t views = 0;
    if (count_mute(sim) + sim->auditor.stalled_count +
            audit_quorum(sim->settings.n) <=
        sim->settings.n) {
        return 0; /* A quorum is left. */
    }
    while (view_us <= left_us) {
        left_us -= view_us;
        view_us = 2 * view_us < most_us ? 2 * view_us : most_us;
        views++;
    }
    return views;
}

/* The view in progress may fail, and those of the outsiders and of those that
 * recover, after those that a stalled disk takes; where messages get lost, one
 * round more. */
static uint64_t failed_views_max(const struct sim *sim)
{
    const struct network_settings *network = &sim->settings.network;
    uint64_t most = count_mute(sim) + 2 + stalled_views_max(sim);
    bool is_noisy = network->loss_permille > 0 || network->detour_permille > 0;
    return is_noisy ? most + sim->settings.n : most;
}

static void check_failed_views(struct sim *sim, const struct host *host,
                               const struct pbft_report *report)
{
    pbft_view good = sim->auditor.view_good;
    if (!is_judged(sim, host) || report->view <= good) {
        return;
    }
    if (report->view - good > failed_views_max(sim)) {
        audit_fail(sim, "L2", host,
                   "is in view %" PRIu64 "; the last one that ordered "
                   "something is %" PRIu64 ", and %" PRIu64 " may fail",
                   report->view, good, failed_views_max(sim));
    }
}

const struct audit_rule audit_failed_views = {
    .name = "L2",
    .says = "once a core is healthy only the views of others fail, in a row",
    .on_commit = note_good_view,
    .on_state = check_failed_views,
};

/* ---- L11 ----------------------------------------------------------------- */

static void check_restart(struct sim *sim, const struct host *host)
{
    if (is_judged(sim, host)) {
        audit_fail(sim, "L11", host, "starts again although it was healthy");
    }
}

static void check_running(struct sim *sim)
{
    for (uint32_t i = 0; sim->has_core && i < sim->host_count; i++) {
        if (is_judged(sim, sim->hosts[i]) && sim->hosts[i]->state != HOST_UP) {
            audit_fail(sim, "L11", sim->hosts[i],
                       "does not run, though it was repaired");
        }
    }
}

const struct audit_rule audit_restarts = {
    .name = "L11",
    .says = "once disks and clocks are repaired nobody halts or starts again",
    .on_start = check_restart,
    .on_end = check_running,
};

/* ---- L12 ----------------------------------------------------------------- */

/* Rounds within which everybody is asked who has the block; what it decided to
 * ask before it knew may still wait for its log. */
#define ROUNDS_MAX 2
#define WAITING_MAX PBFT_DRIVER_OUTPUTS_MAX
/* In the place of a peer: all of them. */
#define ANYBODY SIM_HOSTS_MAX

static uint64_t asked_key(const struct host *host, uint32_t peer)
{
    return host->life * (ANYBODY + 1) + peer;
}

/* How many times it had asked for the block after this one when the turn of
 * `peer` came last, or when he said that he has it. */
static uint64_t turn_of(const struct sim *sim, const struct host *host,
                        pbft_seq after, uint32_t peer)
{
    const struct table_entry *turn =
        audit_find(sim, FACT_ASKED, host->index, after, asked_key(host, peer));
    return turn == NULL ? 0 : turn->bits;
}

static void set_turn(struct sim *sim, const struct host *host, pbft_seq after,
                     uint32_t peer, uint64_t turn)
{
    audit_fact(sim, FACT_ASKED, host->index, after, asked_key(host, peer), NULL)
        ->bits = turn;
}

static void note_claim(struct sim *sim, const struct host *host,
                       const struct pbft_message *message)
{
    struct pbft_report report;
    if (message->type != PBFT_MESSAGE_STATUS) {
        return;
    }
    struct table_entry *claim = audit_fact(sim, FACT_CLAIM, host->index,
                                           message->sender, host->life, NULL);
    pbft_seq before = claim->bits;
    if (message->status.executed <= before) {
        return;
    }
    claim->bits = message->status.executed;
    pbft_replica_report(host_replica(host), &report);
    if (before <= report.committed &&
        message->status.executed > report.committed) {
        set_turn(sim, host, report.committed, message->sender,
                 turn_of(sim, host, report.committed, ANYBODY));
    }
}

static void check_turns(struct sim *sim, const struct host *host,
                        pbft_seq after, const struct pbft_replica_set *to)
{
    uint64_t turn = turn_of(sim, host, after, ANYBODY) + 1;
    set_turn(sim, host, after, ANYBODY, turn);
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct table_entry *claim =
            audit_find(sim, FACT_CLAIM, host->index, id, host->life);
        if (pbft_set_has(to, id)) {
            set_turn(sim, host, after, id, turn);
        } else if (id != host->id && claim != NULL && claim->bits > after &&
                   turn - turn_of(sim, host, after, id) >
                       ROUNDS_MAX * (uint64_t)sim->settings.n + WAITING_MAX) {
            audit_fail(sim, "L12", host,
                       "asks for block %" PRIu64 " for the %" PRIu64
                       "th time, and not R%u, who has it",
                       after + 1, turn, (unsigned)id);
        }
    }
}

static void check_donors(struct sim *sim, const struct host *host,
                         const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_FETCH || message->sender != host->id ||
        message->fetch.kind != PBFT_FETCH_BLOCKS) {
        return;
    }
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    if (message->fetch.seq == report.committed + 1) {
        check_turns(sim, host, report.committed, &sim->auditor.to);
    }
}

const struct audit_rule audit_donors = {
    .name = "L12",
    .says = "who lacks a block comes to each in turn who has it",
    .on_receive = note_claim,
    .on_send = check_donors,
};
