/* SPDX-License-Identifier: Apache-2.0 */
/* A heap of keys with four children each; the events stay where they are. */
#include "sim/queue.h"

#include <stdlib.h>

#include "consensus/assert.h"

#define QUEUE_CAPACITY_FIRST 256
#define CHILDREN 4
#define PLACE_BITS 24
#define PLACE_MASK ((UINT64_C(1) << PLACE_BITS) - 1)

void sim_queue_init(struct sim_queue *queue)
{
    *queue = (struct sim_queue){.next_order = 1};
}

void sim_queue_deinit(struct sim_queue *queue)
{
    free(queue->heap);
    free(queue->events);
    free(queue->free_places);
    *queue = (struct sim_queue){.heap = NULL};
}

static bool is_before(const struct sim_queue_key *a,
                      const struct sim_queue_key *b)
{
    return a->time_us != b->time_us ? a->time_us < b->time_us
                                    : a->order < b->order;
}

static struct sim_event *event_of(const struct sim_queue *queue,
                                  const struct sim_queue_key *key)
{
    return &queue->events[key->order & PLACE_MASK];
}

static void sift_up(struct sim_queue *queue, size_t at)
{
    const struct sim_queue_key key = queue->heap[at];
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;
        if (!is_before(&key, &queue->heap[parent])) {
            break;
        }
        queue->heap[at] = queue->heap[parent];
        at = parent;
    }
    queue->heap[at] = key;
}

static void sift_down(struct sim_queue *queue, size_t at)
{
    const struct sim_queue_key key = queue->heap[at];
    for (;;) {
        size_t best = CHILDREN * at + 1;
        if (best >= queue->count) {
            break;
        }
        size_t end = best + CHILDREN;
        end = end < queue->count ? end : queue->count;
        for (size_t child = best + 1; child < end; child++) {
            if (is_before(&queue->heap[child], &queue->heap[best])) {
                best = child;
            }
        }
        if (!is_before(&queue->heap[best], &key)) {
            break;
        }
        queue->heap[at] = queue->heap[best];
        at = best;
    }
    queue->heap[at] = key;
}

static void *resize(void *items, size_t count, size_t size)
{
    void *bigger = realloc(items, count * size);
    PBFT_ASSERT(bigger != NULL);
    return bigger;
}

static void grow(struct sim_queue *queue)
{
    size_t capacity =
        queue->capacity == 0 ? QUEUE_CAPACITY_FIRST : 2 * queue->capacity;
    PBFT_ASSERT(capacity <= PLACE_MASK + 1);
    queue->heap = resize(queue->heap, capacity, sizeof queue->heap[0]);
    queue->events = resize(queue->events, capacity, sizeof queue->events[0]);
    queue->free_places =
        resize(queue->free_places, capacity, sizeof queue->free_places[0]);
    for (size_t i = queue->capacity; i < capacity; i++) {
        queue->free_places[i] = (uint32_t)i; /* All others are in use. */
    }
    queue->capacity = capacity;
}

void sim_queue_push(struct sim_queue *queue, struct sim_event event)
{
    if (queue->count == queue->capacity) {
        grow(queue);
    }
    uint32_t place = queue->free_places[queue->count];
    event.order = queue->next_order++;
    PBFT_ASSERT(event.order <= UINT64_MAX >> PLACE_BITS);
    queue->events[place] = event;
    queue->heap[queue->count] = (struct sim_queue_key){
        .time_us = event.time_us, .order = event.order << PLACE_BITS | place};
    sift_up(queue, queue->count++);
}

const struct sim_event *sim_queue_peek(const struct sim_queue *queue)
{
    return queue->count == 0 ? NULL : event_of(queue, &queue->heap[0]);
}

static struct sim_event take_at(struct sim_queue *queue, size_t at)
{
    const struct sim_queue_key key = queue->heap[at];
    const struct sim_event event = *event_of(queue, &key);
    queue->count--;
    queue->free_places[queue->count] = (uint32_t)(key.order & PLACE_MASK);
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

static bool waits_for(const struct sim_event *event, uint32_t target)
{
    return event->postponed_us != 0 && event->target == target;
}

void sim_queue_hasten(struct sim_queue *queue, uint32_t target, uint64_t now_us,
                      uint64_t step_us,
                      void (*on_moved)(void *context,
                                       const struct sim_event *event,
                                       uint64_t time_us),
                      void *context)
{
    /* What moves up trades places with what was looked at before. */
    for (size_t at = 0; at < queue->count; at++) {
        struct sim_event *event = event_of(queue, &queue->heap[at]);
        uint64_t waited_us = now_us - event->postponed_us;
        uint64_t steps = (waited_us + step_us - 1) / step_us;
        uint64_t time_us =
            event->postponed_us + (steps > 0 ? steps : 1) * step_us;
        if (waits_for(event, target) && time_us < event->time_us) {
            on_moved(context, event, time_us);
            event->time_us = time_us;
            queue->heap[at].time_us = time_us;
            sift_up(queue, at);
        }
    }
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
            accepts(context, event_of(queue, &queue->heap[i]))) {
            best = i;
        }
    }
    if (best == queue->count) {
        return false;
    }
    *out = take_at(queue, best);
    return true;
}
