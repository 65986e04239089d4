/* SPDX-License-Identifier: Apache-2.0 */
/* The few deadlines of a replica and the earliest of them. Private to the core.
 */
#ifndef CONSENSUS_TIMER_H
#define CONSENSUS_TIMER_H

#include "consensus/pbft.h"

struct pbft_timers {
    pbft_time_ms deadlines[PBFT_TIMER_COUNT];
};

/* All disarmed. */
void pbft_timers_init(struct pbft_timers *timers);

/* `at` may be PBFT_TIME_NEVER. */
void pbft_timers_set(struct pbft_timers *timers, enum pbft_timer timer,
                     pbft_time_ms at);
/* `delay` after `now`, without overflow. */
void pbft_timers_arm(struct pbft_timers *timers, enum pbft_timer timer,
                     pbft_time_ms now, pbft_time_ms delay);
void pbft_timers_disarm(struct pbft_timers *timers, enum pbft_timer timer);

bool pbft_timers_is_armed(const struct pbft_timers *timers,
                          enum pbft_timer timer);
/* The deadline has come. */
bool pbft_timers_is_due(const struct pbft_timers *timers, enum pbft_timer timer,
                        pbft_time_ms now);
pbft_time_ms pbft_timers_deadline(const struct pbft_timers *timers,
                                  enum pbft_timer timer);
pbft_time_ms pbft_timers_earliest(const struct pbft_timers *timers);

/* `delay` after `now`; PBFT_TIME_NEVER instead of an overflow. */
pbft_time_ms pbft_time_after(pbft_time_ms now, pbft_time_ms delay);

#endif /* CONSENSUS_TIMER_H */
