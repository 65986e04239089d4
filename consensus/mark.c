/* SPDX-License-Identifier: Apache-2.0 */
/* Tells whoever watches that a branch was taken. */
#include "consensus/mark.h"

#include <stddef.h>

#include "consensus/assert.h"

static pbft_mark_hook *mark_hook;

void pbft_mark_set_hook(pbft_mark_hook *hook)
{
    mark_hook = hook;
}

void pbft_mark(enum pbft_mark mark)
{
    if (mark_hook != NULL) {
        mark_hook(mark);
    }
}

const char *pbft_mark_name(enum pbft_mark mark)
{
#define MARK_TEXT(name, text) text,
    static const char *const names[] = {PBFT_MARKS(MARK_TEXT)};
#undef MARK_TEXT
    PBFT_ASSERT(mark < PBFT_MARK_COUNT);
    return names[mark];
}
