/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to many replicas at once, each with an end of its own. Who waits may
 * leave while some are under way: they end unseen.
 */
#ifndef CLIENT_FAN_OUT_H
#define CLIENT_FAN_OUT_H

#include "client/client.h"

struct fan_out;

/* NULL: memory is short. */
struct fan_out *fan_out_create(struct salus_client *client);
/* Calls under way go on, and their replies are dropped. NULL is fine. */
void fan_out_release(struct fan_out *fan);

/* Sends; one call to a replica at a time. UNREACHABLE: it is not connected
 * (yet); NO_MEMORY, LIMIT, TOO_LARGE. */
PBFT_MUST_USE enum pbft_status fan_out_send(struct fan_out *fan,
                                            uint32_t replica,
                                            struct pbft_bytes call,
                                            pbft_time_ms deadline);
/* Sent, and not taken yet. */
bool fan_out_is_out(struct fan_out *fan, uint32_t replica);

/* Waits until a call ends, or `until`. False: the client
 * closes. */
bool fan_out_wait(struct fan_out *fan, pbft_time_ms until);

/* The end of a call that ended; false: none. `*reply` is given away; NULL if
 * the status is not OK. */
bool fan_out_take(struct fan_out *fan, uint32_t replica,
                  enum pbft_status *status, struct pbft_buffer **reply);

#endif /* CLIENT_FAN_OUT_H */
