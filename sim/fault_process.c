/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of processes and their clocks. */
#include "consensus/assert.h"
#include "sim/fault_tools.h"

#define SECOND_US (1000 * SIM_MS_US)
#define HOUR_US (3600 * SECOND_US)
#define CLOCK_OFFSET_MAX_US (20 * SECOND_US)
#define CLOCK_JUMP_MAX_US (10 * 365 * 24 * HOUR_US)
#define CLOCK_DRIFT_PERMILLE 100
#define CLOCK_FROZEN_PERMILLE (-1000)
#define PAUSE_MAX_US (600 * SECOND_US)

static bool begin_crash(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (host->state == HOST_DOWN) {
        return false;
    }
    fault_crash(sim, host);
    return true;
}

static bool begin_power(struct sim *sim, struct fault *fault)
{
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->state != HOST_DOWN) {
            fault_crash(sim, sim->hosts[i]);
            fault_add_member(fault, i);
        }
    }
    return true;
}

static void end_power(struct sim *sim, const struct fault *fault)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (fault_has_member(fault, i)) {
            fault_restart(sim, i);
        }
    }
}

/* A crash loop: down and up again at once, while it starts. */
static bool begin_flapping(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (host->state == HOST_DOWN) {
        return false;
    }
    uint64_t times = random_between(&sim->faults.random, 2, 4);
    for (uint64_t i = 0; i < times; i++) {
        fault_crash(sim, host);
        host_start(host);
    }
    return true;
}

/* A read fails, at the start: the process ends, as often as it is started. */
bool fault_begin_unreadable(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (host->state != HOST_UP || host->disk.is_unreadable) {
        return false;
    }
    host->disk.is_unreadable = true;
    fault_crash(sim, host);
    host_start(host);
    return true;
}

void fault_end_unreadable(struct sim *sim, const struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    host->disk.is_unreadable = false;
    if (host->state == HOST_HALTED) {
        host_crash(host, 0, 0);
    }
    fault_restart(sim, fault->target);
}

static bool pause_for(struct sim *sim, struct fault *fault, uint64_t delay_us)
{
    struct host *host = fault_host(sim, fault);
    if (host->state != HOST_UP || host->paused_until_us > sim->now_us) {
        return false;
    }
    host->paused_until_us = sim->now_us + delay_us;
    return true;
}

/* The process stands still; its end lets a burst of events loose. */
static bool begin_pause(struct sim *sim, struct fault *fault)
{
    return pause_for(
        sim, fault,
        random_exponential(&sim->faults.random, sim->faults.duration_us));
}

/* From milliseconds to minutes, each order of magnitude as likely as another:
 * a virtual machine that is moved, or frozen. */
static bool begin_freeze(struct sim *sim, struct fault *fault)
{
    struct random *random = &sim->faults.random;
    uint64_t most = SIM_MS_US;
    while (most < PAUSE_MAX_US && random_chance(random, 700)) {
        most *= 10;
    }
    most = most < PAUSE_MAX_US ? most : PAUSE_MAX_US;
    return pause_for(sim, fault, random_between(random, most / 10, most));
}

/* ---- wall clocks -----------------------------------------------------------
 */

static bool move_clock(struct sim *sim, struct fault *fault, uint64_t most_us)
{
    struct host *host = fault_host(sim, fault);
    if (host->wall_offset_us != 0 || host->wall_drift_permille != 0) {
        return false;
    }
    int64_t offset = (int64_t)random_between(&sim->faults.random, 1, most_us);
    host->wall_offset_us =
        random_chance(&sim->faults.random, 500) ? offset : -offset;
    return true;
}

static bool begin_clock(struct sim *sim, struct fault *fault)
{
    return move_clock(sim, fault, CLOCK_OFFSET_MAX_US);
}

static bool begin_clock_jump(struct sim *sim, struct fault *fault)
{
    return move_clock(
        sim, fault,
        random_chance(&sim->faults.random, 500) ? HOUR_US : CLOCK_JUMP_MAX_US);
}

static bool bend_clock(struct sim *sim, struct fault *fault, int32_t permille)
{
    struct host *host = fault_host(sim, fault);
    if (host->wall_offset_us != 0 || host->wall_drift_permille != 0) {
        return false;
    }
    host->wall_drift_permille = permille;
    host->wall_drift_from_us = sim->now_us;
    return true;
}

static bool begin_clock_drift(struct sim *sim, struct fault *fault)
{
    return bend_clock(sim, fault,
                      random_chance(&sim->faults.random, 500)
                          ? CLOCK_DRIFT_PERMILLE
                          : -CLOCK_DRIFT_PERMILLE);
}

static bool begin_clock_freeze(struct sim *sim, struct fault *fault)
{
    return bend_clock(sim, fault, CLOCK_FROZEN_PERMILLE);
}

static void end_clock(struct sim *sim, const struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    host->wall_offset_us = 0;
    host->wall_drift_permille = 0;
}

/* ---- monotonic clocks ------------------------------------------------------
 */

static bool bend_ticks(struct sim *sim, struct fault *fault, int32_t permille)
{
    struct host *host = fault_host(sim, fault);
    if (host->ticks_drift_permille != 0) {
        return false;
    }
    host_bend_ticks(host, permille);
    return true;
}

static bool begin_ticks_drift(struct sim *sim, struct fault *fault)
{
    return bend_ticks(sim, fault,
                      random_chance(&sim->faults.random, 500)
                          ? CLOCK_DRIFT_PERMILLE
                          : -CLOCK_DRIFT_PERMILLE);
}

/* No timer fires. */
static bool begin_ticks_freeze(struct sim *sim, struct fault *fault)
{
    return bend_ticks(sim, fault, CLOCK_FROZEN_PERMILLE);
}

static void end_ticks(struct sim *sim, const struct fault *fault)
{
    host_bend_ticks(fault_host(sim, fault), 0);
}

const struct fault_kind fault_process_kinds[] = {
    {"crash", "power loss of one replica, then a restart (P1, P2)", begin_crash,
     fault_end_restart},
    {"power", "power loss of all replicas, then a restart (P3)", begin_power,
     end_power},
    {"flapping", "a replica crashes again and again while it starts (P4)",
     begin_flapping, fault_end_nothing},
    {"pause", "one process stands still (P5)", begin_pause, fault_end_nothing},
    {"freeze", "one process stands still, for 1 ms to 10 min (P5)",
     begin_freeze, fault_end_nothing},
    {"clock", "one wall clock is off by up to 20 s (P6)", begin_clock,
     end_clock},
    {"clock-jump", "one wall clock jumps by hours or years (P6)",
     begin_clock_jump, end_clock},
    {"clock-drift", "one wall clock is a tenth too fast or too slow (P6)",
     begin_clock_drift, end_clock},
    {"clock-freeze", "one wall clock stands (P6)", begin_clock_freeze,
     end_clock},
    {"ticks-drift", "one monotonic clock is a tenth too fast or slow (P6)",
     begin_ticks_drift, end_ticks},
    {"ticks-freeze", "one monotonic clock stands (P6)", begin_ticks_freeze,
     end_ticks},
    {NULL, NULL, NULL, NULL},
};
