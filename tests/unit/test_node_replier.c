/* SPDX-License-Identifier: Apache-2.0 */
/* The replier: proofs in order, blocks to peers one at a time, no proof lost at
 * the end; bodies as far as there is room; and the journal's limit. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/clock.h"
#include "node/journal.h"
#include "node/limits.h"
#include "node/replier.h"

#define SEEN_MAX 128

struct world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pbft_seq proofs[SEEN_MAX];
    size_t proof_count;
    pbft_seq served[SEEN_MAX];
    pbft_replica_id served_to[SEEN_MAX];
    size_t serve_count;
    pbft_time_ms served_at_ms[SEEN_MAX];
    pbft_seq reads[NODE_READS_WAITING_MAX + 1];
    size_t read_count;
    size_t block_size;
    enum pbft_status serve_status;
    size_t full_count; /* So often; then there is room. */
    bool is_held;      /* Serving waits. */
    size_t entered;
    unsigned sweeps;
};

static void on_proof(void *context, pbft_seq seq,
                     const struct pbft_message *proof)
{
    struct world *world = context;
    assert_null(proof);
    (void)pthread_mutex_lock(&world->lock);
    world->proofs[world->proof_count++] = seq;
    (void)pthread_cond_signal(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
}

static enum pbft_status on_serve(void *context, pbft_replica_id to,
                                 pbft_seq seq, size_t *size)
{
    struct world *world = context;
    (void)pthread_mutex_lock(&world->lock);
    world->entered++;
    (void)pthread_cond_signal(&world->changed);
    while (world->is_held) {
        (void)pthread_cond_wait(&world->changed, &world->lock);
    }
    world->served_to[world->serve_count] = to;
    world->served_at_ms[world->serve_count] = clock_now_ms();
    world->served[world->serve_count++] = seq;
    const enum pbft_status status = world->serve_status;
    if (world->full_count > 0 && --world->full_count == 0) {
        world->serve_status = PBFT_OK;
    }
    *size = world->block_size;
    (void)pthread_cond_signal(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
    return status;
}

static void on_read_body(void *context, const struct pbft_body_read *read)
{
    struct world *world = context;
    (void)pthread_mutex_lock(&world->lock);
    world->reads[world->read_count++] = read->seq;
    (void)pthread_cond_signal(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
}

static void on_sweep(void *context, pbft_time_ms now_ms)
{
    struct world *world = context;
    assert_true(now_ms > 0);
    (void)pthread_mutex_lock(&world->lock);
    world->sweeps++;
    (void)pthread_cond_signal(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
}

static struct replier *create(struct world *world)
{
    const struct replier_work work = {.context = world,
                                      .proof = on_proof,
                                      .serve = on_serve,
                                      .read_body = on_read_body,
                                      .sweep = on_sweep};
    *world = (struct world){.block_size = 1};
    (void)pthread_mutex_init(&world->lock, NULL);
    (void)pthread_cond_init(&world->changed, NULL);
    return replier_create(&work);
}

static void wait_until(struct world *world, const size_t *count, size_t wanted)
{
    (void)pthread_mutex_lock(&world->lock);
    while (*count < wanted) {
        (void)pthread_cond_wait(&world->changed, &world->lock);
    }
    (void)pthread_mutex_unlock(&world->lock);
}

static void test_proofs_come_in_order_and_none_is_lost(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    for (pbft_seq seq = 1; seq <= SEEN_MAX; seq++) {
        const struct pbft_attested attested = {.seq = seq};
        replier_put_proof(replier, &attested);
    }
    replier_destroy(replier);
    assert_int_equal(world.proof_count, SEEN_MAX);
    for (pbft_seq seq = 1; seq <= SEEN_MAX; seq++) {
        assert_int_equal(world.proofs[seq - 1], seq);
    }
}

static void test_blocks_are_served_in_order(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    const struct pbft_serve serve = {.to = 2, .first = 5, .last = 8};
    replier_put_serve(replier, &serve);
    wait_until(&world, &world.serve_count, 4);
    replier_destroy(replier);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(world.served[i], 5 + i);
    }
}

static void put_order(struct replier *replier, pbft_replica_id to,
                      pbft_seq first, pbft_seq last)
{
    const struct pbft_serve serve = {.to = to, .first = first, .last = last};
    replier_put_serve(replier, &serve);
}

static void release_serving(struct world *world)
{
    (void)pthread_mutex_lock(&world->lock);
    world->is_held = false;
    (void)pthread_cond_broadcast(&world->changed);
    (void)pthread_mutex_unlock(&world->lock);
}

/* Peer 2 asks for one block after the other, as often as it likes. */
static void test_a_greedy_peer_starves_nobody(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    world.is_held = true;
    put_order(replier, 2, 100, 100);
    wait_until(&world, &world.entered, 1);
    for (pbft_seq seq = 1; seq <= 99; seq += 2) {
        put_order(replier, 2, seq, seq);
    }
    put_order(replier, 3, 7, 8);
    put_order(replier, 3, 9, 9); /* Goes on where the first order ends. */
    release_serving(&world);
    wait_until(&world, &world.serve_count, 5);
    replier_destroy(replier);

    static const pbft_replica_id to[] = {2, 3, 2, 3, 3};
    static const pbft_seq seqs[] = {100, 7, 99, 8, 9};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(world.served_to[i], to[i]);
        assert_int_equal(world.served[i], seqs[i]);
    }
}

/* After so many bytes a peer waits for the next interval; the others do not. */
static void test_large_blocks_are_paced(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    world.block_size = NODE_SERVE_BYTES_MAX;
    world.is_held = true;
    put_order(replier, 2, 1, 2);
    wait_until(&world, &world.entered, 1);
    put_order(replier, 3, 7, 7);
    release_serving(&world);
    wait_until(&world, &world.serve_count, 3);
    replier_destroy(replier);

    static const pbft_replica_id to[] = {2, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world.served_to[i], to[i]);
    }
    assert_true(world.served_at_ms[2] - world.served_at_ms[0] >=
                NODE_SERVE_INTERVAL_MS);
}

static void test_gone_peer_gets_no_more(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    const struct pbft_serve serve = {.to = 2, .first = 5, .last = 60};
    const struct pbft_attested attested = {.seq = 1};
    world.serve_status = PBFT_UNREACHABLE;
    replier_put_serve(replier, &serve);
    wait_until(&world, &world.serve_count, 1);
    replier_put_proof(replier, &attested);
    wait_until(&world, &world.proof_count, 1);
    replier_destroy(replier);
    assert_int_equal(world.serve_count, 1);
}

/* Its outbox was full, twice: it gets all, in order, as soon as it reads. */
static void test_slow_peer_gets_all(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    const struct pbft_serve serve = {.to = 2, .first = 5, .last = 6};
    static const pbft_seq tried[] = {5, 5, 5, 6};
    world.serve_status = PBFT_LIMIT;
    world.full_count = 2;
    replier_put_serve(replier, &serve);
    wait_until(&world, &world.serve_count, 4);
    replier_destroy(replier);
    assert_int_equal(world.serve_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(world.served[i], tried[i]);
    }
    assert_true(world.served_at_ms[2] - world.served_at_ms[0] >=
                2 * NODE_SERVE_AGAIN_MS);
}

/* So it does with the last one of its order. */
static void test_slow_peer_gets_the_last_one(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    const struct pbft_serve serve = {.to = 2, .first = 5, .last = 5};
    world.serve_status = PBFT_LIMIT;
    world.full_count = 1;
    replier_put_serve(replier, &serve);
    wait_until(&world, &world.serve_count, 2);
    replier_destroy(replier);
    assert_int_equal(world.served[1], 5);
}

/* What finds no room is dropped: the core asks again. */
static void test_bodies_are_read_in_order_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct world world;
    struct replier *replier = create(&world);
    world.is_held = true;
    put_order(replier, 2, 100, 100);
    wait_until(&world, &world.entered, 1);
    for (pbft_seq seq = 1; seq <= NODE_READS_WAITING_MAX + 1; seq++) {
        const struct pbft_body_read read = {.seq = seq};
        replier_put_read(replier, &read);
    }
    release_serving(&world);
    wait_until(&world, &world.read_count, NODE_READS_WAITING_MAX);
    replier_destroy(replier);
    assert_int_equal(world.read_count, NODE_READS_WAITING_MAX);
    for (pbft_seq seq = 1; seq <= NODE_READS_WAITING_MAX; seq++) {
        assert_int_equal(world.reads[seq - 1], seq);
    }
}

static void test_journal_is_limited_per_interval(void **state)
{
    (void)state;
    struct journal_limit limit = {0};
    uint64_t suppressed = 0;
    for (unsigned i = 0; i < NODE_JOURNAL_LINES_MAX; i++) {
        assert_true(journal_allows(&limit, 1000, &suppressed));
    }
    assert_false(journal_allows(&limit, 1000, &suppressed));
    assert_false(journal_allows(&limit, 1001, &suppressed));
    assert_true(
        journal_allows(&limit, 1000 + NODE_JOURNAL_INTERVAL_MS, &suppressed));
    assert_int_equal(suppressed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proofs_come_in_order_and_none_is_lost),
        cmocka_unit_test(test_blocks_are_served_in_order),
        cmocka_unit_test(test_a_greedy_peer_starves_nobody),
        cmocka_unit_test(test_large_blocks_are_paced),
        cmocka_unit_test(test_gone_peer_gets_no_more),
        cmocka_unit_test(test_slow_peer_gets_all),
        cmocka_unit_test(test_slow_peer_gets_the_last_one),
        cmocka_unit_test(test_bodies_are_read_in_order_as_far_as_there_is_room),
        cmocka_unit_test(test_journal_is_limited_per_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
