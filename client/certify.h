/* SPDX-License-Identifier: Apache-2.0 */
/* One certified page: the same question to all replicas, after the same block,
 * until f + 1 of them have signed the same answer.
 */
#ifndef CLIENT_CERTIFY_H
#define CLIENT_CERTIFY_H

#include "client/client.h"
#include "consensus/preimage.h"

/* Default of `witness_grace_ms`: the others may agree too, or show that they do
 * not, connections that are being made included; on further pages only those
 * that answered before. */
#define CERTIFY_GRACE_MS 300
/* Between two calls to a replica that is behind, or not connected. */
#define CERTIFY_RETRY_MS 30
/* Without f + 1 equal answers for so long: another block is agreed on. */
#define CERTIFY_PATIENCE_MS 1000

struct certified_page {
    struct pbft_answered answered;
    uint8_t *answer; /* Encoded; from malloc. */
    size_t answer_size;
    struct pbft_vote votes[PBFT_REPLICAS_MAX]; /* f + 1, ascending. */
    uint32_t vote_count;
};

/* What became of each replica; kept from page to page. Zeros at first. */
struct certify_witnesses {
    enum salus_witness verdicts[PBFT_REPLICAS_MAX];
    /* Of the first page on which two contradicted each other. */
    bool has_contradiction;
    struct pbft_digest question;
    struct salus_statement statements[PBFT_REPLICAS_MAX];
};

/* `query` is canonical. `height`: after that block alone; 0: after the newest
 * that f + 1 have, not below any of which this client has had proof. On
 * SALUS_OK the caller frees `out->answer`. NOT_FOUND: the state after `height`
 * is kept no more; UNPROVED: f + 1 do not agree; TIMED_OUT, UNREACHABLE, and
 * what replicas refuse for. */
enum salus_status certify_page(struct salus_client *client,
                               struct certified_page *out,
                               struct certify_witnesses *witnesses,
                               struct pbft_bytes query, uint64_t height);

#endif /* CLIENT_CERTIFY_H */
