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
        {{"salusd", "--config", "a"}, {.action = OPTIONS_RUN, .config = "a"}},
        {{"salusd", "--config=a"}, {.action = OPTIONS_RUN, .config = "a"}},
        {{"salusd", "--check-config", "--config", "a"},
         {.action = OPTIONS_CHECK_CONFIG, .config = "a"}},
        {{"salusd", "--config", "a", "--unsafe-no-sync", "--unsafe-no-tls"},
         {.action = OPTIONS_RUN,
          .config = "a",
          .unsafe_no_sync = true,
          .unsafe_no_tls = true}},
        {{"salusd", "--measure", "b"},
         {.action = OPTIONS_MEASURE,
          .measure = "b",
          .measure_payload = 256,
          .measure_per_request = 64}},
        {{"salusd", "--measure=b", "--payload", "1024",
          "--transactions-per-request=1"},
         {.action = OPTIONS_MEASURE,
          .measure = "b",
          .measure_payload = 1024,
          .measure_per_request = 1}},
        {{"salusd", "--version"}, {.action = OPTIONS_VERSION}},
        {{"salusd", "--help"}, {.action = OPTIONS_HELP}},
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
        if (expected->measure != NULL) {
            assert_string_equal(options.measure, expected->measure);
            assert_int_equal(options.measure_payload,
                             expected->measure_payload);
            assert_int_equal(options.measure_per_request,
                             expected->measure_per_request);
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
        {"salusd", "--measure"},
        {"salusd", "--measure="},
        {"salusd", "--measure", "b", "--payload", "0"},
        {"salusd", "--measure", "b", "--payload", "1025"},
        {"salusd", "--measure", "b", "--payload", "-1"},
        {"salusd", "--measure", "b", "--transactions-per-request", "1x"},
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
