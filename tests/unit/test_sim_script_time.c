/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: time, events, timers. */
#include "tests/support/script.h"

static void test_run(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nrun 500us\nexpect not-sent R0 pre-prepare\n"
              "run 50ms\nexpect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "run 0ms\n", PASSES, NULL},
        {FOUR "run\n", INVALID, "missing"},
        {FOUR "run 50\n", INVALID, "duration"},
        {FOUR "run -5ms\n", INVALID, "negative"},
        {FOUR "run 5ms 6ms\n", INVALID, "6ms"},
        {FOUR "run 99999999999999999999ms\n", INVALID, "duration"},
    };
    CHECK(cases);
}

static void test_run_until(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nrun until executed all 1 A max 1s\n", PASSES,
         NULL},
        /* It stops as soon as it holds. */
        {FOUR "submit c1 A B to all\nrun until executed R0 1 A max 1s\n"
              "expect not-executed R0 2\n",
         PASSES, NULL},
        {FOUR "drop commit\nsubmit c1 A to all\n"
              "run until executed R1 1 A max 50ms\n",
         FAILS,
         "test:5: failed: expected 'executed R1 1 A' within 50ms, found: R1 "
         "has executed up to 0 only"},
        {FOUR "run until agreement max 1ms\n", PASSES, NULL},
        {FOUR "run until executed R1 1 A\n", INVALID, "usage"},
        {FOUR "run until max 50ms\n", INVALID, "usage"},
        {FOUR "run until bliss max 50ms\n", INVALID, "bliss"},
        {FOUR "run until agreement max soon\n", INVALID, "soon"},
        {FOUR "run until agreement so max 5ms\n", INVALID, "so"},
    };
    CHECK(cases);
}

static void test_step(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* Delivery at R0, its sync, then the first pre-prepare arrives. */
        {FOUR "timer all pause\nsubmit c1 A to R0\nstep 1\n"
              "expect not-sent R0 pre-prepare\nstep 1\n"
              "expect sent R0 pre-prepare\nexpect not-sent R1 prepare\n"
              "step 3\nexpect not-sent R1 prepare\nstep\n"
              "expect sent R1 prepare\n",
         PASSES, NULL},
        {FOUR "timer all pause\nstep 1\n", FAILS, "nothing is left"},
        {FOUR "submit c1 A to R0\ncrash all\nstep 1\n", FAILS, "nothing"},
        {FOUR "step x\n", INVALID, "x"},
        {FOUR "step 1 2\n", INVALID, "2"},
    };
    CHECK(cases);
}

static void test_settle(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* Timers do not fire, however long a sync takes. */
        {FOUR "disk all delay 500ms\ndrop commit\nsubmit c1 A to all\nsettle\n"
              "expect prepared all 1 A\nexpect view all == 0\n"
              "expect not-sent R1 view-change\n",
         PASSES, NULL},
        {FOUR "settle\nsettle\n", PASSES, NULL},
    };
    CHECK(cases);
}

static void test_fire(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "drop pre-prepare\nsubmit c1 A to all\nsettle\n"
              "timer R1 fire request\nexpect view R1 == 1\n"
              "timer R2,R3 fire request\nsettle\nexpect view-active R1\n",
         PASSES, NULL},
        {FOUR "timer R1 fire request\n", INVALID,
         "request timer of R1 is not armed"},
        {FOUR "timer R1 fire? request\nexpect view R1 == 0\n", PASSES, NULL},
        /* A primary has no request timer. */
        {FOUR "drop pre-prepare\nsubmit c1 A to all\nsettle\n"
              "timer R0 fire request\n",
         INVALID, "R0"},
        {FOUR "timer R1 fire view\n", INVALID, "not armed"},
        {FOUR "timer R1 fire status\nsettle\nexpect sent R1 status\n", PASSES,
         NULL},
        {FOUR "timer all fire? batch\ntimer all fire? monitor\n"
              "timer all fire? heartbeat\ntimer all fire? resend\n"
              "timer all fire? view\n",
         PASSES, NULL},
        {FOUR "timer R1 fire alarm\n", INVALID, "alarm"},
        {FOUR "timer R1 fire\n", INVALID, "missing"},
        {FOUR "timer R9 fire request\n", INVALID, "R9"},
        {FOUR "timer R1 stop\n", INVALID, "stop"},
        {FOUR "crash R1\ntimer R1 fire status\n", INVALID, "not armed"},
    };
    CHECK(cases);
}

static void test_pause_and_resume(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "timer all pause\ndrop pre-prepare\nsubmit c1 A to all\n"
              "run 900ms\nexpect view all == 0\ntimer R1 resume\n"
              "run until view R1 == 1 max 10ms\nexpect view R2 == 0\n",
         PASSES, NULL},
        /* Paused timers do not fire by themselves; scripts may fire them. */
        {FOUR "timer R1 pause\ndrop pre-prepare\nsubmit c1 A to R1\nsettle\n"
              "timer R1 fire request\nexpect view R1 == 1\n",
         PASSES, NULL},
        {FOUR "timer R1,R2 pause\ntimer R1,R2 resume\n", PASSES, NULL},
        {FOUR "timer R1 pause now\n", INVALID, "now"},
    };
    CHECK(cases);
}

static void test_clock(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "clock R1 offset=10min\nsubmit c1 A to all\nsettle\n"
              "expect not-sent R1 prepare\nexpect sent R2 prepare\n",
         PASSES, NULL},
        {FOUR "clock R1 offset=-7s\nclock R1 offset=0s\nsubmit c1 A to all\n"
              "settle\nexpect sent R1 prepare\n",
         PASSES, NULL},
        {FOUR "clock R1 7s\n", INVALID, "offset="},
        {FOUR "clock R1 offset=now\n", INVALID, "now"},
        {FOUR "clock c1 offset=7s\n", INVALID, "client"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),   cmocka_unit_test(test_run_until),
        cmocka_unit_test(test_step),  cmocka_unit_test(test_settle),
        cmocka_unit_test(test_fire),  cmocka_unit_test(test_pause_and_resume),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
