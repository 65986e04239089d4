/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of salusd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/options.h"

#define ARGUMENTS_MAX 6

struct good_case {
    const char *arguments[ARGUMENTS_MAX];
    struct options expected;
};

static int count_of(const char *const *arguments)
{
    int count = 0;
    while (count < ARGUMENTS_MAX && arguments[count] != NULL) {
        count++;
    }
    return count;
}

static enum pbft_status parse(struct options *out, const char *const *arguments,
                              struct salus_reason *reason)
{
    return options_parse(out, count_of(arguments), (char *const *)arguments,
                         reason);
}

static void test_good_command_lines(void **state)
{
    static const struct good_case cases[] = {
        {{"salusd", "--config", "a"}, {OPTIONS_RUN, "a", false, false}},
        {{"salusd", "--config=a"}, {OPTIONS_RUN, "a", false, false}},
        {{"salusd", "--check-config", "--config", "a"},
         {OPTIONS_CHECK_CONFIG, "a", false, false}},
        {{"salusd", "--config", "a", "--unsafe-no-sync", "--unsafe-no-tls"},
         {OPTIONS_RUN, "a", true, true}},
        {{"salusd", "--version"}, {OPTIONS_VERSION, NULL, false, false}},
        {{"salusd", "--help"}, {OPTIONS_HELP, NULL, false, false}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options options;
        const struct options *expected = &cases[i].expected;
        assert_int_equal(parse(&options, cases[i].arguments, NULL), PBFT_OK);
        assert_int_equal(options.action, expected->action);
        assert_int_equal(options.unsafe_no_sync, expected->unsafe_no_sync);
        assert_int_equal(options.unsafe_no_tls, expected->unsafe_no_tls);
        if (expected->config != NULL) {
            assert_string_equal(options.config, expected->config);
        }
    }
}

static void test_bad_command_lines(void **state)
{
    static const char *const cases[][ARGUMENTS_MAX] = {
        {"salusd"},
        {"salusd", "--config"},
        {"salusd", "--config="},
        {"salusd", "--check-config"},
        {"salusd", "--config", "a", "--unsafe"},
        {"salusd", "a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options options;
        struct salus_reason reason = {{0}};
        assert_int_equal(parse(&options, cases[i], &reason),
                         PBFT_INVALID_ARGUMENT);
        assert_true(strlen(reason.text) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_command_lines),
        cmocka_unit_test(test_bad_command_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
