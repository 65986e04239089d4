/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the core to envelopes of net/: everything that is said to one
 * peer until transport_flush() goes in one envelope, each message is encoded
 * once. */
#ifndef NODE_TRANSPORT_H
#define NODE_TRANSPORT_H

#include "consensus/driver.h"
#include "net/peers.h"

struct transport;

/* `peers` outlives it. `replica_count` is n. */
struct transport *transport_create(struct net_peers *peers,
                                   const struct pbft_digest *cluster,
                                   pbft_replica_id self,
                                   uint32_t replica_count);
void transport_destroy(struct transport *transport); /* NULL is fine. */

/* For pbft_driver_create(); for the protocol thread. Messages wait until there
 * are many, or transport_flush(). */
struct pbft_transport transport_vtable(struct transport *transport);
/* Sends what waits. For the same thread, when the driver has carried out what
 * it could: one sync sets free many outputs, which then share an envelope. */
void transport_flush(struct transport *transport);

/* One message to one peer; any thread. What net_peers_send() says. */
PBFT_MUST_USE enum pbft_status
transport_send_one(struct transport *transport, pbft_replica_id to,
                   const struct pbft_message *message);

/* An encoded Delivery (delivery.proto), at once and by itself. Any thread. */
PBFT_MUST_USE enum pbft_status
transport_send_delivery(struct transport *transport, pbft_replica_id to,
                        struct pbft_bytes delivery);

#endif /* NODE_TRANSPORT_H */
