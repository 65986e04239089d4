/* SPDX-License-Identifier: Apache-2.0 */
/* The page that draws a run: one piece, well formed, and it tells the run. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sim/html.h"
#include "sim/profile.h"

#define SEED 5 /* With faults of several kinds. */

static char *draw(uint64_t seed, const struct sim_violation *violation)
{
    char *text = NULL;
    size_t size = 0;
    struct html html;
    struct sim_settings settings;
    struct sim_result result;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    profile_find("lite")->draw(&settings, seed);
    html_begin(&html, out, "a \"title\" </script> \\");
    const struct sim_watch watch = html_watch(&html);
    sim_run_watched(&settings, seed, &watch, &result);
    html_end(&html, violation == NULL ? &result.violation : violation);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The data between "const RUN = " and the end of its line. */
static json_t *data_of(const char *text)
{
    const char *begin = strstr(text, "const RUN = ");
    assert_non_null(begin);
    begin += strlen("const RUN = ");
    const char *end = strstr(begin, ";\nconst TYPES");
    assert_non_null(end);
    json_error_t error;
    json_t *data = json_loadb(begin, (size_t)(end - begin), 0, &error);
    if (data == NULL) {
        fail_msg("%s", error.text);
    }
    return data;
}

static unsigned count_rows(const json_t *data, const char *kind)
{
    unsigned count = 0;
    const json_t *rows = json_object_get(data, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        count += strcmp(json_string_value(json_array_get(row, 0)), kind) == 0;
    }
    return count;
}

static void test_tells_the_run(void **state)
{
    (void)state;
    char *text = draw(SEED, NULL);
    json_t *data = data_of(text);
    struct sim_settings settings;
    profile_find("lite")->draw(&settings, SEED);
    json_int_t clients = settings.client_count + settings.hostile_count;
    /* A run may add twins. */
    json_int_t hosts = json_integer_value(json_object_get(data, "hosts"));
    assert_true(hosts >= 4);
    assert_int_equal(json_array_size(json_object_get(data, "lanes")),
                     hosts + clients);
    assert_true(json_is_null(json_object_get(data, "violation")));
    assert_true(count_rows(data, "m") > 1000);
    assert_true(count_rows(data, "f") > 3);
    assert_true(count_rows(data, "f") == count_rows(data, "h"));
    assert_true(count_rows(data, "s") >= 4);
    assert_true(count_rows(data, "e") > 100);
    json_decref(data);
    free(text);
}

static void test_needs_nothing_from_outside(void **state)
{
    (void)state;
    static const char *const foreign[] = {"http:",   "https:", "src=", "<link",
                                          "@import", "fetch(", "url(h"};
    char *text = draw(1, NULL);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        assert_null(strstr(text, foreign[i]));
    }
    assert_true(strncmp(text, "<!DOCTYPE html>", 15) == 0);
    free(text);
}

/* One script element, whatever the texts of the run hold. */
static void test_texts_cannot_leave_the_script(void **state)
{
    (void)state;
    const struct sim_violation violation = {
        .found = true, .rule = "S1", .time_us = 5, .text = "</script><b>\"\n"};
    char *text = draw(1, &violation);
    json_t *data = data_of(text);
    const json_t *told = json_object_get(data, "violation");
    assert_string_equal(json_string_value(json_object_get(told, "text")),
                        violation.text);
    const char *end = strstr(text, "</script>");
    assert_non_null(end);
    assert_null(strstr(end + 1, "</script>"));
    json_decref(data);
    free(text);
}

static void test_watching_changes_nothing(void **state)
{
    (void)state;
    struct sim_settings settings;
    struct sim_result alone;
    struct sim_result watched;
    const struct sim_watch watch = {.context = NULL};
    profile_find("lite")->draw(&settings, 5);
    sim_run(&settings, 5, NULL, &alone);
    sim_run_watched(&settings, 5, &watch, &watched);
    assert_true(alone.trace_hash == watched.trace_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_the_run),
        cmocka_unit_test(test_needs_nothing_from_outside),
        cmocka_unit_test(test_texts_cannot_leave_the_script),
        cmocka_unit_test(test_watching_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
