/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads: a line for each query, one for all that a flood has more, every
 * one counted, and nothing of what was asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/limits.h"
#include "node/reads.h"
#include "proto/genesis.h"
#include "salus/v1/ledger.pb-c.h"

#define TEXT_MAX (64 * 1024)

struct fixture {
    struct salus_genesis *genesis;
    struct reads *reads;
    FILE *journal; /* What goes to standard error. */
    int before;
    char text[TEXT_MAX];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->genesis = genesis_create(2, 1);
    assert_non_null(fixture->genesis);
    (void)snprintf(fixture->genesis->members[0].name,
                   sizeof fixture->genesis->members[0].name, "st-anna");
    (void)snprintf(fixture->genesis->members[1].name,
                   sizeof fixture->genesis->members[1].name, "northgate");
    fixture->reads = reads_create(fixture->genesis);
    fixture->journal = tmpfile();
    assert_non_null(fixture->journal);
    (void)fflush(stderr);
    fixture->before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(fixture->journal), STDERR_FILENO) >= 0);
    *state = fixture;
    return 0;
}

/* All lines until now. */
static const char *journalled(struct fixture *fixture)
{
    rewind(fixture->journal);
    fixture->text[fread(fixture->text, 1, TEXT_MAX - 1, fixture->journal)] = 0;
    return fixture->text;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    reads_destroy(fixture->reads);
    (void)dup2(fixture->before, STDERR_FILENO);
    (void)close(fixture->before);
    (void)fclose(fixture->journal);
    genesis_destroy(fixture->genesis);
    free(fixture);
    return 0;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what)) {
        count++;
    }
    return count;
}

static void ask(struct fixture *fixture, uint32_t caller,
                Salus__V1__Query__KindCase kind, pbft_time_ms now_ms)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;

    query.kind_case = kind;
    reads_note(fixture->reads, caller, READS_LOCAL, &query, now_ms);
}

static void test_each_query_has_a_line(void **state)
{
    struct fixture *fixture = *state;
    uint8_t handle[] = "PATIENTHANDLEPATIENTHANDLEPATIENT";
    ProtobufCBinaryData subject = {32, handle};
    Salus__V1__AccountingQuery accounting = SALUS__V1__ACCOUNTING_QUERY__INIT;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;

    accounting.subjects = &subject;
    accounting.n_subjects = 1;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &accounting;
    reads_note(fixture->reads, 0, READS_CERTIFIED, &query, 1000);
    ask(fixture, 1, SALUS__V1__QUERY__KIND_WHO_MAY, 1000);
    ask(fixture, 1, SALUS__V1__QUERY__KIND__NOT_SET, 1000);
    reads_note(fixture->reads, 1, READS_LOCAL, NULL, 1000);
    const char *text = journalled(fixture);
    assert_int_equal(count_of(text, "level=info event=read "), 4);
    assert_non_null(strstr(text, "institution=st-anna kind=accounting "
                                 "level=certified total=1\n"));
    assert_non_null(strstr(text, "institution=northgate kind=who_may "
                                 "level=local total=1\n"));
    assert_non_null(strstr(text, "kind=none level=local total=2\n"));
    assert_non_null(strstr(text, "kind=receipt level=local total=3\n"));
    /* Not of whom, in letters or digits. */
    assert_null(strstr(text, "PATIENT"));
    assert_null(strstr(text, "50415449"));
}

/* The sum is told when the interval is over, also if nobody asks any more. */
static void test_flood_is_summed_up(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t more = 1000 - NODE_JOURNAL_LINES_MAX;
    char sum[128];

    for (size_t i = 0; i < 1000; i++) {
        ask(fixture, 0,
            i < 600 ? SALUS__V1__QUERY__KIND_EXPLAIN
                    : SALUS__V1__QUERY__KIND_ACCOUNTING,
            5000 + i);
    }
    reads_tell(fixture->reads, 6000);
    const char *text = journalled(fixture);
    assert_int_equal(count_of(text, "event=read "), NODE_JOURNAL_LINES_MAX);
    assert_int_equal(count_of(text, "event=reads "), 0);
    reads_tell(fixture->reads, 5100 + NODE_JOURNAL_INTERVAL_MS);
    reads_tell(fixture->reads, 5200 + NODE_JOURNAL_INTERVAL_MS);
    text = journalled(fixture);
    (void)snprintf(sum, sizeof sum,
                   "event=reads institution=st-anna count=%llu total=1000 "
                   "explain=%llu accounting=400\n",
                   (unsigned long long)more, (unsigned long long)(more - 400));
    assert_non_null(strstr(text, sum));
    assert_int_equal(count_of(text, "event=reads "), 1);
    assert_int_equal(reads_total(fixture->reads, 0), 1000);
}

static void test_nobody_hides_in_the_flood_of_another(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 1000; i++) {
        ask(fixture, 0, SALUS__V1__QUERY__KIND_EXPLAIN, 5000);
    }
    ask(fixture, 1, SALUS__V1__QUERY__KIND_SUSPECT, 5000);
    assert_non_null(strstr(journalled(fixture),
                           "institution=northgate kind=suspect level=local "
                           "total=1\n"));
}

/* A day of it is a file of some megabytes, and every query is in a sum. */
static void test_lasting_flood_stays_small_and_complete(void **state)
{
    struct fixture *fixture = *state;
    const size_t intervals = 10;
    uint64_t told = 0;

    for (size_t i = 0; i < intervals * 100; i++) {
        pbft_time_ms now_ms = 1000 + i * NODE_JOURNAL_INTERVAL_MS / 100;
        ask(fixture, 0, SALUS__V1__QUERY__KIND_EXPLAIN, now_ms);
        reads_tell(fixture->reads, now_ms);
    }
    const char *text = journalled(fixture);
    assert_true(count_of(text, "\n") <=
                (intervals + 1) * (NODE_JOURNAL_LINES_MAX + 1));
    reads_destroy(fixture->reads); /* Tells the rest. */
    text = journalled(fixture);
    told = count_of(text, "event=read ");
    for (const char *at = text; (at = strstr(at, " count=")) != NULL; at++) {
        told += strtoull(at + strlen(" count="), NULL, 10);
    }
    assert_int_equal(told, intervals * 100);
    fixture->reads = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_query_has_a_line),
        TEST(test_flood_is_summed_up),
        TEST(test_nobody_hides_in_the_flood_of_another),
        TEST(test_lasting_flood_stays_small_and_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
