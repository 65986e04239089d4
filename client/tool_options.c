/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, and the lines that say what is wrong with them. */
#include "client/tool_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/utf8.h"

#define US_PER_SECOND 1000000u

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 0)))
#endif
static void
say(const struct tool_command *command, const char *format, va_list arguments)
{
    (void)fprintf(stderr, "salus %s: ", command->name);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

int tool_bad_usage(const struct tool_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(command, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "usage: salus %s %s\ntry: salus help %s\n",
                  command->name, command->usage, command->name);
    return TOOL_USAGE;
}

int tool_failed(const struct tool_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(command, format, arguments);
    va_end(arguments);
    return TOOL_FAILED;
}

static bool list_add(struct tool_list *list, const char *item)
{
    if (list->count == TOOL_LIST_MAX) {
        return false;
    }
    list->items[list->count++] = item;
    return true;
}

/* An option is "--name" or "-o"; a lone dash is a file: standard input. */
static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] != '\0';
}

static const struct tool_option *find(const struct tool_option *options,
                                      const char *text, size_t length)
{
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == length &&
            strncmp(options->name, text, length) == 0) {
            return options;
        }
    }
    return NULL;
}

/* Takes the values of an option from argv[*at] on. */
static int take_values(const struct tool_command *command,
                       const struct tool_option *option, const char *attached,
                       int argc, char **argv, int *at)
{
    if (attached == NULL && *at + 1 >= argc) {
        return tool_bad_usage(command, "%s needs a value", option->name);
    }
    const char *value = attached != NULL ? attached : argv[++*at];
    if (option->value != NULL) {
        if (*option->value != NULL) {
            return tool_bad_usage(command, "%s is given twice", option->name);
        }
        *option->value = value;
        return -1;
    }
    bool fits = list_add(option->list, value);
    while (fits && *at + 1 < argc && !is_option(argv[*at + 1])) {
        fits = list_add(option->list, argv[++*at]);
    }
    return fits ? -1
                : tool_bad_usage(command, "%s: more than %d values",
                                 option->name, TOOL_LIST_MAX);
}

static int take_option(const struct tool_command *command,
                       const struct tool_option *options, int argc, char **argv,
                       int *at)
{
    const char *text = argv[*at];
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const struct tool_option *option = find(options, text, length);

    if (option == NULL) {
        return tool_bad_usage(command, "unknown option %s", text);
    }
    if (option->flag == NULL) {
        return take_values(command, option, equals != NULL ? equals + 1 : NULL,
                           argc, argv, at);
    }
    if (equals != NULL) {
        return tool_bad_usage(command, "%s takes no value", option->name);
    }
    *option->flag = true;
    return -1;
}

int tool_options_parse(const struct tool_command *command,
                       const struct tool_option *options,
                       struct tool_list *operands, int argc, char **argv)
{
    bool ended = false;
    int code = -1;

    for (int at = 1; at < argc && code == -1; at++) {
        if (!ended && strcmp(argv[at], "--") == 0) {
            ended = true;
        } else if (!ended && (strcmp(argv[at], "--help") == 0 ||
                              strcmp(argv[at], "-h") == 0)) {
            (void)printf("usage: salus %s %s\n\n%s", command->name,
                         command->usage, command->help);
            code = TOOL_OK;
        } else if (!ended && is_option(argv[at])) {
            code = take_option(command, options, argc, argv, &at);
        } else if (!list_add(operands, argv[at])) {
            code =
                tool_bad_usage(command, "more than %d operands", TOOL_LIST_MAX);
        }
    }
    return code;
}

bool tool_number(const struct tool_command *command, const char *option,
                 const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;

    if (value == NULL) {
        return true;
    }
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || value[0] < '0' ||
        value[0] > '9' || number < min || number > max) {
        (void)tool_bad_usage(command,
                             "%s: a number from %" PRIu64 " to %" PRIu64
                             " is needed, not \"%s\"",
                             option, min, max, value);
        return false;
    }
    *out = number;
    return true;
}

void tool_time_text(char out[TOOL_TIME_TEXT_SIZE], uint64_t time_us)
{
    struct tm parts;
    char seconds[TOOL_TIME_TEXT_SIZE - 8];
    time_t time_s = (time_t)(time_us / US_PER_SECOND);

    if (gmtime_r(&time_s, &parts) == NULL ||
        strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        (void)snprintf(out, TOOL_TIME_TEXT_SIZE, "?");
        return;
    }
    (void)snprintf(out, TOOL_TIME_TEXT_SIZE, "%.20s.%06uZ", seconds,
                   (unsigned)(time_us % US_PER_SECOND));
}

void tool_line_text(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text);
    struct pbft_bytes line = {(const uint8_t *)out, strlen(out)};
    bool is_fit = wire_utf8_is_line(line);

    for (char *at = out; !is_fit && *at != '\0'; at++) {
        bool is_plain = *at >= ' ' && *at <= '~';
        *at = is_plain ? *at : '?';
    }
}
