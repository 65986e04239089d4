/* SPDX-License-Identifier: Apache-2.0 */
/* A whole run: load and faults, then healing, then everything must be done. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/sim.h"

static void add_clients(struct sim *sim)
{
    const struct sim_settings *settings = &sim->settings;
    for (uint32_t i = 0; i < settings->client_count; i++) {
        char name[CLIENT_NAME_SIZE];
        (void)snprintf(name, sizeof name, "c%u", i + 1);
        struct client *client = sim_add_client(sim, name);
        client->outstanding_max = settings->outstanding_max;
        client->payload_max = settings->payload_max;
        client->think_us = settings->think_us;
        client->share = settings->requests / settings->client_count +
                        (i < settings->requests % settings->client_count);
        sim_schedule(sim, SIM_EVENT_CLIENT, i, 0,
                     random_below(&sim->random, SIM_MS_US));
    }
}

static bool is_submitted(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (sim->clients[i]->request_count < sim->clients[i]->share) {
            return false;
        }
    }
    return true;
}

static void end_faults(struct sim *sim)
{
    hostiles_end_faults(sim);
    sim->scheduler.is_over = true;
    if (sim->settings.has_core_mode) {
        sim->is_excused = !liveness_begin(sim);
    } else {
        faults_end_all(sim);
    }
}

/* Faults go on until the clients have submitted all, or for so long that they
 * evidently keep them from it. */
static void run_with_faults(struct sim *sim)
{
    const struct sim_settings *settings = &sim->settings;
    faults_begin(sim);
    while (!is_submitted(sim) && sim->now_us < settings->faults_us_max &&
           sim->events < settings->faults_events_max && sim_step(sim)) {
    }
    end_faults(sim);
    audit_healed(sim);
    for (uint32_t i = 0; i < sim->client_count; i++) {
        struct client *client = sim->clients[i];
        if (client->hostile != NULL) {
            continue;
        }
        client->think_us = settings->steady_us / (settings->requests_after + 1);
        uint64_t most = client->request_count + settings->requests_after;
        if (client->share > most || settings->steady_us > 0) {
            client->share = most;
        }
        sim_schedule(sim, SIM_EVENT_CLIENT, i, 0, 0);
    }
}

/* The first request without an answer, and where it took effect, if anywhere.
 * False: there is none. */
static bool describe_unanswered(const struct sim *sim, char *out, size_t size)
{
    for (uint32_t c = 0; c < sim->client_count; c++) {
        const struct client *client = sim->clients[c];
        for (size_t i = 0; i < client->request_count; i++) {
            const struct table_entry *effect =
                audit_find(sim, FACT_EFFECT, c, i + 1, 0);
            if (client->requests[i].is_answered) {
                continue;
            }
            (void)snprintf(out, size, "%s request %zu (block %" PRIu64 ")",
                           client->name, i + 1,
                           effect == NULL ? 0 : effect->bits >> 16);
            return true;
        }
    }
    (void)snprintf(out, size, "none");
    return false;
}

static void fail_liveness(struct sim *sim, uint64_t bound_us)
{
    char unanswered[96];
    size_t lowest = SIZE_MAX;
    size_t highest = 0;
    const struct host *last = NULL;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct host *host = sim->hosts[i];
        if (!liveness_is_core(sim, host)) {
            continue;
        }
        if (host->block_count < lowest) {
            lowest = host->block_count;
            last = host;
        }
        highest = host->block_count > highest ? host->block_count : highest;
    }
    bool is_waiting = describe_unanswered(sim, unanswered, sizeof unanswered);
    audit_fail(sim, liveness_failure(sim, last, is_waiting), last,
               "first without an answer: %s; blocks %zu..%zu; %" PRIu64
               " ms after the last fault of the core healed",
               unanswered, lowest, highest, bound_us / SIM_MS_US);
}

static bool is_done(const struct sim *sim)
{
    return sim_is_settled(sim) && liveness_is_united(sim);
}

