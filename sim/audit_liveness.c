/* SPDX-License-Identifier: Apache-2.0 */
/* Liveness: what must not happen where nothing is wrong at all, and the caps of
 * timers. Once a core is healthy for good: audit_healed.c. */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

/* A request may wait so much longer than the median. */
#define UNFAIRNESS_MAX 100

/* L5: a view in which requests are executed when it is so many request timeouts
 * old is stable, and resets the waits. On purpose not the core's constant. */
#define STABLE_TIMEOUTS 4

/* ---- L5 ------------------------------------------------------------------ */

/* The core notes progress when it hands a block to the log; we see the block
 * when that is durable, maybe in another view. Only what was handed out without
 * a change of view between counts here, so the bound is never too narrow. */
static void note_handed_out(struct sim *sim, const struct host *host,
                            const struct pbft_commit *commit)
{
    const struct pbft_pre_prepare *header =
        &commit->committed->committed.pre_prepare->pre_prepare;
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    if (own->wait_life == host->life && own->wait_active &&
        report.view_active && report.view == own->wait_view &&
        host_now_ms(host) >= own->wait_stable_at &&
        commit->seq >= own->wait_first &&
        header->body->batch.request_count > 0) {
        if (!own->has_progress || own->wait_progress != own->wait_view) {
            own->patient_until = host_now_ms(host) + own->patience +
                                 liveness_delta_us(sim) / SIM_MS_US;
        }
        own->has_progress = true;
        own->wait_progress = own->wait_view;
    }
}

bool audit_is_patient(const struct sim *sim, const struct host *host)
{
    const struct audit_replica *own = &sim->auditor.replicas[host->index];
    return own->patience > host->config.request_timeout_ms &&
           host_now_ms(host) < own->patient_until;
}

pbft_time_ms audit_view_wait_max(const struct sim *sim, const struct host *host,
                                 pbft_view view)
{
    const struct pbft_config *config = &host->config;
    const struct audit_replica *own = &sim->auditor.replicas[host->index];
    pbft_time_ms most = own->has_progress ? config->view_change_timeout_ms
                                          : config->view_change_timeout_max_ms;
    for (pbft_view failed = own->wait_progress + 1;
         failed < view && most < config->view_change_timeout_max_ms; failed++) {
        most *= 2;
    }
    return most < config->view_change_timeout_max_ms
               ? most
               : config->view_change_timeout_max_ms;
}

/* After views that failed request timeouts are as long as the wait for this one
 * was, until it is stable; those that run then go on. */
static void begin_view(struct sim *sim, const struct host *host, pbft_view view)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    const pbft_time_ms base = host->config.request_timeout_ms;
    const bool has_failures =
        !own->has_progress || view > own->wait_progress + 1;
    own->patience = has_failures ? audit_view_wait_max(sim, host, view) : base;
    own->patient_until = PBFT_TIME_NEVER;
    own->wait_stable_at = host_now_ms(host) + STABLE_TIMEOUTS * base;
}

static void follow_view(struct sim *sim, const struct host *host,
                        const struct pbft_report *report)
{
    struct audit_replica *own = &sim->auditor.replicas[host->index];
    if (own->wait_life != host->life) {
        /* It begins without failures, but if it is between two views that one
         * may fail; who recovers was not seen at first. */
        own->wait_life = host->life;
        own->wait_active = false;
        own->has_progress = report->condition == PBFT_CONDITION_STARTING;
        own->wait_progress = report->view - !report->view_active;
    }
    if (!own->wait_active || !report->view_active ||
        own->wait_view != report->view) {
        begin_view(sim, host, report->view);
    }
    if (host_now_ms(host) < own->wait_stable_at) {
        own->wait_first = report->committed + 1;
    }
    own->wait_view = report->view;
    own->wait_active = report->view_active;
}

static void check_timers(struct sim *sim, const struct host *host,
                         const struct pbft_report *report)
{
    pbft_time_ms deadline =
        pbft_timer_deadline(host_replica(host), PBFT_TIMER_VIEW);
    follow_view(sim, host, report);
    pbft_time_ms most = audit_view_wait_max(sim, host, report->view);
    if (deadline != PBFT_TIME_NEVER && deadline > host_now_ms(host) + most) {
        audit_fail(sim, "L5", host,
                   "waits %" PRIu64 " ms for view %" PRIu64 ", and %" PRIu64
                   " ms are enough after what it has executed",
                   deadline - host_now_ms(host), report->view, most);
    }
}

const struct audit_rule audit_timers = {
    .name = "L5",
    .says = "no view timer is longer than the views that did not last make it",
    .on_commit = note_handed_out,
    .on_state = check_timers,
};

/* ---- L6, L7: nothing is wrong -------------------------------------------- */

static bool is_calm(const struct sim *sim)
{
    const struct sim_settings *settings = &sim->settings;
    return settings->fault_mask == 0 && settings->byzantine_count == 0 &&
           !settings->has_core_mode && settings->network.loss_permille == 0 &&
           settings->network.detour_permille == 0 && sim->auditor.is_healed &&
           pbft_set_count(&sim->byzantine) == 0;
}

static void check_mania(struct sim *sim)
{
    for (uint32_t i = 0; is_calm(sim) && i < sim->host_count; i++) {
        struct pbft_report report;
        if (sim->hosts[i]->state != HOST_UP) {
            continue;
        }
        pbft_replica_report(host_replica(sim->hosts[i]), &report);
        /* One that asks alone for another view changes none. */
        if (report.view > 0 && report.view_active) {
            audit_fail(sim, "L6", sim->hosts[i],
                       "came to view %" PRIu64 " although nothing was wrong",
                       report.view);
        }
    }
}

const struct audit_rule audit_mania = {
    .name = "L6",
    .says = "where nothing is wrong no view changes (profile calm)",
    .on_end = check_mania,
};

static int compare_times(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static void check_fairness(struct sim *sim)
{
    size_t room = 1;
    size_t count = 0;
    for (uint32_t c = 0; c < sim->client_count; c++) {
        room += sim->clients[c]->request_count;
    }
    uint64_t *waits = calloc(room, sizeof *waits);
    PBFT_ASSERT(waits != NULL);
    for (uint32_t c = 0; is_calm(sim) && c < sim->client_count; c++) {
        for (size_t i = 0; i < sim->clients[c]->request_count; i++) {
            const struct client_request *own = &sim->clients[c]->requests[i];
            if (own->is_answered) {
                waits[count++] = own->answered_us - own->submitted_us;
            }
        }
    }
    qsort(waits, count, sizeof *waits, compare_times);
    if (count > 0 && waits[count - 1] > UNFAIRNESS_MAX * waits[count / 2]) {
        audit_fail(sim, "L7", NULL,
                   "a request waited %" PRIu64 " us, half of them %" PRIu64
                   " us at most",
                   waits[count - 1], waits[count / 2]);
    }
    free(waits);
}

const struct audit_rule audit_fairness = {
    .name = "L7",
    .says = "no request waits a hundred times the median (profile calm)",
    .on_end = check_fairness,
};
