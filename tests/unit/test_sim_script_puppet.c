/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: Byzantine replicas. */
#include "tests/support/script.h"

#define PUPPET FOUR "byzantine R0\n"

static void test_what_a_puppet_sends(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=A to R1,R2\n"
                "settle\nexpect sent R1 prepare view=0 seq=1 digest=A\n"
                "expect not-sent R3 prepare\nexpect sent R0 pre-prepare\n",
         PASSES, NULL},
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=A "
                "bad-signature to all\nsettle\nexpect not-sent R1 prepare\n",
         PASSES, NULL},
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=A to all "
                "digest=X\nsettle\nexpect not-sent R1 prepare\n",
         PASSES, NULL},
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=null to all\n"
                "settle\nexpect sent R1 prepare seq=1 digest=null\n"
                "puppet R0 send commit view=0 seq=1 digest=null to all\n"
                "settle\nexpect executed all 1 null\n",
         PASSES, NULL},
        /* Votes of the first pre-prepare's time. */
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=A time=9ms "
                "to R1,R2,R3\nsettle\n"
                "puppet R0 send commit view=0 seq=1 digest=A to R1\nsettle\n"
                "expect executed R1 1 A\n",
         PASSES, NULL},
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 request=A to all\n"
                "puppet R0 send checkpoint seq=4 digest=wrong to all\n"
                "puppet R0 send attestation seq=1 digest=right to all\n"
                "puppet R0 send status view=7 executed=999 to all\n"
                "puppet R0 send fetch seq=1 to R1\n"
                "puppet R0 send request request=B to R1\nsettle\n",
         PASSES, NULL},
        /* The words may stand in any order; 64 bits are numbers. */
        {PUPPET "puppet R0 send prepare to R1 digest=A "
                "seq=18446744073709551615 view=18446744073709551615\n"
                "puppet R0 send pre-prepare view=18446744073709551615 "
                "seq=18446744073709551615 request=A to all\n"
                "puppet R0 send pre-prepare view=0 seq=0 request=A to all\n"
                "puppet R0 send view-change view=18446744073709551615 "
                "stable=18446744073709551615 to all\n"
                "puppet R0 send view-change view=0 stable=0 to all\n"
                "puppet R0 send checkpoint seq=18446744073709551612 "
                "digest=wrong to all\n"
                "puppet R0 send status view=18446744073709551615 "
                "executed=18446744073709551615 stable=18446744073709551615 "
                "to all\nrun 300ms\nexpect view R1 == 0\n"
                "expect buffered R1 < 1MiB\n",
         PASSES, NULL},
    };
    CHECK(cases);
}

static void test_what_a_puppet_cannot(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "puppet R0 send prepare view=0 seq=1 digest=A to R1\n", INVALID,
         "not byzantine"},
        {FOUR "byzantine R9\n", INVALID, "R9"},
        {FOUR "byzantine c1\n", INVALID, "client"},
        {FOUR "byzantine\n", INVALID, NULL},
        {PUPPET "puppet R0 send lies to all\n", INVALID, "lies"},
        {PUPPET "puppet R0 send commit view=0 seq=1 digest=A\n", INVALID,
         "'to'"},
        {PUPPET "puppet R0 send commit view=0 seq=1 digest=A to R9\n", INVALID,
         "R9"},
        {PUPPET "puppet R0 send commit view=0 seq=1 to all\n", INVALID,
         "digest="},
        {PUPPET "puppet R0 send pre-prepare view=0 seq=1 to all\n", INVALID,
         "request="},
        {PUPPET "puppet R0 send commit view=x seq=1 digest=A to all\n", INVALID,
         "x"},
        {PUPPET "puppet R0 send commit view=0 seq=1 digest=A to all twice\n",
         INVALID, "twice"},
        {PUPPET "puppet R0 send checkpoint seq=4 digest=odd to all\n", INVALID,
         "odd"},
        {PUPPET "puppet R0 dances\n", INVALID, "dances"},
        {PUPPET "puppet R0\n", INVALID, NULL},
    };
    CHECK(cases);
}

