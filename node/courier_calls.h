/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of clients about key envelopes: read, carried out, answered.
 * Private to the courier. */
#ifndef NODE_COURIER_CALLS_H
#define NODE_COURIER_CALLS_H

#include "node/delivery.h"
#include "proto/arena.h"
#include "proto/buffer.h"
#include "salus/v1/client.pb-c.h"

/* What one call came to, until it is durable and can be told. */
struct courier_answer {
    bool is_malformed;
    bool is_inbox;
    uint32_t next;
    size_t count;
    struct delivery_state *states; /* Owned. */
    struct delivery_item *items;   /* Owned. */
};

/* Carries out an encoded ClientCall of the institution `caller`. */
void courier_call(struct delivery *delivery, struct courier_answer *out,
                  struct wire_arena *arena,
                  const struct pbft_institution *caller, struct pbft_bytes call,
                  pbft_time_ms now);
/* What was decided could not be made durable. */
void courier_answer_failed(struct courier_answer *answer);
/* Appends the reply. */
PBFT_MUST_USE enum pbft_status
courier_answer_encode(struct wire_buffer *out, struct wire_arena *arena,
                      const struct courier_answer *answer);
/* Wipes and frees. */
void courier_answer_free(struct courier_answer *answer);

#endif /* NODE_COURIER_CALLS_H */
