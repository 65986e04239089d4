/* SPDX-License-Identifier: Apache-2.0 */
/* Formats the line beside a status. */
#include "crypto/fail.h"

#include <stdarg.h>
#include <stdio.h>

enum pbft_status crypto_fail(struct salus_reason *reason,
                             enum pbft_status status, const char *format, ...)
{
    va_list arguments;
    if (reason != NULL) {
        va_start(arguments, format);
        (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
        va_end(arguments);
    }
    return status;
}
