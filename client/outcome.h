/* SPDX-License-Identifier: Apache-2.0 */
/* Does an Outcome (client.proto) prove what became of a request? Shared by the
 * library and the offline verifier of receipts.
 */
#ifndef CLIENT_OUTCOME_H
#define CLIENT_OUTCOME_H

#include "consensus/verify.h"
#include "ledger/results.h"
#include "proto/reason.h"

struct Salus__V1__Outcome;

/* The checks, in their order. */
enum outcome_check {
    OUTCOME_SHAPE = 1,
    OUTCOME_REQUEST,
    OUTCOME_PATH,
    OUTCOME_ATTESTATIONS
};

/* What it proves. */
struct outcome {
    enum outcome_check reached; /* The last check that was begun. */
    struct pbft_attestation block;
    uint32_t request_code;
    uint32_t transaction_count;
    struct results_transaction *transactions; /* From malloc: free() it. */
    uint32_t attestations;                    /* Distinct valid signatures. */
};

/* Checks, in this order: shape, that it speaks of `request`, the Merkle path
 * from the results of the request to the results root of the block, and f + 1
 * attestations of distinct members. The reason names the check that failed. On
 * success the caller frees `out->transactions`.
 *
 * MALFORMED, BAD_DIGEST (another request, or the path leads elsewhere),
 * NOT_MEMBER, BAD_SIGNATURE, BAD_CERTIFICATE, TOO_LARGE, NO_MEMORY. */
PBFT_MUST_USE enum pbft_status
outcome_verify(const struct pbft_verifier *verifier,
               const struct pbft_digest *request,
               const struct Salus__V1__Outcome *encoded, struct outcome *out,
               struct salus_reason *reason);

#endif /* CLIENT_OUTCOME_H */
