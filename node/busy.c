/* SPDX-License-Identifier: Apache-2.0 */
#include "node/busy.h"

#include "consensus/assert.h"

/* Of all processors. With four replicas of a trial on one machine each has less
 * than a quarter; on a machine of its own a busy replica has more. Apart, so
 * that a load between them changes nothing back and forth. */
#define BUSY_PARTS 8u
#define IDLE_PARTS 16u
#define US_PER_MS 1000u

static void note_end(struct busy *busy, pbft_time_ms now_ms)
{
    if (now_ms - busy->since_ms >= BUSY_BRIEF_MS) {
        busy->mistakes = 0;
        busy->pause_ms = 0;
        return;
    }
    busy->mistakes++;
    if (busy->mistakes < 2) {
        return;
    }
    busy->pause_ms =
        busy->pause_ms == 0 ? BUSY_PAUSE_MIN_MS : 2 * busy->pause_ms;
    if (busy->pause_ms > BUSY_PAUSE_MAX_MS) {
        busy->pause_ms = BUSY_PAUSE_MAX_MS;
    }
    busy->not_before_ms = now_ms + busy->pause_ms;
}

bool busy_look(struct busy *busy, pbft_time_ms now_ms, uint64_t cpu_us,
               uint32_t processors)
{
    PBFT_ASSERT(processors > 0);
    PBFT_ASSERT(now_ms >= busy->at_ms);
    const uint64_t all_us = (now_ms - busy->at_ms) * US_PER_MS * processors;
    const uint64_t used_us = cpu_us - busy->cpu_us;
    const bool may_judge = busy->has_looked && all_us > 0;
    busy->has_looked = true;
    busy->at_ms = now_ms;
    busy->cpu_us = cpu_us;
    if (!may_judge) {
        return busy->is_busy;
    }
    if (busy->is_busy && used_us * IDLE_PARTS < all_us) {
        busy->is_busy = false;
        note_end(busy, now_ms);
    } else if (!busy->is_busy && used_us * BUSY_PARTS >= all_us &&
               now_ms >= busy->not_before_ms) {
        busy->is_busy = true;
        busy->since_ms = now_ms;
    }
    return busy->is_busy;
}
