/* SPDX-License-Identifier: Apache-2.0 */
/* Help on the screen and as a man page, from the table of commands. */
#ifndef CLIENT_TOOL_MANUAL_H
#define CLIENT_TOOL_MANUAL_H

#include <stdbool.h>
#include <stddef.h>

#include "client/tool.h"

void manual_print_overview(const struct tool_command *const *commands,
                           size_t count);
void manual_print_command(const struct tool_command *command);
/* salus(1), in the man macros. */
void manual_print_page(const struct tool_command *const *commands,
                       size_t count);

#endif /* CLIENT_TOOL_MANUAL_H */
