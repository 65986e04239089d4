/* SPDX-License-Identifier: Apache-2.0 */
/* Who is an adversary, and which strategy he follows when. */
#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/adversary.h"
#include "sim/sim.h"

#define TICK_MIN_US (2 * SIM_MS_US)
#define TICK_MAX_US (30 * SIM_MS_US)
/* How often, of 1000, one that can be hard of hearing is nothing else all its
 * life: whoever does more is deposed for that. */
#define ONE_SIDED_PERMILLE 300

static uint32_t draw_kind(struct random *random, uint32_t mask)
{
    uint32_t rows[ADVERSARY_KINDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        if ((mask >> i & 1) != 0) {
            rows[count++] = i;
        }
    }
    return count == 0 ? adversary_kind_count
                      : rows[random_below(random, count)];
}

static void draw_faction(struct sim *sim)
{
    struct adversaries *adversaries = &sim->adversaries;
    adversaries->faction = (struct pbft_replica_set){{0}};
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        if (random_chance(&adversaries->random, 500)) {
            pbft_set_add(&adversaries->faction, id);
        }
    }
}

void adversary_begin_phase(struct sim *sim, struct adversary_replica *replica)
{
    static const uint32_t permilles[] = {50, 300, 1000};
    struct random *random = &sim->adversaries.random;
    uint32_t kind = draw_kind(random, replica->mask);
    uint32_t permille = permilles[random_below(random, 3)];
    for (uint32_t i = 0; i < sim->adversaries.count; i++) {
        struct adversary_replica *other = &sim->adversaries.replicas[i];
        if (other == replica || sim->adversaries.is_colluding) {
            other->current = kind;
            other->permille = permille;
        }
    }
    draw_faction(sim);
}

/* The strategies of one that begins. */
static uint32_t draw_mask(struct random *random, uint32_t mask)
{
    uint32_t deaf = 0;
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        deaf |= adversary_kinds[i].hears == NULL ? 0 : UINT32_C(1) << i;
    }
    return (mask & deaf) != 0 && random_chance(random, ONE_SIDED_PERMILLE)
               ? mask & deaf
               : mask;
}

void adversaries_begin(struct sim *sim)
{
    struct adversaries *adversaries = &sim->adversaries;
    struct random *random = &adversaries->random;
    uint32_t wanted = sim->settings.byzantine_count;
    /* More than the protocol bears: to see that a fork is found. */
    PBFT_ASSERT(wanted < sim->settings.n);
    PBFT_ASSERT(adversary_kind_count <= ADVERSARY_KINDS_MAX);
    adversaries->tick_us = random_between(random, TICK_MIN_US, TICK_MAX_US);
    adversaries->is_colluding = random_chance(random, 500);
    while (adversaries->count < wanted) {
        pbft_replica_id id =
            (pbft_replica_id)random_below(random, sim->settings.n);
        if (pbft_set_has(&sim->byzantine, id)) {
            continue;
        }
        pbft_set_add(&sim->byzantine, id);
        sim->hosts[id]->behavior = HOST_ADVERSARY;
        uint32_t mask = draw_mask(random, sim->settings.adversary_mask);
        adversaries->replicas[adversaries->count] =
            (struct adversary_replica){.id = id, .mask = mask};
        adversary_begin_phase(sim,
                              &adversaries->replicas[adversaries->count++]);
        sim_schedule(sim, SIM_EVENT_ADVERSARY, id, 0,
                     random_exponential(random, adversaries->tick_us));
    }
}
