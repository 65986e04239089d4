/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads take turns, and which keep what they were given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/turns.h"

struct sleeper {
    pthread_t thread;
    pthread_barrier_t begun;
    pthread_barrier_t over;
    pid_t id;
    int policy; /* That it gives itself; -1: the one it began with. */
    int result; /* Of that. */
};

static void *sleep_long(void *context)
{
    struct sleeper *sleeper = context;
    const struct sched_param none = {.sched_priority = 0};
    sleeper->id = (pid_t)syscall(SYS_gettid);
    sleeper->result =
        sleeper->policy < 0 ? 0 : sched_setscheduler(0, sleeper->policy, &none);
    (void)pthread_barrier_wait(&sleeper->begun);
    (void)pthread_barrier_wait(&sleeper->over);
    return NULL;
}

static void begin(struct sleeper *sleeper, int policy)
{
    sleeper->policy = policy;
    (void)pthread_barrier_init(&sleeper->begun, NULL, 2);
    (void)pthread_barrier_init(&sleeper->over, NULL, 2);
    assert_int_equal(
        pthread_create(&sleeper->thread, NULL, sleep_long, sleeper), 0);
    (void)pthread_barrier_wait(&sleeper->begun);
    assert_int_equal(sleeper->result, 0);
}

static void end(struct sleeper *sleeper)
{
    (void)pthread_barrier_wait(&sleeper->over);
    (void)pthread_join(sleeper->thread, NULL);
    (void)pthread_barrier_destroy(&sleeper->begun);
    (void)pthread_barrier_destroy(&sleeper->over);
}

/* Some sandboxes allow nobody to choose a policy. */
static void skip_unless_allowed(void)
{
    const struct sched_param none = {.sched_priority = 0};
    if (sched_getscheduler(0) != SCHED_OTHER ||
        sched_setscheduler(0, SCHED_BATCH, &none) != 0 ||
        sched_setscheduler(0, SCHED_OTHER, &none) != 0) {
        print_message("skipped: this system gives no choice of a policy\n");
        skip();
    }
}

static void test_all_threads_take_turns_and_stop(void **state)
{
    struct sleeper before;
    struct sleeper after;
    (void)state;
    skip_unless_allowed();
    begin(&before, -1);
    net_take_turns(true);
    begin(&after, -1);
    assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
    assert_int_equal(sched_getscheduler(before.id), SCHED_BATCH);
    assert_int_equal(sched_getscheduler(after.id), SCHED_BATCH);
    net_take_turns(true); /* Once more changes nothing. */
    assert_int_equal(sched_getscheduler(before.id), SCHED_BATCH);
    net_take_turns(false);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
    assert_int_equal(sched_getscheduler(before.id), SCHED_OTHER);
    assert_int_equal(sched_getscheduler(after.id), SCHED_OTHER);
    end(&before);
    end(&after);
}

static void test_a_policy_of_its_own_stays(void **state)
{
    struct sleeper idle;
    (void)state;
    skip_unless_allowed();
    begin(&idle, SCHED_IDLE);
    net_take_turns(true);
    assert_int_equal(sched_getscheduler(idle.id), SCHED_IDLE);
    net_take_turns(false);
    assert_int_equal(sched_getscheduler(idle.id), SCHED_IDLE);
    end(&idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_threads_take_turns_and_stop),
        cmocka_unit_test(test_a_policy_of_its_own_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
