/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks, for what the tool measures and writes. */
#ifndef CLIENT_TOOL_CLOCK_H
#define CLIENT_TOOL_CLOCK_H

#include <stdint.h>

/* Of a clock that only goes forward. */
uint64_t tool_now_us(void);
uint64_t tool_now_ms(void);

/* Since 1970. */
uint64_t tool_wall_ms(void);

#endif /* CLIENT_TOOL_CLOCK_H */
