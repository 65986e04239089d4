/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the delivery share. */
#ifndef NODE_DELIVERY_PRIVATE_H
#define NODE_DELIVERY_PRIVATE_H

#include "node/delivery.h"
#include "node/limits.h"

/* Of one slot of the store; not durable. */
struct delivery_row {
    pbft_time_ms next; /* When it is tried again. */
    uint32_t pause_ms; /* Before the attempt after that; 0: none was made. */
    uint32_t attempts;
    enum delivery_code code; /* What its receiver said last. */
};

/* To be sent when what it rests on is durable. */
struct delivery_out {
    pbft_replica_id to;
    size_t size;
    uint8_t bytes[WIRE_DELIVERY_BYTES_MAX];
};

struct delivery {
    struct delivery_config config;
    struct pbft_institution owners[PBFT_REPLICAS_MAX];
    struct delivery_row *rows; /* By slot. */
    struct delivery_out outs[NODE_DELIVERY_SENDS_MAX];
    size_t out_count;
    uint32_t retry_at;    /* Slot to begin with, so that all get their turn. */
    uint32_t swept;       /* Next slot of the pass. */
    pbft_seq pass_height; /* Of the ledger when the pass began. */
    bool is_in_pass;
    uint64_t erased;
};

/* Where envelopes for this institution go: to its replica; if it runs none, to
 * ours. */
pbft_replica_id delivery_home(const struct delivery *delivery,
                              const struct pbft_institution *institution);
bool delivery_runs_replica(const struct delivery *delivery,
                           const struct pbft_institution *institution);

/* Is there a grant of just this wrap, and does it hold? NO_GRANT (`grant` is
 * zeros), WRONG_COMMIT, ENDED. */
enum delivery_code delivery_judge(struct delivery *delivery,
                                  struct ledger_envelope *grant,
                                  const struct envelope_name *name,
                                  const struct pbft_digest *wrap_commit,
                                  const struct pbft_institution *from);
/* The same of the envelope in a slot; if it has ended for good, it is erased. A
 * grant that cannot be found, or of a state before the one that it was kept by,
 * is not known to have ended: the ledger of this replica may be behind. */
enum delivery_code delivery_judge_kept(struct delivery *delivery, uint32_t slot,
                                       bool *is_erased);

/* The head of what was granted, as it begins here: HELD or WAITING. */
struct envelope_head delivery_new_head(const struct delivery *delivery,
                                       const struct envelope_name *name,
                                       const struct ledger_envelope *grant);
/* Adds it, or replaces the wrap that the name meant before; `secret` NULL: a
 * mark. OK, QUOTA, STORE. */
enum delivery_code delivery_keep(struct delivery *delivery,
                                 struct envelope_head *head,
                                 const struct envelope_secret *secret,
                                 uint32_t *slot);
/* The slot stays known without its secret. */
enum delivery_code delivery_mark(struct delivery *delivery, uint32_t slot,
                                 const struct envelope_head *as);
/* The slot of just this wrap; NULL: it is not here. */
const struct envelope_head *delivery_find_wrap(const struct delivery *delivery,
                                               const struct envelope_name *name,
                                               const struct pbft_digest *commit,
                                               uint32_t *slot);

/* Drops it if there is no room: it is tried again. */
void delivery_send(struct delivery *delivery, pbft_replica_id to,
                   const struct delivery_message *message);

void delivery_describe(const struct delivery *delivery,
                       struct delivery_state *out, uint32_t slot);

#endif /* NODE_DELIVERY_PRIVATE_H */
