/* SPDX-License-Identifier: Apache-2.0 */
/* Threads take turns on the cores of their machine, first come, first served.
 * A thread with more to do keeps its core for a time slice; a task runs to its
 * end. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "sim/bench_world.h"

#define COST_UNIT 1024
/* As schedulers of operating systems have it. */
#define SLICE_NS 3000000

struct bench_task *bench_task_new(enum bench_task_kind kind)
{
    struct bench_task *task = calloc(1, sizeof *task);
    PBFT_ASSERT(task != NULL);
    task->kind = kind;
    return task;
}

void bench_task_free(struct bench_task *task)
{
    for (uint32_t i = 0; i < task->envelope_count; i++) {
        bench_envelope_free(task->envelopes[i]);
    }
    free(task->envelopes);
    bench_envelope_free(task->envelope);
    pbft_message_unref(task->message);
    free(task);
}

uint64_t bench_cost(const struct bench_world *world, enum cost cost,
                    uint64_t count)
{
    return world->cost[cost] * count / COST_UNIT;
}

void bench_schedule(struct bench_world *world, enum bench_event event,
                    uint32_t replica, uint64_t number, void *item,
                    uint64_t at_ns)
{
    sim_queue_push(&world->queue,
                   (struct sim_event){.time_us = at_ns,
                                      .target = replica,
                                      .argument = (uint64_t)event,
                                      .number = number,
                                      .item = item});
}

static void wait_for_core(struct bench_machine *machine,
                          struct bench_stage *stage)
{
    if (stage->is_ready) {
        return;
    }
    stage->is_ready = true;
    stage->slice_ns = 0;
    stage->next_ready = NULL;
    if (machine->last_ready == NULL) {
        machine->first_ready = stage;
    } else {
        machine->last_ready->next_ready = stage;
    }
    machine->last_ready = stage;
}

static bool has_core(const struct bench_machine *machine)
{
    return machine->cores == 0 || machine->running < machine->cores;
}

static void start_first(struct bench_world *world, struct bench_stage *stage)
{
    struct bench_task *task = stage->first;
    stage->first = task->next;
    if (stage->first == NULL) {
        stage->last = NULL;
    }
    task->next = NULL;
    task->stage = stage;
    stage->running++;
    stage->machine->running++;
    task->cost_ns = bench_begin(world, task);
    stage->busy_ns += task->cost_ns;
    stage->slice_ns += task->cost_ns;
    stage->machine->busy_ns += task->cost_ns;
    bench_schedule(world, EVENT_TASK_ENDS, stage->replica->id, 0, task,
                   world->now_ns +
                       (uint64_t)((double)task->cost_ns * world->slowness));
}

/* Starts what can be started. */
static void work(struct bench_world *world, struct bench_stage *stage)
{
    while (stage->first != NULL && stage->running < stage->width) {
        if (!has_core(stage->machine) ||
            (stage->machine->first_ready != NULL && !stage->is_ready)) {
            wait_for_core(stage->machine, stage);
            return;
        }
        start_first(world, stage);
    }
}

void bench_stage_push(struct bench_world *world, struct bench_stage *stage,
                      struct bench_task *task)
{
    task->next = NULL;
    if (stage->last == NULL) {
        stage->first = task;
    } else {
        stage->last->next = task;
    }
    stage->last = task;
    work(world, stage);
}

void bench_stage_push_front(struct bench_world *world,
                            struct bench_stage *stage, struct bench_task *task)
{
    task->next = stage->first;
    stage->first = task;
    if (stage->last == NULL) {
        stage->last = task;
    }
    work(world, stage);
}

/* Whoever waits longest gets the core. */
static void hand_out_cores(struct bench_world *world,
                           struct bench_machine *machine)
{
    while (machine->first_ready != NULL && has_core(machine)) {
        struct bench_stage *stage = machine->first_ready;
        machine->first_ready = stage->next_ready;
        if (machine->first_ready == NULL) {
            machine->last_ready = NULL;
        }
        stage->is_ready = false;
        stage->slice_ns = 0;
        if (stage->first != NULL && stage->running < stage->width) {
            start_first(world, stage);
            if (stage->first != NULL && stage->running < stage->width) {
                wait_for_core(machine, stage);
            }
        }
    }
}

void bench_task_ended(struct bench_world *world, struct bench_task *task)
{
    struct bench_stage *stage = task->stage;
    struct bench_machine *machine = stage->machine;
    stage->running--;
    machine->running--;
    bench_end(world, task);
    if (stage->first != NULL && stage->running < stage->width) {
        if (stage->slice_ns < SLICE_NS && has_core(machine)) {
            start_first(world, stage);
        } else {
            wait_for_core(machine, stage);
        }
    }
    hand_out_cores(world, machine);
}
