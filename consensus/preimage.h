/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical bytes that are hashed and signed.
 *
 * Fixed layout, integers big-endian, never protobuf. Every signed preimage
 * begins with
 *
 *   tag[16]  cluster[32]  version u32  epoch u64  signer u32  incarnation u64
 *
 * where the tag is ASCII, zero-padded, and differs per kind, so that no signed
 * byte string is valid for two kinds, epochs, clusters or incarnations. A
 * request begins with tag, cluster, version, client key instead.
 *
 *   salus/request/1  institution session u64 sequence u64 lane u8
 *                    payload-size u64 payload-digest
 *   salus/prepprep/1 view u64 seq u64 batch-digest      (pre-prepare)
 *   salus/prepare/1  view u64 seq u64 batch-digest
 *   salus/commit/1   view u64 seq u64 batch-digest
 *   salus/attest/1   seq u64 time u64 block results-root ledger-root
 *   salus/viewchg/1  view u64 stable-seq u64 digest-of-stable-content
 *                    count u32 digest-of-prepared-certificates
 *   salus/newview/1  view u64 counts u32 u32 digest-of-sources
 *                    digest-of-headers
 *   salus/status/1   all fields
 *   salus/fetch/1    kind u32 seq u64 last u64 digest
 *   salus/answer/1   seq u64 time u64 ledger-root institution query-digest
 *                    answer-digest                      (certified reads)
 *
 * The request digest is BLAKE2b(tag "salus/reqdig/1" | preimage | signature);
 * the batch digest BLAKE2b(tag "salus/batch/1" | cluster | time u64 | count u32
 * | request digests). Lists inside view-changes and new-views are digested link
 * by link: link = BLAKE2b(tag "salus/chain/1" | previous link, zero at first |
 * item). docs/wire.md has the byte offsets.
 */
#ifndef CONSENSUS_PREIMAGE_H
#define CONSENSUS_PREIMAGE_H

#include "consensus/message.h"

#define PBFT_PREIMAGE_MAX                                                      \
    1024 /* STATUS with a full bit field is the longest. */

struct pbft_preimage {
    uint8_t bytes[PBFT_PREIMAGE_MAX];
    size_t size;
};

/* Sets `payload_digest`, for fields that are no message yet. Once for each
 * request: hashing a payload is most of the work. */
void pbft_request_hash_payload(const struct pbft_domain *domain,
                               struct pbft_request *request);

/* Of a request, from its fields, `payload_digest` in the place of the payload.
 */
void pbft_request_preimage(const struct pbft_domain *domain,
                           const struct pbft_request *request,
                           struct pbft_preimage *out);

/* Of any signed message but a request: what `message->signature` covers.
 * Asserts that the type is a signed one. */
void pbft_message_preimage(const struct pbft_domain *domain,
                           const struct pbft_message *message,
                           struct pbft_preimage *out);

/* What a vote in a certificate signed. */
void pbft_prepare_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                           pbft_replica_id signer, uint64_t incarnation,
                           const struct pbft_prepare *fields,
                           struct pbft_preimage *out);
void pbft_commit_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                          pbft_replica_id signer, uint64_t incarnation,
                          const struct pbft_prepare *fields,
                          struct pbft_preimage *out);
void pbft_attestation_preimage(const struct pbft_domain *domain,
                               pbft_epoch epoch, pbft_replica_id signer,
                               uint64_t incarnation,
                               const struct pbft_attestation *fields,
                               struct pbft_preimage *out);

/* A certified read (docs/api.md, 5a): what is true after block `seq`, said to
 * one institution. No vote: only clients look at it. */
struct pbft_answered {
    pbft_seq seq;
    pbft_wall_us block_time;
    struct pbft_digest ledger_root;
    struct pbft_institution caller;
    struct pbft_digest query;  /* Of its bytes (proto/certified.h). */
    struct pbft_digest answer; /* The same. */
};
void pbft_answered_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                            pbft_replica_id signer, uint64_t incarnation,
                            const struct pbft_answered *fields,
                            struct pbft_preimage *out);

/* What identifies a request: covers its preimage and its signature. */
void pbft_request_digest(const struct pbft_domain *domain,
                         const struct pbft_request *request,
                         struct pbft_digest *out);
/* `digests`: those of the requests, in order, side by side. */
void pbft_batch_digest(const struct pbft_domain *domain, pbft_wall_us time,
                       uint32_t request_count, const uint8_t *digests,
                       struct pbft_digest *out);
/* What names a view-change: covers its preimage and its signature. */
void pbft_view_change_digest(const struct pbft_domain *domain,
                             const struct pbft_message *message,
                             struct pbft_digest *out);

/* Signs a message that was just built with the own key (a request: with its
 * client's) and renews the digest that covers the signature. The only place
 * where a message changes after construction. */
void pbft_message_sign(const struct pbft_domain *domain,
                       struct pbft_message *message);

/* The digest of the null batch: time 0, no request. */
void pbft_null_digest(const struct pbft_domain *domain,
                      struct pbft_digest *out);

#endif /* CONSENSUS_PREIMAGE_H */
