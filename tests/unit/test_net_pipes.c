/* SPDX-License-Identifier: Apache-2.0 */
/* The table of connections, against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/pipes.h"

#define PIPES_MAX 50

static struct net_pipe pipe_of(uint32_t id)
{
    struct net_pipe pipe = {.id = id, .owner = id % 3};
    pipe.remote.port = (uint16_t)(id % 65536);
    return pipe;
}

static void test_added_pipes_are_found_until_removed(void **state)
{
    struct net_pipes *pipes = net_pipes_create(PIPES_MAX);
    uint32_t random = 12345;
    uint32_t inside[PIPES_MAX];
    uint32_t count = 0;
    (void)state;

    for (int round = 0; round < 20000; round++) {
        random = random * 1664525u + 1013904223u;
        if (random % 2 == 0 && count < PIPES_MAX) {
            uint32_t id = (random >> 8) % 256 + 1; /* Many collisions. */
            if (net_pipes_find(pipes, id) == NULL) {
                struct net_pipe pipe = pipe_of(id);
                net_pipes_add(pipes, &pipe);
                inside[count++] = id;
            }
        } else if (count > 0) {
            uint32_t victim = (random >> 8) % count;
            assert_true(net_pipes_remove(pipes, inside[victim]));
            assert_false(net_pipes_remove(pipes, inside[victim]));
            inside[victim] = inside[--count];
        }
        assert_int_equal(net_pipes_count(pipes), count);
        for (uint32_t i = 0; i < count; i++) {
            const struct net_pipe *found = net_pipes_find(pipes, inside[i]);
            assert_non_null(found);
            assert_int_equal(found->owner, inside[i] % 3);
        }
    }
    net_pipes_destroy(pipes);
}

static void test_counts_and_remote_ends(void **state)
{
    struct net_pipes *pipes = net_pipes_create(PIPES_MAX);
    struct net_endpoint remote = {.port = 7};
    (void)state;
    for (uint32_t id = 1; id <= PIPES_MAX; id++) {
        struct net_pipe pipe = pipe_of(id);
        net_pipes_add(pipes, &pipe);
    }
    assert_true(net_pipes_is_full(pipes));
    assert_int_equal(net_pipes_count_of(pipes, 0), 16);
    assert_int_equal(net_pipes_count_of(pipes, 1), 17);
    assert_true(net_pipes_has_remote(pipes, &remote));
    remote.address[0] = 1;
    assert_false(net_pipes_has_remote(pipes, &remote));
    assert_null(net_pipes_find(pipes, 0));
    assert_false(net_pipes_remove(pipes, 0));
    net_pipes_destroy(pipes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_pipes_are_found_until_removed),
        cmocka_unit_test(test_counts_and_remote_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
