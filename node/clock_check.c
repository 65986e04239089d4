/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock_check.h"

int64_t clock_check_note(struct clock_check *check, pbft_wall_us block_time,
                         pbft_wall_us wall, pbft_time_ms now_ms)
{
    bool is_ahead = wall > block_time;
    pbft_wall_us distance = is_ahead ? wall - block_time : block_time - wall;
    if (distance <= check->slack_us || distance > INT64_MAX) {
        check->count = 0;
        return 0;
    }
    if (check->count == 0 || check->is_ahead != is_ahead) {
        check->count = 0;
        check->is_ahead = is_ahead;
        check->since_ms = now_ms;
    }
    if (check->count < CLOCK_CHECK_BLOCKS) {
        check->count++;
    }
    if (check->count < CLOCK_CHECK_BLOCKS ||
        now_ms < check->since_ms + CLOCK_CHECK_SPAN_MS) {
        return 0;
    }
    return is_ahead ? (int64_t)distance : -(int64_t)distance;
}
