/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of replies to clients (client.proto). */
#ifndef NODE_REPLY_H
#define NODE_REPLY_H

#include "consensus/message.h"
#include "ledger/results.h"
#include "proto/arena.h"
#include "proto/buffer.h"

/* Values are those of Refusal.Code. */
enum reply_code {
    REPLY_MALFORMED = 1,
    REPLY_WRONG_CLUSTER = 2,
    REPLY_BAD_SIGNATURE = 3,
    REPLY_INADMISSIBLE = 4,
    REPLY_BUSY = 5,
    REPLY_TIMED_OUT = 6,
    REPLY_NOT_FOUND = 7,
    REPLY_NOT_AUTHORIZED = 8,
    REPLY_STOPPING = 9,
    REPLY_SYNCING = 10,
    REPLY_GONE = 11,
};

/* Appends a Refusal; `ledger_code` only with INADMISSIBLE. BUSY, SYNCING and
 * STOPPING advise to try again after NODE_RETRY_AFTER_MS. */
PBFT_MUST_USE enum pbft_status reply_refusal(struct wire_buffer *out,
                                             enum reply_code code,
                                             uint32_t ledger_code);

/* The same to a CertifyCall: SYNCING or GONE, with the last block executed. */
PBFT_MUST_USE enum pbft_status reply_refusal_at(struct wire_buffer *out,
                                                enum reply_code code,
                                                pbft_seq executed);

/* One executed block, ready to answer for the requests in it. */
struct reply_block {
    const struct results_block *results;
    const struct pbft_digest *leaves; /* Of its requests. */
    const struct pbft_message *proof; /* STABLE: f + 1 attestations. */
};

/* Appends the Outcome of request `index` of the block. `request` (may be NULL)
 * goes with it. `arena` is scratch memory, reset by the caller. */
PBFT_MUST_USE enum pbft_status
reply_outcome(struct wire_buffer *out, struct wire_arena *arena,
              const struct reply_block *block, uint32_t index,
              const struct pbft_request *request);

/* Appends an Answer that the ledger has encoded. */
PBFT_MUST_USE enum pbft_status reply_answer(struct wire_buffer *out,
                                            struct wire_arena *arena,
                                            struct pbft_bytes answer);

#endif /* NODE_REPLY_H */
