/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a process that broke its own rules. */
#include "consensus/assert.h"

#include <stddef.h>
#include <stdlib.h>

static pbft_assert_hook *assert_hook;

void pbft_assert_set_hook(pbft_assert_hook *hook)
{
    assert_hook = hook;
}

_Noreturn void pbft_assert_fail(const char *file, int line,
                                const char *expression)
{
    if (assert_hook != NULL) {
        assert_hook(file, line, expression);
    }
    abort();
}
