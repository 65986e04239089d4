/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is short in the protocol thread: the replica goes on, or stops
 * and says so. It does not stand there in silence. */
#include <stdio.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/node_private.h"
#include "tests/support/failing_memory.h"
#include "tests/support/storage.h"

#define PATIENCE_US 300000
#define FAILURES_MAX 1000u

/* How a thread ends, or does not, whose allocation number k fails. */
enum ending {
    ENDED_WELL,
    ENDED_WITH_ERROR,
    ENDED_SILENT,
    ENDED_UNHARMED, /* There are not so many. */
};

static struct storage_fixture *fixture;
static struct node node;

/* The request is on its way into the log: that is enough. */
static void append(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count)
{
    (void)context;
    (void)ticket;
    (void)records;
    (void)count;
    inbox_close(node.inbox);
}

static void truncate_log(void *context, pbft_seq stable_seq)
{
    (void)context;
    (void)stable_seq;
}

static void transmit(void *context, const struct pbft_send *sends, size_t count)
{
    (void)context;
    (void)sends;
    (void)count;
}

static void step(enum pbft_event_type type)
{
    const struct pbft_event event = {.type = type, .now = 1, .wall = 1000000};
    assert_true(pbft_driver_step(node.driver, &event) != PBFT_BUSY);
}

/* A cluster of one: a request is proposed, and voted for, in one step. */
static void create(void)
{
    static struct cast cast;
    struct pbft_config config;
    const struct pbft_log log = {NULL, append, truncate_log};
    const struct pbft_transport transport = {NULL, transmit};
    const struct pbft_service service = node_service(&node);
    const struct pbft_timer_service timer = node_timer(&node);
    cast_init(&cast, 1);
    pbft_config_defaults(&config);
    config.pipeline_depth = config.window; /* Nothing gathers. */
    node.storage = fixture->storage;
    node.deadline = PBFT_TIME_NEVER;
    node.inbox = inbox_create(NODE_INBOX_MESSAGES_MAX, NODE_INBOX_BYTES_MAX);
    node.executed = request_cache_create(NODE_EXECUTED_REQUESTS);
    node.transport =
        transport_create(NULL, &cast.replicas[0].domain.cluster, 0, 1);
    node.driver = pbft_driver_create(
        pbft_replica_create(&config, &cast.replicas[0].domain, &cast.keyring,
                            NULL),
        &log, &transport, &service, &timer);
    assert_non_null(node.driver);
    step(PBFT_EVENT_APPLIED);
    assert_int_equal(inbox_try_put(node.inbox, cast_request(&cast, 1, "x")),
                     PBFT_OK);
}

static enum ending ending_now(void)
{
    if (node_failure(&node, NULL) != PBFT_OK) {
        return ENDED_WITH_ERROR;
    }
    return pbft_driver_has_failed(node.driver) ? ENDED_SILENT : ENDED_WELL;
}

/* The thread waits: for a request that was dropped, or for ever. */
static void on_alarm(int number)
{
    (void)number;
    _exit((int)ending_now());
}

static enum ending run(unsigned k)
{
    const struct itimerval patience = {.it_value = {.tv_usec = PATIENCE_US}};
    create();
    (void)signal(SIGALRM, on_alarm);
    (void)setitimer(ITIMER_REAL, &patience, NULL);
    memory_left = k;
    node_protocol_run(&node);
    bool has_failed = memory_left == 0;
    memory_left = 0;
    return has_failed ? ending_now() : ENDED_UNHARMED;
}

static enum ending run_in_child(unsigned k)
{
    (void)fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr); /* The journal. */
        _exit((int)run(k));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? (enum ending)WEXITSTATUS(status)
                             : ENDED_WITH_ERROR; /* An assertion. */
}

static void test_no_memory_is_no_silence(void **state)
{
    unsigned silent = 0;
    unsigned told = 0;
    fixture = *state;
    fixture_open(fixture);
    enum ending ending = ENDED_WELL;
    for (unsigned k = 1; ending != ENDED_UNHARMED; k++) {
        assert_true(k < FAILURES_MAX);
        ending = run_in_child(k);
        silent += ending == ENDED_SILENT;
        told += ending == ENDED_WITH_ERROR;
    }
    assert_int_equal(silent, 0);
    assert_true(told > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_memory_is_no_silence,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
