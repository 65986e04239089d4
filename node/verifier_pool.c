/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded lanes of jobs, and the threads that take from them in turn. */
#include "node/verifier_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/limits.h"
#include "node/thread.h"

struct lane {
    struct verifier_job *jobs; /* A ring. */
    size_t jobs_max;
    size_t first;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    bool refused; /* Somebody waits for room. */
};

struct worker {
    struct verifier_pool *pool;
    uint32_t index;
    pthread_t thread;
};

struct verifier_pool {
    struct verifier_pool_config config;
    pthread_mutex_t lock; /* Guards everything below but `workers`. */
    pthread_cond_t filled;
    struct lane lanes[VERIFIER_LANE_COUNT];
    enum verifier_lane next; /* Whose turn it is. */
    bool stopping;
    uint32_t started; /* Threads; for whoever starts and stops. */
    struct worker workers[NODE_VERIFIERS_MAX];
};

static size_t job_bytes(const struct verifier_job *job)
{
    return pbft_buffer_bytes(job->buffer).size;
}

static struct verifier_job pop(struct lane *lane)
{
    struct verifier_job job = lane->jobs[lane->first];
    lane->first = (lane->first + 1) % lane->jobs_max;
    lane->count--;
    lane->bytes -= job_bytes(&job);
    return job;
}

/* The lane to take from; false if all are empty. */
static bool choose(struct verifier_pool *pool, enum verifier_lane *chosen)
{
    for (unsigned i = 0; i < VERIFIER_LANE_COUNT; i++) {
        enum verifier_lane lane =
            (enum verifier_lane)((pool->next + i) % VERIFIER_LANE_COUNT);
        if (pool->lanes[lane].count > 0) {
            pool->next = (enum verifier_lane)((lane + 1) % VERIFIER_LANE_COUNT);
            *chosen = lane;
            return true;
        }
    }
    return false;
}

/* Waits for a job; false when the pool stops. */
static bool next_job(struct verifier_pool *pool, struct verifier_job *job,
                     bool *room)
{
    enum verifier_lane chosen = VERIFIER_ENVELOPES;
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->stopping && !choose(pool, &chosen)) {
        (void)pthread_cond_wait(&pool->filled, &pool->lock);
    }
    bool stopping = pool->stopping;
    if (!stopping) {
        struct lane *lane = &pool->lanes[chosen];
        *job = pop(lane);
        *room = lane->refused && lane->count <= lane->jobs_max / 2 &&
                lane->bytes <= lane->bytes_max / 2;
        lane->refused = lane->refused && !*room;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return !stopping;
}

static void *run(void *context)
{
    struct worker *worker = context;
    struct verifier_pool *pool = worker->pool;
    struct verifier_job job;
    bool room = false;
    thread_name("verifier");
    while (next_job(pool, &job, &room)) {
        if (room) {
            pool->config.room(pool->config.context, job.lane);
        }
        pool->config.work(pool->config.context, worker->index, &job);
        pbft_buffer_unref(job.buffer);
    }
    return NULL;
}

struct verifier_pool *
verifier_pool_create(const struct verifier_pool_config *config)
{
    PBFT_ASSERT(config->threads >= 1);
    PBFT_ASSERT(config->threads <= NODE_VERIFIERS_MAX);
    struct verifier_pool *pool = calloc(1, sizeof *pool);
    PBFT_ASSERT(pool != NULL);
    pool->config = *config;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->filled, NULL);
    for (unsigned i = 0; i < VERIFIER_LANE_COUNT; i++) {
        struct lane *lane = &pool->lanes[i];
        PBFT_ASSERT(config->jobs_max[i] > 0);
        lane->jobs_max = config->jobs_max[i];
        lane->bytes_max = config->bytes_max[i];
        lane->jobs = calloc(lane->jobs_max, sizeof *lane->jobs);
        PBFT_ASSERT(lane->jobs != NULL);
    }
    return pool;
}

void verifier_pool_start(struct verifier_pool *pool)
{
    PBFT_ASSERT(pool->started == 0);
    for (uint32_t i = 0; i < pool->config.threads; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        worker->index = i;
        int failed = pthread_create(&worker->thread, NULL, run, worker);
        PBFT_ASSERT(failed == 0);
        pool->started++;
    }
}

static bool has_room(const struct lane *lane, size_t bytes)
{
    return lane->count == 0 || (lane->count < lane->jobs_max &&
                                lane->bytes + bytes <= lane->bytes_max);
}

enum pbft_status verifier_pool_put(struct verifier_pool *pool,
                                   const struct verifier_job *job)
{
    enum pbft_status status = PBFT_OK;
    struct lane *lane = &pool->lanes[job->lane];
    size_t bytes = job_bytes(job);
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        status = PBFT_CLOSED;
    } else if (!has_room(lane, bytes)) {
        lane->refused = true;
        status = PBFT_LIMIT;
    } else {
        lane->jobs[(lane->first + lane->count) % lane->jobs_max] = *job;
        lane->count++;
        lane->bytes += bytes;
        (void)pthread_cond_signal(&pool->filled);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return status;
}

void verifier_pool_stop(struct verifier_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->filled);
    (void)pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->started; i++) {
        (void)pthread_join(pool->workers[i].thread, NULL);
    }
}

void verifier_pool_destroy(struct verifier_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    PBFT_ASSERT(pool->stopping);
    for (unsigned i = 0; i < VERIFIER_LANE_COUNT; i++) {
        while (pool->lanes[i].count > 0) {
            pbft_buffer_unref(pop(&pool->lanes[i]).buffer);
        }
        free(pool->lanes[i].jobs);
    }
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->filled);
    free(pool);
}
