/* SPDX-License-Identifier: Apache-2.0 */
#include "node/busy.h"

#include "consensus/assert.h"

/* Of all processors. With four replicas of a trial on one machine each has less
 * than a quarter; on a machine of its own a busy replica has more. Apart, so
 * that a load between them changes nothing back and forth. */
#define BUSY_PARTS 8u
#define IDLE_PARTS 16u
#define US_PER_MS 1000u

bool busy_look(struct busy *busy, pbft_time_ms now_ms, uint64_t cpu_us,
               uint32_t processors)
{
    PBFT_ASSERT(processors > 0);
    PBFT_ASSERT(now_ms >= busy->at_ms);
    const uint64_t all_us = (now_ms - busy->at_ms) * US_PER_MS * processors;
    const uint64_t used_us = cpu_us - busy->cpu_us;
    const bool is_busy =
        used_us * (busy->is_busy ? IDLE_PARTS : BUSY_PARTS) >= all_us;
    const bool changes =
        busy->has_looked && all_us > 0 && is_busy != busy->is_busy;
    busy->has_looked = true;
    busy->at_ms = now_ms;
    busy->cpu_us = cpu_us;
    busy->is_busy ^= changes;
    return changes;
}
