/* SPDX-License-Identifier: Apache-2.0 */
/* The normal case across replicas (OSDI'99 4.2, 4.3): clusters in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/cluster.h"

static struct cluster cluster;

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static void start(uint32_t n)
{
    cluster_init(&cluster, n);
    cluster_start(&cluster);
}

static void submit_many(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)cluster_submit(&cluster, (pbft_replica_id)(i % cluster.cast.n),
                             first + i);
    }
}

static void assert_executed_once(pbft_replica_id id, uint64_t first,
                                 uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(cluster_count_executed(&cluster, id, first + i), 1);
    }
}

static void test_one_request_executes_everywhere(void **state)
{
    static const uint32_t sizes[] = {1, 4, 5, 6, 7, 13};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        start(sizes[i]);

        assert_int_equal(cluster_submit(&cluster, 0, 1), PBFT_ACCEPTED);
        cluster_settle(&cluster);

        for (pbft_replica_id id = 0; id < sizes[i]; id++) {
            assert_int_equal(cluster.nodes[id].executed.seq, 1);
            assert_int_equal(cluster_count_executed(&cluster, id, 1), 1);
            assert_non_null(cluster.nodes[id].proofs[1]);
            assert_int_equal(cluster_report(&cluster, id).pending_requests, 0);
            assert_int_equal(cluster_report(&cluster, id).attested, 1);
        }
        if (i + 1 < sizeof sizes / sizeof sizes[0]) {
            cluster_deinit(&cluster);
        }
    }
}

static void test_a_backup_relays_to_the_primary(void **state)
{
    (void)state;
    start(4);

    assert_int_equal(cluster_submit(&cluster, 2, 1), PBFT_ACCEPTED);
    assert_int_equal(cluster_submit(&cluster, 2, 1), PBFT_DUPLICATE);
    cluster_settle(&cluster);

    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster_count_executed(&cluster, id, 1), 1);
    }
}

static void test_requests_gather_while_the_pipeline_is_full(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.pipeline_depth = 2;
    cluster_start(&cluster);

    /* No answer comes in between: two batches of one, the rest waits. */
    for (uint64_t i = 1; i <= 10; i++) {
        (void)cluster_submit(&cluster, 0, i);
    }
    assert_true(cluster_slot(&cluster, 0, 2).has_pre_prepare);
    assert_false(cluster_slot(&cluster, 0, 3).has_pre_prepare);
    assert_int_equal(cluster_report(&cluster, 0).pending_requests, 10);
    cluster_settle(&cluster);

    assert_int_equal(cluster.nodes[3].executed.seq, 3);
    assert_executed_once(3, 1, 10);
}

/* One that is larger than a batch may be goes alone, also when one without
 * bytes would seem to fit beside it: no backup would take the two. */
static void test_a_request_beyond_a_batch_goes_alone(void **state)
{
    static const char *const payloads[] = {"eleven byte", "", "last"};
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.batch_bytes_max = 10;
    cluster_start(&cluster);

    cluster_crash(&cluster, 0); /* They wait together for the next primary. */
    for (uint64_t i = 0; i < 3; i++) {
        struct pbft_message *request =
            cast_request(&cluster.cast, i + 1, payloads[i]);
        for (pbft_replica_id id = 1; id < 4; id++) {
            (void)cluster_submit_request(&cluster, id, request);
        }
        pbft_message_unref(request);
    }
    (void)cluster_run_until(&cluster, 2, 60000);

    assert_executed_once(3, 1, 3);
    assert_int_equal(cluster_report(&cluster, 3).view, 1);
    assert_int_equal(cluster.nodes[3].executed.seq, 2);
}

static void test_a_batch_goes_after_the_delay(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.pipeline_depth = 1;
    cluster_start(&cluster);
    cluster_isolate(&cluster, 0);
    for (uint64_t i = 1; i <= 3; i++) {
        (void)cluster_submit(&cluster, 0, i);
    }
    assert_false(cluster_slot(&cluster, 0, 2).has_pre_prepare);

    cluster_run(&cluster, cluster.config.batch_delay_ms);

    assert_true(cluster_slot(&cluster, 0, 2).has_pre_prepare);
    assert_false(cluster_slot(&cluster, 0, 3).has_pre_prepare);
}