static void test_silence_and_honesty(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* What a puppet proposes was signed then, whenever its client sends
         * it: nobody's history is out of order. */
        {FOUR
         "byzantine R0\n"
         "puppet R0 send pre-prepare view=0 seq=1 request=A to all\n"
         "puppet R0 send pre-prepare view=0 seq=2 request=B to all\n"
         "settle\nsubmit c2 B to all\nrun until replied c2 B max 200ms\n"
         "run 50ms\nsubmit c1 A to all\nrun until replied c1 A max 200ms\n",
         PASSES, NULL},
        {FOUR "byzantine R3\nsubmit c1 A to all\nsettle\n"
              "expect executed all 1 A\nexpect not-sent R3 commit\n"
              "puppet R3 honest\nsubmit c1 B to all\nsettle\n"
              "expect sent R3 commit seq=2 digest=B\npuppet R3 silent\n"
              "submit c1 C to all\nsettle\nexpect not-sent R3 commit seq=3\n",
         PASSES, NULL},
        /* `all` is everybody who is up and not a puppet. */
        {FOUR "byzantine R3\ncut R3 | R0,R1,R2\nsubmit c1 A to R0\nsettle\n"
              "expect executed all 1 A\nexpect not-executed R3 1\n",
         PASSES, NULL},
        {FOUR "byzantine R2,R3\nsubmit c1 A to R0\nsettle\n"
              "expect not-executed R0 1\n",
         PASSES, NULL},
    };
    CHECK(cases);
}

static void test_view_changes_of_puppets(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* Real votes make a certificate that counts. */
        {FOUR "hold commit to=R0,R1,R2\nhold prepare to=R0,R1,R2\n"
              "submit c1 A to all\nsettle\ndrop prepare view=0\n"
              "drop commit view=0\nbyzantine R0,R3\n"
              "puppet R3 send view-change view=1 stable=0 "
              "prepared=1:A@0:R0,R1,R2 to R1,R2\n"
              "puppet R0 send view-change view=1 stable=0 to R1,R2\nsettle\n"
              "run until view-active R1,R2 max 50ms\n"
              "expect sent R2 prepare view=1 seq=1 digest=A\n",
         PASSES, NULL},
        /* Without the primary's pre-prepare it is none. */
        {FOUR "hold prepare to=R0,R1,R2\nsubmit c1 A to R0\nsettle\n"
              "drop prepare view=0\nbyzantine R0,R3\n"
              "puppet R3 send view-change view=1 stable=0 "
              "prepared=1:A@0:R1,R2,R3 to R1,R2\n"
              "puppet R0 send view-change view=1 stable=0 to R1,R2\nsettle\n"
              "expect view-active R1,R2\nexpect not-sent R2 prepare view=1\n",
         PASSES, NULL},
        /* Options and signers may stand in any order. */
        {FOUR "hold commit to=R0,R1,R2\nhold prepare to=R0,R1,R2\n"
              "submit c1 A to all\nsettle\ndrop prepare view=0\n"
              "drop commit view=0\nbyzantine R0,R3\n"
              "puppet R3 send view-change view=1 stable=0 "
              "prepared=2:B@0:R0,R1,R2 prepared=1:A@0:R2,R1,R0 to R1,R2\n"
              "puppet R0 send view-change view=1 stable=0 to R1,R2\n"
              "run until sent R2 prepare view=1 seq=1 digest=A max 50ms\n"
              "expect not-sent R2 prepare view=1 seq=2\n",
         PASSES, NULL},
        /* A quorum and one invalid vote more: whoever made that proves
         * nothing, says the auditor as well. */
        {FOUR "hold commit to=R0,R1,R2\nhold prepare to=R0,R1,R2\n"
              "submit c1 A to all\nsettle\ndrop prepare view=0\n"
              "drop commit view=0\nbyzantine R0,R3\n"
              "puppet R3 send view-change view=1 stable=0 "
              "prepared=1:A@0:R0,R1,R2,R3! to R1,R2\n"
              "puppet R0 send view-change view=1 stable=0 to R1,R2\nsettle\n"
              "expect view-active R1,R2\nexpect view R2 == 1\n",
         PASSES, NULL},
        {FOUR "byzantine R3\n"
              "puppet R3 send view-change view=1 stable=0 "
              "prepared=1:A@0:R0,R1!,R2 prepared=2:B@0:R0,R1,R1 "
              "prepared=3:null@0:R0 to all\nsettle\nexpect view R1 == 0\n",
         PASSES, NULL},
        {FOUR "byzantine R3\n"
              "puppet R3 send view-change view=1 prepared=1:A:R0 to R1\n",
         INVALID, "SEQ:LABEL@VIEW:SIGNERS"},
        {FOUR "byzantine R3\n"
              "puppet R3 send view-change view=1 prepared=1:A@0:R9 to R1\n",
         INVALID, "R9"},
        {FOUR "byzantine R3\n"
              "puppet R3 send view-change view=1 prepared=x:A@0:R0 to R1\n",
         INVALID, "x"},
    };
    CHECK(cases);
}

