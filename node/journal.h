/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event to stderr, as key=value: what happened, never to whom.
 *
 * No patient data, no payload and no key may be given to these calls. Safe from
 * any thread; a line is one write.
 */
#ifndef NODE_JOURNAL_H
#define NODE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/types.h"

#define JOURNAL_LINE_MAX 1024

enum journal_level { JOURNAL_ERROR, JOURNAL_WARNING, JOURNAL_INFO };

/* Lines above `level` are dropped; JOURNAL_INFO at the start. */
void journal_set_level(enum journal_level level);

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
/* "time=... level=info event=ready <fields>". `fields` is key=value text;
 * control characters in it become spaces, and what is beyond JOURNAL_LINE_MAX
 * is cut. */
void journal(enum journal_level level, const char *event, const char *fields,
             ...);

/* At most so many lines of one kind in an interval; not thread-safe. */
struct journal_limit {
    pbft_time_ms since_ms;
    uint32_t lines;
    uint64_t suppressed;
};

/* May one more line be written? `*suppressed` is how many were not, before. */
bool journal_allows(struct journal_limit *limit, pbft_time_ms now_ms,
                    uint64_t *suppressed);

#endif /* NODE_JOURNAL_H */
