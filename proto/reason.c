/* SPDX-License-Identifier: Apache-2.0 */
/* One line that says why something was refused. */
#include "proto/reason.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void salus_reason_set(struct salus_reason *reason, const char *format, ...)
{
    if (reason == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
}
