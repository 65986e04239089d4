/* SPDX-License-Identifier: Apache-2.0 */
/* The table of faults. A new one is a row and two small functions; what it
 * changed goes into struct fault, so that its end can undo it. */
#include "consensus/assert.h"
#include "sim/sim.h"

#define CLOCK_OFFSET_MAX_US (20 * 1000 * SIM_MS_US)
#define SYNC_SLOW_US (200 * SIM_MS_US)
#define LOSS_PERMILLE 300
#define LATENCY_FACTOR 20
#define ALL_RECORDS UINT32_MAX

static bool has_member(const struct fault *fault, uint32_t host)
{
    return (fault->members[host / 64] >> host % 64 & 1) != 0;
}

static void add_member(struct fault *fault, uint32_t host)
{
    fault->members[host / 64] |= UINT64_C(1) << host % 64;
}

/* What survives a power loss is up to the disk. */
static void crash_some_way(struct sim *sim, struct host *host)
{
    struct random *random = &sim->faults.random;
    size_t keep = random_below(random, host->disk.pending_count + 1);
    host_crash(host, keep, random_chance(random, 500));
}

static bool begin_crash(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->state == HOST_DOWN) {
        return false;
    }
    crash_some_way(sim, host);
    return true;
}

static void restart_if_down(struct sim *sim, uint32_t index)
{
    if (sim->hosts[index]->state == HOST_DOWN) {
        host_start(sim->hosts[index]);
    }
}

static void end_crash(struct sim *sim, const struct fault *fault)
{
    restart_if_down(sim, fault->target);
}

static bool begin_power(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->state != HOST_DOWN) {
            crash_some_way(sim, sim->hosts[i]);
            add_member(fault, i);
        }
    }
    return true;
}

static void end_power(struct sim *sim, const struct fault *fault)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (has_member(fault, i)) {
            restart_if_down(sim, i);
        }
    }
}

/* A crash loop: down and up again at once, while it starts. */
static bool begin_flapping(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->state == HOST_DOWN) {
        return false;
    }
    uint64_t times = random_between(&sim->faults.random, 2, 4);
    for (uint64_t i = 0; i < times; i++) {
        crash_some_way(sim, host);
        host_start(host);
    }
    return true;
}

static void end_nothing(struct sim *sim, const struct fault *fault)
{
    (void)sim;
    (void)fault;
}

/* value bit 0: members may not be heard; bit 1: they hear nothing. */
#define CUT_OUT 1
#define CUT_IN 2

static void apply_cut(struct sim *sim, const struct fault *fault,
                      void (*change)(struct network *network, uint32_t from,
                                     uint32_t to))
{
    for (uint32_t a = 0; a < sim->host_count; a++) {
        for (uint32_t b = 0; b < sim->host_count; b++) {
            if (!has_member(fault, a) || has_member(fault, b)) {
                continue;
            }
            if ((fault->value & CUT_OUT) != 0) {
                change(&sim->network, a, b);
            }
            if ((fault->value & CUT_IN) != 0) {
                change(&sim->network, b, a);
            }
        }
    }
}

static bool begin_partition(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (random_chance(&sim->faults.random, 500)) {
            add_member(fault, i);
        }
    }
    fault->value = CUT_OUT | CUT_IN;
    apply_cut(sim, fault, network_cut);
    return true;
}

static bool begin_isolate(struct sim *sim, struct fault *fault)
{
    add_member(fault, fault->target);
    fault->value = CUT_OUT | CUT_IN;
    apply_cut(sim, fault, network_cut);
    return true;
}

static bool begin_one_way(struct sim *sim, struct fault *fault)
{
    add_member(fault, fault->target);
    fault->value = random_chance(&sim->faults.random, 500) ? CUT_OUT : CUT_IN;
    apply_cut(sim, fault, network_cut);
    return true;
}

static void end_cut(struct sim *sim, const struct fault *fault)
{
    apply_cut(sim, fault, network_join);
}

