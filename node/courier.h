/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that owns the store of key envelopes: it takes what clients and
 * replicas bring, one after the other, makes it durable with one sync for a
 * burst, and then answers. It never touches the protocol thread. */
#ifndef NODE_COURIER_H
#define NODE_COURIER_H

#include "node/delivery.h"
#include "salus/v1/client.pb-c.h"

struct courier;
struct node;

/* Owns `store` until it is destroyed. Needs the storage, identity, peers and
 * transport of the node. */
struct courier *courier_create(struct node *node, struct envelopes *store);
/* Answers what is waiting, ends the thread, closes the store. NULL is fine. */
void courier_destroy(struct courier *courier);

/* A delivery of a peer; copied. LIMIT: too many wait: it is dropped, and will
 * be sent again. */
PBFT_MUST_USE enum pbft_status courier_put_delivery(struct courier *courier,
                                                    pbft_replica_id peer,
                                                    struct pbft_bytes bytes);
/* A call with deliver, inbox, taken or deliveries; `buffer` is the whole call,
 * of which a reference is taken. LIMIT; TOO_LARGE. The gateway is owed a reply
 * after PBFT_OK. */
PBFT_MUST_USE enum pbft_status courier_put_call(struct courier *courier,
                                                uint64_t call, uint32_t caller,
                                                struct pbft_buffer *buffer);

/* Any thread. */
void courier_count(struct courier *courier, struct delivery_counts *out);

#endif /* NODE_COURIER_H */
