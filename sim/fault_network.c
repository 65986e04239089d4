/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the network. */
#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/fault_tools.h"

#define LOSS_PERMILLE 300
#define DUPLICATE_PERMILLE 500
#define LATENCY_FACTOR 20
#define TAIL_PERMILLE 100
#define CORRUPT_PERMILLE 50
#define GRAY_FACTOR 1000
#define REPLAYED_MAX 40

/* ---- cuts ------------------------------------------------------------------
 */

/* Who cannot be heard by whom; in the value of a fault. */
enum shape {
    SHAPE_GROUPS, /* Members and the others. */
    SHAPE_MUTE,   /* Members are not heard; */
    SHAPE_DEAF,   /* or hear nothing. */
    SHAPE_RING,   /* Each is in a majority with its neighbors: another one. */
    SHAPE_BRIDGE, /* The target alone joins the groups. */
};

static bool is_apart(const struct sim *sim, const struct fault *fault,
                     uint32_t from, uint32_t to)
{
    bool is_divided =
        fault_has_member(fault, from) != fault_has_member(fault, to);
    uint32_t n = sim->settings.n;
    uint32_t distance = from > to ? from - to : to - from;
    switch ((enum shape)fault->value) {
    case SHAPE_GROUPS:
        return is_divided;
    case SHAPE_MUTE:
        return is_divided && fault_has_member(fault, from);
    case SHAPE_DEAF:
        return is_divided && fault_has_member(fault, to);
    case SHAPE_RING:
        distance = distance < n - distance % n ? distance : n - distance % n;
        return from < n && to < n && distance > (n / 2 + 1) / 2;
    case SHAPE_BRIDGE:
        return is_divided && from != fault->target && to != fault->target;
    }
    return false;
}

static void change_links(struct sim *sim, const struct fault *fault,
                         void (*change)(struct network *network, uint32_t from,
                                        uint32_t to))
{
    for (uint32_t from = 0; from < sim->host_count; from++) {
        for (uint32_t to = 0; to < sim->host_count; to++) {
            if (from != to && is_apart(sim, fault, from, to)) {
                change(&sim->network, from, to);
            }
        }
    }
}

static bool begin_cut(struct sim *sim, struct fault *fault, enum shape shape)
{
    fault->value = (uint64_t)shape;
    change_links(sim, fault, network_cut);
    return true;
}

static void end_cut(struct sim *sim, const struct fault *fault)
{
    change_links(sim, fault, network_join);
}

static void divide(struct sim *sim, struct fault *fault, uint32_t permille)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (random_chance(&sim->faults.random, permille)) {
            fault_add_member(fault, i);
        }
    }
}

static bool begin_partition(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    divide(sim, fault, 500);
    return begin_cut(sim, fault, SHAPE_GROUPS);
}

static bool begin_minority(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    divide(sim, fault, 333);
    return begin_cut(sim, fault, SHAPE_GROUPS);
}

static bool begin_ring(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    return begin_cut(sim, fault, SHAPE_RING);
}

static bool begin_bridge(struct sim *sim, struct fault *fault)
{
    divide(sim, fault, 500);
    return begin_cut(sim, fault, SHAPE_BRIDGE);
}

static bool begin_isolate(struct sim *sim, struct fault *fault)
{
    fault_add_member(fault, fault->target);
    return begin_cut(sim, fault, SHAPE_GROUPS);
}

bool fault_take_primary(struct sim *sim, struct fault *fault)
{
    struct pbft_report report;
    const struct host *host = fault_host(sim, fault);
    if (host->state != HOST_UP) {
        return false;
    }
    pbft_replica_report(host_replica(host), &report);
    fault->target = pbft_primary_of(report.view, sim->settings.n);
    return true;
}

static bool begin_isolate_primary(struct sim *sim, struct fault *fault)
{
    return fault_take_primary(sim, fault) && begin_isolate(sim, fault);
}

static bool begin_one_way(struct sim *sim, struct fault *fault)
{
    fault_add_member(fault, fault->target);
    return begin_cut(sim, fault,
                     random_chance(&sim->faults.random, 500) ? SHAPE_MUTE
                                                             : SHAPE_DEAF);
}

/* ---- links that are slow or stand ------------------------------------------
 */

static bool begin_clog(struct sim *sim, struct fault *fault)
{
    fault_add_member(fault, fault->target);
    fault->value = SHAPE_GROUPS;
    change_links(sim, fault, network_clog);
    return true;
}

static void end_clog(struct sim *sim, const struct fault *fault)
{
    change_links(sim, fault, network_unclog);
}

static const struct fault_kind clog_of_one = {
    "clog", "messages of one replica wait, then burst", begin_clog, end_clog};

static bool begin_turn(struct sim *sim, struct fault *fault)
{
    (void)sim;
    (void)fault;
    return true;
}

static void end_turn(struct sim *sim, const struct fault *fault)
{
    faults_follow(sim, fault, &clog_of_one);
}

/* Not clogged yet: its turn comes when this ends. */
static const struct fault_kind turn_of_one = {
    "clog-turn", "a clog that is about to begin", begin_turn, end_turn};

