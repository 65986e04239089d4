/* SPDX-License-Identifier: Apache-2.0 */
/* The cast of a test: replicas and clients with fake keys, and the messages
 * that they sign. All constructors return one reference. */
#ifndef TESTS_SUPPORT_CAST_H
#define TESTS_SUPPORT_CAST_H

#include "consensus/verify.h"
#include "sim/fake_crypto.h"

struct cast_member {
    struct fake_signer signer;
    struct pbft_crypto crypto;
    struct pbft_domain domain;
};

struct cast {
    uint32_t n;
    struct cast_member replicas[PBFT_REPLICAS_MAX];
    struct cast_member client;
    struct pbft_keyring keyring;
    struct pbft_verifier verifier; /* With replica 0's domain. */
};

/* The cast points into itself: do not copy it. */
void cast_init(struct cast *cast, uint32_t n);

struct pbft_message *cast_request(const struct cast *cast, uint64_t sequence,
                                  const char *payload);
/* `count` requests with sequences from `first`. */
struct pbft_message *cast_batch(const struct cast *cast, pbft_wall_us time,
                                uint64_t first, uint32_t count);
/* By the primary of `view`. */
struct pbft_message *cast_pre_prepare(const struct cast *cast, pbft_view view,
                                      pbft_seq seq,
                                      const struct pbft_message *batch);
struct pbft_message *cast_vote(const struct cast *cast,
                               enum pbft_message_type type,
                               pbft_replica_id signer, pbft_view view,
                               pbft_seq seq, const struct pbft_digest *digest);
struct pbft_message *cast_attestation(const struct cast *cast,
                                      pbft_replica_id signer, pbft_seq seq);
/* Certificates with the votes of `signers`. */
struct pbft_message *cast_certificate(const struct cast *cast,
                                      enum pbft_message_type type,
                                      const struct pbft_message *pre_prepare,
                                      const pbft_replica_id *signers,
                                      uint32_t count);
struct pbft_message *cast_stable(const struct cast *cast, pbft_seq seq,
                                 const pbft_replica_id *signers,
                                 uint32_t count);

#endif /* TESTS_SUPPORT_CAST_H */
