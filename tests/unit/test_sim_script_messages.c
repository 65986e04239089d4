/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: holding, dropping, delivering and cutting. */
#include "tests/support/script.h"

static void test_hold_and_release(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\n"
              "expect prepared all 1 A view=0\nexpect not-executed all 1\n"
              "release commit\nsettle\nexpect executed all 1 A\n",
         PASSES, NULL},
        /* The hold stays for later ones. */
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\nrelease commit\n"
              "submit c1 B to all\nsettle\nexpect not-executed all 2\n",
         PASSES, NULL},
        {FOUR "hold prepare to=R1\nsubmit c1 A to all\nsettle\n"
              "release prepare to=R1 count=1\nsettle\n"
              "expect prepared R1 1 A\n",
         PASSES, NULL},
        {FOUR "hold commit to=R1\nsubmit c1 A to all\nsettle\n"
              "release commit to=R1 count=1\nsettle\n"
              "expect not-executed R1 1\nrelease commit to=R1 count=1\n"
              "settle\nexpect executed R1 1 A\n",
         PASSES, NULL},
        /* Those in flight already. */
        {FOUR "submit c1 A to R0\nrun 1100us\nhold pre-prepare\nsettle\n"
              "expect sent R0 pre-prepare\nexpect not-sent R1 prepare\n",
         PASSES, NULL},
        {FOUR "hold request from=c1 to=R1,R2,R3\nsubmit c1 A to all\nsettle\n"
              "expect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "hold reply to=c1\nsubmit c1 A to all\nsettle\n"
              "expect executed all 1 A\nrun 1ms\nrelease reply\n"
              "expect replied c1 A\n",
         PASSES, NULL},
        {FOUR "hold *\nsubmit c1 A to all\nsettle\nexpect not-sent R0 *\n",
         FAILS, "status"},
    };
    CHECK(cases);
}

static void test_unhold(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "hold commit view=0\nsubmit c1 A to all\nsettle\n"
              "unhold commit view=0\nsettle\nexpect executed all 1 A\n",
         PASSES, NULL},
        /* Another hold still keeps some. */
        {FOUR "hold commit to=R1\nhold commit\nsubmit c1 A to all\nsettle\n"
              "unhold commit\nsettle\nexpect executed R0,R2,R3 1 A\n"
              "expect not-executed R1 1\nunhold commit to=R1\nsettle\n"
              "expect executed all 1 A\n",
         PASSES, NULL},
        /* Twice the same is one. */
        {FOUR "hold commit\nhold commit\nsubmit c1 A to all\nsettle\n"
              "unhold commit\nsettle\nexpect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "hold commit\nunhold prepare\n", INVALID, "no hold 'prepare'"},
        {FOUR "unhold commit\n", INVALID, "no hold"},
        {FOUR "drop commit\nunhold commit\n", INVALID, "no hold"},
        {FOUR "hold commit\nundrop commit\n", INVALID, "no drop"},
    };
    CHECK(cases);
}

