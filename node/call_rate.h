/* SPDX-License-Identifier: Apache-2.0 */
/* How many certified reads each institution may ask of this replica: a bucket
 * of tokens each, filled at NODE_CERTIFY_PER_SECOND_MAX up to
 * NODE_CERTIFY_BURST_MAX. Safe from any thread.
 */
#ifndef NODE_CALL_RATE_H
#define NODE_CALL_RATE_H

#include <stdbool.h>

#include "consensus/types.h"

struct call_rate;

/* Never NULL. */
struct call_rate *call_rate_create(uint32_t members);
void call_rate_destroy(struct call_rate *rate); /* Or NULL. */

/* Takes a token of `member`; false: there is none. */
bool call_rate_take(struct call_rate *rate, uint32_t member,
                    pbft_time_ms now_ms);

#endif /* NODE_CALL_RATE_H */
