/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into each test program: an assertion of the code under test says what
 * failed before it aborts. */
#include <stdio.h>

#include "consensus/assert.h"

static void print_assertion(const char *file, int line, const char *expression)
{
    (void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line,
                  expression);
}

__attribute__((constructor)) static void install(void)
{
    pbft_assert_set_hook(print_assertion);
}
