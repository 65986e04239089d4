/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs go first; between two of them at most one body is read and one block
 * goes to a peer. Peers take turns, and each has a budget, so that none can
 * keep the others from catching up. */
#include "node/replier.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/thread.h"

/* What one peer has got since the interval began. */
struct meter {
    pbft_time_ms until_ms;
    size_t bytes;
    pbft_time_ms again_ms; /* Its outbox was full: not before. */
};

struct replier {
    struct replier_work work;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards everything below. */
    pthread_cond_t filled;
    pthread_cond_t room;
    struct pbft_attested proofs[NODE_PROOFS_WAITING_MAX]; /* A ring. */
    size_t proof_first;
    size_t proof_count;
    struct pbft_body_read reads[NODE_READS_WAITING_MAX]; /* A ring. */
    size_t read_first;
    size_t read_count;
    struct pbft_serve serves[PBFT_REPLICAS_MAX]; /* By peer; first 0: none. */
    struct meter meters[PBFT_REPLICAS_MAX];
    size_t serve_count;         /* Peers that have one. */
    pbft_replica_id serve_next; /* Whose turn it is. */
    bool stopping;
};

/* What one look found. */
struct turn {
    bool has_proof;
    struct pbft_attested proof;
    bool has_read;
    struct pbft_body_read read;
    bool has_serve;
    struct pbft_serve serve;
    bool ended;
};

static void take_proof(struct replier *replier, struct turn *turn)
{
    turn->has_proof = replier->proof_count > 0;
    if (turn->has_proof) {
        turn->proof = replier->proofs[replier->proof_first];
        replier->proof_first =
            (replier->proof_first + 1) % NODE_PROOFS_WAITING_MAX;
        replier->proof_count--;
        (void)pthread_cond_signal(&replier->room);
    }
}

static void take_read(struct replier *replier, struct turn *turn)
{
    turn->has_read = replier->read_count > 0 && !replier->stopping;
    if (turn->has_read) {
        turn->read = replier->reads[replier->read_first];
        replier->read_first =
            (replier->read_first + 1) % NODE_READS_WAITING_MAX;
        replier->read_count--;
    }
}

static void end_serve(struct replier *replier, pbft_replica_id to)
{
    if (replier->serves[to].first != 0) {
        replier->serves[to].first = 0;
        replier->serve_count--;
    }
}

/* When the peer's order may go on; PBFT_TIME_NEVER: it has none. */
static pbft_time_ms due_of(const struct replier *replier, pbft_replica_id to)
{
    if (replier->serves[to].first == 0) {
        return PBFT_TIME_NEVER;
    }
    const struct meter *meter = &replier->meters[to];
    return meter->bytes < NODE_SERVE_BYTES_MAX ||
                   meter->until_ms < meter->again_ms
               ? meter->again_ms
               : meter->until_ms;
}

static pbft_time_ms next_due(const struct replier *replier)
{
    pbft_time_ms next = PBFT_TIME_NEVER;
    for (pbft_replica_id id = 0;
         replier->serve_count > 0 && id < PBFT_REPLICAS_MAX; id++) {
        const pbft_time_ms due = due_of(replier, id);
        next = due < next ? due : next;
    }
    return next;
}

/* One block of the next peer's order; the order goes when it is done. */
static void take_serve(struct replier *replier, struct turn *turn)
{
    const pbft_time_ms now_ms = clock_now_ms();
    turn->has_serve = next_due(replier) <= now_ms && !replier->stopping;
    if (!turn->has_serve) {
        return;
    }
    while (due_of(replier, replier->serve_next) > now_ms) {
        replier->serve_next = (replier->serve_next + 1) % PBFT_REPLICAS_MAX;
    }
    struct pbft_serve *order = &replier->serves[replier->serve_next];
    turn->serve = *order;
    if (order->first == order->last) {
        end_serve(replier, replier->serve_next);
    } else {
        order->first++;
    }
    replier->serve_next = (replier->serve_next + 1) % PBFT_REPLICAS_MAX;
}

static void wait_for_work(struct replier *replier, struct turn *turn,
                          pbft_time_ms sweep_ms)
{
    (void)pthread_mutex_lock(&replier->lock);
    while (replier->proof_count == 0 && replier->read_count == 0 &&
           !replier->stopping) {
        const pbft_time_ms due_ms = next_due(replier);
        const pbft_time_ms next_ms = due_ms < sweep_ms ? due_ms : sweep_ms;
        if (clock_now_ms() >= next_ms) {
            break;
        }
        clock_condition_wait(&replier->filled, &replier->lock, next_ms);
    }
    take_proof(replier, turn);
    take_read(replier, turn);
    take_serve(replier, turn);
    turn->ended = replier->stopping && !turn->has_proof;
    (void)pthread_mutex_unlock(&replier->lock);
}

/* Still the order that `serve` was taken from: the peer did not ask anew. */
static bool is_rest_of(const struct pbft_serve *order,
                       const struct pbft_serve *serve)
{
    return order->first == serve->first + 1 && order->last >= serve->last;
}

/* The peer is gone, or the block is: forget the rest of what it asked for. */
static void drop_rest(struct replier *replier, const struct pbft_serve *serve)
{
    (void)pthread_mutex_lock(&replier->lock);
    if (is_rest_of(&replier->serves[serve->to], serve)) {
        end_serve(replier, serve->to);
    }
    (void)pthread_mutex_unlock(&replier->lock);
}