#define FALL                                                                   \
    FOUR "byzantine R1\ndrop pre-prepare view=0\nsubmit c1 A to all\nsettle\n" \
         "timer R2,R3 fire request\nsettle\n"

static void test_new_views_of_puppets(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* Correct: the view-changes that it contains come along. */
        {FALL "puppet R1 send new-view view=1 from=R0,R2,R1 to all\nsettle\n"
              "expect view-active R0,R2,R3\nexpect view R2 == 1\n",
         PASSES, NULL},
        /* Nobody prepared anything: what it chooses is made up. */
        {FALL "puppet R1 send new-view view=1 from=R0,R2,R1 choose=1:A to all\n"
              "settle\nexpect view-active R2\n",
         FAILS, "R2 is view-change"},
        {FALL "puppet R1 send new-view view=1 from=R0,R2 to all\nsettle\n"
              "expect view-active R2\n",
         FAILS, "view-change"},
        {FALL "puppet R1 send new-view view=1 from=R0,R2,R2 to all\nsettle\n"
              "expect view-active R2\n",
         FAILS, "view-change"},
        {FALL "puppet R1 send new-view view=1 from=R0,R2,R3@2 to all\nsettle\n"
              "expect view-active R2\n",
         FAILS, "view-change"},
        {FALL "puppet R1 send new-view view=1 to all\n", INVALID, "from="},
        {FALL "puppet R1 send new-view view=1 from=R9 to all\n", INVALID, "R9"},
        {FALL "puppet R1 send new-view view=1 from=R0@x to all\n", INVALID,
         "x"},
        {FALL "puppet R1 send new-view view=1 from=R0 choose=A to all\n",
         INVALID, "SEQ:LABEL"},
    };
    CHECK(cases);
}

static void test_replay(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "drop prepare from=R1 to=R2\nsubmit c1 A to all\nsettle\n"
              "byzantine R3\npuppet R3 replay prepare from=R1 to R2\n"
              "puppet R3 replay * to R0,R1,R2\nsettle\n"
              "expect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "submit c1 A to all\nsettle\nbyzantine R3\n"
              "puppet R3 replay commit from=R1 to=R2 view=0 seq=1 to R0\n"
              "puppet R3 replay request from=c1 to R0\n",
         PASSES, NULL},
        /* A request comes by the channel of who replays it. */
        {FOUR "byzantine R3\ndrop request to=R0\nsubmit c1 A to R3\nrun 20ms\n"
              "undrop request to=R0\npuppet R3 replay request from=c1 to R0\n"
              "run 10ms\nexpect executed R0 1 A\n",
         PASSES, NULL},
        {FOUR "byzantine R3\ndrop request to=R0\nsubmit c1 A to R1\nrun 90ms\n"
              "undrop request to=R0\npuppet R3 replay request from=R1 to R0\n"
              "run 10ms\nexpect executed R0 1 A\n",
         PASSES, NULL},
        {FOUR "byzantine R3\npuppet R3 replay commit from=R1 to R0\n", INVALID,
         "nothing like that"},
        {FOUR "byzantine R3\npuppet R3 replay status\n", INVALID, "'to'"},
    };
    CHECK(cases);
}