/* Some are clogged one by one, and unclogged one by one, in another order. */
static bool begin_swizzle(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        if (random_chance(&sim->faults.random, 500)) {
            faults_add(sim, &turn_of_one, i);
        }
    }
    return true;
}

static bool begin_gray(struct sim *sim, struct fault *fault)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (i != fault->target) {
            network_slow_link(&sim->network, fault->target, i, GRAY_FACTOR);
        }
    }
    return true;
}

static void end_gray(struct sim *sim, const struct fault *fault)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        network_slow_link(&sim->network, fault->target, i, 0);
    }
}

/* ---- all links -------------------------------------------------------------
 */

/* Sets one of the settings of the network for a while, if it is as usual. */
static bool set_rate(struct fault *fault, uint32_t *now, uint32_t usual,
                     uint32_t rate)
{
    fault->target = UINT32_MAX;
    if (*now != usual || usual >= rate) {
        return false;
    }
    *now = rate;
    return true;
}

static bool begin_loss(struct sim *sim, struct fault *fault)
{
    return set_rate(fault, &sim->network.settings.loss_permille,
                    sim->settings.network.loss_permille, LOSS_PERMILLE);
}

static void end_loss(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.loss_permille = sim->settings.network.loss_permille;
}

static bool begin_duplicates(struct sim *sim, struct fault *fault)
{
    return set_rate(fault, &sim->network.settings.duplicate_permille,
                    sim->settings.network.duplicate_permille,
                    DUPLICATE_PERMILLE);
}

static void end_duplicates(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.duplicate_permille =
        sim->settings.network.duplicate_permille;
}

static bool begin_tail(struct sim *sim, struct fault *fault)
{
    return set_rate(fault, &sim->network.settings.tail_permille,
                    sim->settings.network.tail_permille, TAIL_PERMILLE);
}

static void end_tail(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.tail_permille = sim->settings.network.tail_permille;
}

static bool begin_bit_flips(struct sim *sim, struct fault *fault)
{
    return set_rate(fault, &sim->network.settings.corrupt_permille,
                    sim->settings.network.corrupt_permille, CORRUPT_PERMILLE);
}

static void end_bit_flips(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.corrupt_permille =
        sim->settings.network.corrupt_permille;
}

static bool begin_slow_network(struct sim *sim, struct fault *fault)
{
    struct network_settings *settings = &sim->network.settings;
    if (settings->jitter_us != sim->settings.network.jitter_us) {
        return false;
    }
    fault->target = UINT32_MAX;
    settings->jitter_us = LATENCY_FACTOR * settings->jitter_us + SIM_MS_US;
    return true;
}

static void end_slow_network(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.jitter_us = sim->settings.network.jitter_us;
}

/* A connection delivers once more what it delivered long ago. */
static bool begin_replay(struct sim *sim, struct fault *fault)
{
    uint64_t count = random_between(&sim->faults.random, 1, REPLAYED_MAX);
    fault->target = UINT32_MAX;
    return network_replay(&sim->network, &sim->faults.random, count);
}

const struct fault_kind fault_network_kinds[] = {
    {"partition", "the replicas fall into two groups (N2)", begin_partition,
     end_cut},
    {"minority", "about a third is cut off (N2)", begin_minority, end_cut},
    {"ring", "each is in a majority, no two in the same (N2)", begin_ring,
     end_cut},
    {"bridge", "one replica alone joins two groups (N2)", begin_bridge,
     end_cut},
    {"isolate", "one replica is cut off (N2)", begin_isolate, end_cut},
    {"isolate-primary", "the primary is cut off (N2)", begin_isolate_primary,
     end_cut},
    {"one-way", "one replica is not heard, or hears nothing (N2)",
     begin_one_way, end_cut},
    {"one-type", "one type of message does not get from or to a replica (N2)",
     fault_begin_deaf_to_type, fault_end_filter},
    {"client-cut", "clients and the primary cannot reach each other (N2)",
     fault_begin_client_cut, fault_end_filter},
    {"clog", "messages of one replica wait, then burst (N3)", begin_clog,
     end_clog},
    {"swizzle", "replicas are clogged one by one, freed in any order (N3)",
     begin_swizzle, fault_end_nothing},
    {"gray", "all that one replica says takes 1000 times as long (N4)",
     begin_gray, end_gray},
    {"loss", "three of ten messages are lost (N1)", begin_loss, end_loss},
    {"duplicates", "every other message comes twice (N1)", begin_duplicates,
     end_duplicates},
    {"tail", "one in ten messages takes up to 1000 times as long (N1)",
     begin_tail, end_tail},
    {"slow-network", "messages take twenty times as long (N1)",
     begin_slow_network, end_slow_network},
    {"replay", "old messages come once more (N6)", begin_replay,
     fault_end_nothing},
    {"bit-flips", "one in twenty messages has other bits (N7)", begin_bit_flips,
     end_bit_flips},
    {NULL, NULL, NULL, NULL},
};
