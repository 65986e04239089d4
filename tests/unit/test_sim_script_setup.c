/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: set-up, clients, labels, lines that are wrong. */
#include "tests/support/script.h"

static void test_defaults_of_the_cluster(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {"client c1\nsubmit c1 A to all\nrun until live max 10ms\n"
         "expect executed R3 1 A\n",
         PASSES, "ok"},
        /* K = 4, window = 8, one request a batch. */
        {"client c1\nsubmit c1 A B C D E F G H I to all\n"
         "run until executed R0 9 I max 50ms\nrun until stable R0 8 max 50ms\n",
         PASSES, NULL},
        {"client c1\nhold checkpoint\nsubmit c1 A B C D E F G H I to all\n"
         "settle\nexpect executed R0 8 H\nexpect not-executed R0 9\n",
         PASSES, NULL},
        /* request_timeout = 100 ms. */
        {"client c1\ndrop pre-prepare\nsubmit c1 A to all\nrun 100ms\n"
         "expect view R1 == 0\nrun 2ms\nexpect view R1 == 1\n",
         PASSES, NULL},
        {"expect view R3 == 0\nexpect view R4 == 0\n", INVALID, "R4"},
        {"", PASSES, NULL},
        {"# nothing but a comment\n\n   \n", PASSES, NULL},
    };
    CHECK(cases);
}

static void test_keys_of_the_cluster(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {"cluster n=7 checkpoint=2 window=4 request_timeout=50ms "
         "view_timeout=60ms view_timeout_max=1s latency=300us batch=2 "
         "monitor=off\nclient c1\nsubmit c1 A B to all\n"
         "run until executed R6 1 A max 10ms\n",
         PASSES, NULL},
        {"cluster n=4 monitor=on\nrun 10ms\n", PASSES, NULL},
        {"cluster n=4 latency=10ms\nclient c1\nsubmit c1 A to all\nrun 30ms\n"
         "expect not-executed R0 1\nrun 30ms\nexpect executed R0 1 A\n",
         PASSES, NULL},
        {"cluster n=0\n", INVALID, "out of range"},
        {"cluster n=3000\n", INVALID, NULL},
        {"cluster n=four\n", INVALID, "four"},
        {"cluster n=4 checkpoint=3 window=8\n", INVALID, "cluster:"},
        {"# no fit\n\ncluster n=4 checkpoint=3 window=9\nclient c1\n", PASSES,
         NULL},
        {"# no fit\n\ncluster n=4 checkpoint=8 window=8\nclient c1\n", INVALID,
         "test:3: error: cluster:"},
        {"cluster n=4 window=18446744073709551616\n", INVALID, NULL},
        /* One of the two alone: the other follows where it must. */
        {"cluster n=4 checkpoint=5\nclient c1\nsubmit c1 A B C D E to all\n"
         "settle\nexpect stable all 5\n",
         PASSES, NULL},
        {"cluster n=4 checkpoint=2\nclient c1\nsubmit c1 A B to all\n"
         "settle\nexpect stable all 2\n",
         PASSES, NULL},
        {"cluster n=4 window=6\nclient c1\nsubmit c1 A B C to all\n"
         "settle\nexpect stable all 3\n",
         PASSES, NULL},
        {"cluster n=4 window=7\n", INVALID, "cluster:"},
        {"cluster n=4 speed=9\n", INVALID, "speed=9"},
        {"cluster n=4 n=5\n", INVALID, "n=5"},
        {"cluster n=4 monitor=perhaps\n", INVALID, "perhaps"},
        {"cluster n=4 latency=-1ms\n", INVALID, "-1ms"},
        {"cluster n=4 latency=1\n", INVALID, "duration"},
        {"cluster n=4 request_timeout=1500us\n", INVALID, "milliseconds"},
        {"cluster n=4\ncluster n=4\n", INVALID, "already"},
    };
    CHECK(cases);
}

