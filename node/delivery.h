/* SPDX-License-Identifier: Apache-2.0 */
/* Key envelopes on their way from custodian to recipient: what is kept, sent,
 * acknowledged, tried again and erased. Time, ledger and network come in by a
 * table of functions, so that tests turn the clock.
 *
 * At the custodian's replica an envelope is WAITING until the recipient's
 * replica has signed for it, then its secret is overwritten and a mark stays:
 * DELIVERED. There it is HELD until the recipient says that it has it: TAKEN.
 * When the grant ends before that (withdrawn, expired, a newer version) both
 * erase it. A mark makes repetition harmless: what was fetched is acknowledged
 * again and not kept again. A recipient without a replica, or of the own
 * institution, finds its envelopes at the custodian's.
 *
 * Nothing of it takes part in consensus. One thread.
 */
#ifndef NODE_DELIVERY_H
#define NODE_DELIVERY_H

#include "consensus/verify.h"
#include "ledger/ledger.h"
#include "node/delivery_codec.h"
#include "storage/envelopes.h"

struct delivery;

struct delivery_port {
    void *context;
    /* ledger_find_envelope() on the newest state, and the height of that. */
    enum pbft_status (*find)(void *context, const struct envelope_name *name,
                             const struct pbft_institution *from,
                             struct ledger_envelope *out);
    pbft_seq (*height)(void *context);
    /* May lose it. */
    void (*send)(void *context, pbft_replica_id to, struct pbft_bytes delivery);
    pbft_wall_us (*wall)(void *context);
};

struct delivery_config {
    struct envelopes *store;          /* Outlives the delivery. */
    const struct pbft_domain *domain; /* Signs receipts. */
    const struct pbft_keyring *keyring;
    pbft_replica_id self;
    uint32_t replica_count;
    uint32_t member_count;                 /* Institutions. */
    const struct pbft_institution *owners; /* Of the replicas; copied. */
    struct delivery_port port;
};

struct delivery *delivery_create(const struct delivery_config *config);
void delivery_destroy(struct delivery *delivery); /* NULL is fine. */

/* What can be said of one envelope. */
struct delivery_state {
    struct envelope_name name;
    enum delivery_code code;
    struct envelope_head head; /* FREE: it is not here. */
    uint32_t attempts;
};

/* The custodian's client wants it delivered. Idempotent. */
void delivery_submit(struct delivery *delivery, struct delivery_state *out,
                     const struct pbft_institution *caller,
                     const struct envelope_name *name,
                     const struct envelope_secret *secret, pbft_time_ms now);
/* The recipient has it. Idempotent. */
void delivery_taken(struct delivery *delivery, struct delivery_state *out,
                    const struct pbft_institution *caller,
                    const struct envelope_name *name);
/* A replica says something. DELIVERY_OK, or why it was refused. */
enum delivery_code delivery_receive(struct delivery *delivery,
                                    pbft_replica_id peer,
                                    const struct delivery_message *message);

/* Tries again what is due, and looks whether grants still hold. To be called
 * often; does a bounded amount of work. */
void delivery_tick(struct delivery *delivery, pbft_time_ms now);
/* A connection to the peer came up: what waits for it is tried at once. */
void delivery_peer_up(struct delivery *delivery, pbft_replica_id peer,
                      pbft_time_ms now);

/* Makes durable what was changed, and only then sends what was to be sent. To
 * be called before anything is answered. On failure nothing is sent. */
PBFT_MUST_USE enum pbft_status delivery_flush(struct delivery *delivery);

/* ---- reading ------------------------------------------------------------- */

struct delivery_item {
    struct envelope_head head;
    struct envelope_secret secret; /* Wipe it. */
};
/* What is held for `caller`, of one record (or NULL), behind the cursor
 * `after`; 0: from the start. Grants that have ended are erased on the way.
 * `*next`: the cursor of what follows; 0: nothing. */
size_t delivery_inbox(struct delivery *delivery, struct delivery_item *out,
                      size_t capacity, uint32_t *next,
                      const struct pbft_institution *caller,
                      const uint8_t *record, uint32_t after);
/* What `caller` has sent. */
size_t delivery_sent(struct delivery *delivery, struct delivery_state *out,
                     size_t capacity, uint32_t *next,
                     const struct pbft_institution *caller, uint32_t after);

struct delivery_counts {
    uint32_t waiting;
    uint32_t held;
    uint32_t refused; /* Of those waiting: at the last try. */
    uint64_t erased;  /* Since the start, for the grant had ended. */
};
void delivery_count(const struct delivery *delivery,
                    struct delivery_counts *out);

/* Envelopes and marks that one institution may have in the store. */
uint32_t delivery_share(uint32_t member_count);

#endif /* NODE_DELIVERY_H */
