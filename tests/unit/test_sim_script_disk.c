/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: crashes and disks. */
#include "tests/support/script.h"

static void test_crash_and_restart(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nsettle\ncrash R2\nexpect executed all 1 A\n"
              "submit c1 B to all\nsettle\nexpect executed R0,R1,R3 2 B\n"
              "expect not-executed R2 2\nrestart R2\n"
              "run until executed R2 2 B max 500ms\n",
         PASSES, NULL},
        {FOUR "submit c1 A to all\nsettle\ncrash all\nrestart all\n"
              "run until live max 500ms\n",
         PASSES, NULL},
        {FOUR "crash R1,R2\nrestart R1,R2\nsettle\nexpect status all normal\n",
         PASSES, NULL},
        {FOUR "crash R1\ncrash R1\ncrash all\nrestart all\nrestart R1\n",
         PASSES, NULL},
        {FOUR "crash\n", INVALID, NULL},
        {FOUR "crash R9\n", INVALID, "R9"},
        {FOUR "crash c1\n", INVALID, "client"},
        {FOUR "crash R1 slowly\n", INVALID, "slowly"},
        {FOUR "crash R1 keep=some\n", INVALID, "some"},
        {FOUR "restart R1 keep=1\n", INVALID, "keep=1"},
    };
    CHECK(cases);
}

static void test_what_a_crash_keeps(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        /* Body, pre-prepare, prepare: three writes, none synced. */
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "expect not-sent R1 prepare\ncrash R1\n"
              "disk R1 corrupt record=prepare\n",
         INVALID, "no such record"},
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "crash R1 keep=2\ndisk R1 corrupt record=pre-prepare seq=1\n",
         PASSES, NULL},
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "crash R1 keep=2\ndisk R1 corrupt record=prepare seq=1\n",
         INVALID, "no such record"},
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "crash R1 keep=3\ndisk R1 corrupt record=prepare seq=1\n",
         PASSES, NULL},
        /* A torn tail was never spoken of: it is cut. */
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "crash R1 torn\ndisk R1 heal\nrestart R1\n"
              "run until live max 500ms\nexpect status R1 normal\n",
         PASSES, NULL},
        {FOUR "disk R1 delay 50ms\nsubmit c1 A to all\nrun 5ms\n"
              "crash R1 keep=1 torn\nrestart R1\nrun until live max 900ms\n",
         PASSES, NULL},
        {FOUR "crash R1 keep=18446744073709551615\nrestart R1\n", PASSES, NULL},
    };
    CHECK(cases);
}

static void test_marks(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nsettle\nmark DAY\nsubmit c1 B to all\n"
              "settle\ncrash R1\nexpect executed R1 1 A\n"
              "disk R1 rollback to=DAY\nexpect not-executed R1 2\n",
         PASSES, NULL},
        /* The same name again: the later day. */
        {FOUR "mark DAY\nsubmit c1 A B C D to all\nsettle\nmark DAY\ncrash R1\n"
              "disk R1 rollback to=DAY\nexpect executed R1 1 A\n",
         PASSES, NULL},
        {FOUR "mark DAY\ndisk R1 rollback to=DAY\n", INVALID, "crashed"},
        {FOUR "crash R1\ndisk R1 rollback to=DAY\n", INVALID, "no mark 'DAY'"},
        {FOUR "crash R1\ndisk R1 rollback\n", INVALID, "no mark"},
        {FOUR "mark\n", INVALID, "missing"},
        {FOUR "mark a=b\n", INVALID, "a=b"},
    };
    CHECK(cases);
}

