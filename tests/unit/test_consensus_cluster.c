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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_request_executes_everywhere, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
