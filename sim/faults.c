/* SPDX-License-Identifier: Apache-2.0 */
/* When faults begin and end. What they do: fault_kinds.c.
 *
 * Each fault draws from a stream of its own, one for its begin and one for its
 * end: a fault that is left out (shrink) does not change the others.
 */
#include "sim/faults.h"

#include <stdio.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

#define STREAM_FAULTS 3
#define STREAM_BEGIN UINT64_C(0x100000000)
#define STREAM_END UINT64_C(0x200000000)
#define PART_SHIFT 40
/* Behind all parts with which a fault begins. */
#define PART_FOLLOWS 1024

void faults_init(struct faults *faults, uint64_t seed)
{
    *faults = (struct faults){.seed = seed};
    random_init(&faults->random, seed, STREAM_FAULTS);
}

void faults_deinit(struct faults *faults)
{
    if (faults->has_saved) {
        disk_image_deinit(&faults->saved);
    }
}

bool fault_is_left_out(const struct fault_filter *filter, uint64_t number)
{
    size_t low = 0;
    size_t high = filter->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (filter->numbers[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_listed = low < filter->count && filter->numbers[low] == number;
    return is_listed != filter->is_only;
}

static void schedule_next(struct sim *sim)
{
    struct faults *faults = &sim->faults;
    uint64_t delay =
        random_exponential(&faults->random, faults->interval_us) + 1;
    sim_schedule(sim, SIM_EVENT_FAULT, 0, 0, delay);
}

void faults_begin(struct sim *sim)
{
    struct faults *faults = &sim->faults;
    faults->mask = sim->settings.fault_mask;
    faults->interval_us = sim->settings.fault_interval_us;
    faults->duration_us = sim->settings.fault_duration_us;
    if (faults->mask != 0) {
        schedule_next(sim);
    }
}

static void note(struct sim *sim, const struct fault *fault, const char *what)
{
    const struct host *host =
        fault->target < sim->host_count ? sim->hosts[fault->target] : NULL;
    const char *where = host == NULL ? "all" : host->name;
    trace_add(&sim->trace, &(struct trace_line){.time_us = sim->now_us,
                                                .host = host,
                                                .where = where,
                                                .what = what,
                                                .from = "-",
                                                .number = fault->number,
                                                .note = fault->kind->name});
}

static void add(struct sim *sim, struct fault fault)
{
    struct faults *faults = &sim->faults;
    uint64_t duration =
        random_exponential(&faults->random, faults->duration_us) + 1;
    /* The last place is for the fault of which this is a part. */
    if (faults->active_count + (fault.part > 0) >= FAULTS_ACTIVE_MAX ||
        !fault.kind->begin(sim, &fault)) {
        return;
    }
    PBFT_ASSERT(faults->active_count < FAULTS_ACTIVE_MAX);
    faults->active[faults->active_count++] = fault;
    note(sim, &fault, "fault");
    sim_queue_push(&sim->queue,
                   (struct sim_event){.time_us = sim->now_us + duration,
                                      .kind = SIM_EVENT_HEAL,
                                      .target = fault.target,
                                      .argument = fault.number,
                                      .number = fault.part});
}

void faults_add(struct sim *sim, const struct fault_kind *kind, uint32_t target)
{
    struct faults *faults = &sim->faults;
    add(sim, (struct fault){.kind = kind,
                            .number = faults->drawn,
                            .part = faults->part++,
                            .target = target});
}

void faults_follow(struct sim *sim, const struct fault *ended,
                   const struct fault_kind *kind)
{
    if (sim->faults.mask != 0) {
        add(sim, (struct fault){.kind = kind,
                                .number = ended->number,
                                .part = ended->part + PART_FOLLOWS,
                                .target = ended->target});
    }
}

static void begin_one(struct sim *sim, uint32_t row)
{
    struct faults *faults = &sim->faults;
    uint32_t target = (uint32_t)random_below(&faults->random, sim->settings.n);
    uint32_t before = faults->active_count;
    if (fault_is_left_out(&sim->settings.fault_filter, faults->drawn)) {
        return;
    }
    enum fault_class class = FAULT_NETWORK;
    faults->part = 0;
    faults_add(sim, fault_kind_at(row, &class), target);
    if (faults->active_count > before) {
        faults->begun++;
        faults->begun_by_kind[row]++;
    }
}

void faults_on_event(struct sim *sim)
{
    struct faults *faults = &sim->faults;
    uint32_t rows[FAULT_KINDS_MAX];
    uint32_t count = 0;
    enum fault_class class = FAULT_NETWORK;
    if (faults->mask == 0) {
        return;
    }
    faults->drawn++;
    random_init(&faults->random, faults->seed, STREAM_BEGIN + faults->drawn);
    schedule_next(sim);
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        PBFT_ASSERT(i < FAULT_KINDS_MAX);
        if ((faults->mask >> i & 1) != 0) {
            rows[count++] = i;
        }
    }
    if (count > 0 && faults->active_count < FAULTS_ACTIVE_MAX) {
        begin_one(sim, rows[random_below(&faults->random, count)]);
    }
}

static void end_at(struct sim *sim, uint32_t at)
{
    struct faults *faults = &sim->faults;
    struct fault fault = faults->active[at];
    faults->active_count--;
    for (uint32_t i = at; i < faults->active_count; i++) {
        faults->active[i] = faults->active[i + 1];
    }
    note(sim, &fault, "heal");
    random_init(&faults->random, faults->seed,
                STREAM_END + fault.number + (fault.part << PART_SHIFT));
    fault.kind->end(sim, &fault);
}

void faults_on_heal(struct sim *sim, uint64_t number, uint64_t part)
{
    struct faults *faults = &sim->faults;
    for (uint32_t i = 0; i < faults->active_count && !faults->is_frozen; i++) {
        if (faults->active[i].number == number &&
            faults->active[i].part == part) {
            end_at(sim, i);
            return;
        }
    }
}

void faults_end_all(struct sim *sim)
{
    sim->faults.mask = 0;
    while (sim->faults.active_count > 0) {
        end_at(sim, 0);
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        host_end_pause(sim->hosts[i]);
    }
}

void faults_freeze(struct sim *sim)
{
    struct faults *faults = &sim->faults;
    faults->mask = 0;
    faults->is_frozen = true;
    for (uint32_t i = faults->active_count; i > 0; i--) {
        const struct fault *fault = &faults->active[i - 1];
        if (fault->target >= sim->host_count
                ? !fault->is_of_each
                : pbft_set_has(&sim->core, sim->hosts[fault->target]->id)) {
            end_at(sim, i - 1);
        }
    }
}
