/* SPDX-License-Identifier: Apache-2.0 */
/* The table of schedules. */
#include "sim/scheduler.h"

#include <stdio.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

#define STREAM_SCHEDULER 8
#define PCT_MESSAGES 5000 /* Changes lie among so many. */
#define PCT_CHANGES_MIN 3
#define RANK_PERCENT 400 /* Each rank adds so much to a delay. */
#define FUZZ_ROUNDS 40   /* ByzzFuzz: what happens, happens in these; */
#define FUZZ_MAX 3       /* at most so many times of each kind. */
#define ROUND_DELAYS 4   /* A round is so many usual delays. */

static void begin_random(struct sim *sim)
{
    (void)sim;
}

/* ---- PCT: probabilistic concurrency testing (Burckhardt et al., 2010) ------
 */

static void begin_pct(struct sim *sim)
{
    struct scheduler *scheduler = &sim->scheduler;
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        uint32_t other = (uint32_t)random_below(&scheduler->random, i + 1);
        scheduler->ranks[i] = scheduler->ranks[other];
        scheduler->ranks[other] = i;
    }
    scheduler->change_count = (uint32_t)random_between(
        &scheduler->random, PCT_CHANGES_MIN, SCHEDULER_CHANGES_MAX);
    for (uint32_t i = 0; i < scheduler->change_count; i++) {
        scheduler->changes[i] = random_below(&scheduler->random, PCT_MESSAGES);
    }
}

/* The lower its rank, the longer a replica waits for everything; at a change
 * point the one whose turn it is falls behind all others. */
static uint64_t delay_pct(struct sim *sim, const struct host *to,
                          uint64_t delay_us)
{
    struct scheduler *scheduler = &sim->scheduler;
    uint32_t n = sim->settings.n;
    uint64_t number = scheduler->messages++;
    for (uint32_t i = 0; i < scheduler->change_count; i++) {
        if (scheduler->changes[i] != number) {
            continue;
        }
        for (uint32_t id = 0; id < n; id++) {
            scheduler->ranks[id] -=
                scheduler->ranks[id] > scheduler->ranks[to->id];
        }
        scheduler->ranks[to->id] = n - 1;
    }
    return delay_us + delay_us * scheduler->ranks[to->id] * RANK_PERCENT / 100;
}

/* ---- ByzzFuzz (Winter et al., 2023): rounds with a lie or a partition ------
 */

static void draw_rounds(struct sim *sim, struct scheduler_round *rounds,
                        uint32_t count, uint64_t among)
{
    struct random *random = &sim->scheduler.random;
    for (uint32_t i = 0; i < count; i++) {
        rounds[i].number = random_below(random, among);
        for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
            if (random_chance(random, 500)) {
                pbft_set_add(&rounds[i].members, id);
            }
        }
    }
}

static void begin_fuzz(struct sim *sim)
{
    struct scheduler *scheduler = &sim->scheduler;
    scheduler->lie_count =
        (uint32_t)random_between(&scheduler->random, 1, FUZZ_MAX);
    scheduler->cut_count =
        (uint32_t)random_between(&scheduler->random, 0, FUZZ_MAX);
    draw_rounds(sim, scheduler->lies, scheduler->lie_count, FUZZ_ROUNDS);
    draw_rounds(sim, scheduler->cuts, scheduler->cut_count, FUZZ_ROUNDS);
}

static const struct scheduler_round *
current_round(const struct sim *sim, const struct scheduler_round *rounds,
              uint32_t count)
{
    uint64_t now = sim->now_us / sim->scheduler.round_us;
    for (uint32_t i = 0; i < count; i++) {
        if (rounds[i].number == now) {
            return &rounds[i];
        }
    }
    return NULL;
}

static bool is_cut_in_round(const struct sim *sim, const struct host *from,
                            const struct host *to)
{
    const struct scheduler_round *round =
        current_round(sim, sim->scheduler.cuts, sim->scheduler.cut_count);
    return round != NULL && pbft_set_has(&round->members, from->id) !=
                                pbft_set_has(&round->members, to->id);
}

static bool is_lie_in_round(const struct sim *sim, pbft_replica_id to)
{
    const struct scheduler_round *round =
        current_round(sim, sim->scheduler.lies, sim->scheduler.lie_count);
    return round != NULL && pbft_set_has(&round->members, to);
}

