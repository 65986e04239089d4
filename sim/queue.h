/* SPDX-License-Identifier: Apache-2.0 */
/* What happens next: events ordered by virtual time, then by the order in which
 * they were scheduled. Ties never depend on anything else.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind {
    SIM_EVENT_DELIVER,   /* `item`: a packet. */
    SIM_EVENT_FLUSH,     /* A host ends a burst of steps. */
    SIM_EVENT_SYNCED,    /* A host's disk completed writes. */
    SIM_EVENT_EXECUTED,  /* A host's service finished a block. */
    SIM_EVENT_READ,      /* A host's disk read a body. */
    SIM_EVENT_TIMER,     /* A host's deadline. */
    SIM_EVENT_CLIENT,    /* A client submits or resends. */
    SIM_EVENT_FAULT,     /* The next fault is drawn. */
    SIM_EVENT_HEAL,      /* A fault ends; `argument`: which. */
    SIM_EVENT_ADVERSARY, /* A Byzantine host thinks of something. */
    SIM_EVENT_KIND_COUNT
};

struct sim_event {
    uint64_t time_us;
    uint64_t order; /* Assigned by the queue. */
    enum sim_event_kind kind;
    uint32_t target;   /* Host or client. */
    uint64_t argument; /* E.g. the life of the host it is meant for. */
    uint64_t number;   /* E.g. a ticket. */
    void *item;        /* Or NULL. */
    /* It waits for a paused host since then, in steps; 0: it does not. */
    uint64_t postponed_us;
};

/* What the order depends on; four children share a line of the cache. */
struct sim_queue_key {
    uint64_t time_us;
    uint64_t order; /* Above, and the event's place below. */
};

struct sim_queue {
    struct sim_queue_key *heap;
    struct sim_event *events; /* By place; they do not move. */
    uint32_t *free_places;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

void sim_queue_init(struct sim_queue *queue);
void sim_queue_deinit(struct sim_queue *queue);
void sim_queue_push(struct sim_queue *queue, struct sim_event event);
/* The next event stays in the queue. NULL: nothing will ever happen. */
const struct sim_event *sim_queue_peek(const struct sim_queue *queue);
struct sim_event sim_queue_pop(struct sim_queue *queue);
/* The pause of `target` ends at `now_us`: what waits for it comes with its next
 * step of `step_us`. `on_moved` learns of each before and after. */
void sim_queue_hasten(struct sim_queue *queue, uint32_t target, uint64_t now_us,
                      uint64_t step_us,
                      void (*on_moved)(void *context,
                                       const struct sim_event *event,
                                       uint64_t time_us),
                      void *context);
/* The earliest event that `accepts`; takes it out of its turn. False: none. */
bool sim_queue_take(struct sim_queue *queue,
                    bool (*accepts)(const void *context,
                                    const struct sim_event *event),
                    const void *context, struct sim_event *out);

#endif /* SIM_QUEUE_H */