static void test_drop(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\ndrop commit\n"
              "undrop commit\nunhold commit\nsettle\n"
              "expect not-executed all 1\n",
         PASSES, NULL},
        {FOUR "drop commit to=R1\nsubmit c1 A to all\nsettle\n"
              "expect executed R0,R2,R3 1 A\nexpect not-executed R1 1\n"
              "undrop commit to=R1\nrun until executed R1 1 A max 300ms\n",
         PASSES, NULL},
        /* The latest that matches wins. */
        {FOUR "drop commit\nhold commit\nsubmit c1 A to all\nsettle\n"
              "release commit\nsettle\nexpect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "hold commit\ndrop commit to=R1\nsubmit c1 A to all\nsettle\n"
              "release commit\nsettle\nexpect executed R0,R2,R3 1 A\n"
              "expect not-executed R1 1\n",
         PASSES, NULL},
        /* The example of the language: view 0 falls, view 1 goes on. */
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\ncrash R0\n"
              "drop commit view=0\nrun until executed R1 1 A max 2000ms\n"
              "expect view R1 >= 1\n",
         PASSES, NULL},
        /* But what is held for R3 goes on, where only R1 loses something. */
        {FOUR "hold commit to=R3\ndrop commit view=0 to=R1\n"
              "drop pre-prepare view=0\nsubmit c1 A to all\n"
              "run until executed R1,R2 1 A max 500ms\nrun 5ms\n"
              "expect view R3 == 1\nexpect not-executed R3 1\n"
              "unhold commit to=R3\nrun until live max 50ms\n",
         PASSES, NULL},
    };
    CHECK(cases);
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "hold commit from=R0,R1 to=R2 view=0 seq=1\n", PASSES, NULL},
        {FOUR "hold attestation\nhold checkpoint\nhold view-change\n"
              "hold new-view\nhold status\nhold fetch\nhold state\n"
              "hold reply\nhold request\nhold prepare\nhold pre-prepare\n",
         PASSES, NULL},
        {FOUR "hold commit seq=18446744073709551615\n", PASSES, NULL},
        {FOUR "hold commit seq=18446744073709551616\n", INVALID, NULL},
        {FOUR "hold commit seq=-1\n", INVALID, "-1"},
        {FOUR "hold vote\n", INVALID, "vote"},
        {FOUR "hold\n", INVALID, NULL},
        {FOUR "hold commit from=R9\n", INVALID, "R9"},
        {FOUR "hold commit from=R0,\n", INVALID, NULL},
        {FOUR "hold commit form=R0\n", INVALID, "form=R0"},
        {FOUR "hold commit view=0 view=1\n", INVALID, "view=1"},
        {FOUR "release commit count=x\n", INVALID, "x"},
        /* A request has no view. */
        {FOUR "drop * view=0\nsubmit c1 A to all\nsettle\n"
              "expect sent R0 pre-prepare\n",
         PASSES, NULL},
        /* A checkpoint is the attestation of a multiple of K. */
        {FOUR "drop checkpoint\nsubmit c1 A B C D E to all\nsettle\n"
              "expect replied c1 A\nexpect stable R0 4\n",
         FAILS, "the stable checkpoint of R0 is 0"},
    };
    CHECK(cases);
}

static void test_deliver(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to R0\ndeliver request\nexpect not-executed R0 1\n"
              "run 150us\nexpect sent R0 pre-prepare\n",
         PASSES, NULL},
        {FOUR "hold *\nsubmit c1 A to R0\ndeliver request to=R0\nsettle\n"
              "expect sent R0 pre-prepare\ndeliver pre-prepare to=R1\n"
              "run 150us\nexpect sent R1 prepare\nexpect not-sent R2 prepare\n",
         PASSES, NULL},
        {FOUR "deliver nonsense\n", INVALID, "nonsense"},
    };
    CHECK(cases);
}

static void test_cut_and_heal(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "cut R0,R1 | R2,R3\nsubmit c1 A to all\nrun 50ms\n"
              "expect not-executed all 1\nheal\nrun until live max 500ms\n",
         PASSES, NULL},
        {FOUR "cut R0,R1|R2,R3\nsubmit c1 A to all\nrun 50ms\n"
              "expect not-executed all 1\n",
         PASSES, NULL},
        {FOUR "cut R3 -> R0,R1,R2\nsubmit c1 A to all\nsettle\n"
              "expect executed all 1 A\nexpect sent R3 commit\n",
         PASSES, NULL},
        {FOUR "cut R0,R1,R2 -> R3\nsubmit c1 A to all\nsettle\n"
              "expect executed R0,R1,R2 1 A\nexpect not-executed R3 1\n",
         PASSES, NULL},
        /* What is in flight when the cut begins is lost. */
        {FOUR "submit c1 A to R0\nrun 1500us\nexpect sent R0 pre-prepare\n"
              "cut R0 | R1,R2,R3\nheal\nsettle\nexpect not-sent R1 prepare\n",
         PASSES, NULL},
        /* Cuts do not touch clients. */
        {FOUR "cut R0 | R1,R2,R3\nsubmit c1 A to R0\nsettle\n"
              "expect sent R0 pre-prepare\n",
         PASSES, NULL},
        {FOUR "cut R0 | R1\ncut R0 | R1\nheal\nsubmit c1 A to all\nsettle\n"
              "expect executed all 1 A\n",
         PASSES, NULL},
        {FOUR "cut R0\n", INVALID, "usage"},
        {FOUR "cut R0 & R1\n", INVALID, "usage"},
        {FOUR "cut R0 |\n", INVALID, NULL},
        {FOUR "cut | R0\n", INVALID, NULL},
        {FOUR "cut R0 | R1 R2\n", INVALID, "R2"},
        {FOUR "cut R0 | R9\n", INVALID, "R9"},
        {FOUR "cut c1 | R0\n", INVALID, "client"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_and_release),
        cmocka_unit_test(test_unhold),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_deliver),
        cmocka_unit_test(test_cut_and_heal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