static void run_until_done(struct sim *sim, uint32_t *bound_permille)
{
    uint64_t begin_us = sim->now_us;
    uint64_t bound_us = sim->settings.has_core_mode ? liveness_bound_us(sim)
                                                    : sim->settings.liveness_us;
    uint64_t events_max = sim->events + sim->settings.events_max;
    while (!is_done(sim) && sim->now_us < begin_us + bound_us &&
           sim->events < events_max && sim_step(sim)) {
    }
    uint32_t taken = (uint32_t)((sim->now_us - begin_us) * 1000 / bound_us);
    *bound_permille = taken > *bound_permille ? taken : *bound_permille;
    if (!sim->violation.found && !sim->is_excused && !is_done(sim)) {
        fail_liveness(sim, bound_us);
    }
}

static void submit_one_more(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->client_count; i++) {
        struct client *client = sim->clients[i];
        if (client->hostile == NULL) {
            client->share = client->request_count + 1;
            sim_schedule(sim, SIM_EVENT_CLIENT, i, 0, 0);
        }
    }
}

/* Without anything to do it does not matter that some are in another view than
 * most, though those may be less than a quorum: so there is something to do
 * once more. */
static void run_to_the_end(struct sim *sim, uint32_t *bound_permille)
{
    run_until_done(sim, bound_permille);
    if (!sim->violation.found && !sim->is_excused && liveness_is_apart(sim)) {
        submit_one_more(sim);
        run_until_done(sim, bound_permille);
    }
    audit_end(sim);
}

/* The hook of the core knows no run: there is one at a time. */
static uint64_t marks_reached[PBFT_MARK_COUNT];

static void on_mark(enum pbft_mark mark)
{
    marks_reached[mark]++;
}

static void run_whole(struct sim *sim, struct sim_result *out)
{
    memset(marks_reached, 0, sizeof marks_reached);
    pbft_mark_set_hook(on_mark);
    add_clients(sim);
    hostiles_begin(sim);
    adversaries_begin(sim);
    sim_start_hosts(sim);
    scheduler_begin(sim, sim->settings.scheduler);
    run_with_faults(sim);
    uint32_t bound_permille = 0;
    run_to_the_end(sim, &bound_permille);
    *out = (struct sim_result){.events = sim->events,
                               .time_us = sim->now_us,
                               .faults = sim->faults.begun,
                               .faults_drawn = sim->faults.drawn,
                               .acts_drawn = sim->adversaries.drawn,
                               .trace_hash = sim->trace.hash,
                               .network = sim->network.counts,
                               .violation = sim->violation};
    out->is_excused = sim->is_excused;
    out->bound_permille = bound_permille;
    out->byzantine = sim->adversaries.count;
    out->hostile = sim->settings.hostile_count;
    memcpy(out->hostile_acts, sim->hostiles.acts, sizeof out->hostile_acts);
    memcpy(out->acts, sim->adversaries.acts, sizeof out->acts);
    memcpy(out->faults_by_kind, sim->faults.begun_by_kind,
           sizeof out->faults_by_kind);
    memcpy(out->marks, marks_reached, sizeof out->marks);
    if (sim->load != NULL) {
        out->tally = *sim->settings.service->load->tally(sim->load);
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->block_count > out->blocks) {
            out->blocks = sim->hosts[i]->block_count;
        }
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        out->requests += sim->clients[i]->answered_count;
    }
}

void sim_run(const struct sim_settings *settings, uint64_t seed,
             FILE *trace_out, struct sim_result *out)
{
    struct sim *sim = sim_create(settings, seed, trace_out);
    run_whole(sim, out);
    sim_destroy(sim);
}

void sim_run_watched(const struct sim_settings *settings, uint64_t seed,
                     const struct sim_watch *watch, struct sim_result *out)
{
    struct sim *sim = sim_create(settings, seed, watch->trace_out);
    sim->trace.context = watch->context;
    sim->trace.on_line = watch->on_line;
    sim->observer = (struct sim_observer){.context = watch->context,
                                          .on_arrive = watch->on_arrive};
    if (watch->on_begin != NULL) {
        watch->on_begin(watch->context, sim);
    }
    run_whole(sim, out);
    if (watch->on_end != NULL) {
        watch->on_end(watch->context);
    }
    sim_destroy(sim);
}
