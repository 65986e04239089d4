/* SPDX-License-Identifier: Apache-2.0 */
/* Runs texts of the scenario language and compares the exit code and what was
 * said, for the tests of sim/script*.c. Included once per test program. */
#ifndef TESTS_SUPPORT_SCRIPT_H
#define TESTS_SUPPORT_SCRIPT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "sim/script.h"

#define SCRIPT_TEXT_MAX 8192
#define FOUR "cluster n=4\nclient c1 c2\n"

enum { PASSES = 0, FAILS = 1, INVALID = 2 };

struct script_case {
    const char *text;
    int code;
    const char *says; /* Part of what goes to stderr; or NULL. */
};

/* Runs `text`; what it says goes to `said`. */
static int script_try(const char *text, char said[SCRIPT_TEXT_MAX])
{
    char copy[SCRIPT_TEXT_MAX];
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_true(strlen(text) < sizeof copy);
    memcpy(copy, text, strlen(text) + 1);
    (void)fflush(stdout);
    (void)fflush(stderr);
    const int old_out = dup(STDOUT_FILENO);
    const int old_err = dup(STDERR_FILENO);
    assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0);
    assert_true(dup2(fileno(out), STDERR_FILENO) >= 0);
    const int code = script_run("test", copy, NULL);
    (void)fflush(stdout);
    (void)fflush(stderr);
    assert_true(dup2(old_out, STDOUT_FILENO) >= 0);
    assert_true(dup2(old_err, STDERR_FILENO) >= 0);
    (void)close(old_out);
    (void)close(old_err);
    rewind(out);
    said[fread(said, 1, SCRIPT_TEXT_MAX - 1, out)] = '\0';
    (void)fclose(out);
    return code;
}

static void script_check(const struct script_case *cases, size_t count)
{
    char said[SCRIPT_TEXT_MAX];
    for (size_t i = 0; i < count; i++) {
        const int code = script_try(cases[i].text, said);
        if (code != cases[i].code ||
            (cases[i].says != NULL && strstr(said, cases[i].says) == NULL)) {
            print_error("---- case %zu, exit %d, not %d\n%s---- it said: %s\n",
                        i, code, cases[i].code, cases[i].text, said);
        }
        assert_int_equal(code, cases[i].code);
        assert_true(cases[i].says == NULL ||
                    strstr(said, cases[i].says) != NULL);
    }
}

#define CHECK(cases) script_check(cases, sizeof(cases) / sizeof(cases)[0])

#endif /* TESTS_SUPPORT_SCRIPT_H */
