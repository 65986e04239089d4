/* SPDX-License-Identifier: Apache-2.0 */
/* The core, what is done to the others, and the bound. */
#include "sim/liveness.h"

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

/* What may still get lost within a core that is healthy: no timer can be right
 * for one of which every vote is needed and one in ten never comes. */
#define HEALED_LOSS_PERMILLE 20
#define STREAM_LIVENESS 7
#define STEPS_PER_VIEW 8
#define GRAY_FACTOR 1000
#define SLOW_PER_TIMEOUT 40

bool liveness_is_core(const struct sim *sim, const struct host *host)
{
    return host_is_honest(host) &&
           (sim->has_core ? pbft_set_has(&sim->core, host->id)
                          : host->state == HOST_UP);
}

/* Only honest replicas that have not lost their data. */
static uint32_t find_candidates(const struct sim *sim, pbft_replica_id *out)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct host *host = sim->hosts[id];
        if (host_is_honest(host) && !host->has_lost_data) {
            out[count++] = id;
        }
    }
    return count;
}

static void draw_core(struct sim *sim, struct random *random,
                      pbft_replica_id *candidates, uint32_t count)
{
    uint32_t quorum = pbft_quorum(sim->settings.n);
    uint32_t size = random_chance(random, 500)
                        ? quorum
                        : (uint32_t)random_between(random, quorum, count);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = (uint32_t)random_between(random, i, count - 1);
        pbft_replica_id id = candidates[at];
        candidates[at] = candidates[i];
        pbft_set_add(&sim->core, id);
    }
    sim->has_core = true;
}

/* What fell down with a fault that is not over, stands up now. */
static void heal_core(struct sim *sim)
{
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        struct host *host = sim->hosts[id];
        if (!pbft_set_has(&sim->core, id)) {
            continue;
        }
        host_end_pause(host);
        host->sync_us = sim->settings.sync_us;
        if (host->state == HOST_HALTED || host->has_write_failed) {
            host_crash(host, 0, 0);
        }
        if (host->state == HOST_DOWN) {
            host_start(host);
        }
        for (pbft_replica_id other = 0; other < sim->settings.n; other++) {
            if (pbft_set_has(&sim->core, other)) {
                network_heal_link(&sim->network, id, other);
            }
        }
    }
}

/* Those of the core who are in the same view, which is active. */
static uint32_t count_in_view(const struct sim *sim, pbft_view view)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct host *host = sim->hosts[id];
        struct pbft_report report;
        if (liveness_is_core(sim, host) && host->state == HOST_UP) {
            pbft_replica_report(host_replica(host), &report);
            count += report.view_active && report.view == view;
        }
    }
    return count;
}

/* How many of the core vote, less those that are in the same active view as
 * most. */
static uint32_t count_apart(const struct sim *sim)
{
    uint32_t core = 0;
    uint32_t most = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct host *host = sim->hosts[id];
        struct pbft_report report;
        if (!liveness_is_core(sim, host) || host->state != HOST_UP) {
            continue;
        }
        pbft_replica_report(host_replica(host), &report);
        core += report.may_vote;
        uint32_t count = count_in_view(sim, report.view);
        most = count > most ? count : most;
    }
    return core > most ? core - most : 0;
}

/* One that asked for the next view alone stays there, and must: it promised to
 * vote in no lower one, and less than f + 1 take nobody along (OSDI'99 4.5.2).
 */
bool liveness_is_united(const struct sim *sim)
{
    return count_apart(sim) <= pbft_faults_max(sim->settings.n);
}

bool liveness_is_apart(const struct sim *sim)
{
    return count_apart(sim) > 0;
}

static void cut_both(struct sim *sim, uint32_t a, uint32_t b)
{
    network_cut(&sim->network, a, b);
    network_cut(&sim->network, b, a);
}

enum harm {
    HARM_NONE, /* It keeps what it has. */
    HARM_DEAD,
    HARM_ISOLATED,
    HARM_MUTE,
    HARM_DEAF,
    HARM_HALF, /* Cut off from some of the core. */
    HARM_GRAY, /* Everything from it takes a thousand times as long. */
    HARM_COUNT
};

static void harm_link(struct sim *sim, struct random *random, enum harm harm,
                      uint32_t outside, uint32_t inside)
{
    switch (harm) {
    case HARM_ISOLATED:
        cut_both(sim, outside, inside);
        return;
    case HARM_MUTE:
        network_cut(&sim->network, outside, inside);
        return;
    case HARM_DEAF:
        network_cut(&sim->network, inside, outside);
        return;
    case HARM_HALF:
        if (random_chance(random, 500)) {
            cut_both(sim, outside, inside);
        }
        return;
    case HARM_GRAY:
        network_slow_link(&sim->network, outside, inside, GRAY_FACTOR);
        return;
    case HARM_NONE:
    case HARM_DEAD:
    case HARM_COUNT:
        return;
    }
}

