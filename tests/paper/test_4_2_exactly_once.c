/* SPDX-License-Identifier: Apache-2.0 */
/* OSDI'99 4.2, its last paragraph: a request whose timestamp is not above that
 * of the last reply is executed once only. Ours are numbered in sessions, with
 * a window in which they may come in any order, and the table of what was done
 * is part of the ledger (docs/api.md, 2): the core may order a request twice
 * (design: P17), and the execution tells. So here are both. */
#include "tests/paper/paper.h"
#include "tests/support/ledger_fixture.h"

#define EXECUTOR 2 /* Whose blocks the ledger executes. */

static struct world *world;

static int setup(void **state)
{
    world = world_create_empty(2);
    return paper_setup(state);
}

static int teardown(void **state)
{
    world_destroy(world);
    return paper_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The request as ordered; the ledger knows the cast's client as the hospital's.
 */
static struct ledger_request request_of(const struct pbft_message *message)
{
    const struct pbft_request *fields = &message->request;
    return (struct ledger_request){
        .client = world->parties[HOSPITAL].submit_key,
        .institution = world->parties[HOSPITAL].institution,
        .session = fields->session,
        .sequence = fields->sequence,
        .payload = fields->payload,
        .digest = fields->digest,
    };
}

/* Executes the next block of R2: a batch of one request. */
static const struct results_request *execute_next(void)
{
    struct ledger_position before;
    ledger_position(world->ledger, &before);
    const pbft_seq seq = before.seq + 1;
    const struct pbft_batch *batch =
        &paper_block(EXECUTOR, seq)
             ->committed.pre_prepare->pre_prepare.body->batch;
    assert_int_equal(batch->request_count, 1);
    const struct ledger_request request = request_of(batch->requests[0]);
    const struct ledger_block block = {
        .seq = seq,
        .proposed_time = batch->time,
        .block_digest = *paper_block_digest(EXECUTOR, seq),
        .requests = &request,
        .request_count = 1,
    };
    assert_int_equal(ledger_execute(world->ledger, &block, &world->last),
                     PBFT_OK);
    return &world->last.block.requests[0];
}

/* The client sends it (again), and it is ordered. */
static const struct results_request *order_request(uint64_t sequence)
{
    struct pbft_message *request = cast_request(&cluster.cast, sequence, "");
    (void)cluster_submit_request(&cluster, 0, request);
    cluster_settle(&cluster);
    pbft_message_unref(request);
    return execute_next();
}

static void assert_once(uint64_t sequence, pbft_seq first)
{
    const struct results_request *result = order_request(sequence);
    assert_int_equal(result->code, LEDGER_DUPLICATE);
    assert_int_equal(result->first.seq, first);
}

/* The replica, and the ledger on its disk, as after a crash. */
static void restart(void)
{
    cluster_crash(&cluster, EXECUTOR);
    cluster_restart(&cluster, EXECUTOR);
    cluster_settle(&cluster);
    ledger_destroy(world->ledger);
    assert_int_equal(ledger_create(&world->ledger,
                                   ledger_kv_memory_vtable(world->memory),
                                   &world->genesis),
                     PBFT_OK);
}

/* At the last timestamp or below it: the answer is where the first result
 * stands, and nothing else happens. */
static void test_4_2_a_request_is_executed_once(void **state)
{
    (void)state;
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        assert_int_equal(order_request(sequence)->code, LEDGER_OK);
    }
    assert_once(3, 3); /* The last one. */
    assert_once(1, 1); /* And one below it. */
    assert_int_equal(order_request(4)->code, LEDGER_OK);
    assert_int_equal(cluster_count_executed(&cluster, EXECUTOR, 3), 2);
}

/* What a replica has executed it knows after a restart too. */
static void test_4_2_a_request_is_executed_once_over_restarts(void **state)
{
    (void)state;
    assert_int_equal(order_request(1)->code, LEDGER_OK);
    assert_int_equal(order_request(2)->code, LEDGER_OK);
    restart();
    assert_once(2, 2);
    assert_once(1, 1);
    assert_int_equal(order_request(3)->code, LEDGER_OK);
    restart();
    assert_once(3, 5);
    assert_once(1, 1);
}

/* Ours: within the window one that was overtaken is executed still, once; what
 * is below the window was executed, all of it. */
static void test_4_2_what_was_overtaken_is_executed_once_too(void **state)
{
    (void)state;
    assert_int_equal(order_request(1)->code, LEDGER_OK);
    assert_int_equal(order_request(3)->code, LEDGER_OK);
    assert_once(3, 2); /* Although 2 is not done. */
    restart();
    assert_once(3, 2);
    assert_int_equal(order_request(2)->code, LEDGER_OK);
    assert_once(2, 5);
    assert_once(3, 2);
    assert_int_equal(order_request(4 + WORLD_WINDOW)->code,
                     LEDGER_OUTSIDE_WINDOW);
    for (uint64_t sequence = 4; sequence <= 2 * WORLD_WINDOW; sequence++) {
        assert_int_equal(order_request(sequence)->code, LEDGER_OK);
    }
    assert_once(1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_4_2_a_request_is_executed_once),
        TEST(test_4_2_a_request_is_executed_once_over_restarts),
        TEST(test_4_2_what_was_overtaken_is_executed_once_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
