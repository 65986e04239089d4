/* SPDX-License-Identifier: Apache-2.0 */
/* Certified reads (docs/api.md, 5a): digests of questions and answers, the
 * signature of one replica under them, and how the pages of one answer belong
 * together. Shared by replicas, the library and the offline verifier.
 */
#ifndef PROTO_CERTIFIED_H
#define PROTO_CERTIFIED_H

#include "consensus/preimage.h"
#include "consensus/status.h"
#include "consensus/verify.h"

/* Pages of one proof: 100,000 disclosures. */
#define CERTIFIED_PAGES_MAX 1024u

/* Of an encoded Query, and of an encoded Answer. */
void certified_query_digest(const struct pbft_crypto *crypto,
                            struct pbft_digest *out, struct pbft_bytes query);
void certified_answer_digest(const struct pbft_crypto *crypto,
                             struct pbft_digest *out, struct pbft_bytes answer);

/* One signature under `answered`, of a member of `epoch`. NOT_MEMBER: no such
 * replica, another epoch, or an incarnation that is void; BAD_SIGNATURE. */
PBFT_MUST_USE enum pbft_status
certified_verify_vote(const struct pbft_domain *domain,
                      const struct pbft_keyring *keyring, pbft_epoch epoch,
                      const struct pbft_answered *answered,
                      const struct pbft_vote *vote);

/* Of generated types (ledger.pb-c.h, files.pb-c.h). */
struct Salus__V1__Query;
struct Salus__V1__Answer;
struct ProtobufCBinaryData;

/* Where a question takes its cursor; NULL: its answer has one page. */
struct ProtobufCBinaryData *certified_query_cursor(struct Salus__V1__Query *q);
/* The cursor behind a page; empty: it was the last one. */
struct pbft_bytes
certified_answer_cursor(const struct Salus__V1__Answer *answer);

#endif /* PROTO_CERTIFIED_H */
