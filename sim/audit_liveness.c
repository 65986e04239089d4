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

/* ---- L5 ------------------------------------------------------------------ */

static void check_timers(struct sim *sim, const struct host *host)
{
    const struct pbft_config *config = &host->config;
    pbft_time_ms view =
        pbft_timer_deadline(host_replica(host), PBFT_TIMER_VIEW);
    if (view != PBFT_TIME_NEVER &&
        view > host_now_ms(host) + config->view_change_timeout_max_ms) {
        audit_fail(sim, "L5", host,
                   "waits %" PRIu64 " ms for a new view, the cap is %" PRIu64,
                   view - host_now_ms(host),
                   (uint64_t)config->view_change_timeout_max_ms);
    }
}

const struct audit_rule audit_timers = {
    .name = "L5",
    .says = "no view timer is longer than its cap, whatever happened before",
    .on_inspect = check_timers,
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
