/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: predicates, and what a failure says. */
#include "tests/support/script.h"

#define DONE FOUR "submit c1 A to all\nsettle\n"

static void test_executed(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {DONE "expect executed R1 1 A\nexpect executed R0,R2 1 A\n"
              "expect executed all 1 A\nexpect not-executed R1 2\n"
              "expect not-executed R1 1 B\nexpect not-executed all 2 A\n"
              "submit c1 B to all\n",
         PASSES, NULL},
        {DONE "expect executed R1 1 B\nsubmit c1 B to all\n", FAILS,
         "test:5: failed: expected 'executed R1 1 B', found: R1 executed A "
         "at 1"},
        {DONE "expect executed R1 2 A\n", FAILS, "R1 has executed up to 1"},
        {DONE "expect not-executed R1 1\n", FAILS, "R1 executed A at 1"},
        {DONE "expect not-executed R1 1 A\n", FAILS, "R1 executed A at 1"},
        {DONE "expect executed R1 1 null\n", FAILS, "R1 executed A at 1"},
        {DONE "expect executed R1 18446744073709551615 A\n", FAILS, NULL},
        {DONE "crash all\nexpect executed all 1 A\n", FAILS, "no replica"},
        {DONE "expect executed R1 1\n", INVALID, "label"},
        {DONE "expect executed R1 A\n", INVALID, "A"},
        {DONE "expect executed R9 1 A\n", INVALID, "R9"},
        {DONE "expect executed c1 1 A\n", INVALID, "client"},
        {DONE "expect executed R1 1 A B\n", INVALID, "B"},
        {DONE "expect executed R1 1 Z\n", INVALID, "no label 'Z'"},
    };
    CHECK(cases);
}

static void test_prepared_and_committed(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {DONE "expect prepared R1 1 A view=0\nexpect prepared R1 1 A\n"
              "expect committed R1 1 A\nexpect committed all 1 A\n"
              "crash R1\nexpect prepared R1 1 A view=0\n",
         PASSES, NULL},
        {FOUR "drop commit\nsubmit c1 A to all\nsettle\n"
              "expect prepared all 1 A view=0\nexpect committed R1 1 A\n",
         FAILS, "R1 has A at 1 in view 0, prepared, "},
        {FOUR "drop prepare\nsubmit c1 A to all\nsettle\n"
              "expect prepared R1 1 A\n",
         FAILS, "not prepared, 1 prepares and 0 commits"},
        {DONE "expect prepared R1 1 A view=1\n", FAILS, "in view 0"},
        {DONE "expect prepared R1 2 A\n", FAILS, "no pre-prepare at 2"},
        {DONE "expect prepared R1 1\n", INVALID, "label"},
        {DONE "expect prepared R1 1 A view=x\n", INVALID, "x"},
        {DONE "expect committed R1 1 A view=0\n", INVALID, "view=0"},
    };
    CHECK(cases);
}

static void test_state(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {DONE "expect view R1 == 0\nexpect view R1 >= 0\nexpect view R1 <= 0\n"
              "expect view R1 < 1\nexpect view R1 != 1\nexpect view all == 0\n"
              "expect view-active R1\nexpect view-active all\n"
              "expect status R1 normal\nexpect stable R1 0\n"
              "expect buffered R1 < 1MiB\nexpect buffered R1 > 1B\n"
              "expect buffered all <= 64KiB\nexpect agreement\n",
         PASSES, NULL},
        {DONE "expect view R1 > 0\n", FAILS, "the view of R1 is 0"},
        {DONE "expect view R1 == 18446744073709551615\n", FAILS, NULL},
        {DONE "expect stable R1 4\n", FAILS, "checkpoint of R1 is 0"},
        {DONE "expect status R1 halted\n", FAILS, "R1 is normal"},
        {DONE "crash R1\nexpect view R1 == 0\n", FAILS, "R1 is down"},
        {DONE "crash R1\nexpect view-active R1\n", FAILS, "R1 is down"},
        {DONE "crash R1\nrestart R1\nexpect status R1 starting\n", PASSES,
         NULL},
        {DONE "expect buffered R1 < 1B\n", FAILS, "buffer of R1 is"},
        {DONE "expect view R1 = 0\n", INVALID, "="},
        {DONE "expect view R1 0\n", INVALID, NULL},
        {DONE "expect status R1 happy\n", INVALID, "happy"},
        {DONE "expect buffered R1 < 1\n", FAILS, "buffer of R1 is"},
        {DONE "expect buffered R1 < 1KB\n", INVALID, "size"},
        {DONE "expect stable R1\n", INVALID, NULL},
    };
    CHECK(cases);
}

