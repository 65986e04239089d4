/* SPDX-License-Identifier: Apache-2.0 */
/* Two queues of jobs, and the threads that take from them in turn. */
#include "node/verifier_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/thread.h"
#include "node/verifier_queue.h"

struct worker {
    struct verifier_pool *pool;
    uint32_t index;
    pthread_t thread;
};

struct verifier_pool {
    struct verifier_pool_config config;
    pthread_mutex_t lock; /* Guards everything below but `workers`. */
    pthread_cond_t filled;
    struct verifier_queue *lanes[VERIFIER_LANE_COUNT];
    enum verifier_lane next; /* Whose turn it is. */
    bool stopping;
    uint32_t started; /* Threads; for whoever starts and stops. */
    struct worker workers[NODE_VERIFIERS_MAX];
};

/* The lane to take from; false if there is none. */
static bool choose(struct verifier_pool *pool, enum verifier_lane *chosen)
{
    for (unsigned i = 0; i < VERIFIER_LANE_COUNT; i++) {
        enum verifier_lane lane =
            (enum verifier_lane)((pool->next + i) % VERIFIER_LANE_COUNT);
        if (verifier_queue_is_ready(pool->lanes[lane])) {
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
        verifier_queue_take(pool->lanes[chosen], job);
        *room = verifier_queue_has_room(pool->lanes[chosen]);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return !stopping;
}

static void charge(struct verifier_pool *pool, const struct verifier_job *job,
                   uint64_t cost_ns)
{
    (void)pthread_mutex_lock(&pool->lock);
    verifier_queue_charge(pool->lanes[job->lane], job->from, cost_ns);
    /* One of the same source may be taken now, which nobody was woken for. */
    if (verifier_queue_is_ready(pool->lanes[job->lane])) {
        (void)pthread_cond_signal(&pool->filled);
    }
    (void)pthread_mutex_unlock(&pool->lock);
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
        uint64_t begun_ns = clock_thread_ns();
        pool->config.work(pool->config.context, worker->index, &job);
        pbft_buffer_unref(job.buffer);
        charge(pool, &job, clock_thread_ns() - begun_ns);
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
        pool->lanes[i] = verifier_queue_create(
            config->sources[i], config->threads > 1 ? config->threads - 1 : 1,
            config->jobs_max[i], config->bytes_max[i]);
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

enum pbft_status verifier_pool_put(struct verifier_pool *pool,
                                   const struct verifier_job *job)
{
    enum pbft_status status = PBFT_OK;
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        status = PBFT_CLOSED;
    } else if (!verifier_queue_put(pool->lanes[job->lane], job)) {
        status = PBFT_LIMIT;
    } else {
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
        verifier_queue_destroy(pool->lanes[i]);
    }
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->filled);
    free(pool);
}
