/* SPDX-License-Identifier: Apache-2.0 */
/* Does the wall clock of this machine go as those of the others do? A quorum
 * has compared the time of each block with its own clocks; one that is far from
 * ours, again and again, says that ours is wrong.
 *
 * Not thread-safe.
 */
#ifndef NODE_CLOCK_CHECK_H
#define NODE_CLOCK_CHECK_H

#include "consensus/types.h"

/* Blocks in a row, and the time between the first and the last of them: what a
 * new view proposes again is old, but comes at once. */
#define CLOCK_CHECK_BLOCKS 3u
#define CLOCK_CHECK_SPAN_MS 10000u

struct clock_check {
    pbft_wall_us slack_us; /* No more than this is usual. */
    /* The blocks in a row that are out of it. */
    uint32_t count;
    bool is_ahead;
    pbft_time_ms since_ms;
};

/* A block with requests was executed just now. How far our clock is ahead of
 * the others', negative if behind; 0: as far as one can tell it is right. */
int64_t clock_check_note(struct clock_check *check, pbft_wall_us block_time,
                         pbft_wall_us wall, pbft_time_ms now_ms);

#endif /* NODE_CLOCK_CHECK_H */
