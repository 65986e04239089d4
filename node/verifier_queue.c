/* SPDX-License-Identifier: Apache-2.0 */
/* A list for each source, over one pool of places. */
#include "node/verifier_queue.h"

#include <stdlib.h>

#include "consensus/assert.h"

#define NONE SIZE_MAX
/* Whoever was refused is told after so many parts of the places are free. */
#define ROOM_PARTS 8
/* So great a part of the bytes is for who has nothing waiting and sends little,
 * like a vote. */
#define SPARE_PARTS 8

struct place {
    struct verifier_job job;
    size_t next; /* Of the same source, or free. */
};

struct source {
    size_t first;
    size_t last;
    size_t count;
    size_t bytes;
    uint32_t running;  /* Jobs taken, and not charged yet. */
    uint64_t spent_ns; /* At least as much as whoever is served has. */
    uint64_t last_ns;  /* What its last job cost: the next may cost the same. */
};

struct verifier_queue {
    uint32_t source_count;
    uint32_t running_max; /* Of one source. */
    size_t jobs_max;
    size_t bytes_max;
    struct place *places; /* jobs_max */
    size_t free_first;
    size_t count;
    size_t bytes;
    uint32_t turn;       /* Who comes first among equals. */
    uint64_t virtual_ns; /* What the source served last had spent. */
    bool refused;
    size_t taken; /* Since then. */
    struct source sources[];
};

static size_t job_bytes(const struct verifier_job *job)
{
    return pbft_buffer_bytes(job->buffer).size;
}

struct verifier_queue *verifier_queue_create(uint32_t sources,
                                             uint32_t running_max,
                                             size_t jobs_max, size_t bytes_max)
{
    PBFT_ASSERT(sources > 0);
    PBFT_ASSERT(running_max > 0);
    PBFT_ASSERT(jobs_max > 0);
    struct verifier_queue *queue =
        calloc(1, sizeof *queue + sources * sizeof *queue->sources);
    PBFT_ASSERT(queue != NULL);
    queue->places = calloc(jobs_max, sizeof *queue->places);
    PBFT_ASSERT(queue->places != NULL);
    queue->source_count = sources;
    queue->running_max = running_max;
    queue->jobs_max = jobs_max;
    queue->bytes_max = bytes_max;
    for (size_t i = 0; i < jobs_max; i++) {
        queue->places[i].next = i + 1 < jobs_max ? i + 1 : NONE;
    }
    return queue;
}

void verifier_queue_destroy(struct verifier_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (uint32_t id = 0; id < queue->source_count; id++) {
        size_t at = queue->sources[id].first;
        for (size_t i = 0; i < queue->sources[id].count; i++) {
            pbft_buffer_unref(queue->places[at].job.buffer);
            at = queue->places[at].next;
        }
    }
    free(queue->places);
    free(queue);
}

/* An empty queue has room for a job of any size. The first of a source may be
 * more than it leaves, but not take the last bytes. */
static bool has_room(const struct verifier_queue *queue,
                     const struct source *source, size_t bytes)
{
    if (queue->count == 0) {
        return true;
    }
    if (queue->count == queue->jobs_max || queue->bytes > queue->bytes_max ||
        bytes > queue->bytes_max - queue->bytes) {
        return false;
    }
    size_t jobs_left = queue->jobs_max - queue->count - 1;
    size_t bytes_left = queue->bytes_max - queue->bytes - bytes;
    if (source->count == 0) {
        return bytes_left >= queue->bytes_max / SPARE_PARTS;
    }
    return source->count + 1 <= jobs_left &&
           source->bytes + bytes <= bytes_left;
}

bool verifier_queue_put(struct verifier_queue *queue,
                        const struct verifier_job *job)
{
    PBFT_ASSERT(job->from < queue->source_count);
    struct source *source = &queue->sources[job->from];
    size_t bytes = job_bytes(job);
    if (!has_room(queue, source, bytes)) {
        queue->refused = true;
        return false;
    }
    size_t at = queue->free_first;
    struct place *place = &queue->places[at];
    queue->free_first = place->next;
    *place = (struct place){.job = *job, .next = NONE};
    if (source->count == 0) {
        source->first = at;
    } else {
        queue->places[source->last].next = at;
    }
    source->last = at;
    if (source->count == 0 && source->running == 0 &&
        source->spent_ns < queue->virtual_ns) {
        source->spent_ns = queue->virtual_ns; /* Who rests saves nothing up. */
    }
    source->count++;
    source->bytes += bytes;
    queue->count++;
    queue->bytes += bytes;
    return true;
}

size_t verifier_queue_count(const struct verifier_queue *queue)
{
    return queue->count;
}

static uint64_t expected_ns(const struct source *source)
{
    return source->spent_ns + source->running * source->last_ns;
}

/* The source to take from; `source_count`: there is none. */
static uint32_t choose(const struct verifier_queue *queue)
{
    uint32_t chosen = queue->source_count;
    for (uint32_t i = 0; i < queue->source_count; i++) {
        uint32_t id = (queue->turn + i) % queue->source_count;
        const struct source *source = &queue->sources[id];
        if (source->count > 0 && source->running < queue->running_max &&
            (chosen == queue->source_count ||
             expected_ns(source) < expected_ns(&queue->sources[chosen]))) {
            chosen = id;
        }
    }
    return chosen;
}

bool verifier_queue_is_ready(const struct verifier_queue *queue)
{
    return queue->count > 0 && choose(queue) != queue->source_count;
}

void verifier_queue_take(struct verifier_queue *queue, struct verifier_job *out)
{
    uint32_t id = choose(queue);
    PBFT_ASSERT(id < queue->source_count);
    struct source *source = &queue->sources[id];
    size_t at = source->first;
    struct place *place = &queue->places[at];
    *out = place->job;
    source->first = place->next;
    place->next = queue->free_first;
    queue->free_first = at;
    source->count--;
    source->bytes -= job_bytes(out);
    source->running++;
    queue->count--;
    queue->bytes -= job_bytes(out);
    queue->turn = (id + 1) % queue->source_count;
    queue->virtual_ns = source->spent_ns;
    queue->taken += queue->refused ? 1 : 0;
}

void verifier_queue_charge(struct verifier_queue *queue, uint32_t id,
                           uint64_t cost_ns)
{
    struct source *source = &queue->sources[id];
    PBFT_ASSERT(source->running > 0);
    source->running--;
    source->spent_ns += cost_ns;
    source->last_ns = cost_ns;
}

bool verifier_queue_has_room(struct verifier_queue *queue)
{
    bool has_room =
        queue->refused && (queue->taken * ROOM_PARTS >= queue->jobs_max ||
                           (queue->count <= queue->jobs_max / 8 * 3 &&
                            queue->bytes <= queue->bytes_max / 8 * 3));
    if (has_room) {
        queue->refused = false;
        queue->taken = 0;
    }
    return has_room;
}