static void note_served(struct replier *replier, pbft_replica_id to,
                        size_t bytes)
{
    struct meter *meter = &replier->meters[to];
    const pbft_time_ms now_ms = clock_now_ms();
    (void)pthread_mutex_lock(&replier->lock);
    if (now_ms >= meter->until_ms) {
        *meter = (struct meter){.until_ms = now_ms + NODE_SERVE_INTERVAL_MS};
    }
    meter->bytes += bytes;
    (void)pthread_mutex_unlock(&replier->lock);
}

/* No room for it now: the peer is slow, and what it asked for is owed. Were it
 * dropped, the peer would wait for a donor's whole deadline. */
static void put_back(struct replier *replier, const struct pbft_serve *serve)
{
    (void)pthread_mutex_lock(&replier->lock);
    struct pbft_serve *order = &replier->serves[serve->to];
    if (order->first == 0) {
        *order = *serve;
        replier->serve_count++;
    } else if (is_rest_of(order, serve)) {
        order->first = serve->first;
    }
    replier->meters[serve->to].again_ms = clock_now_ms() + NODE_SERVE_AGAIN_MS;
    (void)pthread_mutex_unlock(&replier->lock);
}

static void serve_one(struct replier *replier, const struct pbft_serve *serve)
{
    size_t bytes = 0;
    const enum pbft_status status = replier->work.serve(
        replier->work.context, serve->to, serve->first, &bytes);
    note_served(replier, serve->to, bytes); /* It was read in any case. */
    if (status == PBFT_LIMIT) {
        put_back(replier, serve);
    } else if (status != PBFT_OK) {
        drop_rest(replier, serve);
    }
}

static void *run(void *context)
{
    struct replier *replier = context;
    struct turn turn = {0};
    pbft_time_ms sweep_ms = clock_now_ms() + NODE_SWEEP_INTERVAL_MS;
    thread_name("replier");
    while (!turn.ended) {
        wait_for_work(replier, &turn, sweep_ms);
        if (turn.has_proof) {
            replier->work.proof(replier->work.context, turn.proof.seq,
                                turn.proof.proof);
            pbft_message_unref(turn.proof.proof);
        }
        if (turn.has_read) {
            replier->work.read_body(replier->work.context, &turn.read);
        }
        if (turn.has_serve) {
            serve_one(replier, &turn.serve);
        }
        pbft_time_ms now_ms = clock_now_ms();
        if (now_ms >= sweep_ms) {
            replier->work.sweep(replier->work.context, now_ms);
            sweep_ms = now_ms + NODE_SWEEP_INTERVAL_MS;
        }
    }
    return NULL;
}

struct replier *replier_create(const struct replier_work *work)
{
    struct replier *replier = calloc(1, sizeof *replier);
    PBFT_ASSERT(replier != NULL);
    replier->work = *work;
    (void)pthread_mutex_init(&replier->lock, NULL);
    clock_condition_init(&replier->filled);
    clock_condition_init(&replier->room);
    int failed = pthread_create(&replier->thread, NULL, run, replier);
    PBFT_ASSERT(failed == 0);
    return replier;
}

void replier_destroy(struct replier *replier)
{
    if (replier == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&replier->lock);
    replier->stopping = true;
    (void)pthread_cond_broadcast(&replier->filled);
    (void)pthread_mutex_unlock(&replier->lock);
    (void)pthread_join(replier->thread, NULL);
    (void)pthread_mutex_destroy(&replier->lock);
    (void)pthread_cond_destroy(&replier->filled);
    (void)pthread_cond_destroy(&replier->room);
    free(replier);
}

void replier_put_proof(struct replier *replier,
                       const struct pbft_attested *attested)
{
    (void)pthread_mutex_lock(&replier->lock);
    while (replier->proof_count == NODE_PROOFS_WAITING_MAX) {
        (void)pthread_cond_wait(&replier->room, &replier->lock);
    }
    size_t last =
        (replier->proof_first + replier->proof_count) % NODE_PROOFS_WAITING_MAX;
    replier->proofs[last] = (struct pbft_attested){
        .seq = attested->seq,
        .proof =
            attested->proof != NULL ? pbft_message_ref(attested->proof) : NULL};
    replier->proof_count++;
    (void)pthread_cond_signal(&replier->filled);
    (void)pthread_mutex_unlock(&replier->lock);
}

void replier_put_serve(struct replier *replier, const struct pbft_serve *serve)
{
    PBFT_ASSERT(serve->first > 0 && serve->first <= serve->last);
    PBFT_ASSERT(serve->to < PBFT_REPLICAS_MAX);
    (void)pthread_mutex_lock(&replier->lock);
    struct pbft_serve *order = &replier->serves[serve->to];
    if (order->first != 0 && order->last + 1 == serve->first) {
        order->last = serve->last;
    } else {
        replier->serve_count += order->first == 0;
        *order = *serve;
    }
    (void)pthread_cond_signal(&replier->filled);
    (void)pthread_mutex_unlock(&replier->lock);
}

void replier_put_read(struct replier *replier,
                      const struct pbft_body_read *read)
{
    PBFT_ASSERT(read->seq > 0);
    (void)pthread_mutex_lock(&replier->lock);
    if (replier->read_count < NODE_READS_WAITING_MAX) {
        size_t last = (replier->read_first + replier->read_count) %
                      NODE_READS_WAITING_MAX;
        replier->reads[last] = *read;
        replier->read_count++;
        (void)pthread_cond_signal(&replier->filled);
    }
    (void)pthread_mutex_unlock(&replier->lock);
}