static void test_sent(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {DONE "expect sent R1 commit view=0 seq=1\n"
              "expect sent R1 commit view=0 seq=1 digest=A count=1\n"
              "expect sent R1 commit count=1\nexpect sent R1 prepare to=R2\n"
              "expect not-sent R1 commit digest=B\n"
              "expect not-sent R0 prepare\nexpect sent R0 pre-prepare\n"
              "expect not-sent R1 view-change\nexpect sent R1 status\n"
              "submit c1 B to all\n",
         PASSES, NULL},
        /* Sent again is not sent twice. */
        {FOUR "drop commit\nsubmit c1 A to all\nrun 90ms\n"
              "expect sent R1 commit count=1\n",
         PASSES, NULL},
        /* Nor is what another said and this one passes on: R0 gives R1 its
         * votes back, R3 the view-change of R1 to R2. */
        {DONE "hold status\ncrash R1\nrestart R1\nunhold status\nrun 50ms\n"
              "expect sent R0 commit count=1\nexpect not-sent R0 prepare\n",
         PASSES, NULL},
        {FOUR "drop view-change from=R1 to=R2\ndrop pre-prepare view=0\n"
              "submit c1 A to all\nrun until live max 500ms\n"
              "expect sent R1,R3 view-change view=1 count=1\n",
         PASSES, NULL},
        /* A list means each. */
        {FOUR "hold prepare to=R2,R3\nsubmit c1 A to all\nsettle\n"
              "expect sent R0,R1 commit view=0 seq=1\n"
              "expect not-sent R2,R3 commit\n"
              "expect sent R1,R2 commit view=0 seq=1\n",
         FAILS, "R2 sent none"},
        {FOUR "hold prepare to=R3\nsubmit c1 A to all\nsettle\n"
              "expect sent all commit\n",
         FAILS, "R3 sent none"},
        {FOUR "crash all\nexpect not-sent all commit\n", FAILS,
         "no replica that is up"},
        /* Replies to clients. */
        {DONE "expect sent all reply to=c1 seq=1 digest=A count=1\n"
              "expect not-sent R1 reply to=c2\nexpect not-sent R1 state\n",
         PASSES, NULL},
        {DONE "byzantine R3\npuppet R3 replay reply from=R1 to all,c1\n"
              "settle\nexpect sent R1 reply count=1\n",
         PASSES, NULL},
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\n"
              "expect sent R1 reply\n",
         FAILS, "R1 sent none"},
        {DONE "expect sent R1 commit count=2\n", FAILS,
         "1 different, the last a commit of view 0 and seq 1 (A)"},
        {DONE "expect sent R1 commit seq=2\n", FAILS, "R1 sent none"},
        {DONE "expect not-sent R1 commit\n", FAILS, "1 different"},
        {DONE "expect sent R1 commit from=R2\n", INVALID, "from="},
        {DONE "expect sent R1\n", INVALID, NULL},
        {DONE "expect sent R1 vote\n", INVALID, "vote"},
        {DONE "expect not-sent R1 commit count=1\n", INVALID, "count="},
        {DONE "expect sent R1 commit digest=Z\n", INVALID, "no label 'Z'"},
    };
    CHECK(cases);
}

static void test_clients_and_liveness(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {DONE "expect replied c1 A\nexpect live\n", PASSES, NULL},
        {FOUR "cut R3 | R0,R1,R2\nsubmit c1 A to R0\nsettle\nexpect live\n",
         FAILS, "R3 has not executed A"},
        {FOUR "cut R3 | R0,R1,R2\nsubmit c1 A to R0\nsettle\ncrash R3\n"
              "expect live\n",
         PASSES, NULL},
        {FOUR "expect live\n", PASSES, NULL},
        {FOUR "crash all\nsubmit c1 A to all\nrun 100ms\nexpect live\n", FAILS,
         "no replica that is up"},
        /* A puppet is not meant until it is honest again. */
        {FOUR "byzantine R1\ncut R1 | R0,R2,R3\nsubmit c1 A to all\nrun 50ms\n"
              "expect live\nexpect executed all 1 A\npuppet R1 honest\n"
              "expect live\n",
         FAILS, "R1 has not executed A"},
        {FOUR "submit c1 A to R0\nexpect replied c1 A\n", FAILS, "no reply"},
        {FOUR "expect replied c1 A\nsubmit c1 A to R0\n", FAILS,
         "not submitted so far"},
        {DONE "expect replied c2 A\n", INVALID, "belongs to c1"},
        {DONE "expect replied c9 A\n", INVALID, "c9"},
        {DONE "expect live now\n", INVALID, "now"},
    };
    CHECK(cases);
}

static void test_evidence(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "byzantine R0\n"
              "puppet R0 send pre-prepare view=0 seq=1 request=A to R1\n"
              "puppet R0 send pre-prepare view=0 seq=1 request=B to R1\n"
              "settle\nexpect evidence R1 against R0\n",
         PASSES, NULL},
        {FOUR "byzantine R3\n"
              "puppet R3 send prepare view=0 seq=1 digest=A to R1,R2\n"
              "puppet R3 send prepare view=0 seq=1 digest=B to R1\n"
              "settle\nexpect evidence R1 against R3\n"
              "expect evidence R2 against R3\n",
         FAILS, "R2 is normal and holds none against R3"},
        {DONE "expect evidence R1 against R0\n", FAILS, "none against R0"},
        {DONE "expect evidence R1 R0\n", INVALID, NULL},
        {DONE "expect evidence R1 for R0\n", INVALID, "usage"},
        {DONE "expect evidence R1 against c1\n", INVALID, "c1"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_executed),
        cmocka_unit_test(test_prepared_and_committed),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_sent),
        cmocka_unit_test(test_clients_and_liveness),
        cmocka_unit_test(test_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