/* ---- twins (Bano et al., 2020) ---------------------------------------------
 */

/* Each round of a cycle has its own partition; a twin stands on the other side
 * than its original. */
static void begin_twins(struct sim *sim)
{
    struct scheduler *scheduler = &sim->scheduler;
    scheduler->cut_count =
        (uint32_t)random_between(&scheduler->random, 1, SCHEDULER_ROUNDS_MAX);
    draw_rounds(sim, scheduler->cuts, scheduler->cut_count, 1);
    for (uint32_t i = 0; i < sim->adversaries.count; i++) {
        char name[HOST_NAME_SIZE];
        struct host *host = sim->hosts[sim->adversaries.replicas[i].id];
        (void)snprintf(name, sizeof name, "T%u", sim->host_count % 1000);
        (void)sim_add_twin(sim, host, name);
        host->behavior = HOST_HONEST;
    }
}

static bool stands_inside(const struct sim *sim, const struct host *host,
                          const struct scheduler_round *round)
{
    bool is_twin = host->index >= sim->settings.n;
    return pbft_set_has(&round->members, host->id) != is_twin;
}

static bool is_cut_in_grid(const struct sim *sim, const struct host *from,
                           const struct host *to)
{
    uint64_t now = sim->now_us / sim->scheduler.round_us;
    /* Every other round all can talk, or nothing would ever be decided. */
    if (now % 2 == 0) {
        return false;
    }
    const struct scheduler_round *round =
        &sim->scheduler.cuts[now / 2 % sim->scheduler.cut_count];
    return stands_inside(sim, from, round) != stands_inside(sim, to, round);
}

const struct scheduler_kind scheduler_kinds[] = {
    {"random", "each message takes a random time", 60, false, begin_random,
     NULL, NULL, NULL},
    {"pct", "replicas have ranks; a few times one falls behind", 20, false,
     begin_pct, delay_pct, NULL, NULL},
    {"byzzfuzz", "a few rounds with small lies, or a partition", 10, true,
     begin_fuzz, NULL, is_cut_in_round, is_lie_in_round},
    {"twins", "Byzantine ones live twice, apart in every other round", 10, true,
     begin_twins, NULL, is_cut_in_grid, NULL},
};

const uint32_t scheduler_kind_count =
    sizeof scheduler_kinds / sizeof scheduler_kinds[0];

uint32_t scheduler_draw(struct random *random)
{
    uint64_t at = random_below(random, 100);
    uint32_t row = 0;
    while (row + 1 < scheduler_kind_count &&
           at >= scheduler_kinds[row].weight) {
        at -= scheduler_kinds[row].weight;
        row++;
    }
    return row;
}

void scheduler_begin(struct sim *sim, uint32_t row)
{
    struct scheduler *scheduler = &sim->scheduler;
    const struct network_settings *network = &sim->settings.network;
    PBFT_ASSERT(row < scheduler_kind_count);
    random_init(&scheduler->random, sim->seed, STREAM_SCHEDULER);
    scheduler->kind = &scheduler_kinds[row];
    scheduler->round_us =
        ROUND_DELAYS * (network->latency_us + network->jitter_us) + 1;
    scheduler->kind->begin(sim);
}

static bool is_on(const struct sim *sim)
{
    return sim->scheduler.kind != NULL && !sim->scheduler.is_over;
}

uint64_t scheduler_delay(struct sim *sim, uint32_t to, uint64_t delay_us)
{
    return is_on(sim) && sim->scheduler.kind->delay != NULL
               ? sim->scheduler.kind->delay(sim, sim->hosts[to], delay_us)
               : delay_us;
}

bool scheduler_is_cut(const struct sim *sim, uint32_t from, uint32_t to)
{
    return is_on(sim) && sim->scheduler.kind->is_cut != NULL &&
           sim->scheduler.kind->is_cut(sim, sim->hosts[from], sim->hosts[to]);
}

bool scheduler_is_lie(const struct sim *sim, pbft_replica_id to)
{
    return is_on(sim) && sim->scheduler.kind->is_lie != NULL &&
           sim->scheduler.kind->is_lie(sim, to);
}
