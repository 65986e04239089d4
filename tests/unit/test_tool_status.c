/* SPDX-License-Identifier: Apache-2.0 */
/* salus status: what a replica says of itself reaches no terminal as it is. */
#include "tests/support/fake_replicas.h"

#include <unistd.h>

#include "client/tool.h"
#include "client/tool_options.h"

static struct fake_replicas fakes;

static int set_up(void **state)
{
    (void)state;
    fake_replicas_create(&fakes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_replicas_destroy(&fakes);
    return 0;
}

/* What the command prints. The caller frees it. */
static char *print_status(void)
{
    char path[160];
    char option[200];
    char command[] = "status";
    char *argv[] = {command, option, NULL};
    char *text = calloc(1, 65536);
    assert_non_null(text);
    (void)snprintf(option, sizeof option, "--config=%s/client-0.yaml",
                   fakes.consortium);
    (void)snprintf(path, sizeof path, "%s/status.txt", fakes.consortium);
    (void)fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    FILE *out = fopen(path, "w+");
    assert_non_null(out);
    assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0);
    const int code = tool_status.run(2, argv);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    rewind(out);
    assert_true(fread(text, 1, 65535, out) > 0);
    (void)fclose(out);
    assert_int_equal(code, TOOL_OK);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL;
         at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

static void test_a_lying_replica_writes_no_lines_of_its_own(void **state)
{
    static char lie[] = "none\x1b]0;a title\x07\nPROBLEM: northgate: run this";
    (void)state;
    fakes.replicas[1].problem = lie;

    char *text = print_status();

    for (const char *at = text; *at != '\0'; at++) {
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    }
    assert_int_equal(count(text, "\nPROBLEM: "), 1);
    assert_int_equal(count(text, "\nUNSAFE: "), 1);
    assert_int_equal(count(text, "\n"), 1 + FAKE_REPLICAS + 2);
    assert_non_null(strstr(text, ": none?]0;a title??PROBLEM: northgate: run"));
    free(text);
}

static void expect_line(const char *text, size_t size, const char *expected)
{
    char out[64];
    tool_line_text(out, size, text);
    assert_string_equal(out, expected);
}

static void test_what_is_fit_for_a_line_stays(void **state)
{
    (void)state;
    expect_line("", 64, "");
    expect_line("no room: M\xc3\xbcller", 64, "no room: M\xc3\xbcller");
    expect_line("M\xc3\xbcller\t", 64, "M??ller?");
    expect_line("\xc2\x9b"
                "31m",
                64, "??31m"); /* A C1 control. */
    expect_line("\x7f", 64, "?");
    expect_line("abc", 3, "ab");
    expect_line("a\xc3\xbc", 3, "a?"); /* Cut in the middle. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_lying_replica_writes_no_lines_of_its_own, set_up, tear_down),
        cmocka_unit_test(test_what_is_fit_for_a_line_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