/* The further behind the executor is the longer, but never for long. */
static void test_requests_gather_while_the_executor_is_behind(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.pipeline_depth = 2;
    cluster.config.batch_delay_ms = 2;
    cluster_start(&cluster);
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].is_executor_stuck = true;
    }
    for (uint64_t i = 1; i <= 10; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    assert_int_equal(cluster_report(&cluster, 0).committed, 2);
    cluster_run(&cluster, 2);
    assert_int_equal(cluster_report(&cluster, 0).committed, 3);

    static const pbft_time_ms delays[] = {2, 4, 8, 12, 12}; /* 50 / 4. */
    for (size_t i = 0; i < 5; i++) {
        (void)cluster_submit(&cluster, 0, 11 + i);
        cluster_run(&cluster, delays[i] - 1);
        assert_int_equal(cluster_report(&cluster, 0).committed, 3 + i);
        cluster_run(&cluster, 1);
        assert_int_equal(cluster_report(&cluster, 0).committed, 4 + i);
    }
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].is_executor_stuck = false;
    }
    cluster_settle(&cluster);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_executed_once(id, 1, 15);
    }
}

static void test_any_order_of_messages_will_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        start(seed % 2 == 0 ? 4 : 7);
        cluster.random = seed;

        for (uint64_t round = 0; round < 5; round++) {
            submit_many(round * 20 + 1, 20);
            cluster_settle(&cluster);
        }
        assert_true(
            cluster_run_until(&cluster, cluster.nodes[0].executed.seq, 2000));

        for (pbft_replica_id id = 0; id < cluster.cast.n; id++) {
            assert_executed_once(id, 1, 100);
        }
        if (seed < 40) {
            cluster_deinit(&cluster);
        }
    }
}

static void test_messages_that_come_twice_do_no_harm(void **state)
{
    (void)state;
    start(4);
    cluster.random = 1;
    cluster.duplicate_percent = 50;

    submit_many(1, 100);
    cluster_run(&cluster, 1000);

    /* A relay that comes again after the commit is ordered again: that a
     * request takes effect once is the ledger's care (docs/api.md, 2). */
    for (pbft_replica_id id = 0; id < 4; id++) {
        for (uint64_t i = 1; i <= 100; i++) {
            assert_true(cluster_count_executed(&cluster, id, i) >= 1);
        }
    }
}

static void test_lost_messages_are_sent_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        start(4);
        cluster.random = seed;
        cluster.loss_percent = 20;

        for (uint64_t i = 1; i <= 60; i++) {
            (void)cluster_submit(&cluster, (pbft_replica_id)(i % 4), i);
            cluster_run(&cluster, 3);
        }
        cluster_run(&cluster, 3000);

        for (pbft_replica_id id = 0; id < 4; id++) {
            for (uint64_t i = 1; i <= 60; i++) {
                assert_true(cluster_count_executed(&cluster, id, i) >= 1);
            }
            assert_int_equal(cluster_report(&cluster, id).attested,
                             cluster.nodes[id].executed.seq);
        }
        if (seed < 20) {
            cluster_deinit(&cluster);
        }
    }
}

static void test_the_window_stops_a_cluster_that_cannot_execute(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    cluster.config.pipeline_depth = 16; /* No gathering: only the window. */
    cluster_start(&cluster);
    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].is_executor_stuck = true;
    }

    for (uint64_t i = 1; i <= 40; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    assert_int_equal(cluster_report(&cluster, 0).committed, 16);
    assert_int_equal(cluster_report(&cluster, 0).stable, 0);
    assert_true(cluster_report(&cluster, 0).pending_requests > 0);

    for (pbft_replica_id id = 0; id < 4; id++) {
        cluster.nodes[id].is_executor_stuck = false;
    }
    cluster_run(&cluster, 500);
    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_executed_once(id, 1, 40);
    }
}

static void test_a_checkpoint_empties_the_log(void **state)
{
    (void)state;
    start(4);

    for (uint64_t i = 1; i <= 30; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }

    for (pbft_replica_id id = 0; id < 4; id++) {
        assert_int_equal(cluster_report(&cluster, id).stable, 28);
        assert_int_equal(cluster_report(&cluster, id).high, 44);
        /* Two seqs of five records and the proof: nothing older. */
        assert_true(cluster.nodes[id].record_count <= 12);
        assert_int_equal(cluster.nodes[id].records[0].kind, PBFT_RECORD_STABLE);
    }
}

static void test_a_replica_in_the_dark_catches_up_by_blocks(void **state)
{
    (void)state;
    start(4);
    cluster_isolate(&cluster, 3);
    for (uint64_t i = 1; i <= 500; i++) {
        (void)cluster_submit(&cluster, (pbft_replica_id)(i % 3), i);
        cluster_settle(&cluster);
    }
    assert_int_equal(cluster.nodes[3].executed.seq, 0);
    cluster_heal(&cluster);

    /* While it catches up the load goes on. */
    for (uint64_t i = 501; i <= 700; i++) {
        (void)cluster_submit(&cluster, (pbft_replica_id)(i % 3), i);
        cluster_run(&cluster, 2);
    }
    cluster_run(&cluster, 1000);

    assert_int_equal(cluster.nodes[3].executed.seq,
                     cluster.nodes[0].executed.seq);
    assert_int_equal(cluster_report(&cluster, 3).stable,
                     cluster_report(&cluster, 0).stable);
    assert_false(cluster_report(&cluster, 3).syncing);
    assert_executed_once(3, 1, 700);

    /* It takes part again: with R1 down its votes are needed. */
    cluster_crash(&cluster, 1);
    (void)cluster_submit(&cluster, 3, 701);
    cluster_run(&cluster, 500);
    assert_executed_once(3, 701, 1);
}