static void test_clients(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {"client c1 c2\nclient c3\nsubmit c3 A to R1\n"
         "run until replied c3 A max 50ms\n",
         PASSES, NULL},
        {"client\n", INVALID, "missing"},
        {"client c1 c1\n", INVALID, "taken"},
        {"client R0\n", INVALID, "taken"},
        {"client all\n", INVALID, "all"},
        {"client a,b\n", INVALID, "a,b"},
        {"submit c1 A to all\n", INVALID, "c1"},
        {"client c1\nsubmit c2 A to all\n", INVALID, "c2"},
    };
    CHECK(cases);
}

static void test_submit(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to R0\nsettle\nexpect executed all 1 A\n", PASSES,
         NULL},
        {FOUR "submit c1 A to R1,R2\nsettle\nexpect executed all 1 A\n", PASSES,
         NULL},
        {FOUR "submit c1 A B C to all\nsettle\nexpect executed all 1 A\n"
              "expect executed all 2 B\nexpect executed all 3 C\n",
         PASSES, NULL},
        /* The same label is the same request. */
        {FOUR "submit c1 A to R0\nsubmit c1 A to R0\nsettle\n"
              "expect executed all 1 A\nexpect not-executed all 2\n",
         PASSES, NULL},
        {FOUR "submit c1 A to R4\n", INVALID, "R4"},
        {FOUR "submit c1 A to c2\n", INVALID, "client"},
        {FOUR "submit c1 A\n", INVALID, NULL},
        {FOUR "submit c1 to all\n", INVALID, NULL},
        {FOUR "submit c1 A to\n", INVALID, NULL},
        {FOUR "submit c1 A to all now\n", INVALID, "now"},
        {FOUR "submit c1 A,B to all\n", INVALID, "A,B"},
        {FOUR "submit c1 null to all\n", INVALID, "null"},
    };
    CHECK(cases);
}

static void test_labels_belong_to_who_submits_first(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nsubmit c2 A to all\n", INVALID,
         "belongs to c1"},
        /* A puppet may speak of it before the client does. */
        {FOUR "byzantine R0\n"
              "puppet R0 send pre-prepare view=0 seq=1 request=A to R1\n"
              "submit c2 A to R1\nrun until replied c2 A max 2000ms\n",
         PASSES, NULL},
        {FOUR "byzantine R0\n"
              "puppet R0 send pre-prepare view=0 seq=1 request=A to all\n"
              "settle\nexpect replied c2 A\n",
         INVALID, "belongs to c1"},
        {FOUR "expect not-executed R1 1 A\n", INVALID, "no label 'A'"},
        {FOUR "expect replied c1 A\n", INVALID, "no label 'A'"},
        {FOUR "expect not-executed R1 1 A\nsubmit c1 A to all\n", PASSES, NULL},
    };
    CHECK(cases);
}

static void test_lines_that_are_wrong(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "\nwait 5ms\n", INVALID, "test:4: error: unknown directive"},
        /* Found before anything runs, and before anything fails. */
        {FOUR "expect view R0 == 9\nexpct view R0 == 9\n", INVALID, "test:4:"},
        {FOUR "expect\n", INVALID, NULL},
        {FOUR "expect bliss\n", INVALID, "bliss"},
        {FOUR "settle now\n", INVALID, "now"},
        {FOUR "heal R1\n", INVALID, "R1"},
        {FOUR "reconfigure c1 add=R4 to all\n", INVALID, NULL},
        {FOUR "settle # and a comment\n", PASSES, NULL},
        {"cluster n=4\r\nclient c1\r\nsubmit c1 A to all\r\nsettle\r\n"
         "expect executed all 1 A\r\n",
         PASSES, NULL},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_of_the_cluster),
        cmocka_unit_test(test_keys_of_the_cluster),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_submit),
        cmocka_unit_test(test_labels_belong_to_who_submits_first),
        cmocka_unit_test(test_lines_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