/* For ever. Twins and adversaries may be harmed too. */
static void harm_outsiders(struct sim *sim, struct random *random)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        struct host *host = sim->hosts[i];
        enum harm harm = (enum harm)random_below(random, HARM_COUNT);
        if (pbft_set_has(&sim->core, host->id) ||
            (!host_is_honest(host) && random_chance(random, 750))) {
            continue;
        }
        if (harm == HARM_DEAD && host->state != HOST_DOWN) {
            host_crash(host, 0, 0);
        }
        for (uint32_t j = 0; j < sim->host_count; j++) {
            if (j != i) {
                harm_link(sim, random, harm, i, j);
            }
        }
    }
}

/* One of the core goes on, correct but slow: what it says takes so long that
 * others feel it, and yet no timer of theirs expires for that alone. */
static void slow_one_down(struct sim *sim, struct random *random)
{
    const struct network_settings *network = &sim->settings.network;
    uint64_t mean_us = network->latency_us + network->jitter_us + 1;
    uint64_t wanted_us =
        sim->settings.replica.request_timeout_ms * SIM_MS_US / SLOW_PER_TIMEOUT;
    pbft_replica_id id = (pbft_replica_id)random_below(random, sim->settings.n);
    bool is_wanted = random_chance(random, 500);
    if (!is_wanted || !pbft_set_has(&sim->core, id) || wanted_us <= mean_us) {
        return;
    }
    sim->has_slow = true;
    sim->slow_factor = (uint16_t)(wanted_us / mean_us);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->id != id) {
            network_slow_link(&sim->network, id, i, sim->slow_factor);
        }
    }
}

bool liveness_begin(struct sim *sim)
{
    struct random random;
    pbft_replica_id candidates[PBFT_REPLICAS_MAX];
    random_init(&random, sim->seed, STREAM_LIVENESS);
    uint32_t count = find_candidates(sim, candidates);
    if (count < pbft_quorum(sim->settings.n)) {
        faults_end_all(sim);
        return false;
    }
    draw_core(sim, &random, candidates, count);
    faults_freeze(sim);
    if (sim->network.settings.loss_permille > HEALED_LOSS_PERMILLE) {
        sim->network.settings.loss_permille = HEALED_LOSS_PERMILLE;
    }
    heal_core(sim);
    harm_outsiders(sim, &random);
    slow_one_down(sim, &random);
    return true;
}

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t liveness_delta_us(const struct sim *sim)
{
    const struct sim_settings *settings = &sim->settings;
    const struct network_settings *network = &settings->network;
    /* The exponential ends at seven means, a detour takes ten times. */
    uint64_t latency = 10 * (network->latency_us + 7 * network->jitter_us);
    if (sim->has_slow) {
        latency *= sim->slow_factor;
    }
    uint64_t disk = settings->sync_us + 7 * settings->sync_jitter_us +
                    settings->execute_us + settings->flush_us;
    uint64_t again = more(settings->replica.status_interval_ms,
                          settings->replica.resend_interval_ms) *
                     SIM_MS_US;
    return latency + disk + again;
}

/* The most requests that one institution still waits for. */
static uint64_t requests_left(const struct sim *sim)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        uint64_t left = 0;
        for (uint32_t c = i; c < sim->client_count; c += sim->settings.n) {
            left += sim->clients[c]->share - sim->clients[c]->answered_count;
        }
        most = more(most, left);
    }
    return most;
}

uint64_t liveness_bound_us(const struct sim *sim)
{
    const struct sim_settings *settings = &sim->settings;
    const struct pbft_config *replica = &settings->replica;
    uint64_t views = pbft_faults_max(settings->n) + 2;
    uint64_t request_us = replica->request_timeout_ms * SIM_MS_US;
    uint64_t cap_us =
        replica->view_change_timeout_max_ms * SIM_MS_US + request_us;
    uint64_t steps = STEPS_PER_VIEW * views + replica->window;
    return SIM_PAUSE_STEP_US + views * cap_us +
           requests_left(sim) * (request_us + settings->client_timeout_us) +
           steps * liveness_delta_us(sim);
}

uint64_t liveness_floor_us(const struct sim *sim, bool is_view_in_doubt)
{
    const struct sim_settings *settings = &sim->settings;
    const struct pbft_config *replica = &settings->replica;
    uint64_t cap_us =
        is_view_in_doubt ? replica->view_change_timeout_max_ms * SIM_MS_US : 0;
    return settings->client_timeout_us +
           replica->request_timeout_ms * SIM_MS_US + cap_us +
           STEPS_PER_VIEW * liveness_delta_us(sim);
}

const char *liveness_failure(const struct sim *sim, const struct host *last,
                             bool is_waiting)
{
    if (last != NULL && last->state != HOST_UP) {
        return "L11";
    }
    if (sim_is_settled(sim)) {
        return "L3";
    }
    if (sim->has_slow) {
        return "L10";
    }
    return is_waiting ? "L1" : "L4";
}