static void test_a_lost_disk_is_noticed(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "submit c1 A to all\nsettle\ncrash R1\ndisk R1 wipe\n"
              "expect not-executed R1 1\n",
         PASSES, NULL},
        {FOUR "submit c1 A to all\nsettle\ncrash R1\n"
              "disk R1 corrupt record=commit seq=1\nrestart R1\n"
              "expect status R1 recovering\n",
         PASSES, NULL},
        {FOUR "mark DAY\nhold commit\nsubmit c1 A to all\nsettle\ncrash R1\n"
              "disk R1 rollback to=DAY\nrestart R1\n"
              "run until status R1 recovering max 100ms\n",
         PASSES, NULL},
        {FOUR "hold commit\nsubmit c1 A to all\nsettle\ncrash R1\n"
              "disk R1 truncate record=prepare seq=1\nrestart R1\n"
              "run until status R1 recovering max 100ms\n",
         PASSES, NULL},
        /* The executed blocks: unreadable, the process ends; gone, it
         * executes again. */
        {FOUR "submit c1 A B C D E to all\nsettle\ncrash R1\n"
              "disk R1 corrupt record=applied seq=2\nrestart R1\n"
              "expect status R1 halted\nrun 300ms\ncrash R1\n"
              "restart R1\nexpect status R1 halted\ncrash R1\n"
              "disk R1 wipe\nrestart R1\nrun until live max 5s\n",
         PASSES, NULL},
        {FOUR "submit c1 A B C D E to all\nsettle\ncrash R1\n"
              "disk R1 truncate record=applied seq=2\n"
              "expect executed R1 1 A\nexpect not-executed R1 2\n"
              "restart R1\nrun until live max 500ms\n",
         PASSES, NULL},
        {FOUR "crash R1\ndisk R1 truncate record=applied seq=2\n", INVALID,
         "no such record"},
        {FOUR "disk R1 wipe\n", INVALID, "crashed"},
        {FOUR "disk R1 corrupt record=any\n", INVALID, "crashed"},
        {FOUR "crash R1\ndisk R1 corrupt record=vote\n", INVALID, "vote"},
        {FOUR "crash R1\ndisk R1 corrupt\n", INVALID, "record="},
        {FOUR "crash R1\ndisk R1 truncate record=commit seq=9\n", INVALID,
         "no such record"},
        {FOUR "crash R1\ndisk R1 burn\n", INVALID, "burn"},
        {FOUR "crash R1\ndisk R1\n", INVALID, NULL},
    };
    CHECK(cases);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "disk R1 fail write record=commit errno=EIO times=1\n"
              "submit c1 A to all\nsettle\nexpect status R1 halted\n"
              "expect not-sent R1 commit\nexpect sent R1 prepare\n"
              "expect executed R0,R2,R3 1 A\nrun until live max 10ms\n"
              "restart R1\nrun until executed R1 1 A max 500ms\n",
         PASSES, NULL},
        /* Nothing syncs a block for itself: the next record's sync does. */
        {FOUR "disk R1 fail sync record=applied errno=EIO times=always\n"
              "submit c1 A to all\nsettle\nexpect status R1 normal\n"
              "submit c1 B to all\nsettle\nexpect status R1 halted\n"
              "expect executed R0,R2,R3 2 B\n",
         PASSES, NULL},
        {FOUR "submit c1 A to all\nsettle\ncrash R1\n"
              "disk R1 corrupt record=applied seq=1\n",
         INVALID, "synced with the next log record"},
        {FOUR "disk R1 fail sync record=any errno=ENOSPC times=always\n"
              "submit c1 A to all\nsettle\nexpect status R1 halted\n"
              "expect not-sent R1 prepare\nrestart R1\n"
              "submit c1 B to all\nsettle\nexpect status R1 halted\n"
              "disk R1 heal\nrestart R1\nrun until live max 900ms\n",
         PASSES, NULL},
        /* Several at a time; each has its own count. */
        {FOUR "disk R1 fail write record=new-view errno=EIO times=2\n"
              "disk R1 fail write record=prepared errno=EIO times=1\n"
              "submit c1 A to all\nsettle\nexpect status R1 halted\n",
         PASSES, NULL},
        {FOUR "disk R1 fail write record=view-change errno=EIO times=1\n"
              "submit c1 A to all\nsettle\nexpect status R1 normal\n",
         PASSES, NULL},
        {FOUR "disk R1 fail write record=applied errno=EIO times=1\n"
              "submit c1 A to all\nsettle\nexpect status R1 halted\n",
         PASSES, NULL},
        {FOUR "disk R1 fail write errno=EIO times=1\n", INVALID, "record="},
        {FOUR "disk R1 fail read record=any\n", INVALID, "read"},
        {FOUR "disk R1 fail write record=any errno=EPERM\n", INVALID, "EPERM"},
        {FOUR "disk R1 fail write record=any times=never\n", INVALID, "never"},
        {FOUR "disk R1 fail write record=any times=0\n", INVALID, "times=0"},
        {FOUR "disk R1 fail\n", INVALID, "missing"},
    };
    CHECK(cases);
}

static void test_delay(void **state)
{
    (void)state;
    static const struct script_case cases[] = {
        {FOUR "disk R1 delay 20ms\nsubmit c1 A to all\nrun 15ms\n"
              "expect not-sent R1 prepare\nexpect executed R0 1 A\nrun 10ms\n"
              "expect sent R1 prepare\n",
         PASSES, NULL},
        {FOUR "disk all delay 20ms\ndisk all heal\nsubmit c1 A to all\n"
              "run until live max 10ms\n",
         PASSES, NULL},
        {FOUR "disk R1 delay\n", INVALID, "missing"},
        {FOUR "disk R1 delay -1ms\n", INVALID, "negative"},
        {FOUR "disk R1 delay 1ms 2ms\n", INVALID, "2ms"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_and_restart),
        cmocka_unit_test(test_what_a_crash_keeps),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_a_lost_disk_is_noticed),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
