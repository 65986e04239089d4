/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: "--name value", "--name=value", "-o value", flags, lists of
 * several values, operands. "--" ends the options. */
#ifndef CLIENT_TOOL_OPTIONS_H
#define CLIENT_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/tool.h"

#define TOOL_LIST_MAX 512

struct tool_list {
    const char *items[TOOL_LIST_MAX];
    size_t count;
};

/* One of the three targets is set. A list takes all values up to the next
 * option, and may be named again. */
struct tool_option {
    const char *name; /* With its dashes; NULL ends the table. */
    bool *flag;
    const char **value;
    struct tool_list *list;
};

/* -1: go on; else the exit code: what is wrong was said, or help was asked. */
int tool_options_parse(const struct tool_command *command,
                       const struct tool_option *options,
                       struct tool_list *operands, int argc, char **argv);

/* Decimal, within bounds; says what is wrong. `value` NULL leaves `out`. */
bool tool_number(const struct tool_command *command, const char *option,
                 const char *value, uint64_t min, uint64_t max, uint64_t *out);

/* Says "salus NAME: ..." on standard error. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
int tool_bad_usage(const struct tool_command *command, const char *format, ...);
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
int tool_failed(const struct tool_command *command, const char *format, ...);

/* "2026-11-22T22:43:19.123456Z". */
#define TOOL_TIME_TEXT_SIZE 32
void tool_time_text(char out[TOOL_TIME_TEXT_SIZE], uint64_t time_us);

/* What somebody else sent, fit for a terminal: one line, as far as there is
 * room. If there is anything in it that would steer a terminal, or is no text,
 * whatever is not printable ASCII becomes "?". */
#define TOOL_LINE_TEXT_SIZE 512
void tool_line_text(char *out, size_t size, const char *text);

#endif /* CLIENT_TOOL_OPTIONS_H */
