/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs go first; between two of them at most one block goes to a peer. Peers
 * take turns, so that none can keep the others from catching up. */
#include "node/replier.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/thread.h"

struct replier {
    struct replier_work work;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards everything below. */
    pthread_cond_t filled;
    pthread_cond_t room;
    struct pbft_attested proofs[NODE_PROOFS_WAITING_MAX]; /* A ring. */
    size_t proof_first;
    size_t proof_count;
    struct pbft_serve serves[PBFT_REPLICAS_MAX]; /* By peer; first 0: none. */
    size_t serve_count;                          /* Peers that have one. */
    pbft_replica_id serve_next;                  /* Whose turn it is. */
    bool stopping;
};

/* What one look found. */
struct turn {
    bool has_proof;
    struct pbft_attested proof;
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

static void end_serve(struct replier *replier, pbft_replica_id to)
{
    if (replier->serves[to].first != 0) {
        replier->serves[to].first = 0;
        replier->serve_count--;
    }
}

/* One block of the next peer's order; the order goes when it is done. */
static void take_serve(struct replier *replier, struct turn *turn)
{
    turn->has_serve = replier->serve_count > 0 && !replier->stopping;
    if (!turn->has_serve) {
        return;
    }
    while (replier->serves[replier->serve_next].first == 0) {
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
                          pbft_time_ms deadline_ms)
{
    (void)pthread_mutex_lock(&replier->lock);
    while (replier->proof_count == 0 && replier->serve_count == 0 &&
           !replier->stopping && clock_now_ms() < deadline_ms) {
        clock_condition_wait(&replier->filled, &replier->lock, deadline_ms);
    }
    take_proof(replier, turn);
    take_serve(replier, turn);
    turn->ended = replier->stopping && !turn->has_proof;
    (void)pthread_mutex_unlock(&replier->lock);
}

/* The peer takes nothing more: forget the rest of what it asked for. */
static void drop_serves_to(struct replier *replier, pbft_replica_id to)
{
    (void)pthread_mutex_lock(&replier->lock);
    end_serve(replier, to);
    (void)pthread_mutex_unlock(&replier->lock);
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
        if (turn.has_serve &&
            !replier->work.serve(replier->work.context, turn.serve.to,
                                 turn.serve.first)) {
            drop_serves_to(replier, turn.serve.to);
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
