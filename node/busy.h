/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this replica is what keeps the machine busy: then its threads take
 * turns (net/turns.h). If others do, or nobody, they had better not.
 */
#ifndef NODE_BUSY_H
#define NODE_BUSY_H

#include "consensus/types.h"

struct busy {
    bool is_busy;
    bool has_looked;
    pbft_time_ms at_ms; /* The last time, */
    uint64_t cpu_us;    /* and what had been used by then. */
};

/* All zero before the first look. `cpu_us`: processor time that the process has
 * used since it began. True: `is_busy` has changed. */
bool busy_look(struct busy *busy, pbft_time_ms now_ms, uint64_t cpu_us,
               uint32_t processors);

#endif /* NODE_BUSY_H */