#define BEHIND                                                                 \
    FOUR "cut R3 | R0,R1,R2\nsubmit c1 A B C D E F G H I J to all\n"           \
         "run until executed R0 10 J max 90ms\nbyzantine R2\n"

static void test_answers(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {BEHIND "puppet R2 answer fetch with=garbage to R3\nheal\n"
                "run until executed R3 10 J max 1s\n",
         PASSES, NULL},
        {BEHIND "puppet R2 answer fetch with=old to all\nheal\n"
                "puppet R2 answer fetch with=nothing to R3\n"
                "run until executed R3 10 J max 1s\n",
         PASSES, NULL},
        {BEHIND "puppet R2 answer fetch with=commit=1:X@0:R0,R1,R2 to R3\n"
                "heal\nrun until executed R3 10 J max 1s\n"
                "expect not-executed R3 1 X\n",
         PASSES, NULL},
        {BEHIND "puppet R2 answer fetch with=kindness to R3\n", INVALID,
         "kindness"},
        {BEHIND "puppet R2 answer fetch with=commit=1:X to R3\n", INVALID,
         "SEQ:LABEL@VIEW:SIGNERS"},
        {BEHIND "puppet R2 answer fetch with=old\n", INVALID, "'to'"},
        {BEHIND "puppet R2 answer status with=old to R3\n", INVALID, "usage"},
    };
    CHECK(cases);
}

static void test_twins(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "twin R0 as T0\nsettle\ncut R0,R1 | T0,R2,R3\n"
              "submit c1 A to R1\nsubmit c2 B to R2,R3\nrun 400ms\n"
              "expect not-executed R1 1\nexpect executed R2 1 B\nheal\n"
              "run until executed R1 1 B max 2s\n",
         PASSES, NULL},
        /* It gets a copy of every message to its original. */
        {FOUR "twin R3 as T3\nsettle\nsubmit c1 A to all\nsettle\n"
              "expect executed T3 1 A\nexpect sent T3 prepare\n",
         PASSES, NULL},
        {FOUR "twin R3 as T3\ntimer T3 pause\nhold commit from=T3\n"
              "clock T3 offset=7s\ndisk T3 delay 1ms\nbyzantine T3\n"
              "puppet T3 send commit view=0 seq=1 digest=A to R1\n"
              "drop * to=T3\nexpect view T3 == 0\n",
         PASSES, NULL},
        {FOUR "twin R3 as T3\nsettle\nsubmit c1 A to T3\nsettle\n"
              "expect executed R0 1 A\n",
         PASSES, NULL},
        {FOUR "twin R3 as R2\n", INVALID, "taken"},
        {FOUR "twin R3 as c1\n", INVALID, "taken"},
        {FOUR "twin R9 as T9\n", INVALID, "R9"},
        {FOUR "twin R3 T3\n", INVALID, NULL},
        {FOUR "twin R3 as all\n", INVALID, "usage"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_puppet_sends),
        cmocka_unit_test(test_what_a_puppet_cannot),
        cmocka_unit_test(test_silence_and_honesty),
        cmocka_unit_test(test_view_changes_of_puppets),
        cmocka_unit_test(test_new_views_of_puppets),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
