/* SPDX-License-Identifier: Apache-2.0 */
/* Two clocks of POSIX. */
#include "client/tool_clock.h"

#include <time.h>

#define US_PER_MS 1000u
#define US_PER_S 1000000u
#define NS_PER_US 1000u

static uint64_t read_us(clockid_t clock)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

uint64_t tool_now_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t tool_now_ms(void)
{
    return tool_now_us() / US_PER_MS;
}

uint64_t tool_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / US_PER_MS;
}
