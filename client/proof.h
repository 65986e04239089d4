/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of certified reads (QueryProof of files.proto), checked offline: was
 * this the answer to that question, after that block? Needs nothing but the
 * genesis file. */
#ifndef CLIENT_PROOF_H
#define CLIENT_PROOF_H

#include "consensus/verify.h"
#include "proto/codec_limits.h"
#include "proto/genesis.h"
#include "proto/reason.h"

/* As much as a file holds; a page is at most some 70 KiB. */
#define PROOF_BYTES_MAX WIRE_FRAME_BYTES_MAX
#define PROOF_VERSION 1

/* In the order in which they are made. */
enum proof_check {
    PROOF_FORMAT = 1, /* It is a proof, whole and canonical. */
    PROOF_CLUSTER,    /* It is of this consortium. */
    PROOF_PAGES, /* Question and answers belong together, none is missing. */
    PROOF_SIGNATURES, /* f + 1 distinct members signed each page. */
};
#define PROOF_CHECK_COUNT 4

/* What the check is, for people. */
const char *proof_check_name(enum proof_check check);

/* What the proof shows, once all checks passed. */
struct proof_facts {
    struct pbft_institution caller; /* Who asked. */
    pbft_seq height;
    pbft_wall_us block_time;
    struct pbft_digest ledger_root;
    pbft_epoch epoch;
    uint32_t page_count;
    uint32_t code;         /* Ledger code of the answer; 0: it is there. */
    uint32_t signatures;   /* On each page. */
    uint32_t signer_count; /* Who signed pages; each page f + 1 of them. */
    pbft_replica_id signers[PBFT_REPLICAS_MAX];
};

struct Salus__V1__Query;
struct Salus__V1__Answer;

/* Sees each page of a proof that holds, in order. */
typedef void proof_visit(void *context, const struct Salus__V1__Query *query,
                         const struct Salus__V1__Answer *answer);

/* Checks an encoded QueryProof; `visit` may be NULL. On failure `*failed` and
 * `reason` tell which check failed, and why, and nothing is visited. MALFORMED,
 * NOT_CANONICAL, TOO_LARGE, VERSION, WRONG_IDENTITY, BAD_CERTIFICATE,
 * NOT_MEMBER, BAD_SIGNATURE, NO_MEMORY. */
PBFT_MUST_USE enum pbft_status proof_verify(struct proof_facts *facts,
                                            enum proof_check *failed,
                                            struct salus_reason *reason,
                                            struct pbft_bytes encoded,
                                            const struct salus_genesis *genesis,
                                            const struct pbft_digest *cluster,
                                            proof_visit *visit, void *context);

#endif /* CLIENT_PROOF_H */