static bool begin_loss(struct sim *sim, struct fault *fault)
{
    struct network_settings *settings = &sim->network.settings;
    if (settings->loss_permille != sim->settings.network.loss_permille) {
        return false; /* One burst at a time. */
    }
    fault->target = UINT32_MAX;
    settings->loss_permille = LOSS_PERMILLE;
    return true;
}

static void end_loss(struct sim *sim, const struct fault *fault)
{
    (void)fault;
    sim->network.settings.loss_permille = sim->settings.network.loss_permille;
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

static bool begin_clock(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->wall_offset_us != 0) {
        return false;
    }
    int64_t offset =
        (int64_t)random_between(&sim->faults.random, 1, CLOCK_OFFSET_MAX_US);
    host->wall_offset_us =
        random_chance(&sim->faults.random, 500) ? offset : -offset;
    return true;
}

static void end_clock(struct sim *sim, const struct fault *fault)
{
    sim->hosts[fault->target]->wall_offset_us = 0;
}

static bool begin_slow_disk(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->sync_us != sim->settings.sync_us) {
        return false;
    }
    host->sync_us = random_between(&sim->faults.random, 1, SYNC_SLOW_US);
    return true;
}

static void end_slow_disk(struct sim *sim, const struct fault *fault)
{
    sim->hosts[fault->target]->sync_us = sim->settings.sync_us;
}

/* The process stands still; its end lets a burst of events loose. */
static bool begin_pause(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->state != HOST_UP || host->paused_until_us > sim->now_us) {
        return false;
    }
    host->paused_until_us =
        sim->now_us +
        random_exponential(&sim->faults.random, sim->faults.duration_us);
    return true;
}

/* The next write or sync fails: the replica halts, then is restarted. */
static bool begin_disk_error(struct sim *sim, struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    if (host->state != HOST_UP || host->disk.fault.kind != DISK_FAULT_NONE) {
        return false;
    }
    host->disk.fault = (struct disk_fault){
        .kind = random_chance(&sim->faults.random, 500) ? DISK_FAULT_WRITE
                                                        : DISK_FAULT_SYNC,
        .record_kinds = ALL_RECORDS,
        .times = 1};
    return true;
}

static void end_disk_error(struct sim *sim, const struct fault *fault)
{
    struct host *host = sim->hosts[fault->target];
    host->disk.fault.kind = DISK_FAULT_NONE;
    /* The replica may not know yet that its write has failed. */
    if (host->state == HOST_HALTED || host->has_write_failed) {
        crash_some_way(sim, host);
        host_start(host);
    }
}

const struct fault_kind fault_kinds[] = {
    {"crash", "power loss of one replica, then a restart", begin_crash,
     end_crash},
    {"power", "power loss of all replicas, then a restart", begin_power,
     end_power},
    {"flapping", "a replica crashes again and again while it starts",
     begin_flapping, end_nothing},
    {"partition", "the replicas fall into two groups", begin_partition,
     end_cut},
    {"isolate", "one replica is cut off", begin_isolate, end_cut},
    {"one-way", "one replica is not heard, or hears nothing", begin_one_way,
     end_cut},
    {"loss", "three of ten messages are lost", begin_loss, end_loss},
    {"slow-network", "messages take twenty times as long", begin_slow_network,
     end_slow_network},
    {"clock", "one wall clock is off by up to 20 s", begin_clock, end_clock},
    {"slow-disk", "syncs of one replica take up to 200 ms", begin_slow_disk,
     end_slow_disk},
    {"pause", "one process stands still", begin_pause, end_nothing},
    {"disk-error", "a write or sync of one replica fails", begin_disk_error,
     end_disk_error},
};

const uint32_t fault_kind_count = sizeof fault_kinds / sizeof fault_kinds[0];

static_assert(sizeof fault_kinds / sizeof fault_kinds[0] <= 32,
              "a fault mask has 32 bits");
