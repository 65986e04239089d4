/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is short while the log is read back: the log is read whole, or
 * the replica is told that it was not. It is never called damaged for that. */
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/failing_memory.h"
#include "tests/support/storage.h"

#define BLOCKS 4
#define RECORDS (3 * BLOCKS)
#define FAILURES_MAX 1000u

/* How a replay ends whose allocation number k fails. */
enum ending {
    ENDED_WHOLE,
    ENDED_WITH_ERROR,
    ENDED_WRONG,
    ENDED_UNHARMED, /* There are not so many. */
};

static void count(void *context, const struct pbft_record *record)
{
    unsigned *seen = context;
    (void)record;
    *seen += 1;
}

static enum ending replay(struct storage_fixture *fixture, unsigned k)
{
    unsigned seen = 0;
    if (fixture_try_open(fixture) != PBFT_OK) {
        return ENDED_WRONG;
    }
    memory_left = k;
    enum pbft_status status =
        storage_log_replay(fixture->storage, count, &seen, &fixture->log);
    bool has_failed = memory_left == 0;
    memory_left = 0;
    if (status != PBFT_OK) {
        return storage_log_append(fixture->storage, NULL, 0) != PBFT_OK
                   ? ENDED_WITH_ERROR
                   : ENDED_WRONG;
    }
    if (fixture->log.verdict != PBFT_LOG_INTACT || seen != RECORDS) {
        (void)printf("allocation %u: verdict %d, %u records of %d: %s\n", k,
                     (int)fixture->log.verdict, seen, RECORDS,
                     fixture->log.reason.text);
        return ENDED_WRONG;
    }
    return has_failed ? ENDED_WHOLE : ENDED_UNHARMED;
}

/* In a child: without a few bytes the process may stop, which is as good. */
static enum ending replay_in_child(struct storage_fixture *fixture, unsigned k)
{
    (void)fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr); /* What an assertion says. */
        enum ending ending = replay(fixture, k);
        (void)fflush(stdout);
        _exit((int)ending);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? (enum ending)WEXITSTATUS(status)
                             : ENDED_WITH_ERROR;
}

static void test_replay_short_of_memory(void **state)
{
    struct storage_fixture *fixture = *state;
    unsigned wrong = 0;
    unsigned k = 1;
    fixture_open(fixture);
    fixture_append_blocks(fixture, 1, BLOCKS);
    fixture_close(fixture);
    for (enum ending ending = ENDED_WHOLE; ending != ENDED_UNHARMED; k++) {
        assert_true(k < FAILURES_MAX);
        ending = replay_in_child(fixture, k);
        wrong += ending == ENDED_WRONG;
    }
    assert_int_equal(wrong, 0);
    assert_true(k > 2 * RECORDS); /* Both passes decode messages. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replay_short_of_memory,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
