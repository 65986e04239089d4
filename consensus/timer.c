/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines: so few that a linear search is the fastest. */
#include "consensus/timer.h"

#include "consensus/assert.h"

pbft_time_ms pbft_time_after(pbft_time_ms now, pbft_time_ms delay)
{
    return now >= PBFT_TIME_NEVER - delay ? PBFT_TIME_NEVER : now + delay;
}

void pbft_timers_init(struct pbft_timers *timers)
{
    for (int i = 0; i < PBFT_TIMER_COUNT; i++) {
        timers->deadlines[i] = PBFT_TIME_NEVER;
    }
}

void pbft_timers_set(struct pbft_timers *timers, enum pbft_timer timer,
                     pbft_time_ms at)
{
    PBFT_ASSERT(timer < PBFT_TIMER_COUNT);
    timers->deadlines[timer] = at;
}

void pbft_timers_arm(struct pbft_timers *timers, enum pbft_timer timer,
                     pbft_time_ms now, pbft_time_ms delay)
{
    pbft_timers_set(timers, timer, pbft_time_after(now, delay));
}

void pbft_timers_disarm(struct pbft_timers *timers, enum pbft_timer timer)
{
    pbft_timers_set(timers, timer, PBFT_TIME_NEVER);
}

bool pbft_timers_is_armed(const struct pbft_timers *timers,
                          enum pbft_timer timer)
{
    return pbft_timers_deadline(timers, timer) != PBFT_TIME_NEVER;
}

bool pbft_timers_is_due(const struct pbft_timers *timers, enum pbft_timer timer,
                        pbft_time_ms now)
{
    return pbft_timers_is_armed(timers, timer) &&
           pbft_timers_deadline(timers, timer) <= now;
}

pbft_time_ms pbft_timers_deadline(const struct pbft_timers *timers,
                                  enum pbft_timer timer)
{
    PBFT_ASSERT(timer < PBFT_TIMER_COUNT);
    return timers->deadlines[timer];
}

pbft_time_ms pbft_timers_earliest(const struct pbft_timers *timers)
{
    pbft_time_ms earliest = PBFT_TIME_NEVER;
    for (int i = 0; i < PBFT_TIMER_COUNT; i++) {
        if (timers->deadlines[i] < earliest) {
            earliest = timers->deadlines[i];
        }
    }
    return earliest;
}
