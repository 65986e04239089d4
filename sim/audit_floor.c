/* SPDX-License-Identifier: Apache-2.0 */
/* A floor under the throughput while a core is healthy for good, whatever the
 * others do: silent, slow, lying primaries, floods of hostile clients.
 *
 * A request timer belongs to an institution, and only its own progress restarts
 * it (design: P7). So while a request of it waits at a correct client, one of
 * them must get on once in the time that the client takes to tell everybody and
 * that timer takes to expire; or else a view ends, which takes what its timer
 * may take, and then the clock begins anew. How many views may end is L2. */
#include <inttypes.h>
#include <string.h>

#include "sim/audit_rules.h"
#include "sim/sim.h"

void audit_floor_begin(struct sim *sim)
{
    struct audit_floor *floor = &sim->auditor.floor;
    /* A sync that began amid the faults takes what it takes. */
    floor->stirred_us =
        sim->now_us + SIM_PAUSE_STEP_US + sim->auditor.stalled_us;
}

/* The timer is the institution's: one of its clients may keep the others of it
 * waiting, and a hostile one does. */
static void note_service(struct sim *sim, const struct pbft_institution *id)
{
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (memcmp(&sim->clients[i]->institution, id, sizeof *id) == 0) {
            sim->auditor.floor.served_us[i] = sim->now_us;
        }
    }
}

/* Whoever executes a block when the first one has long done so catches up,
 * which takes as many blocks as it takes. */
static void note_known(struct sim *sim, const struct host *host, pbft_seq seq)
{
    struct audit_floor *floor = &sim->auditor.floor;
    const struct table_entry *first = audit_find(sim, FACT_TIP, 0, seq, 0);
    const bool is_late =
        first == NULL || sim->now_us > first->bits + liveness_delta_us(sim);
    if (is_late && sim->auditor.is_healed && liveness_is_core(sim, host) &&
        floor->stirred_us < sim->now_us) {
        floor->stirred_us = sim->now_us;
    }
}

/* A block that is new to all serves whom it holds requests of. */
static void note_executed(struct sim *sim, const struct host *host,
                          const struct pbft_message *committed,
                          const struct service_outcome *outcome)
{
    struct audit_floor *floor = &sim->auditor.floor;
    const struct pbft_batch *batch =
        &committed->committed.pre_prepare->pre_prepare.body->batch;
    if (outcome->executed.seq <= floor->tip) {
        note_known(sim, host, outcome->executed.seq);
        return;
    }
    floor->tip = outcome->executed.seq;
    audit_fact(sim, FACT_TIP, 0, floor->tip, 0, NULL)->bits = sim->now_us;
    for (uint32_t i = 0; i < batch->request_count; i++) {
        note_service(sim, &batch->requests[i]->request.institution);
    }
}

static void note_answer(struct sim *sim, const struct client *client,
                        uint64_t sequence, const struct pbft_attestation *block,
                        const struct sim_reply *reply)
{
    (void)block;
    (void)reply;
    if (!client->requests[sequence - 1].is_answered) {
        sim->auditor.floor.served_us[client->index] = sim->now_us;
    }
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void note_view(struct sim *sim, const struct host *host,
                      const struct pbft_report *report)
{
    struct audit_floor *floor = &sim->auditor.floor;
    const struct audit_floor_view now = {report->view, report->view_active,
                                         report->may_vote};
    struct audit_floor_view *seen = &floor->views[host->index];
    if (seen->view != now.view || seen->is_active != now.is_active ||
        seen->may_vote != now.may_vote) {
        *seen = now;
        floor->stirred_us = later(floor->stirred_us, sim->now_us);
    }
}

/* Until a view is stable, it has as long as those before it had failed for
 * (OSDI'99 4.5.2), the cap at most. */
static bool is_view_in_doubt(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct audit_floor_view *seen = &sim->auditor.floor.views[i];
        const struct host *host = sim->hosts[i];
        if (liveness_is_core(sim, host) &&
            (!seen->is_active || !seen->may_vote ||
             audit_is_patient(sim, host))) {
            return true;
        }
    }
    return false;
}

static void check_floor(struct sim *sim, const struct host *host,
                        const struct pbft_report *report)
{
    struct audit_floor *floor = &sim->auditor.floor;
    if (!sim->auditor.is_healed || !liveness_is_core(sim, host)) {
        return;
    }
    note_view(sim, host, report);
    for (uint32_t i = 0; i < sim->client_count; i++) {
        const struct client *client = sim->clients[i];
        if (client->hostile != NULL ||
            client->answered_count == client->request_count) {
            floor->idle_us[i] = sim->now_us;
            continue;
        }
        uint64_t since_us = later(floor->stirred_us, floor->served_us[i]);
        since_us = later(since_us, floor->idle_us[i]);
        uint64_t most_us = liveness_floor_us(sim, is_view_in_doubt(sim));
        if (sim->now_us > since_us + most_us) {
            audit_fail(sim, "L8", host,
                       "view %" PRIu64 " goes on, and for %" PRIu64
                       " ms no request of %s gets on; %" PRIu64
                       " ms are what timers allow",
                       report->view, (sim->now_us - since_us) / SIM_MS_US,
                       client->name, most_us / SIM_MS_US);
        }
    }
}

const struct audit_rule audit_throughput = {
    .name = "L8",
    .says = "once a core is healthy each institution is served, or views end",
    .on_executed = note_executed,
    .on_answer = note_answer,
    .on_state = check_floor,
};
