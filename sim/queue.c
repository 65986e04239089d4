/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap. */
#include "sim/queue.h"

#include <stdlib.h>

#include "consensus/assert.h"

#define QUEUE_CAPACITY_FIRST 256

void sim_queue_init(struct sim_queue *queue)
{
    *queue = (struct sim_queue){.next_order = 1};
}

void sim_queue_deinit(struct sim_queue *queue)
{
    free(queue->heap);
    *queue = (struct sim_queue){.heap = NULL};
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->time_us != b->time_us ? a->time_us < b->time_us
                                    : a->order < b->order;
}

static void sift_up(struct sim_queue *queue, size_t at)
{
    struct sim_event event = queue->heap[at];
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!is_before(&event, &queue->heap[parent])) {
            break;
        }
        queue->heap[at] = queue->heap[parent];
        at = parent;
    }
    queue->heap[at] = event;
}

static void sift_down(struct sim_queue *queue, size_t at)
{
    struct sim_event event = queue->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count) {
            break;
        }
        if (child + 1 < queue->count &&
            is_before(&queue->heap[child + 1], &queue->heap[child])) {
            child++;
        }
        if (!is_before(&queue->heap[child], &event)) {
            break;
        }
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = event;
}

void sim_queue_push(struct sim_queue *queue, struct sim_event event)
{
    if (queue->count == queue->capacity) {
        size_t capacity =
            queue->capacity == 0 ? QUEUE_CAPACITY_FIRST : 2 * queue->capacity;
        struct sim_event *heap =
            realloc(queue->heap, capacity * sizeof queue->heap[0]);
        PBFT_ASSERT(heap != NULL);
        queue->heap = heap;
        queue->capacity = capacity;
    }
    event.order = queue->next_order++;
    queue->heap[queue->count] = event;
    sift_up(queue, queue->count++);
}

const struct sim_event *sim_queue_peek(const struct sim_queue *queue)
{
    return queue->count == 0 ? NULL : &queue->heap[0];
}

static struct sim_event take_at(struct sim_queue *queue, size_t at)
{
    struct sim_event event = queue->heap[at];
    queue->count--;
    if (at < queue->count) {
        queue->heap[at] = queue->heap[queue->count];
        sift_down(queue, at);
        sift_up(queue, at);
    }
    return event;
}

struct sim_event sim_queue_pop(struct sim_queue *queue)
{
    PBFT_ASSERT(queue->count > 0);
    return take_at(queue, 0);
}

bool sim_queue_take(struct sim_queue *queue,
                    bool (*accepts)(const void *context,
                                    const struct sim_event *event),
                    const void *context, struct sim_event *out)
{
    size_t best = queue->count;
    for (size_t i = 0; i < queue->count; i++) {
        if ((best == queue->count ||
             is_before(&queue->heap[i], &queue->heap[best])) &&
            accepts(context, &queue->heap[i])) {
            best = i;
        }
    }
    if (best == queue->count) {
        return false;
    }
    *out = take_at(queue, best);
    return true;
}