static void test_a_slow_executor_does_not_pile_up_blocks(void **state)
{
    (void)state;
    start(4);
    cluster_isolate(&cluster, 3);
    for (uint64_t i = 1; i <= 600; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }
    cluster_heal(&cluster);
    cluster.nodes[3].is_executor_stuck = true;

    cluster_run(&cluster, 2000);

    assert_true(cluster_report(&cluster, 3).committed <= 200);
    cluster.nodes[3].is_executor_stuck = false;
    assert_true(cluster_run_until(&cluster, 600, 2000));
}

static void test_one_replica_cannot_lure_others_to_a_height(void **state)
{
    (void)state;
    start(4);
    struct pbft_message *lie =
        cast_attestation(&cluster.cast, 2, UINT64_C(1) << 60);

    assert_int_equal(cluster_receive(&cluster, 1, lie),
                     PBFT_OUTSIDE_WATERMARKS);
    cluster_run(&cluster, 300);

    assert_int_equal(cluster_report(&cluster, 1).behind, 0);
    assert_false(cluster_report(&cluster, 1).syncing);
    pbft_message_unref(lie);
}

static void test_a_wrong_result_is_not_passed(void **state)
{
    (void)state;
    start(4);
    cluster.nodes[2].is_wrong = true;

    for (uint64_t i = 1; i <= 10; i++) {
        (void)cluster_submit(&cluster, 0, i);
        cluster_settle(&cluster);
    }

    assert_int_equal(cluster_report(&cluster, 2).stable, 0);
    assert_int_equal(cluster_report(&cluster, 2).diverged, 1);
    assert_null(cluster.nodes[2].proofs[1]);
    assert_int_equal(cluster_report(&cluster, 0).stable, 8);
    assert_int_equal(cluster_report(&cluster, 0).diverged, 0);
}

static void test_nothing_leaves_before_its_records_are_durable(void **state)
{
    (void)state;
    start(4);
    cluster.nodes[1].is_disk_stuck = true;
    const uint64_t before = cluster.nodes[1].sent;

    (void)cluster_submit(&cluster, 0, 1);
    cluster_settle(&cluster);

    assert_int_equal(cluster.nodes[1].sent, before);
    assert_true(pbft_driver_waiting(cluster.nodes[1].driver) > 0);
    assert_int_equal(cluster.nodes[1].executed.seq, 0);
    assert_int_equal(cluster.nodes[0].executed.seq, 1);
    cluster.nodes[1].is_disk_stuck = false;
    assert_true(cluster_run_until(&cluster, 1, 500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_request_executes_everywhere, clear),
        cmocka_unit_test_teardown(test_a_backup_relays_to_the_primary, clear),
        cmocka_unit_test_teardown(
            test_requests_gather_while_the_pipeline_is_full, clear),
        cmocka_unit_test_teardown(test_a_request_beyond_a_batch_goes_alone,
                                  clear),
        cmocka_unit_test_teardown(test_a_batch_goes_after_the_delay, clear),
        cmocka_unit_test_teardown(
            test_requests_gather_while_the_executor_is_behind, clear),
        cmocka_unit_test_teardown(test_any_order_of_messages_will_do, clear),
        cmocka_unit_test_teardown(test_messages_that_come_twice_do_no_harm,
                                  clear),
        cmocka_unit_test_teardown(test_lost_messages_are_sent_again, clear),
        cmocka_unit_test_teardown(
            test_the_window_stops_a_cluster_that_cannot_execute, clear),
        cmocka_unit_test_teardown(test_a_checkpoint_empties_the_log, clear),
        cmocka_unit_test_teardown(
            test_a_replica_in_the_dark_catches_up_by_blocks, clear),
        cmocka_unit_test_teardown(test_a_slow_executor_does_not_pile_up_blocks,
                                  clear),
        cmocka_unit_test_teardown(
            test_one_replica_cannot_lure_others_to_a_height, clear),
        cmocka_unit_test_teardown(test_a_wrong_result_is_not_passed, clear),
        cmocka_unit_test_teardown(
            test_nothing_leaves_before_its_records_are_durable, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
