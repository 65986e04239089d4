/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this replica uses so much of the machine that its threads had better
 * take turns (net/turns.h).
 *
 * Beside programs that keep all processors busy that is a mistake: then each
 * hand-over waits for them, and the replica gets less done. So if its share
 * collapses at once when it takes turns, twice, it does not try again for a
 * while, each time longer.
 */
#ifndef NODE_BUSY_H
#define NODE_BUSY_H

#include "consensus/types.h"

/* Not even so long: it was a mistake. */
#define BUSY_BRIEF_MS 3000u
/* After the second mistake in a row, doubling, at most. */
#define BUSY_PAUSE_MIN_MS 60000u
#define BUSY_PAUSE_MAX_MS 600000u

struct busy {
    bool is_busy;
    bool has_looked;
    pbft_time_ms at_ms; /* The last time, */
    uint64_t cpu_us;    /* and what had been used by then. */
    pbft_time_ms since_ms;
    uint32_t mistakes; /* In a row. */
    pbft_time_ms not_before_ms;
    pbft_time_ms pause_ms; /* The last one. */
};

/* All zero before the first look. `cpu_us`: processor time that the process has
 * used since it began. Returns `is_busy`. */
bool busy_look(struct busy *busy, pbft_time_ms now_ms, uint64_t cpu_us,
               uint32_t processors);

#endif /* NODE_BUSY_H */
