/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that are about to end: whoever renews them in time is never out
 * of service for it. */
#ifndef NODE_EXPIRY_H
#define NODE_EXPIRY_H

#include "node/identity.h"

/* False while there is more time than NODE_EXPIRY_WARN_S. Else `out` says what
 * ends, when, and what helps. `now_s`: seconds since 1970 UTC. */
bool expiry_is_near(const struct node_identity *identity, int64_t now_s,
                    struct salus_reason *out);

#endif /* NODE_EXPIRY_H */
