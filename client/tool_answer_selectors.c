/* SPDX-License-Identifier: Apache-2.0 */
/* What decided, in words: the fields of the selectors of a decision. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_answer.h"
#include "client/tool_directory.h"
#include "client/tool_options.h"

#define LINE_SIZE 16384 /* All lists of a selector, full: nothing is cut. */

/* "; TITLE TEXT" behind what there is. */
static void add(char *line, const char *title, const char *text)
{
    size_t used = strlen(line);
    (void)snprintf(line + used, LINE_SIZE - used, "%s%s %s",
                   used > 0 ? "; " : "", title, text);
}

static void add_codes(char *line, const char *title, const json_t *selector,
                      const char *field, enum codes_table table)
{
    const json_t *list = json_object_get(selector, field);
    char text[LINE_SIZE / 2];
    if (json_array_size(list) > 0) {
        tool_answer_codes(text, sizeof text, list, table);
        add(line, title, text);
    }
}

static void add_count(char *line, const char *title, const json_t *selector,
                      const char *field)
{
    char text[32];
    size_t count = json_array_size(json_object_get(selector, field));
    if (count > 0) {
        (void)snprintf(text, sizeof text, "%zu", count);
        add(line, title, text);
    }
}

static void add_actors(char *line, const json_t *selector,
                       const struct tool_directory *directory)
{
    const json_t *list = json_object_get(selector, "actors");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *actor = json_array_get(list, i);
        const char *kind = json_string_value(json_object_get(actor, "kind"));
        char text[128];
        if (kind != NULL && strcmp(kind, "ROLE") == 0) {
            tool_answer_codes(text, sizeof text, json_object_get(actor, "role"),
                              CODES_ROLE);
        } else {
            tool_directory_name(
                text, sizeof text, directory,
                json_string_value(json_object_get(actor, "id")));
        }
        add(line, i == 0 ? "for" : "or", text);
    }
}

static void add_period(char *line, const json_t *selector)
{
    static const char *const fields[][2] = {{"data_from_ms", "data from"},
                                            {"data_to_ms", "data before"}};
    for (size_t i = 0; i < 2; i++) {
        char text[TOOL_TIME_TEXT_SIZE];
        json_int_t ms =
            json_integer_value(json_object_get(selector, fields[i][0]));
        if (ms != 0) {
            tool_time_text(text, (uint64_t)ms * 1000);
            add(line, fields[i][1], text);
        }
    }
}

static void print_selector(const json_t *voice,
                           const struct tool_directory *directory)
{
    const json_t *selector = json_object_get(voice, "matched");
    json_int_t number = json_integer_value(json_object_get(voice, "selector"));
    const char *consent = json_string_value(json_object_get(voice, "consent"));
    char line[LINE_SIZE] = "";
    char which[32] = "root";
    char says[64];
    if (!json_is_object(selector)) {
        return;
    }
    if (number > 0) {
        (void)snprintf(which, sizeof which, "exception %lld",
                       (long long)number);
    }
    tool_answer_word(says, sizeof says, json_object_get(voice, "decision"));
    add_codes(line, "purposes", selector, "purposes", CODES_PURPOSE);
    if (json_is_true(json_object_get(selector, "purpose_unknown"))) {
        add(line, "purposes", "that no table knows");
    }
    add_codes(line, "actions", selector, "actions", CODES_ACTION);
    add_codes(line, "confidentiality", selector, "confidentiality", CODES_CONF);
    add_count(line, "blinded labels", selector, "tags");
    add_codes(line, "classes", selector, "classes", CODES_CLASS);
    add_period(line, selector);
    add_count(line, "data references", selector, "data");
    add_actors(line, selector, directory);
    (void)printf("%s, %s, %s: %s\n", consent, which, says,
                 line[0] != 0 ? line : "everything");
}

void tool_answer_selectors(const json_t *voices,
                           const struct tool_directory *directory)
{
    for (size_t i = 0; i < json_array_size(voices); i++) {
        print_selector(json_array_get(voices, i), directory);
    }
}
